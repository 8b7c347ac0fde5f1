"""Ranks of similarity scores: who, of those enrolled, is most like the probe."""

import numpy as np

from thermalign.geometry import Floats, Integers
from thermalign.metrics.verification import Booleans


def own_ranks(scores: Floats, genuine: Booleans) -> Floats:
    """Return the rank of the own subject among all enrolled ones, for every probe.

    Ties count against the probe: its rank is 1 + how many others score at least as high.

    Parameters
    ----------
    scores, genuine : (P, S)
        One row per probe, one column per enrolled subject.

    Returns
    -------
    (P,) float, from 1
        Infinite for a probe without an aligned face, NaN for one whose subject is not enrolled.

    Raises
    ------
    ValueError
        If a score is NaN.
    """
    if np.isnan(scores).any():
        raise ValueError("a score is NaN; use -inf where no face was aligned")
    own = np.where(genuine, scores, -np.inf).max(axis=1, initial=-np.inf)
    ahead = ((scores >= own[:, None]) & ~genuine).sum(axis=1)
    ranks = np.where(own > -np.inf, 1.0 + ahead, np.inf)
    return np.where(genuine.any(axis=1), ranks, np.nan)


def cmc(scores: Floats, genuine: Booleans, ranks: Integers) -> Floats:
    """Return the cumulative match characteristic: the share of probes of at most each rank.

    Closed-set identification: every probe shows somebody who should be enrolled. One whose subject
    failed to enrol is a miss at every rank, as is one without an aligned face.

    Parameters
    ----------
    scores, genuine : (P, S)
        As in :func:`own_ranks`.
    ranks : (K,) int
        From 1.

    Returns
    -------
    (K,) float, 0..1

    Raises
    ------
    ValueError
        If there is no probe or nobody is enrolled, or a score is NaN.

    Source
    ------
    Phillips, Grother and Micheals, Handbook of Face Recognition, 2005, closed-set identification;
    ISO/IEC 19795-1 for the failures.
    """
    own = own_ranks(scores, genuine)
    if scores.size == 0:
        raise ValueError("no probe or nobody enrolled, so there is no identification rate")
    return np.asarray((own[:, None] <= ranks).mean(axis=0))
