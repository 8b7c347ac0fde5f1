"""Landmarks that another program placed, as a file with a row an image; ours as such a file.

===================================  ============================================================
``image_id`` (or ``image``,          the image: its ``image_id`` or its path, whole or its end, as
``path``)                            far as one image alone ends so
``<landmark>_x``, ``<landmark>_y``   pixels, (0, 0) the centre of the top-left one; left and right
                                     are the subject's
``found``                            ``yes`` or ``no``: no face was found, and points may be empty
``status``                           the same as ``thermalign predict`` says it: ``ok``, or why not
``<landmark>_error``                 expected distance from the true point, interocular distances
``expected_error``                   the same for all landmarks, where they have none of their own
``<landmark>_scale_xx``, ``_xy``,    the Student t of the error, as in PREDICTIONS
``_yy``, ``<landmark>_tail``
===================================  ============================================================

The first two rows are needed, the others are optional. Other columns are ignored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from thermalign.exchange.files import Sheet, first_of, read
from thermalign.exchange.images import known_rows
from thermalign.geometry import (
    LANDMARKS,
    LEFT_EYE,
    LEFT_MOUTH_CORNER,
    RIGHT_EYE,
    RIGHT_MOUTH_CORNER,
    Floats,
)
from thermalign.ingest.cells import yes_or_no
from thermalign.ingest.checks import FRACTION
from thermalign.records import Located

Booleans = npt.NDArray[np.bool_]

NAMED = ("image_id", "image", "path")
"""Columns that may name the image, the first that is there."""

FOUND, STATUS, OK = "found", "status", "ok"

SPREAD = {"error": "expected_error"} | {
    name: name for name in ("scale_xx", "scale_xy", "scale_yy", "tail")
}
"""What stands behind a landmark's name, and the column of PREDICTIONS that it is."""

KEPT = ("constant", "grid")
"""Metadata of PREDICTIONS that a Parquet file carries on."""


@dataclass(frozen=True)
class Points:
    """The points of N images.

    Attributes
    ----------
    sheet : Sheet
    names : (N,) text, the images as the file names them
    located : Located
        NaN where the file says that no face was found.
    """

    sheet: Sheet
    names: pd.Series
    located: Located

    @property
    def metadata(self) -> dict[str, str]:
        """What the file says beside its rows, of ``KEPT``."""
        return {name: text for name, text in self.sheet.metadata.items() if name in KEPT}


def read_points(path: Path) -> Points:
    """Read a file of points.

    Raises
    ------
    ValueError
        In one line that names the file, the row and the cure: a column that is missing, a cell that
        is no number, a point that is missing though the file does not say that no face was found,
        an expected error below 0, coordinates that are shares of the image, left and right that are
        swapped.
    """
    sheet = read(path)
    key = next((name for name in NAMED if name in sheet), NAMED[0])
    sheet.need(
        [key, *(f"{name}_{axis}" for name in LANDMARKS for axis in "xy")], "a file of points"
    )
    names, found = sheet.names(key), _found(sheet)
    points = np.stack(
        [np.stack([sheet.numbers(f"{n}_{axis}") for axis in "xy"], axis=-1) for n in LANDMARKS],
        axis=1,
    )
    _check_given(sheet, names, points, found)
    _check_pixels(path, points[found])
    _check_sides(path, points[found])
    located = Located(points, *_spread(sheet, len(names))).without(~found)
    return Points(sheet, names, located)


def points_for(
    points: Points, images: pd.DataFrame, wanted: Sequence[str], *, dataset: str, whose: str
) -> Located:
    """Return the points of some images of a dataset, in the order asked for.

    Rows of other images of the dataset may stand beside them: those of other folds.

    Parameters
    ----------
    points : Points
    images : DataFrame of IMAGES, all of the dataset
    wanted : M image_id
    dataset : str
        Its name, for the message.
    whose : str
        Whose images are wanted, for the message.

    Raises
    ------
    ValueError
        In one line: a row of an image that the dataset does not have, two rows of one image, images
        without a row.
    """
    sheet = points.sheet
    row = known_rows(points.names, images, sheet, dataset)
    if (again := pd.Series(row).duplicated().to_numpy()).any():
        second = int(np.argmax(again))
        first = int(np.argmax(row == row[second]))
        raise ValueError(
            f"{sheet.where(second)}: image {images['image_id'].iloc[row[second]]} stands in row "
            f"{sheet.line(first)} already; keep one row an image"
        )
    place = pd.Index(images["image_id"].to_numpy(object)[row]).get_indexer(pd.Index(wanted))
    if (place < 0).any():
        lost = [image for image, k in zip(wanted, place, strict=True) if k < 0]
        raise ValueError(
            f"{sheet.path}: no row for {len(lost)} of {len(wanted)} {whose}: "
            f"{first_of(lost, len(lost))}; add them, with {FOUND}: no where the face was not found"
        )
    its = points.located
    return Located(its.points[place], its.scale[place], its.tail[place], its.expected_error[place])


def as_file(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return PREDICTIONS of one model on one fold as the rows of a file of points.

    Raises
    ------
    ValueError
        If a model has some points of a face and not the others.
    """
    ids = list(dict.fromkeys(predictions["image_id"]))
    ours = ["x", "y", *SPREAD.values()]
    theirs = ["x", "y", *SPREAD]
    keys = pd.MultiIndex.from_product([ids, LANDMARKS])
    rows = predictions.set_index(["image_id", "landmark"])[ours].reindex(keys)
    told = rows.to_numpy(np.float64).reshape(len(ids), len(LANDMARKS), len(ours))
    known = np.isfinite(told[..., :2]).all(axis=2)
    if (known.any(axis=1) != known.all(axis=1)).any():
        odd = ids[int(np.argmax(known.any(axis=1) != known.all(axis=1)))]
        raise ValueError(f"image {odd} has some of its points alone; a file of points has all")
    columns = {
        f"{landmark}_{name}": told[:, k, n]
        for k, landmark in enumerate(LANDMARKS)
        for n, name in enumerate(theirs)
    }
    return pd.DataFrame(
        {"image_id": ids, FOUND: np.where(known.all(axis=1), "yes", "no"), **columns}
    )


def _found(sheet: Sheet) -> Booleans:
    """Return in which rows a face was found: in all where the file says nothing of it."""
    if FOUND in sheet:
        cells = sheet.frame[FOUND].astype(str).str.strip()
        told = [yes_or_no(cell, FOUND, sheet.where(k)) for k, cell in enumerate(cells)]
        return np.array(told, bool)
    if STATUS in sheet:
        return (sheet.names(STATUS) == OK).to_numpy(bool)
    return np.ones(len(sheet), bool)


def _spread(sheet: Sheet, count: int) -> tuple[Floats, Floats, Floats]:
    """Return scale, tail and expected error of every landmark; NaN where the file has none."""
    unknown = np.full(count, np.nan)
    whole = sheet.numbers("expected_error") if "expected_error" in sheet else unknown

    def of(name: str, other: Floats = unknown) -> Floats:
        columns = (f"{landmark}_{name}" for landmark in LANDMARKS)
        return np.stack([sheet.numbers(c) if c in sheet else other for c in columns], axis=1)

    error = of("error", whole)
    if (error < 0).any():
        row = int(np.argmax((error < 0).any(axis=1)))
        raise ValueError(
            f"{sheet.where(row)}: an expected error is {error[row].min():g}; give interocular "
            "distances, which are not below 0"
        )
    xx, xy, yy = of("scale_xx"), of("scale_xy"), of("scale_yy")
    scale = np.stack([np.stack([xx, xy], -1), np.stack([xy, yy], -1)], -2)
    return scale, of("tail"), error


def _check_given(sheet: Sheet, names: pd.Series, points: Floats, found: Booleans) -> None:
    """Refuse points that are missing, or infinite, where the face was found."""
    lacking = found & ~np.isfinite(points).all(axis=(1, 2))
    if lacking.any():
        row = int(np.argmax(lacking))
        k, axis = np.argwhere(~np.isfinite(points[row]))[0]
        raise ValueError(
            f"{sheet.where(row)} (image {names[row]}): {LANDMARKS[k]}_{'xy'[axis]} is empty or "
            f"not finite; give all {len(LANDMARKS)} points in pixels, or {FOUND}: no"
        )


def _check_pixels(path: Path, points: Floats) -> None:
    if len(points) and points.min() >= 0 and points.max() <= FRACTION:
        raise ValueError(
            f"{path}: all points lie from {points.min():g} to {points.max():g}, as shares of the "
            "image do; give pixels"
        )


def _check_sides(path: Path, points: Floats) -> None:
    """Refuse a file whose left and right are the image's in most faces (a few may be mistaken)."""
    eyes = points[:, LEFT_EYE] - points[:, RIGHT_EYE]
    middle = (points[:, RIGHT_EYE] + points[:, LEFT_EYE]) / 2
    down = (points[:, RIGHT_MOUTH_CORNER] + points[:, LEFT_MOUTH_CORNER]) / 2 - middle
    swapped = eyes[:, 0] * down[:, 1] - eyes[:, 1] * down[:, 0] < 0
    if len(points) and 2 * np.count_nonzero(swapped) > len(points):
        raise ValueError(
            f"{path}: left and right eyes are swapped in {np.count_nonzero(swapped)} of "
            f"{len(points)} faces; left and right are the subject's, so in an upright face the "
            "right one lies left in the image"
        )
