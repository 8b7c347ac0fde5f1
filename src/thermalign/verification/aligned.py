"""Aligned faces out of image files and landmarks, for every step that makes them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from thermalign.geometry import LANDMARKS, Floats, Integers
from thermalign.images import read_image
from thermalign.verification import alignment
from thermalign.warp import ImageStack, stack_images, warp

BATCH = 256  # images held at once


def alignable(points: Floats, settings: dict[str, Any]) -> npt.NDArray[np.bool_]:
    """Say which faces can be aligned; the others count as failures to align.

    Parameters
    ----------
    points : (N, L, 2) float, pixels, (x, y)
        NaN where a landmark was not found.
    settings : the ``alignment:`` block

    Returns
    -------
    (N,) bool
    """
    return alignment.alignable(points, _canonical(settings), settings["method"])


def align_images(rows: pd.DataFrame, points: Floats, settings: dict[str, Any]) -> Tensor:
    """Align images by their landmarks.

    Parameters
    ----------
    rows : DataFrame of N IMAGES
    points : (N, L, 2) float, pixels, (x, y)
    settings : the ``alignment:`` block: width, height, method and the canonical points

    Returns
    -------
    (N, height, width) float32, physical units

    Raises
    ------
    ValueError
        If a face is not :func:`alignable`, or an image does not open.
    """
    empty = torch.empty(0, settings["height"], settings["width"])
    return torch.cat([empty, *aligned_batches(rows, points, settings)])


def aligned_batches(
    rows: pd.DataFrame, points: Floats, settings: dict[str, Any]
) -> Iterator[Tensor]:
    """Yield what :func:`align_images` returns in parts, in order, few images in memory."""
    for k in range(0, len(rows), BATCH):
        batch = rows.iloc[k : k + BATCH].to_dict("records")
        stack = stack_images([read_image(row) for row in batch], torch.device("cpu"))
        yield align_stack(stack, np.arange(len(batch)), points[k : k + BATCH], settings)


def align_stack(
    stack: ImageStack, index: Integers, points: Floats, settings: dict[str, Any]
) -> Tensor:
    """Align images that are in memory, on their device.

    Parameters
    ----------
    stack : ImageStack
    index : (M,) int
        Which image of the stack each face is in.
    points : (M, L, 2) float, pixels of the stack's images, (x, y)
    settings : as for :func:`align_images`

    Returns
    -------
    (M, height, width) float32, physical units

    Raises
    ------
    ValueError
        If a face is not :func:`alignable`.
    """
    matrices = alignment.fit(points, _canonical(settings), settings["method"])
    where, shape = torch.as_tensor(index), {key: settings[key] for key in ("width", "height")}
    return warp(stack, where.to(stack.device), torch.as_tensor(matrices).to(stack.device), **shape)[
        :, 0
    ]


def _canonical(settings: dict[str, Any]) -> Floats:
    return np.array([settings["points"][name] for name in LANDMARKS], np.float64)
