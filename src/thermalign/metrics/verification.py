"""ROC, its area, equal error rate, true accept rate and d' of similarity scores.

A comparison is accepted if score >= threshold. A probe without an aligned face scores -inf: it is
never accepted, whoever it shows.

The curve is not scikit-learn's, though checked against it: that one refuses scores of -inf, and the
bootstrap weighs people at the corners of this one.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thermalign.geometry import Floats, Integers
from thermalign.metrics.support import supported

Booleans = npt.NDArray[np.bool_]

NOTHING = 1e-12
"""Share of the largest score up to which a spread is rounding: equal scores have one of 1e-17."""


@dataclass(frozen=True)
class Order:
    """Comparisons by falling score, with the corners of their ROC.

    Between two corners only one class of comparisons is accepted, so that the ROC is straight there
    under any weights; equal scores are accepted together.

    Attributes
    ----------
    genuine, impostor : (G,), (I,) int
        The comparisons of each class, best score first.
    n_genuine, n_impostor : (T,) int
        How many of each are accepted at every corner, from strict to lax; -inf never is.
    """

    genuine: Integers
    impostor: Integers
    n_genuine: Integers
    n_impostor: Integers


def order(scores: Floats, genuine: Booleans) -> Order:
    """Sort comparisons once, for the rates under any weights.

    Parameters
    ----------
    scores : (M,) float
        Higher is more alike; -inf where no face was aligned.
    genuine : (M,) bool

    Raises
    ------
    ValueError
        If the shapes differ, a class is empty or a score is NaN.
    """
    if scores.shape != genuine.shape:
        raise ValueError(f"scores {scores.shape} and genuine {genuine.shape} differ in shape")
    if not genuine.any() or genuine.all():
        raise ValueError(
            f"verification needs genuine and impostor comparisons, got {np.count_nonzero(genuine)} "
            f"and {np.count_nonzero(~genuine)}"
        )
    if np.isnan(scores).any():
        raise ValueError("a score is NaN; use -inf where no face was aligned")
    rows = np.argsort(-scores, kind="stable")
    ranked, truth = scores[rows], genuine[rows]
    ends = np.flatnonzero(np.append(ranked[:-1] != ranked[1:], True) & (ranked > -np.inf))
    accepted = np.stack([np.cumsum(truth)[ends], np.cumsum(~truth)[ends]])
    moves = np.diff(accepted, axis=1, prepend=0) > 0  # (2, T): which class each step accepts
    straight = (moves[:, :-1] == moves[:, 1:]).all(0) & (moves[:, :-1].sum(0) == 1)
    corners = accepted[:, np.append(~straight, True)[: len(ends)]]
    return Order(rows[truth], rows[~truth], corners[0], corners[1])


def rates(ordered: Order, *, genuine: Floats, impostor: Floats) -> tuple[Floats, Floats]:
    """Return false match and true accept rates at the corners of the ROC, from strict to lax.

        fmr = accepted impostor weight / impostor weight,   tar = the same of genuine comparisons

    Parameters
    ----------
    ordered : Order
    genuine, impostor : (..., G), (..., I) float
        Weights of the comparisons of each class, in the order of ``ordered``.

    Returns
    -------
    fmr, tar : (..., T + 2) float
        They begin at (0, 0) and end at a false match rate of 1, with the true accept rate of the
        laxest threshold: failures to align never match.
    """
    fmr = _accepted_share(impostor, ordered.n_impostor)
    tar = _accepted_share(genuine, ordered.n_genuine)
    one = np.ones((*fmr.shape[:-1], 1))
    return np.concatenate([fmr, one], axis=-1), np.concatenate([tar, tar[..., -1:]], axis=-1)


def equal_error_rate(fmr: Floats, tar: Floats) -> Floats:
    """Return where the ROC, linear between its corners, has fmr = 1 - tar.

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

    def at(values: Floats, where: Integers) -> Floats:
        return np.take_along_axis(values, where, axis=-1)[..., 0]

    below, above = at(gap, after - 1), at(gap, after)
    start, end = at(fmr, after - 1), at(fmr, after)
    return np.asarray(start + (end - start) * (-below / (above - below)))


def eer(scores: Floats, genuine: Booleans) -> float:
    """Return the equal error rate of scores (M,), genuine (M,).

    Equal scores move together, so neither their order nor a rising change of scores matters. Where
    so many faces were not aligned that misses never fall to the false match rate, it is the share
    of genuine comparisons missed at the laxest threshold.

    Raises
    ------
    ValueError
        As :func:`order`.
    """
    return float(equal_error_rate(*_unweighted(scores, genuine)))


def roc(scores: Floats, genuine: Booleans, at: Floats) -> Floats:
    """Return the highest true accept rate (T,) whose false match rate is at most ``at`` (T,).

    Only rates that a threshold attains count: nothing is interpolated.

    Raises
    ------
    ValueError
        If a false match rate lies outside 0..1, and as :func:`order`.
    """
    if not ((at >= 0) & (at <= 1)).all():
        raise ValueError(f"false match rates must lie in 0..1, got {at}")
    return attained(*_unweighted(scores, genuine), at)


def attained(fmr: Floats, tar: Floats, at: Floats) -> Floats:
    """Return the highest of ``tar`` (C,) whose ``fmr`` (C,) is at most ``at`` (T,), (T,)."""
    return np.asarray(tar[np.searchsorted(fmr, at, side="right") - 1])


def area(fmr: Floats, tar: Floats) -> Floats:
    """Return the area under the ROC, linear between its corners (..., T), (...)."""
    return np.asarray((np.diff(fmr) * (tar[..., 1:] + tar[..., :-1])).sum(axis=-1) / 2)


def auc(scores: Floats, genuine: Booleans) -> float:
    """Return the area under the ROC of scores (M,), genuine (M,).

    The share of pairs of a genuine and an impostor comparison of which the genuine one scores
    higher, ties counting half. One of -inf is never accepted, so it wins against nobody, while an
    impostor of -inf loses against everybody who was acquired: with no failures this is the usual
    area, with some at most the share of genuine comparisons that were acquired.

    Raises
    ------
    ValueError
        As :func:`order`.

    Source
    ------
    Hanley and McNeil, Radiology 143(1), 1982.
    """
    return float(area(*_unweighted(scores, genuine)))


def tar_at_far(scores: Floats, genuine: Booleans, far: float, *, pairs: int) -> float:
    """Return the true accept rate at a false accept rate, or NaN where it cannot be measured.

    It is measured where as many pairs of different people stand behind the impostor comparisons as
    :func:`thermalign.metrics.support.pairs_needed` says.

    Parameters
    ----------
    scores : (M,) float
        Higher is more alike; -inf where no face was aligned.
    genuine : (M,) bool
    far : float, 0..1
    pairs : int
        Of :func:`thermalign.metrics.support.person_pairs`, over the probes that were acquired.

    Raises
    ------
    ValueError
        As :func:`roc`, and if ``far`` is 0.
    """
    value = float(roc(scores, genuine, np.array([far]))[0])
    return value if supported(far, pairs) else float("nan")


def z_normalised(scores: Floats, genuine: Booleans, gallery: Integers) -> Floats:
    """Return scores in standard deviations from the mean impostor score of their gallery subject.

        z = (score - mean) / SD   over the impostor scores of the same classifier

    Parameters
    ----------
    scores : (M,) float
        -inf where no face was aligned; stays so, and counts in no mean.
    genuine : (M,) bool
    gallery : (M,) int, from 0

    Returns
    -------
    (M,) float
        NaN for a gallery subject whose impostor scores do not differ beyond rounding.

    Source
    ------
    Z-norm: Auckenthaler, Carey and Lloyd-Thomas, Digital Signal Processing 10, 2000. Differs from
    it in: the impostors are the other test subjects, for there is no cohort beside them.
    """
    usable = ~genuine & np.isfinite(scores)
    of, values, size = gallery[usable], scores[usable], int(gallery.max()) + 1
    count = np.bincount(of, minlength=size)
    mean = np.bincount(of, values, size) / np.maximum(count, 1)
    spread = np.sqrt(np.bincount(of, (values - mean[of]) ** 2, size) / np.maximum(count, 1))
    largest = np.zeros(size)
    np.maximum.at(largest, of, np.abs(values))
    spread[spread <= NOTHING * largest] = np.nan
    lost = np.isneginf(scores)
    normal = (np.where(lost, 0, scores) - mean[gallery]) / spread[gallery]
    return np.asarray(np.where(lost, -np.inf, normal))


def d_prime(scores: Floats, genuine: Booleans) -> float:
    """Return how far genuine scores lie above impostor ones, in their standard deviations: d'.

        d' = (mean genuine - mean impostor) / sqrt((variance genuine + variance impostor) / 2)

    Variances are divided by the number of comparisons. A sensitivity without floor or ceiling, and
    without a threshold; linear in a shift of all genuine scores whatever their distribution.

    Parameters
    ----------
    scores : (M,) float
        -inf where no face was aligned: left out.
    genuine : (M,) bool

    Returns
    -------
    float
        NaN without genuine or without impostor scores, and where neither class's scores differ.

    Source
    ------
    Simpson and Fitter, Psychological Bulletin 80(6), 1973 (there d_a); Daugman, IEEE Transactions
    on Circuits and Systems for Video Technology 14(1), 2004 (decidability of biometric scores).
    """
    found = scores > -np.inf
    own, other = scores[found & genuine], scores[found & ~genuine]
    if own.size == 0 or other.size == 0:
        return float("nan")
    pooled = np.sqrt((own.var() + other.var()) / 2)
    size = np.abs(scores[found]).max()
    return float((own.mean() - other.mean()) / pooled) if pooled > NOTHING * size else float("nan")


def _unweighted(scores: Floats, genuine: Booleans) -> tuple[Floats, Floats]:
    ordered = order(scores, genuine)
    return rates(
        ordered,
        genuine=np.ones(len(ordered.genuine)),
        impostor=np.ones(len(ordered.impostor)),
    )


def _accepted_share(weights: Floats, counts: Integers) -> Floats:
    """Return the share of weights (..., M) before each count, with 0 in front, (..., T + 1)."""
    running = np.cumsum(weights, axis=-1)
    counts = np.append(0, counts)
    return running[..., np.maximum(counts - 1, 0)] * (counts > 0) / running[..., -1:]
