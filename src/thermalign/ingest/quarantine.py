"""Records of a dataset that are left out, each with where it stands and why.

A table of comma-separated values, one row a record: ``file``, ``row``, ``image``, ``reason``. It
stands beside the manifest that it was left out of, for people to read and programs to count.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from thermalign import tables
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
    """Write records as a table, atomically; none of them makes a table of its header alone."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Quarantined._fields)
    writer.writerows(records)
    tables.replace_file(path, lambda its: its.write_text(text.getvalue(), encoding="utf-8"))


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


def _record(cells: Sequence[str], where: str) -> Quarantined:
    file, row, image, reason = cells
    if not row.isdecimal():
        raise ValueError(f"{where}: row is {row!r}; give a line's number, or 0 for a whole file")
    return Quarantined(file, int(row), image, reason)
