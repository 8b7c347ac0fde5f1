"""Training faces warped to their place in a scene and cut out there; faces spoilt on purpose."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch

from thermalign.geometry import CENTRE_BELOW_EYES, Floats, apply_matrix, compose_matrices
from thermalign.landmarks.contract import Faces
from thermalign.landmarks.finder.bodies import Pose
from thermalign.landmarks.finder.cells import BOX
from thermalign.landmarks.finder.grounds import Rng, Textures, ellipse, polygon, texture
from thermalign.warp import LEVELS, ImageStack

REACH = 1.2
"""Sides of its box that are kept around a face."""

_MEASURED = 500  # faces between two times that memory is given back


@dataclass(frozen=True)
class Source:
    """Training faces on the CPU: what :class:`Faces` has, and levels of every face.

    Attributes
    ----------
    stack : ImageStack
    index : (M,), frame : (M, 2, 3), points : (M, L, 2)
        As of the faces.
    cold, skin : (M,) float32, units of the stack
        What is cold around a face, and the median within its points.
    """

    stack: ImageStack
    index: npt.NDArray[np.int64]
    frame: Floats
    points: Floats
    cold: Floats
    skin: Floats

    def __len__(self) -> int:
        return len(self.index)

    def level(self, image: int, k: int) -> Floats:
        """Return a mip level of an image, (height, width) float32."""
        return self.stack.level(image, k).numpy()


@dataclass(frozen=True)
class Stock:
    """What scenes are made from."""

    source: Source
    textures: Textures


def make_source(faces: Faces) -> Source:
    """Copy faces to the CPU, where scenes are composed, and measure their levels."""
    arrays = (faces.index, faces.frame, faces.points)
    index, frame, points = (each.cpu().numpy() for each in arrays)
    cold, skin = np.zeros((2, len(faces)), np.float32)
    source = Source(faces.stack.to(torch.device("cpu")), index, frame, points, cold, skin)
    for m in range(len(source)):
        _measure(source, m)
        if m % _MEASURED == _MEASURED - 1:
            source.stack.give_back()
    return source


def _measure(source: Source, m: int) -> None:
    """Set what is cold around face ``m`` and what its skin is like, on 48 x 48 samples."""
    seen = warped(source, m, *_straight(source, m, 48 / 3 / BOX[0], (24.0, 20.0)), (48, 48))
    source.cold[m] = np.percentile(seen, 5)
    source.skin[m] = max(float(np.median(seen[18:30, 19:29])), source.cold[m] + 1e-3)


def _straight(
    source: Source, m: int, unit: float, eyes: tuple[float, float]
) -> tuple[Floats, float]:
    """Return the matrix that brings a face's eyes there, upright as it is, and its scale."""
    points = source.points[m]
    scale = unit / float(np.hypot(*(points[1] - points[0])))
    middle = points[:2].mean(0)
    shift = np.array(eyes) - scale * middle
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]]), scale


def warped(source: Source, m: int, matrix: Floats, scale: float, size: tuple[int, int]) -> Floats:
    """Warp a face's image from its example frame, (height, width) float32; the border repeats.

    Parameters
    ----------
    source : Source
    m : int
    matrix : (2, 3) float
        From the example frame to the output.
    scale : float
        Pixels of the output to one of the image.
    size : width and height
    """
    image = int(source.index[m])
    k = int(np.clip(np.floor(np.log2(1 / scale) + 1e-4), 0, LEVELS - 1))
    whole = compose_matrices(matrix, source.frame[m].astype(float))
    # A level's pixel k covers the pixels 2k and 2k + 1 of the level before.
    whole[:, 2] += whole[:, :2].sum(1) * (2**k - 1) / 2
    whole[:, :2] *= 2**k
    return np.asarray(
        cv2.warpAffine(
            source.level(image, k),
            whole,
            size,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    )


def pose(source: Source, m: int, width: float, centre: Floats, draws: Rng) -> Pose:
    """Turn, stretch and move a face so that its box has a width (pixels) and a centre there."""
    points = source.points[m].astype(float)
    middle = points[:2].mean(0) + CENTRE_BELOW_EYES * _down(points) * _apart(points)
    scale = width / BOX[0] / _apart(points)
    angle = np.deg2rad(np.clip(draws.normal(0, 9), -28, 28))
    stretch = np.exp(draws.normal(0, 0.06))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = scale * turn @ np.diag([stretch, 1 / stretch])
    matrix = np.concatenate([linear, (centre - linear @ middle)[:, None]], axis=1)
    moved = apply_matrix(matrix, points)
    across = moved[1] - moved[0]
    tilt = float(np.arctan2(across[1], across[0]))
    return Pose(matrix, scale, moved, moved[:2].mean(0), _apart(moved), tilt)


def _apart(points: Floats) -> float:
    return float(np.hypot(*(points[1] - points[0])))


def _down(points: Floats) -> Floats:
    way = points[3:].mean(0) - points[:2].mean(0)
    return np.asarray(way / np.hypot(*way))


def set_head(canvas: Floats, stock: Stock, m: int, its: Pose, draws: Rng, *, spoil: bool) -> None:
    """Set a head cut out of a training image into a scene, with contrast of its own.

    Parameters
    ----------
    canvas : (S, S) float32, painted on
    stock : Stock
    m : int
        Which face.
    its : Pose
    draws : Generator
    spoil : bool
        Whether its features are taken out or turned, so that it is no face.
    """
    side, source, textures = len(canvas), stock.source, stock.textures
    seen = warped(source, m, its.matrix, its.scale, (side, side))
    cold, skin = float(source.cold[m]), float(source.skin[m])
    warm = np.clip((seen - cold) / (skin - cold), -0.5, 2.0)
    cover = _outline(side, its, draws)
    if draws.random() < 0.75:  # what is as cold as the wall is the wall
        first = draws.uniform(0.05, 0.25)
        cover *= np.clip((warm - first) / 0.15, 0, 1)
    if spoil:
        warm = _spoilt(warm, its, draws)
    power, contrast = draws.uniform(0.6, 2.2), draws.uniform(0.25, 1.1)
    level = draws.uniform(0.3, 1.15)
    if draws.random() < 0.12:  # hair that the sun has heated
        warm = np.maximum(warm, draws.uniform(1.2, 1.7) - warm)
    painted = level + contrast * (np.sign(warm) * np.abs(warm) ** power - 1)
    if draws.random() < 0.5:
        painted += _lit(side, its, textures, draws) * contrast
    canvas += cover * (painted.astype(np.float32) - canvas)


def _lit(side: int, its: Pose, textures: Textures, draws: Rng) -> Floats:
    """Return what sun and wind do to a head: one side warmer, blotches, or a shaded forehead."""
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    x, y = (columns - its.eyes[0]) / its.unit, (rows - its.eyes[1]) / its.unit
    kind, strength = draws.integers(3), draws.uniform(0.1, 0.6)
    if kind == 0:
        way = draws.uniform(0, 2 * np.pi)
        return np.asarray(strength * np.tanh(np.cos(way) * x + np.sin(way) * y))
    if kind == 1:
        return np.asarray(0.4 * strength * texture(textures, side, draws))
    edge = draws.uniform(-0.8, 0.6)
    return np.asarray(strength * draws.choice([-1, 1]) * np.tanh(4 * (edge - y)))


def _outline(side: int, its: Pose, draws: Rng) -> Floats:
    """Draw what of a window is head: face alone, head, neck, long hair, shoulders."""
    mask = np.zeros((side, side), np.float32)
    kind = draws.choice(
        ["face", "head", "neck", "hair", "shoulders"], p=[0.1, 0.15, 0.3, 0.15, 0.3]
    )
    broad, high = (
        (1.05, 1.6) if kind == "face" else (draws.uniform(1.25, 1.5), draws.uniform(1.8, 2.1))
    )
    axes = (broad * its.unit, high * its.unit)
    ellipse(mask, tuple(its.at(0, 0.1)), axes, float(np.rad2deg(its.tilt)), 1.0)
    parts = {
        "neck": [[(-0.95, 0.8), (0.95, 0.8), (1.0, 2.9), (-1.0, 2.9)]],
        "hair": [[(-1.5, 0), (1.5, 0), (1.7, 2.8), (-1.7, 2.8)]],
        "shoulders": [
            [(-0.95, 0.8), (0.95, 0.8), (1.1, 2.8), (-1.1, 2.8)],
            [(-1.1, 2.4), (1.1, 2.4), (3.3, 3.6), (3.6, 9), (-3.6, 9), (-3.3, 3.6)],
        ],
    }
    for part in parts.get(str(kind), []):
        polygon(mask, [its.at(*corner) for corner in part], 1.0)
    return np.asarray(
        cv2.GaussianBlur(mask, (0, 0), max(0.5, draws.uniform(0.03, 0.12) * its.unit))
    )


def _spoilt(warm: Floats, its: Pose, draws: Rng) -> Floats:
    """Take the features of a face out, or turn its middle upside down."""
    side = len(warm)
    mask = np.zeros((side, side), np.float32)
    centre = its.points.mean(0)
    axes = (1.15 * its.unit, 1.35 * its.unit)
    ellipse(mask, tuple(centre), axes, float(np.rad2deg(its.tilt)), 1.0)
    soft = np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.5, 0.15 * its.unit)))
    if draws.random() < 0.6:
        other = cv2.GaussianBlur(warm, (0, 0), max(1.0, 0.7 * its.unit))
    else:  # a half turn about the middle of the points
        turn = np.array([[-1, 0, 2 * centre[0]], [0, -1, 2 * centre[1]]])
        other = cv2.warpAffine(warm, turn, (side, side), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warm + soft * (other - warm))
