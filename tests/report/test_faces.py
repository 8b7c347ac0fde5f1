import base64

import cv2
import numpy as np
import pandas as pd
import pytest
from fake_study import NAN, TEMPLATE, face_pixels

from thermalign.report.faces import albums, draw_face, examples, images
from thermalign.report.setup import looks
from thermalign.report.study import Example, View
from thermalign.schemas.measures import SUMMARY


def example(**changes):
    given = {"protocol": "p1", "model": "dan", "subject_id": "s1", "range": 1, "nmse": 0.05}
    given |= {"pixels": face_pixels(0), "annotated": TEMPLATE, "predicted": TEMPLATE + 1}
    return Example(**(given | {"kind": "typical"} | changes))


def view(*models, protocol="p1"):
    return View(SUMMARY.empty_table().to_pandas(), protocol, looks=looks(models))


def decoded(pixels):
    ((_, _, address),) = images([example(pixels=pixels)]).values()
    data = base64.b64decode(address.partition("base64,")[2])
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def test_points_are_drawn_at_their_own_pixels():
    face = draw_face(example(predicted=TEMPLATE + 0.5), "DAN")
    assert (face.width, face.height) == (112, 128)
    assert face.annotated[0] == (1, 33.0, 42.0)
    assert face.predicted[0] == (1, 33.5, 42.5)
    assert face.links[0] == (33.0, 42.0, 33.5, 42.5)
    assert [n for n, _, _ in face.predicted] == [1, 2, 3, 4, 5]


def test_a_face_that_was_not_found_shows_no_predicted_point():
    for predicted in (None, np.full((5, 2), NAN)):
        face = draw_face(example(predicted=predicted, nmse=NAN), "DAN")
        assert face.predicted == []
        assert face.links == []
        assert face.detail == "no face found"


def test_a_point_beyond_the_picture_is_counted():
    points = TEMPLATE.copy()
    points[4] = (500.0, 20.0)
    assert draw_face(example(predicted=points), "DAN").detail == "NMSE .050; 1 outside"


def test_a_face_without_annotation_is_called_so():
    face = draw_face(example(annotated=None, nmse=NAN), "DAN")
    assert face.annotated == []
    assert face.detail == "not annotated"


def test_contrast_is_stretched_whatever_the_unit():
    celsius, counts = face_pixels(0), 100 * (face_pixels(0) + 273.15)
    assert decoded(celsius).shape == (128, 112)
    assert np.abs(decoded(celsius).astype(int) - decoded(counts).astype(int)).max() <= 1
    assert decoded(celsius).min() == 0
    assert decoded(celsius).max() == 255


@pytest.mark.parametrize("value", [0.0, 7.0, NAN])
def test_a_picture_without_contrast_is_still_a_picture(value):
    assert decoded(np.full((20, 10), value)).shape == (20, 10)


def test_large_pictures_are_reduced_and_small_ones_kept():
    assert decoded(face_pixels(0, (680, 340))).shape == (170, 85)
    assert decoded(face_pixels(0, (40, 30))).shape == (40, 30)


def test_albums_go_from_typical_to_worst_and_models_in_table_order():
    given = [example(model=m, kind=k) for k in ("worst", "typical") for m in ("dan", "mtcnn")]
    found = albums(given, view("dan", "mtcnn", "pbc"))
    assert [a.caption.partition(",")[0] for a in found] == ["Typical faces", "Worst faces"]
    assert [strip.look.label for strip in found[0].strips] == ["MTCNN", "DAN"]
    assert albums(given, view("dan", protocol="p2")) == []


def test_the_worst_face_leads_its_strip_and_a_missed_one_is_the_worst():
    given = [example(kind="worst", nmse=e, subject_id=str(e)) for e in (0.2, NAN, 0.7)]
    (album,) = albums(given, view("dan"))
    titles = [face.title.partition(",")[0] for face in album.strips[0].faces]
    assert titles == ["nan", "0.7", "0.2"]


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
