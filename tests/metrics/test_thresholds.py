"""Thresholds of ten scores, read off by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermalign.metrics.thresholds import at_equal_errors, at_false_match_rate

GENUINE = np.array([True] * 4 + [False] * 5)
SCORES = np.array([9.0, 8, 7, 3, 6, 5, 4, 2, 1])


def accepted(threshold):
    return (SCORES[~GENUINE] >= threshold).mean()


@pytest.mark.parametrize(("rate", "above"), [(0, 6), (0.19, 6), (0.2, 5), (0.59, 4), (0.6, 2)])
def test_the_lowest_threshold_that_accepts_no_larger_share_of_impostors(rate, above):
    threshold = at_false_match_rate(SCORES, GENUINE, rate)
    assert threshold == np.nextafter(above, np.inf)
    assert accepted(threshold) <= rate < accepted(above)


def test_equal_scores_are_accepted_together():
    tied = np.array([1.0, 0.5, 0.5, 0.5, 0])
    threshold = at_false_match_rate(tied, np.array([True, False, False, False, False]), 0.5)
    assert threshold > 0.5


def test_error_rates_are_equal_where_they_cross():
    # at 6: 1 of 4 missed, 1 of 5 accepted; at 7: 1 of 4 and none
    assert at_equal_errors(SCORES, GENUINE) == 6


def test_scores_apart_have_no_errors_at_the_lowest_genuine_one():
    assert at_equal_errors(np.array([4.0, 3, 2, 1]), np.array([True, True, False, False])) == 3


def by_sorting(scores, genuine):
    """Return the same by searching sorted scores: what scikit-learn is checked against."""
    at = np.unique(scores)[::-1]
    own, other = np.sort(scores[genuine]), np.sort(scores[~genuine])
    missed = np.searchsorted(own, at) / len(own)
    accepted = 1 - np.searchsorted(other, at) / len(other)
    return at[np.argmin(np.abs(accepted - missed))]


@given(
    own=st.lists(st.sampled_from([-2.5, 0.0, 0.1, 0.3, 1e-9, 4.0]), min_size=1, max_size=30),
    other=st.lists(st.sampled_from([-2.5, -0.1, 0.0, 0.1, 0.3]), min_size=1, max_size=30),
)
def test_equal_errors_are_where_sorted_scores_have_them_to_the_last_bit(own, other):
    scores = np.array(own + other)
    genuine = np.repeat([True, False], [len(own), len(other)])
    assert at_equal_errors(scores, genuine) == by_sorting(scores, genuine)
