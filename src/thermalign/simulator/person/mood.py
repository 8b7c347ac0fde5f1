"""Faces warmer and colder than usual: noses, nostrils, lips, beards, breath, as a session has them.

What is usual is painted by :mod:`thermalign.simulator.person.temperature`; there every nose is a
cold blob. Recorded faces have noses as warm as their cheeks, whose nostrils alone are dark, others
that are cold within the sharp outline of the cartilage; lips darker or brighter than the skin;
beards colder by degrees.
"""

from dataclasses import dataclass, replace

import numpy as np

from thermalign.simulator.person.anatomy import Identity
from thermalign.simulator.person.facial_hair import FacialHair
from thermalign.simulator.person.mouth import line_mask, lip_mask
from thermalign.simulator.person.nose import cooling, nose_relief, nostrils
from thermalign.simulator.person.shape import Shape
from thermalign.simulator.person.temperature import BETWEEN_LIPS, LINE_WIDTH, LIPS
from thermalign.simulator.physics.fields import SIDES, Map, Y, blur, bump, logistic
from thermalign.simulator.settings import Variety

# ASSUME every length (mm), temperature (K) and share below: by eye beside recorded faces.
WARM_NOSE = (-0.8, 1.0)  # K of a warm nose against the face around it

SHALLOWEST = 0.25  # of the depth of the coldest nose

CARTILAGE = (4.0, 1.2)  # mm of relief from which a nose counts, and over how many

PLAIN = 0.65  # share of a beard's cold that all of it has; the hairs' pattern has the rest

COOLEST_LINE = 1.4  # times its usual warmth, that the line between the lips can lose

MOUSTACHES, BOTH = 0.2, 0.8  # of drawn beards: moustache alone; up to here both


@dataclass(frozen=True)
class Masks:
    """Where a person's temperature can differ from the usual, each (H, W).

    Attributes
    ----------
    usual_nose : how strongly the skin follows ``Identity.nose_offset``
    cartilage : the lower nose, with a sharp outline
    nostrils, lips, between_lips, upper_lip, openings, lashes, brows : 0..1
    beard : its density times the pattern of its hairs
    regions : forehead, eyes, cheeks, chin, and one side against the other
    """

    usual_nose: Map
    cartilage: Map
    nostrils: Map
    lips: Map
    between_lips: Map
    upper_lip: Map
    openings: Map
    lashes: Map
    brows: Map
    beard: Map
    regions: tuple[Map, ...]


def dress(identity: Identity, variety: Variety, rng: np.random.Generator) -> Identity:
    """Give a person glasses, and a man another beard or moustache, if they are of those shares."""
    chosen, kind = rng.random(2)
    density = float(rng.uniform(0.6, 1.0))
    if rng.random() < variety.spectacles:
        identity = replace(identity, owns_glasses=True)
    if identity.female or chosen >= variety.beards:
        return identity
    beard = 0.1 if kind < MOUSTACHES else density
    return replace(identity, beard=beard, moustache=density if kind < BOTH else 0.1)


def find_masks(identity: Identity, shape: Shape, facial: FacialHair) -> Masks:
    """Return where a person's temperature can differ."""
    body = identity.body
    base, low = body.subnasale_y, body.mouth_y
    start, over = CARTILAGE
    lower = logistic((Y - 0.42 * base) / 3.5)
    cartilage = logistic((nose_relief(identity) - start) / over) * lower
    philtrum = bump(identity.septum, base + 0.45 * body.philtrum, 13, 0.35 * body.philtrum)
    beard = np.clip(facial.beard, 0, 1) ** 1.1
    hairs = PLAIN + (1 - PLAIN) * np.clip(0.7 + 0.8 * facial.texture, 0, 2.5)
    return Masks(
        usual_nose=np.asarray(cooling(identity), np.float32),
        cartilage=blur(np.asarray(cartilage, np.float32), 0.8),
        nostrils=np.minimum(sum(1.3 * mask for mask in nostrils(identity)), 1).astype(np.float32),
        lips=blur(lip_mask(shape.mouth), 0.5),
        between_lips=line_mask(shape.mouth, LINE_WIDTH),
        upper_lip=philtrum,
        openings=blur(shape.eyes.opening, 0.35),
        lashes=shape.eyes.lash,
        brows=blur(facial.brow, 0.35),
        beard=blur(np.asarray(beard * hairs, np.float32), 0.5),
        regions=_regions(identity, base=base, low=low),
    )


def draw_mood(masks: Masks, identity: Identity, variety: Variety, rng: np.random.Generator) -> Map:
    """Draw what a session adds to the temperature of skin and beard, (H, W) K.

    Parameters
    ----------
    masks, identity
    variety : Variety
    rng : Generator
        Every draw is made whatever is on, so that one setting changes nothing of another.
    """
    kind, level, nostril, beard, between = rng.random(5)
    lips, breath = rng.standard_normal(2)
    scores = rng.standard_normal(len(masks.regions))
    opening, lash, brow = rng.random(3)
    mood = np.zeros_like(masks.lips)
    if kind < variety.warm_noses + variety.cold_noses:
        warm = kind < variety.warm_noses
        ends = WARM_NOSE if warm else (-SHALLOWEST * variety.nose_depth, -variety.nose_depth)
        mood -= identity.nose_offset * masks.usual_nose
        mood += (ends[0] + (ends[1] - ends[0]) * level) * masks.cartilage
    mood -= nostril * variety.nostrils * masks.nostrils
    if variety.lips:
        mood += (lips * variety.lips - LIPS[0]) * masks.lips
        mood -= COOLEST_LINE * between * BETWEEN_LIPS[0] * masks.between_lips
    mood += breath * variety.breath * masks.upper_lip
    mood -= beard * variety.beard_depth * masks.beard
    mood -= variety.eyes * (opening * masks.openings + lash * masks.lashes)
    mood -= brow * variety.brows * masks.brows
    scores[1] = abs(scores[1])  # the skin around the eyes is never the coldest
    for score, region in zip(scores, masks.regions, strict=True):
        mood += score * variety.regions * region
    return np.asarray(mood, np.float32)


def _regions(identity: Identity, *, base: float, low: float) -> tuple[Map, ...]:
    """Return forehead, eyes, cheeks, chin, and one side against the other."""
    forehead = bump(0, -44, 46, 24)
    eyes = sum(bump(x, y + 1, 17, 10) for x, y in identity.eyes)
    cheeks = sum(bump(sign * 43, base - 8, 20, 20) for sign, _ in SIDES)
    cheeks = logistic((cheeks - 0.55) * 7)  # fat under the skin ends sooner than a Gaussian does
    chin = bump(0, low + 26, 24, 14)
    left, right = (bump(sign * 45, 30, 22, 42) for sign, _ in SIDES)
    maps = (forehead, eyes, cheeks, chin, 0.5 * (right - left))
    return tuple(np.asarray(m, np.float32) for m in maps)
