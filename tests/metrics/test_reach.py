"""How near a grid of patches comes: grids of a few cells, by hand."""

import numpy as np
import pytest

from thermalign.metrics.reach import best_cell_errors, best_cells

GRID = {"patch": 60, "stride": 8}


def nearest(x, y, box, **grid):
    return best_cells(np.array([[[x, y]]], float), np.array([box], float), **GRID | grid)[0, 0]


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (49.5, 59.5, (49.5, 59.5)),  # the centre of the first patch
        (53.4, 59.5, (49.5, 59.5)),
        (53.6, 59.5, (57.5, 59.5)),
        (0, 0, (49.5, 59.5)),  # out of reach
        (200, 200, (65.5, 67.5)),
    ],
)
def test_the_nearest_patch_centre_by_hand(x, y, expected):
    # 76 x 68 pixels from (20, 30) hold 3 x 2 patches.
    np.testing.assert_array_equal(nearest(x, y, [20, 30, 76, 68]), expected)


def test_the_rest_of_a_box_is_split_evenly_and_a_half_is_rounded_up():
    # 72.5 -> 73 pixels hold 68; of the 5 left over 2 lie before. x: 20.5 + (72.5 - 73) / 2 -> 20.
    np.testing.assert_array_equal(nearest(0, 0, [20.5, 30, 72.5, 60]), (22 + 29.5, 59.5))


def test_a_small_box_has_one_patch_around_its_centre():
    # 41 pixels grow by 19 to 60: 100 - 9.5 = 90.5 -> 91.
    np.testing.assert_array_equal(nearest(0, 0, [100, 50, 41, 40]), (91 + 29.5, 40 + 29.5))


def test_a_margin_adds_cells_on_every_side():
    box = [20, 30, 68, 60]
    np.testing.assert_array_equal(nearest(0, 0, box, margin=2), (33.5, 43.5))
    np.testing.assert_array_equal(nearest(200, 200, box, margin=2), (73.5, 75.5))


def test_a_point_out_of_reach_costs_its_distance_over_the_eyes():
    points = np.array([[[29.5, 29.5], [69.5, 29.5], [37.5, 41.5], [29.5, 37.5], [47.5, 29.5]]])
    # 68 x 60 pixels from (0, 0): centres (29.5, 29.5) and (37.5, 29.5); 40 pixels between the eyes.
    errors = best_cell_errors(points, np.array([[0.0, 0, 68, 60]]), **GRID)
    np.testing.assert_allclose(errors, [[0, 32 / 40, 12 / 40, 8 / 40, 10 / 40]])


@pytest.mark.parametrize(
    "boxes", [np.ones((2, 4)), np.ones((1, 3)), np.array([[0, 0, np.nan, 60]]), np.zeros((1, 4))]
)
def test_boxes_that_do_not_fit_the_faces_are_refused(boxes):
    with pytest.raises(ValueError, match="box"):
        best_cells(np.zeros((1, 5, 2)), boxes, **GRID)
