"""From the canonical face to a camera: ray marching, texture coordinates, projected landmarks.

A pinhole camera at (0, 0, distance) looks along -z. The head turns about a pivot in the neck. In
the head's own frame, the ray of a pixel is a + b h with the height h as parameter: exact
perspective at the price of two maps.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from thermalign.geometry import LEFT_EYE, RIGHT_EYE
from thermalign.simulator.capture import Matrix
from thermalign.simulator.expression import Deformation
from thermalign.simulator.fields import (
    FLOOR,
    HEIGHT,
    ORIGIN_X,
    ORIGIN_Y,
    SCALE,
    WIDTH,
    Map,
    channels,
    enlarge,
    level_millimetres,
    level_pixels,
    sample,
    smoothstep,
)

PIVOT = np.array([0.0, 40.0, -70.0])  # mm, where the head turns: about the atlas
HALF = SCALE / 2  # px/mm of level 1, on which rays are marched
STEEP = np.array([34, 22, 12, 4, -3, -10, -18, -28, -40, -54, -70, -88, -106, -121], np.float32)
SHALLOW = np.array([34, 14, -2, -16, -34, -60, -90, -121], np.float32)
SHALLOW_UP_TO = 0.16  # mm across per mm of height: then the ray moves < 3 mm per step
SECANT_STEPS = 2
HIDDEN = 5.0  # mm between a landmark and the surface seen at its pixel
EYES = [RIGHT_EYE, LEFT_EYE]

_COLUMNS, _ROWS = np.meshgrid(
    np.arange(WIDTH // 2, dtype=np.float32), np.arange(HEIGHT // 2, dtype=np.float32)
)


@dataclass(frozen=True)
class Camera:
    """A camera in front of a head.

    Attributes
    ----------
    rotation : (3, 3)
        Of the head against the camera.
    distance : float, mm
    scale : float, px/mm
        In the plane through the eyes of the frontal head.
    centre : (x, y), pixels
        Where the point between the eyes of the frontal head is seen.
    shape : (height, width), pixels
    """

    rotation: Matrix
    distance: float
    scale: float
    centre: tuple[float, float]
    shape: tuple[int, int]

    @property
    def position(self) -> Matrix:
        """The camera in the head's frame, (3,) mm."""
        return np.asarray(self.rotation.T @ (np.array([0, 0, self.distance]) - PIVOT) + PIVOT)

    def project(self, points: Matrix) -> Matrix:
        """Project points of the head, (N, 3) mm, to pixels, (N, 2)."""
        seen = (points - PIVOT) @ self.rotation.T + PIVOT
        scale = self.scale * self.distance / (self.distance - seen[:, 2:])
        return np.asarray(seen[:, :2] * scale + self.centre)

    def slopes(self, step: int = 1) -> tuple[Matrix, Matrix]:
        """Return mm across and down per mm of height along each pixel's ray, each (h, w).

        Parameters
        ----------
        step : int
            Rays through every ``step``-th pixel, one more than needed at the end.
        """
        height, width = ((n + step - 1) // step + (step > 1) for n in self.shape)
        u = (np.arange(width)[None, :] * step - self.centre[0]) / self.scale
        v = (np.arange(height)[:, None] * step - self.centre[1]) / self.scale
        r, d = self.rotation, self.distance
        x, y, z = (r[0, k] * u + r[1, k] * v - r[2, k] * d for k in range(3))
        return x / z, y / z


@dataclass(frozen=True)
class View:
    """What a camera sees of a face.

    Attributes
    ----------
    camera : Camera
    x, y : (h, w) pixels of level 1
        Where on the expressed canonical face each pixel looks.
    cover : (h, w), 0..1
        1 on the person, 0 on the background.
    towards : (3,)
        Unit vector to the camera in the head's frame; constant over the face.
    """

    camera: Camera
    x: Map
    y: Map
    cover: Map
    towards: Matrix


def expressed_height(height: Map, deformation: Deformation) -> Map:
    """Return the height field after an expression, Z(q - D(q)) + dZ(q), level 1, mm."""
    if np.abs(deformation.field).max() <= 0.05:
        return height
    fine = enlarge(deformation.field, (WIDTH // 2, HEIGHT // 2))
    x, y = _COLUMNS - fine[..., 0] * HALF, _ROWS - fine[..., 1] * HALF
    return sample(height, x, y) + fine[..., 2]


def look(camera: Camera, height: Map, *, step: int) -> View:
    """March a ray per ``step`` x ``step`` pixels and bring the result to full resolution.

    Parameters
    ----------
    camera : Camera
    height : (H/2, W/2) mm
        Expressed height field.
    step : int, pixels
    """
    slope_x, slope_y = camera.slopes(step)
    position = camera.position
    steepest = max(float(np.abs(slope_x).max()), float(np.abs(slope_y).max()))
    start_x = level_pixels(position[0] - slope_x * position[2], ORIGIN_X, 1).astype(np.float32)
    start_y = level_pixels(position[1] - slope_y * position[2], ORIGIN_Y, 1).astype(np.float32)
    drift_x, drift_y = ((slope * HALF).astype(np.float32) for slope in (slope_x, slope_y))
    heights = SHALLOW if steepest < SHALLOW_UP_TO else STEEP
    hit = _march(height, (start_x, start_y), (drift_x, drift_y), heights)
    cover = (hit > FLOOR + 4).astype(np.float32)
    if step > 1:  # without the blur the outline of the coarse hits shows as stairs
        cover = smoothstep((cv2.GaussianBlur(cover, (0, 0), 0.9) - np.float32(0.2)) / 0.6)
    seen = np.dstack([start_x + drift_x * hit, start_y + drift_y * hit, cover])
    x, y, cover = channels(_refine(seen.astype(np.float32), camera.shape, step))
    towards = position - np.array([0, 40.0, 0])
    return View(camera, x, y, cover, towards / np.linalg.norm(towards))


def thin_out(view: View, veil: Map) -> View:
    """Let the background show through thin hair at the outline.

    Parameters
    ----------
    view : View
    veil : (H/2, W/2), 0..1
        How much of the background the person hides.
    """
    return replace(view, cover=view.cover * sample(veil, view.x, view.y))


def _refine(coarse: Map, shape: tuple[int, int], step: int) -> Map:
    """Interpolate maps whose node i belongs to pixel i x ``step``."""
    if step == 1:
        return coarse
    matrix = np.array([[1 / step, 0, 0], [0, 1 / step, 0]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (shape[1], shape[0])
    fine = cv2.warpAffine(coarse, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(fine, np.float32)


def _march(height: Map, start: tuple[Map, Map], slope: tuple[Map, Map], heights: Map) -> Map:
    """Return the height at which each ray first meets the surface, (h, w) mm; else ``FLOOR``.

    All test heights are sampled in one go; the first crossing is refined by regula falsi. A
    fixed-point iteration would oscillate at the cliff of the silhouette.
    """
    rows, columns = start[0].shape
    levels = heights[:, None, None]
    x, y = ((a + b * levels).reshape(-1, columns) for a, b in zip(start, slope, strict=True))
    above = sample(height, x, y).reshape(len(heights), -1) - heights[:, None]  # > 0: inside
    inside = above > 0
    ray = np.arange(rows * columns)
    first = inside.argmax(0)
    met = inside[first, ray].reshape(rows, columns)
    first = np.maximum(first, 1)
    low, high = (heights[k].reshape(rows, columns) for k in (first, first - 1))
    at_low, at_high = (above[k, ray].reshape(rows, columns) for k in (first, first - 1))
    for _ in range(SECANT_STEPS):
        share = np.clip(at_high / (at_high - at_low - np.float32(1e-6)), 0.03, 0.97)
        middle = high + (low - high) * share
        at = sample(height, start[0] + slope[0] * middle, start[1] + slope[1] * middle) - middle
        inner = at > 0
        low, at_low = np.where(inner, middle, low), np.where(inner, at, at_low)
        high, at_high = np.where(inner, high, middle), np.where(inner, at_high, at)
    share = np.clip(at_high / (at_high - at_low - np.float32(1e-6)), 0, 1)
    return np.where(met, high + (low - high) * share, np.float32(FLOOR))


def coarse_coordinates(view: View) -> tuple[Map, Map]:
    """Return where each pixel looks, in pixels of level 2."""
    return view.x * 0.5 - 0.25, view.y * 0.5 - 0.25


def texture_coordinates(view: View, field: Map) -> tuple[Map, Map, Map]:
    """Undo an expression.

    Parameters
    ----------
    view : View
    field : (H/4, W/4, 2 + K)
        Displacement (x, y) in mm, and further planes to sample with it.

    Returns
    -------
    x, y : (h, w) pixels of level 1
        On the neutral canonical face.
    sampled : (h, w, 2 + K)
    """
    sampled = sample(field, *coarse_coordinates(view))
    return view.x - sampled[..., 0] * HALF, view.y - sampled[..., 1] * HALF, sampled


def pyramid_level(scale: float) -> int:
    """Return the level of the maps that suits a scale in px/mm."""
    if scale > 0.95:
        return 0
    return 1 if scale > 0.40 else 2


def sample_level(pyramid: tuple[Map, ...], x: Map, y: Map, level: int) -> Map:
    """Sample a level of a pyramid at pixels of level 1."""
    if level == 0:
        return sample(pyramid[0], x * 2 + np.float32(0.5), y * 2 + np.float32(0.5))
    if level == 1:
        return sample(pyramid[1], x, y)
    return sample(pyramid[2], x * 0.5 - 0.25, y * 0.5 - 0.25)


def expressed_landmarks(neutral: Matrix, deformation: Deformation, height: Map) -> Matrix:
    """Move landmarks with an expression, exactly as the rendering does.

    Solves p = p0 + D(p) by fixed-point steps.

    Parameters
    ----------
    neutral : (5, 2) float, mm
    deformation : Deformation
    height : (H/2, W/2) mm
        Expressed height field.

    Returns
    -------
    (5, 3) float, mm
    """
    points = neutral
    for _ in range(8):
        x, y = _row(points, 2)
        moved = sample(deformation.field, x, y)[0]
        moved[EYES] = sample(deformation.eye_field, x[:, EYES], y[:, EYES])[0]
        points = neutral + moved[:, :2]
    z = sample(height, *_row(points, 1))[0]
    return np.column_stack([points, z.astype(np.float64)])


def landmark_visibility(view: View, points: Matrix, pixels: Matrix) -> npt.NDArray[np.bool_]:
    """Return which landmarks are in the picture and not behind something, (5,) bool.

    Parameters
    ----------
    view : View
    points : (5, 3) float, mm
    pixels : (5, 2) float
        Their projections.
    """
    last = np.array(view.camera.shape[::-1]) - 1
    within = ((pixels >= 0) & (pixels <= last)).all(1)
    u, v = (pixels[None, :, k].astype(np.float32) for k in range(2))
    x = level_millimetres(sample(view.x, u, v)[0], ORIGIN_X, 1)
    y = level_millimetres(sample(view.y, u, v)[0], ORIGIN_Y, 1)
    seen = np.hypot(x - points[:, 0], y - points[:, 1]) < HIDDEN
    return np.asarray(within & seen)


def _row(points: Matrix, level: int) -> tuple[Map, Map]:
    """Return points in mm as pixels of a level, two arrays (1, N)."""
    x = level_pixels(points[None, :, 0], ORIGIN_X, level)
    y = level_pixels(points[None, :, 1], ORIGIN_Y, level)
    return x.astype(np.float32), y.astype(np.float32)
