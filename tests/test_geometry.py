import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from thermalign import geometry as g

FACE = np.array([[30.0, 40], [70, 42], [51, 70], [35, 90], [66, 91]])


def similarity(angle, scale, shift):
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[c, -s, shift[0]], [s, c, shift[1]]])


def test_a_pixel_centre_goes_where_reversing_the_columns_moves_it():
    image = np.arange(12).reshape(3, 4)
    x, y = 1, 2
    point = np.tile([[float(x), float(y)]], (5, 1))
    mirrored = g.mirror_points(point, 4)
    assert image[:, ::-1][y, int(mirrored[0, 0])] == image[y, x]


def test_mirroring_twice_is_the_identity_and_once_swaps_left_and_right():
    once = g.mirror_points(FACE, 100)
    np.testing.assert_allclose(once[g.RIGHT_EYE], [100 - 1 - 70, 42])
    np.testing.assert_allclose(g.mirror_points(once, 100), FACE)


def test_tensors_and_arrays_give_the_same_mirror():
    tensor = g.mirror_points(torch.as_tensor(FACE)[None], torch.tensor([100.0]))
    np.testing.assert_allclose(tensor[0].numpy(), g.mirror_points(FACE, 100))


def test_the_interocular_distance_is_that_of_the_eyes():
    assert g.interocular_distance(FACE) == pytest.approx(np.hypot(40, 2))


@given(st.floats(-3, 3), st.floats(0.1, 10), st.floats(-50, 50), st.floats(-50, 50))
def test_the_fit_recovers_any_similarity(angle, scale, t_x, t_y):
    matrix = similarity(angle, scale, (t_x, t_y))
    target = g.apply_matrix(matrix, FACE)
    np.testing.assert_allclose(g.fit_similarity(FACE, target), matrix, atol=1e-8)


def test_the_fit_is_the_least_squares_optimum():
    rng = np.random.default_rng(0)
    target = FACE + rng.normal(0, 3, FACE.shape)
    best = g.fit_similarity(FACE, target)

    def cost(matrix):
        return ((g.apply_matrix(matrix, FACE) - target) ** 2).sum()

    for _ in range(50):
        a, b, t_x, t_y = rng.normal(0, 1e-3, 4)
        assert cost(best + np.array([[a, -b, t_x], [b, a, t_y]])) > cost(best)


def test_the_fit_never_mirrors():
    mirrored = FACE * [-1, 1]
    matrix = g.fit_similarity(FACE, mirrored)
    assert np.linalg.det(matrix[:, :2]) > 0


def test_coinciding_points_are_refused():
    with pytest.raises(ValueError, match="distinct"):
        g.fit_similarity(np.ones((5, 2)), FACE)


def test_a_matrix_followed_by_its_inverse_is_the_identity():
    matrix = np.array([[[1.5, 0.3, 4.0], [-0.2, 0.8, -7.0]]])
    both = g.compose_matrices(g.invert_matrix(matrix), matrix)
    np.testing.assert_allclose(both[0], np.eye(3)[:2], atol=1e-12)


def test_composition_applies_the_second_argument_first():
    after, before = similarity(0.3, 2, (1, 2)), similarity(-1, 0.5, (3, -4))
    np.testing.assert_allclose(
        g.apply_matrix(g.compose_matrices(after, before), FACE),
        g.apply_matrix(after, g.apply_matrix(before, FACE)),
    )


def test_the_edges_of_a_box_go_to_the_edges_of_its_crop():
    matrix = g.box_to_crop(np.array([10.0, 20, 40, 60]), 20, 30)
    corners = np.array([[9.5, 19.5], [49.5, 79.5]])
    np.testing.assert_allclose(g.apply_matrix(matrix, corners), [[-0.5, -0.5], [19.5, 29.5]])


def test_the_mirror_matrix_agrees_with_mirror_points():
    matrix = g.mirror_matrix(np.array([100.0]))
    np.testing.assert_allclose(
        g.apply_matrix(matrix[0], FACE)[list(g.MIRRORED)], g.mirror_points(FACE, 100)
    )


BOXES = torch.tensor([[10.0, 20.0, 40.0, 80.0], [0.0, 0.0, 5.0, 5.0]])


def test_corners_of_a_box_are_zero_and_one() -> None:
    corners = torch.tensor([[[9.5, 19.5], [49.5, 99.5]], [[-0.5, -0.5], [4.5, 4.5]]])
    expected = torch.tensor([[0.0, 0.0], [1.0, 1.0]]).expand(2, 2, 2)
    torch.testing.assert_close(g.to_box_units(corners, BOXES), expected)


def test_box_units_come_back() -> None:
    points = torch.randn(2, 5, 2, generator=torch.Generator().manual_seed(0)) * 30
    torch.testing.assert_close(g.from_box_units(g.to_box_units(points, BOXES), BOXES), points)


def test_box_units_are_fractions_of_the_crop() -> None:
    points = torch.tensor([[[12.0, 30.0]], [[1.0, 3.0]]])
    crop = g.apply_matrix(g.box_to_crop(BOXES, 48, 48), points)
    torch.testing.assert_close((crop + 0.5) / 48, g.to_box_units(points, BOXES))


BOX = np.array([10.0, 20, 40, 40])


def moved(right, down=0.0, size=40.0):
    return np.array([10.0 + right, 20 + down, size, size])


def test_overlap_is_the_common_area_over_the_covered_one():
    first = np.stack([BOX] * 4)
    second = np.stack([BOX, moved(20), moved(40), moved(10, 10, 20)])
    # half beside it covers 1.5; touching nothing; a quarter inside
    np.testing.assert_allclose(g.box_iou(first, second), [1, 1 / 3, 0, 1 / 4])


def test_overlap_is_symmetric_and_survives_a_change_of_scale():
    rng = np.random.default_rng(0)
    first, second = rng.uniform(1, 30, (2, 50, 4))
    np.testing.assert_allclose(g.box_iou(first, second), g.box_iou(second, first))
    np.testing.assert_allclose(g.box_iou(first, second), g.box_iou(3 * first, 3 * second))


def test_tensors_and_arrays_overlap_alike_in_every_pair():
    rng = np.random.default_rng(1)
    first, second = rng.uniform(1, 30, (2, 20, 4))
    every = g.box_iou(torch.as_tensor(first)[:, None], torch.as_tensor(second)).numpy()
    np.testing.assert_array_equal(every.diagonal(), g.box_iou(first, second))
    assert every.shape == (20, 20)
