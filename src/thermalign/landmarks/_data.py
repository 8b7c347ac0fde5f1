"""What every landmark model is given and gives back."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from thermalign.geometry import compose_matrices, mirror_matrix, mirror_points
from thermalign.warp import ImageStack, warp


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

    @property
    def sizes(self) -> Tensor:
        """Width and height of each example's image, (M, 2) float32, pixels."""
        return self.stack.sizes[self.index, 0].float()


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
    mirrored_boxes = torch.cat([(width - boxes[:, 0] - boxes[:, 2])[:, None], boxes[:, 1:]], dim=1)
    return Faces(
        stack=stack,
        index=index,
        frame=torch.where(flipped[:, None, None], mirror_matrix(width), identity),
        boxes=torch.where(flipped[:, None], mirrored_boxes, boxes),
        points=torch.where(flipped[:, None, None], mirror_points(points, width), points),
    )


@dataclass(frozen=True)
class CurvePoint:
    """One row of a training curve: mean loss since the row before, and validation NMSE.

    Processor seconds, of all cores together, count from the beginning of the training.
    """

    stage: str
    step: int
    loss: float
    validation_nmse: float
    core_seconds: float


@dataclass(frozen=True)
class State:
    """A trained model: its tensors on the CPU by name, and how training went.

    Attributes
    ----------
    tensors : name -> Tensor
    curve : list of CurvePoint
    notes : name -> text or number
        For the metadata of its file: ``precision``, that it was trained in (``float32`` or
        ``bfloat16``), and what else a model has to say.
    """

    tensors: dict[str, Tensor]
    curve: list[CurvePoint] = field(default_factory=list)
    notes: dict[str, str | int] = field(default_factory=dict)


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
