"""Difference of Gaussians with local contrast normalisation, on aligned faces."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from thermalign.settings import check, setting

TRUNCATE = 4.0  # standard deviations kept of a Gaussian kernel
FLOOR = 1e-3  # share of a face's strongest response below which contrast is not evened out


@dataclass(frozen=True)
class Settings:
    """The band-pass filter that stands before the features.

    Attributes
    ----------
    median : bool
        Take the 3 x 3 median first, against dead pixels (Hu et al. 2015).
    inner, outer : float, pixels
        Standard deviations of the two Gaussians. ASSUME: the papers' values could not be read;
        1 and 3 at 46 px between the eyes.
    contrast : float, pixels
        Standard deviation of the window of local contrast. ASSUME.
    saturation : float
        Multiple of the local contrast at which tanh bends. ASSUME: Tan and Triggs 2010 bend at
        10, after a power that pulls outliers in; 1.5 with their square.
    """

    median: bool = setting(True)
    inner: float = setting(1.0, low=1e-6, unit="px")
    outer: float = setting(3.0, low=1e-6, unit="px")
    contrast: float = setting(14.0, low=1e-6, unit="px")
    saturation: float = setting(1.5, low=1e-6)

    RELATIONS = (("inner < outer", "inner is {inner}; give less than outer, which is {outer}"),)

    def __post_init__(self) -> None:
        """Refuse what is out of range, and an inner Gaussian that is not the narrower one."""
        check(self)


def filter_faces(faces: Tensor, settings: Settings) -> Tensor:
    """Band-pass aligned faces and even out their local contrast.

        d = G(inner) * f - G(outer) * f,   c^2 = G(contrast) * d^2,   out = tanh(d / (c s))

    Parameters
    ----------
    faces : (N, H, W) float32, physical units
        Any positive gain and any offset: the output does not change with them.
    settings : Settings

    Returns
    -------
    (N, H, W) float32, in -1..1
        Zero where a face is constant.

    Source
    ------
    Hu et al., JOSA A 32(3), 2015: median, difference of Gaussians, contrast normalisation; Tan and
    Triggs, IEEE TIP 19(6), 2010, for the last. Differs from the latter in: no gamma, because a
    power of a temperature in degrees is arbitrary; contrast measured around each pixel, because
    temperatures vary less on a cheek than at the outline of the face.
    """
    image = median3(faces) if settings.median else faces
    band = difference_of_gaussians(image, inner=settings.inner, outer=settings.outer)
    contrast = blur(band**2, settings.contrast).sqrt()
    floor = FLOOR * band.abs().amax((1, 2), keepdim=True) + torch.finfo(band.dtype).tiny
    return torch.tanh(band / ((contrast + floor) * settings.saturation))


def difference_of_gaussians(images: Tensor, *, inner: float, outer: float) -> Tensor:
    """Return G(inner) * f - G(outer) * f of images (N, H, W); sigmas in pixels."""
    # Blind to offsets, so the minimum goes first: 300 K would leave few digits for a face's
    # contrast, and a constant image becomes exactly zero.
    f = images - images.amin((1, 2), keepdim=True)
    return blur(f, inner) - blur(f, outer)


def blur(images: Tensor, sigma: float) -> Tensor:
    """Convolve images (N, H, W) with a Gaussian; the border's pixels repeat beyond it."""
    rows, columns = (
        gaussian_matrix(torch.arange(size, dtype=torch.float64), sigma, size=size).to(images)
        for size in images.shape[1:]
    )
    return rows @ images @ columns.T


def gaussian_matrix(centres: Tensor, sigma: float, *, size: int) -> Tensor:
    """Return the matrix that takes Gaussian means of a line of pixels around some places.

    As a matrix product a wide Gaussian costs no more than a narrow one.

    Parameters
    ----------
    centres : (M,) float64, pixels
        Between 0 and size - 1.
    sigma : float, pixels
    size : int
        Pixels of the line; the first and the last repeat beyond it.

    Returns
    -------
    (M, size) float64
        Rows sum to 1.
    """
    reach = int(TRUNCATE * sigma + 0.5)
    margin = reach + 1
    places = torch.arange(-margin, size + margin, dtype=torch.float64)
    distance = places - centres[:, None]
    weights = torch.exp(-0.5 * (distance / sigma) ** 2) * (distance.abs() <= reach + 0.5)
    weights = weights / weights.sum(1, keepdim=True)
    inside = weights[:, margin : margin + size].clone()
    inside[:, 0] += weights[:, :margin].sum(1)
    inside[:, -1] += weights[:, margin + size :].sum(1)
    return inside


def median3(images: Tensor) -> Tensor:
    """Return the 3 x 3 median of images (N, H, W); the border's pixels repeat beyond it.

    Of columns sorted downwards it is the median of three: the greatest of the smallest, the median
    of the middle, the smallest of the greatest.
    """
    spread = pad(images[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    low, middle, high = _sort3(spread[:, :-2], spread[:, 1:-1], spread[:, 2:])
    lows, middles, highs = ((v[..., :-2], v[..., 1:-1], v[..., 2:]) for v in (low, middle, high))
    greatest_low = torch.maximum(torch.maximum(lows[0], lows[1]), lows[2])
    smallest_high = torch.minimum(torch.minimum(highs[0], highs[1]), highs[2])
    return _sort3(greatest_low, _sort3(*middles)[1], smallest_high)[1]


def _sort3(a: Tensor, b: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    low, high = torch.minimum(a, b), torch.maximum(a, b)
    above = torch.maximum(low, c)
    return torch.minimum(low, c), torch.minimum(high, above), torch.maximum(high, above)
