"""Hair of the head: outline, hairline, strands and height."""

from dataclasses import dataclass

import cv2
import numpy as np

from thermalign.simulator.anatomy import Identity
from thermalign.simulator.fields import (
    FLOOR,
    Map,
    Mask,
    X,
    Y,
    blur,
    broken_line,
    random_field,
    smoothstep,
)

# ASSUME every length (mm) and share below: tuned by eye on contact sheets.


@dataclass(frozen=True)
class Style:
    """A way to wear hair: thickness, the y it reaches down to, growth beyond the skull; mm."""

    thickness: float
    reach: float
    growth: float


STYLES = {
    "bald": Style(0.3, -200, 0.2),  # reaches nothing
    "buzz": Style(3.5, 4, 2.5),
    "short": Style(11, 10, 6),
    "medium": Style(19, 22, 13),
    "long": Style(17, 125, 15),
    "tied": Style(6, 6, 4),
}


@dataclass(frozen=True)
class Hair:
    """Hair over the canonical grid.

    Attributes
    ----------
    mask : (H, W) bool
    cover : (H, W), 0..1
        How much of the skin the hair hides, soft at its edge.
    strand : (H, W)
        Random, constant along a strand; unit variance before its blur.
    lift : (H, W) mm
        Height of the hair above the skull.
    outline : (H, 1) mm
        Half width of head and hair.
    back : bool
        Whether hair shows behind the neck and ears.
    """

    mask: Mask
    cover: Map
    strand: Map
    lift: Map
    outline: Map
    back: bool


def draw_hair(identity: Identity, width: Map, *, rng: np.random.Generator) -> Hair:
    """Draw the hair of a person.

    Parameters
    ----------
    identity : Identity
    width : (H, 1) mm
        Half width of the bare head.
    rng : Generator
    """
    style, body = STYLES[identity.hair], identity.body
    thickness = style.thickness * (1 + 0.15 * rng.standard_normal())
    top = body.vertex_y - thickness
    outline = _outline(identity, style.growth * (1 + 0.15 * rng.standard_normal()), top)
    ragged = 1.6 * random_field(rng, 7)
    outer = (np.abs(X) + ragged < outline) & (top + 1.2 * random_field(rng, 7) < Y)
    hairline = _hairline(identity, rng)
    side = _side_hair(identity, width, style.reach, rng)
    lowest = style.reach + (20 * rng.random() if identity.hair == "long" else 0)
    mask = outer & ((hairline > Y) | side) & (lowest > Y)
    cover = blur(mask.astype(np.float32), 2.6 if identity.hair == "buzz" else 1.3)
    strand = _strands(body.vertex_y, rng)
    above_line = np.exp(-np.maximum(0, hairline - Y) / 10)
    lift = 0.55 * thickness * cover * np.where(side, 1, 1 - above_line) + 0.5 * strand
    back = identity.hair != "bald"
    return Hair(mask, cover, strand, np.asarray(lift, np.float32), outline, back)


def hair_height(hair: Hair, head: Map) -> Map:
    """Return the height of the hair's surface, mm; ``FLOOR`` where there is none.

    Parameters
    ----------
    hair : Hair
    head : (H, W) mm
        Bare head, ``FLOOR`` outside.
    """
    bulge = np.sqrt(np.maximum(0, 1 - (X / (hair.outline + 1)) ** 2))
    skull = np.maximum(np.maximum(head, -100), -104 + 16 * bulge)
    return np.asarray(np.where(hair.mask, skull + hair.lift, FLOOR), np.float32)


def back_hair(hair: Hair, height: Map) -> Mask:
    """Return where background would show through between face, ears and hair."""
    if not hair.back:
        return np.zeros(height.shape, np.bool_)
    low = 125 if hair.mask[Y[:, 0] > 60].any() else 8
    within = (np.abs(X) < hair.outline - 1) & (low > Y) & (Y > -60)
    return (height <= FLOOR + 1) & within


def _outline(identity: Identity, growth: float, top: float) -> Map:
    """Return half the width of head and hair, (H, 1) mm."""
    skull = identity.body.head_breadth / 2
    shares = [(0, 0.10), (5, 0.40), (16, 0.66), (32, 0.88), (min(58, -31 - top), 1.0)]
    width = broken_line(Y, [(top + down, share * skull) for down, share in shares]) + growth
    if identity.hair == "long":
        width = width + 10 * smoothstep((Y + 30) / 110)
    if identity.hair == "medium":
        start = STYLES["medium"].reach - 18
        width = width - 22 * smoothstep((Y - start) / 18)
    return np.asarray(width, np.float32)


def _hairline(identity: Identity, rng: np.random.Generator) -> Map:
    """Return y of the hairline with recessions at the temples, (H, W) mm."""
    body = identity.body
    recession = 2.0 if identity.female else 9 * max(0.0, 0.5 * identity.age + 0.3)
    out = np.clip(np.abs(X) / (0.56 * body.forehead_breadth), 0, 1.6)
    line = body.hairline_y - recession * np.exp(-(((out - 0.62) / 0.22) ** 2))
    line = line + 118 * np.maximum(0, out - 0.72) ** 1.15
    ragged = 1.1 * random_field(rng, 2.2) + 0.8 * random_field(rng, 7) + 2.2 * random_field(rng, 30)
    return np.asarray(line + ragged, np.float32)


def _side_hair(identity: Identity, width: Map, reach: float, rng: np.random.Generator) -> Mask:
    """Return where hair frames the face: side-burns, or the fall of long hair."""
    ragged = random_field(rng, 10)
    if identity.hair != "long":
        return (np.abs(X) > 0.93 * width - 1.5) & (reach + 3 * ragged > Y) & (Y > -45)
    face, forehead = identity.body.face_breadth / 2, identity.body.forehead_breadth / 2
    nodes = [(-120, 10), (-60, 0.85 * forehead), (-20, 0.90 * face), (40, 0.97 * face)]
    edge = broken_line(Y, [*nodes, (90, 0.95 * face), (170, 0.8 * face)])
    return np.abs(X) > edge + 2.0 * rng.standard_normal()


def _strands(vertex_y: float, rng: np.random.Generator) -> Map:
    """Return noise that is constant along rays from the crown, (H, W)."""
    crown = 0.75 * vertex_y
    radius = np.hypot(X, Y - crown)
    angle = np.arctan2(X, crown - Y)
    noise = rng.standard_normal((64, 1024), dtype=np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.8), np.float32)
    column = (angle / np.pi + 1) * 511 + 2.0 * random_field(rng, 8)
    row = radius / 5
    wrapped = cv2.remap(
        noise,
        column.astype(np.float32),
        row.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    return np.asarray(wrapped, np.float32)
