"""A CSV file to rows of clean cells; nothing is known of what the columns mean.

Read: UTF-8 with or without a byte-order mark, UTF-16 with one; commas, semicolons or tabs,
whichever alone the header has; any line ends; blank lines anywhere. All else is refused by name.
"""

import codecs
import csv
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from thermalign.ingest.cells import clean, clean_path
from thermalign.ingest.lines import Lines

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
KINDS = {
    b"PK\x03\x04": "an Excel workbook or another archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"PAR1": "a Parquet table",
    b"\x1f\x8b": "a compressed file",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"SQLite format 3": "a database",
}
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
SAVE = "save the table as CSV in UTF-8"


class Manifest(NamedTuple):
    """Names of the columns, and of every row its line (from 1, the header's counted) and cells."""

    file: Path
    header: list[str]
    rows: Lines


def load(file: Path) -> Manifest:
    """Read a CSV file; every row has a cell for every name of the header.

    Raises
    ------
    ValueError
        Naming the file, the row and the cure, if it is not a CSV file that can be read in one way.
    """
    lines = Lines(_split(_decode(_bytes(file), file), file))
    if not lines:
        raise ValueError(f"{file}: is empty; give a header and at least one row")
    header, rows = [clean(name) for name in lines[0][1]], lines[1:]
    del lines
    while len(header) > 1 and not header[-1] and not any(_spare(r, len(header)) for _, r in rows):
        header.pop()
    if not header[0] and len(header) > 1 and _rises([cells[0].strip() for _, cells in rows]):
        header = header[1:]  # what goes is a data frame's index
        rows.change(lambda _, cells: cells[1:])
    _check_header(header, file)
    if not rows:
        raise ValueError(f"{file}: no rows below the header; list at least one image")
    rows.change(lambda line, cells: _fit(cells, header, file, line))
    return Manifest(file, header, rows)


def _bytes(file: Path) -> bytes:
    try:
        if file.is_dir():
            raise ValueError(f"{file}: is a folder; manifest: names the CSV file in it")
        if not file.is_file():
            raise ValueError(
                f"{file}: no such manifest; set data: or the dataset's folder: and manifest:"
            )
        return file.read_bytes()
    except OSError as error:
        raise ValueError(f"{file}: cannot be read ({error.strerror}); correct its rights") from None


def _decode(data: bytes, file: Path) -> str:
    kind = next((name for start, name in KINDS.items() if data.startswith(start)), None)
    if kind:
        raise ValueError(f"{file}: is {kind}, not a CSV file; {SAVE}")
    utf_32 = data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE))
    utf_16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not utf_32
    try:
        text = data.decode("utf-16" if utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        raise ValueError(
            f"{file} row {row}: byte 0x{data[error.start]:02x} is not "
            f"{'UTF-16' if utf_16 else 'UTF-8'} (cp1252 or Latin-1, perhaps); {SAVE}"
        ) from None
    if "\0" in text:
        raise ValueError(
            f"{file}: holds NUL bytes (UTF-16 or UTF-32 without its mark, or a binary file); {SAVE}"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _split(text: str, file: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and cells of every line that holds something."""
    separator = _separator(next((line for line in text.split("\n") if line.strip()), ""), file)
    reader = csv.reader(
        _lines(text), delimiter=separator, strict=True, skipinitialspace=separator != "\t"
    )
    began = 1
    try:
        for cells in reader:
            if any("\n" in cell for cell in cells):
                raise ValueError(
                    f"{file} row {began}: a quotation mark opens here and closes lines later; "
                    "close it, or take the line break out of the cell"
                )
            if any(map(clean, cells)):
                yield began, cells
            began = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(
            f"{file} row {began}: quotation marks do not match ({error}); correct them"
        ) from None


def _lines(text: str) -> Iterator[str]:
    """Yield lines with their ends, one by one: a copy of the text takes four times its room."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _separator(header: str, file: Path) -> str:
    if header.lower().startswith("sep="):
        raise ValueError(f"{file} row 1: is {header!r}, a note to Excel; delete this line")
    bare = "".join(header.split('"')[::2])  # what stands outside quotation marks
    found = [mark for mark in SEPARATORS if mark in bare]
    if len(found) > 1:
        named = " and ".join(SEPARATORS[mark] for mark in found)
        raise ValueError(f"{file} row 1: the header has {named}; separate cells by one of them")
    return found[0] if found else ","


def _rises(cells: list[str]) -> bool:
    """Return whether cells are whole numbers that rise, as the index of a data frame does."""
    if not all(cell.isascii() and cell.isdigit() for cell in cells):
        return False
    return all(int(a) < int(b) for a, b in pairwise(cells))


def _spare(cells: list[str], width: int) -> bool:
    """Return whether a row holds something in its cell number ``width``."""
    return len(cells) >= width and bool(clean(cells[width - 1]))


def _check_header(header: list[str], file: Path) -> None:
    for number, name in enumerate(header, 1):
        if not name:
            raise ValueError(
                f"{file} row 1: column {number} has no name but holds something; name it, or "
                "delete it"
            )
        if name in header[: number - 1]:
            raise ValueError(f"{file} row 1: column {name!r} is there twice; delete or rename one")


def _fit(cells: list[str], header: list[str], file: Path, row: int) -> list[str]:
    """Return stripped cells, as many as the header names; empty ones behind them are dropped."""
    if len(cells) < len(header) or any(clean(cell) for cell in cells[len(header) :]):
        raise ValueError(
            f"{file} row {row}: {len(cells)} cells, but the header names {len(header)}; add the "
            "missing separators, put quotation marks round a cell that holds one, and delete "
            "comments"
        )
    wanted = [clean_path(cell) for cell in cells[: len(header)]]
    if not CONTROL.search("\t".join(wanted)):
        return wanted
    for name, cell in zip(header, wanted, strict=True):
        if CONTROL.search(cell):
            raise ValueError(f"{file} row {row}: {name} holds a control character; delete it")
    return wanted
