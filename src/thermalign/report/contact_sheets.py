"""Which images the contact sheets show, and how they are cut."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from thermalign.geometry import Floats, apply_matrix, box_to_crop
from thermalign.images import DEGREES, read_image, unit_of
from thermalign.records import BOX, points_of
from thermalign.report.montage import (
    BOX_GAP,
    GAP,
    PAPER,
    Tile,
    Window,
    contact_sheet,
    marked_sheet,
    paint,
    resize,
)

SUBJECTS = 20  # rows of the contact sheet


COLUMNS = 16  # of the contact sheet at most


SHEET_WIDTH = 900  # px, that the pictures of a row share


NARROWEST, WIDEST = 52, 88  # px, of a picture of the contact sheet


MARGIN = 0.2  # of a frame's box, shown around it on each side


ROOM = 0.1  # of a crop, left around it on each side for a box that reaches beyond


MARKED = 12  # whole images on the second sheet


FRAME = 2.5  # times the area of its box, from where an image is a frame rather than a crop


ENDS = (1.0, 99.9)  # percentiles of skin that the colour map spans


BELOW = 2.0  # K, that it begins lower


KINDS = ["modality", "range", "condition"]


Kind = tuple[str, int, str]


@dataclass(frozen=True)
class Sheets:
    """Two PNG files, and what they show.

    Attributes
    ----------
    contact, marked : bytes
    shown : count by name
        Kinds that the dataset has; kinds, subjects and images on each sheet.
    window : (float, float), degrees Celsius, or None
        What the ends of the colours stand for; None where there are no degrees.
    """

    contact: bytes
    marked: bytes
    shown: dict[str, int]
    window: tuple[float, float] | None


def sheets(images: pd.DataFrame, annotations: pd.DataFrame, boxes: pd.DataFrame) -> Sheets:
    """Draw the contact sheet of a dataset, and whole images with their boxes and landmarks.

    The contact sheet shows one face of every modality, range and condition, or of as many as it has
    columns, for up to :data:`SUBJECTS` subjects. Those with the most of these come first; among
    equals they are spread evenly over the dataset.
    A face is the first of its kind by name: none is picked by how it looks. Both sheets share one
    colour map.

    Parameters
    ----------
    images, annotations, boxes : DataFrame of the tables
    """
    first = _first(images)
    kinds, subjects = _kinds(first), sorted(set(first["subject_id"]))
    areas = _frames_cut(first, boxes) if _are_frames(first, boxes) else _whole(first)
    width = int(np.clip(SHEET_WIDTH // len(kinds) - GAP, NARROWEST, WIDEST))
    size = _size(areas, width)
    faces = {
        (row["subject_id"], _kind(row)): _cut(row, area, size)
        for row, area in zip(first.to_dict("records"), areas, strict=True)
    }
    window = _window(images, faces.values())
    contact = contact_sheet(
        [
            (s, [Tile(_coloured(faces[s, k], window)) if (s, k) in faces else None for k in kinds])
            for s in subjects
        ],
        [(modality.capitalize(), f"Range {reach}", word) for modality, reach, word in kinds],
        width=SHEET_WIDTH,
        window=window,
    )
    varied = _varied(images)
    marked = _marked(varied, annotations, boxes, window=window)
    shown = {
        "kinds": len(_kinds(images)),
        "contact_kinds": len(kinds),
        "contact_subjects": len(subjects),
        "marked_kinds": len(_kinds(varied)),
        "marked_subjects": varied["subject_id"].nunique(),
        "marked_images": len(varied),
    }
    return Sheets(contact, marked, shown, (window.low, window.high) if window else None)


def _marked(
    chosen: pd.DataFrame, annotations: pd.DataFrame, boxes: pd.DataFrame, *, window: Window | None
) -> bytes:
    ids = list(chosen["image_id"])
    placed = boxes.set_index("image_id").loc[ids, BOX].to_numpy(np.float64)
    frames = _are_frames(chosen, boxes)
    areas = _whole(chosen) if frames else _grown(_whole(chosen), ROOM)
    across = 3 if frames else 6
    size = _size(areas, SHEET_WIDTH // across - BOX_GAP)
    tiles = []
    for row, area, matrix, box, points in zip(
        chosen.to_dict("records"),
        areas,
        _matrices(areas, size),
        placed,
        points_of(annotations, ids),
        strict=True,
    ):
        corners = apply_matrix(matrix, np.array([box[:2], box[:2] + box[2:]]) - 0.5) + 0.5
        words = [str(row["subject_id"]), f"{row['modality']}, Range {row['range']}"]
        tiles.append(
            Tile(
                _coloured(_cut(row, area, size), window),
                [*words, str(row["condition"])],
                box=np.concatenate([corners[0], corners[1] - corners[0]]),
                points=apply_matrix(matrix, points) if np.isfinite(points).all() else None,
            )
        )
    return marked_sheet(tiles, across=across, window=window)


def _first(images: pd.DataFrame) -> pd.DataFrame:
    """Return the images of the contact sheet: the first of each kind of each subject shown.

    Kinds come first, so that only subjects are chosen who have one that is shown.
    """
    first = images.sort_values("image_id").drop_duplicates(["subject_id", *KINDS])
    columns = _spread(_kinds(first), COLUMNS)
    first = first[[_kind(row) in columns for row in first.to_dict("records")]]
    return first[first["subject_id"].isin(_subjects(first))]


def _kinds(images: pd.DataFrame) -> list[Kind]:
    rows = images[KINDS].drop_duplicates().sort_values(KINDS).to_dict("records")
    return [_kind(row) for row in rows]


def _kind(row: Any) -> Kind:
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


def _varied(images: pd.DataFrame) -> pd.DataFrame:
    """Return images of each kind in turn, of other subjects where there are, ordered by kind."""
    ordered = images.sort_values("image_id")
    kinds = [rows.drop_duplicates("subject_id") for _, rows in ordered.groupby(KINDS, sort=True)]
    kinds = _spread(kinds, MARKED)
    turns = [(kinds[turn % len(kinds)], turn) for turn in range(MARKED)]
    chosen = pd.concat([rows.iloc[[turn * len(rows) // MARKED]] for rows, turn in turns])
    return chosen.drop_duplicates("image_id").sort_values([*KINDS, "image_id"])


def _are_frames(images: pd.DataFrame, boxes: pd.DataFrame) -> bool:
    """Say whether images show much more than a face."""
    joined = images.merge(boxes, on="image_id", suffixes=("", "_box"))
    share = joined["width"] * joined["height"] / (joined["width_box"] * joined["height_box"])
    return bool(share.median() > FRAME)


def _whole(images: pd.DataFrame) -> Floats:
    """Return whole images as boxes (N, 4)."""
    return np.array([[0.0, 0.0, w, h] for w, h in images[["width", "height"]].to_numpy()])


def _frames_cut(images: pd.DataFrame, boxes: pd.DataFrame) -> Floats:
    """Return the boxes (N, 4) of faces with a margin."""
    placed = boxes.set_index("image_id").loc[list(images["image_id"]), BOX]
    return _grown(placed.to_numpy(np.float64), MARGIN)


def _size(areas: Floats, width: int) -> tuple[int, int]:
    """Return the size of pictures of a width that have the shape of the middle one of the areas."""
    return width, round(width * float(np.median(areas[:, 3] / areas[:, 2])))


def _grown(areas: Floats, share: float) -> Floats:
    """Return boxes (N, 4) that reach a share of their size further on each side."""
    size = areas[:, 2:]
    return np.concatenate([areas[:, :2] - share * size, (1 + 2 * share) * size], axis=1)


def _matrices(areas: Floats, size: tuple[int, int]) -> Floats:
    """Return the maps (N, 2, 3) that bring boxes (N, 4) to pictures of a size, in proportion."""
    height = areas[:, 2] * size[1] / size[0]
    width = np.where(height < areas[:, 3], areas[:, 3] * size[0] / size[1], areas[:, 2])
    wide = np.stack([width, width * size[1] / size[0]], axis=1)
    corner = areas[:, :2] + (areas[:, 2:] - wide) / 2
    return np.asarray(box_to_crop(np.concatenate([corner, wide], axis=1), *size))


def _cut(row: dict[Any, Any], area: Floats, size: tuple[int, int]) -> Any:
    """Cut a part of an image to a picture of a size; NaN or paper where the image ends.

    Returns
    -------
    (height, width) float32 of an image of values, or (height, width, 3) uint8 of one in colour
    """
    image = _picture(row)
    fine = max(1, round(area[2] / size[0]))  # taken finer, then averaged: no line is skipped
    large = (size[0] * fine, size[1] * fine)
    beyond = np.nan if image.ndim == 2 else (PAPER, PAPER, PAPER)
    matrix = _matrices(area[None], large)[0]
    crop = cv2.warpAffine(image, matrix, large, borderMode=cv2.BORDER_CONSTANT, borderValue=beyond)
    return resize(crop, size)


def _picture(row: dict[Any, Any]) -> Any:
    """Read an image for the eye: a thermal one as values, a visible one in its own colours."""
    if row["modality"] == "thermal":
        return read_image(row)
    if row["bit_depth"] != 8:
        return _coloured(read_image(row), None)
    # As stored: boxes and points count those pixels, whatever way a camera says it was held.
    as_stored = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imread(str(Path(row["path"])), as_stored)
    if pixels is None:
        raise ValueError(f"{row['path']}: does not open as an image; replace the file")
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def _window(images: pd.DataFrame, pictures: Iterable[Any]) -> Window | None:
    """Return what the colour map spans, in whole degrees; None where there are no degrees.

    The middle half of the pictures, which is skin, and a little below it for hair and walls.
    """
    thermal = images[images["modality"] == "thermal"]
    middles = [
        p[p.shape[0] // 4 : -p.shape[0] // 4, p.shape[1] // 4 : -p.shape[1] // 4]
        for p in pictures
        if p.ndim == 2
    ]
    values = [middle.ravel() for middle in middles]
    if not values or {unit_of(row) for row in thermal.to_dict("records")} != {DEGREES}:
        return None
    low, high = np.nanpercentile(np.concatenate(values), ENDS)
    return Window(float(np.floor(low - BELOW)), float(np.ceil(high)), "°C")


def _coloured(picture: Any, window: Window | None) -> Any:
    if picture.ndim == 3:
        return picture
    if window is None:
        low, high = (float(v) for v in np.nanpercentile(picture, (1, 99)))
        return paint(picture, Window(low, high, ""))
    return paint(picture, window)
