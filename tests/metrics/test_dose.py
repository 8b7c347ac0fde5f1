import numpy as np
import pytest
from scipy.stats import linregress, norm

from thermalign.metrics.dose import predicted, probit, slope

DOSES = np.array([0.0, 0.1, 0.2, 0.4])


def test_the_slope_of_a_line_is_its_slope():
    assert slope(DOSES, 0.1 + 0.7 * DOSES) == pytest.approx(0.7)


def test_slopes_are_those_of_scipy_curve_by_curve():
    curves = np.random.default_rng(0).normal(size=(3, 4))
    expected = [linregress(DOSES, curve).slope for curve in curves]
    np.testing.assert_allclose(slope(DOSES, curves), expected)


def test_a_slope_needs_two_doses():
    with pytest.raises(ValueError, match="two different doses"):
        slope(np.array([0.1, 0.1]), np.array([1.0, 2.0]))


def test_deviates_are_normal_and_a_rate_of_0_or_1_has_none():
    values = probit(np.array([0.0, 0.3, 1.0, np.nan]))
    np.testing.assert_allclose(values, [np.nan, norm.ppf(0.3), np.nan, np.nan])
    np.testing.assert_allclose(probit(np.array([0.3])), -probit(np.array([0.7])))


def test_a_response_is_read_off_its_own_curve():
    curves = np.array([[0.0, 0.1, 0.2, 0.4], [0.1, 0.1, 0.3, 0.3]])
    at = predicted(np.array([0.3, 0.15]), DOSES, curves)
    np.testing.assert_allclose(at, [0.3, 0.2])
    own = predicted(np.array([0.3, 0.3]), np.stack([DOSES, 2 * DOSES]), curves)
    np.testing.assert_allclose(own, [0.3, 0.2])


def test_nothing_is_extrapolated():
    curve = np.array([[0.0, 0.1, 0.2, 0.4]])
    assert np.isnan(predicted(np.array([0.5]), DOSES, curve)).all()
    assert predicted(np.array([0.4]), DOSES, curve).tolist() == [0.4]
