"""What carries and flanks the head: neck, shoulders with clothes, ears."""

from dataclasses import dataclass

import numpy as np

from thermalign.simulator.person.anatomy import Anatomy, Identity
from thermalign.simulator.physics.fields import (
    FLOOR,
    SHAPE,
    SIDES,
    Map,
    Mask,
    X,
    Y,
    bell,
    logistic,
    random_field,
)


# ASSUME every length (mm) and share below: tuned by eye on contact sheets.
@dataclass(frozen=True)
class Ears:
    """Both ears.

    Attributes
    ----------
    height : (H, W) mm
        ``FLOOR`` where there is no ear.
    mask : (H, W), 0..1
    radius : (H, W)
        0 at the middle of an ear, 1 at its rim, 9 elsewhere.
    """

    height: Map
    mask: Map
    radius: Map


def neck_radius(body: Anatomy) -> Map:
    """Return half the width of the neck, which widens downwards, (H, 1) mm."""
    return np.asarray(body.neck * (1 + 0.9 * np.maximum(0, (Y - (body.menton_y + 18)) / 60) ** 2))


def neck_height(body: Anatomy) -> Map:
    """Return the height of the neck, a cylinder, mm."""
    across = np.abs(X) / neck_radius(body)
    height = -112 + 1.02 * body.neck * np.sqrt(np.maximum(0, 1 - across**2))
    return np.asarray(np.where((across < 1) & (Y > 30), height, FLOOR), np.float32)


def shoulder_line(body: Anatomy, x: Map) -> Map:
    """Return y of the shoulders' upper edge over x, mm."""
    beyond_neck = np.maximum(np.abs(x) - body.neck, 0)
    top = max(body.shoulder_y - 22, body.menton_y + 14)
    return np.asarray(top + 0.18 * beyond_neck - 6 * np.exp(-((x / 45) ** 2)), np.float32)


def shoulders(body: Anatomy, rng: np.random.Generator) -> tuple[Map, Map]:
    """Return the height of the shoulders, mm, and the mask of the clothes, 0..1."""
    line = shoulder_line(body, X)
    arch = -84 + 20 * np.sqrt(np.maximum(0, 1 - (X / 190) ** 2)) + 2.0 * random_field(rng, 22)
    open_collar = rng.random() < 1 / 3
    collar = line - 8 + (26 * np.exp(-((X / 24) ** 2)) if open_collar else 0)
    front = logistic((Y - collar) / 0.8) * (body.menton_y - 6 < Y)
    cloth = np.maximum(front, logistic((Y - line + 1.5) / 0.6))
    height = np.where(line - 1.5 < Y, arch, FLOOR)
    return np.asarray(height, np.float32), np.asarray(cloth, np.float32)


def draw_ears(identity: Identity, width: Map) -> Ears:
    """Shape both ears: two rims on a tilted plate.

    Parameters
    ----------
    identity : Identity
    width : (H, 1) mm
        Half width of the head.
    """
    body = identity.body
    ears = Ears(
        np.full(SHAPE, FLOOR, np.float32),
        np.zeros(SHAPE, np.float32),
        np.full(SHAPE, 9, np.float32),
    )
    for sign, i in SIDES:
        y = body.ear_y + 0.8 * identity.uneven.ear[i]
        edge = float(np.interp(y, Y[:, 0], width[:, 0])) - 5
        out = sign * X - edge  # mm from the head outwards
        down = (Y - y) / (body.ear_length / 2)
        wide = np.maximum(
            (body.ear_width + 5) * (1 - 0.38 * np.clip(down, -1, 1) - 0.12 * down**2), 3
        )
        radius = np.sqrt((np.maximum(out, 0) / wide) ** 2 + down**2)
        here: Mask = (radius < 1) & (out > -6) & (Y > -40)
        rims = 9 * bell(radius - 0.85, 0.13) + 4 * bell(radius - 0.48, 0.14)
        ears.height[here] = (-88 + rims - 0.9 * out)[here]
        ears.radius[here] = radius[here]
        soft = logistic((1 - radius) * 14) * ((out > -6) & (Y > -40))
        np.maximum(ears.mask, soft, out=ears.mask)
    return ears
