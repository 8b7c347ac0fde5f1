from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import pytest
from fake_study import NAN, TEMPLATE, face_pixels

from thermalign.report.inputs import read_setup
from thermalign.report.pictures import examples, pictures

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


@pytest.fixture
def tables(tmp_path):
    """Three annotated images of two subjects, the second image predicted worst; one of a fold 1."""
    names = ["right_eye", "left_eye", "nose_base", "right_mouth_corner", "left_mouth_corner"]
    points = pd.DataFrame(TEMPLATE, columns=["x", "y"]).assign(landmark=names)
    images, annotations, predictions = [], [], []
    for n, (name, subject, far) in enumerate([("a", "s1", 1), ("b", "s1", 1), ("c", "s2", 2)]):
        path = tmp_path / f"{name}.png"
        cv2.imwrite(str(path), face_pixels(n).astype(np.uint8))
        row = {"image_id": name, "subject_id": subject, "range": far, "path": str(path)}
        images.append({**row, "scale": 1.0, "offset": 0.0})
        annotations.append(points.assign(image_id=name))
        moved = points.assign(image_id=name, x=points["x"] + (9.2, 46.0, 4.6)[n])
        predictions.append(moved.assign(protocol="p1", model="dan", fold=0))
    predictions.append(predictions[1].assign(fold=1, x=NAN))
    boxes = pd.DataFrame({"image_id": list("abc"), "x": 20.0, "y": 20.0})
    return (
        pd.concat(predictions),
        pd.concat(annotations),
        pd.DataFrame(images),
        boxes.assign(width=80.0, height=100.0),
    )


def test_typical_faces_are_the_first_and_worst_ones_those_with_the_highest_error(tables):
    found = examples(*tables)
    typical, *worst = found
    assert (typical.kind, typical.subject_id, typical.range) == ("typical", "s1", 1)
    assert typical.nmse == pytest.approx(0.2)  # of an interocular distance of 46 px
    assert [(e.kind, e.subject_id) for e in worst] == [("worst", "s1"), ("worst", "s2")]
    assert [e.nmse for e in worst] == pytest.approx([1.0, 0.1])


def test_points_move_with_the_crop(tables):
    typical = examples(*tables)[0]
    corner = np.array([int(20 - 0.12 * 80), int(20 - 0.12 * 100)])
    np.testing.assert_allclose(typical.annotated, TEMPLATE - corner)
    assert typical.pixels.shape[1] == 80 + 20 + int(0.12 * 80) - corner[0]


def test_images_without_annotation_give_no_example(tables):
    predictions, annotations, images, boxes = tables
    assert examples(predictions, annotations[:0], images, boxes) == []
