"""Dose and response: how an error rate rises with the landmark error that was put in."""

import numpy as np
from scipy.special import ndtri

from thermalign.geometry import Floats


def slope(doses: Floats, responses: Floats) -> Floats:
    """Return the least-squares slope of responses over doses.

        sum((d - mean d) (r - mean r)) / sum((d - mean d)^2)

    Parameters
    ----------
    doses : (T,) float
    responses : (..., T) float

    Returns
    -------
    (...) float
        NaN where a response is.

    Raises
    ------
    ValueError
        If there are not two different doses.
    """
    away = doses - doses.mean()
    spread = (away**2).sum()
    if not spread > 0:
        raise ValueError(f"a slope needs two different doses, got {doses}")
    return np.asarray(responses @ away / spread)


def probit(rates: Floats, n: int) -> Floats:
    """Return the normal deviates of rates: the scale on which d' and the axes of a DET are linear.

    Parameters
    ----------
    rates : (...) float, 0..1
    n : int
        Comparisons of the rarer class. ASSUME: 0 and 1 count as half a comparison off, so that
        they have a deviate.
    """
    edge = 0.5 / n
    return np.asarray(ndtri(np.clip(rates, edge, 1 - edge)))


def predicted(dose: Floats, doses: Floats, responses: Floats) -> Floats:
    """Read responses off dose-response curves, linearly between their doses.

    Parameters
    ----------
    dose : (R,) float
        One for each curve.
    doses : (R, T) or (T,) float, rising
    responses : (R, T) float

    Returns
    -------
    (R,) float
        NaN beyond the ends of a curve: nothing is extrapolated.
    """
    doses = np.broadcast_to(doses, responses.shape)
    return np.array(
        [
            np.interp(at, its, curve, left=np.nan, right=np.nan)
            for at, its, curve in zip(dose, doses, responses, strict=True)
        ]
    )
