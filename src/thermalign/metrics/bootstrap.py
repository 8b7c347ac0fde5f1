"""Subject-level bootstrap: whole subjects are drawn again, never single images.

Images of one person are alike, so an interval over images would be far too narrow. In verification
the drawn subjects stand on both sides: a genuine comparison counts as often as its subject was
drawn, an impostor comparison as often as the product of both subjects' counts.

Replicates made from the same draws are paired: the difference of two models' replicates is a
replicate of their difference, and the mean over folds of replicates one of the mean.
"""

import numpy as np

from thermalign.geometry import Floats, Integers
from thermalign.metrics.corners import Corners
from thermalign.metrics.verification import (
    NOTHING,
    Booleans,
    attained,
    equal_error_rate,
    order,
)


def subject_weights(n_subjects: int, *, replicates: int, seed: int) -> Floats:
    """Return how often each subject is drawn in each replicate, (replicates, n_subjects).

    Raises
    ------
    ValueError
        If there is no subject or no replicate.

    Source
    ------
    Efron, Annals of Statistics 7(1), 1979, with the subject as the unit that is drawn.
    """
    if n_subjects < 1 or replicates < 1:
        raise ValueError(
            f"a bootstrap needs subjects and replicates, got {n_subjects} and {replicates}"
        )
    rng = np.random.default_rng(seed)
    share = np.full(n_subjects, 1 / n_subjects)
    return rng.multinomial(n_subjects, share, size=replicates).astype(np.float64)


def nmse_replicates(image_errors: Floats, subject: Integers, weights: Floats) -> Floats:
    """Return the NMSE of every replicate.

    Parameters
    ----------
    image_errors : (N,) float
        NaN where no face was found; left out as in :func:`thermalign.metrics.landmarks.nmse`.
    subject : (N,) int
        Column of ``weights`` of each image's subject.
    weights : (R, S) float

    Returns
    -------
    (R,) float
        NaN for a replicate that drew none of the images.
    """
    found = np.isfinite(image_errors)
    return ratio_replicates(np.where(found, image_errors, 0.0), found, subject, weights)


def ratio_replicates(over: Floats, under: Floats, subject: Integers, weights: Floats) -> Floats:
    """Return the ratio of two sums over images of every replicate.

    Parameters
    ----------
    over, under : (N,) float
        What each image adds to the numerator and to the denominator.
    subject : (N,) int
        Column of ``weights`` of each image's subject.
    weights : (R, S) float

    Returns
    -------
    (R,) float
        NaN for a replicate whose denominator is zero.
    """
    n_subjects = weights.shape[1]
    above, below = (weights @ np.bincount(subject, part, n_subjects) for part in (over, under))
    return _ratio(above, below)


def rate_replicates(
    scores: Floats,
    genuine: Booleans,
    probe: Integers,
    gallery: Integers,
    *,
    weights: Floats,
    at: Floats,
) -> tuple[Floats, Floats]:
    """Return the equal error rate and the ROC of every replicate.

    Parameters
    ----------
    scores : (M,) float
    genuine : (M,) bool
    probe, gallery : (M,) int
        Columns of ``weights`` of the two subjects of each comparison.
    weights : (R, S) float
    at : (T,) float
        False match rates of the ROC; may be empty.

    Returns
    -------
    eer : (R,) float
    tar : (R, T) float
        Both NaN for a replicate without genuine or without impostor comparisons.

    Raises
    ------
    ValueError
        If a class is empty or a score is NaN.

    Source
    ------
    Two-way resampling of subjects: Bolle, Ratha and Pankanti, Computer Vision and Image
    Understanding 93(1), 2004, for blocks of one subject. Differs from it in: impostor comparisons
    carry the counts of both subjects, because the drawn subjects are gallery and probes at once.
    """
    ordered = order(scores, genuine)
    corners = Corners.of(ordered, probe, gallery, n=weights.shape[1])
    errors, accepted = np.full(len(weights), np.nan), np.full((len(weights), len(at)), np.nan)
    for rows in corners.parts(weights):
        tar, fmr = corners.accepted(weights[rows])
        usable = (tar[-1] > 0) & (fmr[-1] > 0)
        if usable.any():
            curves = _curves(fmr[:, usable], tar[:, usable])
            errors[rows[usable]] = equal_error_rate(*curves)
            for row, false, true in zip(rows[usable], *curves, strict=True):
                accepted[row] = attained(false, true, at)
    return errors, accepted


def rejection_replicates(
    scores: Floats,
    genuine: Booleans,
    probe: Integers,
    gallery: Integers,
    *,
    weights: Floats,
    kept: Floats,
) -> tuple[Floats, Floats]:
    """Return the equal error rate of every replicate if probes are rejected by chance.

    It is the rate of the expected ROC: a comparison that is kept with probability k is accepted k
    times where its score is, and 1 - k times never. So probabilities of 0 and 1 reject some probes
    and keep the others, and one probability for all rejects at random, without any drawing.

    Parameters
    ----------
    scores, genuine, probe, gallery, weights : as for :func:`rate_replicates`
    kept : (M,) float, 0..1
        How likely the probe of each comparison is kept.

    Returns
    -------
    every : (R,) float
        Of all comparisons: a rejected probe is never accepted, as one that was not acquired.
    accepted : (R,) float
        Of the comparisons of kept and acquired probes.
        Both NaN for a replicate without kept comparisons of one of the classes.

    Raises
    ------
    ValueError
        As :func:`rate_replicates`.
    """
    ordered = order(scores, genuine)
    usable = np.where(scores > -np.inf, kept, 0.0)
    corners = Corners.of(ordered, probe, gallery, n=weights.shape[1], amounts=usable)
    asked = (
        _own_sums(np.ones(genuine.sum()), probe[genuine], weights),
        _pair_sums(np.ones((~genuine).sum()), probe[~genuine], gallery[~genuine], weights),
    )
    found = np.full((2, len(weights)), np.nan)
    for rows in corners.parts(weights):
        tar, fmr = corners.accepted(weights[rows])
        met = (tar[-1] > 0) & (fmr[-1] > 0)
        if met.any():
            tar, fmr = tar[:, met], fmr[:, met]
            found[1, rows[met]] = equal_error_rate(*_curves(fmr, tar))
            tar[-1], fmr[-1] = (total[rows[met]] for total in asked)
            found[0, rows[met]] = equal_error_rate(*_curves(fmr, tar))
    return found[0], found[1]


def _curves(fmr: Floats, tar: Floats) -> tuple[Floats, Floats]:
    """Return the rates of :func:`thermalign.metrics.verification.rates`, (R, T + 2), by replicate.

    ``fmr`` and ``tar``, (T + 1, R), are sums of weights up to each corner, everything in the last.
    """
    none, everything = np.zeros((1, fmr.shape[1])), np.ones((1, fmr.shape[1]))
    shares = fmr[:-1] / fmr[-1], tar[:-1] / tar[-1]
    false = np.concatenate([none, shares[0], everything]).T
    true = np.concatenate([none, shares[1]]).T
    return np.ascontiguousarray(false), np.concatenate([true, true[:, -1:]], axis=1)


def auc_replicates(
    scores: Floats, genuine: Booleans, probe: Integers, gallery: Integers, *, weights: Floats
) -> Floats:
    """Return the area under the ROC of every replicate.

        sum over genuine g and impostor i of w(g) w(i) k(g, i) / (sum w(g) sum w(i)),
        k = 1 if score(g) > score(i), 1/2 if they are equal, 0 else

    w is what a comparison counts in a replicate. A genuine comparison of -inf is never accepted,
    not even beside an impostor of -inf: its k is 0, as in the ROC of
    :func:`thermalign.metrics.verification.rates`.

    Parameters
    ----------
    scores, genuine, probe, gallery, weights : as for :func:`rate_replicates`

    Returns
    -------
    (R,) float
        NaN for a replicate without genuine or without impostor comparisons.

    Raises
    ------
    ValueError
        As :func:`rate_replicates`.

    Source
    ------
    Hanley and McNeil, Radiology 143(1), 1982: the area is the Wilcoxon statistic.
    """
    ordered = order(scores, genuine)
    corners = Corners.of(ordered, probe, gallery, n=weights.shape[1])
    above, under = np.zeros(len(weights)), np.zeros(len(weights))
    for rows in corners.parts(weights):
        better, others = corners.accepted(weights[rows])
        before = np.concatenate([np.zeros((1, len(rows))), others[:-2]])
        wins = others[-1] - (before + others[:-1]) / 2  # halves of counts: exact in any order
        above[rows] = (np.diff(better[:-1], axis=0, prepend=0) * wins).sum(axis=0)
        under[rows] = better[-1] * others[-1]
    return _ratio(above, under)


def d_prime_replicates(
    scores: Floats, genuine: Booleans, probe: Integers, gallery: Integers, *, weights: Floats
) -> Floats:
    """Return d' of every replicate: see :func:`thermalign.metrics.verification.d_prime`.

    Parameters
    ----------
    scores, genuine, probe, gallery, weights : as for :func:`rate_replicates`
        Scores of -inf are left out.

    Returns
    -------
    (R,) float
        NaN for a replicate without genuine or without impostor comparisons, and for one whose
        scores do not differ within either class.
    """
    found = scores > -np.inf
    own, other = found & genuine, found & ~genuine
    if not (own.any() and other.any()):
        return np.full(len(weights), np.nan)
    middle, rest = scores[own].mean(), scores[other].mean()  # so that squares lose no digits
    sums = [_own_sums((scores[own] - middle) ** k, probe[own], weights) for k in range(3)]
    pair = probe[other], gallery[other]
    pairs = [_pair_sums((scores[other] - rest) ** k, *pair, weights) for k in range(3)]
    (mean, variance), (others, spread) = (_moments(*each) for each in (sums, pairs))
    pooled = np.sqrt((variance + spread) / 2)
    apart = pooled > NOTHING * np.abs(scores[found]).max()
    return _ratio(middle - rest + mean - others, np.where(apart, pooled, 0))


def threshold_replicates(
    scores: Floats,
    genuine: Booleans,
    probe: Integers,
    gallery: Integers,
    *,
    weights: Floats,
    threshold: float,
) -> tuple[Floats, Floats]:
    """Return the shares of genuine and of impostor comparisons that are accepted, by replicate.

    Accepted is score >= threshold; -inf never is.

    Parameters
    ----------
    scores, genuine, probe, gallery, weights : as for :func:`rate_replicates`
    threshold : float

    Returns
    -------
    genuine, impostor : (R,) float
        NaN for a replicate without comparisons of the class.
    """
    accepted = ((scores >= threshold) & (scores > -np.inf)).astype(float)
    every, pair = np.ones(len(scores)), (probe[~genuine], gallery[~genuine])
    own = [_own_sums(v[genuine], probe[genuine], weights) for v in (accepted, every)]
    pairs = [_pair_sums(v[~genuine], *pair, weights) for v in (accepted, every)]
    return _ratio(*own), _ratio(*pairs)


def _own_sums(values: Floats, subject: Integers, weights: Floats) -> Floats:
    """Return the sum of values (G,), each as often as its subject was drawn, (R,)."""
    return np.asarray(weights @ np.bincount(subject, values, weights.shape[1]))


def _pair_sums(values: Floats, probe: Integers, gallery: Integers, weights: Floats) -> Floats:
    """Return the sum of values (I,), each times the counts of both its subjects, (R,)."""
    n = weights.shape[1]
    table = np.bincount(probe * n + gallery, values, n * n).reshape(n, n)
    return np.asarray(((weights @ table) * weights).sum(axis=1))


def _moments(count: Floats, total: Floats, squares: Floats) -> tuple[Floats, Floats]:
    """Return mean and variance (divided by the count) of every replicate; NaN of nothing."""
    mean = _ratio(total, count)
    return mean, np.maximum(_ratio(squares, count) - mean**2, 0)


def _ratio(over: Floats, under: Floats) -> Floats:
    """Return over / under, NaN where ``under`` is not above 0."""
    out = np.full(len(under), np.nan)
    np.divide(over, under, out=out, where=under > 0)
    return out
