"""Every verification metric that scikit-learn or SciPy has too, under the same convention.

Scores have ties in half of the sets. Failures to acquire are not known to either library: they are
handed over as finite scores below all others, in the order that the convention asks for.
"""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import mannwhitneyu
from sklearn.metrics import (
    auc as trapezoid,
)
from sklearn.metrics import (
    det_curve,
    roc_auc_score,
    roc_curve,
    top_k_accuracy_score,
)

from thermalign.metrics.failures import error_rates
from thermalign.metrics.identification import cmc
from thermalign.metrics.verification import auc, d_prime, eer, roc

SAME = 1e-12
SETS = [(seed, decimals) for seed in range(6) for decimals in (0, 1, 12)]


def made(seed, decimals, *, lost=0.0):
    rng = np.random.default_rng(seed)
    genuine = rng.random(1500) < 0.1
    scores = (rng.normal(size=1500) + 1.3 * genuine).round(decimals)
    scores[rng.random(1500) < lost] = -np.inf
    return scores, genuine


def as_lowest(scores, genuine, *, genuine_below):
    """Return scores with failures as the lowest finite ones, genuine ones below others or not."""
    below = scores[np.isfinite(scores)].min() - 1
    return np.where(np.isfinite(scores), scores, below - (genuine & genuine_below))


@pytest.mark.parametrize(("seed", "decimals"), SETS)
def test_the_roc_is_that_of_roc_curve(seed, decimals):
    scores, genuine = made(seed, decimals)
    fmr, tar, _ = roc_curve(genuine, scores, drop_intermediate=False)
    expected = [tar[fmr == at].max() for at in fmr]
    np.testing.assert_allclose(roc(scores, genuine, fmr), expected, atol=SAME)


@pytest.mark.parametrize(("seed", "decimals"), SETS)
def test_the_roc_with_failures_is_that_of_roc_curve_down_to_the_lowest_score(seed, decimals):
    scores, genuine = made(seed, decimals, lost=0.2)
    known = as_lowest(scores, genuine, genuine_below=False)
    fmr, tar, at = roc_curve(genuine, known, drop_intermediate=False)
    attained = at >= scores[np.isfinite(scores)].min()
    expected = [tar[attained & (fmr == rate)].max() for rate in fmr[attained]]
    np.testing.assert_allclose(roc(scores, genuine, fmr[attained]), expected, atol=SAME)


@pytest.mark.parametrize(("seed", "decimals"), SETS)
def test_the_equal_error_rate_is_where_brentq_finds_it_on_the_interpolated_roc(seed, decimals):
    scores, genuine = made(seed, decimals)
    fmr, tar, _ = roc_curve(genuine, scores, drop_intermediate=False)
    corners = np.arange(len(fmr))  # along the curve, for it has vertical parts

    def gap(where):
        return np.interp(where, corners, fmr) + np.interp(where, corners, tar) - 1

    where = brentq(gap, 0, len(fmr) - 1, xtol=1e-14, rtol=1e-15)
    assert eer(scores, genuine) == pytest.approx(np.interp(where, corners, fmr), abs=SAME)


@pytest.mark.parametrize(("seed", "decimals"), SETS)
def test_the_area_is_that_of_roc_auc_score_and_the_statistic_of_mann_and_whitney(seed, decimals):
    scores, genuine = made(seed, decimals)
    value = auc(scores, genuine)
    assert value == pytest.approx(roc_auc_score(genuine, scores), abs=SAME)
    fmr, tar, _ = roc_curve(genuine, scores)
    assert value == pytest.approx(trapezoid(fmr, tar), abs=SAME)
    wins = mannwhitneyu(scores[genuine], scores[~genuine]).statistic
    pairs = genuine.sum() * (~genuine).sum()
    assert value == pytest.approx(wins / pairs, abs=SAME)


@pytest.mark.parametrize(("seed", "decimals"), SETS)
def test_the_area_with_failures_is_that_of_roc_auc_score_with_failed_genuine_lowest(seed, decimals):
    scores, genuine = made(seed, decimals, lost=0.2)
    known = as_lowest(scores, genuine, genuine_below=True)
    assert auc(scores, genuine) == pytest.approx(roc_auc_score(genuine, known), abs=SAME)


@pytest.mark.parametrize("lost", [0.0, 0.2])
@pytest.mark.parametrize(("seed", "decimals"), SETS)
def test_errors_at_every_threshold_are_those_of_det_curve(seed, decimals, lost):
    scores, genuine = made(seed, decimals, lost=lost)
    known = as_lowest(scores, genuine, genuine_below=False)
    fmr, fnmr, thresholds = det_curve(genuine, known)
    for rate, miss, threshold in zip(fmr, fnmr, thresholds, strict=True):
        if threshold >= scores[np.isfinite(scores)].min():
            errors = error_rates(scores, genuine, threshold)
            assert (errors.far, errors.frr) == pytest.approx((rate, miss), abs=SAME)


@pytest.mark.parametrize(("seed", "decimals"), SETS)
def test_d_prime_is_that_of_numpy(seed, decimals):
    scores, genuine = made(seed, decimals, lost=0.2)
    own, other = (scores[np.isfinite(scores) & side] for side in (genuine, ~genuine))
    spread = np.sqrt((np.var(own) + np.var(other)) / 2)
    assert d_prime(scores, genuine) == pytest.approx((own.mean() - other.mean()) / spread, abs=SAME)


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("seed", range(3))
def test_identification_with_failures_is_top_k_accuracy_of_the_others_times_their_share(seed, k):
    rng = np.random.default_rng(seed)
    subject, scores = rng.integers(0, 6, 200), rng.normal(size=(200, 6))
    lost = rng.random(200) < 0.1
    expected = top_k_accuracy_score(subject[~lost], scores[~lost], k=k, labels=np.arange(6))
    scores[lost] = -np.inf
    value = cmc(scores, subject[:, None] == np.arange(6), np.array([k]))[0]
    assert value == pytest.approx(expected * np.mean(~lost), abs=SAME)
