import numpy as np
import pytest
from scipy.stats import t, ttest_1samp

from thermalign.metrics.intervals import (
    DIFFERENCE,
    POSITIVE,
    RATE,
    clopper_pearson,
    interval,
    p_value,
    standard_error,
)

T_4 = 2.776445  # 97.5 % quantile of Student's t with 4 degrees of freedom, from printed tables
DRAWS = np.array([0.1, 0.2, 0.3])  # standard deviation 0.1


def test_the_standard_error_takes_back_what_drawing_n_of_n_loses():
    assert standard_error(DRAWS, subjects=5) == pytest.approx(0.1 * np.sqrt(5 / 4))
    assert standard_error(DRAWS, subjects=2) == pytest.approx(0.1 * np.sqrt(2))


def test_the_standard_error_of_a_mean_is_that_of_the_textbook():
    rng = np.random.default_rng(0)
    values = rng.normal(size=8)
    draws = values[rng.integers(0, 8, (200_000, 8))].mean(axis=1)
    expected = values.std(ddof=1) / np.sqrt(8)
    assert standard_error(draws, subjects=8) == pytest.approx(expected, rel=0.01)


def test_the_interval_of_a_difference_is_even_around_it():
    reach = T_4 * 0.1 * np.sqrt(1.25)
    ends = interval(-0.05, DRAWS, subjects=5, scale=DIFFERENCE)
    assert ends == pytest.approx((-0.05 - reach, -0.05 + reach))


def test_the_interval_of_a_positive_metric_is_even_in_its_logarithm():
    factor = np.exp(T_4 * 0.1 * np.sqrt(1.25) / 0.2)
    ends = interval(0.2, DRAWS, subjects=5, scale=POSITIVE)
    assert ends == pytest.approx((0.2 / factor, 0.2 * factor))


def test_the_interval_of_a_rate_is_even_in_its_log_odds():
    factor = np.exp(T_4 * 0.1 * np.sqrt(1.25) / (0.2 * 0.8))
    odds = 0.25 / factor, 0.25 * factor
    expected = [o / (1 + o) for o in odds]
    assert interval(0.2, DRAWS, subjects=5, scale=RATE) == pytest.approx(expected)


def test_a_rate_and_its_complement_have_mirrored_intervals():
    low, high = interval(0.2, DRAWS, subjects=5, scale=RATE)
    other = interval(0.8, 1 - DRAWS, subjects=5, scale=RATE)
    assert other == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(("value", "ends"), [(0.0, (0, 0.308497)), (1.0, (0.691503, 1))])
def test_a_rate_of_0_or_1_has_the_exact_interval_of_as_many_trials_as_subjects(value, ends):
    draws = np.full(20, value)
    # 10 trials without a success: 1 - 0.025 ** (1 / 10)
    assert interval(value, draws, subjects=10, scale=RATE) == pytest.approx(ends, abs=1e-6)


@pytest.mark.parametrize("noise", [0, 1e-16])
def test_a_rate_that_everybody_shares_is_not_known_without_error(noise):
    # a quarter of everyone's images failed: up to 30.8497 % of people may be otherwise, all or none
    draws = 0.25 + noise * np.arange(20)
    low, high = interval(0.25, draws, subjects=10, scale=RATE)
    assert low == pytest.approx(0.25 * 0.691503, abs=1e-6)
    assert high == pytest.approx(0.25 + 0.75 * 0.308497, abs=1e-6)


@pytest.mark.parametrize("scale", [POSITIVE, DIFFERENCE])
def test_what_has_no_bounds_has_no_interval_where_everybody_is_alike(scale):
    assert np.isnan(interval(0.25, np.full(20, 0.25), subjects=10, scale=scale)).all()


def test_exact_intervals_are_those_of_the_tables():
    # Newcombe, Statistics in Medicine 17, 1998, table I: 81 of 263 and 15 of 148
    assert clopper_pearson(81, 263) == pytest.approx((0.2527, 0.3676), abs=5e-5)
    assert clopper_pearson(15, 148) == pytest.approx((0.0578, 0.1617), abs=5e-5)


def test_a_positive_metric_of_0_has_no_interval():
    assert np.isnan(interval(0.0, np.zeros(20), subjects=10, scale=POSITIVE)).all()


@pytest.mark.parametrize("scale", [RATE, POSITIVE, DIFFERENCE])
def test_one_subject_or_a_metric_without_value_has_no_interval(scale):
    assert np.isnan(interval(0.2, DRAWS, subjects=1, scale=scale)).all()
    assert np.isnan(interval(np.nan, DRAWS, subjects=5, scale=scale)).all()


def test_replicates_that_are_not_numbers_are_left_out_until_they_are_most():
    draws = np.where(np.arange(100) < 40, np.nan, np.arange(100) % 2)
    expected = standard_error(draws[40:], subjects=5)
    assert standard_error(draws, subjects=5) == expected > 0
    assert np.isnan(standard_error(np.where(np.arange(100) < 60, np.nan, draws), subjects=5))
    assert np.isnan(standard_error(np.array([]), subjects=5))


def test_replicates_of_no_subject_are_refused():
    with pytest.raises(ValueError, match="say how many"):
        interval(0.2, DRAWS, subjects=0, scale=RATE)


def test_the_p_value_of_a_difference_is_that_of_its_t_statistic():
    error = 0.1 * np.sqrt(1.25)
    expected = 2 * t.sf(0.25 / error, 4)
    assert p_value(0.25, DRAWS, subjects=5) == pytest.approx(expected)
    assert p_value(-0.25, DRAWS, subjects=5) == pytest.approx(expected)
    assert p_value(T_4 * error, DRAWS, subjects=5) == pytest.approx(0.05, abs=1e-6)


def test_the_p_value_of_a_mean_is_about_that_of_the_t_test():
    rng = np.random.default_rng(3)
    values = rng.normal(0.4, size=12)
    draws = values[rng.integers(0, 12, (200_000, 12))].mean(axis=1)
    expected = ttest_1samp(values, 0).pvalue
    assert p_value(values.mean(), draws, subjects=12) == pytest.approx(expected, rel=0.02)


def test_a_difference_without_spread_or_without_interval():
    assert p_value(0.0, np.zeros(9), subjects=5) == 1
    assert p_value(1e-16, np.full(9, 1e-16), subjects=5) == 1  # rounding
    assert np.isnan(p_value(0.1, np.full(9, 0.1), subjects=5))  # no more known than its interval
    assert np.isnan(p_value(0.1, DRAWS, subjects=1))
    assert np.isnan(p_value(np.nan, DRAWS, subjects=5))


@pytest.mark.parametrize("value", [0.01, 0.1, 0.2, 0.3, 0.5, 1.0])
def test_an_interval_leaves_out_zero_where_p_is_below_five_percent(value):
    low, high = interval(value, DRAWS, subjects=5, scale=DIFFERENCE)
    assert (low > 0 or high < 0) == (p_value(value, DRAWS, subjects=5) < 0.05)
