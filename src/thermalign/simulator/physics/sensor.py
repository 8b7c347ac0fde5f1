"""The thermal camera behind its lens: noise, what correction leaves, what drifts, counts.

All patterns are K at the reference temperature of :mod:`thermalign.simulator.physics.radiometry`.
They are added to radiance, so a cooler scene is noisier in kelvin, as it is for a real camera.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from thermalign.simulator.physics.fields import Map, Window, bell, enlarge, shrink, spread
from thermalign.simulator.physics.optics import Lens, draw_focus
from thermalign.simulator.physics.radiometry import Band

SCALE, OFFSET = 0.01, -273.15  # degrees Celsius = SCALE x count + OFFSET: counts are centikelvin

DETECTOR = (480, 640)  # px, of both kinds

PIXEL_ANGLE = 63 / 87 / 2500  # rad, the paper's 87 px between eyes 63 mm apart at 2.5 m

BANK = 1100  # px, side of the square of prepared noise

# ASSUME
FIELD_NODES = (3, 4)  # of the smooth part of a pattern

CENTRE_WIDTH = 0.45  # of half the diagonal, standard deviation of the dark or bright centre

# ASSUME: a dead pixel sees nothing and reads a constant this far from the reference, which drifts
# and is noisy as others are; clusters take half of 3 x 3
DEAD_RANGE = (-15.0, 15.0)  # K

CLUSTER = 3  # px


@dataclass(frozen=True)
class Pattern:
    """Standard deviations of a detector's deviations from a uniform response.

    Attributes
    ----------
    level, pixel, column, row, field, centre : float, K
        Of the whole image, per pixel, per column, per row; of a smooth random field; of a round
        blot in the middle, which is the cooled detector mirrored in the lens (narcissus) or the
        warm lens barrel (vignetting).
    gain : float
        Per pixel, of its sensitivity.
    """

    level: float
    pixel: float
    column: float
    row: float
    field: float
    centre: float
    gain: float


@dataclass(frozen=True)
class Sensor:
    """A kind of thermal camera.

    Attributes
    ----------
    band : Band
    lens : Lens
    netd : float, K
        Noise-equivalent temperature difference at the reference temperature.
    exposure : float, s
        Integration time, or time constant of a bolometer.
    bolometer : bool
        Whether pixels forget exponentially instead of integrating.
    column_noise, row_noise : float, K
        New in every image.
    corrected : Pattern
        What the correction leaves.
    drift : Pattern
        What has come on top when the next correction is due.
    dead : float
        Share of pixels that the camera fails to replace.
    clusters : int
        Groups of such pixels.
    """

    band: Band
    lens: Lens
    netd: float
    exposure: float
    bolometer: bool
    column_noise: float
    row_noise: float
    corrected: Pattern
    drift: Pattern
    dead: float
    clusters: int


SENSORS = {
    # The paper's camera (bob.db.pola_thermal): Stirling-cooled mercury cadmium telluride, 640 x 480
    # pixels, 7.5 to 11.1 um, corrected at 20 and 40 degrees. ASSUME everything else.
    "cooled": Sensor(
        band=Band(7.5, 11.1),
        lens=Lens(2.5, pitch=20, pixel_angle=PIXEL_ANGLE, wavelength=9.3, aberration=0.45),
        netd=0.045,
        exposure=0.001,
        bolometer=False,
        column_noise=0.004,
        row_noise=0.006,
        corrected=Pattern(
            level=0.1, pixel=0.018, column=0.012, row=0.006, field=0.01, centre=0.0, gain=0.0008
        ),
        drift=Pattern(
            level=0.05, pixel=0.012, column=0.008, row=0.004, field=0.03, centre=0.04, gain=0.0004
        ),
        dead=4e-5,
        clusters=1,
    ),
    # A vanadium oxide microbolometer of 640 x 480 pixels: 17 um, NETD below .05 to .08 K and 8 to
    # 12 ms are usual in data sheets (f/1, 30 degrees). ASSUME the patterns.
    "uncooled": Sensor(
        band=Band(7.5, 14.0),
        lens=Lens(1.0, pitch=17, pixel_angle=PIXEL_ANGLE, wavelength=10.75, aberration=0.85),
        netd=0.065,
        exposure=0.010,
        bolometer=True,
        column_noise=0.015,
        row_noise=0.012,
        corrected=Pattern(
            level=0.3, pixel=0.03, column=0.03, row=0.015, field=0.04, centre=0.05, gain=0.004
        ),
        drift=Pattern(
            level=0.3, pixel=0.03, column=0.025, row=0.012, field=0.1, centre=0.2, gain=0.002
        ),
        dead=2e-5,
        clusters=2,
    ),
}
"""Name to kind of camera."""


@dataclass(frozen=True)
class ThermalCamera:
    """One thermal camera in one state.

    Attributes
    ----------
    sensor : Sensor
    netd : float, K
    gain : (480, 640)
        Sensitivity of each pixel, 1 if ideal, 0 if dead.
    offset : (480, 640) K
    bank : (1100, 1100)
        Standard normal noise. Images cut theirs from it at a random place with a random sign: 1.5
        million ways for 250 x 200 pixels. Cuts overlap, but hardly two are the same; a draw per
        pixel would cost as much as the rest of an exposure.
    focus : float, 1/m
        How far off the focus is set.
    """

    sensor: Sensor
    netd: float
    gain: Map
    offset: Map
    bank: Map
    focus: float = 0.0


def draw_bank(rng: np.random.Generator) -> Map:
    """Draw the noise that every image of a dataset cuts its own from, (1100, 1100)."""
    return rng.standard_normal((BANK, BANK), dtype=np.float32)


def make_camera(
    sensor: str, netd: float | None, bank: Map, rng: np.random.Generator
) -> ThermalCamera:
    """Draw a camera as its correction leaves it.

    Parameters
    ----------
    sensor : str
        Key of ``SENSORS``.
    netd : float or None, K
        In place of the sensor's own.
    bank : (1100, 1100)
    rng : Generator
    """
    kind = SENSORS[sensor]
    gain, offset = _draw_pattern(kind.corrected, bank, rng)
    gain += 1
    for rows, columns in _dead_pixels(kind, rng):
        gain[rows, columns] = 0
        offset[rows, columns] = rng.uniform(*DEAD_RANGE, len(rows))
    return ThermalCamera(kind, kind.netd if netd is None else netd, gain, offset, bank)


def open_session(
    camera: ThermalCamera,
    *,
    drift: float,
    defocus: float,
    drift_rng: np.random.Generator,
    focus_rng: np.random.Generator,
) -> ThermalCamera:
    """Return a camera as it is in one session.

    A session takes place at a random share of the time between two corrections; what drifts grows
    with the square root of that time (ASSUME the exponent: a power law was measured on thermal
    cameras, Proc. SPIE 12533, 125330T, 2023).

    Parameters
    ----------
    camera : ThermalCamera
    drift : float
        Strength of the drift; 1 is the sensor's own.
    defocus : float, m
        As :func:`thermalign.simulator.physics.optics.draw_focus` takes it.
    drift_rng, focus_rng : Generator
    """
    share = drift * float(np.sqrt(drift_rng.random()))
    gain, offset = _draw_pattern(camera.sensor.drift, camera.bank, drift_rng)
    for drifted, corrected in ((gain, camera.gain), (offset, camera.offset)):
        cv2.scaleAdd(drifted, share, corrected, drifted)  # in place: new maps cost more to allocate
    return replace(camera, gain=gain, offset=offset, focus=draw_focus(defocus, focus_rng))


def expose(
    radiance: Map, camera: ThermalCamera, rng: np.random.Generator, *, coarser: int = 1
) -> npt.NDArray[np.uint16]:
    """Read the detector.

    Parameters
    ----------
    radiance : (h, w) K
        Linearised, after the lens; is used up. A whole frame of 480 x 640 takes the detector as it
        is, anything smaller a random part of it.
    camera : ThermalCamera
    rng : Generator
    coarser : int, px
        The detector's pixels are this many times larger in either direction and see the mean of
        what falls on them. The image keeps its size, interpolated between them.

    Returns
    -------
    (h, w) uint16
        Counts; degrees Celsius = ``SCALE`` x count + ``OFFSET``.

    Raises
    ------
    ValueError
        If the image is larger than the detector.
    """
    shape = radiance.shape
    if coarser > 1:
        image = spread(_read_out(_means(radiance, coarser), camera, rng), shape, coarser)
    else:
        image = _read_out(radiance, camera, rng)
    counts = camera.sensor.band.celsius(image)
    counts *= 1 / SCALE
    counts += 0.5 - OFFSET / SCALE
    return np.clip(counts, 0, 65535, out=counts).astype(np.uint16)


def _read_out(radiance: Map, camera: ThermalCamera, rng: np.random.Generator) -> Map:
    """Return what a part of the detector reads of radiance (h, w), which is used up, in K."""
    height, width = radiance.shape
    part = _cut(DETECTOR, radiance.shape, rng)
    radiance *= camera.gain[part]
    radiance += camera.offset[part]
    sign = 1 if rng.random() < 0.5 else -1
    noise = camera.bank[_cut(camera.bank.shape, radiance.shape, rng)]
    image = np.asarray(cv2.scaleAdd(noise, sign * camera.netd, radiance), np.float32)
    lines = rng.standard_normal(height + width, dtype=np.float32)
    image += camera.sensor.row_noise * lines[:height, None]
    image += camera.sensor.column_noise * lines[height:]
    return image


def _means(radiance: Map, side: int) -> Map:
    """Return the means over squares of ``side`` pixels, the last ones padded."""
    below, right = (-n % side for n in radiance.shape)
    whole = cv2.copyMakeBorder(radiance, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return shrink(np.asarray(whole, np.float32), side)


def _cut(whole: tuple[int, ...], shape: tuple[int, ...], rng: np.random.Generator) -> Window:
    """Return a random part of ``whole``, (rows, columns)."""
    if shape[0] > whole[0] or shape[1] > whole[1]:
        raise ValueError(f"an image of {shape} pixels does not fit on a detector of {whole}")
    top, left = (int(rng.integers(0, n - m + 1)) for n, m in zip(whole, shape, strict=True))
    return slice(top, top + shape[0]), slice(left, left + shape[1])


def _draw_pattern(pattern: Pattern, bank: Map, rng: np.random.Generator) -> tuple[Map, Map]:
    """Return a pattern's part of gain and of offset (K), each (480, 640)."""
    rows, columns = DETECTOR
    level, centre = (float(score) for score in rng.standard_normal(2))
    nodes = rng.standard_normal(FIELD_NODES, np.float32)
    coarse = cv2.resize(nodes, (columns // 8, rows // 8), interpolation=cv2.INTER_CUBIC)
    offset = enlarge(pattern.field * coarse + pattern.level * level, (columns, rows))
    lines = rng.standard_normal(rows + columns, np.float32)
    offset += pattern.centre * centre * _centre()
    offset += pattern.row * lines[:rows, None]
    offset += pattern.column * lines[rows:]
    offset += pattern.pixel * bank[_cut(bank.shape, DETECTOR, rng)]
    return np.asarray(pattern.gain * bank[_cut(bank.shape, DETECTOR, rng)], np.float32), offset


@lru_cache(maxsize=1)
def _centre() -> Map:
    """Return the round blot in the middle of an image, 1 there, .1 in the corners, (480, 640)."""
    rows, columns = (np.arange(n) - (n - 1) / 2 for n in DETECTOR)
    distance = np.hypot(rows[:, None], columns) / (np.hypot(*DETECTOR) / 2)
    return np.asarray(bell(distance, CENTRE_WIDTH), np.float32)


def _dead_pixels(sensor: Sensor, rng: np.random.Generator) -> Iterator[npt.NDArray[np.int64]]:
    """Yield (2, N) rows and columns: single pixels first, then one cluster after the other."""
    rows, columns = DETECTOR
    singles = round(sensor.dead * rows * columns)
    yield np.stack([rng.integers(0, n, singles) for n in DETECTOR])
    for _ in range(sensor.clusters):
        corner = [rng.integers(0, n - CLUSTER + 1) for n in DETECTOR]
        inside = np.argwhere(rng.random((CLUSTER, CLUSTER)) < 0.5)
        yield (inside + corner).T
