"""Glasses: a curved layer in front of the eyes with its own parallax."""

from dataclasses import dataclass

import numpy as np

from thermalign.simulator.person.anatomy import Identity
from thermalign.simulator.person.pigments import dye
from thermalign.simulator.physics.camera import Camera
from thermalign.simulator.physics.colour import Colour
from thermalign.simulator.physics.fields import (
    ORIGIN_X,
    ORIGIN_Y,
    Map,
    X,
    Y,
    level_pixels,
    logistic,
    random_field,
    sample,
    shrink,
)


# ASSUME every length (mm) and share below: tuned by eye on contact sheets.
@dataclass(frozen=True)
class Glasses:
    """A pair of glasses.

    Attributes
    ----------
    layers : (H/2, W/2, 3), 0..1
        Lenses, frame, and a smooth random pattern on the lenses.
    frame_albedo : (3,)
        In blue, green and red.
    """

    layers: Map
    frame_albedo: Colour


def draw_glasses(identity: Identity, rng: np.random.Generator) -> Glasses:
    """Draw the glasses a person owns: superelliptic lenses, bridge, temples."""
    body = identity.body
    half_width, half_height = rng.uniform(23, 27), rng.uniform(15, 21)
    exponent, rim_width = rng.uniform(2.4, 5), rng.uniform(0.05, 0.14)
    centre = body.eye_distance / 2 + 1.5
    across = np.abs(X)
    out = (np.abs(across - centre) / half_width) ** exponent
    radius = (out + (np.abs(Y - 3) / half_height) ** exponent) ** (1 / exponent)
    lenses = logistic((1 - radius) * 25)
    rim = np.exp(-0.5 * ((radius - 1) / rim_width) ** 4) * (radius < 1.3)
    bridge = np.exp(-0.5 * ((Y + 3) / 1.6) ** 4) * (across < centre - 0.9 * half_width)
    beside = (across > centre + half_width) & (across < body.face_breadth / 2 + 4)
    temples = np.exp(-0.5 * ((Y + 5) / 2) ** 4) * beside
    frame = np.clip(np.maximum(np.maximum(rim, bridge), temples), 0, 1)
    pattern = lenses * (0.5 + 0.2 * random_field(rng, 14))
    layers = shrink(np.dstack([lenses, frame, pattern]).astype(np.float32))
    brightness = rng.uniform(0.02, 0.12)
    return Glasses(layers, brightness * dye(0.4, rng))


def see_glasses(glasses: Glasses, camera: Camera) -> Map:
    """Return the layers of the glasses in an image, (h, w, 3).

    They lie on z = 11 - .0042 x^2 mm; two fixed-point steps meet it.
    """
    slope_x, slope_y = camera.slopes()
    position = camera.position
    z = np.full_like(slope_x, 11.0)
    for _ in range(2):
        x = position[0] + slope_x * (z - position[2])
        z = 11 - 0.0042 * np.minimum(x * x, 75.0**2)
    x = position[0] + slope_x * (z - position[2])
    y = position[1] + slope_y * (z - position[2])
    pixels = level_pixels(x, ORIGIN_X, 1), level_pixels(y, ORIGIN_Y, 1)
    return sample(glasses.layers, *(p.astype(np.float32) for p in pixels))
