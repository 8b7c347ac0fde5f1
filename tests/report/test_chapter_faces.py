import base64

import cv2
import numpy as np
import pytest
from fake_study import NAN, TEMPLATE, face_pixels

from thermalign.report.chapters.faces import albums, draw_face, images
from thermalign.report.exhibits import Example
from thermalign.report.looks import looks
from thermalign.report.views import View
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
