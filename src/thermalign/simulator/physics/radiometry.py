"""Thermal radiation: Planck's law in a band, skin as a Fresnel surface, the air in between.

Radiation adds up, temperatures do not. Everything a camera mixes (what skin emits and mirrors, the
air's own glow, neighbouring pixels) is mixed as radiance in the band and read as a temperature at
the end. Mixing temperatures instead would read 0.2 K too little where skin at 34 degrees covers
half a pixel before a wall at 22, and 1.3 K between 10 and 40 degrees; a test holds these figures.
Radiance is kept linearised, so that a camera's noise can be stated in kelvin:

    v(T) = (L(T) - L(T0)) / L'(T0),    in K at T0 = 30 degrees Celsius
"""

from dataclasses import dataclass
from functools import lru_cache
from math import exp, sqrt
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial

from thermalign.simulator.physics.fields import Map

RADIATION_1 = 1.191042972e8  # W um^4 / (m^2 sr), 2 h c^2 (CODATA 2018)

RADIATION_2 = 14387.76877  # um K, h c / k (CODATA 2018)

ZERO_CELSIUS = 273.15  # K

REFERENCE = 30.0  # degrees Celsius, middle of the two points that the paper's camera corrects at

FITTED = (-25.0, 90.0)  # degrees Celsius, where the polynomials hold

# 1.33 gives skin's emissivity of .98 head on (((n - 1) / (n + 1))^2 = .02)
SKIN_INDEX = 1.33

HUMIDITY = 0.5  # ASSUME: relative, of a room


@dataclass(frozen=True)
class Band:
    """The wavelengths a camera sees, all alike.

    Attributes
    ----------
    low, high : float, um
    """

    low: float
    high: float

    def radiance(self, celsius: Any) -> Any:
        """Return the linearised radiance of a black body, K, from degrees Celsius.

        To and fro, the polynomials err by less than 0.01 K within ``FITTED``.
        """
        return _horner(_fit(self)[0], celsius - REFERENCE)

    def celsius(self, radiance: Any) -> Any:
        """Return the temperature of the black body with a linearised radiance."""
        return _horner(_fit(self)[1], radiance)


def band_radiance(kelvin: Any, band: Band) -> Any:
    """Return what a black body sends out within a band, W / (m^2 sr).

    The integral of c1 / (l^5 (exp(c2 / (l T)) - 1)) over the wavelength l, by the trapezoidal rule.
    """
    wavelength = np.linspace(band.low, band.high, 401)
    exponent = RADIATION_2 / (wavelength * np.asarray(kelvin, np.float64)[..., None])
    return np.trapezoid(RADIATION_1 / wavelength**5 / np.expm1(exponent), wavelength)


def linear_radiance(celsius: Any, band: Band) -> Any:
    """Return the linearised radiance by integration: exact, slow."""
    excess = band_radiance(np.asarray(celsius) + ZERO_CELSIUS, band)
    excess = excess - float(band_radiance(REFERENCE + ZERO_CELSIUS, band))
    return excess / _slope(band)


def _slope(band: Band) -> float:
    """Return how much the radiance grows per kelvin at the reference, W / (m^2 sr K)."""
    reference, step = REFERENCE + ZERO_CELSIUS, 0.01
    low, high = (float(band_radiance(reference + d, band)) for d in (-step, step))
    return (high - low) / (2 * step)


@lru_cache
def _fit(band: Band) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return polynomials from degrees above the reference and to degrees Celsius."""
    celsius = np.linspace(*FITTED, 401)
    radiance = linear_radiance(celsius, band)
    forward = Polynomial.fit(celsius - REFERENCE, radiance, 6).convert()
    back = Polynomial.fit(radiance, celsius, 9).convert()
    return tuple(forward.coef.tolist()), tuple(back.coef.tolist())


def _horner(coefficients: tuple[float, ...], x: Any) -> Any:
    """Return the polynomial of a number or an array; lowest power first."""
    value = x * coefficients[-1]
    for coefficient in coefficients[-2:0:-1]:
        value += coefficient
        value *= x
    value += coefficients[0]
    return value


def fresnel(cosine: Any, index: float = SKIN_INDEX) -> tuple[Any, Any]:
    """Return what a smooth dielectric mirrors of the two polarisations.

    With g = sqrt(n^2 - 1 + cos^2), across the plane of incidence R_s = ((cos - g) / (cos + g))^2,
    within it R_p = R_s ((cos (g + cos) - 1) / (cos (g - cos) + 1))^2.

    Parameters
    ----------
    cosine : number or array
        Of the angle between the surface's normal and the ray, 0 to 1.
    index : float
        Of refraction; absorption is left out (water's, .05 at 10 um, changes it by < .001).
    """
    g = np.sqrt(cosine * cosine + (index * index - 1))
    less, more = g - cosine, g + cosine
    across = less / more
    across *= across
    within = (cosine * more - 1) / (cosine * less + 1)
    within *= within
    within *= across
    return across, within


def reflectance(cosine: Map) -> Map:
    """Return the share of unpolarised radiation that skin mirrors, 1 - emissivity.

    Schlick's approximation with the same index is .05 too high at 80 degrees.
    """
    across, within = fresnel(cosine)
    across += within
    across *= 0.5
    return np.asarray(across, np.float32)


def transmittance(metres: float, celsius: float) -> float:
    """Return the share of long-wave radiation that passes air of a temperature.

    x exp(-sqrt(d) (a1 + b1 sqrt(w))) + (1 - x) exp(-sqrt(d) (a2 + b2 sqrt(w))) with the content of
    water vapour w: the model of FLIR's radiometric cameras, with the constants stored in their
    files (see Thermimage, Tattersall 2017). The square root of the distance is due to lines of
    water that are opaque already within the first metres.
    """
    water = HUMIDITY * exp(
        1.5587 + 0.06939 * celsius - 0.00027816 * celsius**2 + 6.8455e-7 * celsius**3
    )
    path, root = sqrt(metres), sqrt(water)
    weak = exp(-path * (0.006569 - 0.002276 * root))
    strong = exp(-path * (0.01262 - 0.00667 * root))
    return 1.9 * weak - 0.9 * strong
