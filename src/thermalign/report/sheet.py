"""Contact sheets inside the page: small enough to embed, sharp at their own size."""

import base64
from dataclasses import dataclass
from html import escape

import cv2
import numpy as np

MOST_BYTES = 450_000
"""Of an embedded sheet; base64 makes a third more of them in the page."""

QUALITIES = (92, 85, 78, 70, 60, 50)  # of JPEG, the first that is small enough


@dataclass(frozen=True)
class Sheet:
    """A picture ready for the page, and what it shows."""

    title: str
    caption: str
    svg: str


def sheet(png: bytes, *, title: str, caption: str) -> Sheet:
    """Return a PNG file as an inline picture, as JPEG at the best quality that is small enough.

    Raises
    ------
    ValueError
        If the bytes are no image.
    """
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(f"{title}: the sheet does not open as an image; make it again")
    for quality in QUALITIES:
        _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if encoded.size <= MOST_BYTES:
            break
    height, width = pixels.shape[:2]
    data = base64.b64encode(encoded.tobytes()).decode()
    svg = (
        f'<svg class="sheet" width="{width}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title)}"><image width="{width}" height="{height}" '
        f'href="data:image/jpeg;base64,{data}"/></svg>'
    )
    return Sheet(title, caption, svg)
