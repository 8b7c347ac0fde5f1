"""Alignment: the matrices that bring faces to canonical coordinates by their landmarks."""

import numpy as np
import numpy.typing as npt

from thermalign.geometry import LEFT_EYE, RIGHT_EYE, Floats, fit_similarity

METHODS = ("similarity", "two_point", "affine")

THIN = 1e-6
"""Width over length of an arrangement of points below which it is a line. ASSUME."""

LARGEST_SCALE = 1e3
"""Aligned pixels per image pixel, or the reverse, beyond which a fit is degenerate. ASSUME."""


def fit(points: Floats, canonical: Floats, method: str) -> Floats:
    """Fit the matrices that bring landmarks to canonical ones.

    ``similarity``: least squares over all landmarks; ``two_point``: the similarity that puts both
    eyes exactly; ``affine``: least squares over all landmarks with six free numbers.

    Parameters
    ----------
    points : (N, L, 2) float, pixels, (x, y)
    canonical : (L, 2) float, pixels of the aligned face
    method : one of ``METHODS``

    Returns
    -------
    (N, 2, 3) float64
        From image coordinates to those of the aligned face.

    Raises
    ------
    ValueError
        If the method is unknown, or a face fails :func:`alignable`.

    Source
    ------
    Similarity: Umeyama, IEEE TPAMI 13(4), 1991. Affine: ordinary least squares.
    """
    usable = alignable(points, canonical, method)
    if not usable.all():
        raise ValueError(
            f"the landmarks of face {np.flatnonzero(~usable)[0]} are not finite or too close to "
            f"one place for {method} alignment; leave it out by alignable()"
        )
    return _solve(*_used(points, canonical, method), method)


def alignable(points: Floats, canonical: Floats, method: str) -> npt.NDArray[np.bool_]:
    """Say which faces a method can align.

    The landmarks that it uses must be finite and, for a similarity, in two places at least; for an
    affine fit, off one line. What is fitted must neither stretch nor shrink any direction more than
    ``LARGEST_SCALE`` times. A face upside down or mirrored is alignable.

    Parameters
    ----------
    points : (N, L, 2) float, pixels, (x, y)
    canonical : (L, 2) float, pixels of the aligned face
    method : one of ``METHODS``

    Returns
    -------
    (N,) bool

    Raises
    ------
    ValueError
        If the method is unknown.
    """
    if method not in METHODS:
        raise ValueError(f"alignment method is {method!r}; use one of {', '.join(METHODS)}")
    used, goal = _used(points, canonical, method)
    usable = np.asarray(np.isfinite(used).all((1, 2)))
    centred = used[usable] - used[usable].mean(1, keepdims=True)
    dimensions = np.linalg.matrix_rank(centred, rtol=THIN)
    usable[usable] = dimensions >= (2 if method == "affine" else 1)
    scales = np.linalg.svd(_solve(used[usable], goal, method)[..., :2], compute_uv=False)
    usable[usable] = ((scales > 1 / LARGEST_SCALE) & (scales < LARGEST_SCALE)).all(1)
    return usable


def fit_affine(source: Floats, target: Floats) -> Floats:
    """Fit the affine map that brings ``source`` nearest to ``target`` in least squares.

    With centred points as rows of P and Q: the linear part is (P^+ Q)', the shift takes the centre
    of the one to the centre of the other.

    Parameters
    ----------
    source : (N, L, 2) float, pixels, (x, y)
        Off one line, or the solution with the smallest linear part is returned.
    target : (L, 2) float, pixels, (x, y)

    Returns
    -------
    (N, 2, 3) float64
    """
    centre_p, centre_q = source.mean(-2), target.mean(-2)
    linear = (np.linalg.pinv(source - centre_p[:, None]) @ (target - centre_q)).swapaxes(-1, -2)
    shift = centre_q - (linear @ centre_p[..., None])[..., 0]
    return np.concatenate([linear, shift[..., None]], axis=-1)


def _used(points: Floats, canonical: Floats, method: str) -> tuple[Floats, Floats]:
    """Return the landmarks that a method looks at, and where they go."""
    chosen = [RIGHT_EYE, LEFT_EYE] if method == "two_point" else slice(None)
    return np.asarray(points[:, chosen], np.float64), np.asarray(canonical[chosen], np.float64)


def _solve(used: Floats, goal: Floats, method: str) -> Floats:
    if method == "affine":
        return fit_affine(used, goal)
    return np.asarray(fit_similarity(used, goal))
