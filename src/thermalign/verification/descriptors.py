"""Descriptors of aligned faces, as training the matcher and scoring share them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from thermalign.settings import parse
from thermalign.verification import dog, features
from thermalign.verification.stored import faces_of

BATCH = 32  # larger ones leave the processor's cache


def describe(faces: Tensor, settings: dict[str, Any]) -> Tensor:
    """Return the descriptors of aligned faces.

    Parameters
    ----------
    faces : (N, height, width) float32, physical units
    settings : the ``matcher:`` block

    Returns
    -------
    (N, rows, columns, D) float32
    """
    band = parse(dog.Settings, settings["dog"], "matcher.dog")
    grid = parse(features.Settings, settings["features"], "matcher.features")
    batches = torch.split(faces, BATCH)
    return torch.cat([features.describe(dog.filter_faces(b, band), grid) for b in batches])


class Descriptors:
    """Descriptors of a table of aligned faces, each made when it is first asked for.

    Parameters
    ----------
    faces : DataFrame of FACES
    settings : the ``matcher:`` block
    """

    def __init__(self, faces: pd.DataFrame, settings: dict[str, Any]) -> None:
        self._faces = faces
        self._settings = settings
        self._made: dict[str, Tensor] = {}

    def have(self, image_ids: pd.Series) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return which images have an aligned face, (N,)."""
        return np.asarray(image_ids.isin(self._faces["image_id"]))

    def of(self, image_ids: Sequence[str]) -> Tensor:
        """Return the descriptors of images, (N, rows, columns, D) float32, N at least 1."""
        new = [name for name in dict.fromkeys(image_ids) if name not in self._made]
        for start in range(0, len(new), BATCH):
            names = new[start : start + BATCH]
            faces = torch.as_tensor(faces_of(self._faces, names))
            self._made.update(zip(names, describe(faces, self._settings), strict=True))
        return torch.stack([self._made[name] for name in image_ids])
