"""The features that training the matcher and scoring share."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from thermalign.landmarks._settings import parse
from thermalign.steps._inputs import aligned_faces
from thermalign.verification import dog, features

BATCH = 32  # larger ones leave the processor's cache


def descriptors(faces: pd.DataFrame, image_ids: Sequence[str], settings: dict[str, Any]) -> Tensor:
    """Return the descriptors of aligned faces, (N, rows, columns, D) float32.

    Parameters
    ----------
    faces : DataFrame of FACES
    image_ids : N of its images
    settings : the ``matcher:`` block
    """
    band = parse(dog.Settings, settings["dog"], "matcher.dog")
    grid = parse(features.Settings, settings["features"], "matcher.features")
    made = [
        features.describe(dog.filter_faces(torch.as_tensor(batch), band), grid)
        for start in range(0, len(image_ids), BATCH)
        for batch in [aligned_faces(faces, image_ids[start : start + BATCH])]
    ]
    return torch.cat(made)


def missing(image_ids: Sequence[str], faces: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which images have no aligned face."""
    return ~np.isin(np.asarray(image_ids, object), faces["image_id"].to_numpy(object))
