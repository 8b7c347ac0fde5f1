import numpy as np
import pytest

from thermalign.metrics import landmarks as m

FACE = np.array([[[10.0, 10], [20, 10], [15, 15], [11, 20], [19, 20]]])


def test_a_shift_by_one_interocular_distance_is_an_error_of_one():
    np.testing.assert_allclose(m.normalized_errors(FACE + [10.0, 0], FACE), np.ones((1, 5)))


def test_the_error_is_a_distance_and_not_its_square():
    moved = FACE + [3.0, 4.0]
    np.testing.assert_allclose(m.normalized_errors(moved, FACE), np.full((1, 5), 0.5))


def test_errors_do_not_change_with_the_scale_of_the_image():
    moved = FACE + np.random.default_rng(0).normal(0, 1, FACE.shape)
    np.testing.assert_allclose(
        m.normalized_errors(3 * moved, 3 * FACE), m.normalized_errors(moved, FACE)
    )


def test_coinciding_eyes_and_other_shapes_are_refused():
    flat = FACE.copy()
    flat[0, 1] = flat[0, 0]
    with pytest.raises(ValueError, match="not positive in rows .0."):
        m.normalized_errors(FACE, flat)
    with pytest.raises(ValueError, match="differ"):
        m.normalized_errors(FACE[:, :4], FACE)


def test_a_face_not_found_fails_the_ced_and_stays_out_of_the_mean():
    errors = np.array([0.1, 0.3, np.nan])
    assert m.nmse(errors) == pytest.approx(0.2)
    assert m.nmse_sd(errors) == pytest.approx(0.1)
    assert m.failure_rate(errors) == pytest.approx(1 / 3)
    np.testing.assert_allclose(m.ced(errors, np.array([0.1, 0.2, 9.0])), [0, 1 / 3, 2 / 3])


def test_nothing_has_no_error_and_not_a_perfect_one():
    for function in (m.nmse, m.failure_rate, lambda e: m.ced(e, np.array([1.0]))):
        with pytest.raises(ValueError, match="no "):
            function(np.empty(0))
    with pytest.raises(ValueError, match="no face"):
        m.nmse(np.array([np.nan]))
