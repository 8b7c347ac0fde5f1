"""Batches of MTCNN's three tasks and their losses."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from thermalign.geometry import apply_matrix, box_to_crop, compose_matrices
from thermalign.landmarks.augment.camera import draw_camera
from thermalign.landmarks.augment.distortion import distorted
from thermalign.landmarks.contract import Faces
from thermalign.landmarks.mtcnn import crops
from thermalign.landmarks.mtcnn.boxes import box_offsets
from thermalign.landmarks.mtcnn.crops import Crops, Pools, join
from thermalign.landmarks.mtcnn.networks import Heads, Network
from thermalign.landmarks.mtcnn.settings import Settings
from thermalign.landmarks.normalise import measure, normalise
from thermalign.training import loop

Weights = tuple[float, float, float]
"""Of the face, box and landmark losses."""

Counts = tuple[int, int, int, int]
"""Negatives, positives, parts and landmark faces of a batch, in this order."""


@dataclass(frozen=True)
class Lesson:
    """What a network is taught on.

    Attributes
    ----------
    faces : Faces
    pools : Pools or None
        None where the landmark loss alone is learnt.
    landmark_boxes : Crops
        The boxes that landmark crops are disturbed from.
    levels : (M, K) float or None
        Of the examples' whole images; None where a crop is normalised by its own.
    weights : Weights
    """

    faces: Faces
    pools: Pools | None
    landmark_boxes: Crops
    levels: Tensor | None
    weights: Weights


@dataclass(frozen=True)
class Batch:
    """The crops of a batch.

    Attributes
    ----------
    faces : K Faces
        That each crop is of.
    boxes : (K, 4) float32, pixels, example frame
    to_crop : (K, 2, 3) float32
        From example frame to crop.
    counts : Counts
    """

    faces: Faces
    boxes: Tensor
    to_crop: Tensor
    counts: Counts


def loss(net: Network, lesson: Lesson, settings: Settings, generator: torch.Generator) -> Tensor:
    """Draw a batch and return its loss.

    ``alternating``: the batch is of one task, each as probable as the others. ``weighted_sum``: it
    is of all three. ``landmarks``: it is of landmark faces.

    Source
    ------
    Zhang et al., IEEE Signal Processing Letters 23(10), 2016. Differs from it in: ASSUME, the order
    of the tasks is drawn, so that a resumed training needs no counter beside its draws; ASSUME, the
    losses' weights hold for alternating batches as well; every crop has an augmentation of its own.
    Boxes stay where a face is distorted, and so do crops.
    """
    counts = batch_counts(settings, _draw_task(settings, generator))
    parts = [_draw_squares(lesson, counts, generator)] if sum(counts[:3]) else []
    matrices = [box_to_crop(part.boxes, net.size, net.size) for part in parts]
    if counts[3]:
        landmark_crops, turned = _draw_landmark_crops(
            lesson, settings, counts[3], generator, size=net.size
        )
        parts, matrices = [*parts, landmark_crops], [*matrices, turned]
    crops, to_crop = join(parts), torch.cat(matrices)
    faces = distorted(lesson.faces, crops.rows, settings.augment, generator)
    camera = draw_camera(faces, settings.augment, generator)
    rows = torch.arange(len(faces), device=to_crop.device)
    values = faces.crops(rows, to_crop, width=net.size, height=net.size)
    if lesson.levels is None:
        levels = measure(values, settings)
    elif settings.normalisation == "window":
        levels = lesson.levels[crops.rows]  # the same in every image, so nothing moves them
    else:
        levels = widen_levels(lesson.levels[crops.rows], settings.widening, generator)
    images = normalise(values, levels)
    if camera is not None:
        images = camera.record(images, rows, to_crop)
    batch = Batch(faces, crops.boxes, to_crop, counts)
    return _weigh(
        net.on_crops(images), batch, lesson.weights, share=settings.hard_share, size=net.size
    )


def batch_counts(settings: Settings, task: str) -> Counts:
    """Return how many crops of each kind a batch of a task holds, at least one of each it needs.

    ASSUME: an alternating batch keeps the ratios of those kinds that its loss looks at: negatives
    and positives for the face, positives and parts for the box, landmark faces alone.
    """
    negative, part, positive, landmark = settings.ratio
    wanted = {
        "face": (negative, positive, 0.0, 0.0),
        "box": (0.0, positive, part, 0.0),
        "landmarks": (0.0, 0.0, 0.0, 1.0),
        "all": (negative, positive, part, landmark),
    }[task]
    whole = sum(wanted)
    first, second, third, fourth = (
        max(1, round(settings.batch_size * share / whole)) if share else 0 for share in wanted
    )
    return first, second, third, fourth


def hard_face_loss(logits: Tensor, is_face: Tensor, share: float) -> Tensor:
    """Return the mean cross-entropy of the hardest examples: online hard example mining.

    Parameters
    ----------
    logits : (K, 2) float
    is_face : (K,) int64
    share : float
        Of the batch that counts, the examples with the largest losses.

    Returns
    -------
    () float
    """
    losses = cross_entropy(logits, is_face, reduction="none")
    hardest: Tensor = losses.topk(max(1, round(share * len(losses)))).values
    return hardest.mean()


def widen_levels(levels: Tensor, most: float, generator: torch.Generator) -> Tensor:
    """Lower the lowest level and raise the highest one at random, the others in proportion.

    An image with a lamp in it has a higher highest level; its faces are grey then, not white.

    Parameters
    ----------
    levels : (K, Q) float, units of the stack
    most : float
        Share of the span of the levels that either end is moved by, at most.
    generator : torch.Generator

    Returns
    -------
    (K, Q) float
    """
    draws = most * torch.rand((len(levels), 2), generator=generator, device=levels.device)
    low, span = levels[:, :1], levels[:, -1:] - levels[:, :1]
    return low - draws[:, :1] * span + (levels - low) * (1 + draws.sum(1, keepdim=True))


def _draw_task(settings: Settings, generator: torch.Generator) -> str:
    if settings.losses != "alternating":
        return "landmarks" if settings.losses == "landmarks" else "all"
    return ("face", "box", "landmarks")[loop.drawn_number(3, generator)]


def _draw_squares(lesson: Lesson, counts: Counts, generator: torch.Generator) -> Crops:
    """Draw negatives, positives and parts, in this order."""
    if lesson.pools is None:
        raise ValueError("mtcnn: face and box losses need pools of crops")
    pools = (lesson.pools.negatives, lesson.pools.positives, lesson.pools.parts)
    drawn = zip(pools, counts[:3], strict=True)
    return join([pool.draw(count, generator) for pool, count in drawn if count])


def _draw_landmark_crops(
    lesson: Lesson, settings: Settings, count: int, generator: torch.Generator, *, size: int
) -> tuple[Crops, Tensor]:
    """Draw disturbed boxes, and the matrices (K, 2, 3) that also turn them a little."""
    given = lesson.landmark_boxes.draw(count, generator)
    boxes = crops.disturb_boxes(given.boxes, settings, generator)
    turns = crops.rotations(boxes, settings.rotation, generator)
    return Crops(given.rows, boxes), compose_matrices(box_to_crop(boxes, size, size), turns)


def _weigh(heads: Heads, batch: Batch, weights: Weights, *, share: float, size: int) -> Tensor:
    """Add up the losses of the tasks that the batch has crops for."""
    face, box, landmarks = heads
    negatives, positives, parts, of_landmarks = batch.counts
    classified, squares = negatives + positives, negatives + positives + parts
    total = face.new_zeros(())
    if negatives:
        is_face = (torch.arange(classified, device=face.device) >= negatives).long()
        total = total + weights[0] * hard_face_loss(face[:classified], is_face, share)
    if parts:
        shown = slice(negatives, squares)
        offset = box[shown] - box_offsets(batch.boxes[shown], batch.faces.boxes[shown])
        total = total + weights[1] * offset.square().sum(1).mean()
    if of_landmarks:
        shown = slice(squares, None)
        points = apply_matrix(batch.to_crop[shown], batch.faces.points[shown])
        squared = (landmarks[shown] - (points + 0.5) / size).square()
        total = total + weights[2] * squared.sum((1, 2)).mean()
    return total
