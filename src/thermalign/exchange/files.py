"""A file that another program wrote as named columns; nothing is known of what they mean.

Read: CSV in UTF-8 with a header (commas, semicolons or tabs), Parquet, and text of columns parted
by blanks, without a header, whose names follow from their number. All else is refused by name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    lines : (N,) int, or the line of the first row
        Of the file, from 1.
    metadata : name -> text
        Of a Parquet file that this package wrote.
    """

    path: Path
    frame: pd.DataFrame
    lines: Sequence[int] | int = 2
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.frame)

    def __contains__(self, column: str) -> bool:
        """Say whether there is a column."""
        return column in self.frame.columns

    def where(self, row: int) -> str:
        """Return file and row, for a message."""
        line = self.lines + row if isinstance(self.lines, int) else self.lines[row]
        return f"{self.path} row {line}"

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
            If a cell is empty.
        """
        codes, values = pd.factorize(self.frame[column])
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
            made = pc.cast(array, pa.float64())
        except pa.ArrowInvalid:
            row, cell = next(
                (k, cell) for k, cell in enumerate(array.to_pylist()) if not _is_number(cell)
            )
            raise ValueError(
                f"{self.where(row)}: {column} is {cell!r}; write a plain number such as 12 or 0.5"
            ) from None
        except pa.ArrowNotImplementedError:
            raise ValueError(
                f"{self.path}: column {column} holds {array.type}; store numbers"
            ) from None
        return np.asarray(made.to_numpy(zero_copy_only=False), np.float64)


def _is_number(cell: object) -> bool:
    try:
        return cell is None or float(str(cell)) is not None
    except ValueError:
        return False


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
        table = pyarrow.csv.read_csv(
            str(path),
            read_options=pyarrow.csv.ReadOptions(use_threads=False),  # errors then tell the row
            parse_options=pyarrow.csv.ParseOptions(delimiter=separator),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=_all_text(path, separator), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: is no whole CSV file ({reason}); correct it") from None
    return Sheet(path, table.to_pandas())


def _all_text(path: Path, separator: str) -> dict[str, pa.DataType]:
    """Return the type of every column of the header, which are all text.

    Raises
    ------
    ValueError
        If a column has no name, or two have one.
    """
    options = pyarrow.csv.ParseOptions(delimiter=separator)
    with pyarrow.csv.open_csv(str(path), parse_options=options) as reader:
        header = reader.schema.names
    for number, name in enumerate(header, 1):
        if not name:
            raise ValueError(f"{path} row 1: column {number} has no name; name it, or delete it")
        if name in header[: number - 1]:
            raise ValueError(f"{path} row 1: column {name!r} is there twice; delete or rename one")
    return dict.fromkeys(header, pa.string())


def _parquet(path: Path) -> Sheet:
    try:
        with path.open("rb") as file:
            frame = pq.ParquetFile(file).read().to_pandas()
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: is no whole Parquet table ({reason}); write it again") from None
    if frame.empty:
        raise ValueError(f"{path}: has no rows; give at least one")
    return Sheet(path, frame, lines=1, metadata=tables.read_metadata(path))


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
