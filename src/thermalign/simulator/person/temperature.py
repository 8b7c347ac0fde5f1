"""How warm a person is: skin temperature, vessels, hair, clothes, and what a session changes.

The pattern is known in outline (the inner corner of the eye is hottest, the tip of the nose coldest
and most variable, hair and clothes lie between skin and air). Eye corners, forehead and mouth are
set so that cameras read of them what they read of real people
(:data:`thermalign.metrics.real_faces.REAL_TEMPERATURES`; docs/methods/simulator.md has the
figures); every other number is tuned by eye. These are temperatures of the surfaces themselves;
what a camera reads of them is the matter of :mod:`thermalign.simulator.scene.thermal`.
"""

from dataclasses import dataclass

import numpy as np

from thermalign.simulator.person.anatomy import Identity
from thermalign.simulator.person.facial_hair import FacialHair
from thermalign.simulator.person.mouth import line_mask, lip_mask
from thermalign.simulator.person.nose import cooling, nostrils
from thermalign.simulator.person.shape import Shape, raised
from thermalign.simulator.person.vessels import draw_vessels
from thermalign.simulator.physics.fields import (
    SIDES,
    Map,
    bell,
    blur,
    bump,
    enlarge,
    fine_noise,
    logistic,
    random_field,
    shrink,
)

# ASSUME every temperature (degrees Celsius, K), length (mm) and share below: by eye, or by what it
# makes of the regions that have real figures.
SESSION_SD = (0.6, 0.20, 0.35, 1.0, 0.2, 0.15)
"""K: nose, forehead, cheeks, ears, mouth, left against right (the order of ``modes``)."""

LIPS = (1.05, 0.2)
"""K of the lips against the skin around them: mean and standard deviation."""

BETWEEN_LIPS, LINE_WIDTH = (1.15, 0.1), 1.2
"""K of the line between closed lips, mean and standard deviation, and its width in mm."""


@dataclass(frozen=True)
class Warmth:
    """The temperatures of a person, apart from sessions.

    Attributes
    ----------
    skin : (H, W) degrees Celsius
    insulation : (H, W), 0..1
        How much hair hides the skin; little near the hairline and on a parting.
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
    ambient, cloth : float, degrees Celsius
        Of the air, and of clothes.
    surface : (H, W) degrees Celsius
        Of skin, hair and clothes, before reflection and sensor.
    """

    ambient: float
    cloth: float
    surface: Map


def build_warmth(
    identity: Identity,
    shape: Shape,
    *,
    facial: FacialHair,
    gap: float,
    rng: np.random.Generator,
) -> Warmth:
    """Paint the temperatures of a person.

    Parameters
    ----------
    identity, shape, facial
    gap : float
        Strength of what thermal images show and visible ones do not: vessels and the smooth
        random pattern. 1 is the tuned value, larger is harder to match.
    rng : Generator
    """
    lips = rng.normal(*LIPS)
    skin = _large_scale(identity, shape, rng) + 0.5 * lips * lip_mask(shape.mouth)
    vessels = rng.normal(0.58, 0.2) * draw_vessels(identity.body, rng)
    vessels *= 1 - 0.5 * shape.hair_cover
    pattern = 0.28 * random_field(rng, 24) + 0.15 * random_field(rng, 11)
    pattern += 0.05 * random_field(rng, 4)
    hidden = np.asarray(skin + gap * (vessels + pattern), np.float32)
    skin = blur(hidden, 1.5)  # diffusion in the tissue
    skin += _fine_structure(identity, shape, lips, rng)
    skin -= max(0.05, rng.normal(0.70, 0.38)) * blur(facial.brow, 0.35)
    beard = np.maximum(blur(facial.beard, 1.5), 0) ** 1.1
    skin -= 2.6 * beard * (1 + 0.12 * random_field(rng, 4))
    return Warmth(
        skin=np.asarray(skin, np.float32),
        insulation=_insulation(shape),
        strand=shape.hair.strand,
        cloth=np.maximum(shape.cloth, shape.cap.warmth) if shape.cap else shape.cloth,
        modes=_modes(identity, shape),
    )


def draw_session(
    warmth: Warmth,
    ambient: tuple[float, float],
    rng: np.random.Generator,
    *,
    mood: Map | None = None,
) -> Session:
    """Draw the state of a person and the room in one session.

    Parameters
    ----------
    warmth : Warmth
    ambient : (mean, sd), degrees Celsius
    rng : Generator
    mood : (H, W) K, optional
        What is added to skin and beard, as :mod:`thermalign.simulator.person.mood` draws it.
    """
    air = rng.normal(*ambient)
    change = rng.normal(0, 0.28) + 0.20 * random_field(rng, 24, level=2)
    change += 0.05 * random_field(rng, 10, level=2)
    for mode, sd in zip(warmth.modes, SESSION_SD, strict=True):
        change += rng.normal(0, sd) * mode
    surface = warmth.skin + enlarge(change)
    if mood is not None:
        surface += mood
    hair = air + rng.normal(0.30, 0.03) * (surface - air) + 0.35 * warmth.strand
    cloth = air + rng.normal(0.36, 0.05) * (34 - air)
    folds = 0.4 * enlarge(random_field(rng, 25, level=2))
    surface += warmth.cloth * (cloth + folds - surface)
    surface += warmth.insulation * (hair - surface)  # hair lies on the clothes
    return Session(air, cloth, surface)


def _large_scale(identity: Identity, shape: Shape, rng: np.random.Generator) -> Map:
    """Return the skin's temperature by region, degrees Celsius."""
    body = identity.body
    base, low, menton = body.subnasale_y, body.mouth_y, body.menton_y
    skin = identity.skin_temperature + rng.normal(1.05, 0.15) * bump(0, -42, 44, 28)
    for (sign, _), (x, y) in zip(SIDES, identity.eyes, strict=True):
        inner = sign * ((body.eye_distance - body.eye_length) / 2 - 3.2)
        skin += rng.normal(1.3, 0.12) * bump(inner, y - 1, 4.2, 4.2)  # canthus
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


def _fine_structure(identity: Identity, shape: Shape, lips: float, rng: np.random.Generator) -> Map:
    """Return what stays sharp on the skin: eyes, lids, lips, nostrils, pores; K."""
    eyes, mouth = shape.eyes, shape.mouth
    fine = 0.20 * eyes.crease - 0.30 * eyes.lash
    fine -= rng.normal(0.62, 0.25) * blur(eyes.opening, 0.35)  # the cornea is cool
    fine += 0.5 * lips * blur(lip_mask(mouth), 0.4)
    fine += rng.normal(*BETWEEN_LIPS) * line_mask(mouth, LINE_WIDTH)
    for mask in nostrils(identity):
        fine -= rng.normal(0.9, 0.5) * mask
    return np.asarray(fine + 0.056 * fine_noise(rng, 1.1), np.float32)


def _insulation(shape: Shape) -> Map:
    """Return how much the hair hides the skin's temperature: 1 - exp(-thickness / 4.5 mm)."""
    thickness = shape.hair.thickness * shape.hair.full
    return np.asarray(shape.hair_cover * (1 - np.exp(thickness * (-1 / 4.5))), np.float32)


def _modes(identity: Identity, shape: Shape) -> Map:
    ears = shape.ears.mask * ~shape.head
    cheeks = bump(45, 35, 18, 20) + bump(-45, 35, 18, 20)
    sides = bump(45, 30, 20, 40) - bump(-45, 30, 20, 40)
    mouth = bump(0, identity.body.mouth_y, 22, 12)
    maps = (cooling(identity), bump(0, -45, 45, 25), cheeks, ears, mouth, sides)
    return np.stack([shrink(np.asarray(m, np.float32), 4) for m in maps])
