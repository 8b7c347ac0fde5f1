"""The head without hair: outline, large form and the relief of brow, sockets, cheeks and chin."""

import cv2
import numpy as np

from thermalign.simulator.person.anatomy import Anatomy, Identity
from thermalign.simulator.person.mouth import Mouth
from thermalign.simulator.physics.fields import (
    SCALE,
    SHAPE,
    SIDES,
    Map,
    Mask,
    X,
    Y,
    bump,
    curve,
    logistic,
    random_field,
)

# ASSUME every control point, amplitude and width (mm) below: tuned by eye on contact sheets.
EDGE = 3.0  # mm, over which the profile turns


def half_width(body: Anatomy) -> Map:
    """Return half the width of the head's outline at every height, (H, 1) mm."""
    top, mouth, menton = body.vertex_y, body.mouth_y, body.menton_y
    skull, face, jaw = body.head_breadth / 2, body.face_breadth / 2, body.jaw_breadth / 2
    nodes = [
        (top - 1, 0.12),
        (top + 4, 0.36),
        (top + 14, 0.63),
        (top + 30, 0.86),
        (top + 55, 0.985),
    ]
    return curve(
        Y,
        [
            *((y, share * skull) for y, share in nodes),
            (-38, skull),
            (-8, 0.5 * skull + 0.5 * (face + 3)),
            (18, face + 2),
            (45, 0.6 * face + 0.4 * (jaw + 6)),
            (mouth - 4, jaw + 5),
            (mouth + 10, jaw),
            (mouth + 0.55 * body.stomion_menton, 0.80 * jaw + 2),
            (menton - 9, 0.42 * jaw + body.chin_width),
            (menton - 1.5, body.chin_width * 1.6 + 5),
            (menton + 3, body.chin_width + 5),
            (menton + 5.5, body.chin_width * 0.5 + 3.5),
        ],
    )


def _middle_line(body: Anatomy) -> Map:
    """Return the height of the profile seen from the side, without the nose, (H, 1) mm."""
    top, base, mouth, menton = body.vertex_y, body.subnasale_y, body.mouth_y, body.menton_y
    bulge = body.forehead_round
    profile = curve(
        Y,
        [
            (top - 1, -97),
            (top + 8, -58),
            (top + 22, -31),
            (top + 42, -13 + bulge),
            (-56, -3 + bulge),
            (-38, 1 + bulge * 0.5),
            (body.brow_y + 1, 1.5),
            (body.sellion_y, -4.5),
            (base * 0.45, -5),
            (base, -3),
            (base + 0.6 * body.philtrum, 0),
            (mouth, 1),
            (mouth + 10, 0),
            (mouth + 0.36 * body.stomion_menton, -3),
            (menton - 15, 0),
            (menton - 5, -3),
            (menton + 1, -11),
            (menton + 8, -38),
            (menton + 18, -60),
            (172, -64),
        ],
    )
    # unsmoothed, every control point shows as an edge across the whole face
    return np.asarray(cv2.GaussianBlur(profile, (1, 0), 0.1, sigmaY=EDGE * SCALE), np.float32)


def head_form(body: Anatomy, width: Map) -> tuple[Map, Mask]:
    """Return the height of the bare head's large form, and where it is.

    Across a row the height falls as a superellipse of exponent ``roundness``.
    """
    mouth, menton = body.mouth_y, body.menton_y
    nodes = [(body.vertex_y, 4), (-60, 84), (0, 96), (40, 88), (mouth, 76)]
    depth = curve(Y, [*nodes, (menton - 12, 56), (menton + 4, 30), (172, 20)])
    across = np.abs(X) / width
    fall = 1 - np.sqrt(1 - np.minimum(across, 1) ** body.roundness)
    face = logistic((Y + 60) / 12) * logistic((menton - Y) / 8)
    flat = 0.5 * body.face_flatness * (np.exp(-((X / 45) ** 2)) - 0.5) * face
    # without the limits in y the outline never closes: an antenna above, a line down the neck
    inside = (across < 1) & (body.vertex_y - 1 < Y) & (menton + 5.2 > Y)
    return np.asarray(_middle_line(body) - depth * fall - flat, np.float32), inside


def face_relief(identity: Identity, mouth: Mouth, *, rng: np.random.Generator) -> Map:
    """Return what brows, sockets, cheeks, chin and chance add to the height, mm."""
    body, uneven = identity.body, identity.uneven
    relief = np.zeros(SHAPE, np.float32)
    for (sign, i), (x, y) in zip(SIDES, identity.eyes, strict=True):
        inner = sign * (body.eye_distance - body.eye_length) / 2
        relief += (body.brow_ridge + 0.4 * uneven.ridge[i]) * bump(
            sign * 27, body.brow_y + 2, 17, 6
        )
        relief -= body.eye_socket * bump(x - sign, y - 2, 16, 10.5)
        relief += 5.2 * bump(x, y + 0.3, 11.0, 8.2)
        relief -= 3.5 * bump(inner - sign * 1.5, y + 1.5, 5, 7)
        relief += body.eye_bag * bump(x, y + 11, 11, 3.2)
        relief -= 0.8 * body.eye_bag * bump(x, y + 15.5, 12, 2.4)
        bone, hollow = body.cheekbone + 0.6 * uneven.cheek[i], body.cheek_hollow
        outside = sign * body.face_breadth
        relief += bone * bump(0.31 * outside, 29 + uneven.cheek_y[i], 17, 14, turn=-0.35 * sign)
        low = body.mouth_y - 4
        relief -= (hollow + 0.4 * uneven.cheek[i]) * bump(0.32 * outside, low, 14, 15)
        relief -= 3.0 * bump(0.44 * outside, -24, 9, 17)
        relief += body.nasolabial * (1 + 0.15 * uneven.fold[i]) * _fold(body, mouth, sign)
    relief -= body.mentolabial * bump(0, body.mouth_y + 0.36 * body.stomion_menton, 17, 5)
    relief += body.chin * bump(0.5 * uneven.chin_x, body.menton_y - 13, body.chin_width, 9.5)
    chance = 1.15 * random_field(rng, 34) + 0.45 * random_field(rng, 13)
    chance += 0.12 * random_field(rng, 5)
    sides = logistic((X + 62) / 6) * logistic((62 - X) / 6)
    ends = logistic((Y + 95) / 10) * logistic((body.menton_y - 4 - Y) / 4)
    return np.asarray(relief + sides * ends * chance, np.float32)


def _fold(body: Anatomy, mouth: Mouth, sign: int) -> Map:
    """Return the nasolabial fold of one side, of unit strength: a step and a crease."""
    base, low = body.subnasale_y, body.mouth_y
    wing = body.nose_breadth / 2
    down = np.clip((Y - (base - 6)) / (low - base + 8), 0, 1.2)  # (H, 1), 0 at the wing
    line = wing + 1 + (mouth.half_length - wing + 7.5) * down**0.75 + 1.5 * np.sin(3.1 * down)
    outwards = sign * X - line
    step = 1.3 * np.tanh(outwards / 4) * np.exp(-np.abs(outwards) / 14)
    crease = 0.55 * np.exp(-0.5 * (outwards / 2.2) ** 2)
    ends = logistic((Y - (base - 8)) / 3) * logistic((low + 7 - Y) / 4)
    fade = ends * np.exp(-0.5 * ((down - 0.45) / 0.42) ** 2)
    return np.asarray((step - crease) * fade * (sign * X > 0), np.float32)
