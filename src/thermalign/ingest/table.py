"""Any folder of images with one CSV manifest.

Columns of the manifest; only the first two are needed, and the modality from somewhere:

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
``scale``, ``offset``          physical value = scale x count + offset; of thermal counts of 16 or
                               32 bits, degrees Celsius
``box_x``, ``box_y``,          face box in pixels; (x, y) is the centre of its top-left pixel
``box_width``, ``box_height``
``<landmark>_x``,              the five points of :mod:`thermalign.geometry`, all or none per row;
``<landmark>_y``               left and right are the subject's
``<landmark>_visible``         ``true`` or ``false``, ``yes`` or ``no``, ``1`` or ``0``; default
                               true
names under ``attributes:``    any word, ``yes`` and ``no`` among them; empty where unknown
=============================  ==================================================================

Other columns are ignored, unless their name is nearly one of these. ``columns: {path: image}`` in
the configuration reads ``path`` from a column of another name, and ``defaults: {modality:
visible}`` fills a column that is absent or empty in every row. What is refused, and why, is in
docs/methods/ingest.md.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from thermalign.geometry import LANDMARKS, Floats
from thermalign.images import DEFAULT_SCALES
from thermalign.ingest.cells import (
    is_garbled,
    is_missing,
    is_rounded,
    number,
    whole,
    yes_or_no,
)
from thermalign.ingest.checks import check_box, check_part, check_points, check_scale, check_skin
from thermalign.ingest.columns import BOX, POINTS, Rows, rows_of
from thermalign.ingest.corners import Corners, around, within
from thermalign.ingest.found import Found
from thermalign.ingest.manifest import load
from thermalign.ingest.people import DOUBLED
from thermalign.ingest.pictures import Picture, find, read_picture
from thermalign.ingest.quarantine import Quarantined, Records, leave_out, read_chosen
from thermalign.ingest.read_rows import GIVEN, AllRead, Reading, Row, read_rows
from thermalign.settings import check, setting

PLAIN_PATH = re.compile(r"(?:\w[\w-]*/)*\w[\w-]*(?:\.\w+)?")
"""A path of whose name no more than what follows its one dot is the suffix."""

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
    defaults : mapping of str to str or number
        Values of columns that the manifest lacks.
    attributes : tuple of str
        Columns that become rows of ATTRIBUTES.
    thermal_colour : str
        ``refuse`` thermal pictures in colour, or take their ``luma``.
    quarantine : Path or None
        A CSV file, relative to ``folder``, of rows that are left out: ``image`` (image_id or path)
        or ``row`` (line of the manifest), and ``reason``.
    leave_out : mapping of str to str
        The same without a file: image_id or path to reason.
    """

    folder: Path
    manifest: Path
    columns: Mapping[str, str] = setting({})
    defaults: Mapping[str, str | int | float] = setting({})
    attributes: tuple[str, ...] = setting(())
    thermal_colour: str = setting("refuse", choices=("refuse", "luma"))
    quarantine: Path | None = setting(None)
    leave_out: Mapping[str, str] = setting({})


def read(settings: Settings, sources: Sequence[Path] = ()) -> Found:
    """Read and check a manifest and every image that it names.

    Parameters
    ----------
    settings : Settings
    sources : not used
        The manifest is named by the settings.

    Raises
    ------
    ValueError
        Naming the manifest's row (its line in the file), the column or image, what is wrong and
        the cure.
    """
    its = read_all(settings)
    return its.found._replace(lines=its.lines)


def read_all(settings: Settings, *, go_on: bool = False) -> AllRead:
    """Read and check a manifest and every image that it names, but what is left out.

    Parameters
    ----------
    settings : Settings
    go_on : bool
        Note what is wrong, and leave it out, instead of raising it.

    Raises
    ------
    ValueError
        As :func:`read` does; with ``go_on``, of what concerns the whole file alone.
    """
    rows, left = list_rows(settings)
    return read_listed(rows, settings, left=left, go_on=go_on)


def read_listed(
    rows: Rows, settings: Settings, *, left: tuple[Quarantined, ...], go_on: bool
) -> AllRead:
    """Read and check rows of a manifest and every image that they name, as :func:`read_all` does.

    Parameters
    ----------
    rows : Rows
        Those that take part.
    settings : Settings
        Their manifest need not have been written.
    left : rows that are left out
    go_on : bool

    Raises
    ------
    ValueError
        As :func:`read_all` does.
    """
    file = settings.folder / settings.manifest
    doubled = _doubled(_records(rows, file)) if go_on else {}
    if doubled and len(doubled) == len(rows):
        raise ValueError(next(iter(doubled.values())).reason)
    rows = rows.without(doubled) if doubled else rows
    reading = Reading(partial(read_row, settings=settings), file, go_on=go_on)
    read = read_rows(rows, reading, left, check_depths)
    return read._replace(refused=[*doubled.values(), *read.refused])


def _doubled(records: Records) -> dict[int, Quarantined]:
    """Return the rows whose ``image_id`` is also another row's, by their place."""
    file, counts = str(records.file), Counter(records.names)
    return {
        k: Quarantined(file, line, name, f"{file} row {line}: image_id {name} {DOUBLED}")
        for k, (line, name) in enumerate(zip(records.lines, records.names, strict=True))
        if counts[name] > 1
    }


def without_chosen(rows: Rows, settings: Settings) -> tuple[Rows, tuple[Quarantined, ...]]:
    """Return the rows of a manifest but those that the settings leave out, and these.

    Raises
    ------
    ValueError
        If one of them is not there, or none is left.
    """
    chosen = [Quarantined("", 0, image, reason) for image, reason in settings.leave_out.items()]
    if settings.quarantine is not None:
        chosen += read_chosen(settings.folder / settings.quarantine)
    if not chosen:
        return rows, ()
    file = settings.folder / settings.manifest
    left = leave_out(chosen, _records(rows, file))
    if len(left) == len(rows):
        raise ValueError(f"{file}: all {len(left)} rows are left out; keep some")
    return rows.without(left), tuple(left.values())


def _records(rows: Rows, file: Path) -> Records:
    paths = rows.column("path")
    named = zip(rows.column("image_id"), paths, strict=True)
    names = [name_of({"image_id": name, "path": path}) for name, path in named]
    return Records(file, rows.lines, names, paths)


def list_rows(settings: Settings) -> tuple[Rows, tuple[Quarantined, ...]]:
    """Return the rows that take part, and those that are left out, before any image is opened.

    Raises
    ------
    ValueError
        If the file is no manifest, its columns are not those of one, or what is to be left out is
        not in it.
    """
    check(settings)
    file = settings.folder / settings.manifest
    rows = rows_of(load(file), settings.columns, settings.defaults, settings.attributes)
    _check_scales(rows, str(file))
    return without_chosen(rows, settings)


def name_of(row: Mapping[str, str]) -> str:
    """Return the ``image_id`` of a row's cells."""
    named = row.get("image_id")
    if named:
        return named
    path = row["path"]
    stem, dot, suffix = path.rpartition(".")
    if PLAIN_PATH.fullmatch(path):
        return stem if dot and "/" not in suffix else path
    return str(PurePosixPath(path).with_suffix(""))


def modality_of(row: Mapping[str, str], where: str) -> str:
    """Return the modality of a row's cells.

    Raises
    ------
    ValueError
        If it is none.
    """
    modality = row["modality"].lower()
    if modality not in MODALITIES:
        raise ValueError(f"{where}: modality is {row['modality']!r}; use one of {list(MODALITIES)}")
    return modality


def read_row(
    row: Mapping[str, str], settings: Settings, where: str
) -> tuple[Row, npt.NDArray[Any]]:
    """Read and check one row of a manifest and the image that it names.

    Parameters
    ----------
    row : cells by our names, as :func:`thermalign.ingest.columns.rows_of` returns them
    settings : Settings
    where : str
        File and row, for the message.

    Returns
    -------
    Row
    counts : (height, width) uint8, uint16 or float32

    Raises
    ------
    ValueError
        As :func:`read` does.
    """
    image, picture = _image(row, settings, where)
    image_id = image["image_id"]
    where = f"{where} (image {image_id})"
    points = _points(row, picture.counts, where)
    annotations = _annotations(row, points, image_id, where)
    given = _box(row, points, picture.counts, image_id=image_id, where=where)
    if _in_degrees(picture.depth, image["modality"], image["scale"], image["offset"]):
        check_skin(picture.counts, _face(points, given), image, where)
    attributes = _attributes(row, settings.attributes, image_id, where)
    return Row(image, picture.pixels, annotations, given, attributes), picture.counts


def _image(
    row: Mapping[str, str], settings: Settings, where: str
) -> tuple[dict[str, Any], Picture]:
    """Return a row of IMAGES and the picture."""
    _check_names(row, where)
    modality = modality_of(row, where)
    try:
        path = find(settings.folder, row["path"])
        picture = read_picture(path, modality, colour=settings.thermal_colour == "luma")
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    scale, offset = _scale(row, picture, modality, where, path)
    image_id = name_of(row)
    height, width = picture.counts.shape
    image = {
        "image_id": image_id,
        "subject_id": row["subject_id"],
        "session": row["session"],
        "volume": whole(row["volume"], "volume", where),
        "range": whole(row["range"], "range", where),
        "condition": row["condition"],
        "modality": modality,
        "pair_id": row["pair_id"],
        "moment": row.get("moment") or row["pair_id"] or image_id,
        "path": str(path),
        "width": width,
        "height": height,
        "bit_depth": picture.depth,
        "scale": scale,
        "offset": offset,
        "sha256": picture.sha256,
    }
    return image, picture


def _check_names(row: Mapping[str, str], where: str) -> None:
    """Refuse words for nothing where a name is wanted; a condition may be called none."""
    for name in ("subject_id", "image_id", "pair_id", "moment", "session", "condition"):
        cell = row.get(name, "")
        told = name in ("session", "condition") and cell.lower() in ("none", "unknown")
        if is_garbled(cell):
            raise ValueError(
                f"{where}: {name} is {cell!r}, of which letters were lost or exchanged as it was "
                "saved; export it again as UTF-8"
            )
        if is_rounded(cell):
            raise ValueError(
                f"{where}: {name} is {cell!r}, as programs write long numbers, and several become "
                "one; make the column text before it is filled, and export again"
            )
        if is_missing(cell) and not told:
            cure = "leave it empty" if name in ("image_id", "pair_id", "moment") else "give a name"
            raise ValueError(f"{where}: {name} is {cell!r}, which names nothing; {cure}")


def _scale(
    row: Mapping[str, str], picture: Picture, modality: str, where: str, path: Path
) -> tuple[float, float]:
    """Return scale and offset; those of thermal counts of 16 or 32 bits give degrees Celsius."""
    default = DEFAULT_SCALES[picture.depth]
    scale = number(row["scale"], "scale", where) if row["scale"] else default
    offset = number(row["offset"], "offset", where) if row["offset"] else 0.0
    degrees = _in_degrees(picture.depth, modality, scale, offset)
    check_scale(picture.counts, scale, offset, where=f"{where}: {path}", degrees=degrees)
    return scale, offset


def _in_degrees(depth: int, modality: str, scale: float, offset: float) -> bool:
    """Return whether counts with this scale and offset are degrees Celsius."""
    is_scaled = depth == 32 or (depth == 16 and (scale, offset) != (DEFAULT_SCALES[16], 0))
    return modality == "thermal" and is_scaled


def _face(points: Floats | None, given: list[dict[str, Any]]) -> Corners | None:
    """Return the corners of the landmarks' surroundings or of the box, or None."""
    if points is not None:
        return around(points.tolist())
    return within(*(given[0][name] for name in GIVEN[1:])) if given else None


def _points(row: Mapping[str, str], counts: npt.NDArray[Any], where: str) -> Floats | None:
    """Return the landmarks (L, 2), pixels, of a row, or None."""
    filled = [cell for cell in POINTS if row.get(cell)]
    if not filled:
        return None
    if len(filled) < len(POINTS):
        lost = next(cell for cell in POINTS if cell not in filled)
        raise ValueError(f"{where}: {lost} is empty; give all {len(LANDMARKS)} landmarks or none")
    points = np.array([number(row[cell], cell, where) for cell in POINTS]).reshape(-1, 2)
    check_points(points, where, counts.shape[::-1])
    left, top, right, bottom = around(points.tolist())
    middle = (top + bottom) / 2
    for upper, lower, name in ((top, middle, "upper"), (middle, bottom, "lower")):
        part = left, upper, right, lower
        check_part(counts, part, where, f"{name} half of the landmarks' surroundings")
    return points


def _annotations(
    row: Mapping[str, str], points: Floats | None, image_id: str, where: str
) -> list[dict[str, Any]]:
    seen = [yes_or_no(row.get(f"{n}_visible", ""), f"{n}_visible", where) for n in LANDMARKS]
    if points is None:
        return []
    return [
        {"image_id": image_id, "landmark": name, "x": x, "y": y, "visible": visible}
        for name, (x, y), visible in zip(LANDMARKS, points.tolist(), seen, strict=True)
    ]


def _box(
    row: Mapping[str, str],
    points: Floats | None,
    counts: npt.NDArray[Any],
    *,
    image_id: str,
    where: str,
) -> list[dict[str, Any]]:
    filled = [name for name in BOX if row.get(name)]
    if not filled:
        return []
    if len(filled) < len(BOX):
        raise ValueError(f"{where}: gives {filled} only; give all of {list(BOX)} or none")
    box = np.array([number(row[name], name, where) for name in BOX])
    check_box(box, points, where, counts.shape[::-1])
    check_part(counts, within(*box.tolist()), where, "face box")
    return [dict(zip(GIVEN, (image_id, *box.tolist()), strict=True))]


def _attributes(
    row: Mapping[str, str], names: Sequence[str], image_id: str, where: str
) -> list[dict[str, Any]]:
    told = {name: row[name] for name in names if row.get(name)}
    for name, value in told.items():
        if is_missing(value) and value.lower() != "none":
            raise ValueError(f"{where}: {name} is {value!r}; leave it empty where it is not known")
    return [{"image_id": image_id, "name": n, "value": value} for n, value in told.items()]


def _check_scales(rows: Rows, file: str) -> None:
    """Refuse a modality of which some rows give a scale, or an offset, and others none."""
    given = [name for name in ("scale", "offset") if name in rows.place]  # else all have the same
    said = [cell.lower() for cell in rows.column("modality")] if given else []
    for name in given:
        told = list(zip(said, rows.lines, rows.column(name), strict=True))
        for modality in MODALITIES:
            its = [(line, cell) for of, line, cell in told if of == modality]
            empty = [line for line, cell in its if not cell]
            if empty and len(empty) < len(its):
                raise ValueError(
                    f"{file} row {empty[0]}: {name} is empty, but other {modality} rows give one; "
                    "give it in all of them or in none"
                )


def check_depths(images: pd.DataFrame, rows: Rows, file: str) -> None:
    """Refuse counts of several bit depths in a modality where no scale makes them comparable."""
    given = np.array([bool(cell) for cell in rows.column("scale")])
    for modality, its in images[~given].groupby("modality"):
        other = its[its["bit_depth"] != its["bit_depth"].iloc[0]]
        if len(other):
            odd, first = other.iloc[0], its.iloc[0]
            raise ValueError(
                f"{file} row {rows.lines[other.index[0]]} (image {odd['image_id']}): has "
                f"{odd['bit_depth']} bits, but {modality} image {first['image_id']} has "
                f"{first['bit_depth']}; give a scale in every {modality} row, or store all alike"
            )
