"""The moment of a recording: head pose, expression, breath, light."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import cos, exp, radians, sin

import numpy as np
import numpy.typing as npt

from thermalign.simulator.physics.colour import Colour, error_tint, lamp_tint, tint

Matrix = npt.NDArray[np.float64]

# ASSUME every spread, share and strength below: invented, tuned by eye on contact sheets.
POSE_LIMITS = (35.0, 22.0, 15.0)  # degrees of yaw, pitch, roll; beyond, the height field smears

POSE_TAIL = (0.06, 2.3)  # share of strong poses, and how much stronger

DRIFT_SD = (0.8, 0.6, 0.4)  # degrees of yaw, pitch, roll between images of one sample

FULL_BLINK = 0.05  # share of moments with closed eyes

# ASSUME: lamps between daylight of 6500 K and tungsten of 2900 K
MIRED = (154.0, 345.0)  # 10^6 / K

MIRED_APART = 25.0  # standard deviation between key and room light

BALANCE_ERROR = 0.02  # standard deviation of the logarithm of the gains of blue and red

CONDITIONS = ("baseline", "expression")


@dataclass(frozen=True)
class Capture:
    """One moment, seen by both cameras.

    Attributes
    ----------
    yaw, pitch, roll : float, degrees
    strengths : mapping
        As :func:`thermalign.simulator.person.expression.deform` takes them.
    breath : float
        Standard score of the warmth of the air in the mouth.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    strengths: Mapping[str, float] = field(default_factory=dict)
    breath: float = 0.0


@dataclass(frozen=True)
class Light:
    """Lights of a room: unit vectors towards them in the camera frame, and their strengths.

    ``tints``, (2, 3), are what the camera's white balance leaves of the colour of the key light,
    and of the fill and ambient light.
    """

    key: Matrix
    key_strength: float
    fill: Matrix
    fill_strength: float
    ambient: float
    gloss: float
    exposure: float
    gamma: float
    tints: Colour


def draw_capture(
    condition: str, pose_sd: tuple[float, float, float], rng: np.random.Generator
) -> Capture:
    """Draw a moment of a condition.

    Parameters
    ----------
    condition : str
        ``baseline``: nearly neutral. ``expression``: counting aloud, so the jaw moves, with some
        rounded lips and smiles.
    pose_sd : (yaw, pitch, roll), degrees
    rng : Generator
    """
    share, factor = POSE_TAIL
    strength = factor if rng.random() < share else 1.0
    scores = strength * rng.standard_normal(3) * pose_sd
    yaw, pitch, roll = (float(v) for v in np.clip(scores, np.negative(POSE_LIMITS), POSE_LIMITS))
    face = _speaking(rng) if condition == "expression" else _resting(rng)
    return Capture(yaw, pitch, roll, _lids(rng) | face, rng.standard_normal())


def draw_later(capture: Capture, condition: str, rng: np.random.Generator) -> Capture:
    """Draw a later image of the same sample: the head has moved a little, the lips go on.

    Parameters
    ----------
    capture : Capture
        Of the sample's first image.
    condition : str
    rng : Generator
    """
    angles = np.add((capture.yaw, capture.pitch, capture.roll), rng.normal(0, DRIFT_SD))
    yaw, pitch, roll = (float(v) for v in np.clip(angles, np.negative(POSE_LIMITS), POSE_LIMITS))
    face = _speaking(rng) if condition == "expression" else capture.strengths
    return Capture(yaw, pitch, roll, {**face, **_lids(rng)}, capture.breath)


def _lids(rng: np.random.Generator) -> dict[str, float]:
    blink = 1.0 if rng.random() < FULL_BLINK else abs(rng.normal(0, 0.12))
    return {"gaze": rng.normal(0, 0.35), "blink": blink}


def _resting(rng: np.random.Generator) -> dict[str, float]:
    return {
        "smile": max(0.0, rng.normal(0, 0.12)),
        "jaw": max(0.0, rng.normal(-1, 1)),
        "brow_raise": max(0.0, rng.normal(0, 0.1)),
    }


def _speaking(rng: np.random.Generator) -> dict[str, float]:
    strengths = {
        "jaw": abs(rng.normal(0, 8.0)) if rng.random() < 0.75 else 0.0,
        "brow_raise": max(0.0, rng.normal(0, 0.45)),
        "frown": max(0.0, rng.normal(0, 0.3)),
    }
    sound = rng.random()
    if sound < 0.35:
        strengths["pucker"] = rng.uniform(0.2, 1.0)
    elif sound < 0.65:
        strengths["smile"] = rng.uniform(0.1, 0.8)
    return strengths


def draw_light(rng: np.random.Generator) -> Light:
    """Draw the lights of a room: one key light from above, a fill light, ambient light."""
    azimuth = min(max(rng.normal(0, 42), -75), 75)
    elevation = min(max(rng.normal(-30, 11), -50), -5)
    return Light(
        key=_direction(azimuth, elevation),
        key_strength=rng.uniform(0.55, 1.1),
        fill=_direction(rng.normal(0, 60), rng.normal(-15, 15)),
        fill_strength=rng.uniform(0.08, 0.35),
        ambient=rng.uniform(0.22, 0.42),
        gloss=rng.uniform(0.02, 0.08),
        exposure=exp(rng.normal(0, 0.12)),
        gamma=rng.uniform(0.55, 0.75),  # machine-vision cameras are nearly linear
        tints=_draw_tints(rng),
    )


def _draw_tints(rng: np.random.Generator) -> Colour:
    """Draw the tints of key and room light after an imperfect white balance, (2, 3)."""
    low, high = MIRED
    key = rng.uniform(low, high)
    room = min(max(key + rng.normal(0, MIRED_APART), low), high)
    error = error_tint(rng.standard_normal(2), BALANCE_ERROR)
    white = lamp_tint(0.7 * key + 0.3 * room) * error
    return np.stack([tint(lamp_tint(lamp) / white) for lamp in (key, room)])


def _direction(azimuth: float, elevation: float) -> Matrix:
    a, e = radians(azimuth), radians(elevation)
    return np.array([sin(a) * cos(e), sin(e), cos(a) * cos(e)])


def rotation(yaw: float, pitch: float, roll: float) -> Matrix:
    """Return the rotation of the head, (3, 3), degrees: yaw first, then pitch, then roll."""
    (cy, cp, cr), (sy, sp, sr) = (
        [function(radians(angle)) for angle in (yaw, pitch, roll)] for function in (cos, sin)
    )
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return about_z @ about_x @ about_y
