"""Dense descriptors of signed gradients, SIFT-like, on a fixed grid of aligned faces."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from thermalign.geometry import Floats
from thermalign.settings import check, setting
from thermalign.verification.dog import gaussian_matrix


@dataclass(frozen=True)
class Settings:
    """The grid and the histograms of the descriptors.

    Attributes
    ----------
    cell : int, pixels
        Side of a cell. ASSUME: 8 at 46 px between the eyes; the papers' could not be read.
    orientations : int
        Histogram bins.
    signed : bool
        Bins over 360 degrees. Unsigned gradients ignore the inversion of contrast between
        modalities, which a mapping could learn.
    floor : float
        Share of the image's mean descriptor norm below which a descriptor is not blown up. ASSUME.
    """

    cell: int = setting(8, low=2, unit="px")
    orientations: int = setting(8, low=2)
    signed: bool = setting(True)
    floor: float = setting(0.1, low=1e-6)

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        check(self)


def describe(images: Tensor, settings: Settings) -> Tensor:
    """Describe images by gradient histograms of overlapping blocks of 2 x 2 cells.

        v / sqrt(|v|^2 + (floor mean |v|)^2)   for the joined histograms v of a block

    Parameters
    ----------
    images : (N, H, W) float32
        Output of :func:`thermalign.verification.dog.filter_faces`.
    settings : Settings

    Returns
    -------
    (N, H // cell - 1, W // cell - 1, 4 x orientations) float32
        Each descriptor of norm at most 1: upper left, lower left, upper right, lower right cell;
        zero in an image without gradients.

    Raises
    ------
    ValueError
        If an image holds fewer than 2 x 2 cells.

    Source
    ------
    Dalal and Triggs, CVPR 2005, and Lowe, IJCV 60(2), 2004; dense and signed as in Sarfraz and
    Stiefelhagen, BMVC 2015. Differs from them in: Gaussian instead of bilinear pooling into cells,
    and a normalisation floor relative to the image.
    """
    if min(images.shape[1:]) < 2 * settings.cell:
        raise ValueError(
            f"features: faces of {images.shape[2]} x {images.shape[1]} px hold no block of 2 x 2 "
            f"cells of {settings.cell} px; lower features.cell"
        )
    cells = _cells(images, settings)
    blocks = torch.cat(
        [cells[:, :-1, :-1], cells[:, 1:, :-1], cells[:, :-1, 1:], cells[:, 1:, 1:]], dim=-1
    )
    norm = blocks.norm(dim=-1, keepdim=True)
    floor = settings.floor * norm.mean((1, 2, 3), keepdim=True) + torch.finfo(norm.dtype).tiny
    return blocks / torch.hypot(norm, floor)  # squares of `tiny` would vanish


def mirror(descriptors: Tensor, settings: Settings) -> Tensor:
    """Return the descriptors (N, rows, columns, D) of the mirrored faces.

    Raises
    ------
    ValueError
        If the bins do not mirror onto each other: an odd number of signed ones.
    """
    bins = settings.orientations
    if settings.signed and bins % 2:
        raise ValueError(
            f"{bins} signed orientations do not mirror; make features.orientations even"
        )
    opposite = bins // 2 if settings.signed else 0  # an angle a becomes 180 degrees - a
    direction = [(opposite - k) % bins for k in range(bins)]
    cells = (2, 3, 0, 1)  # left and right change sides
    order = torch.tensor([bins * cell + k for cell in cells for k in direction])
    return descriptors.flip(2)[..., order.to(descriptors.device)]


def as_vectors(descriptors: Tensor) -> Floats:
    """Return descriptors (N, rows, columns, D) as one float64 vector per face, (N, rows x ...)."""
    return descriptors.flatten(1).double().cpu().numpy()


def _cells(images: Tensor, settings: Settings) -> Tensor:
    """Return orientation histograms (N, H // cell, W // cell, orientations) around cell centres."""
    planes = _orientation_planes(images, settings)
    rows, columns = (
        gaussian_matrix(_centres(side, settings.cell), settings.cell / 2, size=side).to(images)
        for side in images.shape[1:]
    )
    return (rows @ planes @ columns.T).permute(0, 2, 3, 1)


def _orientation_planes(images: Tensor, settings: Settings) -> Tensor:
    """Share each pixel's gradient between the two nearest of K bins, (N, K, H, W).

    Bin k is centred on k / K of the period, from the direction of x towards that of y.
    """
    sobel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]).to(images)
    spread = pad(images[:, None], (1, 1, 1, 1), mode="replicate")
    gradient = conv2d(spread, torch.stack([sobel, sobel.T])[:, None])
    magnitude = torch.hypot(gradient[:, :1], gradient[:, 1:])  # (N, 1, H, W), as all below
    period = 2 * math.pi if settings.signed else math.pi
    angle = torch.atan2(gradient[:, 1:], gradient[:, :1]) % period
    position = angle * (settings.orientations / period)
    low = position.floor()
    share = magnitude * (position - low)
    bins = low.long() % settings.orientations
    planes = images.new_zeros((len(images), settings.orientations, *images.shape[1:]))
    planes.scatter_(1, bins, magnitude - share)
    return planes.scatter_(1, (bins + 1) % settings.orientations, share)


def _centres(side: int, cell: int) -> Tensor:
    """Return the centres of the cells along a side, in pixels; the grid is centred on the image."""
    count = side // cell
    start = (side - count * cell) / 2
    return start + cell * (torch.arange(count, dtype=torch.float64) + 0.5) - 0.5
