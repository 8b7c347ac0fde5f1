"""How many people a verification rate rests on, and how many it takes.

Comparisons of the same two people are alike: a thousand of them are no thousand impostors. What is
counted is ordered pairs of different people, probe person -> enrolled person.
"""

import numpy as np

from thermalign.geometry import Integers

ERRORS_EXPECTED = 30
"""Errors after which a true rate lies within 30 % of the observed one, with 90 % confidence."""

NONE_SEEN = 3
"""-ln(.05), rounded: the upper 95 % bound of the expected errors where none was seen."""


def person_pairs(probe: Integers, gallery: Integers) -> int:
    """Return how many ordered pairs of different people comparisons are of.

    Parameters
    ----------
    probe, gallery : (M,) int, from 0
        The person that each probe shows, and the enrolled person it was compared with.

    Returns
    -------
    int
        0 without an impostor comparison.

    Raises
    ------
    ValueError
        If the shapes differ, or a person has a negative number (is unknown).
    """
    if probe.shape != gallery.shape:
        raise ValueError(f"probe {probe.shape} and gallery {gallery.shape} differ in shape")
    if probe.size == 0:
        return 0
    if min(probe.min(), gallery.min()) < 0:
        raise ValueError("a comparison is of an unknown person (number below 0)")
    other = probe != gallery
    size = int(gallery.max()) + 1
    return int(np.count_nonzero(np.bincount(probe[other] * size + gallery[other])))


def pairs_needed(far: float) -> float:
    """Return how many person pairs a false match rate takes to be reported.

        far x pairs >= 30

    Raises
    ------
    ValueError
        If the rate is not above 0, or above 1: no number of pairs shows a rate of 0.

    Source
    ------
    Rule of 30: Doddington, Przybocki, Martin and Reynolds, The NIST speaker recognition evaluation,
    Speech Communication 31(2-3), 2000. Differs from it in: errors are counted before they are seen,
    as far x pairs, and by pairs of people, for trials of the same two people are not independent.
    """
    if not 0 < far <= 1:
        raise ValueError(f"a false match rate to be reported must lie in 0..1 above 0, got {far}")
    return ERRORS_EXPECTED / far


def least_rate(pairs: int) -> float:
    """Return the lowest false match rate that so many person pairs carry: 30 / pairs.

    Returns
    -------
    float
        NaN where they carry none, having fewer than 30.
    """
    return ERRORS_EXPECTED / pairs if pairs >= ERRORS_EXPECTED else float("nan")


def supported(far: float, pairs: int) -> bool:
    """Say whether a false match rate rests on as many person pairs as :func:`pairs_needed` says."""
    return pairs >= pairs_needed(far) * (1 - 1e-12)  # 30 / far may be off by a rounding


def bound_of_none(pairs: int) -> float:
    """Return the upper 95 % bound of a rate of which no error was seen: 3 / pairs, at most 1.

    Returns
    -------
    float
        NaN without a pair.

    Source
    ------
    Rule of 3: Jovanovic and Levy, A look at the rule of three, The American Statistician 51(2),
    1997. It takes the pairs for independent, which they are not: the bound is rather too low.
    """
    return min(NONE_SEEN / pairs, 1.0) if pairs > 0 else float("nan")
