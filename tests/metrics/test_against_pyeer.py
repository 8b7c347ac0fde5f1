"""Every metric that pyeer 0.5.6 has too, on common inputs; where its convention is another, which.

Skipped where pyeer is not installed (``pip install pyeer==0.5.6``; the extra ``dev`` has it). What
the conventions are stands in docs/metrics.md.
"""

from typing import NamedTuple

import numpy as np
import pytest
from test_against_libraries import SAME, SETS, made

from thermalign.metrics.identification import cmc
from thermalign.metrics.verification import auc, d_prime, eer, order, rates, roc

eer_stats = pytest.importorskip("pyeer.eer_stats")
cmc_stats = pytest.importorskip("pyeer.cmc_stats")

OPERATING = (0.1, 0.05, 0.01, 0.001)
"""False match rates of what pyeer calls fmr10, fmr20, fmr100 and fmr1000."""


class Theirs(NamedTuple):
    """What pyeer's ``get_eer_stats`` puts together, which needs setuptools to be imported."""

    fmr: np.ndarray
    fnmr: np.ndarray
    eer_low: float
    eer_high: float
    eer: float
    auc: float
    decidability: float


def theirs(scores, genuine):
    own, other = scores[genuine], scores[~genuine]
    _, fmr, fnmr = eer_stats.calculate_roc(own, other)
    moments = own.mean(), own.std(), other.mean(), other.std()
    return Theirs(
        fmr,
        fnmr,
        *eer_stats.get_eer_values(fmr, fnmr)[1:],
        eer_stats.calculate_roc_auc(fmr, fnmr),
        eer_stats.get_decidability_value(*moments),
    )


@pytest.mark.parametrize(("seed", "decimals"), SETS)
def test_the_rates_at_every_threshold_of_pyeer_are_ours(seed, decimals):
    scores, genuine = made(seed, decimals)
    stats = theirs(scores, genuine)
    best = [1 - stats.fnmr[stats.fmr == rate].min() for rate in stats.fmr]
    np.testing.assert_allclose(roc(scores, genuine, stats.fmr), best, atol=SAME)


@pytest.mark.parametrize(("seed", "decimals"), SETS)
def test_d_prime_is_pyeers_decidability(seed, decimals):
    scores, genuine = made(seed, decimals)
    assert d_prime(scores, genuine) == pytest.approx(theirs(scores, genuine).decidability, abs=SAME)


@pytest.mark.parametrize(("seed", "decimals"), SETS)
def test_the_area_is_pyeers_and_the_corner_that_its_curve_leaves_out(seed, decimals):
    scores, genuine = made(seed, decimals)
    scores[[np.argmax(genuine), np.argmin(genuine)]] = scores.max() + 1  # the best are one of each
    stats = theirs(scores, genuine)
    corner = stats.fmr[-1] * (1 - stats.fnmr[-1]) / 2  # from its strictest threshold to (0, 0)
    assert corner > 0
    assert auc(scores, genuine) == pytest.approx(stats.auc + corner, abs=SAME)


@pytest.mark.parametrize(("seed", "decimals"), SETS)
def test_the_equal_error_rate_lies_between_the_thresholds_of_which_pyeer_takes_one(seed, decimals):
    """pyeer takes the mean of both rates at one of them, ours the crossing on the line between."""
    scores, genuine = made(seed, decimals)
    stats, value = theirs(scores, genuine), eer(scores, genuine)
    after = int(np.argmax(stats.fmr <= stats.fnmr))
    before = max(after - 1, 0)
    assert stats.fmr[after] - SAME <= value <= stats.fmr[before] + SAME
    assert stats.fnmr[before] - SAME <= value <= stats.fnmr[after] + SAME
    step = max(stats.fmr[before] - stats.fmr[after], stats.fnmr[after] - stats.fnmr[before])
    assert abs(value - stats.eer) <= step + SAME


@pytest.mark.parametrize("seed", range(6))
def test_an_equal_error_rate_that_a_threshold_attains_is_pyeers(seed):
    scores, genuine = made(seed, 12)
    its = scores[genuine]
    mirrored = np.concatenate([its, -its])  # as many misses below t as false matches from -t on
    shown = np.repeat([True, False], len(its))
    stats = theirs(mirrored, shown)
    assert stats.eer_low == stats.eer_high
    assert eer(mirrored, shown) == pytest.approx(stats.eer, abs=SAME)


@pytest.mark.parametrize(("seed", "decimals"), SETS)
@pytest.mark.parametrize("asked", OPERATING)
def test_a_miss_rate_of_pyeer_is_at_the_nearest_false_match_rate_ours_at_the_next_lower(
    asked, seed, decimals
):
    scores, genuine = made(seed, decimals)
    stats = theirs(scores, genuine)
    nearest = stats.fmr[np.argmin(abs(stats.fmr - asked))]
    at = roc(scores, genuine, np.array([nearest, asked]))
    missed = eer_stats.get_fmr_op(stats.fmr, stats.fnmr, asked)[1]
    assert 1 - at[0] == pytest.approx(missed, abs=SAME)
    assert at[0] == at[1] or nearest > asked


@pytest.mark.parametrize("seed", range(3))
def test_identification_without_ties_is_pyeers(seed):
    rng = np.random.default_rng(seed)
    subject, scores = rng.integers(0, 6, 200), rng.normal(size=(200, 6))
    known = {}
    for k, (own, row) in enumerate(zip(subject, scores, strict=True)):
        best_first = [(f"t{person}", row[person]) for person in np.argsort(-row)]
        known[f"q{k}"] = [f"t{own}"], best_first
    ranks = np.arange(1, 6)
    value = cmc(scores, subject[:, None] == np.arange(6), ranks)
    assert value == pytest.approx(cmc_stats.get_cmc_curve(known, 5), abs=SAME)


def test_pyeer_accepts_failures_at_its_laxest_threshold_and_ours_never():
    scores, genuine = made(0, 12, lost=0.2)
    stats = theirs(scores, genuine)
    assert (stats.fmr[0], stats.fnmr[0]) == (1, 0)
    _, tar = rates(
        order(scores, genuine),
        genuine=np.ones(genuine.sum()),
        impostor=np.ones((~genuine).sum()),
    )
    assert tar[-1] == pytest.approx(np.isfinite(scores[genuine]).mean())
    assert np.isnan(stats.decidability)
    assert np.isfinite(d_prime(scores, genuine))
