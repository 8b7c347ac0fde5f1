"""Dense descriptors of signed gradients, SIFT-like, on a fixed grid of aligned faces."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from thermalign.verification.dog import blur


@dataclass(frozen=True)
class Settings:
    """The grid and the histograms of the descriptors.

    Attributes
    ----------
    cell : int, pixels
        Side of a cell. ASSUME: 8 at 46 px between the eyes.
    orientations : int
        Histogram bins.
    signed : bool
        Bins over 360 degrees. Unsigned gradients ignore the inversion of contrast between
        modalities, which a mapping could learn.
    floor : float
        Share of the image's mean descriptor norm below which a descriptor is not blown up. ASSUME.
    """

    cell: int = 8
    orientations: int = 8
    signed: bool = True
    floor: float = 0.1

    def __post_init__(self) -> None:
        if self.cell < 2 or self.orientations < 2 or self.floor <= 0:
            raise ValueError("features: cell and orientations must be at least 2, floor positive")


def describe(images: Tensor, settings: Settings) -> Tensor:
    """Describe images by gradient histograms of overlapping blocks of 2 x 2 cells.

    Parameters
    ----------
    images : (N, H, W) float32
        Output of :func:`thermalign.verification.dog.filter_faces`.
    settings : Settings

    Returns
    -------
    (N, H // cell - 1, W // cell - 1, 4 x orientations) float32
        Each descriptor of norm at most 1.

    Source
    ------
    Dalal and Triggs, CVPR 2005, and Lowe, IJCV 60(2), 2004; dense and signed as in Sarfraz and
    Stiefelhagen, BMVC 2015. Differs from them in: Gaussian instead of bilinear pooling into cells,
    and a normalisation floor relative to the image.
    """
    cells = _cells(images, settings)
    blocks = torch.cat(
        [cells[:, :-1, :-1], cells[:, 1:, :-1], cells[:, :-1, 1:], cells[:, 1:, 1:]], dim=-1
    )
    norm = blocks.norm(dim=-1, keepdim=True)
    floor = settings.floor * norm.mean((1, 2, 3), keepdim=True) + torch.finfo(norm.dtype).tiny
    return blocks / (norm**2 + floor**2).sqrt()


def _cells(images: Tensor, settings: Settings) -> Tensor:
    """Return orientation histograms (N, H // cell, W // cell, orientations)."""
    sobel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], device=images.device)
    spread = pad(images[:, None], (1, 1, 1, 1), mode="replicate")
    gradient = conv2d(spread, torch.stack([sobel, sobel.T])[:, None])
    magnitude = gradient.norm(dim=1)
    period = 2 * math.pi if settings.signed else math.pi
    angle = torch.atan2(gradient[:, 1], gradient[:, 0]) % period
    position = angle / period * settings.orientations
    low = position.floor()
    share = position - low
    half, size = settings.cell // 2, settings.cell
    rows, columns = (side // size for side in images.shape[1:])
    planes = []
    for k in range(settings.orientations):
        is_low = low % settings.orientations == k
        is_high = (low + 1) % settings.orientations == k
        weight = magnitude * (is_low * (1 - share) + is_high * share)
        pooled = blur(weight, size / 2)
        planes.append(pooled[:, half::size, half::size][:, :rows, :columns])
    return torch.stack(planes, dim=-1)
