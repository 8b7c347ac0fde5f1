"""Shapes and DAN's connection layers: mean shape, placing, perturbing, heatmap."""

import math

import torch
from torch import Tensor

from thermalign.landmarks.contract import Faces


def mean_shape(faces: Faces) -> Tensor:
    """Return the faces' mean landmarks around the centre of the box, in units of its mean side.

    Parameters
    ----------
    faces : Faces of M examples

    Returns
    -------
    (L, 2) float32, mean sides of the box
    """
    centre, side = _centre_and_side(faces.boxes)
    return ((faces.points - centre) / side).mean(0)


def place(shape: Tensor, boxes: Tensor) -> Tensor:
    """Place a shape in boxes: the inverse of `mean_shape` for one face.

    Parameters
    ----------
    shape : (L, 2) float, mean sides of the box
    boxes : (K, 4) float, pixels, (x, y, width, height)

    Returns
    -------
    (K, L, 2) float, pixels
    """
    centre, side = _centre_and_side(boxes)
    return centre + shape * side


def canonical(shape: Tensor, *, size: int, margin: float) -> Tensor:
    """Centre a shape in a square input so that its longer side spans what the margins leave.

    Parameters
    ----------
    shape : (L, 2) float, any unit
    size : int, pixels
        Side of the input.
    margin : float
        Fraction of the input left free on each side.

    Returns
    -------
    (L, 2) float, pixels of the input
    """
    low, high = shape.amin(0), shape.amax(0)
    span = size * (1 - 2 * margin)
    return (shape - (low + high) / 2) * (span / (high - low).max()) + (size - 1) / 2


def spread(shapes: Tensor) -> Tensor:
    """Return the width and height (..., 2) of shapes (..., L, 2)."""
    return shapes.amax(-2) - shapes.amin(-2)


def perturb(
    shapes: Tensor,
    generator: torch.Generator,
    *,
    shift_sd: float,
    rotation_sd: float,
    scale_sd: float,
    extent: Tensor | None = None,
) -> Tensor:
    """Move, turn and scale shapes around their centres at random, as bad boxes would.

    Parameters
    ----------
    shapes : (K, L, 2) float, pixels
    generator : torch.Generator
    shift_sd : float, shares of ``extent``
    rotation_sd : float, degrees
    scale_sd : float
        The scale is normal around 1, at least 0.1.
    extent : (2,) float, pixels, or None
        Width and height that shifts are shares of; each shape's own if None.

    Returns
    -------
    (K, L, 2) float, pixels
    """
    centre = ((shapes.amin(1) + shapes.amax(1)) / 2)[:, None]
    draws = torch.randn((len(shapes), 4), generator=generator, device=shapes.device)
    angle = draws[:, 2] * math.radians(rotation_sd)
    scale = (1 + scale_sd * draws[:, 3]).clamp(min=0.1)
    a, b = scale * angle.cos(), scale * angle.sin()
    turn = torch.stack([torch.stack([a, b], -1), torch.stack([-b, a], -1)], -2)  # (K, 2, 2)
    shift = shift_sd * draws[:, :2] * (spread(shapes) if extent is None else extent)
    return (shapes - centre) @ turn + centre + shift[:, None]


def heatmap(points: Tensor, *, size: int, window: int) -> Tensor:
    """Draw 1 / (1 + distance) in a window around each landmark; the maximum counts.

    A landmark whose window would leave the heatmap is drawn where the whole window fits.

    Parameters
    ----------
    points : (K, L, 2) float, pixels, (x, y)
    size : int, pixels
        Side of the heatmap, at least ``window``.
    window : int, pixels
        Side of the window around a landmark, so many pixels exactly; outside the value is zero.

    Returns
    -------
    (K, 1, size, size) float32

    Source
    ------
    DAN, equation 5: 1 / (1 + sqrt(d^2 + 1e-6)), clamped, as in the authors' code. Differs from it
    in: an odd window is centred on the pixel nearest to the landmark, an even one on the gap
    between the two nearest, so that mirroring commutes; there on the pixel at or before it.
    """
    half = (window - 1) / 2
    points = points.clamp(half, size - 1 - half)
    centre = points.round() if window % 2 else points.floor() + 0.5
    pixels = torch.arange(size, device=points.device, dtype=points.dtype)
    x = pixels - points[..., :1]  # (K, L, W)
    y = pixels - points[..., 1:]  # (K, L, H)
    inside_x = (pixels - centre[..., :1]).abs() <= half
    inside_y = (pixels - centre[..., 1:]).abs() <= half
    squared = x.square()[:, :, None, :] + y.square()[:, :, :, None]  # (K, L, H, W)
    inside = inside_x[:, :, None, :] & inside_y[:, :, :, None]
    nearest = squared.masked_fill(~inside, torch.inf).amin(1, keepdim=True)
    return 1 / (1 + (nearest + 1e-6).sqrt())


def _centre_and_side(boxes: Tensor) -> tuple[Tensor, Tensor]:
    centre = boxes[:, :2] + (boxes[:, 2:] - 1) / 2
    return centre[:, None], boxes[:, 2:].mean(1)[:, None, None]
