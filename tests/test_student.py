"""The bivariate Student t against integration, simulation and its normal limit."""

import numpy as np
import pytest
from scipy.integrate import dblquad, quad
from scipy.stats import chi2, multivariate_t

from thermalign.student import (
    expected_distance,
    log_density,
    region,
    squared_distance,
)

SCALE = np.array([[4.0, 1.5], [1.5, 1.0]])
ERRORS = np.array([[0.0, 0.0], [1.0, -2.0], [30.0, 5.0]])


def share_within(squared: np.ndarray | float, tail: float) -> np.ndarray:
    """Return P(d <= c) = 1 - (1 + c / nu)^(-nu / 2)."""
    return np.asarray(1 - (1 + np.asarray(squared) / tail) ** (-tail / 2))


def drawn(scale: np.ndarray, tail: float, count: int) -> np.ndarray:
    return multivariate_t.rvs(shape=scale, df=tail, size=count, random_state=1)


@pytest.mark.parametrize("tail", [2.5, 8.0, 60.0])
def test_the_density_is_that_of_scipys_multivariate_t(tail: float) -> None:
    expected = multivariate_t.logpdf(ERRORS, shape=SCALE, df=tail)
    np.testing.assert_allclose(log_density(ERRORS, SCALE, tail), expected, rtol=1e-10)


def test_the_density_sums_to_one() -> None:
    def density(y: float, x: float) -> float:
        return float(np.exp(log_density(np.array([x, y]), SCALE / 20, 12.0)))

    assert dblquad(density, -8, 8, -8, 8)[0] == pytest.approx(1, abs=1e-4)


def test_squared_distances_are_those_of_the_inverse() -> None:
    expected = [e @ np.linalg.inv(SCALE) @ e for e in ERRORS]
    np.testing.assert_allclose(squared_distance(ERRORS, SCALE), expected)


@pytest.mark.parametrize("tail", [2.5, 8.0])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_a_region_holds_its_share_of_draws(share: float, tail: float) -> None:
    within = squared_distance(drawn(SCALE, tail, 40_000), SCALE) <= region(share, tail)
    assert within.mean() == pytest.approx(share, abs=3 * (share * (1 - share) / 40_000) ** 0.5)


def test_the_share_within_is_the_inverse_of_the_region() -> None:
    shares = np.array([0.0, 0.01, 0.5, 0.999])
    np.testing.assert_allclose(share_within(region(shares, 3.0), 3.0), shares, atol=1e-12)


def test_many_degrees_of_freedom_are_the_normal_distribution() -> None:
    many = 1e7
    np.testing.assert_allclose(region(0.95, many), chi2.ppf(0.95, 2), rtol=1e-5)
    mean = expected_distance(np.eye(2), many)
    np.testing.assert_allclose(mean, np.sqrt(np.pi / 2), rtol=1e-6)  # Rayleigh


@pytest.mark.parametrize("tail", [2.1, 3.0, 8.0, 100.0])
def test_the_mean_distance_is_the_integral_over_regions(tail: float) -> None:
    def beyond(r: float) -> float:
        return 1 - float(share_within(r**2, tail))

    # In a circle the squared distance is that of the error itself.
    np.testing.assert_allclose(
        expected_distance(9 * np.eye(2), tail), 3 * quad(beyond, 0, np.inf)[0], rtol=1e-5
    )


@pytest.mark.parametrize("scale", [SCALE, np.diag([100.0, 1.0]), np.diag([1.0, 1e-12])])
def test_the_mean_distance_is_that_of_draws(scale: np.ndarray) -> None:
    lengths = np.linalg.norm(drawn(scale, 8.0, 200_000), axis=1)
    allowed = 4 * lengths.std() / len(lengths) ** 0.5
    assert float(expected_distance(scale, 8.0)) == pytest.approx(lengths.mean(), abs=allowed)


def test_one_call_serves_many_landmarks_and_what_is_unknown_stays_so() -> None:
    scale = np.stack([SCALE, 4 * SCALE, np.full((2, 2), np.nan)])
    tail = np.array([8.0, 8.0, np.nan])
    mean = expected_distance(scale, tail)
    assert mean[1] == pytest.approx(2 * mean[0])
    assert np.isnan(mean[2])
    assert np.isnan(log_density(np.ones((3, 2)), scale, tail)[2])
