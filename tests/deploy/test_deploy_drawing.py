"""What is drawn says how sure it is: by the colour of the box, at a glance."""

import dataclasses

import numpy as np
import pytest
from bright import picture, shape_in

from thermalign.deploy.drawing import BAD, DOUBT, DOUBTFUL, GOOD, draw
from thermalign.deploy.faces import Face

BOX = (30, 20, 60, 80)


def face(error, status="ok"):
    told = np.full(5, error), np.tile(np.eye(2), (5, 1, 1)), np.full(5, 8.0)
    return Face(shape_in(BOX), *told, np.array(BOX, float), 0.9, status)


@pytest.mark.parametrize(
    ("shown", "colour"),
    [
        (face(DOUBT / 2), GOOD),
        (face(float("nan")), GOOD),  # nothing is known of it
        (face(DOUBT), DOUBTFUL),
        (face(DOUBT / 2, "not thermal"), BAD),
    ],
)
def test_the_colour_of_a_box_says_how_sure_its_face_is(shown, colour):
    drawn = draw(picture(BOX).astype(np.float32), [shown], "said")
    edge = drawn[:, round(BOX[0] * drawn.shape[1] / 160 - 0.5)]  # of the box, left
    assert (np.abs(edge.astype(int) - colour).sum(1) < 30).any()
    others = {GOOD, DOUBTFUL, BAD} - {colour}
    assert not any((np.abs(edge.astype(int) - other).sum(1) < 30).any() for other in others)


def test_points_of_a_face_that_is_not_ok_are_not_drawn():
    image = picture(BOX).astype(np.float32)
    lost = face(0.05, "too small")
    gone = dataclasses.replace(lost, points=np.full((5, 2), np.nan))
    np.testing.assert_array_equal(draw(image, [lost], ""), draw(image, [gone], ""))
