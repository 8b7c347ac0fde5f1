"""The bivariate Student t distribution: what is said of a landmark's error.

An error e (x, y) with scale matrix S and nu degrees of freedom has the density

    p(e) = 1 / (2 pi sqrt(det S)) (1 + d / nu)^(-nu / 2 - 1),   d = e' S^-1 e

In two dimensions the gamma functions of the general density cancel, and what follows is in closed
form, too. It is normal with covariance S as nu grows; the fewer degrees of freedom, the more often
an error is far larger than its scale.

Source
------
Kotz and Nadarajah, Multivariate t Distributions and Their Applications, 2004, sections 1.1 and 1.2.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ellipe, gammaln

from thermalign.geometry import Floats

SHARES = (0.5, 0.8, 0.95)
"""Shares of errors that regions are reported for."""

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


def squared_distance(errors: Floats, scale: Floats) -> Floats:
    """Return d = e' S^-1 e: errors' squared lengths in units of their scale.

    Parameters
    ----------
    errors : (..., 2) float
    scale : (..., 2, 2) float
        Symmetric and positive definite, in the square of the errors' unit.

    Returns
    -------
    (...) float
    """
    xx, xy, yy = scale[..., 0, 0], scale[..., 0, 1], scale[..., 1, 1]
    x, y = errors[..., 0], errors[..., 1]
    squared: Floats = (yy * x**2 - 2 * xy * x * y + xx * y**2) / (xx * yy - xy**2)
    return squared


def log_density(errors: Floats, scale: Floats, tail: Floats | float) -> Floats:
    """Return log p(e), nats.

    Parameters
    ----------
    errors : (..., 2) float
    scale : (..., 2, 2) float
        As for :func:`squared_distance`.
    tail : (...) float
        Degrees of freedom nu, above zero.

    Returns
    -------
    (...) float
        Of errors in the unit given: per square of it.
    """
    xx, xy, yy = scale[..., 0, 0], scale[..., 0, 1], scale[..., 1, 1]
    far = np.log1p(squared_distance(errors, scale) / tail)
    density: Floats = -np.log(2 * np.pi) - np.log(xx * yy - xy**2) / 2 - (tail / 2 + 1) * far
    return density


def region(share: Floats | float, tail: Floats | float) -> Floats:
    """Return the squared distance d that a ``share`` of the errors keeps.

    It is the c of P(d <= c) = 1 - (1 + c / nu)^(-nu / 2). The region of a landmark is the ellipse
    of all errors with d at most this.
    """
    tail = np.asarray(tail, np.float64)
    squared: Floats = tail * np.expm1(-2 * np.log1p(-np.asarray(share)) / tail)
    return squared


def expected_distance(scale: Floats, tail: Floats | float) -> Floats:
    """Return the mean length of an error.

    With l1 >= l2 the eigenvalues of S, e is sqrt(d) times a point of the ellipse with half axes
    sqrt(l1) and sqrt(l2) at a uniform angle, which does not depend on d:

        E|e| = E sqrt(d) (2 / pi) sqrt(l1) E(1 - l2 / l1)
        E sqrt(d) = sqrt(pi nu) / 2 gamma((nu - 1) / 2) / gamma(nu / 2)

    where E() is the complete elliptic integral of the second kind, of the parameter m. The second
    line is the integral of P(d > r^2) = (1 + r^2 / nu)^(-nu / 2) over r.

    Parameters
    ----------
    scale : (..., 2, 2) float
        As for :func:`squared_distance`.
    tail : (...) float
        Above 1; the mean of heavier tails is not finite.

    Returns
    -------
    (...) float, unit of the errors
    """
    tail = np.asarray(tail, np.float64)
    xx, xy, yy = scale[..., 0, 0], scale[..., 0, 1], scale[..., 1, 1]
    middle, apart = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    largest = middle + apart
    around = 2 / np.pi * np.sqrt(largest) * ellipe(2 * apart / largest)
    away = np.exp(gammaln((tail - 1) / 2) - gammaln(tail / 2)) * np.sqrt(np.pi * tail) / 2
    mean: Floats = away * around
    return mean


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
    each = np.broadcast_to(scale, (len(errors), 2, 2))
    return float(-log_density(errors, each, tail).mean()), scale
