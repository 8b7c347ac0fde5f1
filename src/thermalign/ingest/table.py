"""Any folder of images with one CSV manifest.

Columns of the manifest; only the first two are needed:

=============================  ==================================================================
``path``                       image file, relative to the dataset's folder
``subject_id``                 person
``image_id``                   unique key; default the path without its suffix
``session``                    recording session; default ``1``
``volume``, ``range``          whole numbers from 1; default 1
``condition``                  default ``unspecified``
``modality``                   ``thermal`` or ``visible``; default from the configuration
``pair_id``                    joins a thermal and a visible image of one moment
``moment``                     all frames of one sample, in both modalities; default the pair_id,
                               or the image_id without one
``scale``, ``offset``          physical value = scale x count + offset
``box_x``, ``box_y``,          face box in pixels; (x, y) is the centre of its top-left pixel
``box_width``, ``box_height``
``<landmark>_x``,              the five points of :mod:`thermalign.geometry`, all or none per row;
``<landmark>_y``               left and right are the subject's
``<landmark>_visible``         ``true`` or ``false``; default true
=============================  ==================================================================

Other columns are ignored. ``columns: {path: image}`` in the configuration reads ``path`` from a
column of another name, and ``defaults: {modality: visible}`` fills a column that is absent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thermalign.geometry import LANDMARKS
from thermalign.images import BIT_DEPTHS, DEFAULT_SCALES, digest, read_counts
from thermalign.ingest.checks import check_points

REQUIRED = ("path", "subject_id")
DEFAULTS = {
    "session": "1",
    "volume": "1",
    "range": "1",
    "condition": "unspecified",
    "pair_id": "",
    "scale": "",
    "offset": "",
}
BOX = ("box_x", "box_y", "box_width", "box_height")
MODALITIES = ("thermal", "visible")


@dataclass(frozen=True)
class Settings:
    """Where a manifest is and how it spells its columns.

    Attributes
    ----------
    folder : Path
        What the manifest's paths are relative to.
    manifest : Path
        The CSV file, relative to ``folder``.
    columns : mapping of str to str
        Our column name to the manifest's.
    defaults : mapping of str to str
        Values of columns that the manifest lacks.
    """

    folder: Path
    manifest: Path
    columns: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)


def read(settings: Settings) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Read and check a manifest and every image that it names.

    Returns
    -------
    images : DataFrame of IMAGES
    annotations : DataFrame of ANNOTATIONS
    boxes : DataFrame with image_id, x, y, width, height
        Of the rows that give a box.

    Raises
    ------
    ValueError
        Naming the manifest's row (the header is row 1), the column and the cure.
    """
    file = settings.folder / settings.manifest
    manifest = _load(file, settings)
    images = pd.DataFrame(
        [_image(row, settings.folder, f"{file} row {n}") for n, row in _rows(manifest)]
    )
    repeated = images["image_id"].duplicated()
    if repeated.any():
        row = int(np.flatnonzero(repeated)[0]) + 2
        name = images["image_id"][row - 2]
        raise ValueError(f"{file} row {row}: image_id {name} is there twice; make it unique")
    size = images.set_index("image_id")[["width", "height"]]
    annotations, boxes = [], []
    for (n, row), image_id in zip(_rows(manifest), images["image_id"], strict=True):
        where = f"{file} row {n} (image {image_id})"
        width, height = size.loc[image_id]
        annotations += _annotations(row, image_id, where, (width, height))
        boxes += _box(row, image_id, where, (width, height))
    return (
        images,
        pd.DataFrame(annotations, columns=["image_id", "landmark", "x", "y", "visible"]),
        pd.DataFrame(boxes, columns=["image_id", "x", "y", "width", "height"]),
    )


def _load(file: Path, settings: Settings) -> pd.DataFrame:
    if not file.is_file():
        raise ValueError(
            f"{file}: no such manifest; set data: or the dataset's folder: and manifest:"
        )
    manifest = pd.read_csv(file, dtype=str, keep_default_na=False)
    for ours, theirs in settings.columns.items():
        if theirs not in manifest:
            raise ValueError(f"{file}: no column {theirs!r}, which columns: names for {ours!r}")
    manifest = manifest.rename(columns={theirs: ours for ours, theirs in settings.columns.items()})
    for name, value in {**DEFAULTS, **settings.defaults}.items():
        if name not in manifest:
            manifest[name] = value
    for name in (*REQUIRED, "modality"):
        if name not in manifest:
            raise ValueError(
                f"{file}: no column {name!r}; add it, or name it under columns: or defaults:"
            )
    if manifest.empty:
        raise ValueError(f"{file}: no rows; list at least one image")
    return manifest


def _rows(manifest: pd.DataFrame) -> Any:
    return enumerate(manifest.to_dict("records"), start=2)


def _image(row: Mapping[str, str], folder: Path, where: str) -> dict[str, Any]:
    for name in REQUIRED:
        if not row[name]:
            raise ValueError(f"{where}: {name} is empty; fill it")
    if row["modality"] not in MODALITIES:
        raise ValueError(f"{where}: modality is {row['modality']!r}; use one of {list(MODALITIES)}")
    path = folder / row["path"]
    try:
        counts = read_counts(path)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    depth = BIT_DEPTHS[counts.dtype]
    image_id = row.get("image_id") or str(Path(row["path"]).with_suffix(""))
    return {
        "image_id": image_id,
        "subject_id": row["subject_id"],
        "session": row["session"],
        "volume": _number(row, "volume", where, int),
        "range": _number(row, "range", where, int),
        "condition": row["condition"],
        "modality": row["modality"],
        "pair_id": row["pair_id"],
        "moment": row.get("moment") or row["pair_id"] or image_id,
        "path": str(path),
        "width": counts.shape[1],
        "height": counts.shape[0],
        "bit_depth": depth,
        "scale": _number(row, "scale", where, float) if row["scale"] else DEFAULT_SCALES[depth],
        "offset": _number(row, "offset", where, float) if row["offset"] else 0.0,
        "sha256": digest(path),
    }


def _number(row: Mapping[str, str], name: str, where: str, kind: Any) -> Any:
    try:
        return kind(row[name])
    except ValueError:
        raise ValueError(
            f"{where}: {name} is {row[name]!r}; write a number, or leave it empty where it may be"
        ) from None


def _annotations(
    row: Mapping[str, str], image_id: str, where: str, size: tuple[int, int]
) -> list[dict[str, Any]]:
    cells = [f"{name}_{axis}" for name in LANDMARKS for axis in "xy"]
    filled = [cell for cell in cells if row.get(cell)]
    if not filled:
        return []
    if len(filled) < len(cells):
        lost = next(cell for cell in cells if cell not in filled)
        raise ValueError(f"{where}: {lost} is empty; give all {len(LANDMARKS)} landmarks or none")
    points = np.array([_number(row, cell, where, float) for cell in cells]).reshape(-1, 2)
    check_points(points, where, size)
    return [
        {
            "image_id": image_id,
            "landmark": name,
            "x": x,
            "y": y,
            "visible": row.get(f"{name}_visible", "true").lower() != "false",
        }
        for name, (x, y) in zip(LANDMARKS, points, strict=True)
    ]


def _box(
    row: Mapping[str, str], image_id: str, where: str, size: tuple[int, int]
) -> list[dict[str, Any]]:
    filled = [name for name in BOX if row.get(name)]
    if not filled:
        return []
    if len(filled) < len(BOX):
        raise ValueError(f"{where}: gives {filled} only; give all of {list(BOX)} or none")
    x, y, width, height = (_number(row, name, where, float) for name in BOX)
    inside = x < size[0] and y < size[1] and x + width > 0 and y + height > 0
    if not (np.isfinite([x, y, width, height]).all() and width > 0 and height > 0 and inside):
        raise ValueError(
            f"{where}: the face box ({x}, {y}, {width}, {height}) is empty or outside the image "
            f"of {size[0]} x {size[1]}; correct it"
        )
    return [{"image_id": image_id, "x": x, "y": y, "width": width, "height": height}]
