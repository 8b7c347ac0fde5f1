"""Bring faces to canonical coordinates by their landmarks."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from thermalign import tables
from thermalign.geometry import LANDMARKS, Floats, fit_similarity
from thermalign.images import quantise, read_image
from thermalign.provenance import stamp
from thermalign.schemas.dataset import IMAGES
from thermalign.schemas.matching import FACES
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.steps._inputs import points_of
from thermalign.warp import stack_images, warp

BATCH = 256


def run(
    *,
    images: Path,
    predictions: Path,
    protocol: str,
    fold: int,
    model: str,
    settings: dict[str, Any],
    faces: Path,
    code: str,
) -> None:
    """Write the FACES of every image with found landmarks.

    Parameters
    ----------
    images, predictions : Path of the tables
    protocol, fold, model : wildcards
    settings : the ``alignment:`` block: width, height and the canonical points, in pixels
    faces : Path
    code : str
    """
    rows = tables.read(images, IMAGES)
    found = tables.read(predictions, PREDICTIONS)
    rows = rows[rows["image_id"].isin(found["image_id"])].reset_index(drop=True)
    points = points_of(found, list(rows["image_id"]))
    usable = np.isfinite(points).all((1, 2)) & (np.ptp(points, axis=1) > 0).any(1)
    rows, points = rows[usable], points[usable]
    canonical = np.array([settings["points"][name] for name in LANDMARKS], np.float64)
    made = [
        _align(rows.iloc[k : k + BATCH], points[k : k + BATCH], canonical, settings)
        for k in range(0, len(rows), BATCH)
    ]
    empty = pd.DataFrame(columns=["image_id", "width", "height", "scale", "offset", "pixels"])
    table = pd.concat(made or [empty], ignore_index=True)
    table = table.assign(protocol=protocol, fold=fold, model=model)
    tables.write(faces, table, FACES, stamp(code, settings))


def _align(
    rows: pd.DataFrame, points: Floats, canonical: Floats, settings: dict[str, Any]
) -> pd.DataFrame:
    width, height = settings["width"], settings["height"]
    stack = stack_images([read_image(row) for row in rows.to_dict("records")], torch.device("cpu"))
    matrices = torch.as_tensor(fit_similarity(points, canonical))
    aligned = warp(stack, torch.arange(len(rows)), matrices, width=width, height=height)
    stored = [quantise(face) for face in aligned[:, 0].numpy()]
    return pd.DataFrame(
        {
            "image_id": rows["image_id"].to_numpy(),
            "width": width,
            "height": height,
            "scale": [scale for _, scale, _ in stored],
            "offset": [offset for _, _, offset in stored],
            "pixels": [pixels for pixels, _, _ in stored],
        }
    )
