"""The crops that MTCNN is trained on: negatives, parts, positives and landmark faces.

A pool holds the crops of one kind that a stage draws its batches from. Crops are squares; a box
that sticks out of its image is filled by the repeated border. ASSUME: an image holds one face.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from thermalign.geometry import box_iou
from thermalign.landmarks.contract import Faces
from thermalign.landmarks.mtcnn.settings import Settings
from thermalign.training.loop import derived_seed

_TRIES = 8  # draws of a landmark crop before the undisturbed box is taken
_SHIFT = 0.2  # of a face's sides, at most, between the centres of face and crop; port
_SIDES = (0.8, 1.25)  # of a crop: from so much of the shorter side to that of the longer one; port
_LARGEST_NEGATIVE = 0.5  # of the image's shorter side; port


@dataclass(frozen=True)
class Crops:
    """Boxes in the frames of examples.

    Attributes
    ----------
    rows : (K,) int64
        The example of each.
    boxes : (K, 4) float32, pixels, (x, y, width, height)
    """

    rows: Tensor
    boxes: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, chosen: Tensor) -> "Crops":
        return Crops(self.rows[chosen], self.boxes[chosen])

    def draw(self, count: int, generator: torch.Generator) -> "Crops":
        """Draw crops with replacement."""
        return self[
            torch.randint(len(self), (count,), generator=generator, device=self.rows.device)
        ]


@dataclass(frozen=True)
class Pools:
    """Crops by their overlap with the face box; those between two bands are in none."""

    negatives: Crops
    parts: Crops
    positives: Crops

    def of(self, rows: Tensor) -> "Pools":
        """Return the pools of a subset's examples as those of the set it was taken from."""
        pools = (self.negatives, self.parts, self.positives)
        return Pools(*(Crops(rows[crops.rows], crops.boxes) for crops in pools))


def join(crops: list[Crops]) -> Crops:
    """Put crops behind each other."""
    return Crops(torch.cat([c.rows for c in crops]), torch.cat([c.boxes for c in crops]))


def random_pools(faces: Faces, settings: Settings, generator: torch.Generator) -> Pools:
    """Draw crops anywhere in the images, beside the faces and around them.

    Source
    ------
    AITTSMD/MTCNN-Tensorflow, which the method's authors left it to: 50 + 5 negatives and 20 crops
    around each face, of which those count that fall into a band. Differs from it in: the sides of
    negatives are evenly spread over their logarithm, from the smallest face up to half the image,
    since a pyramid of images is a pyramid of windows; negatives are moved inside the image (inside
    the part of it that was kept), and crops around a face may stick out.
    """
    beside = join(
        [
            _windows(faces, settings.negative_crops, settings, generator, near=False),
            _windows(faces, settings.near_crops, settings, generator, near=True),
        ]
    )
    around = split(faces, _around(faces, settings.face_crops, generator), settings)
    return Pools(split(faces, beside, settings).negatives, around.parts, around.positives)


def split(faces: Faces, crops: Crops, settings: Settings) -> Pools:
    """Sort crops into pools by their overlap with the face."""
    overlap = box_iou(crops.boxes, faces.boxes[crops.rows])
    part = (overlap >= settings.part_iou) & (overlap <= settings.positive_iou)
    return Pools(
        crops[overlap < settings.negative_iou],
        crops[part],
        crops[overlap > settings.positive_iou],
    )


def mined_pools(faces: Faces, found: Crops, settings: Settings) -> Pools:
    """Sort what the networks before found into pools.

    Parameters
    ----------
    faces : Faces
    found : Crops, by example, then by falling score
        Of the negatives of an example only the first ``most_negatives`` stay: the hardest.
    settings : Settings
    """
    pools = split(faces, found, settings)
    rows = pools.negatives.rows
    first = torch.searchsorted(rows, rows)  # rows are sorted: where each example's begin
    rank = torch.arange(len(rows), device=rows.device) - first
    return Pools(pools.negatives[rank < settings.most_negatives], pools.parts, pools.positives)


def top_up(mined: Pools, faces: Faces, settings: Settings, generator: torch.Generator) -> Pools:
    """Fill pools with random crops where mining found too few.

    ASSUME: too few is less than ``least_crops`` per face of parts and of positives, and three times
    as many negatives.

    Raises
    ------
    ValueError
        If a pool stays empty.
    """
    spare = random_pools(faces, settings, generator)
    least = settings.least_crops * len(faces)
    pools = Pools(
        _fill(mined.negatives, spare.negatives, 3 * least, generator),
        _fill(mined.parts, spare.parts, least, generator),
        _fill(mined.positives, spare.positives, least, generator),
    )
    check(pools)
    return pools


def check(pools: Pools) -> None:
    """Refuse pools that are empty.

    Raises
    ------
    ValueError
        Naming the kind of crop that is missing.
    """
    for name in ("negatives", "parts", "positives"):
        if len(getattr(pools, name)) == 0:
            raise ValueError(
                f"mtcnn: none of the crops drawn are {name} by their overlap with the face; draw "
                "more (negative_crops, face_crops), or check the face boxes and the limits of iou"
            )


def disturb_boxes(boxes: Tensor, settings: Settings, generator: torch.Generator) -> Tensor:
    """Shift and scale boxes at random, keeping the least overlap with the given ones.

    Parameters
    ----------
    boxes : (K, 4) float, pixels, (x, y, width, height)
    settings : Settings
    generator : torch.Generator

    Returns
    -------
    (K, 4) float, pixels
        The first of eight draws that overlaps enough, else the box itself.
    """
    draws = torch.rand((len(boxes), _TRIES, 3), generator=generator, device=boxes.device)
    low, high = settings.scale
    scale = low + (high - low) * draws[..., 2:]
    shift = settings.shift * (2 * draws[..., :2] - 1)
    corner, size = boxes[:, None, :2], boxes[:, None, 2:]  # (K, 1, 2)
    moved = torch.cat([corner + (shift + (1 - scale) / 2) * size, scale * size], dim=-1)
    tries = torch.cat([moved, boxes[:, None]], dim=1)  # (K, TRIES + 1, 4)
    enough = box_iou(tries, boxes[:, None]) >= settings.least_iou
    enough[:, -1] = True
    first = enough.int().argmax(1)
    return tries[torch.arange(len(boxes), device=boxes.device), first]


def rotations(boxes: Tensor, most: float, generator: torch.Generator) -> Tensor:
    """Return matrices (K, 2, 3) that turn images by up to ``most`` degrees around box centres."""
    draws = torch.rand(len(boxes), generator=generator, device=boxes.device)
    angle = (2 * draws - 1) * math.radians(most)
    a, b = angle.cos(), angle.sin()
    turn = torch.stack([torch.stack([a, -b], -1), torch.stack([b, a], -1)], -2)  # (K, 2, 2)
    centre = (boxes[:, :2] + (boxes[:, 2:] - 1) / 2)[:, :, None]
    return torch.cat([turn, centre - turn @ centre], dim=-1)


def generator(train: Faces, seed: int, stage: int) -> torch.Generator:
    """Return the draws of a stage's crops: they depend on the seed and the stage (from 0) alone."""
    return torch.Generator(train.stack.device).manual_seed(derived_seed(seed, stage))


def _fill(mined: Crops, spare: Crops, least: int, generator: torch.Generator) -> Crops:
    missing = least - len(mined)
    if missing <= 0 or len(spare) == 0:
        return mined
    return join([mined, spare.draw(missing, generator)])


def _windows(
    faces: Faces, count: int, settings: Settings, generator: torch.Generator, *, near: bool
) -> Crops:
    """Draw squares of any size of face, anywhere in the images or touching the faces."""
    rows = torch.arange(len(faces), device=faces.stack.device).repeat_interleave(count)
    sizes, boxes = faces.sizes[rows], faces.boxes[rows]
    draws = torch.rand((len(rows), 3), generator=generator, device=rows.device)
    high = _LARGEST_NEGATIVE * sizes.amin(1, keepdim=True)
    low = high.clamp(max=settings.min_face)
    side = low * (high / low) ** draws[:, 2:]
    space = sizes - side  # of the window's corner
    corner = draws[:, :2] * space
    if near:
        corner = boxes[:, :2] - side + draws[:, :2] * (boxes[:, 2:] + side)
        corner = torch.minimum(corner.clamp(min=0), space)
    return Crops(rows, torch.cat([corner, side, side], dim=1))


def _around(faces: Faces, count: int, generator: torch.Generator) -> Crops:
    """Draw squares of about the faces' size and place."""
    rows = torch.arange(len(faces), device=faces.stack.device).repeat_interleave(count)
    boxes = faces.boxes[rows]
    draws = torch.rand((len(rows), 3), generator=generator, device=rows.device)
    low = _SIDES[0] * boxes[:, 2:].amin(1, keepdim=True)
    high = _SIDES[1] * boxes[:, 2:].amax(1, keepdim=True)
    side = low + (high - low) * draws[:, 2:]
    shift = _SHIFT * (2 * draws[:, :2] - 1) * boxes[:, 2:]
    corner = boxes[:, :2] + (boxes[:, 2:] - side) / 2 + shift
    return Crops(rows, torch.cat([corner, side, side], dim=1))
