import numpy as np
import pandas as pd
import pytest

from thermalign.boxes import Settings, derive, make_boxes
from thermalign.geometry import LANDMARKS

FACE = np.array([[30.0, 40], [70, 40], [50, 70], [35, 90], [65, 90]])
IMAGES = pd.DataFrame({"image_id": ["a", "b"], "width": 100, "height": 120})
NONE = pd.DataFrame({name: [] for name in ("image_id", "x", "y", "width", "height")})


def annotations(ids):
    return pd.DataFrame(
        [(i, name, x, y, True) for i in ids for name, (x, y) in zip(LANDMARKS, FACE, strict=True)],
        columns=["image_id", "landmark", "x", "y", "visible"],
    )


def test_a_box_without_jitter_is_centred_below_the_eyes():
    x, y, width, height = derive(FACE[None], ["a"], Settings(shift=0, scale=0))[0]
    assert (width, height) == pytest.approx((2.3 * 40, 2.87 * 40))
    assert x - 0.5 + width / 2 == pytest.approx(50)
    assert y - 0.5 + height / 2 == pytest.approx(40 + 0.25 * 40)


def test_the_jitter_has_the_stated_spread_and_does_not_know_its_neighbours():
    ids = [f"i{n}" for n in range(2000)]
    boxes = derive(np.tile(FACE, (2000, 1, 1)), ids, Settings(seed=3))
    centre = boxes[:, 0] + boxes[:, 2] / 2
    assert np.std(centre) / 40 == pytest.approx(0.07, rel=0.08)
    assert np.std(np.log(boxes[:, 2])) == pytest.approx(0.05, rel=0.08)
    np.testing.assert_array_equal(derive(FACE[None], ["i7"], Settings(seed=3))[0], boxes[7])


def test_given_boxes_go_before_derived_ones():
    given = pd.DataFrame(
        {"image_id": ["b"], "x": [1.0], "y": [2.0], "width": [3.0], "height": [4.0]}
    )
    made = make_boxes(IMAGES, annotations(["a", "b"]), given, Settings()).set_index("image_id")
    assert made["source"].to_dict() == {"a": "derived", "b": "given"}
    assert made.loc["b", "width"] == 3


def test_one_fixed_box_serves_every_image():
    made = make_boxes(IMAGES, annotations([]), NONE, Settings(source="fixed", fixed=(1, 2, 30, 40)))
    assert made[["x", "y", "width", "height"]].to_numpy().tolist() == [[1, 2, 30, 40]] * 2


def test_an_image_with_neither_points_nor_box_is_refused_by_name():
    with pytest.raises(ValueError, match="image b has neither a face box nor landmarks"):
        make_boxes(IMAGES, annotations(["a"]), NONE, Settings())


def test_a_fixed_box_must_be_given():
    with pytest.raises(ValueError, match="needs fixed"):
        make_boxes(IMAGES, annotations([]), NONE, Settings(source="fixed"))
