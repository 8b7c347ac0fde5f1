"""What models share around Faces: box units, faces without points, batches, the error watched."""

from typing import TypeVar

import torch
from torch import Tensor, nn

from thermalign.geometry import LANDMARKS, interocular_distance
from thermalign.landmarks._data import Faces
from thermalign.warp import ImageStack

C = TypeVar("C", Tensor, nn.Module)


def to_box_units(points: Tensor, boxes: Tensor) -> Tensor:
    """Express points as fractions of their boxes: (0, 0) is the top-left corner, (1, 1) the last.

    Parameters
    ----------
    points : (M, L, 2) float, pixels, (x, y)
    boxes : (M, 4) float, pixels, (x, y, width, height)

    Returns
    -------
    (M, L, 2) float, fractions of the box
    """
    return (points - boxes[:, None, :2] + 0.5) / boxes[:, None, 2:]


def from_box_units(points: Tensor, boxes: Tensor) -> Tensor:
    """Bring fractions of boxes back to pixels: the inverse of `to_box_units`."""
    return points * boxes[:, None, 2:] + boxes[:, None, :2] - 0.5


def unannotated(stack: ImageStack, boxes: Tensor) -> Faces:
    """Return one example per image, without points, as prediction needs it.

    Parameters
    ----------
    stack : ImageStack of N images
    boxes : (N, 4) float, pixels, (x, y, width, height)

    Returns
    -------
    Faces
        Their points are NaN.

    Raises
    ------
    ValueError
        If there is not one box with a positive size per image.
    """
    if boxes.shape != (len(stack), 4):
        raise ValueError(
            f"{len(stack)} images came with boxes of shape {tuple(boxes.shape)}; "
            "give one (x, y, width, height) per image"
        )
    boxes = boxes.to(stack.device, torch.float32)
    bad = ~(torch.isfinite(boxes).all(1) & (boxes[:, 2:] > 0).all(1))
    if bool(bad.any()):
        n = int(bad.nonzero()[0])
        raise ValueError(f"the face box of image {n} is {boxes[n].tolist()}; give a positive size")
    return Faces(
        stack=stack,
        index=torch.arange(len(stack), device=stack.device),
        frame=torch.eye(2, 3, device=stack.device).repeat(len(stack), 1, 1),
        boxes=boxes,
        points=torch.full((len(stack), len(LANDMARKS), 2), torch.nan, device=stack.device),
    )


def chunks(faces: Faces, size: int = 256) -> tuple[Tensor, ...]:
    """Split the rows of all examples into batches for prediction."""
    rows = torch.arange(len(faces), device=faces.stack.device)
    return tuple(torch.split(rows, size))


def draw_rows(faces: Faces, count: int, generator: torch.Generator) -> Tensor:
    """Draw examples with replacement, (count,) int64."""
    return torch.randint(len(faces), (count,), generator=generator, device=faces.stack.device)


def channels_last(layers: C) -> C:
    """Lay out a batch of images, or a module's weights, with channels innermost.

    Same numbers, but convolutions and pools run up to twice as fast on CPUs.
    """
    if isinstance(layers, nn.Module):
        return layers.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return layers.contiguous(memory_format=torch.channels_last)


def point_error(predicted: Tensor, faces: Faces, rows: Tensor) -> Tensor:
    """Return the mean point-to-point distance over interocular distances.

    Parameters
    ----------
    predicted : (K, L, 2) float, pixels, example frame
    faces : Faces
    rows : (K,) int64

    Returns
    -------
    () float, interocular distances
    """
    points = faces.points[rows]
    distance = (predicted - points).norm(dim=-1).mean(-1)
    error: Tensor = (distance / interocular_distance(points)).mean()
    return error
