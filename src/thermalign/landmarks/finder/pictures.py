"""Scenes as cameras record and export them: curves, blur, noise, resolution, 8 bits, levels.

ASSUME: every number here.
"""

import cv2
import numpy as np
import torch

from thermalign.geometry import Floats
from thermalign.landmarks.finder.grounds import Rng
from thermalign.landmarks.finder.network import measure


def as_recorded(scene: Floats, draws: Rng) -> Floats:
    """Return a picture of a scene, (S, S) float32, in units of its own."""
    picture: Floats = scene
    if draws.random() < 0.3:
        picture = _coarse(picture, draws)
    if draws.random() < 0.6:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), draws.uniform(0.3, 1.1)))
    if draws.random() < 0.3:
        picture = _local_contrast(picture, draws)
    low, high = np.percentile(picture[::3, ::3], [0.5, 99.5])
    span = max(float(high - low), 0.05)
    picture = (picture - low) / span
    picture = _curve(picture, draws)
    picture = picture + draws.choice(
        [0.002, 0.01, 0.03], p=[0.5, 0.35, 0.15]
    ) * draws.standard_normal(picture.shape, np.float32)
    if draws.random() < 0.1:
        picture = picture + 0.02 * draws.standard_normal(picture.shape[1], np.float32)
    if draws.random() < 0.5:
        picture = _export(picture, draws)
    return np.asarray(picture, np.float32)


def framed(
    picture: Floats, draws: Rng, face: Floats | None
) -> tuple[Floats, tuple[int, int, int, int]]:
    """Let the image end within a scene; its border repeats beyond, as in the search.

    Parameters
    ----------
    picture : (S, S) float32
    draws : Generator
    face : (4,) float, pixels, optional
        Left, top, right and bottom of a face that is to fill the image, or more than that.

    Returns
    -------
    picture : (S, S) float32
    frame : left, top, right, bottom, pixels: what is left of the scene
    """
    side = len(picture)
    ends = np.array([0, 0, side, side]) + np.array([1, 1, -1, -1]) * draws.uniform(0, side / 4, 4)
    if face is not None:
        half = np.tile((face[2:] - face[:2]) / 2, 2) * draws.uniform(0.6, 1.3, 4)
        ends = np.tile((face[:2] + face[2:]) / 2, 2) + np.array([-1, -1, 1, 1]) * half
    left, top = (int(v) for v in np.clip(np.round(ends[:2]), 0, side - 9))
    right, bottom = (int(v) for v in np.clip(np.round(ends[2:]), [left + 8, top + 8], side))
    around = ((top, side - bottom), (left, side - right))
    kept = np.pad(picture[top:bottom, left:right], around, mode="edge")
    return kept, (left, top, right, bottom)


def levels_of(picture: Floats, draws: Rng) -> tuple[float, float]:
    """Draw what the levels of the whole image may be of which a scene is a part."""
    low, high = measure(torch.from_numpy(picture)[None, None])[0].tolist()
    span = max(high - low, 1e-3)
    wider = draws.exponential(0.25, 2) * (draws.random(2) < 0.6)
    return low - span * wider[0], high + span * wider[1]


def _coarse(picture: Floats, draws: Rng) -> Floats:
    side = len(picture)
    small = max(8, int(side * draws.uniform(0.45, 0.9)))
    shrunk = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(shrunk, (side, side), interpolation=cv2.INTER_CUBIC))


def _local_contrast(picture: Floats, draws: Rng) -> Floats:
    """Weaken what is smooth against what is fine, as gain control of single regions does."""
    smooth = cv2.GaussianBlur(picture, (0, 0), draws.uniform(6, 30))
    return np.asarray(picture - draws.uniform(0.2, 0.8) * smooth)


def _curve(picture: Floats, draws: Rng) -> Floats:
    """Bend values from 0 to 1 by a monotone curve of four random rises."""
    if draws.random() < 0.4:
        return picture
    rises = np.exp(draws.normal(0, 0.6, 4))
    knots = np.concatenate([[0.0], np.cumsum(rises) / rises.sum()])
    return np.asarray(np.interp(picture, np.linspace(0, 1, 5), knots), np.float32)


def _export(picture: Floats, draws: Rng) -> Floats:
    """Cut off what is coldest and warmest, and keep 8 bits."""
    low, high = draws.uniform(-0.1, 0.15), draws.uniform(0.75, 1.1)
    scaled = np.clip((picture - low) / (high - low), 0, 1)
    return np.asarray(np.round(scaled * 255) / 255, np.float32)
