"""What several steps read the same way."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thermalign import tables
from thermalign.geometry import LANDMARKS, Floats
from thermalign.images import dequantise
from thermalign.schemas.dataset import FOLDS, IMAGES

SELECTED_BY = {"conditions": "condition", "ranges": "range", "sessions": "session"}
"""Keys of a protocol's probe and gallery, and the columns of IMAGES that they choose by."""


def read_fold(images: Path, folds: Path) -> pd.DataFrame:
    """Return the images of a fold with their ``role``, without the flipped copies."""
    plain = tables.read(folds, FOLDS).query("not flipped")
    return tables.read(images, IMAGES).merge(plain[["image_id", "role"]], on="image_id")


def points_of(table: pd.DataFrame, image_ids: Sequence[str]) -> Floats:
    """Return the points of images from ANNOTATIONS or PREDICTIONS.

    Returns
    -------
    (N, L, 2) float64, pixels
        NaN where the table has no row.
    """
    keys = pd.MultiIndex.from_product([image_ids, LANDMARKS])
    indexed = table.set_index(["image_id", "landmark"])[["x", "y"]].reindex(keys)
    return indexed.to_numpy(np.float64).reshape(len(image_ids), len(LANDMARKS), 2)


def rows_of_points(
    image_ids: Sequence[str], points: Floats, confidence: Floats, key: Mapping[str, Any]
) -> pd.DataFrame:
    """Return PREDICTIONS of points (N, L, 2) with confidence (N, L)."""
    n = len(LANDMARKS)
    flat = np.asarray(points, np.float64).reshape(-1, 2)
    return pd.DataFrame(
        {
            "image_id": np.repeat(np.asarray(image_ids, object), n),
            "landmark": list(LANDMARKS) * len(image_ids),
            "x": flat[:, 0],
            "y": flat[:, 1],
            "confidence": np.asarray(confidence, np.float64).ravel(),
        }
    ).assign(**key)


def select(images: pd.DataFrame, wanted: Mapping[str, Any]) -> pd.DataFrame:
    """Return the images of a modality, and of those of ``SELECTED_BY``; an empty list is all."""
    chosen = images["modality"] == wanted["modality"]
    for key, column in SELECTED_BY.items():
        if wanted.get(key):
            chosen &= images[column].isin(wanted[key])
    return images[chosen].reset_index(drop=True)


def aligned_faces(faces: pd.DataFrame, image_ids: Sequence[str]) -> Floats:
    """Return aligned faces (N, height, width) float32 in physical units, in the order asked for."""
    rows = faces.set_index("image_id").loc[list(image_ids)].to_dict("records")
    return np.stack([dequantise(row) for row in rows])
