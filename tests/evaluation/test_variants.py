"""Boxes and images that differ from those of training."""

import numpy as np
import pytest

from thermalign.boxes import Settings, derive
from thermalign.evaluation.variants import disturb, named, read_variants

FACE = np.array([[30.0, 40], [70, 40], [50, 70], [35, 90], [65, 90]])
BOXES = np.array([[10.0, 20, 40, 60], [0, 0, 30, 30]])


def centres(boxes):
    return boxes[:, :2] + boxes[:, 2:] / 2


def test_undisturbed_boxes_stay_as_they_are():
    np.testing.assert_array_equal(disturb(BOXES, ["a", "b"]), BOXES)


def test_a_shift_moves_the_centre_by_that_share_of_the_mean_side():
    moved = disturb(BOXES, ["a", "b"], shift=0.2)
    way = np.linalg.norm(centres(moved) - centres(BOXES), axis=1)
    assert way.tolist() == pytest.approx([0.2 * 50, 0.2 * 30])
    np.testing.assert_array_equal(moved[:, 2:], BOXES[:, 2:])


def test_a_scale_keeps_the_centre_and_the_proportions():
    larger = disturb(BOXES, ["a", "b"], scale=1.5)
    np.testing.assert_allclose(centres(larger), centres(BOXES))
    np.testing.assert_allclose(larger[:, 2:], 1.5 * BOXES[:, 2:])


def test_shifts_go_in_every_direction_and_larger_ones_further_along_the_same():
    ids = [f"i{n}" for n in range(2000)]
    boxes = np.tile(BOXES[:1], (2000, 1))
    near, far = (disturb(boxes, ids, shift=s, seed=3)[:, :2] - boxes[:, :2] for s in (0.1, 0.3))
    np.testing.assert_allclose(far, 3 * near)
    assert np.abs(near.mean(0)).max() < 0.2  # px of 5; standard error of the mean .08
    alone = disturb(boxes[:1], ["i7"], shift=0.1, seed=3)
    np.testing.assert_allclose(alone[0, :2], boxes[7, :2] + near[7])
    other = disturb(boxes, ids, shift=0.1, seed=4)[:, :2] - boxes[:, :2]
    assert not np.allclose(other, near)


def test_shifts_do_not_follow_the_jitter_of_derived_boxes():
    ids = [f"i{n}" for n in range(2000)]
    points = np.tile(FACE, (2000, 1, 1))
    drawn = Settings(scale=0, seed=3)
    given = derive(points, ids, drawn)
    jitter = given[:, :2] - derive(points, ids, Settings(scale=0, shift=0, seed=3))[:, :2]
    way = disturb(given, ids, shift=0.1, seed=3)[:, :2] - given[:, :2]
    for axis in (0, 1):
        assert abs(np.corrcoef(jitter[:, axis], way[:, axis])[0, 1]) < 0.1


def test_what_variants_name_comes_by_name_however_they_are_listed():
    blocks = {"b": {"dataset": "warm"}, "a": {"dataset": "cold"}, "c": {"detector": "mtcnn"}}
    for order in (["a", "b", "c"], ["c", "b", "a"]):
        variants = read_variants({name: blocks[name] for name in order})
        assert named(variants, "dataset") == ["cold", "warm"]
        assert named(variants, "detector") == ["mtcnn"]
