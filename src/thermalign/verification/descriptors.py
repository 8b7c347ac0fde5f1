"""Descriptors of aligned faces, as training the matcher and scoring share them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from thermalign.settings import parse
from thermalign.verification import dog, features
from thermalign.verification.stored import faces_of

BATCH = 32  # larger ones leave the processor's cache


@dataclass(frozen=True)
class Settings:
    """The blocks of ``matcher:`` that say what a face is described by.

    Attributes
    ----------
    dog : dog.Settings
    features : features.Settings
    """

    dog: dog.Settings
    features: features.Settings

    @classmethod
    def of(cls, block: Mapping[str, Any]) -> "Settings":
        """Parse the ``matcher:`` block.

        Raises
        ------
        ValueError
            If a setting is unknown or wrong.
        """
        band = parse(dog.Settings, block["dog"], "matcher.dog")
        return cls(band, parse(features.Settings, block["features"], "matcher.features"))


def describe(faces: Tensor, settings: Settings) -> Tensor:
    """Return the descriptors of aligned faces.

    Parameters
    ----------
    faces : (N, height, width) float32, physical units
    settings : Settings

    Returns
    -------
    (N, rows, columns, D) float32
    """
    return features.describe(dog.filter_faces(faces, settings.dog), settings.features)


class Descriptors:
    """Descriptors of aligned faces, each made when it is first asked for.

    Parameters
    ----------
    image_ids : collection of str
        Images that have an aligned face.
    read : function
        Returns the aligned faces of some of them, (N, height, width) float32, physical units.
    settings : Settings
    """

    def __init__(
        self,
        image_ids: Sequence[str],
        read: Callable[[Sequence[str]], Tensor],
        settings: Settings,
    ) -> None:
        self._names, self._read, self._settings = set(image_ids), read, settings
        self._made: dict[str, Tensor] = {}

    @classmethod
    def of_table(cls, faces: pd.DataFrame, settings: Settings) -> "Descriptors":
        """Describe FACES."""
        return cls(
            list(faces["image_id"]), lambda names: torch.as_tensor(faces_of(faces, names)), settings
        )

    @classmethod
    def of_faces(cls, image_ids: Sequence[str], faces: Tensor, settings: Settings) -> "Descriptors":
        """Describe aligned faces in memory, (N, height, width), of N different images."""
        place = {name: k for k, name in enumerate(image_ids)}
        return cls(image_ids, lambda names: faces[[place[name] for name in names]], settings)

    def have(self, image_ids: pd.Series) -> npt.NDArray[np.bool_]:
        """Return which images have an aligned face, (N,)."""
        return np.asarray(image_ids.isin(self._names))

    def of(self, image_ids: Sequence[str]) -> Tensor:
        """Return the descriptors of images, (N, rows, columns, D) float32, N at least 1."""
        new = [name for name in dict.fromkeys(image_ids) if name not in self._made]
        for start in range(0, len(new), BATCH):
            names = new[start : start + BATCH]
            made = describe(self._read(names), self._settings)
            self._made.update(zip(names, made, strict=True))
        return torch.stack([self._made[name] for name in image_ids])
