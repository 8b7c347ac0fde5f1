"""Parquet tables: the one way in and out.

Tables are long and tidy. ``write`` casts strictly, refuses nulls, missing and extra columns, writes
to a temporary file beside the target, syncs it and renames it: a reader sees the old table or the
new one, and a symbolic link into a shared cache is replaced, never written through.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

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
    frame = pd.DataFrame(frame)
    _check_columns(path, frame.columns, schema)
    arrays = []
    for field in schema:
        try:
            array = pa.Array.from_pandas(frame[field.name], type=field.type, safe=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise ValueError(f"{path}: column {field.name} is not {field.type}: {error}") from error
        if pa.types.is_floating(field.type):  # pandas spells NaN as a null; NaN has a meaning here
            array = array.fill_null(float("nan"))
        if array.null_count:
            raise ValueError(
                f"{path}: column {field.name} has {array.null_count} nulls; give values"
            )
        arrays.append(array)
    extra = {f"thermalign.{k}": v for k, v in (metadata or {}).items()}
    table = pa.Table.from_arrays(arrays, schema=schema.with_metadata(extra))
    replace_file(path, lambda temporary: pq.write_table(table, temporary, compression="zstd"))


def read(path: Path, schema: Any) -> pd.DataFrame:
    """Read a table that :func:`write` wrote.

    Raises
    ------
    ValueError
        If the file is not a Parquet table of this schema.
    """
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise ValueError(f"{path}: not a readable Parquet table: {error}") from error
    if not table.schema.equals(schema, check_metadata=False):
        raise ValueError(f"{path}: expected columns {schema.names}, found {table.schema.names}")
    return table.to_pandas()


def read_many(paths: Iterable[Path], schema: Any) -> pd.DataFrame:
    """Read tables of one schema and put them behind each other."""
    frames = [read(path, schema) for path in paths]
    return pd.concat(frames, ignore_index=True) if frames else schema.empty_table().to_pandas()


def read_metadata(path: Path) -> dict[str, str]:
    """Return what ``write`` was given as metadata."""
    stored = pq.read_schema(path).metadata or {}
    prefix = "thermalign."
    return {
        key.decode().removeprefix(prefix): value.decode()
        for key, value in stored.items()
        if key.decode().startswith(prefix)
    }


def replace_file(path: Path, fill: Any) -> None:
    """Let ``fill`` write a temporary file, sync it, and put it in the place of ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        fill(temporary)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _check_columns(path: Path, columns: Iterable[str], schema: Any) -> None:
    missing = [name for name in schema.names if name not in set(columns)]
    extra = [str(name) for name in columns if name not in set(schema.names)]
    if missing or extra:
        raise ValueError(f"{path}: missing columns {missing}, unexpected columns {extra}")
