"""Shoulders and arms around the modelled head: a flat layer of cloth behind it."""

from dataclasses import dataclass

import cv2
import numpy as np

from thermalign.simulator.person.anatomy import Anatomy
from thermalign.simulator.person.body import shoulder_line
from thermalign.simulator.physics.camera import Camera
from thermalign.simulator.physics.capture import Matrix
from thermalign.simulator.physics.fields import Map, channels, logistic

# ASSUME every length (mm) and share below: tuned by eye on full frames.
SCALE = 0.25  # px/mm

WIDTH, HEIGHT = 152, 180  # px: 608 x 720 mm

TOP = -20.0  # mm below the eyes, of the first row

DEPTH = -88.0  # mm, height of the layer: the front of the shoulders

MODELLED = 140.0  # mm beside the middle, where the height field ends

ARM, ARM_DROP = 88.0, 62.0  # mm from there to the arm's edge, and how far the shoulder falls

FOLD, LONG_FOLD = 32.0, 90.0  # mm between folds, across and along

SOFT = 8  # px above the shoulders that their soft edge reaches

FOLD_WARMTH, FOLD_SHADE = 0.3, 0.12  # K; share of the light

X: Map = ((np.arange(WIDTH) - (WIDTH - 1) / 2) / SCALE).astype(np.float32)[None, :]

Y: Map = (np.arange(HEIGHT) / SCALE + TOP).astype(np.float32)[:, None]

_TO_PIXELS: Matrix = np.array([[SCALE, 0, (WIDTH - 1) / 2], [0, SCALE, -TOP * SCALE], [0, 0, 1]])


@dataclass(frozen=True)
class Torso:
    """The cloth around the modelled part of a person.

    Attributes
    ----------
    layers : (HEIGHT, WIDTH, 4)
        Cover 0..1, folds of about unit variance, and their changes to the right and down.
    top : float, mm
        The highest row with cloth.
    """

    layers: Map
    top: float


def draw_torso(body: Anatomy, rng: np.random.Generator) -> Torso:
    """Draw shoulders, upper arms and the folds of the cloth."""
    across = np.abs(X)
    beside = np.maximum(across - MODELLED, 0) / ARM
    line = shoulder_line(body, X) + ARM_DROP * beside**2
    edge = MODELLED + ARM + 0.06 * np.maximum(Y - body.shoulder_y, 0)
    cover = logistic((Y - line) / 1.5) * logistic((edge - across) / 1.5)
    nodes = (int(HEIGHT / SCALE / LONG_FOLD), int(WIDTH / SCALE / FOLD))
    coarse = rng.standard_normal(nodes, dtype=np.float32)
    folds = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    right, down = (cv2.Sobel(folds, cv2.CV_32F, x, 1 - x) for x in (1, 0))
    return Torso(np.dstack([cover, folds, right, down]).astype(np.float32), float(line.min()))


def thermal_torso(scene: Map, torso: Torso, camera: Camera, cloth: float) -> None:
    """Put the torso into a scene, in place; scene (h, w) and cloth in K of linearised radiance."""
    below, seen = _see(torso, camera)
    part = scene[below:]
    if part.size:
        cover, folds, _, _ = channels(seen)
        part += cover * (cloth + FOLD_WARMTH * folds - part)


def visible_torso(scene: Map, torso: Torso, camera: Camera, cloth: Map) -> None:
    """Put the torso into a scene, (h, w, 3) of light, in place; ``cloth`` is (3,) of light."""
    below, seen = _see(torso, camera)
    part = scene[below:]
    if part.size:
        cover, _, right, down = channels(seen)
        shade = 1 - FOLD_SHADE * (0.5 * right + down)  # lit from above
        part += cover[..., None] * (shade[..., None] * cloth - part)


def _see(torso: Torso, camera: Camera) -> tuple[int, Map]:
    """Return the first row of an image that shows the torso, and its layers from there on."""
    ends = np.array([[x, torso.top, DEPTH] for x in (-MODELLED, 0.0, MODELLED)])
    height, width = camera.shape
    below = min(max(int(camera.project(ends)[:, 1].min()) - SOFT, 0), height)
    near = camera.window((slice(below, height), slice(0, width)))
    if below == height:
        return below, np.zeros((0, width, 4), np.float32)
    matrix = _TO_PIXELS @ near.plane(DEPTH)
    flags, border = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, cv2.BORDER_REPLICATE
    seen = cv2.warpPerspective(torso.layers, matrix, near.size, flags=flags, borderMode=border)
    return below, np.asarray(seen, np.float32)
