"""The finder's network: what it is shown of an image, and what it says of every cell."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from thermalign.geometry import LANDMARKS
from thermalign.landmarks.contract import channels_last
from thermalign.landmarks.finder.settings import Settings
from thermalign.landmarks.layers import Residual, convolution
from thermalign.training.precision import Mixed

CELL = 4
"""Side of a cell, pixels of a copy."""

COARSEST = 16
"""Sides of a copy are multiples of this, pixels."""

OUTPUTS = 4 + 2 * len(LANDMARKS)
"""Of a cell: score, centre (x, y), log size, points (x, y) each."""

_CHANNELS = (16, 32, 64, 96)  # at a half, a quarter, an eighth and a sixteenth of a copy
_BLOCKS = (0, 1, 2, 1)  # residual blocks at each
_RARE = -4.0  # log odds of a face before training
_AROUND = 7  # blocks of CELL pixels a side: 28 px, about a face
_LEAST = 0.03  # least local deviation, of half the range of an image's values
_SAMPLES = 8192  # of an image on which its levels are measured, about
_LEVELS = (0.01, 0.995)  # quantiles of an image that become -1 and 1
_OVERSHOOT = 1.5  # values of both channels stay linear up to here


class Finder(Mixed):
    """Down to a sixteenth of a copy's resolution and back up to a quarter, where the cells are.

    Source
    ------
    Zhou, Wang and Kraehenbuehl, arXiv:1904.07850, 2019 (CenterNet: a face is the cell of its
    centre, which says its size); Newell, Yang and Deng, ECCV 2016 (down, up, added across). Differs
    from them in: a tenth of their layers; one size of faces, over copies of the image.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        wide = [max(1, round(channels * settings.width)) for channels in _CHANNELS]
        pairs = list(pairwise(wide))

        def level(entry: nn.Module, channels: int, blocks: int) -> nn.Sequential:
            return nn.Sequential(entry, *(Residual(channels) for _ in range(blocks)))

        self.stem = level(convolution(2, wide[0], kernel=5, stride=2), wide[0], _BLOCKS[0])
        self.down = nn.ModuleList(
            level(convolution(a, b, stride=2), b, blocks)
            for (a, b), blocks in zip(pairs, _BLOCKS[1:], strict=True)
        )
        self.across = nn.ModuleList(nn.Conv2d(b, a, 1, bias=False) for a, b in pairs[1:])
        self.up = nn.ModuleList(convolution(a, a) for a, _ in pairs[1:])
        self.cells = nn.Conv2d(wide[1], OUTPUTS, 1)
        bias = torch.zeros(OUTPUTS)
        bias[0] = _RARE
        self.cells.bias = nn.Parameter(bias)
        channels_last(self)

    def forward(self, shown: Tensor) -> Tensor:
        """Return what cells say, (K, OUTPUTS, H / 4, W / 4) float32, of inputs (K, 2, H, W)."""
        with self.trunk_precision(shown):
            features = self.stem(channels_last(shown))
            levels = []
            for down in self.down:
                features = down(features)
                levels.append(features)
            for k in reversed(range(len(levels) - 1)):
                coarse = interpolate(self.across[k](features), scale_factor=2.0)
                features = self.up[k](levels[k] + coarse)
        cells: Tensor = self.cells(features.float())
        return cells


def show(images: Tensor, levels: Tensor) -> Tensor:
    """Return what the network is shown of images: their values, and values against their surround.

    The second does not depend on how warm the ground is or what else is in the image.

    Parameters
    ----------
    images : (K, 1, H, W) float32
        Sides are multiples of 4.
    levels : (K, 2) float32
        Values of each image that become -1 and 1.

    Returns
    -------
    (K, 2, H, W) float32, within -1.5 and 1.5
    """
    low, high = (level[:, None, None, None] for level in levels.unbind(1))
    value = ((images - low) / (high - low).clamp(min=1e-6) * 2 - 1).clamp(-_OVERSHOOT, _OVERSHOOT)
    around = _surround(torch.cat([value, value.square()], dim=1))
    mean, square = around[:, :1], around[:, 1:]
    deviation = (square - mean.square()).clamp(min=_LEAST**2).sqrt()
    local = ((value - mean) / (2 * deviation)).clamp(-_OVERSHOOT, _OVERSHOOT)
    return torch.cat([value, local], dim=1)


def measure(images: Tensor) -> Tensor:
    """Return the levels (K, 2) of images (K, 1, H, W): their 1st and 99.5th percentile."""
    step = max(1, round((images[0].numel() / _SAMPLES) ** 0.5))
    values = images[:, 0, ::step, ::step].flatten(1).sort(1).values
    ranks = (torch.tensor(_LEVELS) * (values.shape[1] - 1)).round().long()
    return values[:, ranks.to(values.device)]


def _surround(values: Tensor) -> Tensor:
    """Return the means over about 28 x 28 pixels around each pixel."""
    blocks = avg_pool2d(values, CELL)
    means = avg_pool2d(blocks, _AROUND, 1, _AROUND // 2, count_include_pad=False)
    return interpolate(means, scale_factor=float(CELL), mode="bilinear", align_corners=False)
