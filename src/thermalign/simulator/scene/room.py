"""What stands behind a person: a wall with furniture, lamps and warm machines, for both cameras."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from thermalign.simulator.physics.camera import Camera
from thermalign.simulator.physics.colour import Colour
from thermalign.simulator.physics.fields import Map
from thermalign.simulator.physics.radiometry import Band

# ASSUME every length (mm), temperature (K against the air), share and count below: invented.
BEHIND = 1500.0  # mm from the person to the wall

REACH_X, REACH_Y = 1100.0, 850.0  # mm from the middle of the wall to the farthest object's centre

OUT_OF_FOCUS = 1.1  # mm, standard deviation, in the plane of the eyes

SHIFT = 4  # bits of the sub-pixel coordinates that OpenCV draws with


@dataclass(frozen=True)
class Kind:
    """A kind of object: sizes in mm, warmth in K against the air, mean count, and its form."""

    width: tuple[float, float]
    height: tuple[float, float]
    warmth: tuple[float, float]
    count: float
    round: bool = False


KINDS = (
    Kind((300, 900), (400, 1600), (-1.0, 1.0), 2.5),  # cupboards, doors, posters
    Kind((500, 1200), (500, 1100), (-6.0, -1.0), 0.5),  # a window
    Kind((350, 600), (220, 380), (4.0, 12.0), 0.8),  # a screen
    Kind((400, 900), (350, 600), (10.0, 22.0), 0.25),  # a radiator
    Kind((20, 60), (400, 1600), (0.5, 6.0), 0.7),  # a pipe or cable
    Kind((40, 130), (40, 130), (5.0, 45.0), 0.7, round=True),  # a lamp, a mug
    Kind((90, 240), (110, 280), (2.0, 11.0), 0.5, round=True),  # about as warm as a face
)


@dataclass(frozen=True)
class Thing:
    """An object on the wall: centre and half size in mm, K against the air, and colour.

    ``colour`` is blue, green and red reflectance, 0..1.
    """

    x: float
    y: float
    half_width: float
    half_height: float
    warmth: float
    colour: tuple[float, float, float]
    round: bool


@dataclass(frozen=True)
class Room:
    """A wall and what stands before it.

    Attributes
    ----------
    things : tuple of Thing
        Those behind come first.
    wall : (b, g, r), 0..1
        Its reflectance.
    slopes : (x, y)
        How much brighter and warmer the wall gets to the right and down, a share and K per metre.
    """

    things: tuple[Thing, ...]
    wall: tuple[float, float, float]
    slopes: tuple[float, float]


def draw_room(rng: np.random.Generator) -> Room:
    """Draw a room."""
    things = [_draw_thing(kind, rng) for kind in KINDS for _ in range(int(rng.poisson(kind.count)))]
    across, down = (float(v) for v in rng.normal(0, 0.25, 2))
    return Room(tuple(things), _colour(rng, 0.25, 0.55, 0.04), (across, down))


def _draw_thing(kind: Kind, rng: np.random.Generator) -> Thing:
    return Thing(
        x=float(rng.uniform(-REACH_X, REACH_X)),
        y=float(rng.uniform(-REACH_Y, REACH_Y)),
        half_width=float(rng.uniform(*kind.width)) / 2,
        half_height=float(rng.uniform(*kind.height)) / 2,
        warmth=float(rng.uniform(*kind.warmth)),
        colour=_colour(rng, 0.05, 0.7, 0.10),
        round=kind.round,
    )


def _colour(
    rng: np.random.Generator, low: float, high: float, spread: float
) -> tuple[float, float, float]:
    grey = float(rng.uniform(low, high))
    blue, green, red = (float(v) for v in grey * np.exp(spread * rng.standard_normal(3)))
    return blue, green, red


def thermal_room(
    room: Room, camera: Camera, axis: tuple[float, float], *, air: float, band: Band
) -> Map:
    """Return what is behind the person, (h, w) K of linearised radiance.

    Parameters
    ----------
    room : Room
    camera : Camera
    axis : (x, y), pixels
        Where the middle of the wall is seen.
    air : float, degrees Celsius
    band : Band
    """
    wall = band.radiance(air) + _gradient(room, camera, axis)
    values = [band.radiance(air + thing.warmth) for thing in room.things]
    return _paint(wall, room, camera, axis, values)


def visible_room(room: Room, camera: Camera, axis: tuple[float, float], *, tint: Colour) -> Map:
    """Return the light of what is behind the person, (h, w, 3), as :func:`thermal_room`.

    ``tint`` is the light's blue, green and red.
    """
    light = 1 + 0.25 * _gradient(room, camera, axis)
    wall = light[..., None] * (tint * room.wall).astype(np.float32)
    values = [(tint * thing.colour).tolist() for thing in room.things]
    return _paint(wall, room, camera, axis, values)


def _wall_scale(camera: Camera) -> float:
    return camera.scale * camera.distance / (camera.distance + BEHIND)


def _gradient(room: Room, camera: Camera, axis: tuple[float, float]) -> Map:
    """Return metres on the wall times its slopes, (h, w)."""
    scale = 1000 * _wall_scale(camera)
    height, width = camera.shape
    across = (np.arange(width) - axis[0]) * (room.slopes[0] / scale)
    down = (np.arange(height) - axis[1]) * (room.slopes[1] / scale)
    return np.clip(across + down[:, None], -0.9, 0.9).astype(np.float32)


def _paint(
    scene: Map, room: Room, camera: Camera, axis: tuple[float, float], values: list[Any]
) -> Map:
    """Draw the things in their values, and blur what is out of focus."""
    height, width = camera.shape
    scale, unit = _wall_scale(camera), 1 << SHIFT
    scene = np.ascontiguousarray(scene, np.float32)
    for thing, value in zip(room.things, values, strict=True):
        x, y = axis[0] + scale * thing.x, axis[1] + scale * thing.y
        across, down = scale * thing.half_width, scale * thing.half_height
        if abs(x - width / 2) > across + width / 2 or abs(y - height / 2) > down + height / 2:
            continue
        if thing.round:
            middle, axes = ((round(a * unit), round(b * unit)) for a, b in ((x, y), (across, down)))
            cv2.ellipse(scene, middle, axes, 0, 0, 360, value, -1, cv2.LINE_8, SHIFT)
        else:
            first = round((x - across) * unit), round((y - down) * unit)
            last = round((x + across) * unit), round((y + down) * unit)
            cv2.rectangle(scene, first, last, value, -1, cv2.LINE_8, SHIFT)
    return np.asarray(cv2.GaussianBlur(scene, (0, 0), OUT_OF_FOCUS * camera.scale), np.float32)
