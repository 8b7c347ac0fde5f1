"""Faces with their points: typical ones, and where each model went most wrong."""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from thermalign.geometry import Floats
from thermalign.report.blocks import Block, Chapter, Paragraph, Part
from thermalign.report.drawing import grey_address
from thermalign.report.exhibits import Example
from thermalign.report.looks import Look
from thermalign.report.study import Study
from thermalign.report.views import View
from thermalign.report.words import fraction

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


def chapter(study: Study) -> Chapter:
    """Show faces with annotated and predicted points, a part per protocol.

    It reads the examples that the step ``report`` chose.
    """
    shown = [
        Part(view.label, albums(study.examples, view), view.protocol.name) for view in study.views
    ]
    parts = [part for part in shown if part.blocks]
    blocks: list[Block] = []
    if study.seeds:
        blocks.append(
            Paragraph(
                "Of models with several training seeds, the training with the lowest seed is shown."
            )
        )
    if not parts:
        blocks.append(Paragraph("No face pictures were given.", tone="absent"))
    return Chapter("faces", "Faces", parts, blocks)


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
