"""The closed mouth: its curves, its relief and the masks of lips and mouth line."""

from dataclasses import dataclass

import numpy as np

from thermalign.simulator.person.anatomy import Identity, Pair
from thermalign.simulator.physics.fields import (
    SHAPE,
    SIDES,
    Map,
    Window,
    X,
    Y,
    bell,
    bump,
    logistic,
    window,
)


# ASSUME every share, amplitude and width (mm) below: tuned by eye on contact sheets.
@dataclass(frozen=True)
class Mouth:
    """Curves of the closed mouth over x.

    Attributes
    ----------
    centre, half_length : float, mm
    line : (1, W) mm
        y where the lips meet.
    upper, lower : (1, W) mm
        Heights of the lips above and below the line.
    reach : (1, W)
        Distance from the centre in half lengths, at most 1.15.
    corners : two (x, y), mm
        Image left first.
    """

    centre: float
    half_length: float
    line: Map
    upper: Map
    lower: Map
    reach: Map
    corners: tuple[Pair, Pair]


def draw_mouth(identity: Identity, rng: np.random.Generator) -> Mouth:
    """Draw the mouth of a person: cupid's bow, a tilt and a bend of the corners."""
    body, uneven = identity.body, identity.uneven
    half, centre = body.lip_length / 2, 0.6 * uneven.mouth_x
    tilt, bend = 0.02 * uneven.mouth_tilt, rng.normal(0, 1.2)
    x = X - centre
    reach = np.clip(np.abs(x) / half, 0, 1.15)
    base = body.mouth_y - 0.6
    line = base + tilt * x + bend * reach**2 + np.exp(-((x / 6) ** 2))
    bow = 1 - 0.20 * np.exp(-((x / 2.6) ** 2))
    left, right = (
        (centre + sign * (half + 0.5 * uneven.corner[i]), base + tilt * sign * half + bend)
        for sign, i in SIDES
    )
    return Mouth(
        centre=centre,
        half_length=half,
        line=line,
        upper=body.upper_lip * np.maximum(0, 1 - reach**1.7) * bow,
        lower=body.lower_lip * np.maximum(0, 1 - reach**2.3),
        reach=reach,
        corners=(left, right),
    )


def mouth_relief(identity: Identity, mouth: Mouth) -> Map:
    """Return what lips, mouth line, philtrum and the muzzle add to the height, mm."""
    body = identity.body
    below = Y - mouth.line
    fade = np.maximum(0, 1 - mouth.reach**3)
    upper = 2.3 * bell(below + 0.5 * mouth.upper, 1.8 + 0.25 * mouth.upper)
    lower = 3.2 * bell(below - 0.5 * mouth.lower, 2 + 0.28 * mouth.lower)
    groove = (3.6 * fade + 0.8) * (mouth.reach < 1.14) * bell(below, 1.25)
    relief = fade * (upper + lower) - groove
    relief += body.muzzle * bump(mouth.centre, body.mouth_y - 1, 25, 19)
    for x, y in mouth.corners:
        relief -= 2.2 * bump(x, y, 4.5, 4.0)
    middle = X - 0.5 * mouth.centre
    top, bottom = body.subnasale_y + 2, body.mouth_y - body.upper_lip
    span = logistic((Y - top) / 1.5) * logistic((bottom - Y) / 1.5)
    ridges = 0.6 * bell(np.abs(middle) - 4.2, 1.5)
    return np.asarray(relief + span * (ridges - 1.1 * bell(middle, 2.3)), np.float32)


def mouth_window(mouth: Mouth) -> Window:
    """Return the part of the grid that lips and mouth line can reach."""
    half, middle = 1.15 * mouth.half_length + 2, float(mouth.line.mean())
    x = mouth.centre - half, mouth.centre + half
    above, below = float(mouth.upper.max()), float(mouth.lower.max())
    return window(x, (middle - above - 10, middle + below + 10))


def lip_mask(mouth: Mouth) -> Map:
    """Return 1 on the red of the lips, 0 elsewhere."""
    part = mouth_window(mouth)
    line, upper, lower, reach = (
        curve[:, part[1]] for curve in (mouth.line, mouth.upper, mouth.lower, mouth.reach)
    )
    below = Y[part[0]] - line
    mask = np.zeros(SHAPE, np.float32)
    edges = logistic((below + upper) / 0.55) * logistic((lower - below) / 0.6)
    mask[part] = edges * (reach < 1)
    return mask


def line_mask(mouth: Mouth, width: float) -> Map:
    """Return 1 on the line between the lips, falling over ``width`` mm."""
    part = mouth_window(mouth)
    mask = np.zeros(SHAPE, np.float32)
    on_line = bell(Y[part[0]] - mouth.line[:, part[1]], width)
    mask[part] = on_line * (mouth.reach[:, part[1]] < 1.02)
    return mask
