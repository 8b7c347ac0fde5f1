"""95 % intervals of a metric from its bootstrap replicates.

A percentile interval of few subjects is too short. Here the replicates give a standard error alone;
the interval lies around the metric itself, on a scale on which the metric is roughly normal, with
the quantile of Student's t for that many subjects.
"""

import numpy as np
from scipy.special import (
    betaincinv,
    expit,
    logit,
    stdtr,
    stdtrit,
)  # scipy.stats takes .6 s to import

from thermalign.geometry import Floats

LEVEL = 0.95
UPPER = (1 + LEVEL) / 2
ROUNDING = 1e-12  # standard error up to which draws are one number

RATE, POSITIVE, DIFFERENCE = "rate", "positive", "difference"
"""Scales: logit for a share, logarithm for what is above 0, none for what may have either sign."""


def standard_error(replicates: Floats, *, subjects: int) -> float:
    """Return the standard error of the figure that replicates (R,) are of.

        SE = sqrt(n / (n - 1)) SD of the replicates,   n = subjects

    Drawing n subjects out of n gives a mean of variance (n - 1) / n^2 times that of the subjects;
    the factor takes that back.

    Returns
    -------
    float
        NaN for one subject, or where fewer than half of the replicates, or fewer than two, are
        numbers.

    Raises
    ------
    ValueError
        If there are replicates of no subject.

    Source
    ------
    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 5.3.
    """
    finite = replicates[np.isfinite(replicates)]
    if replicates.size and subjects < 1:
        raise ValueError("replicates of no subject have no standard error; say how many there were")
    if subjects < 2 or finite.size < max(2, len(replicates) / 2):
        return float("nan")
    return float(finite.std(ddof=1) * np.sqrt(subjects / (subjects - 1)))


def interval(value: float, replicates: Floats, *, subjects: int, scale: str) -> tuple[float, float]:
    """Return the 95 % interval of a metric.

        g(value) +- t(n - 1, 97.5 %) SE g'(value),   taken back by the inverse of g

    g is the logit for a rate, the logarithm for a positive metric, the identity for a difference.
    The standard error is carried to that scale by the derivative of g (delta method): replicates
    themselves may be 0 or 1, where the logit has no value. A rate of 0 or 1 has the interval of
    Clopper and Pearson for as many trials as subjects.

    Where all draws are one number, since everybody has the same share, they say nothing of other
    people. A rate then has the interval

        v (1 - q) to v + (1 - v) q,   q = 1 - .025^(1/n)

    which is Clopper and Pearson's at 0 and 1: up to a share q of people may have another rate, and
    n subjects hold none of them. A difference or a positive metric has no such bound.

    Parameters
    ----------
    value : float
        The metric of everyone, or its mean over folds.
    replicates : (R,) float
        NaN for draws without the metric.
    subjects : int
        How many the metric rests on.
    scale : str
        ``RATE``, ``POSITIVE`` or ``DIFFERENCE``.

    Returns
    -------
    low, high : float
        NaN where there is no standard error, where the metric is NaN, for a positive metric of 0,
        and for a difference or a positive metric without spread among the draws.

    Raises
    ------
    ValueError
        As :func:`standard_error`.

    Source
    ------
    Efron and Tibshirani 1993, section 12.5 and 12.6 (bootstrap standard error on a transformed
    scale, t quantile); Clopper and Pearson, Biometrika 26(4), 1934.
    """
    reach = standard_error(replicates, subjects=subjects)
    if not (np.isfinite(value) and np.isfinite(reach)) or (scale == POSITIVE and value <= 0):
        return float("nan"), float("nan")
    if reach <= ROUNDING:
        other = clopper_pearson(0, subjects)[1] if scale == RATE else float("nan")
        return value * (1 - other), value + (1 - value) * other
    reach *= float(stdtrit(subjects - 1, UPPER))
    if scale == DIFFERENCE:
        return value - reach, value + reach
    if scale == POSITIVE:
        factor = float(np.exp(reach / value))
        return value / factor, value * factor
    if value in (0.0, 1.0):
        return clopper_pearson(round(value) * subjects, subjects)
    middle, reach = logit(value), reach / (value * (1 - value))
    return float(expit(middle - reach)), float(expit(middle + reach))


def p_value(difference: float, replicates: Floats, *, subjects: int) -> float:
    """Return the two-sided p-value of a difference, of the t statistic its interval rests on.

        p = 2 P(T < -|difference| / SE),   T of Student's t with n - 1 degrees of freedom

    So p <= 5 % where :func:`interval` of scale ``DIFFERENCE`` leaves out 0, and only there.

    Parameters
    ----------
    difference, replicates, subjects : as for :func:`interval`

    Returns
    -------
    float
        NaN without an interval, but 1 for no difference, whether or not the draws have a spread.

    Raises
    ------
    ValueError
        As :func:`standard_error`.
    """
    error = standard_error(replicates, subjects=subjects)
    if not (np.isfinite(difference) and np.isfinite(error)):
        return float("nan")
    if error <= ROUNDING:
        return 1.0 if abs(difference) <= ROUNDING else float("nan")
    return float(2 * stdtr(subjects - 1, -abs(difference) / error))


def clopper_pearson(successes: int, trials: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a share.

    Source
    ------
    Clopper and Pearson, Biometrika 26(4), 1934, by quantiles of the beta distribution.
    """
    low, high = 0.0, 1.0
    if successes > 0:
        low = float(betaincinv(successes, trials - successes + 1, 1 - UPPER))
    if successes < trials:
        high = float(betaincinv(successes + 1, trials - successes, UPPER))
    return low, high
