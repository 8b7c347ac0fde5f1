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


def probit(rates: Floats) -> Floats:
    """Return the normal deviates of rates: the scale on which d' and the axes of a DET are linear.

    Parameters
    ----------
    rates : (...) float, 0..1

    Returns
    -------
    (...) float
        NaN for 0 and 1. They have no deviate, and one made up for them (half a comparison off, say)
        decides every slope that rests on it.
    """
    inside = (rates > 0) & (rates < 1)
    return np.asarray(ndtri(np.where(inside, rates, np.nan)))


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
