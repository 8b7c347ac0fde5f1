"""SF-TL54: 2,556 thermal images of 142 people, each with a box and 54 points.

Layout: ``{gray,iron}/{train,val,test}/{images/*.png,json/*.json}``, an image and a labelme file of
one name each. The box is the shape ``face``; the points are all other shapes, in order.

Source: README, scripts, ``figures/land_conf.png`` of the repository
IS2AI/thermal-facial-landmarks-detection. Not shown by them: the names of the visible images in
``rgb/``, and points of those: they are not read. ASSUME: labelme's coordinates are taken as they
are; if they count from a pixel's corner, all points lie half a pixel to the right and below.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thermalign.ingest import tree
from thermalign.ingest.found import Found
from thermalign.ingest.is2ai import cells_of, pattern, people_of
from thermalign.ingest.lines import Cells
from thermalign.ingest.tree import Mark, Point, Tree, Walk, box_cells, landmark_cells, mean
from thermalign.settings import setting

COUNT = 54
"""Points of a face."""


def _mark(first: int, last: int, meaning: str) -> Mark:
    return Mark(tuple(str(n) for n in range(first, last + 1)), meaning)


POINTS = {
    "right_eye": _mark(37, 42, "mean of six points around the eye"),
    "left_eye": _mark(43, 48, "mean of six points around the eye"),
    "nose_base": _mark(34, 34, "base of the nose"),
    "right_mouth_corner": _mark(49, 49, "corner of the mouth"),
    "left_mouth_corner": _mark(51, 51, "corner of the mouth"),
}
"""Points by their numbers from 1, as the dataset's figure counts them."""
PARTS = ("train", "val", "test")


@dataclass(frozen=True, kw_only=True)
class Settings(tree.Settings):
    """SF-TL54 as it is handed out.

    Attributes
    ----------
    palette : str
        ``gray``, or ``iron`` (false colours, which thermal_colour must allow).
    people : str
        Table of people (metadata.csv), relative to ``folder``; empty is not read.
    """

    palette: str = setting("gray", choices=("gray", "iron"))
    people: str = setting("")


def rows(settings: Settings) -> Tree:
    """Return the rows of a manifest."""
    walk = Walk(settings)
    people = people_of(walk, settings.people)
    there: list[str] = []
    marked = {}
    for part in PARTS:
        place = f"{settings.palette}/{part}"
        there += walk.files(walk.place(f"{place}/images", f"images of {part}"), ".png")
        for name in walk.files(walk.place(f"{place}/json", "boxes and points"), ".json"):
            marked[f"{place}/images/{Path(name).stem}.png"] = Path(walk.folder, name), 0
    folders = rf"{settings.palette}/(?P<part>{'|'.join(PARTS)})/images"
    said = walk.named(there, pattern(folders), "100_1_2_1_1134_36_1.png")
    found = []
    for image in sorted(walk.matched(marked, said)):
        its, file = said[image], walk.file(marked[image][0], "a box and points")
        marks, fault = _marks(file)
        if fault:
            walk.leave_out(file, 0, image, fault)
            continue
        found.append(
            {"path": image, "modality": "thermal"}
            | cells_of(its)
            | {"split": its["part"]}
            | people.get(its["subject"], {})
            | marks
            | {"record": file.relative_to(walk.folder).as_posix()}
        )
    return walk.done(found)


def _marks(file: Path) -> tuple[Cells, str]:
    """Return the cells of landmarks and box, and what is missing for them.

    Raises
    ------
    ValueError
        If the file is no such JSON, or has points of another scheme.
    """
    try:
        shapes = json.loads(file.read_text(encoding="utf-8"))["shapes"]
        boxes = [shape["points"] for shape in shapes if shape["label"] == "face"]
        others = [shape["points"] for shape in shapes if shape["label"] != "face"]
        points = [_point(point) for its in others for point in its]
        corners = [_point(point) for box in boxes for point in box]
    except (ValueError, KeyError, TypeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise ValueError(f"{file}: is no file of labelme's ({what}); get it again") from None
    if len(points) > COUNT:
        raise ValueError(
            f"{file}: has {len(points)} points, of another scheme than the {COUNT} of this "
            "dataset; write an adapter for them (docs/adapters.md)"
        )
    if len(points) < COUNT or len(corners) != 2:
        return {}, f"has {len(points)} of {COUNT} points and {len(corners)} of a box's 2 corners"
    marks = {ours: mean(*(points[int(n) - 1] for n in m.points)) for ours, m in POINTS.items()}
    (left, top), (right, bottom) = (tuple(map(f, *corners)) for f in (min, max))
    return landmark_cells(marks) | box_cells(left, top, right - left, bottom - top), ""


def _point(point: Any) -> Point:
    x, y = point
    return float(x), float(y)


def read(settings: Settings, sources: Sequence[Path]) -> Found:
    """Read the manifest that was made of the rows."""
    return tree.read_made(settings, sources)
