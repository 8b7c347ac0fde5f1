"""Failures and error rates by their names in ISO/IEC 19795-1.

A *match* rate is of comparisons that were made: false match rate (FMR), false non-match rate
(FNMR). An *accept* or *reject* rate is of attempts: a probe without an aligned face fails to be
acquired (FTA), is rejected whoever it shows, and is never falsely accepted. For one attempt

    FAR = FMR (1 - FTA),   FRR = FTA + FNMR (1 - FTA)

with the FTA of the impostor comparisons in the first and of the genuine ones in the second: they
are one where every probe is compared with the same enrolled people, its own among them. A score of
-inf says that a probe was not acquired; counting it as never accepted is the same arithmetic.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from thermalign.geometry import Floats
from thermalign.metrics.verification import Booleans

NAN = float("nan")


@dataclass(frozen=True)
class ErrorRates:
    """Errors at one threshold; NaN where there was no comparison to err in.

    Attributes
    ----------
    fmr, fnmr : float
        Of comparisons of acquired probes: falsely matched impostors, falsely not matched genuine.
    far, frr : float
        Of all attempts, failures to acquire included.
    """

    fmr: float
    fnmr: float
    far: float
    frr: float


def acquired(scores: Floats) -> Booleans:
    """Say which comparisons are of a probe with a usable aligned face: score > -inf.

    Raises
    ------
    ValueError
        If a score is NaN.
    """
    if np.isnan(scores).any():
        raise ValueError("a score is NaN; use -inf where no face was aligned")
    return np.asarray(scores > -np.inf)


def failure_to_acquire(found: Booleans) -> float:
    """Return the share of probes (P,) that were not ``found``: FTA.

    A probe is found if it has a usable aligned face: landmarks were found and could be aligned.

    Raises
    ------
    ValueError
        If there is no probe.

    Source
    ------
    ISO/IEC 19795-1, failure-to-acquire rate. Differs from it in: an attempt is one image, and a
    face detector's misses count only where the study runs one.
    """
    if found.size == 0:
        raise ValueError("no probes, so there is no failure-to-acquire rate")
    return float(np.count_nonzero(~found) / found.size)


def failure_to_enrol(expected: Collection[str], enrolled: Collection[str]) -> float:
    """Return the share of people who should be enrolled and are not: FTE.

    Parameters
    ----------
    expected : people
        Who is tested: everybody of the fold's test subjects, whatever images there are of them.
    enrolled : people
        Who has at least one usable gallery image, so that probes were compared with them.

    Raises
    ------
    ValueError
        If nobody should be enrolled, or somebody is who should not.

    Source
    ------
    ISO/IEC 19795-1, failure-to-enrol rate.
    """
    should, are = set(expected), set(enrolled)
    if not should:
        raise ValueError("nobody to enrol, so there is no failure-to-enrol rate")
    if are - should:
        raise ValueError(f"{sorted(are - should)[0]} is enrolled and no test subject")
    return len(should - are) / len(should)


def error_rates(scores: Floats, genuine: Booleans, threshold: float) -> ErrorRates:
    """Return the errors of accepting score >= threshold, with and without failures to acquire.

    Parameters
    ----------
    scores : (M,) float
        Higher is more alike; -inf where no face was aligned, which no threshold accepts.
    genuine : (M,) bool
    threshold : float
        Set without looking at these scores, on training people for example.

    Returns
    -------
    ErrorRates
        NaN for a class without comparisons, and everywhere if the threshold is NaN.

    Raises
    ------
    ValueError
        If the shapes differ or a score is NaN.

    Source
    ------
    ISO/IEC 19795-1: FMR, FNMR, FAR and FRR of verification with one attempt.
    """
    if scores.shape != genuine.shape:
        raise ValueError(f"scores {scores.shape} and genuine {genuine.shape} differ in shape")
    found = acquired(scores)
    if np.isnan(threshold):
        return ErrorRates(NAN, NAN, NAN, NAN)
    accepted = found & (scores >= threshold)
    return ErrorRates(
        fmr=_share(accepted, found & ~genuine),
        fnmr=_share(~accepted, found & genuine),
        far=_share(accepted, ~genuine),
        frr=_share(~accepted, genuine),
    )


def _share(hit: Booleans, among: Booleans) -> float:
    """Return the share of ``hit`` among comparisons; NaN among none."""
    n = np.count_nonzero(among)
    return float(np.count_nonzero(hit & among) / n) if n else NAN
