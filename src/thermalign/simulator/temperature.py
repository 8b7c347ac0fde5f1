"""How warm a person is: skin temperature, vessels, hair, clothes, and what a session changes.

The pattern is known in outline (the inner corner of the eye is hottest, the tip of the nose coldest
and most variable, hair and clothes lie between skin and air); every number is tuned by eye.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from thermalign.simulator.anatomy import Identity
from thermalign.simulator.facial_hair import FacialHair
from thermalign.simulator.fields import (
    ORIGIN_X,
    ORIGIN_Y,
    SCALE,
    SHAPE,
    SIDES,
    Map,
    bell,
    blur,
    bump,
    enlarge,
    fine_noise,
    level_pixels,
    logistic,
    random_field,
    shrink,
)
from thermalign.simulator.mouth import line_mask, lip_mask
from thermalign.simulator.nose import cooling, nostrils
from thermalign.simulator.shape import Shape, raised

SESSION_SD = (0.6, 0.30, 0.35, 1.0, 0.3, 0.15)
"""K: nose, forehead, cheeks, ears, mouth, left against right (the order of ``modes``)."""


@dataclass(frozen=True)
class Warmth:
    """The temperatures of a person, apart from sessions.

    Attributes
    ----------
    skin : (H, W) degrees Celsius
    insulation : (H, W), 0..1
        How much hair hides the skin; thin near the hairline.
    strand : (H, W)
    cloth : (H, W), 0..1
    modes : (6, H/4, W/4)
        Where a session changes the temperature.
    """

    skin: Map
    insulation: Map
    strand: Map
    cloth: Map
    modes: Map


@dataclass(frozen=True)
class Session:
    """One recording session of a person.

    Attributes
    ----------
    ambient : float, degrees Celsius
    surface : (H, W) degrees Celsius
        Of skin, hair and clothes, before reflection and sensor.
    """

    ambient: float
    surface: Map


def build_warmth(
    identity: Identity, shape: Shape, facial: FacialHair, gap: float, rng: np.random.Generator
) -> Warmth:
    """Paint the temperatures of a person.

    Parameters
    ----------
    identity, shape, facial
    gap : float
        Strength of what thermal images show and visible ones do not: vessels and the smooth
        random pattern. 1 is the measured prototype's, larger is harder to match.
    rng : Generator
    """
    skin = _large_scale(identity, shape, rng) + _lip_warmth(shape, lips := rng.normal(0.45, 0.35))
    vessels = rng.normal(0.75, 0.25) * _vessels(identity, rng) * (1 - 0.5 * shape.hair_cover)
    pattern = 0.32 * random_field(rng, 24) + 0.17 * random_field(rng, 11)
    pattern += 0.05 * random_field(rng, 4)
    skin = blur(skin + gap * (vessels + pattern), 1.5)  # diffusion in the tissue
    skin += _fine_structure(identity, shape, lips, rng)
    skin -= max(0.05, rng.normal(0.70, 0.38)) * blur(facial.brow, 0.35)
    beard = np.maximum(blur(facial.beard, 1.5), 0) ** 1.1
    skin -= 2.6 * beard * (1 + 0.12 * random_field(rng, 4))
    return Warmth(
        skin=np.asarray(skin, np.float32),
        insulation=_insulation(identity, shape),
        strand=shape.hair.strand,
        cloth=shape.cloth,
        modes=_modes(identity, shape),
    )


def draw_session(
    warmth: Warmth, ambient: tuple[float, float], rng: np.random.Generator
) -> Session:
    """Draw the state of a person and the room in one session.

    Parameters
    ----------
    warmth : Warmth
    ambient : (mean, sd), degrees Celsius
    rng : Generator
    """
    air = rng.normal(*ambient)
    change = rng.normal(0, 0.35) + 0.20 * random_field(rng, 24, level=2)
    change += 0.05 * random_field(rng, 10, level=2)
    for mode, sd in zip(warmth.modes, SESSION_SD, strict=True):
        change += rng.normal(0, sd) * mode
    surface = warmth.skin + enlarge(change)
    hair = air + rng.normal(0.30, 0.03) * (surface - air) + 0.35 * warmth.strand
    surface += warmth.insulation * (hair - surface)
    cloth = air + rng.normal(0.36, 0.05) * (34 - air)
    folds = 0.4 * enlarge(random_field(rng, 25, level=2))
    surface += warmth.cloth * (cloth + folds - surface)
    return Session(air, surface)


def _large_scale(identity: Identity, shape: Shape, rng: np.random.Generator) -> Map:
    """Return the skin's temperature by region, degrees Celsius."""
    body = identity.body
    base, low, menton = body.subnasale_y, body.mouth_y, body.menton_y
    skin = identity.core_temperature + rng.normal(0.75, 0.2) * bump(0, -42, 44, 24)
    for (sign, _), (x, y) in zip(SIDES, identity.eyes, strict=True):
        inner = sign * ((body.eye_distance - body.eye_length) / 2 - 0.5)
        skin += rng.normal(1.5, 0.3) * bump(inner, y + 1.5, 4.2, 4.0)  # canthus
        skin += 0.55 * bump(x - sign * 3, y + 2, 15, 9)
        skin += rng.normal(0.35, 0.25) * bump(sign * 60, -14, 12, 20)  # temporal artery
        cheek = sign * (44 + rng.normal(0, 2)), 36 + rng.normal(0, 3)
        skin -= rng.normal(1.3, 0.35) * bump(*cheek, 17, 18)
        skin += 0.55 * bump(sign * (body.nose_breadth / 2 + 5), base - 2, 5, 7)  # facial artery
        skin -= 0.5 * bump(sign * 40, low + 18, 16, 16)
        skin += 0.7 * bump(sign * 32, menton + 30, 14, 26)  # neck
    skin += identity.nose_offset * cooling(identity) - 0.6 * bump(0, menton - 12, 15, 10)
    height = raised(shape)
    skin -= 0.11 * np.clip(height - blur(height, 7), -4, 4) * shape.face  # what sticks out is cool
    radius = shape.ears.radius
    canal = 0.35 - 2.6 * radius**2 + 1.2 * bell(radius, 0.3)
    skin += np.where(radius < 1, logistic((1 - radius) * 14) * canal, 0)
    skin += rng.normal(-0.9, 0.6) * shape.ears.mask * ~shape.head
    return np.asarray(skin, np.float32)


def _lip_warmth(shape: Shape, strength: float) -> Map:
    return 0.5 * strength * lip_mask(shape.mouth)


def _fine_structure(
    identity: Identity, shape: Shape, lips: float, rng: np.random.Generator
) -> Map:
    """Return what stays sharp on the skin: eyes, lids, lips, nostrils, pores; K."""
    eyes, mouth = shape.eyes, shape.mouth
    fine = 0.20 * eyes.crease - 0.30 * eyes.lash
    fine -= rng.normal(0.62, 0.25) * blur(eyes.opening, 0.35)  # the cornea is cool
    fine += 0.5 * lips * blur(lip_mask(mouth), 0.4)
    fine += rng.normal(0.35, 0.2) * line_mask(mouth, 1.2)
    for mask in nostrils(identity):
        fine -= rng.normal(0.9, 0.5) * mask
    return np.asarray(fine + 0.056 * fine_noise(rng, 1.1), np.float32)


def _vessels(identity: Identity, rng: np.random.Generator) -> Map:
    """Draw superficial vessels as branching random walks, 0..1, blurred by 2 mm."""
    body = identity.body
    canvas = np.zeros(SHAPE, np.float32)
    up = -np.pi / 2
    wing, low, menton = body.nose_breadth / 2, body.mouth_y, body.menton_y
    for sign, _ in SIDES:
        _walk(canvas, rng, (sign * 58, 2), up - 0.25 * sign + rng.normal(0, 0.15), 14, 1.0)
        brow = sign * rng.uniform(4, 14), -16
        _walk(canvas, rng, brow, up + sign * rng.normal(0.1, 0.15), 13, 0.9)
        _walk(canvas, rng, (sign * (wing + 4), body.subnasale_y), up - 0.12 * sign, 9, 0.7)
        _walk(canvas, rng, (sign * 48, low - 6), up - sign * rng.normal(0.5, 0.3), 9, 0.6)
        _walk(canvas, rng, (sign * rng.uniform(25, 40), menton + 25), up + 0.1 * sign, 10, 0.8)
    return blur(canvas, 2.0)


def _walk(
    canvas: Map,
    rng: np.random.Generator,
    start: tuple[float, float],
    angle: float,
    steps: int,
    strength: float,
    depth: int = 0,
) -> None:
    """Draw one vessel in steps of 4 mm, and its branches, into ``canvas``."""
    x, y = start
    points = [start]
    for _ in range(steps):
        angle += rng.normal(0, 0.22)
        x, y = x + 4 * float(np.cos(angle)), y + 4 * float(np.sin(angle))
        points.append((x, y))
        if depth < 2 and rng.random() < 0.13:
            turn = float(rng.choice([-1, 1])) * rng.uniform(0.4, 0.9)
            branch = int(0.6 * steps), 0.75 * strength
            _walk(canvas, rng, (x, y), angle + turn, *branch, depth + 1)
    pixels = [(level_pixels(u, ORIGIN_X, 0), level_pixels(v, ORIGIN_Y, 0)) for u, v in points]
    line = np.array(pixels, np.int32).reshape(-1, 1, 2)
    thickness = max(1, int(2.2 * strength * SCALE))
    cv2.polylines(canvas, [line], False, strength, thickness, cv2.LINE_AA)


def _insulation(identity: Identity, shape: Shape) -> Map:
    """Return how much the hair hides the skin's temperature: less within 5 mm of its edge."""
    if identity.hair in ("buzz", "bald"):
        return 0.5 * shape.hair_cover
    depth = blur(shape.hair_mask.astype(np.float32), 5.0)
    thin = 0.62 + 0.38 * np.clip(2 * depth - 0.9, 0, 1)
    return np.clip(shape.hair_cover * thin, 0, 1)


def _modes(identity: Identity, shape: Shape) -> Map:
    ears = shape.ears.mask * ~shape.head
    cheeks = bump(45, 35, 18, 20) + bump(-45, 35, 18, 20)
    sides = bump(45, 30, 20, 40) - bump(-45, 30, 20, 40)
    mouth = bump(0, identity.body.mouth_y, 22, 12)
    maps = (cooling(identity), bump(0, -45, 45, 25), cheeks, ears, mouth, sides)
    return np.stack([shrink(np.asarray(m, np.float32), 4) for m in maps])
