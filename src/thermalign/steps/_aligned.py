"""Aligned faces out of image files and landmarks, for every step that makes them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from thermalign.geometry import LANDMARKS, Floats
from thermalign.images import read_image
from thermalign.verification import alignment
from thermalign.warp import stack_images, warp

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
    matrices = torch.as_tensor(alignment.fit(points, _canonical(settings), settings["method"]))
    size = {"width": settings["width"], "height": settings["height"]}
    for k in range(0, len(rows), BATCH):
        batch = rows.iloc[k : k + BATCH].to_dict("records")
        stack = stack_images([read_image(row) for row in batch], torch.device("cpu"))
        yield warp(stack, torch.arange(len(batch)), matrices[k : k + BATCH], **size)[:, 0]


def _canonical(settings: dict[str, Any]) -> Floats:
    return np.array([settings["points"][name] for name in LANDMARKS], np.float64)
