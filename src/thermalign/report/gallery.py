"""One face under every variant: the boxes laid around it, and the recordings of its moment."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape

import cv2
import numpy as np

from thermalign.geometry import Floats
from thermalign.report.cells import MINUS
from thermalign.report.faces import LONGEST_SIDE, Face


@dataclass(frozen=True)
class Picture:
    """A face under variants.

    Attributes
    ----------
    protocol : str
    title : str
        What is done to the face or its box.
    pixels : (H, W) float
        The face, already cropped; degrees Celsius where thermal.
    given : (4,) float, pixels of the crop, (x, y, width, height)
        The box that detectors trained for.
    boxes : list of (4,) float
        Those of the variants.
    """

    protocol: str
    title: str
    pixels: Floats
    given: Floats
    boxes: list[Floats] = field(default_factory=list)


@dataclass(frozen=True)
class Gallery:
    """The pictures of a protocol on one grey scale, and what its ends are."""

    faces: list[Face]
    low: str
    high: str


def gallery(pictures: Iterable[Picture], protocol: str) -> Gallery | None:
    """Draw a protocol's pictures; None without any."""
    mine = [picture for picture in pictures if picture.protocol == protocol]
    if not mine:
        return None
    low = min(float(np.percentile(picture.pixels, 1)) for picture in mine)
    high = max(float(np.percentile(picture.pixels, 99.5)) for picture in mine)
    faces = [Face(_draw(picture, low, high), picture.title, "") for picture in mine]
    return Gallery(faces, *(f"{end:.0f}".replace("-", MINUS) for end in (low, high)))


def _draw(picture: Picture, low: float, high: float) -> str:
    height, width = picture.pixels.shape
    data = base64.b64encode(_png(picture.pixels, low, high)).decode()
    marks = [_rectangle(box, "varied", width / 100) for box in picture.boxes]
    if picture.boxes:
        marks.append(_rectangle(picture.given, "given", width / 100))
    return (
        f'<svg viewBox="-0.5 -0.5 {width} {height}" role="img" '
        f'aria-label="{escape(f"One face, {picture.title}")}">'
        f'<image x="-0.5" y="-0.5" width="{width}" height="{height}" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{data}"/>{"".join(marks)}</svg>'
    )


def _rectangle(box: Floats, kind: str, unit: float) -> str:
    x, y, width, height = box
    return (
        f'<rect class="{kind}" x="{x - 0.5:.1f}" y="{y - 0.5:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" stroke-width="{unit:.2f}"/>'
    )


def _png(pixels: Floats, low: float, high: float) -> bytes:
    """Spread ``low`` to ``high`` over 8 bits, for the eye only, and encode them."""
    grey = np.clip((pixels - low) / max(high - low, 1e-9), 0, 1)
    height, width = grey.shape
    shrink = min(1.0, LONGEST_SIDE / max(height, width))
    size = (round(width * shrink), round(height * shrink))
    small = cv2.resize(np.asarray(grey, np.float32), size, interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".png", np.round(small * 255).astype(np.uint8))[1].tobytes())
