"""Stated distributions against SciPy, and the best constant spread against an optimiser."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import f, multivariate_t

from thermalign.metrics.stated import inside, surprise
from thermalign.student import LEAST, best_constant

SCALE = np.array([[0.02, 0.006], [0.006, 0.01]])
SHARES = (0.5, 0.8, 0.95)


def drawn(n, *, tail=4.0, scale=SCALE, seed=0):
    return multivariate_t(shape=scale, df=tail, seed=seed).rvs(n)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("tail", [1.5, 4.0, 80.0])
def test_a_region_ends_where_the_f_distribution_says(share, tail):
    along = np.linalg.cholesky(SCALE) @ np.array([np.cos(0.7), np.sin(0.7)])  # d = 1
    edge = along * np.sqrt(2 * f(2, tail).ppf(share))
    for factor, expected in ((0.999, True), (1.001, False)):
        assert inside(edge * factor, SCALE, np.array(tail), share) == expected


@pytest.mark.parametrize("share", SHARES)
def test_regions_of_the_true_distribution_hold_what_they_say(share):
    errors = drawn(20_000)
    held = inside(errors, np.broadcast_to(SCALE, (20_000, 2, 2)), np.full(20_000, 4.0), share)
    assert held.mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 20_000))


def test_the_surprise_is_that_of_scipys_density():
    errors, tail = drawn(50), np.full(50, 4.0)
    expected = -multivariate_t(shape=SCALE, df=4).logpdf(errors)
    np.testing.assert_allclose(surprise(errors, np.broadcast_to(SCALE, (50, 2, 2)), tail), expected)


def test_the_best_constant_is_what_a_general_optimiser_finds():
    errors = drawn(400, tail=3.0, seed=2)

    def mean_surprise(numbers):
        a, b, c, tail = numbers
        root = np.array([[np.exp(a), 0], [b, np.exp(c)]])
        return -multivariate_t(shape=root @ root.T, df=np.exp(tail)).logpdf(errors).mean()

    least = minimize(mean_surprise, [-2, 0, -2, 1], method="Nelder-Mead", tol=1e-9)
    made = best_constant(errors)
    each = np.broadcast_to(made.scale, (400, 2, 2)), np.full(400, made.tail)
    assert surprise(errors, *each).mean() == pytest.approx(least.fun, abs=1e-7)
    assert made.tail == pytest.approx(np.exp(least.x[3]), rel=1e-2)


def test_the_best_constant_of_normal_errors_is_their_mean_square():
    square = np.array([[-1.0, -1], [1, 1], [-1, 1], [1, -1]])  # a light tail: no face stands out
    made = best_constant(np.tile(square, (5, 1)))
    np.testing.assert_allclose(made.scale, np.eye(2), atol=5e-3)
    assert made.tail > 500


def test_a_constant_is_in_the_unit_of_the_errors():
    errors = drawn(100)
    near, far = best_constant(errors), best_constant(20 * errors)
    np.testing.assert_allclose(far.scale, 400 * near.scale, rtol=1e-6)
    assert far.tail == pytest.approx(near.tail)


@pytest.mark.parametrize(
    "errors",
    [drawn(LEAST - 1), np.zeros((30, 2)), np.outer(np.arange(30.0), [1, 2])],
    ids=["few", "none", "on a line"],
)
def test_no_spread_is_made_up(errors):
    assert best_constant(errors) is None
