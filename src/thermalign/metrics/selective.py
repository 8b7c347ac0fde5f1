"""Do expected errors rank true ones? Rank correlation, and the risk of answering the surest alone.

All take weights, so that a bootstrap may draw images again: an image of weight w counts as w images
that are alike. Images that are equally sure have no order: every figure is the expectation over all
orders of them, so that a detector that says the same of every image neither gains nor loses.
"""

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array
from scipy.special import digamma

from thermalign.geometry import Floats, Integers

SAME = 1e-7
"""Interocular distances up to which errors are equal: rounding of 32-bit numbers is no order."""

NOTHING = 1e-9
"""Share of the greatest possible spread of ranks up to which there is none."""

CHUNK = 4_000_000  # weights of images held at once


def places(values: Floats) -> Integers:
    """Return the place (N,) of each of values (N,) among the different ones, 0 for the lowest.

    Values that differ by no more than ``SAME`` from the next lower one share its place.
    """
    order = np.argsort(values, kind="stable")
    rises = np.diff(values[order], prepend=values[order[:1]]) > SAME
    out = np.empty(len(values), int)
    out[order] = np.cumsum(rises)
    return out


def rank_correlation(expected: Floats, errors: Floats, weights: Floats) -> Floats:
    """Return Spearman's rank correlation of expected and true errors, by replicate.

    Correlation of mid-ranks: equal values share the mean of their ranks.

    Parameters
    ----------
    expected, errors : (N,) float
    weights : (R, N) float

    Returns
    -------
    (R,) float, -1..1
        NaN where either side has one value alone.

    Source
    ------
    Spearman, American Journal of Psychology 15(1), 1904; with ties: Kendall, Biometrika 33(3),
    1945.
    """
    sides = places(expected), places(errors)
    return _in_chunks(weights, lambda drawn: _correlation(sides, drawn))


def risk_coverage(expected: Floats, errors: Floats, weights: Floats, at: Floats) -> Floats:
    """Return the mean true error of the surest share of images, by replicate.

    Parameters
    ----------
    expected, errors : (N,) float
        The surest image has the lowest expected error.
    weights : (R, N) float
    at : (T,) float, above 0 to 1
        Coverages: shares of images that are answered. A part of an image counts in part.

    Returns
    -------
    (R, T) float, in the unit of ``errors``
        NaN for a replicate without images.

    Raises
    ------
    ValueError
        If a coverage is not above 0, or above 1.

    Source
    ------
    El-Yaniv and Wiener, Journal of Machine Learning Research 11, 2010; the loss is the mean
    landmark error of an image.
    """
    if not ((at > 0) & (at <= 1)).all():
        raise ValueError(f"coverages must lie above 0 and up to 1, got {at}")
    place = places(expected)
    return _in_chunks(weights, lambda drawn: _risks(place, errors, drawn, at))


def aurc(expected: Floats, errors: Floats, weights: Floats) -> Floats:
    """Return the area under the risk-coverage curve, by replicate.

        1/n x sum over k = 1..n of the mean true error of the k surest images

    Random order has the mean error of all images; that of the true errors themselves, the oracle,
    the lowest area there is.

    Parameters
    ----------
    expected, errors : (N,) float
    weights : (R, N) whole numbers

    Returns
    -------
    (R,) float, in the unit of ``errors``
        NaN for a replicate without images.

    Source
    ------
    Geifman, Uziel and El-Yaniv, Bias-reduced uncertainty estimation for deep neural classifiers,
    ICLR 2019.
    """
    place = places(expected)
    return _in_chunks(weights, lambda drawn: _area(place, errors, drawn))


def kept(expected: Floats, share: float) -> Floats:
    """Return how likely each image (N,) is kept if the least sure ones are rejected.

    A share of the images goes, those of the highest expected error first. Where it ends amid images
    that are equally sure, each of these goes with the same probability.

    Parameters
    ----------
    expected : (N,) float
        The true errors, for what rejection could bring at best.
    share : float, from 0 to below 1
    """
    place = places(expected)
    count = np.bincount(place)
    above = count[::-1].cumsum()[::-1] - count  # images that are less sure
    gone = np.clip((share * len(expected) - above) / count, 0, 1)
    return np.asarray(1 - gone[place])


def _in_chunks(weights: Floats, figure: Callable[[Floats], Floats]) -> Floats:
    """Return a figure of every replicate, of few enough weights at once."""
    parts = min(len(weights), 1 + weights.size // CHUNK)
    return np.concatenate([figure(drawn) for drawn in np.array_split(weights, parts)])


def _by_place(values: Floats, place: Integers, drawn: Floats) -> Floats:
    """Return the weighted sum of values (N,) at every place, (R, P)."""
    shape = len(place), int(place.max(initial=0)) + 1
    return np.asarray(drawn @ csr_array((values, (np.arange(len(place)), place)), shape=shape))


def _correlation(sides: tuple[Integers, Integers], drawn: Floats) -> Floats:
    total = drawn.sum(axis=1, keepdims=True)
    first, second = (_centred_ranks(place, total, drawn) for place in sides)
    both, one, other = (
        (drawn * a * b).sum(axis=1) for a, b in ((first, second), (first, first), (second, second))
    )
    spread = np.sqrt(one * other)
    return _over(both, np.where(spread > NOTHING * total[:, 0] ** 3, spread, 0))


def _centred_ranks(place: Integers, total: Floats, drawn: Floats) -> Floats:
    """Return the mid-rank of every image (R, N) less their mean, which is half of the weight."""
    each = _by_place(np.ones(len(place)), place, drawn)
    return np.asarray((each.cumsum(axis=1) - each / 2)[:, place] - total / 2)


def _risks(place: Integers, errors: Floats, drawn: Floats, at: Floats) -> Floats:
    counts, sums = (_by_place(v, place, drawn) for v in (np.ones(len(place)), errors))
    none = np.zeros((len(drawn), 1))
    upto, risk = (np.hstack([none, v.cumsum(axis=1)]) for v in (counts, sums))
    answered = upto[:, -1:] * at
    met = [np.interp(*its) for its in zip(answered, upto, risk, strict=True)]
    return _over(np.array(met), answered)


def _area(place: Integers, errors: Floats, drawn: Floats) -> Floats:
    """Sum (before + j mean) / (n + j) over the j-th of the equally sure images behind n others."""
    counts, sums = (_by_place(v, place, drawn) for v in (np.ones(len(place)), errors))
    n, before = counts.cumsum(axis=1) - counts, sums.cumsum(axis=1) - sums
    mean = np.nan_to_num(_over(sums, counts))
    harmonic = digamma(n + counts + 1) - digamma(n + 1)
    area = (sums + (before - n * mean) * harmonic).sum(axis=1)
    return _over(area, counts.sum(axis=1))


def _over(above: Floats, below: Floats) -> Floats:
    """Return above / below; NaN where ``below`` is not above 0."""
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
