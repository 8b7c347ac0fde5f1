"""The part of a picture where its face is."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy.typing as npt

Corners = tuple[float, float, float, float]
"""Left, top, right and bottom, pixels: centres of the outermost ones. Of so few numbers, plain ones
are faster than arrays."""


def around(points: Iterable[Sequence[float]]) -> Corners:
    """Return the corners of the surroundings of landmarks (L, 2)."""
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def within(x: float, y: float, width: float, height: float) -> Corners:
    """Return the corners of a face box."""
    return x, y, x + width - 1, y + height - 1


def middle_of(x: float, y: float, width: float, height: float) -> Corners:
    """Return the corners of the middle half of a face box, about which the landmarks lie."""
    return x + width / 4, y + height / 4, x + 0.75 * width, y + 0.75 * height


def part_of(counts: npt.NDArray[Any], corners: Corners) -> npt.NDArray[Any]:
    """Return the pixels (height, width) within corners, none where they lie outside."""
    left, top, right, bottom = map(round, corners)
    return counts[max(0, top) : max(0, bottom + 1), max(0, left) : max(0, right + 1)]
