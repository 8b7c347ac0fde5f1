"""How much of an error is due to the person tested, to the training seed, and to neither.

A table of errors, one row per test subject and one column per training seed, is read as

    e[i, j] = mean + subject[i] + seed[j] + rest[i, j]

with independent draws of subjects, seeds and rest. There is one error per cell, so the rest holds
what a subject and a seed do together (a person whom one training happens to suit) as well as noise.
"""

import numpy as np

from thermalign.geometry import Floats


def variances(errors: Floats) -> Floats:
    """Return the variances due to subject, seed and rest, by the method of moments.

        rest    = MS_rest
        subject = (MS_subject - MS_rest) / T
        seed    = (MS_seed - MS_rest) / S

    An estimate is negative where its mean square happens to lie below that of the rest. It is
    returned as it is, so that means over folds stay unbiased; :func:`deviations` cuts it at 0.

    Parameters
    ----------
    errors : (S, T) float
        Error of each of S subjects under each of T seeds.

    Returns
    -------
    (3,) float, squared unit of ``errors``
        With one seed the variance between subjects, which holds the rest, and two NaN: what is
        the seed's cannot be known. With one subject all are NaN.

    Raises
    ------
    ValueError
        If the table is empty or an error is not finite.

    Source
    ------
    Two-way crossed classification without replication, both ways random, analysis of variance
    estimators: Searle, Casella and McCulloch, Variance Components, Wiley 1992, chapter 4.
    """
    if errors.ndim != 2 or not errors.size or not np.isfinite(errors).all():
        raise ValueError(f"expected finite errors (subjects, seeds), got {errors.shape}")
    n_subjects, n_seeds = errors.shape
    if n_subjects == 1:
        return np.full(3, np.nan)
    if n_seeds == 1:
        return np.array([errors.var(ddof=1), np.nan, np.nan])
    of_subject, of_seed = errors.mean(axis=1), errors.mean(axis=0)
    left = errors - of_subject[:, None] - of_seed + errors.mean()
    rest = (left**2).sum() / ((n_subjects - 1) * (n_seeds - 1))
    subject = of_subject.var(ddof=1) - rest / n_seeds
    seed = of_seed.var(ddof=1) - rest / n_subjects
    return np.array([subject, seed, rest])


def deviations(components: Floats) -> Floats:
    """Return the standard deviations of variances (3,); negative estimates count as 0."""
    return np.asarray(np.sqrt(np.maximum(components, 0)))  # NaN stays NaN


def seed_error(figures: Floats) -> float:
    """Return the standard error that the choice of seeds leaves in a mean over trainings.

        SE = SD of the figures / sqrt(T) = sqrt(seed / T + rest / (S T))

    The right side is what it estimates where every figure is the mean over the same S subjects: the
    rest counts too, because other seeds would draw it again. That of the subjects,
    sqrt(subject / S + rest / (S T)), is what a bootstrap over subjects gives.

    Parameters
    ----------
    figures : (T,) float
        One figure of each training, such as its NMSE.

    Returns
    -------
    float
        NaN for one training.
    """
    n = len(figures)
    return float(np.std(figures, ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
