"""Where rays meet a head: the height field of its front, and the back that bulges behind it."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from thermalign.simulator.physics.camera import Camera
from thermalign.simulator.physics.fields import (
    FLOOR,
    ORIGIN_X,
    ORIGIN_Y,
    SCALE,
    Map,
    Mask,
    level_pixels,
    sample,
)

HALF = SCALE / 2  # px/mm of level 1, on which rays are marched

STEEP = np.array([34, 22, 12, 4, -3, -10, -18, -28, -40, -54, -70, -88, -106, -121], np.float32)

SHALLOW = np.array([34, 14, -2, -16, -34, -60, -90, -121], np.float32)

FRONTAL = np.array([34, 10, -14, -40, -78, -121], np.float32)

LEVELS = ((0.10, FRONTAL), (0.16, SHALLOW))  # up to mm across per mm of height: < 5 mm per step

# ASSUME: behind its widest line a head is half an ellipse in every row, and looks as its side does
WIDEST = -96.0  # mm, height of the widest line

INSET = 6.0  # mm, how far before that line the side's look begins to be repeated

REPEAT = 0.3  # mm of the side's look per mm along the back


@dataclass(frozen=True)
class Rays:
    """Rays in the head's frame: at height h a ray passes (x + across h, y + down h).

    Attributes
    ----------
    x, y : (h, w) float32, pixels of level 1
        At height 0.
    across, down : (h, w) float32, pixels of level 1 per mm
    """

    x: Map
    y: Map
    across: Map
    down: Map

    def at(self, height: Map) -> tuple[Map, Map]:
        """Return where the rays are at a height in mm, pixels of level 1."""
        return self.x + self.across * height, self.y + self.down * height


def cast(camera: Camera, step: int) -> Rays:
    """Return the rays through the middles of ``step`` x ``step`` pixels."""
    slope_x, slope_y = camera.slopes(step)
    x, y, z = (float(v) for v in camera.position)
    across, down = slope_x * np.float32(HALF), slope_y * np.float32(HALF)
    start_x = np.float32(level_pixels(x, ORIGIN_X, 1)) - across * np.float32(z)
    start_y = np.float32(level_pixels(y, ORIGIN_Y, 1)) - down * np.float32(z)
    return Rays(start_x, start_y, across, down)


def march(height: Map, rays: Rays) -> Map:
    """Return the height at which each ray first meets the surface, (h, w) mm; else ``FLOOR``.

    All test heights are sampled in one go; the first crossing is refined by regula falsi. A
    fixed-point iteration would oscillate at the cliff of the silhouette.

    Parameters
    ----------
    height : (H/2, W/2) mm
        Expressed height field.
    rays : Rays
    """
    steepest = max(cv2.norm(slope, cv2.NORM_INF) for slope in (rays.across, rays.down))
    heights = next((levels for up_to, levels in LEVELS if steepest < up_to * HALF), STEEP)
    x, y = rays.at(heights[:, None, None])
    flat = (-1, rays.x.shape[1])
    above = sample(height, x.reshape(flat), y.reshape(flat)).reshape(x.shape)
    above -= heights[:, None, None]  # > 0: inside
    first = _first(above > 0)
    low, at_low = heights[first], _pick(above, first)
    met = at_low > 0
    high, at_high = heights[np.maximum(first, 1) - 1], _pick(above, np.maximum(first, 1) - 1)
    share = np.clip(at_high / (at_high - at_low - np.float32(1e-6)), 0.03, 0.97)
    middle = high + (low - high) * share
    at = sample(height, *rays.at(middle)) - middle
    inner = at > 0
    low, at_low = np.where(inner, middle, low), np.where(inner, at, at_low)
    high, at_high = np.where(inner, high, middle), np.where(inner, at_high, at)
    share = np.clip(at_high / (at_high - at_low - np.float32(1e-6)), 0, 1)
    return np.where(met, high + (low - high) * share, np.float32(FLOOR))


def _first(inside: Mask) -> npt.NDArray[np.intp]:
    """Return the index of the first true entry along the first axis; the last where none is."""
    count = len(inside)
    rank = np.arange(count, 0, -1, dtype=np.uint8)[:, None, None]
    highest = np.maximum.reduce(inside.view(np.uint8) * rank, axis=0)  # faster than argmax
    return np.minimum(count - highest.astype(np.intp), count - 1)


def _pick(values: Map, index: npt.NDArray[np.intp]) -> Map:
    """Return values[index, row, column]."""
    flat = index * index.size + np.arange(index.size).reshape(index.shape)
    return np.asarray(values.ravel().take(flat), np.float32)


@dataclass(frozen=True)
class Silhouette:
    """What bounds a height field, which by itself ends in a cliff.

    Attributes
    ----------
    solid, veil : (H/2, W/2), 0..1
        0 on and beyond the cliff; how much of the background thin hair at the outline hides.
    half_width, depth : (H/2,) mm
        Half axes of the back of the head in every row of level 1; depth 0 where there is none.
    """

    solid: Map
    veil: Map
    half_width: Map
    depth: Map


def meet_back(rays: Rays, silhouette: Silhouette) -> tuple[Mask, Map, Map]:
    """Find rays on the back of the head, which a turned head shows beside its front.

    x^2 / W^2 + (z - z0)^2 / D^2 = 1 in the row that the ray has at the widest line, z < z0.

    Parameters
    ----------
    rays : Rays of shape (N,)
    silhouette : Silhouette

    Returns
    -------
    met : (N,) bool
    x, y : (N,) pixels of level 1
        Where on the front something looks the same.
    """
    row = rays.y + rays.down * np.float32(WIDEST)
    rows = np.arange(len(silhouette.depth))
    width, depth = (
        np.maximum(np.interp(row, rows, axis, left=0, right=0), 1.0).astype(np.float32)
        for axis in (silhouette.half_width, silhouette.depth)
    )
    start = (rays.x - np.float32(level_pixels(0.0, ORIGIN_X, 1))) / np.float32(HALF)
    slope = rays.across / np.float32(HALF)
    start = start + slope * np.float32(WIDEST)  # mm, on the widest line
    square = (slope / width) ** 2 + 1 / depth**2
    half = start * slope / width**2
    root = half**2 - square * ((start / width) ** 2 - 1)
    behind = (-half + np.sqrt(np.maximum(root, 0))) / square
    behind = np.minimum(behind, 0)  # mm, against the widest line; the front has had its chance
    met = (root > 0) & (depth > 1)
    along = depth * np.arcsin(np.clip(-behind / depth, 0, 1))
    side = np.sign(start + slope * behind) * np.maximum(width - INSET - REPEAT * along, 0)
    x = np.asarray(level_pixels(side, ORIGIN_X, 1), np.float32)
    return met, x, rays.y + rays.down * (behind + np.float32(WIDEST))
