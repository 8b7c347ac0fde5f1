"""The peak of a cap: a bent sheet in front of the forehead, with its own parallax and shadow."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from thermalign.simulator.physics.camera import Camera
from thermalign.simulator.physics.capture import Light, Matrix
from thermalign.simulator.physics.colour import Colour
from thermalign.simulator.physics.fields import (
    HEIGHT,
    ORIGIN_X,
    ORIGIN_Y,
    WIDTH,
    Map,
    Window,
    level_millimetres,
)

# ASSUME every length (mm), share and temperature (K) below: tuned by eye on contact sheets.
TILT = 0.34  # mm down per mm forwards

SAG = 17.0  # mm that the sides hang lower than the middle

SETBACK = 40.0  # mm that the root lies further back at the sides

SOFT = 3.0  # mm of depth over which an edge fades: about one down in the image

PENUMBRA = 6.0  # mm

UNDERSIDE = 0.35  # share of the light of the room that reaches it

WARMER, ROOT_WARMER = 2.0, 3.0  # K above the air, and more at the root

MISS = 0.5  # mm between a ray and the sheet that it has met

STEEPEST = 0.03  # mm per mm: a sheet seen more edge-on is met as if at this angle


@dataclass(frozen=True)
class Peak:
    """A peak: y and z of its root on the middle line, half width and length, all mm.

    ``colour`` is its blue, green and red albedo.
    """

    y: float
    z: float
    half_width: float
    length: float
    colour: Colour


@dataclass(frozen=True)
class PeakView:
    """A peak in an image.

    Attributes
    ----------
    part : (rows, columns)
        Of the image; the maps cover it.
    cover : (h, w), 0..1
    across : (h, w) mm
    forwards : (h, w), 0..1
        0 at the root, 1 at the front edge.
    below : bool
        Whether its underside is seen.
    """

    part: Window
    cover: Map
    across: Map
    forwards: Map
    below: bool


def see_peak(peak: Peak, camera: Camera) -> PeakView:
    """Find a peak in an image."""
    part = rows, columns = _part(peak, camera)
    near = _cut(camera, (columns.start, rows.start), shape=_size(part))
    slopes = near.slopes()
    cover, across, forwards = _meet(peak, near.position, slopes)
    pitch = float(slopes[1].mean()) if cover.size else 0.0
    return PeakView(part, cover, across, forwards, below=pitch > TILT)


def peak_light(peak: Peak, seen: PeakView, rotation: Matrix, light: Light) -> Map:
    """Return the light that a peak sends to the camera, (h, w, 3) of ``seen``.

    Parameters
    ----------
    peak, seen
    rotation : (3, 3)
        Of the head against the camera.
    light : Light
    """
    key, fill = rotation.T @ light.key, rotation.T @ light.fill
    slope = 2 * SAG / peak.half_width**2 * seen.across
    length = np.sqrt(slope * slope + 1 + TILT**2)
    facing_key, facing_fill = (
        np.maximum((float(v[0]) * slope - float(v[1]) + TILT * float(v[2])) / length, 0)
        for v in (key, fill)
    )
    if seen.below:
        dim = np.full_like(seen.across, UNDERSIDE * light.ambient)
        return np.asarray(dim[..., None] * (peak.colour * light.tints[1]), np.float32)
    # a row of stitches runs along the front edge
    stitches = 1 - 0.2 * (np.abs(seen.forwards - 0.82) < 0.02)
    open_sky = 0.75 + 0.25 * np.minimum(4 * seen.forwards, 1)  # the crown shades the root
    by_key = light.key_strength * facing_key
    by_room = light.ambient + light.fill_strength * facing_fill
    lit = by_key[..., None] * light.tints[0] + by_room[..., None] * light.tints[1]
    return np.asarray(peak.colour * (stitches * open_sky)[..., None] * lit, np.float32)


def peak_warmth(seen: PeakView, ambient: float) -> Map:
    """Return the temperature of a peak, (h, w) of ``seen``, degrees Celsius."""
    return np.asarray(ambient + WARMER + ROOT_WARMER * np.exp(-5 * seen.forwards), np.float32)


def peak_shadow(peak: Peak, ground: Map, key: Matrix) -> Map:
    """Return where a peak shades a face from the key light, 0..1.

    Parameters
    ----------
    peak : Peak
    ground : (H/4, W/4) mm
        Expressed height field.
    key : (3,)
        Unit vector to the light in the head's frame.
    """
    kx, ky, kz = (float(v) for v in key)
    sheet = _sheet(peak, _X, ground)
    rate = TILT * kz - ky + 2 * SAG / peak.half_width**2 * kx * _X
    step = (_Y - sheet) / np.maximum(rate, 0.1)  # mm along the light until the sheet
    x, z = _X + step * kx, ground + step * kz
    root, tip = _ends(peak, x)
    shade = np.clip((z - root) / PENUMBRA + 0.5, 0, 1) * np.clip((tip - z) / PENUMBRA + 0.5, 0, 1)
    return np.asarray(shade * (step > 0) * (np.abs(x) < peak.half_width), np.float32)


def behind_peak(peak: Peak, camera: Camera, points: Matrix) -> npt.NDArray[np.bool_]:
    """Return which pixels (x, y) of (N, 2) a peak covers, (N,) bool."""
    rays = [_cut(camera, (float(x), float(y)), shape=(1, 1)).slopes() for x, y in points]
    slope_x, slope_y = (np.concatenate(slopes) for slopes in zip(*rays, strict=True))
    return np.asarray(_meet(peak, camera.position, (slope_x, slope_y))[0][:, 0] > 0.5)


_X = level_millimetres(np.arange(WIDTH // 4, dtype=np.float32), ORIGIN_X, 2)[None, :]

_Y = level_millimetres(np.arange(HEIGHT // 4, dtype=np.float32), ORIGIN_Y, 2)[:, None]


def _cut(camera: Camera, corner: tuple[float, float], *, shape: tuple[int, int]) -> Camera:
    """Return a camera that sees the part of an image from ``corner`` (x, y) on."""
    centre = (camera.centre[0] - corner[0], camera.centre[1] - corner[1])
    return replace(camera, centre=centre, shape=shape)


def _size(part: Window) -> tuple[int, int]:
    rows, columns = part
    return rows.stop - rows.start, columns.stop - columns.start


def _meet(peak: Peak, position: Matrix, slopes: tuple[Map, Map]) -> tuple[Map, Map, Map]:
    """Return cover, x and forwards of a :class:`PeakView` by three Newton steps along each ray.

    Parameters
    ----------
    peak : Peak
    position : (3,) mm
        Of the camera in the head's frame.
    slopes : two (h, w)
        As :meth:`Camera.slopes` returns them.
    """
    slope_x, slope_y = slopes
    x0, y0, z0 = (float(v) for v in position)
    bend = SAG / peak.half_width**2
    z = np.full_like(slope_x, peak.z + 0.5 * peak.length)
    for _ in range(3):
        x, y = x0 + slope_x * (z - z0), y0 + slope_y * (z - z0)
        rate = slope_y - TILT - 2 * bend * x * slope_x
        rate = np.where(np.abs(rate) < STEEPEST, np.copysign(STEEPEST, rate), rate)
        z = z - np.clip((y - _sheet(peak, x, z)) / rate, -200, 200)
    x, y = x0 + slope_x * (z - z0), y0 + slope_y * (z - z0)
    met = np.abs(y - _sheet(peak, x, z)) < MISS
    root, tip = _ends(peak, x)
    cover = np.clip((z - root) / SOFT + 0.5, 0, 1) * np.clip((tip - z) / SOFT + 0.5, 0, 1)
    cover = cover * (met & (np.abs(x) < peak.half_width))
    forwards = np.clip((z - root) / peak.length, 0, 1)
    return cover.astype(np.float32), x.astype(np.float32), forwards.astype(np.float32)


def _sheet(peak: Peak, x: Any, z: Any) -> Any:
    """Return the y of the sheet, mm."""
    return peak.y + SAG * (x / peak.half_width) ** 2 + TILT * (z - peak.z)


def _ends(peak: Peak, x: Any) -> tuple[Any, Any]:
    """Return the z of root and front edge, mm."""
    out = np.minimum(np.abs(x) / peak.half_width, 1)
    root = peak.z - SETBACK * out**2
    return root, root + peak.length * np.sqrt(1 - out**3)


def _part(peak: Peak, camera: Camera) -> Window:
    """Return the part of an image that can show a peak."""
    x = np.linspace(-peak.half_width, peak.half_width, 9)
    corners = [np.column_stack([x, _sheet(peak, x, end), end]) for end in _ends(peak, x)]
    pixels = camera.project(np.vstack(corners))
    low, high = np.floor(pixels.min(0)).astype(int) - 3, np.ceil(pixels.max(0)).astype(int) + 4
    height, width = camera.shape
    rows = slice(min(max(low[1], 0), height), min(max(high[1], 0), height))
    return rows, slice(min(max(low[0], 0), width), min(max(high[0], 0), width))
