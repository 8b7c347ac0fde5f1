"""A hand before the face: on the chin, over the mouth, at an eye or the forehead.

It is a flat layer parallel to the face, a little nearer to the camera, and hides what is behind it
from both cameras.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import cos, pi, radians, sin

import numpy as np
import numpy.typing as npt

from thermalign.simulator.person.face import Face
from thermalign.simulator.physics.camera import Camera
from thermalign.simulator.physics.capture import Matrix
from thermalign.simulator.physics.fields import Map, channels, logistic, sample

# ASSUME every length (mm), temperature (K, degrees Celsius) and share below: by eye.
PLANE = 42.0  # mm before the eyes, where the hand is

SCALE = 0.8  # px/mm of the layers

SIDE = 320  # px: 400 mm

HIDES = 0.5  # cover from which a point is hidden

PALM = (43.0, 50.0)  # half width and half length

FINGERS = ((-31, 76, 9.0), (-11, 88, 9.4), (10, 84, 9.2), (30, 66, 8.4))
"""Of straight fingers from the middle of the palm: x of the knuckle, length, half width, mm."""

WARM, WARM_SD = 33.0, 1.6  # degrees of the palm

COLD_TIPS = 3.5  # K at most that finger tips are colder

SHADE = 0.25  # of the light, that the rounding of fingers takes at their edge


@dataclass(frozen=True)
class Hand:
    """A hand in one moment.

    Attributes
    ----------
    layers : (SIDE, SIDE, 3)
        Cover 0..1, 0 at the palm to 1 at finger tips, and 0 at edges to 1 in the middle.
    place : (x, y), mm
        Of the middle of the palm, in the head's frame.
    turn : float, radians
    mirrored : bool
    warm, tips : float
        Degrees Celsius of the palm, and K that finger tips are colder.
    """

    layers: Map
    place: tuple[float, float]
    turn: float
    mirrored: bool
    warm: float
    tips: float


@dataclass(frozen=True)
class Finger:
    """A capsule: millimetres from its knuckle, its direction, length and half width at the root."""

    x: Matrix
    y: Matrix
    angle: float
    length: float
    half: float

    def add(self, inside: Matrix, along: Matrix) -> tuple[Matrix, Matrix]:
        """Return mm from the edge of the hand, and the share of the way to the tip, with it."""
        right, down = cos(self.angle), sin(self.angle)
        share = np.clip((self.x * right + self.y * down) / self.length, 0, 1)
        off = np.hypot(self.x - share * self.length * right, self.y - share * self.length * down)
        own = self.half * (1 - 0.2 * share) - off
        return np.maximum(inside, own), np.where(own > inside, share, along)


def draw_hand(face: Face, rng: np.random.Generator) -> Hand:
    """Draw a hand that covers a part of the face or lies beside it."""
    body = face.identity.body
    targets = (
        (0.0, body.mouth_y),  # over the mouth
        (rng.uniform(-30, 30), body.menton_y),  # under the chin
        (rng.choice([-1.0, 1.0]) * rng.uniform(28, 60), rng.uniform(20, 60)),  # at the cheek
        (rng.choice([-1.0, 1.0]) * 30, 0.0),  # over an eye
        (rng.uniform(-20, 20), body.brow_y - 25),  # on the forehead
        (0.0, body.tip_y),  # at the nose
    )
    x, y = targets[int(rng.choice(len(targets), p=(0.22, 0.24, 0.22, 0.12, 0.1, 0.1)))]
    turn = radians(float(rng.normal(0, 45)))
    part = float(rng.uniform(-20, 95))  # mm from the palm's middle along the fingers, on the target
    x, y = float(x) - part * sin(turn) + rng.normal(0, 8), float(y) + part * cos(turn)
    spreading = float(rng.uniform(0.0, 0.22))
    return Hand(
        layers=_layers(round(spreading, 2), bool(rng.random() < 0.35)),
        place=(float(x), float(y + rng.normal(0, 8))),
        turn=turn,
        mirrored=bool(rng.random() < 0.5),
        warm=float(rng.normal(WARM, WARM_SD)),
        tips=float(rng.uniform(0, COLD_TIPS)),
    )


def see_hand(hand: Hand, camera: Camera) -> Map:
    """Return the layers of a hand in an image, (h, w, 3)."""
    slope_x, slope_y = camera.slopes()
    x0, y0, z0 = (float(v) for v in camera.position)
    x = x0 + slope_x * (PLANE - z0) - hand.place[0]
    y = y0 + slope_y * (PLANE - z0) - hand.place[1]
    c, s = cos(hand.turn), sin(hand.turn)
    across, up = c * x + s * y, c * y - s * x
    if hand.mirrored:
        across = -across
    middle = (SIDE - 1) / 2
    u, v = across * SCALE + middle, up * SCALE + middle + 30 * SCALE
    return sample(hand.layers, u.astype(np.float32), v.astype(np.float32))


def hand_warmth(hand: Hand, seen: Map) -> Map:
    """Return its temperature in an image, (h, w) degrees Celsius, of ``see_hand``'s layers."""
    _, along, middle = channels(seen)
    return np.asarray(hand.warm - hand.tips * along - 0.8 * (1 - middle), np.float32)


def hand_light(seen: Map, skin: Map) -> Map:
    """Return the light it sends, (h, w, 3), of the light that its skin would send flat, (3,)."""
    _, _, middle = channels(seen)
    return np.asarray((1 - SHADE * (1 - middle))[..., None] * skin, np.float32)


def behind_hand(hand: Hand, camera: Camera, points: Matrix) -> npt.NDArray[np.bool_]:
    """Return which pixels (x, y) of (N, 2) the hand covers, (N,) bool."""
    x, y = points.T.astype(np.float32)
    cover = np.ascontiguousarray(see_hand(hand, camera)[..., 0])
    return np.asarray(sample(cover, x[None], y[None])[0] > HIDES)


@lru_cache(maxsize=64)
def _layers(spreading: float, fist: bool) -> Map:
    """Paint a hand, fingers up, spread by so many radians from one to the next, or bent."""
    grid: Matrix = ((np.arange(SIDE) - (SIDE - 1) / 2) / SCALE).astype(np.float64)
    x, y = grid[None, :], grid[:, None] - 30
    palm = (np.abs(x / PALM[0]) ** 3 + np.abs((y - 8) / PALM[1]) ** 3) ** (1 / 3)
    inside = (1 - palm) * PALM[0]  # mm from the edge
    along = np.zeros((SIDE, SIDE))
    wrist = 28 - np.abs(x) + 0 * y
    inside = np.maximum(inside, np.where(y > 30, wrist, -99.0))
    for k, (start, length, half) in enumerate(FINGERS):
        angle = -pi / 2 + (k - 1.5) * spreading
        reach = 0.35 * length if fist else length
        finger = Finger(x - start, y + 34, angle, reach, half)
        inside, along = finger.add(inside, along)
    inside, along = Finger(x + 38, y - 10, -pi / 2 - 0.75, 58.0, 10.5).add(inside, along)
    cover = logistic(inside / 0.8)
    return np.dstack([cover, along * cover, np.clip(inside / 9, 0, 1)]).astype(np.float32)
