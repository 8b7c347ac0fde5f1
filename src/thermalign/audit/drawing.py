"""A suspect's picture in small, with its face box and landmarks."""

import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from thermalign.audit.findings import Faces
from thermalign.geometry import Floats
from thermalign.images import read_counts

WIDTH = 220  # px of a tile
TALLEST = 300  # px
MARGIN = 0.35  # of the face's box or landmarks that is shown around it
RIGHT, LEFT, MIDDLE, BOX = (60, 160, 255), (255, 190, 60), (120, 235, 120), (200, 200, 200)
"""Blue, green, red: the subject's right landmarks, left ones, the nose, the face box."""

COLOURS = (RIGHT, LEFT, MIDDLE, RIGHT, LEFT)  # of geometry.LANDMARKS


def tile_of(faces: Faces, at: int) -> str:
    """Return a picture as the address that a page shows it by; empty where it cannot be read."""
    points, box = faces.points[at], faces.boxes[at]
    try:
        counts = read_counts(Path(faces.images["path"].iloc[at]))
    except (OSError, ValueError):
        return ""
    return encode(draw(counts, points, box))


def draw(counts: npt.NDArray[Any], points: Floats, box: Floats) -> npt.NDArray[np.uint8]:
    """Draw a face in its surroundings.

    Parameters
    ----------
    counts : (height, width)
    points : (L, 2) float, pixels
        NaN where nothing is annotated.
    box : (4,) float, pixels
        NaN where there is none.

    Returns
    -------
    (height, width, 3) uint8, blue first
    """
    left, top, right, bottom = _window(counts.shape, points, box)
    part = counts[top:bottom, left:right].astype(np.float32)
    low, high = np.percentile(part, (1, 99))
    grey = np.clip((part - low) * (255 / max(float(high - low), 1e-6)), 0, 255).astype(np.uint8)
    zoom = min(WIDTH / grey.shape[1], TALLEST / grey.shape[0])
    size = (max(1, round(grey.shape[1] * zoom)), max(1, round(grey.shape[0] * zoom)))
    method = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    canvas = cv2.cvtColor(cv2.resize(grey, size, interpolation=method), cv2.COLOR_GRAY2BGR)

    def place(x: float, y: float) -> tuple[int, int]:
        return round(16 * ((x - left + 0.5) * zoom - 0.5)), round(
            16 * ((y - top + 0.5) * zoom - 0.5)
        )

    if np.isfinite(box).all():
        x, y, width, height = box.tolist()
        ends = place(x - 0.5, y - 0.5), place(x + width - 0.5, y + height - 0.5)
        cv2.rectangle(canvas, *ends, BOX, 1, cv2.LINE_AA, 4)
    for (x, y), colour in zip(points.tolist(), COLOURS, strict=True):
        if np.isfinite(x) and np.isfinite(y):
            for radius, shade in ((64, (0, 0, 0)), (48, colour)):
                cv2.circle(canvas, place(x, y), radius, shade, -1, cv2.LINE_AA, 4)
    return np.asarray(canvas, np.uint8)


def encode(canvas: npt.NDArray[np.uint8]) -> str:
    """Return a picture as a data address."""
    done, data = cv2.imencode(".jpg", canvas, (cv2.IMWRITE_JPEG_QUALITY, 85))
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}" if done else ""


def _window(shape: tuple[int, ...], points: Floats, box: Floats) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what is shown: the face, or the whole picture."""
    height, width = shape[:2]
    corners = [points[np.isfinite(points).all(axis=1)]]
    if np.isfinite(box).all():
        corners.append(np.array([box[:2], box[:2] + box[2:]]))
    places = np.concatenate(corners)
    if not len(places):
        return 0, 0, width, height
    low, high = places.min(axis=0), places.max(axis=0)
    room = MARGIN * (high - low).max() + 2
    left, top = (int(v) for v in np.clip(low - room, 0, (width - 2, height - 2)))
    right, bottom = (int(v) for v in np.clip(high + room, (left + 2, top + 2), (width, height)))
    return left, top, right, bottom
