"""Superficial vessels: what shows warm through the skin and is invisible to other cameras."""

from dataclasses import dataclass
from math import cos, pi, sin

import cv2
import numpy as np

from thermalign.simulator.person.anatomy import Anatomy
from thermalign.simulator.physics.fields import (
    ORIGIN_X,
    ORIGIN_Y,
    SCALE,
    SHAPE,
    SIDES,
    Map,
    blur,
    level_pixels,
)

# ASSUME where vessels start, how they wander and branch: invented, tuned by eye.
STEP = 4.0  # mm

WANDER = 0.22  # rad per step

BRANCHING = 0.13  # chance per step

DEEPEST = 2  # branchings of a branch

UP = -pi / 2  # rad


@dataclass(frozen=True)
class Vessel:
    """A vessel before it wanders: start in mm, direction in rad, steps, warmth 0..1."""

    x: float
    y: float
    angle: float
    steps: int
    strength: float


def draw_vessels(body: Anatomy, rng: np.random.Generator) -> Map:
    """Draw the vessels of both sides as branching random walks.

    Per side: temporal, supratrochlear, angular, facial artery and one of the neck.

    Returns
    -------
    (H, W) float32, about 0..1, blurred by 2 mm
    """
    canvas = np.zeros(SHAPE, np.float32)
    wing, low, base = body.nose_breadth / 2, body.mouth_y, body.subnasale_y
    for sign, _ in SIDES:
        for vessel in (
            Vessel(sign * 58, 2, UP - 0.25 * sign + rng.normal(0, 0.15), 14, 1.0),
            Vessel(sign * rng.uniform(4, 14), -16, UP + sign * rng.normal(0.1, 0.15), 13, 0.9),
            Vessel(sign * (wing + 4), base, UP - 0.12 * sign, 9, 0.7),
            Vessel(sign * 48, low - 6, UP - sign * rng.normal(0.5, 0.3), 9, 0.6),
            Vessel(sign * rng.uniform(25, 40), body.menton_y + 25, UP + 0.1 * sign, 10, 0.8),
        ):
            _walk(canvas, vessel, rng=rng)
    return blur(canvas, 2.0)


def _walk(canvas: Map, vessel: Vessel, *, rng: np.random.Generator, depth: int = 0) -> None:
    """Draw a vessel and its branches into ``canvas``."""
    x, y, angle = vessel.x, vessel.y, vessel.angle
    points = [(x, y)]
    for _ in range(vessel.steps):
        angle += rng.normal(0, WANDER)
        x, y = x + STEP * cos(angle), y + STEP * sin(angle)
        points.append((x, y))
        if depth < DEEPEST and rng.random() < BRANCHING:
            turn = float(rng.choice([-1, 1])) * rng.uniform(0.4, 0.9)
            branch = Vessel(x, y, angle + turn, int(0.6 * vessel.steps), 0.75 * vessel.strength)
            _walk(canvas, branch, rng=rng, depth=depth + 1)
    pixels = [(level_pixels(u, ORIGIN_X, 0), level_pixels(v, ORIGIN_Y, 0)) for u, v in points]
    line = np.array(pixels, np.int32).reshape(-1, 1, 2)
    thickness = max(1, int(2.2 * vessel.strength * SCALE))
    cv2.polylines(canvas, [line], False, vessel.strength, thickness, cv2.LINE_AA)
