"""The images that stand for a dataset on its contact sheets, and what of each is shown."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import pandas as pd

from thermalign.geometry import Floats
from thermalign.images import DEGREES, read_image, unit_of

SUBJECTS, COLUMNS = 20, 16  # at most, of the contact sheet
MARKED = 12  # images on the sheet of boxes and landmarks
FRAME = 2.5  # times the area of its box, from where an image is a frame rather than a crop
KINDS = ["modality", "range", "condition"]
ENDS = (1.0, 99.9)  # percentiles of skin that the colour map spans
MIDDLE = (32, 36)  # px, to which the middles of pictures are averaged, so that all count alike
BELOW = 2.0  # K, that it begins lower

Kind = tuple[str, int, str]
"""Modality, range and condition of an image."""

Window = tuple[float, float]
"""Degrees Celsius at the ends of the colour map."""


def first_of_kinds(images: pd.DataFrame) -> pd.DataFrame:
    """Return the images of the contact sheet: the first of each kind of each subject shown.

    Kinds come first, so that only subjects are chosen who have one that is shown.
    """
    first = images.sort_values("image_id").drop_duplicates(["subject_id", *KINDS])
    columns = _spread(kinds_of(first), COLUMNS)
    first = first[[kind_of(row) in columns for row in first.to_dict("records")]]
    return first[first["subject_id"].isin(_subjects(first))]


def kinds_of(images: pd.DataFrame) -> list[Kind]:
    """Return the kinds of images that there are, in order."""
    rows = images[KINDS].drop_duplicates().sort_values(KINDS).to_dict("records")
    return [kind_of(row) for row in rows]


def kind_of(row: Mapping[Any, Any]) -> Kind:
    """Return the kind of a row of IMAGES."""
    return str(row["modality"]), int(row["range"]), str(row["condition"])


def _subjects(first: pd.DataFrame) -> list[str]:
    """Return the fullest subjects, spread evenly over those that are equally full."""
    full = first.groupby("subject_id").size()
    chosen: list[str] = []
    for _, group in sorted(full.groupby(full), key=lambda item: -float(str(item[0]))):
        names = sorted(str(name) for name in group.index)
        chosen += _spread(names, SUBJECTS - len(chosen))
    return chosen


def _spread(items: list[Any], count: int) -> list[Any]:
    """Return at most ``count`` items, evenly spaced."""
    count = min(count, len(items))
    return [items[k * len(items) // count] for k in range(count)]


def varied_images(images: pd.DataFrame) -> pd.DataFrame:
    """Return images of each kind in turn, of other subjects where there are, ordered by kind."""
    ordered = images.sort_values("image_id")
    kinds = [rows.drop_duplicates("subject_id") for _, rows in ordered.groupby(KINDS, sort=True)]
    kinds = _spread(kinds, MARKED)
    turns = [(kinds[turn % len(kinds)], turn) for turn in range(MARKED)]
    chosen = pd.concat([rows.iloc[[turn * len(rows) // MARKED]] for rows, turn in turns])
    return chosen.drop_duplicates("image_id").sort_values([*KINDS, "image_id"])


def are_frames(images: pd.DataFrame, boxes: Floats) -> bool:
    """Say whether images show much more than the face in their boxes (N, 4)."""
    areas = images["width"].to_numpy() * images["height"].to_numpy()
    return bool(np.median(areas / boxes[:, 2:].prod(axis=1)) > FRAME)


def whole(images: pd.DataFrame) -> Floats:
    """Return whole images as boxes (N, 4)."""
    return np.array([[0.0, 0.0, w, h] for w, h in images[["width", "height"]].to_numpy()])


def grown(areas: Floats, share: float) -> Floats:
    """Return boxes (N, 4) that reach a share of their size further on each side."""
    size = areas[:, 2:]
    return np.concatenate([areas[:, :2] - share * size, (1 + 2 * share) * size], axis=1)


def window_of(images: pd.DataFrame, first: pd.DataFrame, areas: Floats) -> Window | None:
    """Return what the colour map spans, in whole degrees; None where there are no degrees.

    The middle half of the pictures, which is skin, and a little below it for hair and walls.
    """
    thermal = images[images["modality"] == "thermal"]
    if {unit_of(row) for row in thermal.to_dict("records")} != {DEGREES}:
        return None
    rows = first.to_dict("records")
    middles = [
        cv2.resize(inner_part(read_image(row), area, 0.25), MIDDLE, interpolation=cv2.INTER_AREA)
        for row, area in zip(rows, areas, strict=True)
        if row["modality"] == "thermal"
    ]
    if not middles:
        return None
    low, high = np.percentile(np.stack(middles), ENDS).round(3)  # a mean of equals may be off
    return float(np.floor(low - BELOW)), float(np.ceil(high))


def inner_part(image: Any, area: Floats, share: float) -> Any:
    """Return the pixels of an area (4,) but for a share of its sides at every edge."""
    x, y, width, height = grown(area[None], -share)[0]
    left, top = max(0, int(x)), max(0, int(y))
    return image[top : max(int(y + height), top + 1), left : max(int(x + width), left + 1)]


def picture_of(row: Mapping[Any, Any]) -> Any:
    """Read an image for the eye: a thermal one as values, a visible one in its own colours.

    Raises
    ------
    ValueError
        If the file does not open as an image.
    """
    if row["modality"] == "thermal" or row["bit_depth"] != 8:
        return read_image(row)
    # As stored: boxes and points count those pixels, whatever way a camera says it was held.
    as_stored = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imread(str(row["path"]), as_stored)
    if pixels is None:
        raise ValueError(f"{row['path']}: does not open as an image; replace the file")
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
