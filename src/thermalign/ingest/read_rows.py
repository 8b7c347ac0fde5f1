"""Rows of a manifest, read one after the other and put together; whether they fit each other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy.typing as npt
import pandas as pd

from thermalign.ingest.columns import Rows
from thermalign.ingest.corners import Corners, around, middle_of
from thermalign.ingest.found import Found
from thermalign.ingest.layout import check_layout
from thermalign.ingest.looks import join_looks, look_of, looks_of
from thermalign.ingest.parts import in_parts
from thermalign.ingest.people import check_rows, check_spelling
from thermalign.ingest.quarantine import Quarantined
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES, IMAGES

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

    def face(self) -> Corners | None:
        """Return the corners of the face, pixels; None where nobody says where it is."""
        if self.annotations:
            return around([(its["x"], its["y"]) for its in self.annotations])
        return middle_of(*(self.boxes[0][name] for name in GIVEN[1:])) if self.boxes else None


def join(rows: Sequence[Row]) -> Found:
    """Put rows behind each other."""
    return Found(
        _frame([row.image for row in rows], IMAGES.names),
        _frame([its for row in rows for its in row.annotations], ANNOTATIONS.names),
        _frame([its for row in rows for its in row.boxes], GIVEN),
        _frame([its for row in rows for its in row.attributes], ATTRIBUTES.names),
    )


def _frame(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Return rows as a table, made column by column: pandas takes ten times as long over rows."""
    return pd.DataFrame({name: [row[name] for row in rows] for name in columns})


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
    founds: list[Found] = []
    lines, pixels, refused = list[int](), list[str](), list[Quarantined]()
    for part in in_parts(partial(_read_part, reading=reading), rows):
        founds.append(part.found)
        lines += part.lines
        pixels += part.pixels
        refused += part.refused
    found = _joined(founds)._replace(quarantined=left_out)
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
    """What some rows gave: images with their looks, lines and digests, and what was refused."""

    found: Found
    lines: list[int]
    pixels: list[str]
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
    found = join(each)._replace(looks=looks_of(looks))
    return Part(found, lines, [one.pixels for one in each], refused)


def _joined(parts: list[Found]) -> Found:
    """Put parts behind each other; they are let go, so that one table at a time is there twice."""
    looks = join_looks([part.looks for part in parts if part.looks is not None])
    images = [part.images for part in parts]
    annotations = [part.annotations for part in parts]
    boxes = [part.boxes for part in parts]
    attributes = [part.attributes for part in parts]
    parts.clear()
    return Found(
        _concatenated(images),
        _concatenated(annotations),
        _concatenated(boxes),
        _concatenated(attributes),
        looks=looks,
    )


def _concatenated(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Put frames behind each other and let them go."""
    filled = [frame for frame in frames if len(frame)]
    made = pd.concat(filled or frames[:1], ignore_index=True)
    frames.clear()
    return made


def _check_attributes(found: Found, lines: Sequence[int], file: str) -> None:
    line_of = dict(zip(found.images["image_id"], lines, strict=True))
    for name, its in found.attributes.groupby("name"):
        check_spelling(its["value"], its["image_id"].map(line_of), str(name), file)
