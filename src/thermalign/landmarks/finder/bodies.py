"""Where somebody stands in a scene; bodies, and heads that have no face.

Values as in :mod:`thermalign.landmarks.finder.grounds`. ASSUME: every number.
"""

from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from thermalign.geometry import Floats
from thermalign.landmarks.finder.grounds import Rng, Textures, ellipse, limb, polygon, texture


@dataclass(frozen=True)
class Pose:
    """Where a face is to be in a scene.

    Attributes
    ----------
    matrix : (2, 3) float
        From the example frame to the scene.
    scale : float, pixels of the scene to one of the example frame
    points : (L, 2) float, pixels of the scene
    eyes : (2,) float, pixels of the scene
        Middle between the eyes.
    unit : float, pixels of the scene
        Interocular distance.
    tilt : float, radians
        Of the line of the eyes.
    """

    matrix: Floats
    scale: float
    points: Floats
    eyes: Floats
    unit: float
    tilt: float

    def at(self, across: float, below: float, turn: float = 1.0) -> Floats:
        """Return a place in interocular distances from between the eyes, (2,), pixels.

        The axes lean with the head, or by ``turn`` of that.
        """
        c, s = np.cos(turn * self.tilt), np.sin(turn * self.tilt)
        way = across * np.array([c, s]) + below * np.array([-s, c])
        return np.asarray(self.eyes + self.unit * way)


def body(canvas: Floats, its: Pose, textures: Textures, draws: Rng) -> None:
    """Paint trunk, legs, neck, arms and hands of somebody whose head may follow.

    The trunk leans half as far as the head.
    """
    side = len(canvas)
    at = partial(its.at, turn=0.5)
    unit = its.unit
    skin, cloth = draws.uniform(0.5, 1.1), draws.uniform(-0.1, 1.0)
    if draws.random() < 0.3:
        cloth = skin + draws.normal(0, 0.1)
    mask = np.zeros((side, side), np.float32)
    broad = draws.uniform(2.6, 3.6)
    waist = draws.uniform(0.7, 1.1) * broad
    trunk = [
        at(-0.9, 2.3),
        at(0.9, 2.3),
        at(broad, 3.3),
        at(waist, 10.5),
        at(-waist, 10.5),
        at(-broad, 3.3),
    ]
    if draws.random() < 0.7:
        for way in (-1, 1):
            trousers = cloth if draws.random() < 0.3 else float(draws.uniform(0, 1))
            limb(
                canvas,
                [at(way * 0.9, 10), at(way * draws.uniform(0.8, 1.6), 20)],
                thick=1.6 * unit,
                value=trousers,
            )
    polygon(mask, trunk, 1.0)
    folds = texture(textures, side, draws)
    worn = cloth + draws.choice([0.02, 0.06, 0.15]) * folds
    canvas += cv2.GaussianBlur(mask, (0, 0), 0.6) * (worn - canvas)
    limb(canvas, [at(0, 1.5), at(0, 2.9)], thick=draws.uniform(1.3, 1.7) * unit, value=skin)
    if draws.random() < 0.75:
        _arms(canvas, its, broad, skin=skin, cloth=float(cloth), draws=draws)


def _arms(
    canvas: Floats, its: Pose, broad: float, *, skin: float, cloth: float, draws: Rng
) -> None:
    at, unit = partial(its.at, turn=0.5), its.unit
    bare = draws.random() < 0.5
    for way in (-1, 1):
        shoulder, elbow = (
            at(way * (broad - 0.4), 3.9),
            at(way * (broad + draws.uniform(-0.2, 0.9)), 7.5),
        )
        hand = at(way * draws.uniform(-0.5, broad + 0.5), draws.uniform(4, 11))
        limb(canvas, [shoulder, elbow], thick=draws.uniform(1.0, 1.4) * unit, value=cloth)
        limb(
            canvas,
            [elbow, hand],
            thick=draws.uniform(0.8, 1.1) * unit,
            value=skin if bare else cloth,
        )
        size = unit * draws.uniform(0.5, 0.8)
        ellipse(
            canvas,
            tuple(hand),
            (size, 1.5 * size),
            draws.uniform(0, 180),
            skin + draws.normal(0, 0.1),
        )


def blank_head(canvas: Floats, its: Pose, textures: Textures, draws: Rng) -> None:
    """Paint a head without a face: its back, or an oval as warm as skin, with or without hair."""
    side = len(canvas)
    own = canvas.copy()
    skin, hair = draws.uniform(0.5, 1.1), draws.uniform(0.1, 0.9)
    unit = its.unit
    kind = draws.integers(4)
    centre = its.at(0, 0.05)
    axes = np.array([draws.uniform(1.1, 1.4), draws.uniform(1.5, 1.95)]) * unit
    degrees = float(np.rad2deg(its.tilt))
    ellipse(own, tuple(centre), tuple(axes), degrees, hair if kind == 0 else skin)
    if kind == 1:
        ellipse(own, tuple(its.at(0, -0.85)), (axes[0], 0.5 * axes[1]), degrees, hair)
    elif kind == 2:  # seen from the side: hair behind
        behind = its.at(float(draws.choice([-0.8, 0.8])), -0.35)
        ellipse(own, tuple(behind), (0.8 * axes[0], 0.8 * axes[1]), degrees, hair)
    own += draws.choice([0.02, 0.08]) * texture(textures, side, draws) * (own != canvas)
    canvas[:] = own
