"""Aligned faces as rows of FACES, 16-bit counts with a scale, and back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from thermalign import room, tables
from thermalign.geometry import Floats
from thermalign.schemas.matching import FACES

LAST_COUNT = 65535

IN_MEMORY = 256 << 20
"""Bytes of aligned faces, or of their descriptors, that memory takes; more lie in a file."""

AT_ONCE = 1024
"""Faces whose vectors are held at once: those of the studies of this repository are one part, so
that the last digits of their scores are the same as of all at once."""


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


def stored(image_ids: Iterable[str], batches: Iterable[torch.Tensor]) -> Iterator[pd.DataFrame]:
    """Yield FACES without job and size of aligned faces, batch by batch.

    Parameters
    ----------
    image_ids : N str
    batches : tensors (M, height, width), N faces in all, in the same order
    """
    names = iter(image_ids)
    for batch in batches:
        rows = [(next(names), *quantise(face)) for face in batch.numpy()]
        yield pd.DataFrame(rows, columns=["image_id", "pixels", "scale", "offset"])


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


class AlignedFaces:
    """FACES of one size, held in their own bits; what is asked for becomes floats.

    Attributes
    ----------
    image_ids : list of str
        Whose they are, in the order of the table.
    """

    def __init__(self, count: int, parts: Iterable[pd.DataFrame]) -> None:
        """Take ``count`` rows of FACES that come in parts, one of which is in memory at a time.

        Raises
        ------
        OSError
            If there is no room for the file that they lie in: see :mod:`thermalign.room`.
        """
        self.image_ids: list[str] = []
        self._units = np.empty((count, 2))
        self._files: tuple[Any, ...] = ()
        for part in parts:
            start, stop = len(self.image_ids), len(self.image_ids) + len(part)
            if not start:
                shape = int(part["height"].iloc[0]), int(part["width"].iloc[0])
                self._counts = self._room(count, shape)
            counts = np.frombuffer(b"".join(part["pixels"]), "<u2")
            self._counts[start:stop] = counts.reshape(len(part), *shape)
            self._units[start:stop] = part[["scale", "offset"]]
            self.image_ids += list(part["image_id"])
            room.give_back(self._files)
        self._place = {name: k for k, name in enumerate(self.image_ids)}

    @classmethod
    def read(cls, path: Path) -> "AlignedFaces":
        """Read FACES.

        Raises
        ------
        ValueError
            As :func:`thermalign.tables.read` does.
        """
        return cls(tables.count_rows(path, FACES), tables.read_parts(path, FACES))

    @classmethod
    def of_table(cls, faces: pd.DataFrame) -> "AlignedFaces":
        """Take FACES that are in memory."""
        return cls(len(faces), [faces] if len(faces) else [])

    def of(self, image_ids: Sequence[str]) -> torch.Tensor:
        """Return faces in the order asked for, (N, height, width) float32, as :func:`faces_of`."""
        where = [self._place[name] for name in image_ids]
        scale, offset = self._units[where].T[..., None, None]
        faces = (self._counts[where] * scale + offset).astype(np.float32)
        room.give_back(self._files)
        return torch.from_numpy(faces)

    def _room(self, count: int, shape: tuple[int, int]) -> npt.NDArray[np.uint16]:
        size = {"counts": (count * shape[0] * shape[1], torch.uint16)}
        cpu = torch.device("cpu")
        made, self._files = room.make_room(size, cpu, in_memory=IN_MEMORY, what="aligned faces")
        return made["counts"].numpy().reshape(count, *shape)
