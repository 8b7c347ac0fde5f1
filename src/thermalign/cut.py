"""Parts of images: cut to the face box and what lies around it, on the device."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, as_tensor

from thermalign.geometry import Floats
from thermalign.images import Pictures
from thermalign.warp import LEVELS, ImageStack, stack_images, stack_pictures

_MARGIN = 32  # px kept around what is asked for: PBC's surroundings, neighbours of samples
_LEAST = 64  # px kept on either side of a box's centre: the least that PBC sees of a small box

_BLOCK = 2 ** (LEVELS - 1)  # px: side of what is a pixel of the coarsest mip level


def device() -> torch.device:
    """Return the GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@dataclass(frozen=True)
class Cut:
    """Parts of N images, each in coordinates of its own.

    Attributes
    ----------
    stack : ImageStack of N parts
    boxes : (N, 4) float32, pixels of the parts, (x, y, width, height)
    origins : (N, 2) float32, pixels of the images, (x, y)
        The top-left pixels of the parts: part coordinates plus these are image coordinates.
    """

    stack: ImageStack
    boxes: Tensor
    origins: Tensor


def cut_images(
    images: Pictures | Iterable[Floats], boxes: Floats, reach: float, further: Floats | float = 0.0
) -> Cut:
    """Cut images to their face boxes and what lies around them.

    Where a model looks further, the border of the part repeats, as an image's own border does.

    Parameters
    ----------
    images : Pictures, or N arrays (height, width)
        Each may go once its part is cut. Parts of pictures stay in the bits of their files.
    boxes : (N, 4) float, pixels, (x, y, width, height)
    reach : float
        How far beyond its sides a box is kept, in sides; infinite for whole images.
    further : (N, 2) float or float, pixels, (x, y)
        What is kept beyond that on either side. What is seen within ``reach`` is the same with and
        without: parts grow by whole pixels of the coarsest mip level at the top and left, where up
        to 7 px at an image's border stay out.

    Returns
    -------
    Cut

    Raises
    ------
    ValueError
        If a box is not finite.
    """
    if not np.isfinite(boxes).all():
        n = int(np.flatnonzero(~np.isfinite(boxes).all(axis=1))[0])
        raise ValueError(f"the face box of image {n} is {boxes[n].tolist()}; give finite numbers")
    wider = np.broadcast_to(further, (len(boxes), 2))
    where = zip(boxes, wider, strict=True)
    if isinstance(images, Pictures):
        spans = [_span(s, *at, reach) for s, at in zip(images.shapes, where, strict=True)]
        pictures = (p.part(*span) for p, span in zip(images, spans, strict=True))
        sizes = np.array([[s.stop - s.start for s in span[::-1]] for span in spans])
        stack = stack_pictures(pictures, sizes.reshape(-1, 2), images.kind, device())
    else:
        spans, parts = [], []
        for image, at in zip(images, where, strict=True):
            spans.append(_span(image.shape, *at, reach))
            parts.append(image[spans[-1]].copy())
        stack = stack_images(parts, device())
    origins = np.array([(columns.start, rows.start) for rows, columns in spans], np.float32)
    moved = boxes - np.pad(origins, ((0, 0), (0, 2)))
    return Cut(
        stack,
        as_tensor(moved.astype(np.float32)).to(stack.device),
        as_tensor(origins).to(stack.device),
    )


def _span(
    shape: tuple[int, ...], box: Floats, further: Floats, reach: float
) -> tuple[slice, slice]:
    """Return the rows and columns kept; at least one pixel, wherever the box lies."""
    if math.isinf(reach):
        return slice(0, shape[0]), slice(0, shape[1])
    spans = []
    along = zip(box[1::-1], box[:1:-1], shape, further[::-1], strict=True)
    for at, side, length, more in along:
        half = max((0.5 + reach) * side + _MARGIN, _LEAST)
        low, high = math.floor(at + side / 2 - half), math.ceil(at + side / 2 + half)
        low = min(max(low, 0), length - 1)
        low -= _BLOCK * min(math.ceil(more / _BLOCK), low // _BLOCK)
        spans.append(slice(low, max(min(high + math.ceil(more), length), low + 1)))
    return spans[0], spans[1]
