"""Face pictures with annotated and predicted landmarks, drawn as SVG over the image."""

import base64
import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

import cv2
import numpy as np

from thermalign.geometry import Floats
from thermalign.report.cells import fraction
from thermalign.report.names import Look, slug

LONGEST_SIDE = 170
"""Longest side of an embedded picture in pixels; larger ones are reduced, none is enlarged."""

KINDS = {
    "typical": "Typical faces",
    "best": "Best faces",
    "worst": "Worst faces",
}


@dataclass(frozen=True)
class Example:
    """One face as one model saw it.

    Attributes
    ----------
    protocol, model, subject_id : str
    range : int
    pixels : (H, W) float
        The face, already cropped, in any unit.
    annotated, predicted : (L, 2) float, pixels of the crop, (x, y), or None
        NaN where no face was found.
    nmse : float
        NaN without annotated or predicted points.
    kind : str
        "typical", "best" or "worst".
    """

    protocol: str
    model: str
    subject_id: str
    range: int
    pixels: Floats
    annotated: Floats | None
    predicted: Floats | None
    nmse: float
    kind: str


@dataclass(frozen=True)
class Face:
    """A picture ready for the page, with the two lines under it."""

    svg: str
    title: str
    detail: str


@dataclass(frozen=True)
class Strip:
    """The pictures of one model side by side."""

    look: Look
    faces: list[Face]


@dataclass(frozen=True)
class Album:
    """The strips of one protocol and kind."""

    title: str
    strips: list[Strip]


def albums(examples: Iterable[Example], protocol: str, *, looks: dict[str, Look]) -> list[Album]:
    """Arrange a protocol's examples by kind and model: worst first, others by range, subject."""
    mine = [e for e in examples if e.protocol == protocol]
    kinds = [*KINDS, *sorted({e.kind for e in mine} - KINDS.keys())]
    found = []
    for kind in kinds:
        strips = [
            Strip(look, [draw_face(e, look.label) for e in _ordered(mine, kind, model)])
            for model, look in looks.items()
        ]
        strips = [strip for strip in strips if strip.faces]
        if strips:
            found.append(Album(KINDS.get(kind, kind), strips))
    return found


def images(examples: Iterable[Example]) -> dict[str, str]:
    """Return the picture of every example as SVG ``image``, by identifier, equal ones once."""
    return {_identifier(e.pixels): _image(e.pixels) for e in examples}


def draw_face(example: Example, label: str) -> Face:
    """Draw annotated points as red rings, predicted ones as blue, numbered dots."""
    height, width = example.pixels.shape
    unit = width / 100
    marks = _links(example, unit)
    marks += [
        f'<circle class="annotated" cx="{x:.2f}" cy="{y:.2f}" r="{2.6 * unit:.2f}" '
        f'stroke-width="{1.2 * unit:.2f}"/>'
        for _, x, y in _points(example.annotated)
    ]
    for i, x, y in _points(example.predicted):
        marks.append(
            f'<circle class="predicted" cx="{x:.2f}" cy="{y:.2f}" r="{1.9 * unit:.2f}" '
            f'stroke-width="{0.5 * unit:.2f}"/>'
            f'<text x="{x + 2.6 * unit:.2f}" y="{y - 2.2 * unit:.2f}" '
            f'font-size="{9 * unit:.2f}" stroke-width="{2 * unit:.2f}">{i + 1}</text>'
        )
    said, detail = _words(example)
    where = f"{example.subject_id}, Range {example.range}"
    svg = (
        f'<svg viewBox="-0.5 -0.5 {width} {height}" role="img" '
        f'aria-label="{escape(f"{label} on subject {where}: {said}")}">'
        f'<use href="#{_identifier(example.pixels)}"/>{"".join(marks)}</svg>'
    )
    return Face(svg, where, detail)


def _ordered(examples: list[Example], kind: str, model: str) -> list[Example]:
    mine = [e for e in examples if e.kind == kind and e.model == model]
    if kind == "worst":
        return sorted(mine, key=lambda e: -e.nmse if math.isfinite(e.nmse) else -math.inf)
    return sorted(mine, key=lambda e: (e.range, e.subject_id))


def _points(points: Floats | None) -> list[tuple[int, float, float]]:
    if points is None:
        return []
    listed = enumerate((float(x), float(y)) for x, y in points)
    return [(i, x, y) for i, (x, y) in listed if math.isfinite(x) and math.isfinite(y)]


def _links(example: Example, unit: float) -> list[str]:
    ends = {i: (x, y) for i, x, y in _points(example.annotated)}
    return [
        f'<line class="link" x1="{ends[i][0]:.2f}" y1="{ends[i][1]:.2f}" x2="{x:.2f}" y2="{y:.2f}" '
        f'stroke-width="{0.7 * unit:.2f}"/>'
        for i, x, y in _points(example.predicted)
        if i in ends
    ]


def _words(example: Example) -> tuple[str, str]:
    found = _points(example.predicted)
    if not found:
        return "no face found", "no face found"
    height, width = example.pixels.shape
    outside = sum(not (-0.5 <= x < width and -0.5 <= y < height) for _, x, y in found)
    known = math.isfinite(example.nmse)
    detail = f"NMSE {fraction(example.nmse)}" if known else "not annotated"
    if outside:
        detail += f"; {outside} outside"
    return detail, detail


def _identifier(pixels: Floats) -> str:
    data = np.ascontiguousarray(pixels, dtype="<f4")
    digest = hashlib.sha256(f"{data.shape}".encode() + data.tobytes()).hexdigest()
    return f"face-{slug(digest[:16])}"


def _image(pixels: Floats) -> str:
    height, width = pixels.shape
    encoded = base64.b64encode(_png(pixels)).decode()
    return (
        f'<image id="{_identifier(pixels)}" x="-0.5" y="-0.5" width="{width}" height="{height}" '
        f'preserveAspectRatio="none" href="data:image/png;base64,{encoded}"/>'
    )


def _png(pixels: Floats) -> bytes:
    """Stretch the central 98 % of the values over 8 bits, for the eye only, and encode them."""
    values: Any = np.asarray(pixels, dtype=np.float32)
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, [1, 99]) if finite.size else (0.0, 1.0)
    grey = np.clip((np.nan_to_num(values, nan=low) - low) / max(high - low, 1e-9), 0, 1)
    shrink = min(1.0, LONGEST_SIDE / max(values.shape))
    if shrink < 1:
        size = (round(values.shape[1] * shrink), round(values.shape[0] * shrink))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    done, encoded = cv2.imencode(".png", np.round(grey * 255).astype(np.uint8))
    if not done:
        raise ValueError(f"a face picture of shape {values.shape} cannot be encoded as PNG")
    return bytes(encoded.tobytes())
