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

import numpy as np
from scipy.special import ellipe, gammaln

from thermalign.geometry import Floats

SHARES = (0.5, 0.8, 0.95)
"""Shares of errors that regions are reported for."""


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
