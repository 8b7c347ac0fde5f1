"""The height field of a head: composition of its parts, slopes and ambient occlusion."""

from dataclasses import dataclass

import cv2
import numpy as np

from thermalign.simulator.anatomy import Identity
from thermalign.simulator.body import Ears, draw_ears, neck_height, shoulders
from thermalign.simulator.eyes import Eyes, draw_eyes
from thermalign.simulator.fields import FLOOR, SCALE, SHAPE, Map, Mask, blur
from thermalign.simulator.hair import Hair, back_hair, draw_hair, hair_height
from thermalign.simulator.head import face_relief, half_width, head_form
from thermalign.simulator.headwear import Cap, Fabric, fit_cap, under_cap
from thermalign.simulator.mouth import Mouth, draw_mouth, mouth_relief
from thermalign.simulator.nose import nose_relief


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
) -> Shape:
    """Build the geometry of a person.

    Parameters
    ----------
    identity : Identity
    rng, hair_rng : Generator
        Two streams, one of them for the hair alone.
    fabric : Fabric or None
        The cap that is worn, if any.
    """
    body = identity.body
    width = half_width(body)
    mouth = draw_mouth(identity, rng)
    form, head = head_form(body, width)
    relief = (
        face_relief(identity, mouth, rng=rng)
        + nose_relief(identity)
        + mouth_relief(identity, mouth)
    )
    bare = np.where(head, form + relief, np.float32(FLOOR))
    neck = neck_height(body)
    shoulder, cloth = shoulders(body, rng)
    ears = draw_ears(identity, width)
    hair = draw_hair(identity, width, rng=hair_rng)
    cap = fit_cap(fabric, body, width=width, head=bare) if fabric else None
    ear = ears.height
    if cap:
        ear = np.where(cap.inside | (hair.cover > 0.5), np.float32(FLOOR), ear)
        hair = under_cap(hair, cap)
    height = np.maximum(np.maximum(bare, neck), np.maximum(shoulder, ear))
    if cap:
        height = np.maximum(height, cap.height)
    empty = height <= FLOOR + 1
    behind = back_hair(hair) & empty
    if cap:
        behind &= ~cap.inside & (cap.hold > 2)
    locks = hair_height(hair, bare)
    shown = hair.cover * (locks > height - 2)  # a ponytail is hidden by the ear before it
    height = np.maximum(height, locks)
    height = np.where(behind, np.maximum(height, np.float32(-106)), height)
    cover = np.minimum(shown + blur(behind.astype(np.float32), 0.6), 1)  # no seam between
    face = head & (bare >= neck)
    eyes = draw_eyes(identity)
    solid = height > FLOOR + 1
    return Shape(
        height=_finish(height, eyes, solid, crease=body.lid_crease > 1.5),
        solid=solid,
        face=face,
        head=head,
        hair_cover=np.where(empty, hair.mask.astype(np.float32), cover),
        veil=_veil(hair.mask & empty, cover, empty),
        cloth=np.asarray(cloth * ~face, np.float32),
        cap=cap,
        hair=hair,
        mouth=mouth,
        eyes=eyes,
        ears=ears,
    )


def _veil(hair: Mask, cover: Map, empty: Mask) -> Map:
    """Return how much of the background the person hides.

    Parameters
    ----------
    hair : (H, W) bool
        Where there is hair and nothing else.
    cover : (H, W), 0..1
    empty : (H, W) bool
        Where there is neither head nor body.
    """
    # nothing just outside the hair as well, or its outline would be drawn by interpolation
    near = cv2.dilate(hair.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    return np.asarray(np.where(near & empty, cover * hair, np.float32(1)), np.float32)


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
