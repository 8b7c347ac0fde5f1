"""Rows of a manifest, read one after the other and put together; whether they fit each other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from thermalign.geometry import Floats
from thermalign.ingest.columns import Rows
from thermalign.ingest.found import Found
from thermalign.ingest.layout import check_layout
from thermalign.ingest.looks import Looks, face_of, join_looks, look_of, looks_of
from thermalign.ingest.parts import in_parts
from thermalign.ingest.people import check_rows, check_spelling
from thermalign.ingest.quarantine import Quarantined
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES

GIVEN = ("image_id", "x", "y", "width", "height")


class Row(NamedTuple):
    """One row of a manifest, checked, without its picture.

    Attributes
    ----------
    image : a row of IMAGES
    pixels : str
        Digest of the picture's counts.
    annotations : rows of ANNOTATIONS
    boxes : at most one row of image_id, x, y, width, height
    attributes : rows of ATTRIBUTES
    """

    image: dict[str, Any]
    pixels: str
    annotations: list[dict[str, Any]]
    boxes: list[dict[str, Any]]
    attributes: list[dict[str, Any]]

    def face(self) -> Floats | None:
        """Return the corners (2, 2), pixels, of the face; None where nobody says where it is."""
        points = [(its["x"], its["y"]) for its in self.annotations]
        box = [[its[name] for name in GIVEN[1:]] for its in self.boxes]
        return face_of(np.array(points) if points else None, np.array(box[0]) if box else None)


def join(rows: Sequence[Row]) -> Found:
    """Put rows behind each other."""
    return Found(
        pd.DataFrame([row.image for row in rows]),
        pd.DataFrame([its for row in rows for its in row.annotations], columns=ANNOTATIONS.names),
        pd.DataFrame([its for row in rows for its in row.boxes], columns=GIVEN),
        pd.DataFrame([its for row in rows for its in row.attributes], columns=ATTRIBUTES.names),
    )


class AllRead(NamedTuple):
    """What a manifest gave, and what of it was refused.

    Attributes
    ----------
    found : Found
    lines : N int
        Rows of its images.
    refused : list of Quarantined
        Rows that could not be read; with row 0, what is wrong with all of them together.
    """

    found: Found
    lines: list[int]
    refused: list[Quarantined]


@dataclass(frozen=True)
class Reading:
    """How the rows of a manifest are read.

    Attributes
    ----------
    row : callable
        Given cells by our names and ``where=`` they stand, returns a Row and the picture's counts.
    file : Path
        The manifest, for messages.
    go_on : bool
        What is refused is noted and left out, and not raised.
    """

    row: Callable[..., tuple[Row, npt.NDArray[Any]]]
    file: Path
    go_on: bool


def read_rows(
    rows: Rows,
    reading: Reading,
    left_out: tuple[Quarantined, ...],
    check_depths: Callable[[pd.DataFrame, Rows, str], None],
) -> AllRead:
    """Read rows, and check what they say together.

    Parameters
    ----------
    rows : Rows
    reading : Reading
    left_out : rows that are not among them
    check_depths : callable
        Refuses bit depths that do not fit each other.

    Raises
    ------
    ValueError
        The first thing that is wrong; nothing with ``go_on``.
    """
    parts = list(in_parts(partial(_read_part, reading=reading), rows))
    found = Found(
        _concatenated([part.found.images for part in parts]),
        _concatenated([part.found.annotations for part in parts]),
        _concatenated([part.found.boxes for part in parts]),
        _concatenated([part.found.attributes for part in parts]),
        left_out,
        join_looks([part.looks for part in parts]),
    )
    pixels = [digest for part in parts for digest in part.pixels]
    lines = [line for part in parts for line in part.lines]
    refused = [each for part in parts for each in part.refused]
    del parts
    if refused:
        lost = {its.row for its in refused}
        rows = rows.without({k for k, line in enumerate(rows.lines) if line in lost})
    file = str(reading.file)
    checks: tuple[Callable[[], None], ...] = (
        lambda: check_rows(found.images, lines, pixels, file),
        lambda: check_layout(found, file),
        lambda: check_depths(found.images, rows, file),
        lambda: _check_attributes(found, lines, file),
    )
    for check_all in checks:
        try:
            if len(rows):
                check_all()
        except ValueError as error:
            if not reading.go_on:
                raise
            refused.append(Quarantined(file, 0, "", str(error)))
    return AllRead(found, lines, refused)


class Part(NamedTuple):
    """What some rows gave: images with their lines, digests and looks, and what was refused."""

    found: Found
    lines: list[int]
    pixels: list[str]
    looks: Looks
    refused: list[Quarantined]


def _read_part(rows: Rows, *, reading: Reading) -> Part:
    each, lines, looks, refused = [], [], [], []
    for line, row in rows:
        try:
            its, counts = reading.row(row, where=f"{reading.file} row {line}")
        except ValueError as error:
            if not reading.go_on:
                raise
            image = row.get("image_id") or row["path"]
            refused.append(Quarantined(str(reading.file), line, image, str(error)))
            continue
        each.append(its)
        lines.append(line)
        looks.append(look_of(counts, its.face()))
    return Part(join(each), lines, [one.pixels for one in each], looks_of(looks), refused)


def _concatenated(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled or frames[:1], ignore_index=True)


def _check_attributes(found: Found, lines: Sequence[int], file: str) -> None:
    line_of = dict(zip(found.images["image_id"], lines, strict=True))
    for name, its in found.attributes.groupby("name"):
        check_spelling(its["value"], its["image_id"].map(line_of), str(name), file)
