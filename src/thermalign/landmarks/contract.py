"""What every detector is given and gives back, and what detectors share around it."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from thermalign.geometry import (
    LANDMARKS,
    compose_matrices,
    interocular_distance,
    mirror_matrix,
    mirror_points,
    point_distances,
)
from thermalign.images import BATCH
from thermalign.warp import ImageStack, warp


@cache
def constant(
    values: tuple[Any, ...], device: torch.device, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Return numbers as a tensor on a device, copied there once, since every copy is waited for.

    Equal numbers are the same tensor ever after: nobody may change it, nor a view of it.
    """
    with torch.inference_mode(False):  # what inference makes cannot be trained with
        return torch.tensor(values, device=device, dtype=dtype)


MAPS = 1 << 30
"""Bytes that a network's maps of the faces of a batch take at most, in prediction."""

C = TypeVar("C", Tensor, nn.Module)


@dataclass(frozen=True)
class Faces:
    """Annotated faces of a fold, mirrored copies included, each in its own *example frame*.

    A mirrored example has its box and points in the mirrored image; ``frame`` brings the stored
    image there, so that a model never asks whether an example is mirrored.

    Attributes
    ----------
    stack : ImageStack of N images
    index : (M,) int64
        The image of each example.
    frame : (M, 2, 3) float32
        From stored image to example frame: the identity or a mirror.
    boxes : (M, 4) float32, pixels, (x, y, width, height), example frame
    points : (M, L, 2) float32, pixels, (x, y), example frame
    """

    stack: ImageStack
    index: Tensor
    frame: Tensor
    boxes: Tensor
    points: Tensor

    def __len__(self) -> int:
        return len(self.index)

    def first(self, count: int) -> "Faces":
        """Return the first ``count`` examples; their images stay one stack."""
        return self.subset(torch.arange(min(count, len(self)), device=self.index.device))

    def subset(self, rows: Tensor) -> "Faces":
        """Return the examples ``rows`` (K,); their images stay one stack."""
        parts = (self.index, self.frame, self.boxes, self.points)
        return Faces(self.stack, *(part[rows] for part in parts))

    def crops(self, rows: Tensor, matrices: Tensor, *, width: int, height: int) -> Tensor:
        """Warp examples ``rows`` (K,) by ``matrices`` (K, 2, 3) from their example frames.

        Returns
        -------
        (K, 1, height, width) float32, in the units of the stack
        """
        whole = compose_matrices(matrices, self.frame[rows])
        return warp(self.stack, self.index[rows], whole, width=width, height=height)

    def mirrored(self) -> "Faces":
        """Return the same examples, each in the mirror image of its example frame."""
        width = self.sizes[:, 0]
        others = {
            "frame": compose_matrices(mirror_matrix(width), self.frame),
            "boxes": mirror_boxes(self.boxes, width),
            "points": mirror_points(self.points, width),
        }
        return replace(self, **others)

    @property
    def sizes(self) -> Tensor:
        """Width and height of each example's image, (M, 2) float32, pixels."""
        return self.stack.sizes[self.index, 0].float()


def mirror_boxes(boxes: Tensor, widths: Tensor) -> Tensor:
    """Mirror boxes (N, 4) in images of ``widths`` (N,), pixels."""
    return torch.cat([(widths - boxes[:, 0] - boxes[:, 2])[:, None], boxes[:, 1:]], dim=1)


def make_faces(
    stack: ImageStack, index: Tensor, flipped: Tensor, boxes: Tensor, points: Tensor
) -> Faces:
    """Bring boxes and points of stored images into the example frames.

    Parameters
    ----------
    stack : ImageStack of N images
    index : (M,) int64
        The image of each example.
    flipped : (M,) bool
        Whether the example is the mirrored image.
    boxes : (M, 4) float, pixels, (x, y, width, height), as stored
    points : (M, L, 2) float, pixels, (x, y), as stored

    Returns
    -------
    Faces
    """
    width = stack.widths[index]
    identity = torch.eye(2, 3, device=stack.device).expand(len(index), 2, 3)
    return Faces(
        stack=stack,
        index=index,
        frame=torch.where(flipped[:, None, None], mirror_matrix(width), identity),
        boxes=torch.where(flipped[:, None], mirror_boxes(boxes, width), boxes),
        points=torch.where(flipped[:, None, None], mirror_points(points, width), points),
    )


@dataclass(frozen=True)
class Detections:
    """Faces found in the images of a stack, by image, then by falling score.

    Attributes
    ----------
    index : (D,) int64
        The image of each.
    boxes : (D, 4) float32, pixels, (x, y, width, height)
    scores : (D,) float32
        Probability that it is a face.
    points : (D, L, 2) float32, pixels, (x, y)
    """

    index: Tensor
    boxes: Tensor
    scores: Tensor
    points: Tensor

    def __len__(self) -> int:
        return len(self.index)


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


def untold(points: Tensor) -> Tensor:
    """Return the covariance (N, L, 2, 2) of points of which a detector tells none: NaN."""
    return points.new_full((*points.shape, 2), torch.nan)


def chunks(faces: Faces, *, each: float = 0.0) -> tuple[Tensor, ...]:
    """Split the rows of all examples into batches for prediction, each (K,) int64.

    Parameters
    ----------
    faces : Faces
    each : float, bytes
        What a network's largest maps of a face take. Batches of BATCH are halved until they take no
        more than MAPS.
    """
    size = BATCH
    while size > 1 and size * each > MAPS:
        size //= 2
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
    distance = point_distances(predicted, points).mean(-1)
    error: Tensor = (distance / interocular_distance(points)).mean()
    return error
