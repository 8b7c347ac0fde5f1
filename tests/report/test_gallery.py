from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import pytest

from thermalign.report.gallery import pictures
from thermalign.report.setup import read_setup

BOX = [100.0, 90, 60, 60]


def images(folder, level):
    """Two images at range 2 and one, the last by name, at range 1; visible ones beside them."""
    rows = []
    for name, far, modality in (
        ("a", 2, "thermal"),
        ("b", 2, "thermal"),
        ("c", 1, "thermal"),
        ("d", 1, "visible"),
    ):
        path = folder / f"{level}{name}.png"
        cv2.imwrite(str(path), np.full((240, 260), level, np.uint16))
        rows.append({"image_id": name, "path": str(path), "range": far, "modality": modality})
    return pd.DataFrame(rows).assign(
        width=260, height=240, bit_depth=16, scale=0.5, offset=-10.0, subject_id="s"
    )


@pytest.fixture
def study(tmp_path):
    config = {
        "protocols": {"p": {"dataset": "own", "probe": {"modality": "thermal"}}},
        "datasets": {"own": {"settings": {}}, "cold": {"settings": {"ambient_mean": 12.5}}},
        "evaluation": {"seed": 1},
        "variants": {"far": {"shift": 0.3}, "cold": {"dataset": "cold"}, "near": {"shift": 0.1}},
    }
    boxes = pd.DataFrame({"image_id": list("abcd")})
    boxes[["x", "y", "width", "height"]] = [[1.0, 2, 3, 4], [1.0, 2, 3, 4], BOX, BOX]
    return (
        read_setup(config),
        {"own": images(tmp_path, 80), "cold": images(tmp_path, 60)},
        {"own": boxes},
    )


def test_the_nearest_probe_is_shown_in_moved_boxes_and_every_recording(study):
    moved, own, cold = pictures(*study)
    assert [p.title for p in (moved, own, cold)] == ["boxes moved", "as trained", "Room, °C: 12.5"]
    assert (own.pixels == 30).all()  # 80 counts of half a degree, from -10 on
    assert (cold.pixels == 20).all()
    assert own.pixels.shape == (60 + 2 * 27, 60 + 2 * 27)  # the box and .45 of it around


def test_boxes_are_in_the_crop_by_rising_level_and_inside_it(study):
    moved = pictures(*study)[0]
    np.testing.assert_allclose(moved.given, [27, 27, 60, 60])
    way = [np.linalg.norm(box - moved.given) for box in moved.boxes]
    assert way == pytest.approx([0.1 * 60, 0.3 * 60])
    height, width = moved.pixels.shape
    for x, y, w, h in moved.boxes:
        assert min(x, y) >= 0
        assert x + w <= width
        assert y + h <= height


def test_without_variants_there_is_nothing_to_show(study):
    setup, *tables = study
    assert pictures(replace(setup, moved=[], recordings={"p": []}), *tables) == []
