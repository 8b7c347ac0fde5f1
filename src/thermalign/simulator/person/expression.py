"""How a face moves: displacement fields of expressions and of the jaw.

Fields live on level 2 of the canonical grid and are sampled at the **displaced** position q: the
skin seen at q is the neutral skin at q - D(q), its height Z(q - D(q)) + dZ(q).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thermalign.simulator.person.anatomy import Identity
from thermalign.simulator.person.mouth import Mouth
from thermalign.simulator.physics.fields import (
    HEIGHT,
    ORIGIN_X,
    ORIGIN_Y,
    SIDES,
    WIDTH,
    Map,
    X,
    bell,
    level_millimetres,
    smoothstep,
)

COARSE_X: Map = level_millimetres(np.arange(WIDTH // 4), ORIGIN_X, 2).astype(np.float32)[None]

COARSE_Y: Map = level_millimetres(np.arange(HEIGHT // 4), ORIGIN_Y, 2).astype(np.float32)[:, None]

EYELID_MOTIONS = ("blink", "gaze")
"""Motions that the landmarks of the eyes do not follow: they mark the opening, not the iris."""

# ASSUME every amplitude, width and share below: tuned by eye on contact sheets.
OPEN_FROM = 0.3  # mm of jaw from which on the lips part


@dataclass(frozen=True)
class Opening:
    """The parted lips over x.

    Attributes
    ----------
    upper, lower, gap : (W/4,) mm
        y of both edges on the nodes ``COARSE_X``, and their distance.
    half_length, centre : float, mm
    """

    upper: Map
    lower: Map
    gap: Map
    half_length: float
    centre: float


@dataclass(frozen=True)
class Deformation:
    """What an expression does to a face.

    Attributes
    ----------
    field : (H/4, W/4, 4) mm
        Displacement (x, y) of the skin, rise of its height, and how deep its wrinkles are, 0..1.
    eye_field : (H/4, W/4, 4) mm
        The same without lids and gaze: what the landmarks of the eyes follow.
    opening : Opening or None
        None while the mouth is closed.
    """

    field: Map
    eye_field: Map
    opening: Opening | None


def expression_bases(identity: Identity, mouth: Mouth) -> dict[str, Map]:
    """Return what every expression does at strength 1, each as ``Deformation.field``."""
    bases = {
        name: np.zeros((HEIGHT // 4, WIDTH // 4, 4), np.float32)
        for name in ("smile", "pucker", "brow_raise", "frown", "blink", "gaze", "corners")
    }
    for sign, i in SIDES:
        _add_mouth_motion(bases, identity, mouth, sign=sign, i=i)
        _add_eye_motion(bases, identity, sign=sign, i=i)
    bases["pucker"][..., 2] += 4.5 * _hill(0, identity.body.mouth_y, 15, 12)
    _add_wrinkles(bases, identity)
    return bases


def _hill(x: float, y: float, width: float, height: float) -> Map:
    return np.asarray(bell(COARSE_Y - y, height) * bell(COARSE_X - x, width), np.float32)


def _add_mouth_motion(
    bases: dict[str, Map], identity: Identity, mouth: Mouth, *, sign: int, i: int
) -> None:
    (x, y), eye = mouth.corners[i], identity.eyes[i]
    pull, cheek = _hill(x + sign * 3, y - 1, 13, 12), _hill(sign * 42, 34, 16, 13)
    smile = bases["smile"]
    smile[..., 0] += sign * 5.5 * pull
    smile[..., 1] -= 4.2 * pull + 2.8 * cheek + 1.5 * _hill(eye[0], eye[1] + 8, 13, 4)
    fold = _hill(sign * (mouth.half_length + 9), identity.body.mouth_y - 10, 7, 9)
    smile[..., 2] += 3.0 * cheek - 1.5 * fold + 0.9 * _hill(eye[0], eye[1] + 8, 11, 3)
    bases["pucker"][..., 0] -= sign * 6.5 * _hill(x, y, 12, 12)
    near = _hill(x, y, 11, 11)
    bases["corners"][..., 0] -= sign * 0.10 * near
    bases["corners"][..., 1] += 0.22 * near


def _add_eye_motion(bases: dict[str, Map], identity: Identity, *, sign: int, i: int) -> None:
    body, (x, y) = identity.body, identity.eyes[i]
    bases["brow_raise"][..., 1] -= 5.0 * _hill(sign * 30, body.brow_y - 2, 20, 9)
    bases["brow_raise"][..., 1] -= 1.0 * _hill(x, y - 6, 13, 4)
    bases["frown"][..., 0] -= sign * 2.5 * _hill(sign * 15, body.brow_y, 10, 8)
    bases["frown"][..., 1] += 3.0 * _hill(sign * 16, body.brow_y, 13, 8)
    down = COARSE_Y - y - 1
    lid = bell(COARSE_X - x, 13) * bell(down, np.where(down > 0, 2.2, 7.0).astype(np.float32))
    bases["blink"][..., 1] += 0.8 * (body.eye_above + body.eye_below) * lid
    bases["gaze"][..., 0] += 3.0 * _hill(x, y, 6.5, 3.5)


def _add_wrinkles(bases: dict[str, Map], identity: Identity) -> None:
    """Say where an expression folds the skin."""
    brow = identity.body.brow_y
    bases["brow_raise"][..., 3] = _hill(0, brow - 30, 60, 11)
    bases["frown"][..., 3] = _hill(0, brow + 2, 8, 9)
    for sign, _ in SIDES:
        beside_eye = _hill(sign * (0.5 * identity.body.eye_distance + 12), 6, 17, 9)
        beside_mouth = _hill(sign * 30, 0.5 * (brow + 2 * identity.body.mouth_y) + 4, 14, 16)
        bases["smile"][..., 3] += beside_eye + beside_mouth


def deform(
    bases: Mapping[str, Map],
    identity: Identity,
    mouth: Mouth,
    strengths: Mapping[str, float],
) -> Deformation:
    """Combine expressions.

    Parameters
    ----------
    bases : as :func:`expression_bases` returns them
    identity, mouth
    strengths : name -> strength
        Of the bases, 0..1; ``jaw`` in mm.
    """
    jaw = strengths.get("jaw", 0.0)
    field = np.zeros_like(bases["smile"])
    for name in ("smile", "pucker", "brow_raise", "frown"):
        if strength := strengths.get(name, 0.0):
            field += strength * bases[name]
    opening = None
    if jaw > OPEN_FROM:
        field += jaw * bases["corners"]
        opening = _open(mouth, jaw, strengths)
        field[..., 1] += _jaw_motion(identity, opening, jaw)
    lids = sum(strengths.get(name, 0.0) * bases[name] for name in EYELID_MOTIONS)
    return Deformation(np.asarray(field + lids, np.float32), field, opening)


def _open(mouth: Mouth, jaw: float, strengths: Mapping[str, float]) -> Opening:
    """Return the parted lips: a fifth of the gap above the closed line, the rest below."""
    smile, pucker = strengths.get("smile", 0.0), strengths.get("pucker", 0.0)
    half = mouth.half_length * (1 + 0.10 * smile - 0.16 * pucker)
    reach = np.clip(np.abs(COARSE_X[0] - mouth.centre) / half, 0, 1)
    line = np.interp(COARSE_X[0], X[0], mouth.line[0]).astype(np.float32)
    line = line + (0.22 * jaw - 3.2 * smile) * reach**2
    gap = jaw * (1 - reach**2) ** 0.75
    return Opening(line - 0.2 * gap, line + 0.8 * gap, gap, half, mouth.centre)


def _jaw_motion(identity: Identity, opening: Opening, jaw: float) -> Map:
    """Return how far the jaw moves the skin down, (H/4, W/4) mm.

    The lower lip follows the opening, blends into the rigid jaw over 28 mm and fades on the neck;
    between the lips the field goes linearly from edge to edge, so that it stays continuous.
    """
    profile = opening.gap / jaw
    line = opening.upper + 0.2 * opening.gap
    rigid = smoothstep((COARSE_Y - opening.lower) / 28)
    fade = 1 - smoothstep((COARSE_Y - (identity.body.menton_y + 0.8 * jaw)) / 45)
    sides = np.exp(-((COARSE_X / 58) ** 6))
    start = smoothstep((COARSE_Y - line) / 6 + (profile > 0.02))
    below = 0.8 * jaw * ((1 - rigid) * profile + rigid) * sides * fade * start
    above = -0.2 * opening.gap * np.exp(-np.maximum(0, opening.upper - COARSE_Y) / 12)
    between = COARSE_Y - line
    motion = np.where(opening.lower < COARSE_Y, below, between)
    return np.asarray(np.where(opening.upper > COARSE_Y, above, motion), np.float32)
