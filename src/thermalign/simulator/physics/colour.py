"""Colour in three broad bands of the visible spectrum: luminance, tints, what lamps emit.

Colours are blue, green, red, as OpenCV orders them, and linear: reflectances 0..1, or tints whose
luminance is 1.
"""

from math import exp

import numpy as np
import numpy.typing as npt

from thermalign.simulator.physics.fields import Map

Colour = npt.NDArray[np.float64]

BANDS = np.array([460.0, 540.0, 610.0])  # nm, middles of a camera's blue, green and red

LUMA = (0.114, 0.587, 0.299)
"""Weights of blue, green and red in the luminance (ITU-R BT.601)."""

# ASSUME: the bands of a camera overlap
OVERLAP = np.eye(3) + 0.03 * (1 - 3 * np.eye(3))

PLANCK = 1.4388e7  # nm K, second radiation constant


def luminance(colour: Map | Colour) -> Map:
    """Return the luminance of a colour, or of three planes (3, h, w)."""
    blue, green, red = LUMA
    return np.asarray(blue * colour[0] + green * colour[1] + red * colour[2], np.float32)


def tint(colour: Colour) -> Colour:
    """Scale a colour to luminance 1."""
    return colour / float(np.dot(LUMA, colour))


def lamp_tint(mired: float) -> Colour:
    """Return the tint of a black body of 10^6 / ``mired`` kelvin (Planck's law)."""
    kelvin = 1e6 / mired
    return tint(BANDS**-5 / np.expm1(PLANCK / (BANDS * kelvin)))


def error_tint(scores: npt.NDArray[np.float64], spread: float) -> Colour:
    """Return what a wrong white balance does: red and blue gains off by ``spread`` x scores."""
    blue, red = (exp(spread * float(score)) for score in scores)
    return tint(np.array([blue, 1.0, red]))
