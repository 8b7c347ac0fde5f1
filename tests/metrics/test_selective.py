"""Ranks, risk and coverage: by hand, against SciPy, and against every order of equal images."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from thermalign.metrics import selective
from thermalign.metrics.selective import aurc, kept, places, rank_correlation, risk_coverage

SAMPLES = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 9), st.integers(0, 3)), min_size=2, max_size=12
)
"""Expected error, true error and how often it is drawn, of some images; with ties."""


def once(values):
    return np.ones((1, len(values)))


def arrays(sample):
    expected, errors, times = (np.array(column, float) for column in zip(*sample, strict=True))
    return expected / 10, errors / 10, times


def repeated(expected, errors, times):
    return [np.repeat(values, times.astype(int)) for values in (expected, errors)]


def means_of_orders(expected, errors):
    """Mean error of the k surest, k = 1..n, over all orders of equally sure images."""
    n = len(errors)
    curves = []
    for order in map(list, permutations(range(n))):
        if (np.diff(expected[order]) >= 0).all():
            curves.append(np.cumsum(errors[order]) / np.arange(1, n + 1))
    return np.mean(curves, axis=0)


def test_equal_up_to_rounding_is_equal():
    values = np.array([0.3, 0.1, 0.1 + 1e-9, 0.2])
    assert places(values).tolist() == [2, 0, 0, 1]
    assert places(np.full(5, np.float32(0.181)) + 1e-8 * np.arange(5)).tolist() == [0] * 5


@given(SAMPLES)
def test_the_rank_correlation_is_scipys_of_the_repeated_images(sample):
    expected, errors, times = arrays(sample)
    again = repeated(expected, errors, times)
    made = rank_correlation(expected, errors, times[None])[0]
    if any(len(np.unique(side)) < 2 for side in again):
        assert np.isnan(made)
    else:
        assert made == pytest.approx(spearmanr(*again).statistic, abs=1e-9)


def test_one_expectation_for_all_ranks_nothing():
    errors = np.arange(6) / 10
    assert np.isnan(rank_correlation(np.full(6, 0.18), errors, once(errors))).all()


def test_risk_and_coverage_by_hand():
    expected, errors = np.array([0.2, 0.1, 0.4, 0.3]), np.array([0.4, 0.1, 0.8, 0.3])
    at = np.array([0.25, 0.5, 0.625, 1.0])
    # the surest first: .1, .4, .3, .8; five eighths are half of the third more
    met = [0.1, 0.25, (0.1 + 0.4 + 0.15) / 2.5, 0.4]
    np.testing.assert_allclose(risk_coverage(expected, errors, once(errors), at)[0], met)
    area = (0.1 + 0.25 + 0.8 / 3 + 0.4) / 4
    assert aurc(expected, errors, once(errors))[0] == pytest.approx(area)


@pytest.mark.parametrize("expected", [[0, 0, 1, 1, 1], [0, 0, 0, 0, 0], [0, 1, 2, 3, 4]])
def test_equally_sure_images_have_the_mean_of_all_their_orders(expected):
    expected, errors = np.array(expected, float), np.array([0.5, 0.1, 0.2, 0.9, 0.3])
    curve = means_of_orders(expected, errors)
    made = risk_coverage(expected, errors, once(errors), np.arange(1, 6) / 5)[0]
    np.testing.assert_allclose(made, curve)
    assert aurc(expected, errors, once(errors))[0] == pytest.approx(curve.mean())


@given(SAMPLES)
def test_weights_count_as_repetitions(sample):
    expected, errors, times = arrays(sample)
    again, at = repeated(expected, errors, times), np.array([0.1, 0.5, 1.0])
    if not times.any():
        assert np.isnan(aurc(expected, errors, times[None])).all()
        assert np.isnan(risk_coverage(expected, errors, times[None], at)).all()
        return
    for figure, more in ((aurc, ()), (risk_coverage, (at,))):
        made = figure(expected, errors, times[None], *more)
        np.testing.assert_allclose(made, figure(*again, once(again[0]), *more), atol=1e-12)


@given(SAMPLES)
def test_no_order_is_better_than_the_oracle_and_none_at_all_is_the_mean(sample):
    expected, errors, _ = arrays(sample)
    least, made = (aurc(order, errors, once(errors))[0] for order in (errors, expected))
    assert least <= made + 1e-12
    assert aurc(0 * errors, errors, once(errors))[0] == pytest.approx(errors.mean())


def test_the_size_of_a_chunk_changes_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    expected, errors, weights = rng.random(20), rng.random(20), rng.integers(0, 3, (9, 20))
    whole = rank_correlation(expected, errors, weights)
    monkeypatch.setattr(selective, "CHUNK", 40)
    np.testing.assert_array_equal(rank_correlation(expected, errors, weights), whole)


@pytest.mark.parametrize("at", [0.0, 1.1])
def test_a_coverage_that_is_none_is_refused(at):
    with pytest.raises(ValueError, match="coverages must lie above 0 and up to 1"):
        risk_coverage(np.ones(2), np.ones(2), np.ones((1, 2)), np.array([at]))


def test_the_least_sure_are_rejected_and_equals_in_part():
    expected = np.array([0.1, 0.4, 0.2, 0.4, 0.3])
    np.testing.assert_allclose(kept(expected, 0.2), [1, 0.5, 1, 0.5, 1])
    np.testing.assert_allclose(kept(expected, 0.5), [1, 0, 1, 0, 0.5])
    np.testing.assert_allclose(kept(np.zeros(5), 0.1), 0.9)
    assert kept(expected, 0.0).tolist() == [1] * 5


@given(SAMPLES, st.floats(0, 0.99))
def test_a_share_is_rejected_exactly(sample, share):
    expected, _, _ = arrays(sample)
    assert kept(expected, share).mean() == pytest.approx(1 - share)
