"""Difference of Gaussians with local contrast normalisation, on aligned faces."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad, unfold

TRUNCATE = 4.0  # standard deviations kept of a Gaussian kernel


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
        Contrast at which tanh bends, after Tan and Triggs 2010. ASSUME.
    """

    median: bool = True
    inner: float = 1.0
    outer: float = 3.0
    contrast: float = 14.0
    saturation: float = 1.5

    def __post_init__(self) -> None:
        if not 0 < self.inner < self.outer:
            raise ValueError(f"dog: need 0 < inner < outer, got {self.inner} and {self.outer}")
        if not (self.contrast > 0 and self.saturation > 0):
            raise ValueError("dog: contrast and saturation must be positive")


def filter_faces(faces: Tensor, settings: Settings) -> Tensor:
    """Band-pass aligned faces and even out their local contrast.

        d = G(inner) * f - G(outer) * f,   out = tanh(d / (rms(d) saturation))

    Parameters
    ----------
    faces : (N, H, W) float32, physical units
        Any gain and offset: the output does not change with them.
    settings : Settings

    Returns
    -------
    (N, H, W) float32, in -1..1
        Zero where a face is constant.

    Source
    ------
    Hu et al., JOSA A 32(3), 2015: median, difference of Gaussians, contrast normalisation; Tan and
    Triggs, IEEE TIP 19(6), 2010, for the last. Differs from the latter in: no gamma, because a power
    of a temperature in degrees is arbitrary.
    """
    image = median3(faces) if settings.median else faces
    band = blur(image, settings.inner) - blur(image, settings.outer)
    power = blur(band**2, settings.contrast).clamp(min=0).sqrt()
    floor = 1e-3 * band.abs().amax((1, 2), keepdim=True) + torch.finfo(band.dtype).tiny
    return torch.tanh(band / (power + floor) / settings.saturation)


def blur(images: Tensor, sigma: float) -> Tensor:
    """Convolve images (N, H, W) with a Gaussian; the border's pixels repeat beyond it."""
    radius = int(TRUNCATE * sigma + 0.5)
    steps = torch.arange(-radius, radius + 1, dtype=images.dtype, device=images.device)
    kernel = torch.exp(-0.5 * (steps / sigma) ** 2)
    kernel = kernel / kernel.sum()
    spread = pad(images[:, None], (radius, radius, radius, radius), mode="replicate")
    return conv2d(conv2d(spread, kernel[None, None, :, None]), kernel[None, None, None])[:, 0]


def median3(images: Tensor) -> Tensor:
    """Return the 3 x 3 median of images (N, H, W)."""
    spread = pad(images[:, None], (1, 1, 1, 1), mode="replicate")
    return unfold(spread, 3).median(dim=1).values.view_as(images)
