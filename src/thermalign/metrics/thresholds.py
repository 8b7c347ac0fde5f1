"""Thresholds of similarity scores; a comparison is accepted if score >= threshold."""

import numpy as np

from thermalign.geometry import Floats
from thermalign.metrics.verification import Booleans

ROUNDING = 1e-9  # of a share times a count


def at_false_match_rate(scores: Floats, genuine: Booleans, rate: float) -> float:
    """Return the lowest threshold that accepts at most the share ``rate`` of impostors.

    It lies next above the best impostor score that may not be accepted.

    Parameters
    ----------
    scores : (M,) float
        Finite.
    genuine : (M,) bool
        Not all of them.
    rate : float
        From 0 to below 1.
    """
    falling = np.sort(scores[~genuine])[::-1]
    return float(np.nextafter(falling[int(rate * len(falling) + ROUNDING)], np.inf))


def at_equal_errors(scores: Floats, genuine: Booleans) -> float:
    """Return the score whose false match and false non-match rate differ least; of two the higher.

    Parameters
    ----------
    scores : (M,) float
        Finite.
    genuine : (M,) bool
        Some and not all of them.
    """
    from sklearn.metrics import confusion_matrix_at_thresholds  # noqa: PLC0415  # a second to load

    kept_out, _, missed, found, at = confusion_matrix_at_thresholds(genuine, scores)
    false_match = 1 - kept_out / np.count_nonzero(~genuine)
    return float(at[np.argmin(np.abs(false_match - missed / (missed + found)))])
