"""What was found, drawn on the image: points, boxes, expected errors as circles."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from thermalign.deploy.faces import OK, Face
from thermalign.geometry import Floats, interocular_distance

Canvas = npt.NDArray[np.uint8]

EYES = 110.0  # px between the eyes of the smallest face, as drawn
DOUBT = 0.1
"""Mean expected error, interocular distances, from which a box is drawn in another colour: that of
an image that counts as a failure."""

SIDES = (700, 1600)  # px: the longer side is drawn at least and at most so long
FRACTION = 16  # OpenCV draws at sixteenths of a pixel
SHIFT = 4  # of its coordinates, bits
STRIP = 28  # px below the image
_LETTERS = 0.5  # times OpenCV's own size
_BELOW = 0.5  # of the range of values in faces: what lies further below is black

# Blue, green, red; the colours of Okabe and Ito, which colour-blind people tell apart.
POINT, CIRCLE = (233, 180, 86), (115, 255, 240)
GOOD, DOUBTFUL, BAD = (140, 190, 0), (0, 159, 230), (60, 60, 255)
INK, PAPER = (235, 235, 235), (28, 28, 28)


def draw(values: Floats, faces: Sequence[Face], said: str) -> Canvas:
    """Draw the faces of an image.

    Parameters
    ----------
    values : (height, width) float32
    faces : sequence of Face
    said : str
        Below the image.

    Returns
    -------
    (height, width, 3) uint8, blue first
        Larger than the image where its faces are small.
    """
    grey = _stretch(values, faces)
    zoom = _zoom(values.shape, faces)
    height, width = (max(1, round(side * zoom)) for side in grey.shape)
    method = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    drawn = cv2.resize(grey, (width, height), interpolation=method)
    canvas = np.full((height + STRIP, width, 3), PAPER, np.uint8)
    canvas[:height] = np.asarray(drawn)[..., None]
    for number, face in enumerate(faces, 1):
        _draw_box(canvas, face, number, zoom)
    for face in faces:
        _draw_points(canvas, face, zoom)
    _write(canvas, said, (8, height + STRIP - 9), INK)
    return canvas


def _stretch(values: Floats, faces: Sequence[Face]) -> Canvas:
    """Return 8-bit grey in which faces have contrast: what is much colder or warmer is cut off."""
    low, high = np.percentile(values.ravel()[:: max(1, values.size // 100_000)], [1, 99.5])
    parts = [part.ravel() for part in (_inside(values, face.box) for face in faces) if part.size]
    if parts:
        coldest, warmest = np.percentile(np.concatenate(parts), [2, 99.8])
        low, high = max(low, coldest - _BELOW * (warmest - coldest)), warmest
    scaled = (values - low) * (255 / max(float(high - low), 1e-6))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _inside(values: Floats, box: Floats) -> Floats:
    """Return the middle of a face box, without what is around the face."""
    (left, top), (width, height) = box[:2], box[2:]
    rows = slice(max(0, round(top + 0.15 * height)), max(0, round(top + 0.85 * height)))
    columns = slice(max(0, round(left + 0.2 * width)), max(0, round(left + 0.8 * width)))
    return values[rows, columns]


def _zoom(shape: tuple[int, ...], faces: Sequence[Face]) -> float:
    longer = max(shape)
    apart = [interocular_distance(face.points) for face in faces if face.status == OK]
    wanted = max(EYES / min(apart) if apart else 1.0, SIDES[0] / longer)
    return float(min(wanted, SIDES[1] / longer))


def _at(point: Floats, zoom: float) -> tuple[int, int]:
    """Return where pixels of the image lie on the canvas, in sixteenths."""
    x, y = ((np.asarray(point) + 0.5) * zoom - 0.5) * FRACTION
    return round(float(x)), round(float(y))


def _draw_box(canvas: Canvas, face: Face, number: int, zoom: float) -> None:
    colour = _colour(face)
    corner = face.box[:2] - 0.5
    first, last = _at(corner, zoom), _at(corner + face.box[2:], zoom)
    cv2.rectangle(canvas, first, last, colour, 2, cv2.LINE_AA, SHIFT)
    x, y = first[0] // FRACTION, first[1] // FRACTION
    _write(canvas, _label(face, number), (max(x, 4), y - 7 if y > 24 else y + 18), colour)


def _colour(face: Face) -> tuple[int, int, int]:
    if face.status != OK:
        return BAD
    return DOUBTFUL if face.expected_error.mean() >= DOUBT else GOOD


def _label(face: Face, number: int) -> str:
    parts = [str(number)]
    if face.status != OK:
        return f"{number}  {face.status}"
    if np.isfinite(face.score):
        parts.append(f"score {face.score:.2f}")
    if np.isfinite(face.expected_error).all():
        parts.append(f"error {face.expected_error.mean():.3f}")
    return "  ".join(parts)


def _draw_points(canvas: Canvas, face: Face, zoom: float) -> None:
    if face.status != OK:
        return
    unit = float(interocular_distance(face.points)) * zoom
    told = np.isfinite(face.expected_error).all()
    dot = max(1.8, 0.012 * unit) if told else max(2.5, 0.03 * unit)  # a circle is seen around it
    for point, error in zip(face.points, face.expected_error, strict=True):
        centre = _at(point, zoom)
        for radius, colour, thickness in ((dot + 1.2, (0, 0, 0), -1), (dot, POINT, -1)):
            _circle(canvas, centre, radius, colour, thickness)
        if np.isfinite(error):
            _circle(canvas, centre, error * unit, (0, 0, 0), 3)
            _circle(canvas, centre, error * unit, CIRCLE, 1)


def _circle(canvas: Canvas, centre: Any, radius: float, colour: Any, thickness: int) -> None:
    sixteenths = max(1, round(radius * FRACTION))
    cv2.circle(canvas, centre, sixteenths, colour, thickness, cv2.LINE_AA, SHIFT)


def _write(canvas: Canvas, text: str, at: tuple[int, int], colour: Any) -> None:
    """Write text on dark ground; signs that OpenCV's letters lack become question marks."""
    plain = text.encode("ascii", "replace").decode()
    (width, height), below = cv2.getTextSize(plain, cv2.FONT_HERSHEY_SIMPLEX, _LETTERS, 1)
    corners = (at[0] - 3, at[1] - height - 3), (at[0] + width + 3, at[1] + below + 1)
    cv2.rectangle(canvas, *corners, PAPER, -1)
    cv2.putText(canvas, plain, at, cv2.FONT_HERSHEY_SIMPLEX, _LETTERS, colour, 1, cv2.LINE_AA)
