"""What a person reflects in visible light: linear luminance albedo over the canonical grid.

One channel today; every layer is a mask and a reflectance, so that colour needs only three
reflectances in the place of one.
"""

from math import exp, log
from typing import Any

import numpy as np

from thermalign.simulator.anatomy import Identity
from thermalign.simulator.eyes import paint_eyeballs
from thermalign.simulator.facial_hair import FacialHair
from thermalign.simulator.fields import (
    SIDES,
    Map,
    X,
    Y,
    bump,
    fine_noise,
    random_field,
    window,
)
from thermalign.simulator.mouth import line_mask, lip_mask
from thermalign.simulator.nose import nostrils
from thermalign.simulator.shape import Shape

# ASSUME every reflectance, share and width (mm) below: tuned by eye on contact sheets.


def skin_reflectance(identity: Identity) -> float:
    """Return the mean luminance albedo of bare skin: .52 exp(-1.75 melanin)."""
    return 0.52 * exp(-1.75 * identity.melanin)


def hair_reflectance(identity: Identity, rng: np.random.Generator) -> float:
    """Draw the luminance albedo of hair: dark, lighter with little melanin, grey with age."""
    light = 0.11 * (1 - identity.melanin) * rng.random() ** 3
    grey = 0.30 * max(0.0, identity.age - 1.1) * rng.random() ** 2
    return min(max(0.016 + light + grey, 0.012), 0.4)


def paint_albedo(
    identity: Identity, shape: Shape, *, facial: FacialHair, rng: np.random.Generator
) -> Map:
    """Paint the albedo of a person, layer by layer.

    Returns
    -------
    (H, W) float32, linear reflectance, .005 to .8
    """
    hair_colour = hair_reflectance(identity, rng)
    albedo = skin_reflectance(identity) * _tone(identity, rng)
    _paint_moles(albedo, identity, rng)
    _paint_lips(albedo, identity, shape, rng)
    _cover(albedo, 0.85 * facial.brow, 1.15 * hair_colour)
    hairs = 0.45 + 0.5 * facial.beard + 0.24 * facial.texture  # stubble stands apart
    _cover(albedo, 0.88 * np.clip(facial.beard * hairs, 0, 1), 1.25 * hair_colour)
    iris = exp(rng.normal(log(0.05 if identity.melanin > 0.4 else 0.10), 0.5))
    skin = skin_reflectance(identity)
    paint_eyeballs(albedo, identity, eyes=shape.eyes, skin=skin, iris=iris)
    albedo *= 1 - (0.62 + 0.2 * identity.female) * shape.eyes.lash
    albedo *= (1 - 0.22 * shape.eyes.crease) * (1 - 0.07 * shape.eyes.fold)
    for mask in nostrils(identity):
        albedo *= 1 - 0.78 * mask
    weave = 1 + 0.05 * random_field(rng, 1.5) + 0.1 * random_field(rng, 18)
    _cover(albedo, shape.cloth, exp(rng.uniform(log(0.03), log(0.55))) * weave)
    hair = hair_colour * (1 + 0.38 * shape.hair.strand) * (1 + 0.12 * random_field(rng, 12))
    _cover(albedo, shape.hair_cover, np.maximum(hair, 0.008))
    if shape.cap:
        _cover(albedo, shape.cap.cover, shape.cap.albedo)
    return np.clip(albedo, 0.005, 0.8)


def _cover(albedo: Map, mask: Any, paint: Any) -> None:
    """Put a layer over the albedo, in place."""
    albedo += mask * (paint - albedo)


def _tone(identity: Identity, rng: np.random.Generator) -> Map:
    """Return the skin's unevenness about 1: blotches, pores, shadows of the eyes, cheeks."""
    tone = 1 + 0.05 * random_field(rng, 22) + 0.035 * random_field(rng, 6)
    tone += 0.03 * random_field(rng, 2.0) + 0.02 * fine_noise(rng, 0.7)
    for (sign, _), (x, y) in zip(SIDES, identity.eyes, strict=True):
        tone -= (0.10 + 0.025 * identity.age) * bump(x, y + 8, 13, 6)
        tone -= 0.08 * bump(x, y - 7, 14, 5)
        tone -= 0.05 * bump(sign * 44, 34, 16, 14)
    return tone


def _paint_moles(albedo: Map, identity: Identity, rng: np.random.Generator) -> None:
    """Darken moles, and freckles of some light skins, in place."""
    freckled = identity.melanin < 0.3 and rng.random() < 0.35
    for _ in range(int(rng.poisson(54 if freckled else 14))):
        x, y = rng.normal(0, 36), rng.normal(28, 40)
        radius = (abs(rng.normal(0.7, 0.35)) + 0.3) * (2 if rng.random() < 0.1 else 1)
        depth = rng.uniform(0.1, 0.45)
        part = window((x - 4 * radius, x + 4 * radius), (y - 4 * radius, y + 4 * radius))
        square = (X[:, part[1]] - x) ** 2 + (Y[part[0]] - y) ** 2
        albedo[part] *= 1 - depth * np.exp(-0.5 * square / radius**2)


def _paint_lips(albedo: Map, identity: Identity, shape: Shape, rng: np.random.Generator) -> None:
    """Darken the lips and the line between them, in place."""
    low, high = (0.48, 0.80) if identity.female else (0.58, 0.85)
    lips = 1 - rng.uniform(low, high)
    albedo *= 1 - lips * lip_mask(shape.mouth) * (1 + 0.028 * fine_noise(rng, 1.0))
    albedo *= 1 - 0.55 * line_mask(shape.mouth, 0.7)
