"""Layers that networks share. Names of their parts are those of tensors in states."""

import torch
from torch import Tensor, nn


class Residual(nn.Module):
    """Two convolutions whose result is added to what they were given."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = convolution(channels, channels)
        self.second = convolution(channels, channels, active=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape (K, C, H, W)."""
        return torch.relu(features + self.second(self.first(features)))


def convolution(
    before: int, after: int, *, kernel: int = 3, stride: int = 1, active: bool = True
) -> nn.Sequential:
    """Return a convolution with batch normalisation and, if it is active, a ReLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(after),
    ]
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if active else []))
