"""The median error, against NumPy's and by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from thermalign.metrics.median_error import of_errors

ERRORS = st.lists(st.floats(0, 10), min_size=1, max_size=31)


@given(ERRORS)
def test_once_each_it_is_the_lower_median(errors):
    errors = np.array(errors)
    assert of_errors(errors, np.ones(len(errors))) == np.sort(errors)[(len(errors) - 1) // 2]


@given(ERRORS, st.data())
def test_weights_count_as_repetitions(errors, data):
    counts = data.draw(st.lists(st.integers(0, 3), min_size=len(errors), max_size=len(errors)))
    errors, counts = np.array(errors), np.array(counts)
    repeated = np.repeat(errors, counts)
    expected = of_errors(repeated, np.ones(len(repeated)))
    np.testing.assert_equal(of_errors(errors, counts.astype(float)), expected)


def test_by_hand():
    assert of_errors(np.array([0.3, 0.1, 9.0]), np.array([1.0, 1.0, 1.0])) == 0.3
    assert of_errors(np.array([0.3, 0.1, 9.0]), np.array([1.0, 3.0, 1.0])) == 0.1
