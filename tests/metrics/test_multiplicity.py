import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermalign.metrics.multiplicity import holm

NAN = float("nan")
VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def test_holm_by_hand():
    # rising .005, .01, .03, .04: times 4, 3, 2, 1 are .02, .03, .06, .04; none falls below before
    found = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    assert found.tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_no_adjusted_value_is_above_one():
    assert holm(np.array([0.5, 0.9])).tolist() == [1, 1]


def test_one_test_alone_is_not_adjusted():
    assert holm(np.array([0.03])).tolist() == [0.03]


def test_what_was_not_tested_is_not_counted():
    found = holm(np.array([NAN, 0.02, 0.01]))
    assert np.isnan(found[0])
    assert found[1:].tolist() == [0.02, 0.02]
    assert holm(np.array([])).tolist() == []


def test_values_that_are_no_probabilities_are_refused():
    with pytest.raises(ValueError, match="p-values lie in"):
        holm(np.array([0.1, 1.5]))


@given(VALUES)
def test_adjusted_values_lie_between_the_plain_ones_and_those_of_bonferroni(values):
    p = np.array(values)
    found = holm(p)
    assert (found >= p).all()
    assert (found <= np.minimum(len(p) * p, 1) + 1e-15).all()


@given(VALUES)
def test_the_order_of_tests_does_not_matter_and_their_ranks_stay(values):
    p = np.array(values)
    found = holm(p)
    np.testing.assert_array_equal(holm(p[::-1]), found[::-1])
    assert (np.diff(found[np.argsort(p, kind="stable")]) >= 0).all()


@given(VALUES)
def test_rejections_are_those_of_the_steps_taken_one_by_one(values):
    rising = sorted(values)
    rejected = 0
    while rejected < len(rising) and (len(rising) - rejected) * rising[rejected] <= 0.05:
        rejected += 1
    assert (holm(np.array(rising)) <= 0.05).sum() == rejected
