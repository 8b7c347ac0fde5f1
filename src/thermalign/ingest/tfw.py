"""TFW: thermal faces in a room (142 people) and outside (not told who), a box and five points each.

Layout: ``{train,val,test}/{indoor,outdoor}.csv`` beside folders of the same names (iron palette)
and ``..._gray``. Columns: name, xs, ys, xe, ye (the box's corners), p1x, p1y to p5x, p5y.

Source: README, ``visualize_dataset.py`` and ``dataset2yolo.ipynb`` of the repository IS2AI/TFW. Not
shown by them: who is who outside, and whether xe and ye lie within the box (taken as its edges).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from thermalign.ingest import tree
from thermalign.ingest.cells import number
from thermalign.ingest.found import Found
from thermalign.ingest.is2ai import cells_of, pattern
from thermalign.ingest.lines import Cells
from thermalign.ingest.manifest import load
from thermalign.ingest.tree import NOSES, Mark, Tree, Walk, box_cells, landmark_cells
from thermalign.settings import setting

POINTS = {
    "right_eye": Mark(("p1",), "centre of the eye"),
    "left_eye": Mark(("p2",), "centre of the eye"),
    "nose_base": Mark(("p3",), "tip of the nose, which lies above its base"),
    "right_mouth_corner": Mark(("p4",), "outer corner of the mouth"),
    "left_mouth_corner": Mark(("p5",), "outer corner of the mouth"),
}
PARTS = ("train", "val", "test")
COLUMNS = ("name", "xs", "ys", "xe", "ye", *(f"p{n}{axis}" for n in range(1, 6) for axis in "xy"))
OUTSIDE = re.compile(r"(train|val|test)/outdoor(_gray)?/(?P<number>\d+)\.png")


@dataclass(frozen=True, kw_only=True)
class Settings(tree.Settings):
    """TFW as it is handed out.

    Attributes
    ----------
    nose : str
        What stands for the nose base: the marked ``tip``; an ``estimated`` one from eyes and mouth;
        or ``none``: images have a box and no landmarks.
    environment : str
        ``indoor``, or ``outdoor``: images of one face, all of them as of one person, since nothing
        tells who it is.
    palette : str
        ``gray``, or ``iron`` (false colours, which thermal_colour must allow).
    """

    nose: str = setting(choices=("tip", *NOSES))
    environment: str = setting("indoor", choices=("indoor", "outdoor"))
    palette: str = setting("gray", choices=("gray", "iron"))


def rows(settings: Settings) -> Tree:
    """Return the rows of a manifest."""
    walk = Walk(settings)
    environment = settings.environment
    shown = f"{environment}_gray" if settings.palette == "gray" else environment
    faces: dict[str, list[tuple[Path, int, Cells]]] = {}
    there: list[str] = []
    for part in PARTS:
        place = walk.place(f"{part}/{shown}", f"images of {part}")
        there += walk.files(place, ".png")
        file = walk.file(place.parent / f"{environment}.csv", "boxes and points")
        for row, cells in _faces(file):
            image = f"{part}/{shown}/{cells['name']}"
            faces.setdefault(image, []).append((file, row, cells))
    like = "1_1_1_1_1_1.png" if environment == "indoor" else "1.png"
    told = pattern(f"({'|'.join(PARTS)})/{shown}") if environment == "indoor" else OUTSIDE
    said = walk.named(there, told, like)
    firsts = {image: its[0][:2] for image, its in faces.items()}
    found = []
    for image in sorted(walk.matched(firsts, said)):
        file, row, cells = faces[image][0]
        if len(faces[image]) > 1:
            walk.leave_out(file, row, image, f"shows {len(faces[image])} faces, and one is meant")
            continue
        who = cells_of(said[image]) if environment == "indoor" else {"subject_id": "outdoor"}
        where = f"{file} row {row} (image {image})"
        found.append(
            {"path": image, "modality": "thermal", "split": image.split("/")[0]}
            | who
            | _marks(cells, settings.nose, where)
            | {"record": f"{file.parent.name}/{file.name} row {row}"}
        )
    return walk.done(found)


def _faces(file: Path) -> list[tuple[int, Cells]]:
    table = load(file)
    for name in COLUMNS:
        if name not in table.header:
            raise ValueError(
                f"{file}: no column {name!r}; TFW's tables have {', '.join(COLUMNS)}; get it again"
            )
    return [(row, dict(zip(table.header, cells, strict=True))) for row, cells in table.rows]


def _marks(cells: Cells, nose: str, where: str) -> Cells:
    value = {name: number(cells[name], name, where) for name in COLUMNS[1:]}
    points = {
        ours: (value[f"{mark.points[0]}x"], value[f"{mark.points[0]}y"])
        for ours, mark in POINTS.items()
    }
    left, top = value["xs"], value["ys"]
    box = box_cells(left, top, value["xe"] - left, value["ye"] - top)
    return landmark_cells(points, nose="marked" if nose == "tip" else nose) | box


def read(settings: Settings, sources: Sequence[Path]) -> Found:
    """Read the manifest that was made of the rows."""
    return tree.read_made(settings, sources)
