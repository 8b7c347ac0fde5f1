"""Parquet tables: the one way in and out.

Tables are long and tidy. ``write`` casts strictly, refuses nulls, missing and extra columns, writes
to a temporary file beside the target, syncs it and renames it: a reader sees the old table or the
new one, and a symbolic link into a shared cache is replaced, never written through.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

Metadata = Mapping[str, str]


def write(
    path: Path,
    frame: pd.DataFrame | Mapping[str, Any],
    schema: Any,
    metadata: Metadata | None = None,
) -> None:
    """Write a table as its schema says, atomically.

    Parameters
    ----------
    path : Path
        The file to make or replace; its folder is made.
    frame : DataFrame or mapping of column name to values
    schema : pyarrow.Schema
        One of :mod:`thermalign.schemas`.
    metadata : mapping of str to str, optional
        Kept in the file beside the schema: settings, fingerprint, commit.

    Raises
    ------
    ValueError
        If a column is missing, extra, of another type, or holds a null.
    """
    _write(path, [_table(path, frame, schema)], schema, metadata)


def write_parts(
    path: Path, frames: Iterable[pd.DataFrame], schema: Any, metadata: Metadata | None = None
) -> None:
    """Write a table whose rows come in parts, as :func:`write` does, one part in memory at a time.

    Each becomes a row group of the file: :func:`read_parts` reads them one by one.

    Raises
    ------
    ValueError
        As :func:`write` does.
    """
    _write(path, (_table(path, frame, schema) for frame in frames), schema, metadata)


def _write(path: Path, parts: Iterable[pa.Table], schema: Any, metadata: Metadata | None) -> None:
    extra = {f"thermalign.{k}": v for k, v in (metadata or {}).items()}
    described = schema.with_metadata(extra)

    def fill(temporary: Path) -> None:
        with (
            temporary.open("wb") as file,  # Arrow would take some paths for addresses
            pq.ParquetWriter(file, described, compression="zstd") as writer,
        ):
            for part in parts:
                writer.write_table(part.replace_schema_metadata(extra))

    replace_file(path, fill)


def _table(path: Path, frame: pd.DataFrame | Mapping[str, Any], schema: Any) -> pa.Table:
    """Return a frame as its schema says; nothing is lost or made up."""
    frame = pd.DataFrame(frame)
    _check_columns(path, frame.columns, schema)
    arrays = []
    for field in schema:
        try:
            array = _array(frame[field.name], field.type)
        except (pa.ArrowTypeError, ValueError) as error:  # ArrowInvalid is a ValueError
            raise ValueError(f"{path}: column {field.name} is not {field.type}: {error}") from error
        if array.null_count:
            raise ValueError(
                f"{path}: column {field.name} has {array.null_count} nulls; give values"
            )
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=schema)


def write_together(outputs: Mapping[Path, tuple[pd.DataFrame, Any]], metadata: Metadata) -> None:
    """Write tables beside their places, and put them there when all are written.

    Raises
    ------
    ValueError
        As :func:`write` does, or where a folder is in a table's place; nothing
        is changed then.
    """
    for path in outputs:
        if path.is_dir():
            raise ValueError(f"{path}: is a folder where a table goes; remove it")
    beside = {path: path.with_name(f".{path.name}.{os.getpid()}.new") for path in outputs}
    try:
        for path, (frame, schema) in outputs.items():
            write(beside[path], frame, schema, metadata)
        for path, temporary in beside.items():
            temporary.replace(path)
    finally:
        for temporary in beside.values():
            temporary.unlink(missing_ok=True)


def read(path: Path, schema: Any, *, only: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a table that :func:`write` wrote.

    Parameters
    ----------
    path : Path
    schema : pyarrow.Schema
        One of :mod:`thermalign.schemas`.
    only : list of names of columns, optional
        Those that are read; all if not given.

    Raises
    ------
    ValueError
        If the file is missing, is no whole Parquet table, or one of another schema: the message
        names the file, and the columns and types that differ.
    """
    (frame,) = _parts(path, schema, lambda file: [file.read(columns=only)])
    return frame


def read_parts(path: Path, schema: Any) -> Iterator[pd.DataFrame]:
    """Read a table part by part, as :func:`write_parts` wrote them; nothing of an empty one.

    Raises
    ------
    ValueError
        As :func:`read` does.
    """
    return _parts(path, schema, lambda file: map(file.read_row_group, range(file.num_row_groups)))


def count_rows(path: Path, schema: Any) -> int:
    """Return how many rows a table has.

    Raises
    ------
    ValueError
        As :func:`read` does.
    """
    with _opened(path, schema) as file:
        return int(file.metadata.num_rows)


def _parts(
    path: Path, schema: Any, parts: Callable[[pq.ParquetFile], Iterable[pa.Table]]
) -> Iterator[pd.DataFrame]:
    with _opened(path, schema) as file:
        for part in parts(file):
            yield part.to_pandas()


@contextmanager
def _opened(path: Path, schema: Any) -> Iterator[pq.ParquetFile]:
    """Open a table; whatever goes wrong while it is read is told of the file."""
    try:
        with path.open("rb") as file:
            opened = pq.ParquetFile(file)
            wrong = _differences(opened.schema_arrow, schema)
            if wrong:
                raise ValueError(
                    f"{path}: {'; '.join(wrong)}; another version wrote it, or something else: "
                    "delete it and run the study again"
                )
            yield opened
    except FileNotFoundError as error:
        raise ValueError(f"{path}: no such table; run the study, or correct the path") from error
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path}: {_unreadable(error)}") from error


def read_many(paths: Iterable[Path], schema: Any) -> pd.DataFrame:
    """Read tables of one schema and put them behind each other."""
    frames = [read(path, schema) for path in paths]
    return pd.concat(frames, ignore_index=True) if frames else schema.empty_table().to_pandas()


JOB = ["protocol", "fold", "model"]
"""Columns of what a job of one model on one fold writes."""

Key = tuple[str, int, str]
"""Their values."""


class Shelf(Mapping[Key, pd.DataFrame]):
    """Tables of one schema by JOB, of one job each; one is read when it is asked for.

    In the order of the files; those without a row are left out. Two are kept, since two are often
    compared.
    """

    def __init__(self, paths: Iterable[Path], schema: Any) -> None:
        """Read the first row of every table.

        Raises
        ------
        ValueError
            As :func:`read` does.
        """
        self._paths: dict[Key, Path] = {}
        for path in paths:
            for first in _parts(path, schema, lambda file: file.iter_batches(1, columns=JOB)):
                self._paths[next(first.itertuples(index=False, name=None))] = path
                break
        self._read = lru_cache(maxsize=2)(lambda job: read(self._paths[job], schema))

    def __getitem__(self, job: Key) -> pd.DataFrame:
        """Return the table of a job."""
        return self._read(job)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def read_metadata(path: Path) -> dict[str, str]:
    """Return what ``write`` was given as metadata.

    Raises
    ------
    ValueError
        If the file is missing or no whole Parquet table.
    """
    try:
        with path.open("rb") as file:
            stored = pq.read_schema(file).metadata or {}
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path}: {_unreadable(error)}") from error
    prefix = "thermalign."
    return {
        key.decode().removeprefix(prefix): value.decode()
        for key, value in stored.items()
        if key.decode().startswith(prefix)
    }


def replace_file(path: Path, fill: Any) -> None:
    """Let ``fill`` write a temporary file, sync it, and put it in the place of ``path``.

    Whatever goes wrong, no temporary file stays, and the error carries the note whose file it was.

    Raises
    ------
    ValueError
        If somebody deletes the folder meanwhile.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        fill(temporary)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except Exception as error:
        if not path.parent.is_dir():
            raise ValueError(
                f"{path}: its folder was deleted while it was written; run the study again"
            ) from error
        error.add_note(f"while writing {path}")
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _array(column: pd.Series, kind: Any) -> Any:
    """Return a column as an Arrow array; its nulls are still in it."""
    if pa.types.is_list(kind):
        if nulls := int(column.isna().sum()):
            return pa.nulls(nulls)
        each = [np.asarray(values) for values in column]
        if any(values.ndim != 1 or values.dtype.kind not in "fiu" for values in each):
            raise pa.ArrowInvalid("give numbers in a row, and none of them missing")
        ends = np.cumsum([0, *map(len, each)], dtype=np.int32)
        flat = pa.array(np.concatenate([np.empty(0), *each], dtype=np.float64))
        return pa.ListArray.from_arrays(ends, flat, type=kind)
    array = pa.Array.from_pandas(column, type=kind, safe=True)
    if pa.types.is_floating(kind):  # pandas spells NaN as a null; NaN has a meaning here
        return array.fill_null(float("nan"))
    return array


def _check_columns(path: Path, columns: Iterable[str], schema: Any) -> None:
    missing = [name for name in schema.names if name not in set(columns)]
    extra = [str(name) for name in columns if name not in set(schema.names)]
    if missing or extra:
        raise ValueError(f"{path}: missing columns {missing}, unexpected columns {extra}")


def _differences(found: Any, expected: Any) -> list[str]:
    """Say in what one schema is not the other, column by column."""
    missing = [name for name in expected.names if name not in found.names]
    extra = [name for name in found.names if name not in expected.names]
    wrong = [f"missing columns {missing}"] if missing else []
    wrong += [f"unexpected columns {extra}"] if extra else []
    for field in expected:
        if found.names.count(field.name) > 1:
            wrong.append(f"column {field.name} is there twice")
        elif field.name in found.names and found.field(field.name).type != field.type:
            its = found.field(field.name).type
            wrong.append(f"column {field.name} holds {its}, expected {field.type}")
    if not wrong and found.names != expected.names:
        wrong.append(f"columns are in another order: {found.names}, expected {expected.names}")
    return wrong


def _unreadable(error: Exception) -> str:
    reason = " ".join(str(getattr(error, "strerror", None) or error).split())
    return f"is no whole Parquet table ({reason}); delete it and run the study again"
