"""The search of whole images: copies of falling size, what their cells say, one box a face."""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

from thermalign.geometry import Floats, box_intersection
from thermalign.landmarks.contract import Detections
from thermalign.landmarks.finder.cells import BOX, Told, read
from thermalign.landmarks.finder.network import COARSEST, Finder, measure, show
from thermalign.landmarks.finder.settings import Settings
from thermalign.warp import LEVELS, ImageStack

MARGIN = 8
"""Pixels around a copy in which the image's border repeats."""

_PIXELS = 500_000  # of the largest copies per batch
_FILLS = 1.5  # width of the largest face, of an image's shorter side
_UNION = 0.35  # overlap beyond which the worse box is dropped
_INSIDE = 0.7  # the same as share of the smaller box


@torch.no_grad()
def find_faces(model: Finder, stack: ImageStack, settings: Settings, *, score: float) -> Detections:
    """Find the faces of whole images.

    Parameters
    ----------
    model : Finder
    stack : ImageStack of N images, of any sizes
    settings : Settings
    score : float
        Least probability of a face.

    Returns
    -------
    Detections
    """
    found = [_look(model, stack, rows, settings, score=score) for rows in _batches(stack)]
    index, boxes, scores, points = (torch.cat(parts) for parts in zip(*found, strict=True))
    order = index.argsort(stable=True)
    return Detections(index[order], boxes[order], scores[order], points[order])


def resized(stack: ImageStack, rows: Tensor, width: int, height: int) -> Tensor:
    """Return images ``rows`` of one size, shrunk as `thermalign.warp.warp` would, but faster.

    But for half a pixel of a mip level at the far border, where that level's side was odd.

    Returns
    -------
    (K, 1, height, width) float32
    """
    shrink = float(stack.sizes[rows[0], 0].prod()) / (width * height)
    level = min(max(0, math.floor(0.5 * math.log2(shrink) + 1e-4)), LEVELS - 1)
    found = stack.alike(rows, level)[:, None]
    return interpolate(found, (height, width), mode="bilinear", align_corners=False)


def copies(images: Tensor, settings: Settings) -> list[Tensor]:
    """Return images (K, 1, H, W) and their copies, each half as large as the one before.

    In the last a face half as wide again as the image's shorter side is not too large. Borders are
    repeated where a side is odd.
    """
    made = [images]
    while min(made[-1].shape[2:]) > settings.sizes[1] / _FILLS:
        even = [side % 2 for side in made[-1].shape[2:]]
        whole = pad(made[-1], (0, even[1], 0, even[0]), mode="replicate")
        made.append(avg_pool2d(whole, 2))
    return made


def bordered(images: Tensor) -> Tensor:
    """Repeat the border of images (K, 1, H, W) by MARGIN and to multiples of COARSEST."""
    height, width = images.shape[2:]
    more = [-(side + 2 * MARGIN) % COARSEST + MARGIN for side in (width, height)]
    return pad(images, (MARGIN, more[0], MARGIN, more[1]), mode="replicate")


def _batches(stack: ImageStack) -> Iterator[Tensor]:
    """Go through images of one size together."""
    sizes, group = torch.unique(stack.sizes[:, 0], dim=0, return_inverse=True)
    for n, (width, height) in enumerate(sizes.tolist()):
        members = (group == n).nonzero()[:, 0]
        yield from torch.split(members, max(1, _PIXELS // (width * height)))


def _look(
    model: Finder, stack: ImageStack, rows: Tensor, settings: Settings, *, score: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return image, box, score and points of each face of images ``rows`` of one size.

    Those of an image stand together, the surest first.
    """
    size = stack.sizes[rows[0], 0]
    scale = min(1.0, settings.longest / float(size.max()))
    width, height = (max(1, round(scale * side)) for side in size.tolist())
    images = resized(stack, rows, width, height)
    pixel = size / torch.tensor([width, height], device=size.device)  # of the copy, in the image's
    levels = measure(images)
    parts = []
    for k, copy in enumerate(copies(images, settings)):
        told = read(model(show(bordered(copy), levels)), settings, score=score)
        parts.append(_in_image(told, rows, 2**k * pixel))
    index, boxes, scores, points = (torch.cat(each) for each in zip(*parts, strict=True))
    order = scores.argsort(descending=True, stable=True)
    order = order[index[order].argsort(stable=True)]
    faces = order[_kept(index[order], boxes[order])]
    return index[faces], boxes[faces], scores[faces], points[faces]


def _in_image(told: Told, rows: Tensor, pixel: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Bring faces from a copy to its image; ``pixel`` (2,) is the size of the copy's pixels."""
    # Boxes are measured from an image's corner, points from the centre of its first pixel.
    corner = (told.centres - MARGIN + 0.5) * pixel
    extent = told.sizes[:, None] * pixel * torch.tensor([1, BOX[1] / BOX[0]], device=pixel.device)
    boxes = torch.cat([corner - extent / 2, extent], dim=1)
    points = (told.points - MARGIN + 0.5) * pixel - 0.5
    return rows[told.copies], boxes, told.scores, points


def _kept(index: Tensor, boxes: Tensor) -> Tensor:
    """Return which boxes (D, 4) of images ``index`` (D,), in order, are distinct, (D,) bool.

    They are compared on the host, which waits once, and not for each image.
    """
    ends = np.flatnonzero(np.diff(index.cpu().numpy())) + 1
    kept = [distinct(own) for own in np.split(boxes.cpu().numpy(), ends)]
    return torch.from_numpy(np.concatenate(kept)).to(boxes.device)


def distinct(boxes: Floats) -> npt.NDArray[np.bool_]:
    """Return which boxes (D, 4) of an image, the surest first, none before hides: greedy, (D,)."""
    common = box_intersection(boxes[:, None], boxes[None])
    areas = boxes[:, 2:].prod(1)
    union = areas[:, None] + areas[None] - common
    smaller = np.minimum(areas[:, None], areas[None])
    hides = (common > _UNION * union) | (common > _INSIDE * smaller)
    kept = np.zeros(len(boxes), bool)
    for n in range(len(boxes)):
        kept[n] = not (hides[n] & kept).any()
    return kept
