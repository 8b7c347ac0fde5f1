"""Image files to arrays: bit depth, physical scale, limits."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from thermalign.radiometric import is_radiometric, temperatures

Kind = np.dtype[Any]
"""A type of counts."""

BIT_DEPTHS: dict[Kind, int] = {
    np.dtype(np.uint8): 8,
    np.dtype(np.uint16): 16,
    np.dtype(np.float32): 32,
}
DEFAULT_SCALES = {8: 1 / 255, 16: 1.0, 32: 1.0}
"""Physical units per count where a manifest gives none: 8-bit to 0..1, others as they are."""

DEGREES, FULL_SCALE = "degree Celsius", "full scale"
"""Units of pixels: of thermal ones whose scale is known, and of 8-bit ones from 0 to 1."""

LAST_COUNT = 65535

AT_ONCE = 2**27
"""Pixels of images that are predicted in together: whole, with mip levels, .5 GB of 16 bits or
.7 GB of floats. A batch of BATCH frames of 640 x 480 has fewer."""

BATCH = 256
"""Faces that networks look at together."""


@dataclass(frozen=True)
class Picture:
    """An image as it is stored.

    Attributes
    ----------
    counts : (height, width) uint8, uint16 or float32
    scale, offset : float
        A count is scale x count + offset in physical units; floats are physical.
    """

    counts: npt.NDArray[Any]
    scale: float = 1.0
    offset: float = 0.0

    def part(self, rows: slice, columns: slice) -> "Picture":
        """Return a part of it."""
        return replace(self, counts=self.counts[rows, columns])

    def mirrored(self) -> "Picture":
        """Return it mirrored left to right."""
        return replace(self, counts=self.counts[:, ::-1])

    def physical(self) -> npt.NDArray[np.float32]:
        """Return its values, (height, width) float32, physical units."""
        if self.counts.dtype == np.float32:
            return np.ascontiguousarray(self.counts)
        return to_physical(self.counts, {"scale": self.scale, "offset": self.offset})


@dataclass(frozen=True)
class Pictures:
    """The images of rows of IMAGES, read one by one whenever they are gone through.

    Attributes
    ----------
    rows : sequence of mappings
        With ``path``, ``scale``, ``offset``, ``width``, ``height`` and ``bit_depth``.
    held : sequence of Picture, optional
        What was read of them already.
    """

    rows: Sequence[Mapping[Any, Any]]
    held: Sequence[Picture] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, some: slice) -> "Pictures":
        return Pictures(self.rows[some], None if self.held is None else self.held[some])

    def read(self) -> "Pictures":
        """Return the same, read once and held in the bits of their files."""
        return replace(self, held=list(self))

    def parts(self) -> list[slice]:
        """Split them into parts of at most AT_ONCE pixels, or of one image where that has more.

        Parts are whole batches of BATCH faces, as one part would be looked at; where a batch has
        too many pixels (of more than half a megapixel an image) they are its half, its quarter and
        so on. What batches otherwise within a part (the finder and MTCNN's cascade by pixels, its
        later networks by crops) has other batches than in one part: the last bits may differ.
        """
        largest = max((height * width for height, width in self.shapes), default=1)
        some = max(1, AT_ONCE // largest)
        step = some // BATCH * BATCH or 1 << some.bit_length() - 1
        return [slice(k, k + step) for k in range(0, max(1, len(self)), step)]

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Height and width of each."""
        return [(row["height"], row["width"]) for row in self.rows]

    @property
    def kind(self) -> Kind:
        """The type in which all counts are given: the smallest that holds them."""
        depth = max((row["bit_depth"] for row in self.rows), default=8)
        return next(kind for kind, bits in BIT_DEPTHS.items() if bits == depth)

    def values(self) -> Iterator[npt.NDArray[np.float32]]:
        """Read them one by one in physical units, (height, width)."""
        return (picture.physical() for picture in self)

    def __iter__(self) -> Iterator[Picture]:
        return self._read() if self.held is None else iter(self.held)

    def _read(self) -> Iterator[Picture]:
        kind = self.kind
        for row in self.rows:
            counts = read_counts(Path(row["path"]))
            if counts.shape != (row["height"], row["width"]) or (
                BIT_DEPTHS[counts.dtype] != row["bit_depth"]
            ):
                raise ValueError(
                    f"{row['path']}: is not as it was when it was ingested; put the old file back, "
                    "or let the study find the change: run it again"
                )
            if kind == np.float32:
                yield Picture(to_physical(counts, row))
            else:
                yield Picture(counts.astype(kind, copy=False), row["scale"], row["offset"])


def decode(data: bytes, path: Path) -> npt.NDArray[Any]:
    """Decode an image file to stored counts, in colour where it is, with its alpha channel.

    Of a radiometric JPEG, to degrees Celsius.

    Parameters
    ----------
    data : bytes
        Of the file.
    path : Path
        For the message.

    Returns
    -------
    (height, width), or (height, width, 3 or 4) in the order BGR(A); uint8, uint16 or float32

    Raises
    ------
    ValueError
        If the file is no image, or has a sample type that is not supported.
    """
    if is_radiometric(data):
        return temperatures(data, path)
    try:
        counts = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    except cv2.error as error:
        raise ValueError(
            f"{path}: does not open as an image ({error.err}); replace the file or drop its row"
        ) from None
    if counts is None:
        raise ValueError(f"{path}: does not open as an image; replace the file or drop its row")
    if counts.dtype not in BIT_DEPTHS:
        raise ValueError(
            f"{path}: samples are {counts.dtype}; give 8-bit, 16-bit or float32 samples"
        )
    return np.asarray(counts)


def read_channels(path: Path) -> npt.NDArray[Any]:
    """Read an image file as stored counts, in colour where it is; an alpha channel is left out.

    Returns
    -------
    (height, width) or (height, width, 3) uint8, uint16 or float32

    Raises
    ------
    ValueError
        If the file is missing, is no image, or has a sample type that is not supported.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such image file; correct its path in the manifest")
    counts = decode(path.read_bytes(), path)
    return np.asarray(counts[..., :3] if counts.ndim == 3 else counts)


def to_luma(channels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Turn stored counts in colour to luma (ITU-R BT.601); those of one channel stay as they are.

    Returns
    -------
    (height, width) of the type of the counts
    """
    if channels.ndim == 2:
        return channels
    return np.asarray(cv2.cvtColor(channels, cv2.COLOR_BGR2GRAY))


def read_counts(path: Path) -> npt.NDArray[Any]:
    """Read an image file as stored counts of one channel, colour as luma.

    Returns
    -------
    (height, width) uint8, uint16 or float32

    Raises
    ------
    ValueError
        As :func:`read_channels` does.
    """
    return to_luma(read_channels(path))


def read_image(row: Mapping[Any, Any]) -> npt.NDArray[np.float32]:
    """Read the image of a row of IMAGES in physical units.

    Parameters
    ----------
    row : mapping
        With ``path``, ``scale`` and ``offset``.

    Returns
    -------
    (height, width) float32
        scale x count + offset: degrees Celsius for radiometric thermal images.
    """
    return to_physical(read_counts(Path(row["path"])), row)


def to_physical(counts: npt.NDArray[Any], row: Mapping[Any, Any]) -> npt.NDArray[np.float32]:
    """Turn stored counts of one channel to physical units: scale x count + offset of the row."""
    return counts.astype(np.float32) * np.float32(row["scale"]) + np.float32(row["offset"])


def channels_of(row: Mapping[Any, Any]) -> npt.NDArray[Any]:
    """Read the image of a row of IMAGES as :func:`read_channels` does."""
    return read_channels(Path(row["path"]))


def unit_of(row: Mapping[Any, Any]) -> str:
    """Return the unit of the pixels of a row of IMAGES.

    Thermal ones are in degrees where samples are 32-bit floats, or 16-bit counts with a scale of
    their own. 8 bits are taken for a picture stretched for the eye, whatever scale it states.
    """
    depth = row["bit_depth"]
    scaled = row["scale"] != DEFAULT_SCALES[depth]
    if row["modality"] == "thermal" and (depth == 32 or (depth == 16 and scaled)):
        return DEGREES
    if scaled or row["offset"] != 0:
        return "as scaled"
    return FULL_SCALE if depth == 8 else "count"


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
