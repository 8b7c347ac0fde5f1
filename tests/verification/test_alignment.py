import numpy as np
import pytest
from skimage.transform import AffineTransform, SimilarityTransform

from thermalign.geometry import LEFT_EYE, RIGHT_EYE, apply_matrix
from thermalign.verification.alignment import METHODS, can_fit, fit_affine, fit_matrices

CANONICAL = np.array([[33.0, 42], [79, 42], [56, 75.5], [37.5, 94], [74.5, 94]])
SIMILARITY = np.array([[0.8, -0.3, 4.0], [0.3, 0.8, -7.0]])
AFFINE = np.array([[0.8, 0.4, 4.0], [-0.2, 1.5, -7.0]])
NOISY = CANONICAL / 2 + np.random.default_rng(0).normal(0, 1, (6, 5, 2))


def sources_of(matrix):
    """Return the landmarks (1, 5, 2) that the matrix brings to the canonical ones."""
    return ((CANONICAL - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T)[None]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_recovers_a_similarity_exactly(method):
    found = fit_matrices(sources_of(SIMILARITY), CANONICAL, method)
    np.testing.assert_allclose(found[0], SIMILARITY, atol=1e-10)


def test_the_affine_method_recovers_an_affine_map_exactly():
    found = fit_matrices(sources_of(AFFINE), CANONICAL, "affine")
    np.testing.assert_allclose(found[0], AFFINE, atol=1e-10)


@pytest.mark.parametrize(
    ("method", "peer"), [("similarity", SimilarityTransform), ("affine", AffineTransform)]
)
def test_least_squares_fits_land_no_farther_than_scikit_images(method, peer):
    for points, ours in zip(NOISY, fit_matrices(NOISY, CANONICAL, method), strict=True):
        theirs = peer.from_estimate(points, CANONICAL).params[:2]
        cost, least = (((apply_matrix(m, points) - CANONICAL) ** 2).sum() for m in (ours, theirs))
        assert cost <= least * (1 + 1e-9)


def test_the_affine_fit_is_the_solution_of_the_normal_equations():
    for points, ours in zip(NOISY, fit_affine(NOISY, CANONICAL), strict=True):
        design = np.column_stack([points, np.ones(5)])
        expected = np.linalg.solve(design.T @ design, design.T @ CANONICAL).T
        np.testing.assert_allclose(ours, expected, atol=1e-9)


def test_two_points_put_the_eyes_exactly_and_ignore_the_other_landmarks():
    matrices = fit_matrices(NOISY, CANONICAL, "two_point")
    eyes = [RIGHT_EYE, LEFT_EYE]
    placed = apply_matrix(matrices, NOISY)[:, eyes]
    np.testing.assert_allclose(placed, np.tile(CANONICAL[eyes], (6, 1, 1)), atol=1e-10)
    moved = NOISY.copy()
    moved[:, 2:] = np.nan
    np.testing.assert_array_equal(fit_matrices(moved, CANONICAL, "two_point"), matrices)


@pytest.mark.parametrize("method", METHODS)
def test_faces_are_fitted_one_by_one_in_their_order(method):
    together = fit_matrices(NOISY, CANONICAL, method)
    alone = [fit_matrices(face[None], CANONICAL, method)[0] for face in NOISY]
    np.testing.assert_allclose(together, alone, atol=1e-12)


@pytest.mark.parametrize("method", ["similarity", "affine"])
def test_the_order_of_the_landmarks_does_not_matter(method):
    order = [3, 0, 4, 1, 2]
    plain = fit_matrices(NOISY, CANONICAL, method)
    shuffled = fit_matrices(NOISY[:, order], CANONICAL[order], method)
    np.testing.assert_allclose(shuffled, plain, atol=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_a_face_upside_down_or_mirrored_can_be_aligned(method):
    faces = np.stack([CANONICAL * [-1, -1], CANONICAL * [-1, 1]])
    assert can_fit(faces, CANONICAL, method).all()


@pytest.mark.parametrize(
    ("points", "who_can"),
    [
        (np.full((5, 2), 31.7), ()),  # one place
        (np.full((5, 2), np.nan), ()),  # no face found
        (1e-4 * CANONICAL + 9, ()),  # hardly more than one place
        (1e4 * CANONICAL, ()),
        (np.outer(np.arange(5), [3.1, 1.7]) + 0.3, ("similarity", "two_point")),  # on a line
        (CANONICAL[[0, 0, 2, 3, 4]], ("similarity", "affine")),  # the eyes coincide
        (np.where([[0], [0], [1], [0], [0]], np.inf, CANONICAL), ("two_point",)),
    ],
)
def test_degenerate_landmarks_are_told_by_what_the_method_uses(points, who_can):
    faces = np.stack([CANONICAL, points, CANONICAL])
    for method in METHODS:
        expected = [True, method in who_can, True]
        np.testing.assert_array_equal(can_fit(faces, CANONICAL, method), expected)


def test_fitting_a_degenerate_face_is_refused_with_its_number():
    faces = np.stack([CANONICAL, np.ones((5, 2))])
    with pytest.raises(ValueError, match="face 1 are not finite or too close"):
        fit_matrices(faces, CANONICAL, "similarity")


def test_no_faces_give_no_matrices():
    for method in METHODS:
        assert fit_matrices(np.empty((0, 5, 2)), CANONICAL, method).shape == (0, 2, 3)


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="use one of similarity, two_point, affine"):
        fit_matrices(NOISY, CANONICAL, "projective")
