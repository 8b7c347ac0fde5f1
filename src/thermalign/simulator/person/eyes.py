"""The eyes: opening, lash line, lid crease and the fold below, and what fills the opening."""

from dataclasses import dataclass
from math import radians, tan

import numpy as np

from thermalign.simulator.person.anatomy import Identity
from thermalign.simulator.physics.colour import Colour
from thermalign.simulator.physics.fields import (
    SHAPE,
    SIDES,
    Map,
    Window,
    X,
    Y,
    bell,
    logistic,
    window,
)

# ASSUME every share, width (mm) and reflectance below: tuned by eye on contact sheets.
WHITE_TINT = (0.84, 0.97, 1.12)  # blue, green, red: fine vessels warm the white of the eye


@dataclass(frozen=True)
class Eyes:
    """Masks, 0..1, each (H, W).

    Attributes
    ----------
    opening : between the lids
    lash : the upper lid's edge
    crease : above the upper lid
    fold : below the lower lid
    """

    opening: Map
    lash: Map
    crease: Map
    fold: Map


def eye_window(x: float, y: float) -> Window:
    """Return the part of the grid that an eye can reach."""
    return window((x - 24, x + 24), (y - 24, y + 24))


def draw_eyes(identity: Identity) -> Eyes:
    """Paint the masks of both eyes."""
    body = identity.body
    eyes = Eyes(*(np.zeros(SHAPE, np.float32) for _ in range(4)))
    slope = tan(radians(1.6 * body.eye_tilt))
    for (sign, i), (x, y) in zip(SIDES, identity.eyes, strict=True):
        part = eye_window(x, y)
        out = sign * (X[:, part[1]] - x)  # mm towards the temple
        along = out / (body.eye_length / 2)
        down = Y[part[0]] - y + slope * out
        near = np.clip(np.abs(along), 0, 1)
        above = body.eye_above + 0.25 * identity.uneven.eye_y[i]
        top = 0.4 - above * (1 - near**2.2) * (1 - 0.12 * along)
        bottom = 0.4 + body.eye_below * (1 - near**2) * (1 + 0.10 * along)
        inside = logistic((down - top) / 0.35) * logistic((bottom - down) / 0.35)
        eyes.opening[part] = inside * (np.abs(along) < 1)
        eyes.lash[part] = bell(down - top + 0.3, 0.75) * (np.abs(along) < 1.04)
        crease = top - body.lid_crease * (1 - 0.35 * near**2)
        eyes.crease[part] = bell(down - crease, 0.8) * np.exp(-((along / 0.95) ** 6))
        eyes.fold[part] = bell(down - bottom - 5.5, 1.1) * np.exp(-((along / 0.8) ** 6))
    return eyes


def paint_eyeballs(
    albedo: Map, identity: Identity, *, eyes: Eyes, skin: float, iris: Colour
) -> None:
    """Paint white, iris, pupil and catch light into the openings, in place.

    Parameters
    ----------
    albedo : (3, H, W)
    identity : Identity
    eyes : Eyes
    skin : float
        Luminance. The white follows it and is shaded under the lid: a bright constant looks like a
        cartoon.
    iris : (3,) reflectance
    """
    body = identity.body
    for (_, i), (x, y) in zip(SIDES, identity.eyes, strict=True):
        rows, columns = part = eye_window(x, y)
        dx, dy = X[:, part[1]] - x, Y[part[0]] - y
        radius = np.sqrt(dx**2 + (dy + 0.6) ** 2)
        above = body.eye_above + 0.25 * identity.uneven.eye_y[i]
        shade = 1 - 0.45 * logistic((3.0 - above - dy) / 1.2)
        white = (0.16 + 0.42 * skin) * np.exp(-0.5 * (dx / 12.5) ** 4) * shade
        rim = 1 - 0.6 * logistic((radius - 5.2) / 0.4)
        disc = (0.75 + 0.25 * np.clip(radius / 5.9, 0, 1)) * rim
        in_iris, in_pupil = logistic((5.9 - radius) / 0.35), logistic((2.1 - radius) / 0.3)
        glint = 0.55 * np.exp(-((dx + 1.3) ** 2 + (dy + 2.3) ** 2) / 1.1) + 0.012 * in_pupil
        opening = eyes.opening[part]
        for layer, of_white, of_iris in zip(albedo, WHITE_TINT, iris, strict=True):
            coloured = float(of_iris) * disc * (1 - in_pupil)
            ball = of_white * white * (1 - in_iris) + in_iris * coloured + glint
            layer[rows, columns] += opening * (ball - layer[rows, columns])
