"""The Parquet tables: every column's type, unit and meaning, and the one way in and out.

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


def _column(name: str, kind: Any, meaning: str, unit: str = "") -> Any:
    return pa.field(name, kind, nullable=False, metadata={"unit": unit, "meaning": meaning})


_IMAGE = _column("image_id", pa.string(), "key of IMAGES")
_PROTOCOL = _column("protocol", pa.string(), "name under protocols: in the configuration")
_FOLD = _column("fold", pa.int32(), "random split of a protocol, from 0")
_MODEL = _column("model", pa.string(), "name under models: in the configuration, or 'annotated'")
_LANDMARK = _column("landmark", pa.string(), "one of geometry.LANDMARKS")

IMAGES = pa.schema(
    [
        _column("image_id", pa.string(), "unique key"),
        _column("subject_id", pa.string(), "person"),
        _column("session", pa.string(), "recording session"),
        _column("volume", pa.int32(), "part of the dataset, from 1"),
        _column("range", pa.int32(), "1 near, 2 middle, 3 far"),
        _column("condition", pa.string(), "baseline, expression, ..."),
        _column("modality", pa.string(), "thermal or visible"),
        _column("pair_id", pa.string(), "joins images of one moment; empty without a partner"),
        _column("path", pa.string(), "image file, relative to the working directory or absolute"),
        _column("width", pa.int32(), "columns", "px"),
        _column("height", pa.int32(), "rows", "px"),
        _column("bit_depth", pa.int32(), "bits of a stored count", "bit"),
        _column("scale", pa.float64(), "physical value = scale x count + offset", "unit / count"),
        _column("offset", pa.float64(), "see scale; degrees Celsius where thermal", "unit"),
        _column("sha256", pa.string(), "digest of the file"),
    ]
)

ANNOTATIONS = pa.schema(
    [
        _IMAGE,
        _LANDMARK,
        _column("x", pa.float64(), "annotated column", "px"),
        _column("y", pa.float64(), "annotated row", "px"),
        _column("visible", pa.bool_(), "false where something hides the landmark"),
    ]
)

BOXES = pa.schema(
    [
        _IMAGE,
        _column("source", pa.string(), "given, derived, fixed or found"),
        _column("x", pa.float64(), "centre of the box's leftmost pixels", "px"),
        _column("y", pa.float64(), "centre of the box's topmost pixels", "px"),
        _column("width", pa.float64(), "columns of the box", "px"),
        _column("height", pa.float64(), "rows of the box", "px"),
    ]
)

FOLDS = pa.schema(
    [
        _PROTOCOL,
        _FOLD,
        _IMAGE,
        _column("role", pa.string(), "train, validation or test"),
        _column("flipped", pa.bool_(), "a mirrored copy, in train only"),
    ]
)

PREDICTIONS = pa.schema(
    [
        _PROTOCOL,
        _FOLD,
        _MODEL,
        _IMAGE,
        _LANDMARK,
        _column("x", pa.float64(), "NaN where no face was found", "px"),
        _column("y", pa.float64(), "NaN where no face was found", "px"),
        _column("confidence", pa.float64(), "the model's own, higher is surer; NaN without one"),
    ]
)

STRESS = PREDICTIONS.append(
    _column("variant", pa.string(), "name under variants: in the configuration, or 'none'")
)

DETECTIONS = pa.schema(
    [
        *(PREDICTIONS.field(name) for name in ("protocol", "fold", "model", "image_id")),
        _column("rank", pa.int32(), "place among the image's detections, from 0: the best"),
        _column("score", pa.float64(), "the model's own, higher is surer"),
        *(BOXES.field(name) for name in ("x", "y", "width", "height")),
    ]
)

FACES = pa.schema(
    [
        _PROTOCOL,
        _FOLD,
        _MODEL,
        _IMAGE,
        _column("width", pa.int32(), "columns of the aligned face", "px"),
        _column("height", pa.int32(), "rows of the aligned face", "px"),
        _column("scale", pa.float64(), "physical value = scale x count + offset", "unit / count"),
        _column("offset", pa.float64(), "see scale", "unit"),
        _column("pixels", pa.binary(), "height x width little-endian uint16 counts, row by row"),
    ]
)

SCORES = pa.schema(
    [
        _PROTOCOL,
        _FOLD,
        _MODEL,
        _column("probe_id", pa.string(), "image_id of the probe"),
        _column("gallery_id", pa.string(), "subject_id of the enrolled subject"),
        _column("genuine", pa.bool_(), "the probe shows the enrolled subject"),
        _column("score", pa.float64(), "higher is more alike; -inf where no face was aligned"),
    ]
)

METRICS = pa.schema(
    [
        _PROTOCOL,
        _FOLD,
        _MODEL,
        _column("subset", pa.string(), "all, or variant or column of IMAGES=value, joined by '&'"),
        _column("metric", pa.string(), "nmse, ced, eer, roc, ..."),
        _column("at", pa.float64(), "abscissa of a curve: threshold or false match rate; else 0"),
        _column("value", pa.float64(), "the metric"),
        _column("low", pa.float64(), "lower end of the 95 % interval; NaN without one"),
        _column("high", pa.float64(), "upper end of the 95 % interval; NaN without one"),
        _column("n", pa.int64(), "images, or comparisons of a verification metric"),
    ]
)

REPLICATES = pa.schema(
    [
        *(METRICS.field(name) for name in ("protocol", "fold", "model", "subset", "metric")),
        _column("draw", pa.int32(), "bootstrap draw of the fold's test subjects, from 0"),
        _column("value", pa.float64(), "the metric of the drawn subjects; NaN without one"),
    ]
)

SUMMARY = pa.schema(
    [
        *(METRICS.field(name) for name in ("protocol", "model", "subset", "metric", "at")),
        *(METRICS.field(name) for name in ("value", "low", "high")),
        _column("fold_sd", pa.float64(), "standard deviation over folds; NaN for one fold"),
        _column("n", pa.int64(), "images or comparisons, over all folds"),
        _column("n_folds", pa.int32(), "folds that had this subset"),
    ]
)

DIFFERENCES = pa.schema(
    [
        _PROTOCOL,
        _column("subset", pa.string(), "as in METRICS"),
        _column("metric", pa.string(), "nmse or eer"),
        _column("model_a", pa.string(), "minuend"),
        _column("model_b", pa.string(), "subtrahend"),
        *(METRICS.field(name) for name in ("value", "low", "high", "n")),
    ]
)

SPREAD = pa.schema(
    [
        _PROTOCOL,
        _column("model", pa.string(), "name under models: in the configuration, over all seeds"),
        _column("train_subjects", pa.int32(), "of the protocol, validation subjects included"),
        _column("nmse", pa.float64(), "mean over folds and training seeds of the NMSE", "IOD"),
        *(METRICS.field(name) for name in ("low", "high")),
        _column("seed_se", pa.float64(), "of nmse, by seeds drawn; NaN for one seed", "IOD"),
        _column("subject_se", pa.float64(), "of nmse, by test subjects drawn; bootstrap", "IOD"),
        _column("seed_sd", pa.float64(), "between seeds; NaN for one seed", "IOD"),
        _column("subject_sd", pa.float64(), "between subjects; with one seed, rest too", "IOD"),
        _column("residual_sd", pa.float64(), "of what is neither; NaN for one seed", "IOD"),
        _column("n_seeds", pa.int32(), "trainings on each fold"),
        _column("n_subjects", pa.int32(), "test subjects of the standard deviations, all folds"),
    ]
)

CURVES = pa.schema(
    [
        _PROTOCOL,
        _FOLD,
        _MODEL,
        _column("stage", pa.string(), "part of the model that was trained"),
        _column("step", pa.int64(), "optimiser steps of this stage so far"),
        _column("loss", pa.float64(), "mean training loss since the row before"),
        _column("validation_nmse", pa.float64(), "NaN where it was not measured"),
        _column("core_seconds", pa.float64(), "processor time since training began", "s"),
    ]
)

CARD = pa.schema(
    [
        _column("dataset", pa.string(), "name under datasets: in the configuration"),
        _column("subset", pa.string(), "as in METRICS"),
        _column("statistic", pa.string(), "images, interocular_distance, image_p50, ..."),
        _column("at", pa.float64(), "lower edge of a histogram's bin; else 0", "see unit"),
        _column("value", pa.float64(), "mean over images, a count, or the share of a bin"),
        _column("sd", pa.float64(), "standard deviation over images; NaN without one"),
        _column("n", pa.int64(), "images that the value is taken over"),
        _column("unit", pa.string(), "of value and sd; of at in a histogram"),
    ]
)

LIKENESS = pa.schema(
    [
        *(CARD.field(name) for name in ("dataset", "subset", "statistic", "unit")),
        _column("source", pa.string(), "collection of real faces"),
        _column("real_mean", pa.float64(), "mean over its images", "see unit"),
        _column("real_sd", pa.float64(), "standard deviation over its images", "see unit"),
        _column("real_n", pa.int64(), "its images"),
        _column("mean", pa.float64(), "mean over the dataset's images", "see unit"),
        _column("sd", pa.float64(), "standard deviation over the dataset's images", "see unit"),
        _column("n", pa.int64(), "the dataset's images"),
        _column("difference", pa.float64(), "mean minus real_mean", "real_sd"),
        _column("ratio", pa.float64(), "sd over real_sd"),
        _column("near_mean", pa.float64(), "largest difference that agrees", "real_sd"),
        _column("near_spread", pa.float64(), "largest ratio that agrees, or its inverse"),
        _column("least_subjects", pa.int64(), "fewest people that are judged"),
        _column(
            "verdict",
            pa.string(),
            "agrees, mean differs, spread differs, both differ, camera, box, too few",
        ),
    ]
)

COSTS = pa.schema(
    [
        _column("rule", pa.string(), "rule that ran"),
        _column("job", pa.string(), "its wildcards, joined by '/'"),
        _column("wall", pa.float64(), "elapsed time", "s"),
        _column("cpu", pa.float64(), "processor time, user and system", "s"),
        _column("start_up", pa.float64(), "time until the step itself began", "s"),
        _column("memory", pa.float64(), "peak resident memory", "MiB"),
        _column("device", pa.string(), "where the arithmetic ran"),
    ]
)

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
        One of this module's tables.
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
