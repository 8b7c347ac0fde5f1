"""Images are opened a few at once, and nothing else changes by it."""

import time
import zlib
from pathlib import Path
from threading import Barrier, Lock

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


def read(folder):
    """Return images in the order they come, several with what is wrong with them."""
    reading = Reading()
    return [p for batch in batches(list_sources([folder], reading), reading) for p in batch]


def opened(folder, monkeypatch):
    """Return the names of images in the order they come, and with how many each was decoded."""
    real, lock, now, most = pictures.decode, Lock(), [], {}

    def slow(data, path):
        with lock:
            now.append(path.stem)
            most.update({name: max(most.get(name, 0), len(now)) for name in now})
        time.sleep(0.02 if "0" in path.name else 0.002)
        with lock:
            now.remove(path.stem)
        return real(data, path)

    monkeypatch.setattr(pictures, "decode", slow)
    found = read(folder)
    assert not [p.problem for p in found if p.problem]
    return [Path(p.source.name).stem for p in found], most


def test_the_order_is_that_of_the_inputs_however_long_each_takes(files, monkeypatch):
    assert opened(files, monkeypatch)[0] == ["0", "1", "2", "3", "4", "5"]


def test_nothing_works_beside_decoders_whose_complaints_are_caught(files, monkeypatch):
    most = opened(files, monkeypatch)[1]
    assert [most[name] for name in ("0", "2", "4")] == [1, 1, 1]


def test_two_pngs_are_opened_together(tmp_path, monkeypatch):
    for n in range(2):
        cv2.imwrite(str(tmp_path / f"{n}.png"), picture((30, 20, 60, 80)))
    real, both = pictures.decode, Barrier(2, timeout=20)

    def together(data, path):
        both.wait()  # raises, if the other is not begun before this one is done
        return real(data, path)

    monkeypatch.setattr(pictures, "decode", together)
    assert [p.problem for p in read(tmp_path)] == ["", ""]


def test_what_a_png_decoder_prints_is_no_fault_of_other_images(files, capfd):
    data = cv2.imencode(".png", picture((30, 20, 60, 80)))[1].tobytes()
    start = data.index(b"IDAT") + 4
    size = int.from_bytes(data[start - 8 : start - 4], "big")
    broken = data[: start + 20] + bytes(size - 20)  # its stream, under a right checksum
    told = zlib.crc32(broken[start - 4 :]).to_bytes(4, "big")
    for n in (1, 3):
        (files / f"{n}.png").write_bytes(broken + told + data[start + size + 4 :])
    problems = {Path(p.source.name).stem: p.problem for p in read(files)}
    assert [name for name, problem in problems.items() if problem] == ["1", "3"]
    (files / "1.png").write_bytes(data[: len(data) // 2])
    problems = {Path(p.source.name).stem: p.problem for p in read(files)}
    assert "ends in the middle of the picture" in problems["1"]
    assert not problems["0"]
