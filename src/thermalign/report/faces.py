"""Faces as models saw them: which are shown, and their landmarks over the picture."""

import hashlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from thermalign.geometry import Floats, interocular_distance
from thermalign.images import read_image
from thermalign.records import boxes_of, points_of
from thermalign.report.layout import fraction
from thermalign.report.pictures import crop, grey_address
from thermalign.report.setup import Look
from thermalign.report.study import Example, View

SHOWN = 3  # faces of each kind
MARGIN = 0.12  # of the box, shown around it
KINDS = {
    "typical": "Typical faces",
    "best": "Best faces",
    "worst": "Worst faces",
}
LEGEND = (
    "Red rings: annotated. Blue dots: predicted, numbered 1 right eye, 2 left eye, 3 nose base, "
    "4 right and 5 left mouth corner (the subject’s right and left). A thin line joins the two; "
    "“outside” counts predicted points beyond the picture. Contrast is stretched for the eye only."
)

Point = tuple[int, float, float]
"""Number from 1, and (x, y) in pixels of the picture."""


@dataclass(frozen=True)
class Face:
    """A picture ready for the page, with what is drawn over it and the lines under it.

    Attributes
    ----------
    id : str
        Of the picture, the same for all that show it.
    width, height : int, pixels
    alt, title, detail : str
    annotated, predicted : list of Point
        Those that are known.
    """

    id: str
    width: int
    height: int
    alt: str
    title: str
    detail: str
    annotated: list[Point] = field(default_factory=list)
    predicted: list[Point] = field(default_factory=list)

    @property
    def links(self) -> list[tuple[float, float, float, float]]:
        """Where a line joins an annotated and its predicted point: (x, y, x, y)."""
        known = {n: (x, y) for n, x, y in self.annotated}
        return [(*known[n], x, y) for n, x, y in self.predicted if n in known]


@dataclass(frozen=True)
class Strip:
    """The pictures of one model side by side."""

    look: Look
    faces: list[Face]


@dataclass(frozen=True)
class Album:
    """A figure of faces: the strips of one protocol and kind."""

    kind: ClassVar[str] = "album"
    caption: str
    strips: list[Strip]


def albums(examples: Iterable[Example], view: View) -> list[Album]:
    """Arrange a protocol's examples by kind and model: worst first, others by range, subject."""
    mine = [e for e in examples if e.protocol == view.protocol.name]
    kinds = [*KINDS, *sorted({e.kind for e in mine} - KINDS.keys())]
    found = []
    for kind in kinds:
        strips = [
            Strip(look, [draw_face(e, look.label) for e in _ordered(mine, kind, model)])
            for model, look in view.looks.items()
        ]
        strips = [strip for strip in strips if strip.faces]
        if strips:
            found.append(Album(f"{KINDS.get(kind, kind)}, {view.label}. {LEGEND}", strips))
    return found


def images(examples: Iterable[Example]) -> dict[str, tuple[int, int, str]]:
    """Return width, height and address of every example's picture by identifier, each once."""
    return {
        _identifier(e.pixels): (e.pixels.shape[1], e.pixels.shape[0], grey_address(e.pixels))
        for e in examples
    }


def draw_face(example: Example, label: str) -> Face:
    """Say what is drawn of an example, and what is said of it."""
    height, width = example.pixels.shape
    where = f"{example.subject_id}, Range {example.range}"
    detail = _words(example)
    return Face(
        id=_identifier(example.pixels),
        width=width,
        height=height,
        alt=f"{label} on subject {where}: {detail}",
        title=where,
        detail=detail,
        annotated=_points(example.annotated),
        predicted=_points(example.predicted),
    )


def _ordered(examples: list[Example], kind: str, model: str) -> list[Example]:
    mine = [e for e in examples if e.kind == kind and e.model == model]
    if kind == "worst":
        return sorted(mine, key=lambda e: -e.nmse if math.isfinite(e.nmse) else -math.inf)
    return sorted(mine, key=lambda e: (e.range, e.subject_id))


def _points(points: Floats | None) -> list[Point]:
    listed = [] if points is None else [(float(x), float(y)) for x, y in points]
    known = enumerate(listed, start=1)
    return [(n, x, y) for n, (x, y) in known if math.isfinite(x) and math.isfinite(y)]


def _words(example: Example) -> str:
    found = _points(example.predicted)
    if not found:
        return "no face found"
    height, width = example.pixels.shape
    outside = sum(not (-0.5 <= x < width and -0.5 <= y < height) for _, x, y in found)
    known = math.isfinite(example.nmse)
    detail = f"NMSE {fraction(example.nmse)}" if known else "not annotated"
    return f"{detail}; {outside} outside" if outside else detail


def _identifier(pixels: Floats) -> str:
    data = np.ascontiguousarray(pixels, dtype="<f4")
    digest = hashlib.sha256(f"{data.shape}".encode() + data.tobytes()).hexdigest()
    return f"face-{digest[:16]}"


def examples(
    predictions: pd.DataFrame,
    annotations: pd.DataFrame,
    images: pd.DataFrame,
    boxes: pd.DataFrame,
) -> list[Example]:
    """Choose and cut faces of the first fold of every protocol.

    Typical faces are not picked by result: the first image at the nearest range of the first
    subjects by name. Worst faces are those with a model's highest NMSE, one per subject.

    Parameters
    ----------
    predictions, annotations, images, boxes : DataFrame of the tables
    """
    asked = predictions[predictions["fold"] == 0]
    found: list[Example] = []
    for (protocol, model), rows in asked.groupby(["protocol", "model"], sort=False):
        ids = rows["image_id"].drop_duplicates()
        ids = ids[ids.isin(annotations["image_id"])]
        if ids.empty:
            continue
        known = images.set_index("image_id", drop=False).loc[ids]
        points = points_of(rows, list(ids)), points_of(annotations, list(ids))
        named = {"protocol": str(protocol), "model": str(model)}
        found += _examples(known, boxes_of(known, boxes), *points, named=named)
    return found


def _examples(
    images: pd.DataFrame,
    boxes: Floats,
    predicted: Floats,
    annotated: Floats,
    *,
    named: dict[str, Any],
) -> Iterator[Example]:
    """Yield the examples among a model's images, row for row with boxes and points."""
    unit = interocular_distance(annotated)
    errors = (np.linalg.norm(predicted - annotated, axis=-1) / unit[:, None]).mean(axis=1)
    for kind, chosen in _choose(images, errors).items():
        for n in chosen:
            row = images.iloc[n].to_dict()
            pixels, corner = crop(read_image(row), boxes[n], MARGIN)
            yield Example(
                subject_id=str(row["subject_id"]),
                range=int(row["range"]),
                pixels=pixels,
                annotated=annotated[n] - corner,
                predicted=predicted[n] - corner,
                nmse=float(errors[n]),
                kind=kind,
                **named,
            )


def _choose(images: pd.DataFrame, errors: Floats) -> dict[str, list[int]]:
    """Return the rows of typical and of worst faces."""
    order = images.reset_index(drop=True).assign(error=errors)
    near = order[order["range"] == order["range"].min()].sort_values("image_id")
    typical = near.drop_duplicates("subject_id").index[:SHOWN]
    by_error = order.sort_values("error", ascending=False)
    worst = by_error.dropna(subset="error").drop_duplicates("subject_id").index[:SHOWN]
    return {"typical": list(typical), "worst": list(worst)}
