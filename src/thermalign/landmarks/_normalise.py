"""From physical values to network input: what a model takes as dark and as bright.

The levels of a face are measured once, on its box, and applied to every crop or patch of it, so
that a small patch keeps its brightness relative to the face.
"""

import torch
from torch import Tensor

from thermalign.geometry import box_to_crop
from thermalign.landmarks._data import Faces

METHODS = ("percentile", "window", "histogram")

_SAMPLES = 64  # the box is measured on a grid of so many samples a side
_LOW, _HIGH = 0.05, 0.99  # quantiles that become -1 and 1
_OVERSHOOT = 1.4  # values beyond the levels stay linear up to here
_KNOTS = 65  # quantiles kept of a histogram
_FLAT = 1e-6  # least distance of two levels, in units of the stack


def measure_levels(faces: Faces, method: str, window: tuple[float, float]) -> Tensor:
    """Measure the levels of each face on its box.

    Parameters
    ----------
    faces : Faces of M examples
    method : str
        ``percentile``: the 5th and the 99th percentile. ``window``: the same two values for every
        face. ``histogram``: evenly spaced quantiles, so that all values become equally frequent.
    window : (low, high), units of the stack
        Of ``window``.

    Returns
    -------
    (M, K) float32, units of the stack, ascending

    Source
    ------
    None. ASSUME: the paper does not say how its detectors' inputs were scaled; percentiles are
    robust to cold backgrounds and to an offset or gain of the camera.
    """
    device = faces.stack.device
    if method == "window":
        return torch.tensor(window, device=device).expand(len(faces), 2)
    levels = [
        _quantiles(faces, rows, method)
        for rows in torch.arange(len(faces), device=device).split(1024)
    ]
    return torch.cat(levels)


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
    return scaled.clamp(-_OVERSHOOT, _OVERSHOOT).view(crops.shape)


def _quantiles(faces: Faces, rows: Tensor, method: str) -> Tensor:
    matrices = box_to_crop(faces.boxes[rows], _SAMPLES, _SAMPLES)
    values = faces.crops(rows, matrices, width=_SAMPLES, height=_SAMPLES).flatten(1)
    if method == "percentile":
        at = torch.tensor([_LOW, _HIGH])
    else:
        at = torch.linspace(0, 1, _KNOTS)
    ranks = (at * (values.shape[1] - 1)).round().long().to(values.device)
    return values.sort(1).values[:, ranks]
