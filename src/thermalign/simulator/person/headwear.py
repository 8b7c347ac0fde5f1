"""Caps: a dome over head and hair; the peak of a peaked cap is a layer of its own."""

from dataclasses import dataclass, replace
from math import exp, log

import numpy as np

from thermalign.simulator.person.anatomy import Anatomy
from thermalign.simulator.person.hair import HIGHEST, Hair, dome
from thermalign.simulator.person.peak import Peak
from thermalign.simulator.person.pigments import dye
from thermalign.simulator.physics.colour import Colour
from thermalign.simulator.physics.fields import (
    FLOOR,
    SHAPE,
    Map,
    Mask,
    X,
    Y,
    bell,
    curve,
    random_field,
    smoothstep,
)

# ASSUME every length (mm) and share below: tuned by eye on contact sheets.
OWNERS = 0.25  # share of people who own a cap

CAP_DYE = 0.45  # strength of the colour of a cap

KNITTED = 0.5  # share of knitted ones among caps

BRIM = 34.0  # mm, height of the fold of a knitted cap

RIB = 5.0  # mm, width of a rib of a knitted cap


@dataclass(frozen=True)
class Fabric:
    """A cap before it is put on.

    Attributes
    ----------
    knitted : bool
        Else it is peaked.
    above_brows : float, mm
        Between its edge and the brows.
    slack : float, mm
        That it rises above the head.
    albedo : float
    tint : (3,)
        Blue, green and red over the luminance.
    uneven : (H, W)
        Random, of about unit variance.
    peak : float, mm
        Length of the peak; 0 without one.
    """

    knitted: bool
    above_brows: float
    slack: float
    albedo: float
    tint: Colour
    uneven: Map
    peak: float


@dataclass(frozen=True)
class Cap:
    """A cap that is worn.

    Attributes
    ----------
    inside : (H, W) bool
        Well above its edge: there are neither hair nor ears.
    hold : (H, W) mm
        How far inside the outline that it presses the hair below it to; -99 above its edge.
    cover : (H, W), 0..1
    height : (H, W) mm
        ``FLOOR`` outside.
    tint : (3,)
        Blue, green and red over the luminance.
    albedo : (H, W), linear reflectance
    warmth : (H, W), 0..1
        How much it hides the skin's temperature: less at its edge.
    open_sky : (H, W), 0..1
        Share of the ambient light that the peak leaves to the face.
    peak : Peak or None
    """

    inside: Mask
    hold: Map
    cover: Map
    height: Map
    tint: Colour
    albedo: Map
    warmth: Map
    open_sky: Map
    peak: Peak | None


def draw_fabric(rng: np.random.Generator) -> Fabric | None:
    """Draw the cap that a person owns, if any."""
    owned, knitted = rng.random() < OWNERS, rng.random() < KNITTED
    if not owned:
        return None
    return Fabric(
        knitted=bool(knitted),
        above_brows=float(rng.uniform(6, 22) if knitted else rng.uniform(9, 17)),
        slack=float(rng.uniform(6, 18) if knitted else rng.uniform(8, 14)),
        albedo=exp(rng.uniform(log(0.03), log(0.5))),
        tint=dye(CAP_DYE, rng),
        uneven=random_field(rng, 14),
        peak=0.0 if knitted else float(rng.uniform(58, 70)),
    )


def fit_cap(fabric: Fabric, body: Anatomy, *, width: Map, head: Map) -> Cap:
    """Put a cap on a head.

    Parameters
    ----------
    fabric : Fabric
    body : Anatomy
    width : (H, 1) mm
        Half width of the bare head.
    head : (H, W) mm
        Bare head, ``FLOOR`` outside.
    """
    front, side = body.brow_y - fabric.above_brows, -6.0 if fabric.knitted else -18.0
    skull = body.head_breadth / 2
    turn = 1 - np.sqrt(1 - np.minimum(np.abs(X) / (skull + 3), 1) ** 2)  # 0 in front, 1 beside
    above = front + (side - front) * turn - Y  # mm above the edge
    top = max(body.vertex_y - fabric.slack, HIGHEST)
    outline = _outline(fabric, width, skull, top=top)
    within = (np.abs(X) < outline) & (top < Y)
    cover = smoothstep(above / 1.6 + 0.3)  # also outside: that is the back of a turned head
    pattern, relief = _knit(fabric, above) if fabric.knitted else _panels(fabric, front)
    thick = 5.0 if fabric.knitted else 2.5
    surface = np.maximum(head, dome(head, outline, top=top, line=front))
    surface = surface + (thick + relief) * smoothstep(above / 2.5)
    edge = np.exp(-np.maximum(above, 0) / 7)
    thin = 0.02 if fabric.knitted else 0.10  # of its temperature is the skin's
    peak = _peak(fabric, body, head, front) if fabric.peak else None
    return Cap(
        inside=np.asarray(above > 1.2),  # where it covers all
        hold=np.where(above > 1.2, np.float32(-99), outline - above - np.abs(X)).astype(np.float32),
        cover=np.asarray(cover, np.float32),
        height=np.where((above > 0) & within, surface, np.float32(FLOOR)).astype(np.float32),
        tint=fabric.tint,
        albedo=np.asarray(fabric.albedo * pattern * (1 + 0.06 * fabric.uneven), np.float32),
        warmth=np.asarray(cover * (1 - thin - 0.35 * edge + 0.03 * (pattern - 1)), np.float32),
        open_sky=_open_sky(front) if peak else np.ones(SHAPE, np.float32),
        peak=peak,
    )


def under_cap(hair: Hair, cap: Cap) -> Hair:
    """Return what a cap leaves of the hair."""
    return replace(
        hair,
        mask=hair.mask & (cap.hold > -2),
        cover=np.asarray(hair.cover * smoothstep(cap.hold / 3 + 0.5), np.float32),
    )


def ears_left(height: Map, hair: Hair, cap: Cap) -> Map:
    """Return the height of the ears, mm, without what cap and hair hide.

    Hair that a cap presses to the head still hides the ears it hid before.
    """
    return np.where(cap.inside | (hair.cover > 0.5), np.float32(FLOOR), height)


def _outline(fabric: Fabric, width: Map, skull: float, *, top: float) -> Map:
    """Return half the width of the cap, (H, 1) mm."""
    wide = skull + (7 if fabric.knitted else 4)
    shares = [(0, 0.12), (4, 0.40), (14, 0.68), (32, 0.90), (min(60, -32 - top), 1.0)]
    over = curve(Y, [(top + down, share * wide) for down, share in shares])
    close = smoothstep((Y + 60) / 40)  # follows the head above the ears
    return np.asarray(over + close * (width + 4 - over), np.float32)


def _knit(fabric: Fabric, above: Map) -> tuple[Map, Map]:
    """Return pattern, about 1, and relief, mm, of ribs and a fold."""
    fold = smoothstep((BRIM - above) / 2.5)
    ribs = np.cos(X * (2 * np.pi / RIB) * (1 + 0.25 * fold) + 0.4 * fabric.uneven)
    rows = np.cos((above + 1.2 * fabric.uneven) * (2 * np.pi / 4.2))
    pattern = 1 + 0.16 * ribs + 0.04 * rows - 0.25 * bell(above - BRIM, 1.6)
    relief = 0.5 * ribs + 2.6 * fold + 1.2 * fabric.uneven * (1 - fold)
    return np.asarray(pattern, np.float32), np.asarray(relief, np.float32)


def _panels(fabric: Fabric, front: float) -> tuple[Map, Map]:
    """Return pattern, about 1, and relief, mm, of cloth sewn from panels."""
    up = np.clip((front - Y) / 90, 0, 1.2)
    seams = bell(X, 0.8) + bell(np.abs(X) - 62 * np.sqrt(1.21 - up * up * 0.8), 0.8)
    hem = bell(front + 0.002 * X * X - Y - 7, 0.7)
    pattern = 1 - 0.22 * np.clip(seams + hem, 0, 1)
    return np.asarray(pattern, np.float32), np.asarray(
        0.8 * fabric.uneven - 0.5 * seams, np.float32
    )


def _peak(fabric: Fabric, body: Anatomy, head: Map, front: float) -> Peak:
    row = int(np.argmin(np.abs(Y[:, 0] - front)))
    return Peak(
        y=front - 1.5,  # a gap below the hem would show skin
        z=float(head[row, SHAPE[1] // 2]) + 2,
        half_width=0.66 * body.forehead_breadth,
        length=fabric.peak,
        colour=fabric.albedo * fabric.tint,
    )


def _open_sky(front: float) -> Map:
    """Return the share of ambient light that a peak leaves to the face below it, (H, W)."""
    below = np.maximum(Y - front, 0)
    return np.asarray(1 - 0.5 * np.exp(-below / 28) * bell(X, 60) * (below > 0), np.float32)
