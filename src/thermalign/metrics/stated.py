"""Do stated distributions of landmark errors hold? Coverage and likelihood.

A detector states a bivariate Student t around each point: see :mod:`thermalign.student`. Errors
are in interocular distances of the annotated face, so that a face counts alike near and far.
"""

import numpy as np

from thermalign.geometry import Floats
from thermalign.metrics.verification import Booleans
from thermalign.student import log_density, region, squared_distance


def inside(errors: Floats, scale: Floats, tail: Floats, share: float) -> Booleans:
    """Say which true points lie in the region that is stated to hold a share of them.

    The region is an ellipse of one Mahalanobis distance around the point: where that distance,
    squared and halved, is no more than the share's quantile of F with 2 and ``tail`` degrees.

    Parameters
    ----------
    errors : (..., 2) float, true point minus predicted point or the reverse
    scale : (..., 2, 2) float, in the unit of ``errors`` squared
    tail : (...) float, degrees of freedom
    share : float, between 0 and 1

    Returns
    -------
    (...) bool

    Source
    ------
    Kotz and Nadarajah, Multivariate t Distributions and Their Applications, 2004, section 1.9: the
    squared distance of a p-variate t over p has the F distribution with p and nu degrees.
    """
    return np.asarray(squared_distance(errors, scale) <= region(share, tail))


def surprise(errors: Floats, scale: Floats, tail: Floats) -> Floats:
    """Return the negative log-likelihood (...) of errors (..., 2), nats.

    Of a density over squared interocular distances, if errors are in these: it may be negative. A
    proper score: the truth has the lowest expectation (Gneiting and Raftery, Journal of the
    American Statistical Association 102(477), 2007).
    """
    return -log_density(errors, scale, tail)
