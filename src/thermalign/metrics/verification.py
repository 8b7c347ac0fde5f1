"""ROC, equal error rate, true accept rate and rank 1 of similarity scores.

A comparison is accepted if score >= threshold. A probe without an aligned face scores -inf: it is
never accepted, whoever it shows.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thermalign.geometry import Floats

Booleans = npt.NDArray[np.bool_]

EXPECTED_FALSE_ACCEPTS = 10
"""False accepts that a rate must lead one to expect before it is reported."""


@dataclass(frozen=True)
class Order:
    """Comparisons sorted by falling score, with the ends of their tie groups.

    Attributes
    ----------
    rows : (M,) int
        The comparisons in that order.
    genuine : (M,) bool
        In that order.
    ends : (T,) int
        Last position of every group of equal, finite scores: where a threshold may lie.
    """

    rows: npt.NDArray[np.intp]
    genuine: Booleans
    ends: npt.NDArray[np.intp]


def order(scores: Floats, genuine: Booleans) -> Order:
    """Sort comparisons once, for the rates under any weights.

    Raises
    ------
    ValueError
        If a class is empty or a score is NaN.
    """
    if not genuine.any() or genuine.all():
        raise ValueError("verification needs genuine and impostor comparisons")
    if np.isnan(scores).any():
        raise ValueError("a score is NaN; use -inf where no face was aligned")
    rows = np.argsort(-scores, kind="stable")
    ranked = scores[rows]
    last = np.append(ranked[:-1] != ranked[1:], True)
    return Order(rows, genuine[rows], np.flatnonzero(last & np.isfinite(ranked)))


def rates(ordered: Order, weights: Floats) -> tuple[Floats, Floats]:
    """Return false match and true accept rates at every threshold, from strict to lax.

    Parameters
    ----------
    ordered : Order of M comparisons
    weights : (..., M) float
        Weight of each comparison, in the original order.

    Returns
    -------
    fmr, tar : (..., T + 2) float
        They begin at (0, 0) and end at a false match rate of 1, with the true accept rate of the
        laxest threshold: failures to align never match.
    """
    w = weights[..., ordered.rows]
    accepted = [
        np.cumsum(np.where(mask, w, 0.0), axis=-1) for mask in (~ordered.genuine, ordered.genuine)
    ]
    fmr, tar = (
        np.concatenate([np.zeros((*a.shape[:-1], 1)), a[..., ordered.ends] / a[..., -1:]], axis=-1)
        for a in accepted
    )
    one = np.ones((*fmr.shape[:-1], 1))
    return np.concatenate([fmr, one], axis=-1), np.concatenate([tar, tar[..., -1:]], axis=-1)


def equal_error_rate(fmr: Floats, tar: Floats) -> Floats:
    """Return where the ROC, linear between neighbouring thresholds, has fmr = 1 - tar.

    Parameters
    ----------
    fmr, tar : (..., T) float
        Of :func:`rates`: from (0, 0) to fmr = 1, neither falling.

    Returns
    -------
    (...) float
    """
    gap = fmr + tar - 1  # rises from -1 to at least 0
    after = np.argmax(gap >= 0, axis=-1)[..., None]
    before = np.maximum(after - 1, 0)

    def at(values: Floats, where: npt.NDArray[np.intp]) -> Floats:
        return np.take_along_axis(values, where, axis=-1)[..., 0]

    rise = at(gap, after) - at(gap, before)
    share = np.where(rise > 0, -at(gap, before) / np.where(rise > 0, rise, 1), 0)
    return np.asarray(at(fmr, before) + share * (at(fmr, after) - at(fmr, before)))


def eer(scores: Floats, genuine: Booleans) -> float:
    """Return the equal error rate of scores (M,), genuine (M,).

    Equal scores move together, so neither their order nor a monotone change of scores matters.
    """
    return float(equal_error_rate(*rates(order(scores, genuine), np.ones(len(scores)))))


def roc(scores: Floats, genuine: Booleans, at: Floats) -> Floats:
    """Return the highest true accept rate (T,) whose false match rate is at most ``at`` (T,)."""
    fmr, tar = rates(order(scores, genuine), np.ones(len(scores)))
    return np.asarray(tar[np.searchsorted(fmr, at, side="right") - 1])


def tar_at_far(scores: Floats, genuine: Booleans, far: float) -> float:
    """Return the true accept rate at a false accept rate, or NaN where it cannot be measured.

    It is measured where the impostor comparisons lead one to expect at least
    ``EXPECTED_FALSE_ACCEPTS`` false accepts at that rate.
    """
    if far * np.count_nonzero(~genuine) < EXPECTED_FALSE_ACCEPTS:
        return float("nan")
    return float(roc(scores, genuine, np.array([far]))[0])


def rank1(scores: Floats, genuine: Booleans) -> float:
    """Return the share of probes whose own subject scores strictly highest.

    Parameters
    ----------
    scores, genuine : (P, S)
        One row per probe with one genuine comparison each.
    """
    own = scores[genuine]
    best_other = np.where(genuine, -np.inf, scores).max(axis=1)
    return float((own > best_other).mean())
