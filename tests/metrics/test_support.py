import numpy as np
import pytest
from scipy.stats import binomtest, norm

from thermalign.metrics.support import (
    bound_of_none,
    least_rate,
    pairs_needed,
    person_pairs,
    supported,
)


def test_pairs_are_ordered_and_of_different_people_and_count_once():
    probe = np.array([0, 0, 0, 1, 1, 2, 2])
    gallery = np.array([0, 1, 1, 0, 1, 2, 2])
    assert person_pairs(probe, gallery) == 2  # 0 -> 1 twice, 1 -> 0
    everybody = np.arange(30)
    pairs = person_pairs(np.repeat(everybody, 30), np.tile(everybody, 30))
    assert pairs == 870


def test_without_an_impostor_there_is_no_pair():
    assert person_pairs(np.array([2, 3]), np.array([2, 3])) == 0
    assert person_pairs(np.array([], int), np.array([], int)) == 0


def test_unknown_people_and_arrays_of_different_length_are_refused():
    with pytest.raises(ValueError, match="unknown person"):
        person_pairs(np.array([-1]), np.array([0]))
    with pytest.raises(ValueError, match="differ in shape"):
        person_pairs(np.array([1]), np.array([0, 1]))


@pytest.mark.parametrize(("far", "needed"), [(1, 30), (0.1, 300), (0.05, 600), (0.001, 30_000)])
def test_a_rate_takes_as_many_pairs_as_make_thirty_errors_likely(far, needed):
    assert pairs_needed(far) == pytest.approx(needed, rel=1e-12)
    assert supported(far, needed)
    assert not supported(far, needed - 1)


@pytest.mark.parametrize("far", [0, -0.1, 1.1, float("nan")])
def test_a_rate_that_no_pairs_support_is_refused(far):
    with pytest.raises(ValueError, match="above 0"):
        pairs_needed(far)


def test_thirty_errors_place_a_rate_within_thirty_percent():
    # 90 % two-sided, normal approximation of a Poisson count: 1.645 / sqrt(30)
    assert norm.ppf(0.95) / np.sqrt(30) == pytest.approx(0.3, abs=0.001)


@pytest.mark.parametrize("pairs", [30, 870, 30_000])
def test_the_rule_of_three_is_the_exact_bound_of_no_error_to_a_few_percent(pairs):
    exact = binomtest(0, pairs, alternative="less").proportion_ci(0.95).high
    assert bound_of_none(pairs) == pytest.approx(exact, rel=0.06)


def test_a_bound_is_a_rate_or_not_a_number():
    assert bound_of_none(2) == 1
    assert np.isnan(bound_of_none(0))


def test_the_lowest_rate_that_pairs_carry_is_the_one_that_needs_all_of_them():
    assert least_rate(870) == pytest.approx(30 / 870)
    assert supported(least_rate(870), 870)
    assert not supported(0.99 * least_rate(870), 870)
    assert least_rate(30) == 1
    assert np.isnan(least_rate(29))
