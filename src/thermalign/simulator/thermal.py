"""The thermal camera: apparent temperature of a scene, then optics, noise and counts."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from thermalign.simulator.expression import Deformation
from thermalign.simulator.face import Face, pyramid
from thermalign.simulator.fields import Map
from thermalign.simulator.glasses import see_glasses
from thermalign.simulator.peak import peak_warmth, see_peak
from thermalign.simulator.scene import clutter, facing, see_mouth
from thermalign.simulator.temperature import Session
from thermalign.simulator.view import View, pyramid_level, sample_level, texture_coordinates

SCALE, OFFSET = 0.01, -273.15  # degrees Celsius = SCALE x count + OFFSET: counts are centikelvin

FRAME = (512, 640)  # px, the part of a sensor whose fixed pattern is kept
# ASSUME: a cooled long-wave camera; everything but the noise-equivalent difference is tuned by eye
PIXEL_PATTERN, COLUMN_PATTERN, ROW_PATTERN = 0.018, 0.012, 0.006  # K, fixed
BAD_SHARE, BAD_OFFSET = 4e-5, 3.0  # share of pixels; K
BLUR = 0.75  # px, standard deviation of the point spread
EXTINCTION = 0.0045  # per m of air, nominal

# ASSUME: skin reflects by Schlick's formula from a refractive index of about 1.33
HEAD_ON_REFLECTANCE = 0.02
MOUTH, TEETH, BREATH = 35.2, -1.6, 0.5  # degrees Celsius; K near the upper lip; K per score
LENS, LENS_SPREAD, RIM = 3.2, 2.0, 5.0  # K above the air: lenses, their pattern, the frame
LENS_OPAQUE, RIM_OPAQUE = 0.97, 0.9
BACKGROUND, OBJECTS = 2.5, 1.5  # K, amplitude about the air's temperature; mean count


@dataclass(frozen=True)
class ThermalSensor:
    """A thermal camera's detector.

    Attributes
    ----------
    pattern : (512, 640) K
        What the two-point correction leaves of the fixed pattern, bad pixels included.
    noise : float, K
        Noise-equivalent temperature difference.
    """

    pattern: Map
    noise: float


def make_sensor(noise: float, rng: np.random.Generator) -> ThermalSensor:
    """Draw the fixed pattern of a detector with a noise of ``noise`` K."""
    rows, columns = FRAME
    pattern = PIXEL_PATTERN * rng.standard_normal(FRAME)
    pattern += COLUMN_PATTERN * rng.standard_normal((1, columns))
    pattern += ROW_PATTERN * rng.standard_normal((rows, 1))
    bad = rng.random(FRAME) < BAD_SHARE
    pattern += bad * np.where(rng.random(FRAME) < 0.5, BAD_OFFSET, -BAD_OFFSET)
    return ThermalSensor(pattern.astype(np.float32), noise)


def emission_maps(face: Face, session: Session) -> tuple[Map, ...]:
    """Return what a session's thermal images sample, levels 0 to 2.

    Returns
    -------
    three (h, w, 3)
        Temperature in degrees Celsius, slope along x, slope along y.
    """
    return pyramid(np.dstack([session.surface, face.thermal_slopes]))


def apparent_temperature(
    view: View,
    emission: tuple[Map, ...],
    deformation: Deformation,
    *,
    ambient: float,
    breath: float,
) -> Map:
    """Return how warm the person looks, (h, w) degrees Celsius.

    T' = T - r (T - ambient) with r = r0 + (1 - r0)(1 - cos)^5: at grazing angles skin mirrors
    the room.

    Parameters
    ----------
    view : View
    emission : as :func:`emission_maps` returns them
    deformation : Deformation
    ambient : float, degrees Celsius
    breath : float
        Standard score of the warmth in the mouth.
    """
    x, y, _ = texture_coordinates(view, deformation.field)
    level = pyramid_level(view.camera.scale)
    sampled = sample_level(emission, x, y, level)
    warmth, slope_x, slope_y = (np.ascontiguousarray(sampled[..., k]) for k in range(3))
    mouth = see_mouth(view, deformation.opening) if deformation.opening else None
    if mouth:
        teeth = TEETH * np.clip(1 - 2.2 * mouth.depth, 0, 1)
        inner = MOUTH + BREATH * breath + teeth
        warmth[mouth.part] += mouth.mask * (inner - warmth[mouth.part])
    missing = 1 - np.clip(facing(slope_x, slope_y, view.towards), 0, 1)
    square = missing * missing
    reflectance = HEAD_ON_REFLECTANCE + (1 - HEAD_ON_REFLECTANCE) * square * square * missing
    return np.asarray(warmth - reflectance * (warmth - ambient), np.float32)


def render_thermal(
    face: Face,
    view: View,
    emission: tuple[Map, ...],
    deformation: Deformation,
    *,
    breath: float,
    ambient: float,
    glasses: bool,
    sensor: ThermalSensor,
    rng: np.random.Generator,
) -> npt.NDArray[np.uint16]:
    """Take a thermal image.

    Parameters
    ----------
    face : Face
    view : View
    emission : as :func:`emission_maps` returns them
    deformation : Deformation
        The expression that ``view`` was marched with.
    breath : float
        As :func:`apparent_temperature` takes it.
    ambient : float, degrees Celsius
    glasses : bool
        Whether the person wears the glasses they own, if any.
    sensor : ThermalSensor
    rng : Generator
        Of background and noise.

    Returns
    -------
    (h, w) uint16
        Counts; degrees Celsius = ``SCALE`` x count + ``OFFSET``.
    """
    seen = apparent_temperature(view, emission, deformation, ambient=ambient, breath=breath)
    if glasses and face.glasses:
        lens, frame, pattern = cv2.split(see_glasses(face.glasses, view.camera))
        seen += LENS_OPAQUE * lens * (ambient + LENS + LENS_SPREAD * pattern - seen)
        seen += RIM_OPAQUE * frame * (ambient + RIM - seen)
    scene = ambient + clutter(rng, view.camera.shape, BACKGROUND, OBJECTS)
    scene += view.cover * (seen - scene)
    if face.peak:
        peak = see_peak(face.peak, view.camera)
        scene[peak.part] += peak.cover * (peak_warmth(peak, ambient) - scene[peak.part])
    air = float(np.exp(-EXTINCTION * view.camera.distance / 1000))
    scene = air * scene + (1 - air) * ambient
    return _expose(np.asarray(cv2.GaussianBlur(scene, (0, 0), BLUR), np.float32), sensor, rng)


def _expose(image: Map, sensor: ThermalSensor, rng: np.random.Generator) -> npt.NDArray[np.uint16]:
    """Add the noise of a place on the detector and quantise, (h, w) uint16."""
    height, width = image.shape
    top, left = (int(rng.integers(0, n - m + 1)) for n, m in zip(FRAME, image.shape, strict=True))
    image = image + sensor.pattern[top : top + height, left : left + width]
    image += sensor.noise * rng.standard_normal(image.shape, dtype=np.float32)
    return np.clip((image - OFFSET) / SCALE + 0.5, 0, 65535).astype(np.uint16)
