"""How a detector that says nothing of its own errors is asked: again, about the same face.

The face is shown mirrored and in boxes moved and resized a little. Where the points scatter, they
depend on what should not matter. What that is worth in errors, validation faces say:
:mod:`thermalign.landmarks.calibration`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from thermalign.geometry import Floats, mirror_points
from thermalign.images import BATCH
from thermalign.landmarks.calibration import Examples
from thermalign.landmarks.contract import Faces, mirror_boxes
from thermalign.warp import ImageStack, mirrored

Look = Callable[[ImageStack, Tensor], tuple[Tensor, Tensor]]
"""A trained detector: images and boxes to points and their raw covariance, as it predicts."""

_MOST = 400  # validation images that are looked at: more tell little more
_SHIFT, _GROWTH = 0.2, 1.4  # of a box moved at random, at most: sides of the box; size over its own
_MOVED = 0.3  # share of an image's weight that its moved box has; its given box has the rest


@dataclass(frozen=True)
class Pass:
    """One more look at a face.

    Attributes
    ----------
    right, down : float
        Way of the box, in means of its two sides.
    scale : float
        Size of the box, over the given size.
    mirrored : bool
        Whether the image is mirrored.
    """

    right: float
    down: float
    scale: float
    mirrored: bool


PASSES = (
    Pass(0.0, 0.0, 1.0, mirrored=True),
    Pass(0.06, 0.0, 1.08, mirrored=False),
    Pass(0.0, -0.06, 1.08, mirrored=True),
)
"""The looks of which scatter is measured: each costs what a prediction costs. Boxes move by about
twice the deviation of derived boxes. Chosen on validation people: five looks, with smaller boxes
and the opposite ways as well, foretold errors no better."""


def room(boxes: Floats, reach: float, *, calibrating: bool = False) -> Floats:
    """Return how much further than one look all looks at a face see.

    Parameters
    ----------
    boxes : (N, 4) float, pixels, (x, y, width, height)
    reach : float
        How far one look sees beyond its box, in sides.
    calibrating : bool
        Whether boxes are disturbed before, as `examples_of` does.

    Returns
    -------
    (N, 2) float64, pixels, (x, y)
        To either side; 0 where the reach is infinite.
    """
    if math.isinf(reach):
        return np.zeros((len(boxes), 2))
    way = max(max(abs(its.right), abs(its.down)) for its in PASSES)
    growth = max(its.scale for its in PASSES)
    if calibrating:
        way, growth = _SHIFT + _GROWTH * way, _GROWTH * growth
    sides = boxes[:, 2:]
    more: Floats = (0.5 + reach) * (growth - 1) * sides + way * sides.mean(axis=1, keepdims=True)
    return more


def look_again(look: Look, stack: ImageStack, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Predict, and measure the covariance of points where the detector tells none.

    Parameters
    ----------
    look : Look
    stack : ImageStack of N images
    boxes : (N, 4) float, pixels, (x, y, width, height)

    Returns
    -------
    points : (N, L, 2) float32, pixels, (x, y)
        As the detector predicts them in the given boxes.
    covariance : (N, L, 2, 2) float32, square pixels
        The detector's own, or the mean of (p - q)(p - q)' over `PASSES`, with p the point and q
        that of the pass, in the image as it is. NaN where no pass finds the face.
    """
    points, covariance = look(stack, boxes)
    silent = (covariance.isnan().flatten(1).any(1) & points.isfinite().flatten(1).all(1)).nonzero()
    for rows in torch.split(silent[:, 0], BATCH) if len(silent) else ():  # images are copied
        away = points[rows, None] - _passes(look, stack.take(rows), boxes[rows])  # (K, P, L, 2)
        seen = (away[..., None] * away[..., None, :]).nanmean(1)
        told = covariance[rows]
        covariance[rows] = torch.where(told.isnan(), seen, told)
    return points, covariance


def _passes(look: Look, stack: ImageStack, boxes: Tensor) -> Tensor:
    """Return the points that every pass finds, (N, P, L, 2), pixels of the images as they are."""
    boxes = boxes.to(stack.device, torch.float32)
    every = torch.arange(len(stack), device=stack.device)
    found: list[Tensor] = [boxes] * len(PASSES)
    for flip in (False, True):
        chosen = [n for n, its in enumerate(PASSES) if its.mirrored == flip]
        asked = torch.cat([moved(boxes, PASSES[n]) for n in chosen])
        shown = (mirrored(stack) if flip else stack).take(every.repeat(len(chosen)))
        points, _ = look(shown, mirror_boxes(asked, shown.widths) if flip else asked)
        points = mirror_points(points, shown.widths) if flip else points
        for n, part in zip(chosen, points.split(len(stack)), strict=True):
            found[n] = part
    return torch.stack(found, dim=1)


def moved(boxes: Tensor, its: Pass) -> Tensor:
    """Move and resize boxes (N, 4), pixels, (x, y, width, height), as a pass says.

    They are resized around their centres.
    """
    side = boxes[:, 2:].mean(1, keepdim=True)
    way = torch.tensor([its.right, its.down], device=boxes.device) * side
    size = boxes[:, 2:] * its.scale
    return torch.cat([boxes[:, :2] + (boxes[:, 2:] - size) / 2 + way, size], dim=1)


def examples_of(look: Look, faces: Faces, people: Sequence[str]) -> Examples:
    """Look at validation faces with a trained detector, for its calibration.

    Every image is looked at in its given box, as it is and mirrored, and in one moved and resized
    at random: three examples, that share the weight of one.

    Parameters
    ----------
    look : Look
    faces : Faces
        M examples of images as they are, none mirrored, 1 at least; of more than 400 evenly some.
    people : M names
        Who is shown.

    Returns
    -------
    calibration.Examples
        Three of each image that was looked at.
    """
    chosen = torch.arange(0, len(faces), math.ceil(len(faces) / _MOST))
    faces = faces.subset(chosen.to(faces.index.device))
    who = np.unique([people[n] for n in chosen.tolist()], return_inverse=True)[1]
    plain = faces.stack.take(faces.index)
    boxes, truth, given = faces.boxes, faces.points, (1 - _MOVED) / 2
    flipped = mirror_boxes(boxes, plain.widths), mirror_points(truth, plain.widths)
    looks: list[list[Tensor]] = []
    for stack, where, target, weight in (
        (plain, boxes, truth, given),
        (mirrored(plain), *flipped, given),
        (plain, disturbed(boxes, torch.Generator().manual_seed(0)), truth, _MOVED),
    ):
        points, raw = look_again(look, stack, where)
        looks.append([points, target, raw, torch.full((len(faces),), weight)])
    every = [torch.cat([t.cpu().double() for t in its]).numpy() for its in zip(*looks, strict=True)]
    found, true, told, weights = every
    usual = np.repeat([True, True, False], len(faces))
    who, images = (np.tile(each, len(looks)) for each in (who, chosen.numpy()))
    return Examples(found, true, told, weights, who, images, usual)


def disturbed(boxes: Tensor, generator: torch.Generator) -> Tensor:
    """Move and resize boxes (N, 4), pixels, (x, y, width, height), at random.

    By up to `_SHIFT` of the mean of a box's two sides, in any direction, and by up to `_GROWTH`.
    """
    draws = torch.rand((len(boxes), 3), generator=generator).to(boxes.device)
    side = boxes[:, 2:].mean(1, keepdim=True)
    angle, way = 2 * math.pi * draws[:, :1], _SHIFT * side * draws[:, 1:2]
    size = boxes[:, 2:] * _GROWTH ** (2 * draws[:, 2:] - 1)
    centre = boxes[:, :2] + boxes[:, 2:] / 2 + way * torch.cat([angle.cos(), angle.sin()], 1)
    return torch.cat([centre - size / 2, size], dim=1)
