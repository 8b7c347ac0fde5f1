"""Pictures of faces: what they hold, how they are cut out of images and embedded in the page."""

from typing import Any

import cv2
import numpy as np

from thermalign.geometry import Floats
from thermalign.report.drawing import address

LONGEST_SIDE = 170
"""Longest side of an embedded picture in pixels; larger ones are reduced, none is enlarged."""


def crop(image: Floats, box: Floats, margin: float) -> tuple[Floats, Floats]:
    """Cut an image around a box, as far as the image goes.

    Parameters
    ----------
    image : (H, W) float
    box : (4,) float, pixels, (x, y, width, height)
    margin : float
        Share of the box's width and height that is shown around it on each side.

    Returns
    -------
    pixels : (h, w) float
    corner : (2,) float, pixels of the image, (x, y)
        Where the first pixel of the crop lies.
    """
    x, y, width, height = box
    left, top = (max(0, int(v)) for v in (x - margin * width, y - margin * height))
    right, bottom = int(x + (1 + margin) * width), int(y + (1 + margin) * height)
    return image[top:bottom, left:right], np.array([left, top], np.float64)


def grey_address(pixels: Floats, ends: tuple[float, float] | None = None) -> str:
    """Return a face as the address of a grey picture, its contrast stretched for the eye only.

    Parameters
    ----------
    pixels : (H, W) float
    ends : (float, float), optional
        What becomes black and white; else percentiles 1 and 99.
    """
    values: Any = np.asarray(pixels, dtype=np.float32)
    finite = values[np.isfinite(values)]
    low, high = ends or (np.percentile(finite, [1, 99]) if finite.size else (0.0, 1.0))
    grey = np.clip((np.nan_to_num(values, nan=low) - low) / max(high - low, 1e-9), 0, 1)
    shrink = min(1.0, LONGEST_SIDE / max(values.shape))
    if shrink < 1:
        size = (round(values.shape[1] * shrink), round(values.shape[0] * shrink))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    done, encoded = cv2.imencode(".png", np.round(grey * 255).astype(np.uint8))
    if not done:
        raise ValueError(f"a face picture of shape {values.shape} cannot be encoded as PNG")
    return address(encoded.tobytes(), "image/png")
