"""Do stated distributions of landmark errors hold? Coverage, likelihood, and their hardest rival.

A detector states a bivariate Student t around each point: see :mod:`thermalign.student`. Errors
are in interocular distances of the annotated face, so that a face counts alike near and far.
"""

from typing import NamedTuple

import numpy as np

from thermalign.geometry import Floats
from thermalign.metrics.verification import Booleans
from thermalign.student import log_density, region, squared_distance

LEAST = 10
"""Faces below which no spread is fitted: four numbers would follow single faces. ASSUME."""

TAILS = (0.5, 1000.0)
"""Degrees of freedom between which the rival's are sought: far heavier tails to a normal one."""

STEPS = 24  # of the search over the tail's logarithm: to 1e-4, where the likelihood is level
MOST_ROUNDS = 500  # of the fixed point; it takes some tens
SETTLED = 1e-10  # relative change of the scale matrix that ends it


class Spread(NamedTuple):
    """A Student t around a point: ``scale`` (2, 2), squared interocular distances; ``tail``."""

    scale: Floats
    tail: float


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


def best_constant(errors: Floats) -> Spread | None:
    """Return the Student t around 0 under which errors are likeliest: one spread for all faces.

    Fitted to the very errors that it is scored on, in the family that detectors state, it is the
    hardest rival that knows nothing of the single face. None below ``LEAST`` faces, and where
    errors lie on one line.

    Parameters
    ----------
    errors : (N, 2) float, of one landmark

    Source
    ------
    Liu and Rubin, Statistica Sinica 5(1), 1995 (weights of the t); Kent, Tyler and Vardi,
    Communications in Statistics: Simulation and Computation 23(2), 1994 (weights that sum to 1).
    """
    size = np.sqrt((errors**2).mean()) if len(errors) >= LEAST else 0.0
    if size == 0 or np.linalg.matrix_rank(errors / size, tol=1e-6 * np.sqrt(len(errors))) < 2:
        return None
    unit = errors / size
    low, high = np.log(TAILS)
    golden = (np.sqrt(5) - 1) / 2
    asked = [high - golden * (high - low), low + golden * (high - low)]
    found = [_fitted(unit, np.exp(at)) for at in asked]
    for _ in range(STEPS):
        if found[0][0] < found[1][0]:
            high, asked[1], found[1] = asked[1], asked[0], found[0]
            asked[0] = high - golden * (high - low)
            found[0] = _fitted(unit, np.exp(asked[0]), start=found[1][1])
        else:
            low, asked[0], found[0] = asked[0], asked[1], found[1]
            asked[1] = low + golden * (high - low)
            found[1] = _fitted(unit, np.exp(asked[1]), start=found[0][1])
    best = int(found[1][0] < found[0][0])
    return Spread(found[best][1] * size**2, float(np.exp(asked[best])))


def _fitted(errors: Floats, tail: float, start: Floats | None = None) -> tuple[float, Floats]:
    """Return the mean surprise under the likeliest scale matrix for a tail, and that matrix."""
    scale = errors.T @ errors / len(errors) if start is None else start
    for _ in range(MOST_ROUNDS):
        weights = (tail + 2) / (tail + squared_distance(errors, scale))
        after = (weights[:, None] * errors).T @ errors / weights.sum()
        settled = np.abs(after - scale).max() <= SETTLED * np.abs(after).max()
        scale = after
        if settled:
            break
    each = np.full(len(errors), tail)
    return float(surprise(errors, np.broadcast_to(scale, (len(errors), 2, 2)), each).mean()), scale
