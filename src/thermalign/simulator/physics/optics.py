"""Blur: a lens's point spread, defocus, and motion during the exposure."""

from dataclasses import dataclass
from math import ceil, floor, hypot, sqrt

import cv2
import numpy as np

from thermalign.simulator.physics.fields import Map

DIFFRACTION = 0.42  # of wavelength x f-number: the Gaussian nearest to an Airy disc, sd

FOOTPRINT = 1 / sqrt(12)  # px, standard deviation of a square pixel with no dead border

DISC = 0.25  # standard deviation of a uniform disc per diameter, along one axis

TRUNCATION = 3.0  # standard deviations at which kernels end: .3 % of the light beyond

LEAST_SMEAR = 0.25  # px, below: .07 px standard deviation, lost in any lens's own blur

MOMENTS = 24  # at which a smear is sampled

# ASSUME: of the focus error's standard deviation, the operator's and the subject's part
FOCUSING, LEANING = 0.8, 0.6  # 0.8^2 + 0.6^2 = 1

FOCUS_DISTANCE = 2.5  # m, Range 1

FARTHEST_LEAN = 1.2  # m: half the way to the nearest camera


@dataclass(frozen=True)
class Lens:
    """A lens before a detector.

    Attributes
    ----------
    f_number : float
    pitch : float, um
        From pixel to pixel.
    pixel_angle : float, rad
        Of the scene, that a pixel sees.
    wavelength : float, um
        Middle of the band.
    aberration : float, px
        Standard deviation of the blur that neither diffraction nor the pixel explains.
    """

    f_number: float
    pitch: float
    pixel_angle: float
    wavelength: float
    aberration: float

    @property
    def aperture(self) -> float:
        """Diameter in metres: focal length (pitch / pixel angle) over f-number."""
        return 1e-6 * self.pitch / self.pixel_angle / self.f_number

    @property
    def sharp(self) -> float:
        """Standard deviation of the point spread in focus, px."""
        diffraction = DIFFRACTION * self.wavelength * self.f_number / self.pitch
        return hypot(diffraction, FOOTPRINT, self.aberration)

    def blur(self, defocus: float) -> float:
        """Return the standard deviation of the point spread, px.

        A point out of focus is a disc of aperture x ``defocus`` radians.

        Parameters
        ----------
        defocus : float, 1/m
            Difference between 1 / distance of the subject and of the plane in focus.
        """
        return hypot(self.sharp, DISC * self.aperture * abs(defocus) / self.pixel_angle)


@dataclass(frozen=True)
class Sway:
    """How a person moves at one moment.

    Attributes
    ----------
    velocity : (x, y), mm/s
        Of the head, in the image's axes.
    lean : float, m
        Nearer to the camera than the place they were asked to keep.
    """

    velocity: tuple[float, float] = (0.0, 0.0)
    lean: float = 0.0

    def smear(self, seconds: float, scale: float) -> tuple[float, float]:
        """Return the way of the image during ``seconds``, px, at ``scale`` px/mm."""
        across, down = self.velocity
        return across * seconds * scale, down * seconds * scale


def draw_sway(motion: float, defocus: float, rng: np.random.Generator) -> Sway:
    """Draw how a person moves.

    Parameters
    ----------
    motion : float, mm/s
        Standard deviation of each coordinate of the head's velocity.
    defocus : float, m
        As :func:`draw_focus` takes it.
    rng : Generator
    """
    across, down, score = (float(score) for score in rng.standard_normal(3))
    lean = min(max(LEANING * defocus * score, -FARTHEST_LEAN), FARTHEST_LEAN)
    return Sway((motion * across, motion * down), lean)


def draw_focus(defocus: float, rng: np.random.Generator) -> float:
    """Draw how far off a session's focus is set, 1/m.

    An operator turns the ring until the image looks sharp: the error is one of blur, so in metres
    it grows with the square of the distance, as the depth of field does.

    Parameters
    ----------
    defocus : float, m
        Standard deviation at Range 1 of the subject's distance from the plane in focus.
    rng : Generator
    """
    return FOCUSING * defocus / FOCUS_DISTANCE**2 * float(rng.standard_normal())


def defocus_at(focus: float, lean: float, distance: float) -> float:
    """Return the defocus of a moment, 1/m.

    Parameters
    ----------
    focus : float, 1/m
        As :func:`draw_focus` returns it.
    lean, distance : float, m
    """
    return focus + 1 / (distance - lean) - 1 / distance


def gaussian_blur(image: Map, sigma: float) -> Map:
    """Blur by a Gaussian of ``sigma`` px."""
    size = 2 * ceil(TRUNCATION * sigma) + 1
    return np.asarray(cv2.GaussianBlur(image, (size, size), sigma), np.float32)


def motion_blur(image: Map, smear: tuple[float, float], *, decay: bool = False) -> Map:
    """Smear an image along the way it moved during the exposure.

    The mean of the way stays where it is: an image belongs to the middle of its exposure.

    Parameters
    ----------
    image : (h, w)
    smear : (x, y), px
        The way during the exposure; with ``decay``, during one time constant.
    decay : bool
        A bolometer has no shutter: it forgets what it saw exponentially.
    """
    if hypot(*smear) < LEAST_SMEAR:
        return image
    kernel = smear_kernel(smear, decay=decay)
    return np.asarray(cv2.filter2D(image, cv2.CV_32F, kernel, borderType=cv2.BORDER_REFLECT))


def smear_kernel(smear: tuple[float, float], *, decay: bool = False) -> Map:
    """Return the kernel of :func:`motion_blur` for correlation, odd in size, of sum 1.

    Moments of equal weight are spread along the way and shared out bilinearly.
    """
    share = (np.arange(MOMENTS) + 0.5) / MOMENTS
    times = -np.log(1 - share) if decay else share
    # at an earlier time the scene stood further back along its way, so the pixel sees ahead
    x, y = (v * (times - times.mean()) for v in smear)
    half = floor(float(max(np.abs(x).max(), np.abs(y).max()))) + 1
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    right, lower = x - column, y - row
    for down, across in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = np.abs(1 - down - lower) * np.abs(1 - across - right) / len(times)
        np.add.at(kernel, (row + down + half, column + across + half), weight)
    return kernel
