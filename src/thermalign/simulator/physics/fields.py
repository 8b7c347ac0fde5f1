"""The canonical face grid, and the smooth functions that are painted on it.

Canonical coordinates are millimetres in the frontal head: x to the right in the image, y down, z
towards the camera, the origin between the eyes. Maps are float32 arrays over the grid; the grid has
three levels, each half as fine as the one before: 1.6, 0.8 and 0.4 pixels per millimetre.
"""

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

Map = npt.NDArray[np.float32]

Mask = npt.NDArray[np.bool_]

Window = tuple[slice, slice]

SCALE = 1.6  # px/mm of level 0

WIDTH, HEIGHT = 448, 512  # px of level 0: 280 mm x 320 mm

SHAPE = (HEIGHT, WIDTH)

ORIGIN_X, ORIGIN_Y = 224.0, 240.0  # px of level 0

FLOOR = -122.0  # mm, height where there is no head; about the depth of the back of the head

X: Map = ((np.arange(WIDTH) - ORIGIN_X) / SCALE).astype(np.float32)[None, :]  # (1, W), mm

Y: Map = ((np.arange(HEIGHT) - ORIGIN_Y) / SCALE).astype(np.float32)[:, None]  # (H, 1), mm

SIDES = ((-1, 0), (1, 1))
"""(sign of x, index of a pair): the left of the image, the subject's right, comes first."""


def level_pixels(millimetres: Any, origin: float, level: int) -> Any:
    """Return the pixel of a level where a canonical coordinate lies.

    Parameters
    ----------
    millimetres : number or array, mm
    origin : float
        ``ORIGIN_X`` or ``ORIGIN_Y``.
    level : int
        0, 1 or 2. A pixel of a level is the mean of 2 x 2 pixels of the level before.
    """
    factor = 2**level
    return (millimetres * SCALE + origin - (factor - 1) / 2) / factor


def level_millimetres(pixels: Any, origin: float, level: int) -> Any:
    """Return the canonical coordinate of a level's pixel: the inverse of :func:`level_pixels`."""
    factor = 2**level
    return (pixels * factor + ((factor - 1) / 2 - origin)) * (1 / SCALE)


def window(x: tuple[float, float], y: tuple[float, float]) -> Window:
    """Return the slices (rows, columns) of level 0 that cover a rectangle given in mm."""
    left, right = (round(level_pixels(v, ORIGIN_X, 0)) for v in x)
    top, bottom = (round(level_pixels(v, ORIGIN_Y, 0)) for v in y)
    rows = slice(min(max(top, 0), HEIGHT), min(max(bottom + 1, 0), HEIGHT))
    return rows, slice(min(max(left, 0), WIDTH), min(max(right + 1, 0), WIDTH))


def logistic(t: Any) -> Any:
    """Return 1 / (1 + exp(-t)), elementwise."""
    return 1 / (1 + np.exp(-np.clip(t, -30, 30)))


def smoothstep(t: Any) -> Any:
    """Return the cubic that rises from 0 at t = 0 to 1 at t = 1 with level ends."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def bell(distance: Any, width: Any) -> Any:
    """Return exp(-(distance / width)^2 / 2), elementwise."""
    ratio = distance / width
    return np.exp(-0.5 * ratio * ratio)


def bump(x: float, y: float, width: float, height: float, *, turn: float = 0.0) -> Map:
    """Return a Gaussian hill of height 1 on the canonical grid.

    Parameters
    ----------
    x, y : float, mm
    width, height : float, mm
        Standard deviations across and down, before the turn.
    turn : float, radians
        Clockwise in the image.
    """
    if turn == 0.0:
        return np.asarray(bell(Y - y, height) * bell(X - x, width), np.float32)
    c, s = math.cos(turn), math.sin(turn)
    along = c * (X - x) + s * (Y - y)
    across = c * (Y - y) - s * (X - x)
    return np.asarray(np.exp(-0.5 * ((along / width) ** 2 + (across / height) ** 2)), np.float32)


def blur(values: Map, sigma: float) -> Map:
    """Blur a map of level 0 by a Gaussian of ``sigma`` mm; wide ones at reduced resolution."""
    pixels = sigma * SCALE
    if pixels < 5:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), pixels), np.float32)
    factor = 2 if pixels < 10 else 4
    small = shrink(values, factor)
    return enlarge(np.asarray(cv2.GaussianBlur(small, (0, 0), pixels / factor), np.float32))


def shrink(values: Map, factor: int = 2) -> Map:
    """Return the means over ``factor`` x ``factor`` pixels."""
    size = (values.shape[1] // factor, values.shape[0] // factor)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def enlarge(values: Map, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Map:
    """Bring a coarser map to ``size`` (width, height), bilinear; level 0 by default."""
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR), np.float32)


def spread(coarse: Map, shape: tuple[int, int], step: int) -> Map:
    """Interpolate maps whose pixels are the middles of ``step`` x ``step`` pixels of ``shape``.

    Exact inside, level within half a step of the border.
    """
    if step == 1:
        return coarse
    rows, columns = coarse.shape[:2]
    fine = cv2.resize(coarse, (columns * step, rows * step), interpolation=cv2.INTER_LINEAR)
    return np.asarray(fine[: shape[0], : shape[1]], np.float32)


def sample(values: Map, x: Map, y: Map) -> Map:
    """Sample a map at pixels (x, y) of its own grid, bilinear; the border goes on outside."""
    border = cv2.BORDER_REPLICATE
    return np.asarray(cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=border), np.float32)


def sample_at(values: Map, pixels: Map) -> Map:
    """Sample a map at pixels (..., 2) of its own grid, as :func:`sample`."""
    border = cv2.BORDER_REPLICATE
    return np.asarray(cv2.remap(values, pixels, None, cv2.INTER_LINEAR, borderMode=border))  # type: ignore[call-overload]


def channels(packed: Map) -> tuple[Map, ...]:
    """Split maps (h, w, C) into C contiguous maps (h, w)."""
    return tuple(np.asarray(channel, np.float32) for channel in cv2.split(packed))


def random_field(rng: np.random.Generator, correlation: float, *, level: int = 0) -> Map:
    """Draw a smooth random map of about unit variance.

    Parameters
    ----------
    rng : Generator
    correlation : float, mm
        Distance over which values go together.
    level : int
        Level of the grid to draw on.

    Returns
    -------
    (H, W) float32 of that level
    """
    height, width = HEIGHT >> level, WIDTH >> level
    step = max(correlation * SCALE / 2**level * 0.8, 1.0)  # nodes closer than the correlation
    rows, columns = math.ceil(height / step) + 3, math.ceil(width / step) + 3
    nodes = rng.standard_normal((rows, columns), dtype=np.float32)
    size = (int(columns * step), int(rows * step))
    smooth = cv2.resize(nodes, size, interpolation=cv2.INTER_CUBIC)
    top = int(rng.integers(0, max(1, size[1] - height)))
    left = int(rng.integers(0, max(1, size[0] - width)))
    cut = smooth[top : top + height, left : left + width]
    return np.asarray(cut, np.float32) / np.float32(0.75)  # cubic interpolation lowers the spread


def fine_noise(rng: np.random.Generator, sigma: float) -> Map:
    """Draw white noise blurred by ``sigma`` pixels of level 0, of about unit variance."""
    white = rng.standard_normal(SHAPE, dtype=np.float32)
    spread = 2 * math.sqrt(math.pi) * sigma  # of a continuous Gaussian; 5 % off at 0.7 px
    return np.asarray(cv2.GaussianBlur(white, (0, 0), sigma), np.float32) * spread


def curve(at: Any, nodes: list[tuple[float, float]]) -> Map:
    """Return a smooth curve through control points, level beyond its ends.

    Piecewise cubic Hermite (PCHIP): between two points it never leaves their range, where a spline
    would overshoot.

    Parameters
    ----------
    at : array
    nodes : list of (position, value), rising positions
    """
    positions, values = zip(*nodes, strict=True)
    inside = np.clip(np.asarray(at, np.float64), positions[0], positions[-1])
    return np.asarray(PchipInterpolator(positions, values)(inside), np.float32)


def broken_line(at: Any, nodes: list[tuple[float, float]]) -> Map:
    """Return straight lines between control points, level beyond its ends."""
    positions, values = zip(*nodes, strict=True)
    return np.asarray(np.interp(at, positions, values), np.float32)
