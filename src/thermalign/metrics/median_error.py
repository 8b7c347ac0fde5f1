"""The median landmark error: what half of the faces stay below, however far the worst are off."""

import numpy as np

from thermalign.geometry import Floats
from thermalign.metrics.intervals import POSITIVE

SCALE = POSITIVE


def of_errors(errors: Floats, weights: Floats) -> float:
    """Return the weighted median of errors: the lowest that half of the weight does not exceed.

    Parameters
    ----------
    errors : (N,) float, interocular distances
    weights : (N,) float
        How often each is drawn.

    Returns
    -------
    float
        Interocular distances; NaN without any weight.
    """
    if not weights.sum() > 0:
        return float("nan")
    return float(np.quantile(errors, 0.5, weights=weights, method="inverted_cdf"))
