"""Annotation files as dlib's imglab writes them, with the six points of CARL's and EURECOM's users.

``<image file="..."><box left top width height><part name x y/>...</box></image>``, whatever the
root is called. The points are the corners of the eyes and of the mouth; nobody marked a nose.

Source: annotation files of CARL and EURECOM VIS-TH in the repository
Thermal-to-Visible-Face-Recognition-Using-Deep-Autoencoders (Alpkant), MIT.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.parsers import expat

from thermalign.ingest.cells import number
from thermalign.ingest.lines import Cells
from thermalign.ingest.tree import Mark, Tree, Walk, box_cells, landmark_cells, mean

SIX_POINTS = {
    "right_eye": Mark(("righteye_outer", "righteye_inner"), "mean of the corners of the eye"),
    "left_eye": Mark(("lefteye_inner", "lefteye_outer"), "mean of the corners of the eye"),
    "nose_base": Mark((), "not marked"),
    "right_mouth_corner": Mark(("mouthcorner_right",), "corner of the mouth"),
    "left_mouth_corner": Mark(("mouthcorner_left",), "corner of the mouth"),
}
"""Left and right are the subject's: in an upright face every right point lies left in the image."""
PARTS = tuple(part for mark in SIX_POINTS.values() for part in mark.points)
BOX_SIDES = ("left", "top", "width", "height")


@dataclass
class Record:
    """One image of an annotation file, as it stands there.

    Attributes
    ----------
    image : str
        Path of the image.
    row : int
        Line at which its element begins.
    boxes : attributes of its boxes
    parts : name, x and y of its points
    """

    image: str
    row: int
    boxes: list[dict[str, str]] = field(default_factory=list)
    parts: list[tuple[str, str, str]] = field(default_factory=list)


def read_records(file: Path) -> list[Record]:
    """Read the images of an annotation file.

    Raises
    ------
    ValueError
        If the file is no well-formed XML, or an element lacks what it must have.
    """
    records: list[Record] = []
    parser = expat.ParserCreate()

    def start(name: str, given: dict[str, str]) -> None:
        row = parser.CurrentLineNumber
        try:
            if name == "image":
                records.append(Record(given["file"], row))
            elif name == "box":
                records[-1].boxes.append({side: given[side] for side in BOX_SIDES})
            elif name == "part":
                records[-1].parts.append((given["name"], given["x"], given["y"]))
        except KeyError as error:
            raise ValueError(f"{file} row {row}: <{name}> has no {error}; correct it") from None
        except IndexError:
            raise ValueError(f"{file} row {row}: <{name}> is of no image; correct it") from None

    parser.StartElementHandler = start
    try:
        parser.Parse(file.read_bytes(), True)
    except expat.ExpatError as error:
        raise ValueError(f"{file} row {error.lineno}: is no XML ({error}); get it again") from None
    return records


def points_of(record: Record, where: str) -> tuple[dict[str, tuple[float, float]], str]:
    """Return the landmarks of a record without a nose base, and why there are none.

    Raises
    ------
    ValueError
        If a point is of another scheme, or a coordinate is no number.
    """
    names = [name for name, _, _ in record.parts]
    for name in names:
        if name not in PARTS:
            raise ValueError(
                f"{where}: point {name!r} is of another scheme; this adapter knows "
                f"{', '.join(PARTS)} (docs/adapters.md says how to write one for others)"
            )
    twice = sorted({name for name in names if names.count(name) > 1})
    faults = [f"{name} is marked twice" for name in twice]
    faults += [f"{name} is not marked" for name in PARTS if name not in names]
    if faults:
        return {}, " and ".join(faults)
    places = {
        n: (number(x, f"{n} x", where), number(y, f"{n} y", where)) for n, x, y in record.parts
    }
    marks = {name: mark.points for name, mark in SIX_POINTS.items() if mark.points}
    return {name: mean(*(places[part] for part in parts)) for name, parts in marks.items()}, ""


def annotated_rows(
    walk: Walk,
    annotations: Path,
    images: Mapping[str, Any],
    nose: str,
    cells: Callable[[str, Any], Cells],
) -> Tree:
    """Return the rows of all images that annotation files tell of.

    Parameters
    ----------
    walk : Walk
    annotations : Path
        Folder of the annotation files.
    images : path -> what its name says
        Images that are there.
    nose : str
        One of NOSES.
    cells : function of a path and of what its name says
        Returns the cells but those of landmarks and box.
    """
    marked: dict[str, tuple[Path, int]] = {}
    records = {}
    walk.sources[annotations] = None
    for file in sorted(annotations.glob("*.xml")):
        for record in read_records(walk.file(file, "annotations")):
            if record.image in marked:
                walk.misfit(file, record.row, record.image, "is annotated twice")
                continue
            marked[record.image] = file, record.row
            records[record.image] = record
    rows = []
    for image in sorted(walk.matched(marked, images)):
        file, row = marked[image]
        its = _landmarks_and_box(walk, records[image], file, nose)
        if its is not None:
            place = {"record": f"{file.name} row {row}"}
            rows.append({"path": image} | cells(image, images[image]) | its | place)
    return walk.done(rows)


def _landmarks_and_box(walk: Walk, record: Record, file: Path, nose: str) -> Cells | None:
    where = f"{file} row {record.row} (image {record.image})"
    points, fault = points_of(record, where)
    if not fault and len(record.boxes) != 1:
        fault = f"has {len(record.boxes)} face boxes instead of one"
    if fault:
        walk.leave_out(file, record.row, record.image, fault)
        return None
    sides = (number(record.boxes[0][side], side, where) for side in BOX_SIDES)
    return landmark_cells(points, nose=nose) | box_cells(*sides)
