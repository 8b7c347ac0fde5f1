"""The images of a job as one stack on the device, cut to what the job looks at."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, as_tensor

from thermalign.geometry import Floats
from thermalign.images import read_image
from thermalign.landmarks._data import State
from thermalign.steps._model import device
from thermalign.warp import ImageStack, stack_images

BOX = ["x", "y", "width", "height"]
"""Columns of a face box, pixels."""

_MARGIN = 32  # px kept around what is asked for: PBC's surroundings, neighbours of samples
_LEAST = 64  # px kept on either side of a box's centre: the least that PBC sees of a small box


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


def read_images(rows: pd.DataFrame) -> Iterator[Floats]:
    """Read the images of IMAGES one by one, float32 in physical units."""
    return (read_image(row) for row in rows.to_dict("records"))


def boxes_of(rows: pd.DataFrame, boxes: pd.DataFrame) -> Floats:
    """Return the box of each image of IMAGES, (N, 4) float64."""
    return boxes.set_index("image_id").loc[rows["image_id"], BOX].to_numpy(np.float64)


def cut_images(images: Iterable[Floats], boxes: Floats, reach: float) -> Cut:
    """Cut images to their face boxes and what a model sees beyond them.

    Where a model looks further, the border of the part repeats, as an image's own border does.

    Parameters
    ----------
    images : N arrays (height, width)
        Each may go once its part is cut.
    boxes : (N, 4) float, pixels, (x, y, width, height)
    reach : float
        How far beyond its sides a box is kept, in sides; infinite for whole images.

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
    parts, corners = [], []
    for image, box in zip(images, boxes, strict=True):
        rows, columns = _span(image, box, reach)
        parts.append(image[rows, columns].copy())
        corners.append((columns.start, rows.start))
    origins = np.array(corners, np.float32)
    stack = stack_images(parts, device())
    moved = boxes - np.pad(origins, ((0, 0), (0, 2)))
    return Cut(
        stack,
        as_tensor(moved.astype(np.float32)).to(stack.device),
        as_tensor(origins).to(stack.device),
    )


def predict_cut(module: ModuleType, state: State, cut: Cut, settings: Any) -> tuple[Floats, Floats]:
    """Predict landmarks in parts of images and bring them back to the images.

    Returns
    -------
    points : (N, L, 2) float64, pixels of the images, (x, y)
    confidence : (N, L) float64
    """
    with torch.inference_mode():
        points, confidence = module.predict(state, cut.stack, cut.boxes, settings)
    points = points + cut.origins[:, None]
    return points.cpu().double().numpy(), confidence.cpu().double().numpy()


def _span(image: Floats, box: Floats, reach: float) -> tuple[slice, slice]:
    """Return the rows and columns kept; at least one pixel, wherever the box lies."""
    if math.isinf(reach):
        return slice(0, image.shape[0]), slice(0, image.shape[1])
    spans = []
    for at, side, length in zip(box[1::-1], box[:1:-1], image.shape, strict=True):
        half = max((0.5 + reach) * side + _MARGIN, _LEAST)
        low, high = math.floor(at + side / 2 - half), math.ceil(at + side / 2 + half)
        low = min(max(low, 0), length - 1)
        spans.append(slice(low, max(min(high, length), low + 1)))
    return spans[0], spans[1]
