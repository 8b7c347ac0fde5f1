"""Images are opened a few at once, and nothing else changes by it."""

import time
from pathlib import Path
from threading import Lock

import cv2
import pytest
from bright import picture

from thermalign.deploy.inputs import Reading, batches, list_sources
from thermalign.ingest import pictures


@pytest.fixture
def files(tmp_path):
    """Six images, of which every other one is no PNG, whatever its name says."""
    for n in range(6):
        cv2.imwrite(str(tmp_path / f"{n}.{'png' if n % 2 else 'jpg'}"), picture((30, 20, 60, 80)))
    (tmp_path / "4.jpg").rename(tmp_path / "4.png")
    return tmp_path


def opened(folder, monkeypatch):
    """Return the names of images in the order they come, and how many were decoded at once."""
    real, lock, now, most = pictures.decode, Lock(), {True: 0, False: 0}, {True: 0, False: 0}

    def slow(data, path):
        plain = data.startswith(b"\x89PNG")
        with lock:
            now[plain] += 1
            most[plain] = max(most[plain], now[plain])
        time.sleep(0.02 if "0" in path.name else 0.002)
        with lock:
            now[plain] -= 1
        return real(data, path)

    monkeypatch.setattr(pictures, "decode", slow)
    reading = Reading()
    found = [p for batch in batches(list_sources([folder], reading), reading) for p in batch]
    assert not [p.problem for p in found if p.problem]
    return [Path(p.source.name).stem for p in found], most


def test_the_order_is_that_of_the_inputs_however_long_each_takes(files, monkeypatch):
    assert opened(files, monkeypatch)[0] == ["0", "1", "2", "3", "4", "5"]


def test_decoders_whose_complaints_are_caught_work_one_by_one(files, monkeypatch):
    assert opened(files, monkeypatch)[1][False] == 1
