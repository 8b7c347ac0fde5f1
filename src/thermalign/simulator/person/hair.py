"""Hair of the head: outline, hairline, cover and height."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from thermalign.simulator.person.anatomy import Identity
from thermalign.simulator.person.growth import Growth
from thermalign.simulator.person.hairstyles import STYLES, Flow, Style, draw_style
from thermalign.simulator.person.strands import run_strands, stray, weave
from thermalign.simulator.physics.fields import (
    FLOOR,
    SHAPE,
    Map,
    Mask,
    X,
    Y,
    bell,
    broken_line,
    curve,
    random_field,
    smoothstep,
)

# ASSUME every length (mm) and share below: tuned by eye on contact sheets.
HIGHEST = -146.0  # mm, y that no hair rises above: the grid ends at -150

LEAVES = 48.0  # mm, half width of the face that hair beside it always leaves free

RING = 6.0  # mm outside the outline where stray hairs may be

BACK = -100.0  # mm, height of the hair's outline

SIDES_DEPTH = -48.0  # mm, height of hair that hangs beside the face, on the middle line


@dataclass(frozen=True)
class Hair:
    """Hair over the canonical grid.

    Attributes
    ----------
    style : str
        A key of ``hairstyles.STYLES``.
    mask : (H, W) bool
        Where there is hair, the ring of stray ones included.
    cover : (H, W), 0..1
        How much the hair hides of what is behind it: skin, or background.
    strand : (H, W)
        Texture along the strands, of about unit variance.
    thickness : float, mm
        Of the hair over the scalp.
    full : (H, W), 0..1
        How much of its thickness it has reached: none at the hairline and on a parting.
    lift : (H, W) mm
        Relief of the hair's surface.
    outline : (H, 1) mm
        Half width of head and hair.
    top, hairline : float, mm
        The y of the hair's top and of its line on the forehead.
    """

    style: str
    mask: Mask
    cover: Map
    strand: Map
    thickness: float
    full: Map
    lift: Map
    outline: Map
    top: float
    hairline: float


def draw_hair(
    identity: Identity, width: Map, *, rng: np.random.Generator, growth: Growth | None = None
) -> Hair:
    """Draw the hair of a person.

    Parameters
    ----------
    identity : Identity
    width : (H, 1) mm
        Half width of the bare head.
    rng : Generator
    growth : Growth or None
        Since the first session: the same style and hairline, another length, combed anew.
    """
    name = draw_style(identity, rng)
    style, body = STYLES[name], identity.body
    volume = 1 + 0.15 * float(rng.standard_normal())
    volume *= growth.hair if growth else 1
    thickness = style.thickness * volume
    top = max(body.vertex_y - thickness, HIGHEST)
    outline = _outline(identity, style, width, growth=style.growth * volume, top=top)
    parting = _parting(style, rng)
    crown = body.vertex_y - 18  # on the back of the head: rays meet out of sight
    across, along = run_strands(style, outline, crown=crown, parting=parting, rng=rng)
    strand, lock = weave(style, across, along, rng)
    if growth:  # after that, so that the person's own stream goes on as in the first session
        combed = run_strands(style, outline, crown=crown, parting=parting, rng=growth.rng)
        strand, lock = weave(style, *combed, growth.rng)
    gathered = _gathered(name, width, top=top, parting=parting)
    outside = np.maximum(np.minimum(outline - np.abs(X), Y - top), gathered)
    outside = np.where((np.abs(X) < width) & (Y > -60), RING, outside)  # side-burns end at no edge
    behind = np.maximum(_behind_hairline(identity, style, width, rng=rng), gathered)
    behind += _ragged(style, strand, lock)
    edge = smoothstep(0.6 * (outside + style.spikes * lock) + 0.3)
    softness = 5.5 if thickness < 8 else 3.5  # mm: short hair thins out, long hair lies on the skin
    cover = np.maximum(edge, stray(outside, style, rng)) * smoothstep(behind / softness + 0.35)
    covered = 1 - _scalp(style, parting, rng) * (behind > 0)
    cover *= covered * _density(style, strand)
    full = (1 - np.exp(np.maximum(behind, 0) * (-1 / 8))) * covered
    return Hair(
        style=name,
        mask=(outside > -RING) & (behind > -2) & (style.density > 0),
        cover=np.asarray(cover, np.float32),
        strand=strand,
        thickness=thickness,
        full=np.asarray(full, np.float32),
        lift=np.asarray((0.3 * thickness + style.relief * lock) * full * cover, np.float32),
        outline=outline,
        top=top,
        hairline=body.hairline_y,
    )


def hair_height(hair: Hair, head: Map) -> Map:
    """Return the height of the hair's surface, mm; ``FLOOR`` where there is none.

    A dome over the whole of hair and head: one that only padded the head would show the head's
    outline as a groove.

    Parameters
    ----------
    hair : Hair
    head : (H, W) mm
        Bare head, ``FLOOR`` outside.
    """
    over = dome(head, hair.outline, top=hair.top, line=hair.hairline)
    rise = np.maximum(over - head, 0) * np.where(head > FLOOR, hair.full, 1)
    return np.asarray(np.where(hair.mask, head + rise + hair.lift, FLOOR), np.float32)


def dome(head: Map, outline: Map, *, top: float, line: float) -> Map:
    """Return the height of a dome over a head, (H, W) mm.

    Parameters
    ----------
    head : (H, W) mm
        Bare head, ``FLOOR`` outside.
    outline : (H, 1) mm
        Half width of the dome.
    top, line : float, mm
        The y where it ends above, and where it meets the forehead.
    """
    middle = head[:, SHAPE[1] // 2]
    rows = np.flatnonzero(middle > FLOOR)
    bare_y, bare = Y[rows, 0], middle[rows]
    # the bare profile between line and vertex, stretched over what lies between line and top
    stretched = broken_line(Y, [(top, float(bare_y[0])), (line, line)])
    profile = np.interp(stretched, bare_y, bare)
    sides = smoothstep((Y - line) / -line)  # below the line only the sides are seen: further back
    profile = (profile + sides * (SIDES_DEPTH - profile)).astype(np.float32)
    share = np.minimum(np.abs(X) / (outline + 1), 1)
    return np.asarray(BACK + (profile - BACK) * np.sqrt(1 - share * share), np.float32)


def back_hair(hair: Hair) -> Mask:
    """Return where hair behind the head fills what face, ears and hair leave open."""
    if not STYLES[hair.style].curtain:
        return np.zeros(SHAPE, np.bool_)
    low = min(STYLES[hair.style].reach - 4, 125)
    return np.asarray((np.abs(X) < hair.outline - 3) & (low > Y) & (Y > -60))


def _outline(identity: Identity, style: Style, width: Map, *, growth: float, top: float) -> Map:
    """Return half the width of head and hair, (H, 1) mm."""
    skull = identity.body.head_breadth / 2
    wide = skull + growth
    shares = [(0, 0.16), (4, 0.40), (14, 0.66), (30, 0.88), (min(58, -31 - top), 1.0)]
    over = curve(Y, [(top + down, share * wide) for down, share in shares])
    if style.curtain:
        flare = 8 if style.reach > 100 else -2
        return np.asarray(over + flare * smoothstep((Y + 30) / 110), np.float32)
    if style.flow is Flow.CURLS:  # a ball
        return np.asarray(over - 0.8 * growth * smoothstep((Y + 10) / 30), np.float32)
    close = smoothstep((Y + 50) / 40)  # cut short above the ears
    return np.asarray(over + close * (np.minimum(over, width + 0.8) - over), np.float32)


def _parting(style: Style, rng: np.random.Generator) -> float:
    """Draw the x of the parting: near the middle of half of the long hair, else to one side; mm."""
    side, middle = (-1 if rng.random() < 0.5 else 1), style.curtain and rng.random() < 0.5
    return (3 if middle else 24) * side + 3 * float(rng.standard_normal())


def _ragged(style: Style, strand: Map, lock: Map) -> Map:
    """Return how far tufts and single hairs reach beyond the line around the face, mm, (H, W)."""
    tidy = 1 if style.curtain else 1 - 0.6 * smoothstep((Y + 45) / 25)  # side-burns are trimmed
    loose = 0.5 if style.flow is Flow.CURLS else 1.2  # curls that stood apart would leave holes
    return np.asarray(tidy * ((0.8 + 0.25 * style.spikes) * lock + loose * strand), np.float32)


def _density(style: Style, strand: Map) -> Any:
    """Return how much of the skin below it hair hides: all, or less where it is thin, 0..1."""
    if style.density == 1:
        return 1.0
    return np.clip(style.density * (1 + 0.25 * strand), 0, 1)


def _gathered(name: str, width: Map, *, top: float, parting: float) -> Map:
    """Return how far inside a bun or a ponytail a place lies, mm, (H, W); far outside without."""
    if name == "bun":
        y = max(top + 3, HIGHEST + 21)
        return np.asarray(20 - np.hypot(X, 1.15 * (Y - y)), np.float32)
    if name == "ponytail":
        away = np.abs(X - np.copysign(66 + 0.07 * Y, parting))
        tail = np.minimum(17 - 0.06 * Y - away, np.minimum(Y - 20, 150 - Y))
        return np.asarray(np.minimum(tail, np.abs(X) - width), np.float32)
    return np.full(SHAPE, -99, np.float32)


def _behind_hairline(
    identity: Identity, style: Style, width: Map, *, rng: np.random.Generator
) -> Map:
    """Return how far behind the line around the face a place lies, about mm, (H, W)."""
    reach = style.reach + 8 * float(rng.random())
    uneven = random_field(rng, 10)
    front = _hairline(identity, style, rng) - Y
    if style.curtain:
        side = np.abs(X) - _curtain_edge(identity, rng)
        lower = reach + 2 * uneven - Y
    else:
        side = 2 * (np.abs(X) - 0.92 * width + 1.5)
        lower = np.minimum(0.6 * (reach + 3 * uneven - Y), 0.5 * (Y + 62) + 2 * uneven)
    return np.asarray(np.maximum(front, np.minimum(side, lower)), np.float32)


def _hairline(identity: Identity, style: Style, rng: np.random.Generator) -> Map:
    """Return y of the hairline with recessions at the temples, or of the fringe, (H, W) mm."""
    body = identity.body
    recession = 2.0 if identity.female else 9 * max(0.0, 0.5 * identity.age + 0.3)
    across = np.abs(X)
    out = np.clip(across / (0.56 * body.forehead_breadth), 0, 1.6)
    line = body.hairline_y - recession * bell(out - 0.62, 0.155)
    if style is STYLES["wreath"]:
        line = np.full_like(line, HIGHEST)
    if style is STYLES["thin"]:
        line = line - 9
    line = line + 118 * np.maximum(0, out - 0.72) ** 1.15
    uneven = 0.8 * random_field(rng, 7) + 2.2 * random_field(rng, 30)
    if style.fringe:
        width = 0.42 * body.forehead_breadth
        cut = body.brow_y - style.fringe + 5 * (across / width) ** 2
        cut = cut + 0.12 * float(rng.standard_normal()) * X
        line = np.where(across < width, np.maximum(line, cut), np.maximum(line, cut - 8))
    return np.asarray(line + uneven, np.float32)


def _curtain_edge(identity: Identity, rng: np.random.Generator) -> Map:
    """Return half the width of the face that hair beside it leaves free, (H, W) mm."""
    body = identity.body
    face, forehead = body.face_breadth / 2, body.forehead_breadth / 2
    jaw, menton = body.jaw_breadth / 2, body.menton_y
    nodes = [
        (-120.0, 10.0),
        (-60.0, 0.85 * forehead),
        (-20.0, 0.90 * face),
        (25.0, 0.93 * face),
        (body.mouth_y, 0.97 * jaw),
        (menton, 0.85 * jaw),
        (170.0, 0.8 * jaw),
    ]
    left, right = (2.0 * float(score) for score in rng.standard_normal(2))
    edge = broken_line(Y, nodes) + np.where(X < 0, left, right) + random_field(rng, 35)
    return np.asarray(np.maximum(edge, LEAVES * smoothstep((Y + 75) / 30)), np.float32)


def _scalp(style: Style, parting: float, rng: np.random.Generator) -> Map:
    """Return where the scalp shows on a parting, (H, W), 0..1."""
    if style.flow is not Flow.PARTED:
        return np.zeros(SHAPE, np.float32)
    line = parting + 0.1 * (Y + 70) * np.sign(parting) + 0.9 * random_field(rng, 5)
    bare = 0.5 + 0.25 * random_field(rng, 6) + 0.012 * (Y + 70)  # closes towards the top
    return np.asarray(np.clip(bare, 0, 0.8) * bell(X - line, 0.75) * (Y < -40), np.float32)
