"""What faces stand before: grounds without people, and strokes to paint them with.

Values of a scene are about 0 for what is cold and 1 for what is as warm as skin. ASSUME: every
number here; looked at in sheets of scenes beside recorded frames.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from thermalign.geometry import Floats

Rng = np.random.Generator
"""What everything random is drawn from."""

_TEXTURES = 24  # kept, of 1/f noise
_SIDE = 256  # px, of a texture
_SHIFT = 4  # of OpenCV's coordinates, bits


@dataclass(frozen=True)
class Textures:
    """Fields of 1/f noise: (_TEXTURES, _SIDE, _SIDE) float32, mean 0 and deviation 1."""

    fields: Floats


def make_textures(draws: Rng) -> Textures:
    """Draw fields whose amplitude falls with a power of the frequency from .7 to 1.8."""
    frequency = np.hypot(np.fft.fftfreq(_SIDE)[:, None], np.fft.rfftfreq(_SIDE)[None])
    frequency[0, 0] = 1
    fields = []
    for power in draws.uniform(0.7, 1.8, _TEXTURES):
        phases = np.exp(2j * np.pi * draws.random(frequency.shape))
        field = np.fft.irfft2(phases * frequency**-power, (_SIDE, _SIDE))
        fields.append((field - field.mean()) / field.std())
    return Textures(np.array(fields, np.float32))


def texture(textures: Textures, side: int, draws: Rng) -> Floats:
    """Return a part of a field at a random zoom, (side, side) float32, deviation about 1."""
    field = textures.fields[draws.integers(len(textures.fields))]
    part = int(draws.integers(32, _SIDE))
    row, column = draws.integers(0, _SIDE - part, 2)
    piece = np.ascontiguousarray(field[row : row + part, column : column + part])
    return np.asarray(cv2.resize(piece, (side, side), interpolation=cv2.INTER_LINEAR))


def ground(side: int, textures: Textures, draws: Rng) -> Floats:
    """Return a ground without people: bands, dead leaves, stripes and lamps over noise."""
    base, contrast = draws.uniform(-0.1, 1.2), draws.choice([0.03, 0.1, 0.25, 0.5])
    canvas = np.full((side, side), base, np.float32)
    if draws.random() < 0.35:
        _bands(canvas, base, contrast, draws)
    amount = int(draws.choice([0, 3, 10, 30, 70], p=[0.2, 0.25, 0.25, 0.2, 0.1]))
    for _ in range(amount):
        _leaf(canvas, float(base + draws.normal(0, contrast)), draws)
    if draws.random() < 0.3:
        _rows(canvas, float(base + draws.normal(0, contrast)), draws)
    if draws.random() < 0.25:
        _lamp(canvas, draws)
    roughness = draws.choice([0.0, 0.02, 0.06, 0.15]) * min(1.0, 2 * contrast + 0.2)
    if roughness:
        canvas += roughness * texture(textures, side, draws)
    return canvas


def _bands(canvas: Floats, base: float, contrast: float, draws: Rng) -> None:
    """Lay ground, kerbs, walls and sky over each other, nearly level."""
    side = len(canvas)
    slope = draws.normal(0, 0.08) * side
    for _ in range(int(draws.integers(1, 5))):
        row = draws.uniform(0, side)
        value = float(base + draws.normal(0, 1.5 * contrast))
        thick = side if draws.random() < 0.5 else draws.uniform(1, 0.15 * side)
        corners = [(0, row), (side, row + slope), (side, row + slope - thick), (0, row - thick)]
        polygon(canvas, corners, value)


def _leaf(canvas: Floats, value: float, draws: Rng) -> None:
    """Put an ellipse, a rectangle, a polygon or a stroke somewhere; small ones are many."""
    side = len(canvas)
    size = side * 0.02 * 40 ** draws.random()
    x, y = draws.uniform(-0.1, 1.1, 2) * side
    kind, angle = draws.integers(4), draws.uniform(0, 360)
    if kind == 0:
        axes = (size / 2, size / 2 * draws.uniform(0.3, 1))
        ellipse(canvas, (x, y), axes, angle, value)
    elif kind == 1:
        tilt = 0.0 if draws.random() < 0.7 else np.deg2rad(angle)
        half = np.array([size, size * draws.uniform(0.2, 1.5)]) / 2
        unit = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
        turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
        polygon(canvas, unit @ turn.T + [x, y], value)
    elif kind == 2:
        around = np.sort(draws.uniform(0, 2 * np.pi, draws.integers(3, 7)))
        way = np.stack([np.cos(around), np.sin(around)], axis=1)
        polygon(canvas, way * size * draws.uniform(0.3, 1, (len(way), 1)) / 2 + [x, y], value)
    else:
        way = 1.5 * size * np.array([np.cos(angle), np.sin(angle)])
        stroke = [(x, y), (x + way[0], y + way[1])]
        limb(canvas, stroke, thick=size * draws.uniform(0.03, 0.25), value=value)


def _rows(canvas: Floats, value: float, draws: Rng) -> None:
    """Repeat windows, slats or posts along rows."""
    side = len(canvas)
    step, height = draws.uniform(4, 25), draws.uniform(3, 40)
    thick = step * draws.uniform(0.2, 0.7)
    left, row = draws.uniform(-20, side / 2), draws.uniform(-10, side)
    for _ in range(int(draws.integers(1, 4))):
        for n in range(int(draws.integers(3, 14))):
            x = left + n * step
            corners = [(x, row), (x + thick, row), (x + thick, row + height), (x, row + height)]
            polygon(canvas, corners, value)
        row += height * draws.uniform(1.1, 1.8)


def _lamp(canvas: Floats, draws: Rng) -> None:
    size = draws.uniform(1, 12)
    at = tuple(draws.uniform(0, len(canvas), 2))
    ellipse(
        canvas,
        at,
        (size, size * draws.uniform(0.3, 1)),
        draws.uniform(0, 90),
        draws.uniform(1.2, 2.5),
    )


def ellipse(
    canvas: Floats, centre: tuple[float, ...], axes: tuple[float, ...], angle: float, value: float
) -> None:
    """Fill an ellipse, to a sixteenth of a pixel."""
    where = tuple(_fixed(v) for v in centre)
    size = tuple(max(1, _fixed(v)) for v in axes)
    cv2.ellipse(canvas, where, size, float(angle), 0, 360, float(value), -1, cv2.LINE_8, _SHIFT)


def limb(canvas: Floats, joints: npt.ArrayLike, *, thick: float, value: float) -> None:
    """Draw a stroke of a thickness, pixels, with round ends, along joints (N, 2), pixels."""
    points = np.array(joints, float)
    fixed = np.round(points * 2**_SHIFT).astype(np.int32)
    width = int(np.clip(round(thick), 1, 255))
    cv2.polylines(canvas, [fixed], False, float(value), width, cv2.LINE_8, _SHIFT)


def polygon(canvas: Floats, corners: npt.ArrayLike, value: float) -> None:
    """Fill a polygon of corners (N, 2), pixels."""
    fixed = np.round(np.asarray(corners, float) * 2**_SHIFT).astype(np.int32)
    cv2.fillPoly(canvas, [fixed], float(value), cv2.LINE_8, _SHIFT)


def _fixed(value: float) -> int:
    return round(float(value) * 2**_SHIFT)
