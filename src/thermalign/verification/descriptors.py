"""Descriptors of aligned faces, as training the matcher and scoring share them."""

import mmap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from thermalign import room
from thermalign.settings import parse
from thermalign.verification import dog, features
from thermalign.verification.stored import AT_ONCE, IN_MEMORY, AlignedFaces

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
    """Descriptors of aligned faces, each made when it is first asked for, and kept.

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
        self._place = {name: k for k, name in enumerate(dict.fromkeys(image_ids))}
        self._read, self._settings = read, settings
        self._made = np.zeros(len(self._place), bool)
        self._held = torch.empty(0)
        self._files: tuple[mmap.mmap, ...] = ()

    @classmethod
    def of_aligned(cls, faces: AlignedFaces, settings: Settings) -> "Descriptors":
        """Describe FACES."""
        return cls(faces.image_ids, faces.of, settings)

    @classmethod
    def of_table(cls, faces: pd.DataFrame, settings: Settings) -> "Descriptors":
        """Describe FACES that are in memory."""
        return cls.of_aligned(AlignedFaces.of_table(faces), settings)

    def have(self, image_ids: pd.Series) -> npt.NDArray[np.bool_]:
        """Return which images have an aligned face, (N,)."""
        return np.asarray(image_ids.isin(self._place.keys()))

    def of(self, image_ids: Sequence[str]) -> Tensor:
        """Return the descriptors of images, (N, rows, columns, D) float32, N at least 1.

        Raises
        ------
        OSError
            If there is no room for the file that too many of them lie in: see
            :mod:`thermalign.room`.
        """
        new = [name for name in dict.fromkeys(image_ids) if not self._made[self._place[name]]]
        for start in range(0, len(new), BATCH):
            names = new[start : start + BATCH]
            self._keep(self._where(names), describe(self._read(names), self._settings))
        where = self._where(image_ids)
        found = self._held.new_empty((len(where), *self._held.shape[1:]))
        for some in torch.split(torch.arange(len(where)), AT_ONCE):
            found[some[0] : some[-1] + 1] = self._held[where[some]]
            room.give_back(self._files)
        return found

    def _where(self, image_ids: Sequence[str]) -> Tensor:
        return torch.tensor([self._place[name] for name in image_ids])

    def _keep(self, where: Tensor, made: Tensor) -> None:
        """Keep descriptors; the first of all say how much room all of them need."""
        if not len(self._held):
            size = {"descriptors": (len(self._made) * made[0].numel(), made.dtype)}
            held, self._files = room.make_room(
                size, made.device, in_memory=IN_MEMORY, what="descriptors"
            )
            self._held = held["descriptors"].view(len(self._made), *made.shape[1:])
        self._held[where] = made
        self._made[where.numpy()] = True
        room.give_back(self._files)
