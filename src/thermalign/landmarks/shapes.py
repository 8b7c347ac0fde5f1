"""Shapes: the landmarks of a face beside its box, in a straightened input, and moved at random."""

import math

import torch
from torch import Tensor

from thermalign.landmarks.contract import Faces


def mean_shape(faces: Faces) -> Tensor:
    """Return the mean landmarks (L, 2) around the centre of the box, in mean sides of the box."""
    centre, side = _centre_and_side(faces.boxes)
    return ((faces.points - centre) / side).mean(0)


def place(shape: Tensor, boxes: Tensor) -> Tensor:
    """Place a shape (L, 2) of `mean_shape` in boxes (K, 4): (K, L, 2) float, pixels."""
    centre, side = _centre_and_side(boxes)
    return centre + shape * side


def canonical(shape: Tensor, *, size: int, margin: float) -> Tensor:
    """Centre a shape in a square input so that its longer side spans what the margins leave.

    Of (L, 2) float in any unit; returns pixels of the input of ``size`` x ``size``.
    """
    low, high = shape.amin(0), shape.amax(0)
    span = size * (1 - 2 * margin)
    return (shape - (low + high) / 2) * (span / (high - low).max()) + (size - 1) / 2


def spread(shapes: Tensor) -> Tensor:
    """Return the width and height (..., 2) of shapes (..., L, 2)."""
    return shapes.amax(-2) - shapes.amin(-2)


def restarted(shapes: Tensor, starts: Tensor) -> tuple[Tensor, Tensor]:
    """Put starts where shapes are none: where points coincide or are not finite.

    Parameters
    ----------
    shapes, starts : (K, L, 2) float, pixels
        Broadcast against each other.

    Returns
    -------
    shapes : (K, L, 2) float, pixels
        Something that :func:`thermalign.geometry.fit_similarity` takes.
    lost : (K,) bool
        Where they are starts.
    """
    lost = ~(shapes.isfinite().all(-1).all(-1) & (spread(shapes).amax(-1) > 0))
    return torch.where(lost[:, None, None], starts, shapes), lost


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
    shift_sd : float
        Standard deviation of the shifts, shares of ``extent``.
    rotation_sd : float, degrees
    scale_sd : float
        Scales are normal around 1, at least 0.1.
    extent : (2,) float, pixels, optional
        A width and a height; without it each shape's own.

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


def _centre_and_side(boxes: Tensor) -> tuple[Tensor, Tensor]:
    centre = boxes[:, :2] + (boxes[:, 2:] - 1) / 2
    return centre[:, None], boxes[:, 2:].mean(1)[:, None, None]
