"""Rows are read in parts, by one process or several, with the same result."""

import os
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from thermalign.ingest import parts, table
from thermalign.ingest.parts import THREADS, in_parts


def doubled(numbers):
    if 13 in numbers:
        raise ValueError("13 is refused")
    return [2 * number for number in numbers], os.getpid()


@pytest.fixture(params=["1", "2"])
def cores(request, monkeypatch):
    monkeypatch.setenv(THREADS, request.param)
    monkeypatch.setattr(parts, "ROWS", 5)
    monkeypatch.setattr(parts, "PAYS", 0.0)
    return int(request.param)


def test_parts_come_in_order_from_as_many_processes_as_there_are_cores(cores):
    made = list(in_parts(doubled, [*range(100, 160)]))
    assert [v for values, _ in made for v in values] == [*range(200, 320, 2)]
    first, *processes = (process for _, process in made)
    assert first == os.getpid()
    assert (os.getpid() in processes) == (cores == 1)
    assert len({*processes}) <= cores


def test_no_process_is_started_for_what_is_done_before_it_would_have_begun(cores, monkeypatch):
    monkeypatch.setattr(parts, "PAYS", 1e6)
    assert {process for _, process in in_parts(doubled, [*range(100, 160)])} == {os.getpid()}


def test_what_a_part_refuses_is_raised_where_it_was_asked_for(cores):
    with pytest.raises(ValueError, match="13 is refused"):
        list(in_parts(doubled, [*range(60)]))


def test_a_number_of_cores_that_is_none_is_one(monkeypatch):
    monkeypatch.setenv(THREADS, "many")
    assert {process for _, process in in_parts(doubled, [1, 2])} == {os.getpid()}


def test_progress_is_told_in_lines(monkeypatch, capsys):
    monkeypatch.setattr(parts, "ROWS", 5)
    monkeypatch.setattr(parts, "REPORT_EVERY", 0.0)
    for _ in in_parts(doubled, [*range(100, 112)]):
        time.sleep(0.001)
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "5 of 12 rows"
    assert told[-1] == "12 of 12 rows"


def test_a_manifest_is_read_alike_by_one_process_and_by_two(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "ROWS", 4)
    monkeypatch.setattr(parts, "PAYS", 0.0)
    lines = ["path,subject_id,modality,box_x,box_y,box_width,box_height,hat"]
    for k in range(14):
        counts = np.random.default_rng(k).integers(7000, 9000, (48, 40), np.uint16)
        cv2.imwrite(str(tmp_path / f"{k}.png"), counts)
        box = f"{5 + k / 10},4,30,38" if k % 3 else ",,,"
        lines.append(f"{k}.png,p{k % 5},thermal,{box},{'yes' if k % 2 else ''}")
    (tmp_path / "m.csv").write_text("\n".join(lines) + "\n")
    settings = table.Settings(tmp_path, Path("m.csv"), attributes=("hat",))
    found = []
    for cores in ("1", "2"):
        monkeypatch.setenv(THREADS, cores)
        found.append(table.read(settings))
    for one, other in zip(found[0][:4], found[1][:4], strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert len(found[0].boxes) == 9
    assert (found[0].looks.thumbnails == found[1].looks.thumbnails).all()
