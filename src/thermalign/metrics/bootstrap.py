"""Subject-level bootstrap: whole subjects are drawn again, never single images.

Images of one person are alike, so an interval over images would be far too narrow. In verification
the drawn subjects stand on both sides: a genuine comparison counts as often as its subject was
drawn, an impostor comparison as often as the product of both subjects' counts.
"""

import numpy as np

from thermalign.geometry import Floats, Integers
from thermalign.metrics.verification import Booleans, equal_error_rate, order, rates

CHUNK = 5_000_000  # weights held at once


def subject_weights(n_subjects: int, *, replicates: int, seed: int) -> Floats:
    """Return how often each subject is drawn in each replicate, (replicates, n_subjects)."""
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
    n_subjects = weights.shape[1]
    total = np.bincount(subject[found], image_errors[found], n_subjects)
    count = np.bincount(subject[found], minlength=n_subjects)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((weights @ total) / (weights @ count))


def eer_replicates(
    scores: Floats, genuine: Booleans, probe: Integers, gallery: Integers, weights: Floats
) -> Floats:
    """Return the equal error rate of every replicate.

    Parameters
    ----------
    scores : (M,) float
    genuine : (M,) bool
    probe, gallery : (M,) int
        Columns of ``weights`` of the two subjects of each comparison.
    weights : (R, S) float

    Returns
    -------
    (R,) float
        NaN for a replicate without genuine or without impostor comparisons.
    """
    ordered = order(scores, genuine)
    out = []
    for part in np.array_split(weights, max(1, weights.shape[0] * len(scores) // CHUNK)):
        w = part[:, probe] * np.where(genuine, 1.0, part[:, gallery])
        usable = ((w * genuine).sum(1) > 0) & ((w * ~genuine).sum(1) > 0)
        values = np.full(len(part), np.nan)
        if usable.any():
            values[usable] = equal_error_rate(*rates(ordered, w[usable]))
        out.append(values)
    return np.concatenate(out)


def interval(replicates: Floats) -> tuple[float, float]:
    """Return the 95 % percentile interval of replicates (R,); NaN where there are too few."""
    finite = replicates[np.isfinite(replicates)]
    if finite.size < len(replicates) / 2 or finite.size == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(finite, [0.025, 0.975])
    return float(low), float(high)
