"""A file that another program wrote as named columns; nothing is known of what they mean.

Read: CSV in UTF-8 with a header (commas, semicolons or tabs), Parquet, and text of columns parted
by blanks, without a header, whose names follow from their number. All else is refused by name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from thermalign import tables
from thermalign.geometry import Floats
from thermalign.ingest.cells import clean

SEPARATORS = ",;\t"

SHOWN = 3
"""Names that an error lists of many."""


@dataclass(frozen=True)
class Sheet:
    """Rows of a file.

    Attributes
    ----------
    path : Path
    frame : DataFrame
        Text as it stands; numbers of a Parquet file as they are.
    lines : (N,) int, or None
        Of the file, from 1; None of a CSV file, in which they are counted when one is asked for.
    metadata : name -> text
        Of a Parquet file that this package wrote.
    """

    path: Path
    frame: pd.DataFrame
    lines: Sequence[int] | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.frame)

    def __contains__(self, column: str) -> bool:
        """Say whether there is a column."""
        return column in self.frame.columns

    def line(self, row: int) -> int:
        """Return the line of the file that a row stands in; lines of CSV may be empty."""
        if self.lines is not None:
            return self.lines[row]
        with self.path.open(encoding="utf-8-sig") as file:
            filled = (number for number, text in enumerate(file, 1) if text.strip("\n"))
            return next(islice(filled, row + 1, None))  # the header is the first

    def where(self, row: int) -> str:
        """Return file and row, for a message."""
        return f"{self.path} row {self.line(row)}"

    def need(self, columns: Sequence[str], what: str) -> None:
        """Refuse a file that lacks some columns.

        Raises
        ------
        ValueError
            Naming them, and those that are there.
        """
        if missing := [name for name in columns if name not in self]:
            have = ", ".join(map(str, self.frame.columns[:12]))
            raise ValueError(
                f"{self.path}: no column {missing[0]!r} (there are {have}); {what} needs "
                f"{', '.join(columns)}"
            )

    def names(self, column: str) -> pd.Series:
        """Return a column as text that is compared with names of the study.

        Raises
        ------
        ValueError
            If a cell is empty, or no text.
        """
        try:
            codes, values = pd.factorize(self.frame[column])
        except TypeError:
            raise ValueError(f"{self.path}: column {column} holds lists; store text") from None
        if (codes < 0).any():
            raise self._empty(column, int(np.argmax(codes < 0)))
        told = np.array([clean(str(value)) for value in values], object)
        if "" in told:
            raise self._empty(column, int(np.argmax(codes == list(told).index(""))))
        return pd.Series(told[codes])

    def _empty(self, column: str, row: int) -> ValueError:
        return ValueError(f"{self.where(row)}: {column} is empty; fill it")

    def numbers(self, column: str) -> Floats:
        """Return a column as numbers (N,) float64, NaN where a cell is empty or says so.

        Raises
        ------
        ValueError
            If a cell is no number.
        """
        array = pa.Array.from_pandas(self.frame[column])
        if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
            array = pc.utf8_trim_whitespace(array)
            array = pc.if_else(pc.equal(array, ""), None, array)
        try:
            made = pc.cast(array, pa.float64(), safe=False)
        except pa.ArrowInvalid:
            row, cell = next(
                (k, cell.as_py()) for k, cell in enumerate(array) if not _is_number(cell)
            )
            raise ValueError(
                f"{self.where(row)}: {column} is {cell!r}; write a plain number such as 12 or 0.5"
            ) from None
        except pa.ArrowNotImplementedError:
            raise ValueError(
                f"{self.path}: column {column} holds {array.type}; store numbers"
            ) from None
        return np.asarray(made.to_numpy(zero_copy_only=False), np.float64)


def _is_number(cell: pa.Scalar) -> bool:
    try:
        pc.cast(cell, pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


def read(path: Path, *, by_blanks: Mapping[int, Sequence[str]] | None = None) -> Sheet:
    """Read a file.

    Parameters
    ----------
    path : Path
    by_blanks : number of columns -> their names
        Of text without a header whose columns are parted by blanks; None: there is none such.

    Raises
    ------
    ValueError
        Naming the file and what is wrong.
    """
    if not path.is_file():
        what = "is a folder; name a file" if path.is_dir() else "no such file; correct the path"
        raise ValueError(f"{path}: {what}")
    if path.suffix == ".parquet":
        return _parquet(path)
    try:
        with path.open(encoding="utf-8-sig") as file:
            first = next((line for line in file if line.strip() and line[0] != "#"), "")
        if not first:
            raise ValueError(f"{path}: is empty; give a header and rows")
        separators = [mark for mark in SEPARATORS if mark in first]
        if not separators and len(first.split()) in (by_blanks or {}):
            return _by_blanks(path, by_blanks or {})
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is no text in UTF-8; save it as CSV in UTF-8") from None
    return _csv(path, separators[0] if separators else ",")


def _csv(path: Path, separator: str) -> Sheet:
    try:
        names = _header(path, separator)
        table = pyarrow.csv.read_csv(
            str(path),
            read_options=pyarrow.csv.ReadOptions(use_threads=False),  # errors then tell the row
            parse_options=pyarrow.csv.ParseOptions(delimiter=separator),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: is no whole CSV file ({reason}); correct it") from None
    frame = table.rename_columns([clean(name) for name in names]).to_pandas()
    return _filled(Sheet(path, frame))


def _header(path: Path, separator: str) -> list[str]:
    """Return the names of the columns as they stand.

    Raises
    ------
    ValueError
        If a column has no name, or two have one.
    """
    options = pyarrow.csv.ParseOptions(delimiter=separator)
    with pyarrow.csv.open_csv(str(path), parse_options=options) as reader:
        header = list(reader.schema.names)
    _check_header(path, [clean(name) for name in header])
    return header


def _check_header(path: Path, names: Sequence[str]) -> None:
    for number, name in enumerate(names, 1):
        if not name:
            raise ValueError(f"{path} row 1: column {number} has no name; name it, or delete it")
        if name in names[: number - 1]:
            raise ValueError(f"{path} row 1: column {name!r} is there twice; delete or rename one")


def _parquet(path: Path) -> Sheet:
    try:
        with path.open("rb") as file:
            frame = pq.ParquetFile(file).read().to_pandas(ignore_metadata=True)
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: is no whole Parquet table ({reason}); write it again") from None
    return _filled(Sheet(path, frame, range(1, len(frame) + 1), tables.read_metadata(path)))


def _filled(sheet: Sheet) -> Sheet:
    if not len(sheet):
        raise ValueError(f"{sheet.path}: has no rows; give at least one")
    return sheet


def _by_blanks(path: Path, names: Mapping[int, Sequence[str]]) -> Sheet:
    """Read text of columns parted by blanks; lines that are empty or begin with # say nothing."""
    rows, lines = [], []
    with path.open(encoding="utf-8-sig") as file:
        for line, text in enumerate(file, 1):
            cells = text.split()
            if cells and text[0] != "#":
                rows.append(cells)
                lines.append(line)
    width = len(rows[0])
    if odd := next((k for k, cells in enumerate(rows) if len(cells) != width), None):
        raise ValueError(
            f"{path} row {lines[odd]}: {len(rows[odd])} columns, but the first row has {width}; "
            "names may hold no blanks here: give a CSV file"
        )
    return Sheet(path, pd.DataFrame(rows, columns=list(names[width]), dtype=str), lines)


def first_of(names: Sequence[str], count: int) -> str:
    """Spell the first few of ``count`` names."""
    rest = count - SHOWN
    more = f" and {rest} more" if rest > 0 else ""
    return f"{', '.join(map(str, names[:SHOWN]))}{more}"
