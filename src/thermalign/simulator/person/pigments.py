"""Colour in three broad bands of the visible spectrum: what pigments absorb.

Colours are blue, green, red, as OpenCV orders them, and linear: reflectances 0..1, or tints whose
luminance is 1.
"""

import numpy as np

from thermalign.simulator.person.anatomy import Identity
from thermalign.simulator.physics.colour import BANDS, Colour, tint

MELANIN: Colour = (BANDS / BANDS[1]) ** -3.48
"""Absorption against green's: nm^-3.48 (Jacques, omlc.ogi.edu/spectra/melanin/mua.html, 1998)."""

# ASSUME band means: oxygenated blood absorbs at 460 nm about 3/4 of what it does at 540 nm, and
# nearly nothing beyond 600 nm (after S. Prahl's tabulation, from memory)
HAEMOGLOBIN: Colour = np.array([0.75, 1.0, 0.18])

VENOUS: Colour = np.array([0.70, 1.0, 1.05])  # ASSUME: blood deep below thin skin looks blue

# ASSUME: fitted by eye and to a* of 9..12 and b* of 8..20, about where measured skins lie
DERMIS: Colour = np.array([0.50, 0.68, 0.76])  # reflectance without pigments

MELANIN_DEPTH, BLOOD_DEPTH = 1.2, 0.40  # optical depth at green of melanin 1, of usual blood

SURFACE = 0.035  # reflectance of the skin's surface, without colour: it greys dark skin

# ASSUME every tint and share below: tuned by eye on contact sheets.
BROWN_HAIR, RED_HAIR = np.array([0.42, 0.87, 1.48]), np.array([0.22, 0.70, 1.89])

GREY_HAIR = np.array([0.92, 1.0, 1.03])

GLOSS_OF_HAIR = 0.010  # reflectance without colour: black hair is hardly brown

RED_SHARE, RED_UP_TO = 0.09, 0.35  # of persons with less melanin

BROWN_EYE, GREEN_EYE = np.array([0.40, 0.90, 1.42]), np.array([0.70, 1.08, 0.96])

BLUE_EYE, GREY_EYE = np.array([1.50, 1.03, 0.75]), np.array([1.15, 1.02, 0.90])

EYES = ((0.45, BLUE_EYE), (0.58, GREY_EYE), (0.80, GREEN_EYE), (1.0, BROWN_EYE))

LIGHT_EYES_UP_TO = 0.42  # melanin


def transmitted(*, melanin: float = 0.0, blood: float = 0.0) -> Colour:
    """Return what layers of optical depth ``melanin`` and ``blood`` at green let pass.

    exp(-(melanin M + blood H)), Beer and Lambert's law.
    """
    return np.asarray(np.exp(-(melanin * MELANIN + blood * HAEMOGLOBIN)))


def skin_tint(melanin: float) -> Colour:
    """Return the tint of bare skin with melanin 0..1 and its usual blood."""
    passed = transmitted(melanin=MELANIN_DEPTH * melanin, blood=BLOOD_DEPTH)
    return tint(DERMIS * passed + SURFACE)


def hair_colour(
    identity: Identity, rng: np.random.Generator, colour_rng: np.random.Generator
) -> Colour:
    """Draw the reflectance of hair: dark, lighter with little melanin, grey with age."""
    light = 0.20 * (1 - identity.melanin) ** 2 * rng.random() ** 3
    grey = 0.30 * max(0.0, identity.age - 1.1) * rng.random() ** 2
    red = colour_rng.random() < RED_SHARE and identity.melanin < RED_UP_TO
    pigment = RED_HAIR if red else BROWN_HAIR
    light = max(light, 0.03) if red else light
    total = min(0.016 + light + grey, 0.4)
    share = grey / (light + grey + 0.006)
    coloured = share * GREY_HAIR + (1 - share) * pigment
    return GLOSS_OF_HAIR + (total - GLOSS_OF_HAIR) * coloured


def iris_colour(identity: Identity, brightness: float, colour_rng: np.random.Generator) -> Colour:
    """Draw the reflectance of the iris: brown, or for some light skins blue, grey or green.

    Parameters
    ----------
    identity : Identity
    brightness : float
        Luminance.
    colour_rng : Generator
    """
    light = max(1 - identity.melanin / LIGHT_EYES_UP_TO, 1e-3)
    chance = min(colour_rng.random() / light, 0.999)
    return brightness * next(colour for share, colour in EYES if chance < share)


def dye(strength: float, colour_rng: np.random.Generator) -> Colour:
    """Draw the tint of something dyed: strongly coloured or, more often, hardly."""
    depth = strength * abs(colour_rng.normal())
    return tint(np.exp(depth * colour_rng.uniform(-1, 1, 3)))
