"""The height field of a head: composition of its parts, slopes and ambient occlusion."""

from dataclasses import dataclass

import cv2
import numpy as np

from thermalign.simulator.person.anatomy import Identity
from thermalign.simulator.person.body import Ears, draw_ears, neck_height, shoulders
from thermalign.simulator.person.eyes import Eyes, draw_eyes
from thermalign.simulator.person.growth import Growth
from thermalign.simulator.person.hair import Hair, back_hair, draw_hair, hair_height
from thermalign.simulator.person.head import face_relief, half_width, head_form
from thermalign.simulator.person.headwear import Cap, Fabric, ears_left, fit_cap, under_cap
from thermalign.simulator.person.mouth import Mouth, draw_mouth, mouth_relief
from thermalign.simulator.person.nose import nose_relief
from thermalign.simulator.physics.fields import FLOOR, SCALE, SHAPE, Map, Mask, blur

BACK_HAIR = -106.0  # ASSUME: mm, height of hair seen behind neck and ears


@dataclass(frozen=True)
class Shape:
    """The geometry of a person over the canonical grid.

    Attributes
    ----------
    height : (H, W) mm
        ``FLOOR`` where there is only background.
    solid : (H, W) bool
        Where the person is.
    face : (H, W) bool
        Where the surface is the front of the head, below any hair.
    head : (H, W) bool
        Inside the outline of the bare head.
    hair_cover : (H, W), 0..1
        With hair seen behind the head.
    veil : (H, W), 0..1
        How much of the background the person hides: 1 but for thin hair at the outline.
    cloth : (H, W), 0..1
        Clothes below the chin; hair may lie on them.
    cap : Cap or None
        As fitted.
    hair, mouth, eyes, ears
        The parts.
    """

    height: Map
    solid: Mask
    face: Mask
    head: Mask
    hair_cover: Map
    veil: Map
    cloth: Map
    cap: Cap | None
    hair: Hair
    mouth: Mouth
    eyes: Eyes
    ears: Ears


def build_shape(
    identity: Identity,
    *,
    rng: np.random.Generator,
    hair_rng: np.random.Generator,
    fabric: Fabric | None = None,
    growth: Growth | None = None,
) -> Shape:
    """Build the geometry of a person.

    Parameters
    ----------
    identity : Identity
    rng, hair_rng : Generator
        Two streams, one of them for the hair alone.
    fabric : Fabric or None
        The cap that is worn, if any.
    growth : Growth or None
        Of the hair since the first session.
    """
    body = identity.body
    width = half_width(body)
    mouth = draw_mouth(identity, rng)
    bare, head = _bare_head(identity, mouth, width, rng)
    neck = neck_height(body)
    shoulder, cloth = shoulders(body, rng)
    ears = draw_ears(identity, width)
    hair = draw_hair(identity, width, rng=hair_rng, growth=growth)
    cap = fit_cap(fabric, body, width=width, head=bare) if fabric else None
    below = np.maximum(np.maximum(bare, neck), shoulder)
    if cap:
        below = np.maximum(below, np.maximum(cap.height, ears_left(ears.height, hair, cap)))
        hair = under_cap(hair, cap)
    else:
        below = np.maximum(below, ears.height)
    height, cover, veil = _put_hair(hair, cap, bare=bare, below=below)
    face = head & (bare >= neck)
    eyes = draw_eyes(identity)
    solid = height > FLOOR + 1
    return Shape(
        height=_finish(height, eyes, solid, crease=body.lid_crease > 1.5),
        solid=solid,
        face=face,
        head=head,
        hair_cover=cover,
        veil=veil,
        cloth=np.asarray(cloth * ~face, np.float32),
        cap=cap,
        hair=hair,
        mouth=mouth,
        eyes=eyes,
        ears=ears,
    )


def _bare_head(
    identity: Identity, mouth: Mouth, width: Map, rng: np.random.Generator
) -> tuple[Map, Mask]:
    """Return the height of the head without hair and ears, mm, and where it is."""
    form, head = head_form(identity.body, width)
    relief = (
        face_relief(identity, mouth, rng=rng)
        + nose_relief(identity)
        + mouth_relief(identity, mouth)
    )
    return np.where(head, form + relief, np.float32(FLOOR)), head


def _put_hair(hair: Hair, cap: Cap | None, *, bare: Map, below: Map) -> tuple[Map, Map, Map]:
    """Put hair on a person.

    Parameters
    ----------
    hair : Hair
        What a cap leaves of it.
    cap : Cap or None
    bare, below : (H, W) mm
        Height of the bare head; of all that the hair lies on or hangs beside.

    Returns
    -------
    height, hair_cover, veil : (H, W)
        As in :class:`Shape`.
    """
    empty = below <= FLOOR + 1
    behind = back_hair(hair) & empty
    if cap:
        behind &= cap.hold > 2
    locks = hair_height(hair, bare)
    height = np.maximum(below, locks)
    height = np.where(behind, np.maximum(height, np.float32(BACK_HAIR)), height)
    shown = hair.cover * (locks > below - 2)  # a ponytail is hidden by the ear before it
    cover = np.minimum(shown + blur(behind.astype(np.float32), 0.6), 1)  # no seam between
    alone = (hair.mask | behind) & empty
    # nothing just outside the hair either, or interpolation would draw its outline
    near = cv2.dilate(alone.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    veil = np.where(near & empty, cover * alone, np.float32(1))
    return height, np.where(empty, alone.astype(np.float32), cover), veil


# ASSUME every depth (mm), weight and bound below: tuned by eye on contact sheets.
def _finish(height: Map, eyes: Eyes, solid: Mask, *, crease: bool) -> Map:
    """Recess the eyes and smooth the surface away from the silhouette."""
    height = height - 0.9 * eyes.opening - 0.25 * eyes.fold - (0.8 * eyes.crease if crease else 0)
    smooth = cv2.GaussianBlur(height, (0, 0), 0.9)
    inside = cv2.erode(solid.astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.asarray(np.where(inside > 0, smooth, height), np.float32)


def slopes(shape: Shape) -> tuple[Map, Map]:
    """Return the derivatives of the height along x and y, at most 6, without unit."""
    ground = np.where(shape.solid, shape.height, np.maximum(shape.height, np.float32(-118)))
    smooth = cv2.GaussianBlur(ground, (0, 0), 0.8)
    along, down = (
        np.asarray(cv2.Scharr(smooth, cv2.CV_32F, x, 1 - x), np.float32) * (SCALE / 32)
        for x in (1, 0)
    )
    return np.clip(along, -6, 6), np.clip(down, -6, 6)


def raised(shape: Shape) -> Map:
    """Return the height with the background drawn near, so that a silhouette is no abyss, mm."""
    return np.where(shape.solid, shape.height, np.maximum(shape.height, np.float32(-95)))


def ambient_occlusion(shape: Shape) -> Map:
    """Return which share of the ambient light reaches the surface, 0..1.

    exp(-sum of k [blurred height - height]+) over blurs of 4, 12 and 26 mm: hollows are dark.
    """
    height = raised(shape)
    hollow = np.zeros(SHAPE, np.float32)
    for sigma, weight in ((4, 0.085), (12, 0.040), (26, 0.018)):
        hollow += weight * np.maximum(0, blur(height, sigma) - height)
    return np.asarray(np.exp(-hollow), np.float32)
