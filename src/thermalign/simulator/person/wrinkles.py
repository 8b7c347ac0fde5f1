"""Wrinkles: creases less than a millimetre deep that show when a face moves, more so with age.

They are relief for the visible camera alone: no thermal camera resolves their shape, and skin
conducts heat over more than their width.
"""

from math import cos, radians, sin

import cv2
import numpy as np
import numpy.typing as npt

from thermalign.simulator.person.anatomy import Identity
from thermalign.simulator.person.mouth import Mouth
from thermalign.simulator.physics.fields import (
    ORIGIN_X,
    ORIGIN_Y,
    SCALE,
    SHAPE,
    SIDES,
    Map,
    level_pixels,
    shrink,
)

# ASSUME every place, length (mm), depth (mm) and angle (degrees) below: tuned by eye.
DEPTH = 1.3  # mm, of a crease of strength 1 at full expression, before its blur

WIDTH = 0.9  # mm, standard deviation across a crease

AT_REST = 0.22  # share of its depth that a crease keeps on a resting face

SHIFT = 3  # bits of sub-pixel precision of the drawn lines

Canvas = npt.NDArray[np.uint8]

Points = list[tuple[float, float]]


def draw_wrinkles(identity: Identity, mouth: Mouth, rng: np.random.Generator) -> Map:
    """Draw the creases of a person at full depth.

    Returns
    -------
    (H/2, W/2, 2) float32
        Slopes along x and y, without unit.
    """
    canvas = np.zeros(SHAPE, np.uint8)
    _forehead(canvas, identity, rng)
    _between_brows(canvas, identity, rng)
    for sign, i in SIDES:
        _beside_eye(canvas, identity, rng, sign=sign, i=i)
        _beside_mouth(canvas, identity, mouth, sign=sign)
    age = min(max(0.55 + 0.35 * identity.age + 0.12 * rng.standard_normal(), 0.12), 1.5)
    relief = cv2.GaussianBlur(shrink(canvas.astype(np.float32)), (0, 0), WIDTH * SCALE / 2)
    # a thin line loses about 3/5 of its depth to shrinking and blur
    per_mm = -2.5 * age * DEPTH / 255 * SCALE / 2 / 8
    along, down = (cv2.Sobel(relief, cv2.CV_32F, x, 1 - x, scale=per_mm) for x in (1, 0))
    return np.dstack([along, down]).astype(np.float32, copy=False)


def _crease(canvas: Canvas, points: Points, strength: float) -> None:
    """Draw a line that fades towards both ends."""
    pixels = [(level_pixels(x, ORIGIN_X, 0), level_pixels(y, ORIGIN_Y, 0)) for x, y in points]
    line = np.rint(np.array(pixels) * 2**SHIFT).astype(np.int32)
    cut = max(len(line) // 5, 1)
    for share, piece in ((0.45, line), (0.75, line[cut:-cut]), (1.0, line[2 * cut : -2 * cut])):
        value = min(255.0, 255 * share * strength)
        cv2.polylines(canvas, [piece[:, None]], False, value, 2, cv2.LINE_AA, SHIFT)


def _forehead(canvas: Canvas, identity: Identity, rng: np.random.Generator) -> None:
    body = identity.body
    low, high = body.brow_y - 13, body.hairline_y + 9
    count = max(2, round((low - high) / rng.uniform(8, 11)))
    for y in np.linspace(low, high, count):
        half, middle = rng.uniform(20, 36), rng.normal(0, 4)
        across = np.linspace(-1, 1, 21)
        wave = 0.7 * np.sin(across * rng.uniform(3, 6) + rng.uniform(0, 6)) + rng.normal(0, 0.8)
        rise = -2.6 * np.sin(np.pi * np.abs(across)) - 1.0
        points = list(zip(middle + half * across, y + rise + wave, strict=True))
        _crease(canvas, points, rng.uniform(0.5, 1.0))


def _between_brows(canvas: Canvas, identity: Identity, rng: np.random.Generator) -> None:
    body = identity.body
    for sign, _ in SIDES:
        x, lean = sign * rng.uniform(4.5, 7.5), sign * rng.uniform(-1, 2.5)
        down = np.linspace(0, 1, 11)
        points = list(zip(x + lean * (1 - down), body.brow_y - 10 + 19 * down, strict=True))
        _crease(canvas, points, rng.uniform(0.5, 1.0))
    across = np.linspace(-1, 1, 11)
    sellion = body.sellion_y - 2 + 1.5 * across**2
    _crease(canvas, list(zip(8 * across, sellion, strict=True)), rng.uniform(0.2, 0.6))


def _beside_eye(
    canvas: Canvas, identity: Identity, rng: np.random.Generator, *, sign: int, i: int
) -> None:
    """Draw crow's feet and the crease below the lower lid."""
    body, (x, y) = identity.body, identity.eyes[i]
    out = x + sign * (body.eye_length / 2 + 4)
    reach = np.linspace(0, 1, 9)
    for angle in (-32, -10, 10, 30):
        turn, length = radians(angle + rng.normal(0, 5)), rng.uniform(9, 16)
        along = 2 + length * reach
        droop = 2.0 * np.sign(angle) * reach**2
        points = zip(
            out + sign * cos(turn) * along,
            y + 1 + sin(turn) * along + 3 * sin(turn) + droop,
            strict=True,
        )
        _crease(canvas, list(points), rng.uniform(0.5, 1.0))
    across = np.linspace(-1, 1, 15)
    for drop, strength in ((5.5, 0.8), (9.0, 0.5)):
        bow = y + body.eye_below + drop - 4.5 * across**2
        _crease(canvas, list(zip(x + 13 * across, bow, strict=True)), strength)


def _beside_mouth(canvas: Canvas, identity: Identity, mouth: Mouth, *, sign: int) -> None:
    """Draw the fold from the wing of the nose past the corner of the mouth."""
    body = identity.body
    top, wing = body.subnasale_y - 7, body.nose_breadth / 2
    down = np.linspace(0, 1, 17)
    x = wing + 2 + (mouth.half_length - wing + 6.5) * down**0.75 + 1.5 * np.sin(3.1 * down)
    y = top + (body.mouth_y + 4 - top) * down
    for shift in (0.0, 0.9):  # a broad fold
        _crease(canvas, list(zip(sign * (x + shift), y, strict=True)), 1.0)
