"""What a person reflects in visible light: linear albedo over the canonical grid.

Three planes, blue, green and red. The luminance of every layer is drawn or tuned; pigments give it
its tint.
"""

from math import exp, log
from typing import Any

import numpy as np

from thermalign.simulator.person.anatomy import Identity
from thermalign.simulator.person.expression import COARSE_X, COARSE_Y
from thermalign.simulator.person.eyes import eye_window, paint_eyeballs
from thermalign.simulator.person.facial_hair import FacialHair
from thermalign.simulator.person.mouth import line_mask, lip_mask, mouth_window
from thermalign.simulator.person.nose import nostrils
from thermalign.simulator.person.pigments import (
    HAEMOGLOBIN,
    VENOUS,
    dye,
    hair_colour,
    iris_colour,
    skin_tint,
    transmitted,
)
from thermalign.simulator.person.shape import Shape
from thermalign.simulator.physics.colour import Colour
from thermalign.simulator.physics.fields import (
    SIDES,
    Map,
    Window,
    X,
    Y,
    bell,
    bump,
    enlarge,
    fine_noise,
    random_field,
    shrink,
    window,
)

# ASSUME every reflectance, share and width (mm) below: tuned by eye on contact sheets.
UNEVEN_BANDS = (1.3, 1.15, 0.75)  # blue, green, red: pigments make skin uneven

EVERYWHERE: Window = (slice(None), slice(None))


def skin_reflectance(identity: Identity) -> float:
    """Return the mean luminance albedo of bare skin: .52 exp(-1.75 melanin)."""
    return 0.52 * exp(-1.75 * identity.melanin)


def paint_albedo(
    identity: Identity,
    shape: Shape,
    *,
    facial: FacialHair,
    rng: np.random.Generator,
    colour_rng: np.random.Generator,
) -> Map:
    """Paint the albedo of a person, layer by layer.

    Parameters
    ----------
    identity, shape, facial
    rng, colour_rng : Generator
        Of everything that a grey picture shows, and of tints.

    Returns
    -------
    (3, H, W) float32, linear reflectance in blue, green and red, .005 to .8
    """
    hair = hair_colour(identity, rng, colour_rng)
    skin = skin_reflectance(identity)
    albedo = _flush(identity, shape, colour_rng)
    albedo *= _planes(skin * skin_tint(identity.melanin))
    uneven = _tone(identity, rng)
    for band, share in enumerate(UNEVEN_BANDS):
        albedo[band] *= 1 + share * uneven
    _paint_moles(albedo, identity, rng)
    _paint_lips(albedo, identity, shape, rng)
    _paint_facial_hair(albedo, identity, facial, hair)
    brightness = exp(rng.normal(log(0.05 if identity.melanin > 0.4 else 0.10), 0.5))
    iris = iris_colour(identity, brightness, colour_rng)
    paint_eyeballs(albedo, identity, eyes=shape.eyes, skin=skin, iris=iris)
    _paint_lids_and_nostrils(albedo, identity, shape)
    weave = 1 + 0.05 * random_field(rng, 1.5) + 0.1 * random_field(rng, 18)
    cloth = exp(rng.uniform(log(0.03), log(0.55))) * dye(0.55, colour_rng)
    below: Window = (window((0, 0), (identity.body.menton_y - 10, 200))[0], slice(None))
    _cover(albedo, shape.cloth, _planes(cloth) * weave[below], part=below)
    strands = (1 + 0.38 * shape.hair.strand) * (1 + 0.12 * random_field(rng, 12))
    _cover(albedo, shape.hair_cover, _planes(hair) * np.maximum(strands, 0.3))
    if shape.cap:
        _cover(albedo, shape.cap.cover, _planes(shape.cap.tint) * shape.cap.albedo)
    return np.clip(albedo, 0.005, 0.8, out=albedo)


def _planes(colour: Colour) -> Map:
    """Return a colour that multiplies maps, (3, 1, 1)."""
    return np.asarray(colour, np.float32)[:, None, None]


def _cover(albedo: Map, mask: Any, paint: Any, *, part: Window = EVERYWHERE) -> None:
    """Put a layer over a part of the albedo, in place.

    Parameters
    ----------
    albedo : (3, H, W)
    mask : (H, W)
    paint : three numbers or maps of the part
    part : (rows, columns)
    """
    shown = mask[part]
    for layer, reflectance in zip(albedo, paint, strict=True):
        layer[part] += shown * (reflectance - layer[part])


def _tone(identity: Identity, rng: np.random.Generator) -> Map:
    """Return the skin's unevenness about 0: blotches, pores, shadows of the eyes."""
    tone = 0.05 * random_field(rng, 22) + 0.035 * random_field(rng, 6)
    tone += 0.03 * random_field(rng, 2.0) + 0.02 * fine_noise(rng, 0.7)
    for x, y in identity.eyes:
        tone -= 0.08 * bump(x, y - 7, 14, 5)
    return tone


def _flush(identity: Identity, shape: Shape, rng: np.random.Generator) -> Map:
    """Return what more or less blood than usual leaves of each band, (3, H, W) about 1.

    Red cheeks, nose, lids, ears and chin; blue shadows below the eyes, where veins show.
    """
    body = identity.body

    def hill(x: float, y: float, width: float, height: float) -> Map:
        return np.asarray(bell(COARSE_Y - y, height) * bell(COARSE_X - x, width), np.float32)

    seen = 1 - 0.5 * identity.melanin  # melanin lies above the blood
    redness = 0.16 * abs(rng.normal(1, 0.5)) * seen
    blood = redness * hill(0, body.tip_y, 11, 9) + 0.06 * seen * hill(0, body.menton_y - 12, 14, 8)
    blood += 0.9 * redness * shrink(shape.ears.mask, 4) - 0.03 * hill(0, -45, 40, 20)
    veins = np.zeros_like(blood)
    for (sign, _), (x, y) in zip(SIDES, identity.eyes, strict=True):
        blood += redness * hill(sign * 41, 33, 15, 12)
        blood += 0.10 * seen * hill(x, y - 3, 14, 6)
        veins += (0.11 + 0.028 * identity.age) * hill(x, y + 8, 13, 6)
    blood += 0.045 * seen * random_field(rng, 12, level=2)
    depths = (float(h) * blood + float(v) * veins for h, v in zip(HAEMOGLOBIN, VENOUS, strict=True))
    return np.stack([enlarge(np.exp(-depth)) for depth in depths])


def _paint_moles(albedo: Map, identity: Identity, rng: np.random.Generator) -> None:
    """Put melanin into moles, and into the freckles of some light skins, in place."""
    freckled = identity.melanin < 0.3 and rng.random() < 0.35
    for _ in range(int(rng.poisson(54 if freckled else 14))):
        x, y = rng.normal(0, 36), rng.normal(28, 40)
        radius = (abs(rng.normal(0.7, 0.35)) + 0.3) * (2 if rng.random() < 0.1 else 1)
        depth = rng.uniform(0.1, 0.45)
        part = window((x - 4 * radius, x + 4 * radius), (y - 4 * radius, y + 4 * radius))
        square = (X[:, part[1]] - x) ** 2 + (Y[part[0]] - y) ** 2
        left = _planes(1 - transmitted(melanin=-log(1 - depth)))
        albedo[:, part[0], part[1]] *= 1 - left * np.exp(-0.5 * square / radius**2)


def _paint_lips(albedo: Map, identity: Identity, shape: Shape, rng: np.random.Generator) -> None:
    """Redden and darken the lips and the line between them, in place."""
    low, high = (0.48, 0.80) if identity.female else (0.58, 0.85)
    depth = -log(rng.uniform(low, high))
    taken = _planes(1 - transmitted(melanin=0.55 * depth, blood=0.80 * depth))
    grain = 1 + 0.028 * fine_noise(rng, 1.0)
    rows, columns = part = mouth_window(shape.mouth)
    albedo[:, rows, columns] *= 1 - taken * (lip_mask(shape.mouth)[part] * grain[part])
    line = _planes(np.array([0.60, 0.58, 0.48]))
    albedo[:, rows, columns] *= 1 - line * line_mask(shape.mouth, 0.7)[part]


def _paint_facial_hair(albedo: Map, identity: Identity, facial: FacialHair, hair: Colour) -> None:
    """Cover brows and beard, in place; what is shaven shines grey-blue through the skin."""
    body = identity.body
    brows = window((-75, 75), (body.brow_y - 26, body.brow_y + 20))
    _cover(albedo, 0.85 * facial.brow, 1.15 * hair, part=brows)
    hairs = 0.45 + 0.5 * facial.beard + 0.24 * facial.texture  # stubble stands apart
    stubble = np.clip(facial.beard * hairs, 0, 1)
    shaven = max(0.0, 1 - identity.beard / 0.5)
    cold = 1 + shaven * (np.array([1.5, 1.02, 0.72]) - 1)
    jaw = window((-95, 95), (-25, body.menton_y + 40))
    _cover(albedo, 0.88 * stubble, 1.25 * hair * cold, part=jaw)


def _paint_lids_and_nostrils(albedo: Map, identity: Identity, shape: Shape) -> None:
    """Darken lashes, lid creases and nostrils, in place."""
    eyes, share = shape.eyes, 0.62 + 0.2 * identity.female
    for x, y in identity.eyes:
        rows, columns = part = eye_window(x, y)
        lid = (1 - 0.22 * eyes.crease[part]) * (1 - 0.07 * eyes.fold[part])
        albedo[:, rows, columns] *= (1 - share * eyes.lash[part]) * lid
    rows, columns = part = window((-24, 24), (identity.body.tip_y - 6, identity.body.mouth_y))
    depth = _planes(np.array([0.82, 0.80, 0.68]))
    for mask in nostrils(identity):
        albedo[:, rows, columns] *= 1 - depth * mask[part]
