"""Alignment: faces brought to canonical coordinates by their landmarks.

Two layers: :func:`can_fit` and :func:`fit_matrices` know points and matrices alone;
:func:`alignable`, :func:`align_images` and :func:`align_stack` apply the ``alignment:`` block to
images.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from thermalign.geometry import LANDMARKS, LEFT_EYE, RIGHT_EYE, Floats, Integers, fit_similarity
from thermalign.images import read_image
from thermalign.settings import check, setting
from thermalign.warp import ImageStack, stack_images, warp

Booleans = npt.NDArray[np.bool_]

METHODS = ("similarity", "two_point", "affine")

THIN = 1e-6
"""Width over length of an arrangement of points below which it is a line. ASSUME."""

LARGEST_SCALE = 1e3
"""Aligned pixels per image pixel, or the reverse, beyond which a fit is degenerate. ASSUME."""

BATCH = 256  # images held at once, at most
PIXELS = 2**25  # of these: as floats with mip levels .3 GB


@dataclass(frozen=True)
class Points:
    """Where each landmark goes, (x, y); left and right are the subject's.

    Attributes
    ----------
    right_eye, left_eye, nose_base : tuple of float
        In the aligned face.
    right_mouth_corner, left_mouth_corner : tuple of float
        In the aligned face.
    """

    right_eye: tuple[float, float] = setting(low=1, unit="px")
    left_eye: tuple[float, float] = setting(low=1, unit="px")
    nose_base: tuple[float, float] = setting(low=1, unit="px")
    right_mouth_corner: tuple[float, float] = setting(low=1, unit="px")
    left_mouth_corner: tuple[float, float] = setting(low=1, unit="px")


@dataclass(frozen=True)
class Settings:
    """Canonical coordinates of aligned faces.

    Attributes
    ----------
    points : Points
    width, height : int
        Of an aligned face.
    method : str
        Fit from landmarks to canonical points; see ``docs/methods/alignment.md``.
    """

    points: Points
    width: int = setting(low=32, high=1024, unit="px")
    height: int = setting(low=32, high=1024, unit="px")
    method: str = setting(choices=METHODS)

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        check(self)

    @property
    def canonical(self) -> Floats:
        """The canonical points in scheme order, (L, 2) float64, pixels of the aligned face."""
        return np.array([getattr(self.points, name) for name in LANDMARKS], np.float64)


def alignable(points: Floats, settings: Settings) -> Booleans:
    """Say which faces can be aligned; the others count as failures to align.

    Parameters
    ----------
    points : (N, L, 2) float, pixels, (x, y)
        NaN where a landmark was not found.
    settings : Settings

    Returns
    -------
    (N,) bool
    """
    return can_fit(points, settings.canonical, settings.method)


def align_images(rows: pd.DataFrame, points: Floats, settings: Settings) -> Tensor:
    """Align images by their landmarks.

    Parameters
    ----------
    rows : DataFrame of N IMAGES
    points : (N, L, 2) float, pixels, (x, y)
    settings : Settings

    Returns
    -------
    (N, height, width) float32, physical units

    Raises
    ------
    ValueError
        If a face is not :func:`alignable`, or an image does not open.
    """
    empty = torch.empty(0, settings.height, settings.width)
    return torch.cat([empty, *aligned_batches(rows, points, settings)])


def aligned_batches(rows: pd.DataFrame, points: Floats, settings: Settings) -> Iterator[Tensor]:
    """Yield what :func:`align_images` returns in parts, in order, few images in memory."""
    for some in batches(rows):
        yield _align_batch(rows.iloc[some], points[some], settings)


def _align_batch(rows: pd.DataFrame, points: Floats, settings: Settings) -> Tensor:
    images = [read_image(row) for row in rows.to_dict("records")]
    stack = stack_images(images, torch.device("cpu"))
    return align_stack(stack, np.arange(len(rows)), points, settings)


def batches(rows: pd.DataFrame) -> Iterator[slice]:
    """Cut rows of IMAGES into batches of at most BATCH images and PIXELS, or one larger image."""
    start, held = 0, 0
    for k, area in enumerate((rows["width"] * rows["height"]).to_list()):
        if k > start and (k - start == BATCH or held + area > PIXELS):
            yield slice(start, k)
            start, held = k, 0
        held += area
    if start < len(rows):
        yield slice(start, len(rows))


def align_stack(stack: ImageStack, index: Integers, points: Floats, settings: Settings) -> Tensor:
    """Align images that are in memory, on their device.

    Parameters
    ----------
    stack : ImageStack
    index : (M,) int
        Which image of the stack each face is in.
    points : (M, L, 2) float, pixels of the stack's images, (x, y)
    settings : Settings

    Returns
    -------
    (M, height, width) float32, physical units

    Raises
    ------
    ValueError
        If a face is not :func:`alignable`.
    """
    matrices = torch.as_tensor(fit_matrices(points, settings.canonical, settings.method))
    where, width, height = torch.as_tensor(index), settings.width, settings.height
    where, matrices = where.to(stack.device), matrices.to(stack.device)
    return warp(stack, where, matrices, width=width, height=height)[:, 0]


def fit_matrices(points: Floats, canonical: Floats, method: str) -> Floats:
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
        If the method is unknown, or a face fails :func:`can_fit`.

    Source
    ------
    Similarity: Umeyama, IEEE TPAMI 13(4), 1991. Affine: ordinary least squares.
    """
    usable = can_fit(points, canonical, method)
    if not usable.all():
        raise ValueError(
            f"the landmarks of face {np.flatnonzero(~usable)[0]} are not finite or too close to "
            f"one place for {method} alignment; leave it out by alignable()"
        )
    fit = _FITS[method]
    return fit.solve(*_used(points, canonical, fit))


def can_fit(points: Floats, canonical: Floats, method: str) -> Booleans:
    """Say which faces a method can align.

    The landmarks that it uses must be finite and, for a similarity, in two places at least; for an
    affine fit, off one line. What is fitted must neither stretch nor shrink any direction more than
    ``LARGEST_SCALE`` times. A face upside down or mirrored can be aligned.

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
    fit = _FITS[method]
    used, goal = _used(points, canonical, fit)
    usable = np.asarray(np.isfinite(used).all((1, 2)))
    centred = used[usable] - used[usable].mean(1, keepdims=True)
    usable[usable] = np.linalg.matrix_rank(centred, rtol=THIN) >= fit.dimensions
    scales = np.linalg.svd(fit.solve(used[usable], goal)[..., :2], compute_uv=False)
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


def _similarity(source: Floats, target: Floats) -> Floats:
    return np.asarray(fit_similarity(source, target))


class _Fit(NamedTuple):
    """A method: its solver, the landmarks it looks at, and how many dimensions they must span."""

    solve: Callable[[Floats, Floats], Floats]
    landmarks: Any = slice(None)
    dimensions: int = 1


_FITS = {
    "similarity": _Fit(_similarity),
    "two_point": _Fit(_similarity, landmarks=[RIGHT_EYE, LEFT_EYE]),
    "affine": _Fit(fit_affine, dimensions=2),
}
"""What each of ``METHODS`` does."""


def _used(points: Floats, canonical: Floats, fit: _Fit) -> tuple[Floats, Floats]:
    """Return the landmarks that a method looks at, and where they go."""
    used, goal = points[:, fit.landmarks], canonical[fit.landmarks]
    return np.asarray(used, np.float64), np.asarray(goal, np.float64)
