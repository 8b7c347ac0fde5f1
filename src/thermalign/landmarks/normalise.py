"""From physical values to network input: what a model takes as dark and as bright.

The levels of a face are measured once, on its box, and applied to every crop or patch of it, so
that a small patch keeps its brightness relative to the face. A detector without a box measures them
on what it sees (`measure`).
"""

from dataclasses import dataclass
from functools import cache
from typing import Protocol

import torch
from torch import Tensor

from thermalign.geometry import box_to_crop
from thermalign.landmarks.contract import Faces, chunks, constant

OVERSHOOT = 1.4
"""Values beyond the levels stay linear up to here, on both sides of zero."""

LEVELS = (0.05, 0.99)
"""Quantiles of the face's box that become -1 and 1."""

SAMPLES = 64
"""The box is measured on a grid of so many samples a side."""

WINDOW_RISES = (
    "window[0] < window[1]",
    "window is {window[0]:g}, {window[1]:g}; give the lower value first",
)
"""Relation of the settings of every model that has a ``window``."""

_KNOTS = 65  # quantiles kept of a histogram
_FLAT = 1e-6  # least distance of two levels, in units of the stack


class Normalisation(Protocol):
    """The settings of a model that say how its input is normalised."""

    @property
    def normalisation(self) -> str:
        """Between which values the input is scaled.

        ``percentile``: between the 5th and the 99th percentile of the face's box. ``window``:
        between the same two values for every face. ``histogram``: between evenly spaced quantiles,
        so that all values become equally frequent.
        """

    @property
    def window(self) -> tuple[float, float]:
        """Lowest and highest value of ``window``: degrees Celsius for thermal images."""


@dataclass(frozen=True)
class NormalisedFaces:
    """Faces with the levels (M, K) of each."""

    faces: Faces
    levels: Tensor

    def __len__(self) -> int:
        return len(self.faces)

    def crops(self, rows: Tensor, matrices: Tensor, *, width: int, height: int) -> Tensor:
        """Warp as `Faces.crops` does and normalise, (K, 1, height, width)."""
        crops = self.faces.crops(rows, matrices, width=width, height=height)
        return normalise(crops, self.levels[rows])

    def mirrored(self) -> "NormalisedFaces":
        """Return the same faces mirrored, with the same levels."""
        return NormalisedFaces(self.faces.mirrored(), self.levels)


def prepare(faces: Faces, settings: Normalisation) -> NormalisedFaces:
    """Measure the levels of each face on its box.

    Source
    ------
    None. ASSUME: the paper does not say how its detectors' inputs were scaled; percentiles are
    robust to cold backgrounds and to an offset or gain of the camera.
    """
    if settings.normalisation == "window":
        return NormalisedFaces(faces, _window(settings, faces.boxes))
    levels = []
    for rows in chunks(faces):
        matrices = box_to_crop(faces.boxes[rows], SAMPLES, SAMPLES)
        crops = faces.crops(rows, matrices, width=SAMPLES, height=SAMPLES)
        levels.append(measure(crops, settings))
    return NormalisedFaces(faces, torch.cat(levels))


def measure(crops: Tensor, settings: Normalisation) -> Tensor:
    """Measure the levels of each crop on the crop itself.

    Parameters
    ----------
    crops : (M, 1, H, W) float32, units of the stack
    settings : Normalisation

    Returns
    -------
    (M, K) float32
    """
    if settings.normalisation == "window":
        return _window(settings, crops)
    values = crops.flatten(1)
    which = _ranks(settings.normalisation, values.shape[1])
    ranks = constant(which, values.device, torch.int64)
    return values.sort(1).values[:, ranks]


def normalise(crops: Tensor, levels: Tensor) -> Tensor:
    """Map the lowest level to -1 and the highest to 1, linearly between neighbouring levels.

    Parameters
    ----------
    crops : (M, 1, H, W) float32, units of the levels
    levels : (M, K) float32

    Returns
    -------
    (M, 1, H, W) float32, within -1.4 and 1.4
    """
    below = levels[:, :-1]
    step = (levels[:, 1:] - below).clamp(min=_FLAT)
    flat = crops.flatten(1)
    if levels.shape[1] == 2:
        position = (flat - below) / step
    else:
        k = torch.searchsorted(levels[:, 1:-1].contiguous(), flat)
        position = k + (flat - below.gather(1, k)) / step.gather(1, k)
    scaled = position * (2 / (levels.shape[1] - 1)) - 1
    return scaled.clamp(-OVERSHOOT, OVERSHOOT).view(crops.shape)


def _window(settings: Normalisation, rows: Tensor) -> Tensor:
    return constant(settings.window, rows.device).repeat(len(rows), 1)


@cache
def _ranks(normalisation: str, count: int) -> tuple[int, ...]:
    """Return which of ``count`` sorted values are the levels."""
    few = torch.tensor(LEVELS)
    at = few if normalisation == "percentile" else torch.linspace(0, 1, _KNOTS)
    return tuple((at * (count - 1)).round().long().tolist())
