"""Records of a dataset that are left out, each with where it stands and why.

A table of comma-separated values, one row a record: ``file``, ``row``, ``image``, ``reason``. It
stands beside the manifest that it was left out of, for people to read and programs to count.
"""

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from thermalign import tables
from thermalign.ingest.cells import clean
from thermalign.ingest.manifest import load


class Quarantined(NamedTuple):
    """A record that takes no part.

    Attributes
    ----------
    file : str
        Where the record stands: a manifest, an annotation file, or the image itself.
    row : int
        Line of that file, from 1 with the header's; 0 where the file is the record.
    image : str
        What the record is of: the path of an image, as the dataset spells it.
    reason : str
        What is wrong, without a full stop: ``mouthcorner_left is not marked``.
    """

    file: str
    row: int
    image: str
    reason: str

    def told(self) -> str:
        """Return the record in one line, as messages name it."""
        row = f" row {self.row}" if self.row else ""
        return f"{self.file}{row} (image {self.image}): {self.reason}"


def write_quarantine(path: Path, records: Iterable[Quarantined]) -> None:
    """Write records as a table, atomically; none of them makes a table of its header alone.

    Line breaks and bytes of names that are no UTF-8, which no table can hold, are spelt out.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Quarantined._fields)
    writer.writerows([_printed(str(cell)) for cell in record] for record in records)
    tables.replace_file(path, lambda its: its.write_text(text.getvalue(), encoding="utf-8"))


def _printed(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    odd = {c for c in text if unicodedata.category(c) in ("Cc", "Cs")}
    return text.translate({ord(c): c.encode("unicode_escape").decode() for c in odd})


def read_quarantine(path: Path) -> list[Quarantined]:
    """Read what :func:`write_quarantine` wrote.

    Raises
    ------
    ValueError
        If the file is no such table.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    if lines[:1] != [",".join(Quarantined._fields)]:
        raise ValueError(f"{path}: is no table of left-out records; write it again")
    if len(lines) == 1:
        return []
    return [_record(cells, f"{path} row {line}") for line, cells in load(path).rows]


COLUMNS = {"file": "file", "row": "row", "image": "image", "image_id": "image", "reason": "reason"}
"""What the columns of a table that people write are called, and what they are."""


def read_chosen(path: Path) -> list[Quarantined]:
    """Read which records people leave out: ``reason``, and ``image``, ``row`` or both.

    An image is told by its ``image_id`` or its path, a row by its line. ``file``, if there, is the
    file that the row is of.

    Raises
    ------
    ValueError
        If the file is no such table, a reason is missing, or a row of it names nothing.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such file, which quarantine: of the dataset names")
    table = load(path)
    unknown = [name for name in table.header if name not in COLUMNS]
    if unknown or "reason" not in table.header:
        what = f"column {unknown[0]!r} is none of" if unknown else "no column reason among"
        raise ValueError(f"{path}: {what} image, row, reason; name the columns so")
    found = []
    if {"image", "image_id"} <= {*table.header}:
        raise ValueError(f"{path}: has both image and image_id; delete one")
    for line, cells in table.rows:
        told = {COLUMNS[n]: clean(cell) for n, cell in zip(table.header, cells, strict=True)}
        row, image, where = told.get("row", ""), told.get("image", ""), f"{path} row {line}"
        if not told["reason"]:
            raise ValueError(f"{where}: reason is empty; say why the record is left out")
        if row and not row.isdecimal():
            raise ValueError(f"{where}: row is {row!r}; give the number of a line")
        if not image and int(row or 0) == 0:
            raise ValueError(f"{where}: names no image and no row; give one")
        found.append(Quarantined(told.get("file", ""), int(row or 0), image, told["reason"]))
    return found


class Records(NamedTuple):
    """What tells the records of a manifest apart, row for row: lines, names and paths."""

    file: Path
    lines: list[int]
    names: list[str]
    paths: list[str]


def leave_out(chosen: Iterable[Quarantined], known: Records) -> dict[int, Quarantined]:
    """Return the records that are chosen, by their place among the known ones.

    Raises
    ------
    ValueError
        If a record that should stand in the manifest does not, or may be several.
    """
    by_line = {line: {k} for k, line in enumerate(known.lines)}
    by_name: dict[str, set[int]] = {}
    for of in (known.paths, known.names):
        for k, name in enumerate(of):
            by_name.setdefault(name, set()).add(k)
    found: dict[int, Quarantined] = {}
    for its in chosen:
        here = its.file in ("", known.file.name, str(known.file))
        meant = [by_name.get(its.image, set())] if its.image else []
        meant += [by_line.get(its.row, set())] if its.row and here else []
        places = set.intersection(*meant) if meant else set()
        if not places and not here:
            continue  # of a file that the manifest was made of: it is not in it, as it should
        if len(places) != 1:
            raise ValueError(
                f"{known.file}: {_lost(its, [known.lines[k] for k in sorted(places)])} to be left "
                f"out ({its.reason}); correct quarantine: or leave_out: of the dataset"
            )
        (k,) = places
        found[k] = Quarantined(str(known.file), known.lines[k], known.names[k], its.reason)
    return found


def _lost(its: Quarantined, rows: Sequence[int]) -> str:
    """Say that a record stands in none of the rows, or in several."""
    if rows:
        return f"image {its.image} is in rows {', '.join(map(str, rows))} (row tells which), and is"
    both = f" in row {its.row}" if its.image and its.row else ""
    return f"no {f'image {its.image}' if its.image else f'row {its.row}'}{both}, which is"


def _record(cells: Sequence[str], where: str) -> Quarantined:
    file, row, image, reason = cells
    if not row.isdecimal():
        raise ValueError(f"{where}: row is {row!r}; give a line's number, or 0 for a whole file")
    return Quarantined(file, int(row), image, reason)
