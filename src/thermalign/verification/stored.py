"""Aligned faces as rows of FACES, 16-bit counts with a scale, and back."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from thermalign.geometry import Floats

LAST_COUNT = 65535


def quantise(image: Floats) -> tuple[bytes, float, float]:
    """Store a physical image as 16-bit counts between its own extremes.

    Returns
    -------
    pixels : bytes
        Little-endian uint16, row by row.
    scale, offset : float
        physical value = scale x count + offset; off by at most scale / 2.
    """
    low, high = float(image.min()), float(image.max())
    scale = (high - low) / LAST_COUNT or 1.0
    counts = np.rint((np.asarray(image, np.float64) - low) / scale).astype("<u2")
    return counts.tobytes(), scale, low


def dequantise(row: Mapping[Any, Any]) -> npt.NDArray[np.float32]:
    """Return the physical image of a row of FACES, (height, width) float32."""
    counts = np.frombuffer(row["pixels"], "<u2").reshape(row["height"], row["width"])
    return (counts * row["scale"] + row["offset"]).astype(np.float32)


def faces_of(faces: pd.DataFrame, image_ids: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return aligned faces of FACES in the order asked for, (N, height, width) float32.

    Physical units, degrees Celsius for radiometric thermal images; N at least 1.
    """
    rows = faces.set_index("image_id").loc[list(image_ids)].to_dict("records")
    return np.stack([dequantise(row) for row in rows])
