"""What is kept of a picture when its counts are gone: a thumbnail, and how much is clipped."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from thermalign.geometry import Floats
from thermalign.ingest.corners import Corners, part_of

SIDE = 16  # px of a thumbnail
STEPS = 32  # of a thumbnail's values a standard deviation


class Looks(NamedTuple):
    """How N pictures look, row for row with IMAGES.

    Attributes
    ----------
    thumbnails : (N, SIDE, SIDE) int8
        Mean counts of as many parts of the picture, from its mean, in standard deviations / STEPS.
    dark, bright : (N,) float
        Shares of the pixels of the face that have the least and the greatest count of the picture.
    """

    thumbnails: npt.NDArray[np.int8]
    dark: Floats
    bright: Floats


class Look(NamedTuple):
    """How one picture looks: mean counts (SIDE, SIDE) float32 of its parts, clipped shares."""

    parts: npt.NDArray[np.float32]
    dark: float
    bright: float


def look_of(counts: npt.NDArray[Any], corners: Corners | None) -> Look:
    """Return how one picture looks.

    Parameters
    ----------
    counts : (height, width) uint8, uint16 or float32
    corners : Corners or None
        Of its face; without them, or where they lie outside, all of it counts as one.
    """
    small = cv2.resize(counts, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    part = counts if corners is None else part_of(counts, corners)
    part = part if part.size else counts
    dark = np.count_nonzero(part == counts.min()) / part.size
    bright = np.count_nonzero(part == counts.max()) / part.size
    return Look(np.asarray(small, np.float32), dark, bright)


def looks_of(each: Sequence[Look]) -> Looks:
    """Return how several pictures look, their thumbnails standardised."""
    if not each:
        return join_looks([])
    small = np.stack([look.parts for look in each])
    small -= small.mean(axis=(1, 2), keepdims=True)
    spread = np.sqrt((small * small).mean(axis=(1, 2), keepdims=True))
    steps = np.rint(small * (STEPS / np.where(spread > 0, spread, 1)))
    thumbnails = np.clip(steps, -127, 127).astype(np.int8)
    ends = np.array([(look.dark, look.bright) for look in each])
    return Looks(thumbnails, ends[:, 0], ends[:, 1])


def join_looks(parts: Sequence[Looks]) -> Looks:
    """Put looks behind each other."""
    if not parts:
        nothing = np.empty(0)
        return Looks(np.empty((0, SIDE, SIDE), np.int8), nothing, nothing)
    return Looks(*(np.concatenate(its) for its in zip(*parts, strict=True)))
