"""What landmarks, given boxes and scales must fulfil in their image."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from thermalign.geometry import (
    LANDMARKS,
    LEFT_EYE,
    LEFT_MOUTH_CORNER,
    NOSE_BASE,
    RIGHT_EYE,
    RIGHT_MOUTH_CORNER,
    Floats,
)
from thermalign.ingest.corners import Corners, part_of

Points = list[list[float]]
"""Landmarks, pixels, (x, y): of five, plain numbers are faster than arrays."""

FRACTION = 1.5  # coordinates up to here are shares of the image, not pixels
SMALLEST_EYES = 4.0  # px between the eyes
SMALLEST_BOX = 4.0  # px
LARGEST_BOX = 2.0  # sides of the image
MIDDLE = 0.4  # sides of a box between its middle and the mean of the landmarks
DROP = (0.4, 3.0)  # mouth below the eyes, interocular distances; CARL, EURECOM: .7 to 1.41
ASIDE = 0.7  # mouth beside the middle of the eyes, as above; CARL, EURECOM: up to .2
MOUTH = (0.2, 1.6)  # width of the mouth, as above; CARL, EURECOM: .36 to 1.19
SCALES = (1e-6, 1e6)
LARGEST_VALUE = 1e6
SAMPLED = 17  # one pixel of so many gives the median
CLIMATE = (-60.0, 200.0)  # degrees Celsius, median of a picture of a face
COLDEST, HOTTEST = -150.0, 1000.0  # degrees Celsius, of anything near a face
SKIN = (5.0, 60.0)  # degrees Celsius, median of a face; Fahrenheit: 75 to 100, shares: 0 to 1
ELONGATED = 4.0  # longer over shorter side of a box; CARL, EURECOM: up to 1.8


def check_points(points: Floats, where: str, size: tuple[int, int]) -> None:
    """Refuse landmarks that cannot be a face seen from the front in this image.

    Parameters
    ----------
    points : (L, 2) float, pixels, (x, y)
    where : str
        File, row and image, for the message.
    size : (width, height), pixels

    Raises
    ------
    ValueError
        If a point is not finite, is (0, 0) or outside the image, all are shares of the image, eyes
        coincide, left and right are swapped (with the mouth below the eyes, the subject's right
        lies left in the image), or the proportions are none of a face.
    """
    each: Points = points.tolist()
    _check_inside(each, where, size)
    unit = math.dist(each[RIGHT_EYE], each[LEFT_EYE])
    if not unit > 0:
        raise ValueError(f"{where}: right_eye and left_eye coincide; mark both eye centres")
    if unit < SMALLEST_EYES:
        raise ValueError(
            f"{where}: right_eye and left_eye are {unit:g} px apart; mark both eye centres, at "
            f"least {SMALLEST_EYES:g} px apart, or leave all landmarks empty"
        )
    _check_sides(each, where)
    _check_proportions(each, where)


def _check_inside(points: Points, where: str, size: tuple[int, int]) -> None:
    if all(0 <= v <= FRACTION for point in points for v in point):
        raise ValueError(
            f"{where}: all landmarks lie from 0 to {max(map(max, points)):g}, as shares of the "
            f"image do; give pixels of {size[0]} x {size[1]}"
        )
    for name, (x, y) in zip(LANDMARKS, points, strict=True):
        if not (math.isfinite(x) and math.isfinite(y)):
            raise ValueError(
                f"{where}: {name} is ({x}, {y}); give finite pixels or leave all empty"
            )
        if not (-0.5 <= x <= size[0] - 0.5 and -0.5 <= y <= size[1] - 0.5):
            raise ValueError(
                f"{where}: {name} at ({x:g}, {y:g}) lies outside the image of "
                f"{size[0]} x {size[1]} pixels; correct it, or leave all landmarks empty"
            )
        if x == 0 and y == 0:
            raise ValueError(
                f"{where}: {name} is (0, 0), as programs write what was not marked; mark it, or "
                "leave all landmarks empty"
            )


def _check_sides(points: Points, where: str) -> None:
    right, left, _, right_corner, left_corner = points
    down = [
        (a + b - c - d) / 2
        for a, b, c, d in zip(right_corner, left_corner, right, left, strict=True)
    ]
    for name, one, other in (
        ("eyes", right, left),
        ("mouth corners", right_corner, left_corner),
    ):
        if (other[0] - one[0]) * down[1] - (other[1] - one[1]) * down[0] <= 0:
            raise ValueError(
                f"{where}: left and right {name} are swapped; left and right are the subject's, "
                "so in an upright face the right one lies left in the image"
            )


def _check_proportions(points: Points, where: str) -> None:
    """Refuse proportions far beyond those of any annotated face (DROP, ASIDE, MOUTH)."""
    right, left, *_ = points
    across = (left[0] - right[0], left[1] - right[1])
    unit = across[0] ** 2 + across[1] ** 2
    centre = ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2)
    placed = [  # interocular distances from the middle of the eyes, along and across their line
        (
            ((x - centre[0]) * across[0] + (y - centre[1]) * across[1]) / unit,
            ((y - centre[1]) * across[0] - (x - centre[0]) * across[1]) / unit,
        )
        for x, y in points
    ]
    one, other = placed[RIGHT_MOUTH_CORNER], placed[LEFT_MOUTH_CORNER]
    aside, drop = (one[0] + other[0]) / 2, (one[1] + other[1]) / 2
    width, nose = math.dist(one, other), placed[NOSE_BASE]
    problem = ""
    if not DROP[0] <= drop <= DROP[1]:
        problem = f"the mouth lies {drop:.2g} interocular distances below the eyes"
    elif abs(aside) > ASIDE:
        problem = f"the mouth lies {abs(aside):.2g} interocular distances beside the eyes"
    elif not MOUTH[0] <= width <= MOUTH[1]:
        problem = f"the mouth is {width:.2g} interocular distances wide"
    elif not 0 < nose[1] < drop or abs(nose[0]) > 1:
        problem = "nose_base does not lie between eyes and mouth"
    if problem:
        raise ValueError(
            f"{where}: {problem}, which is no face from the front; correct the landmarks, or "
            "leave all empty"
        )


def check_box(box: Floats, points: Floats | None, where: str, size: tuple[int, int]) -> None:
    """Refuse a face box that cannot hold the face of this image.

    Parameters
    ----------
    box : (4,) float, pixels, (x, y, width, height)
    points : (L, 2) float, pixels, or None
        Landmarks of the image; their mean must lie about the middle of the box.
    where : str
    size : (width, height), pixels

    Raises
    ------
    ValueError
        If the box is not finite, empty, given as shares of the image, centred outside it, more
        than twice as wide or high, or elsewhere than the landmarks.
    """
    x, y, width, height = each = box.tolist()

    def told() -> str:
        return f"{where}: the face box ({', '.join(f'{v:g}' for v in each)})"

    if not all(math.isfinite(v) for v in each):
        raise ValueError(f"{told()} is not finite; give pixels")
    if all(0 <= v <= FRACTION for v in each) and any(each):
        raise ValueError(
            f"{told()} is given in shares of the image; give pixels of {size[0]} x {size[1]}"
        )
    middle = (x - 0.5 + width / 2, y - 0.5 + height / 2)
    inside = all(-0.5 <= at <= side - 0.5 for at, side in zip(middle, size, strict=True))
    if min(width, height) < SMALLEST_BOX or not inside:
        raise ValueError(
            f"{told()} is empty or outside the image of {size[0]} x {size[1]}; correct it: x and y "
            f"of its top-left pixel, width and height of at least {SMALLEST_BOX:g} px; leave all "
            "four empty where no face was found"
        )
    if max(width, height) > ELONGATED * min(width, height):
        raise ValueError(
            f"{told()} is {max(width, height) / min(width, height):.3g} times as long as wide, as "
            "no face is; correct it: the last two are width and height, px"
        )
    if width > LARGEST_BOX * size[0] or height > LARGEST_BOX * size[1]:
        raise ValueError(
            f"{told()} is much larger than the image of {size[0]} x {size[1]}; correct it: "
            "the last two are width and height, px"
        )
    if points is None:
        return
    faces = [sum(its) / len(points) for its in points.T.tolist()]
    if abs(faces[0] - middle[0]) > MIDDLE * width or abs(faces[1] - middle[1]) > MIDDLE * height:
        raise ValueError(
            f"{told()} does not hold the landmarks of its image in its middle; correct one of them "
            "(x and y are the box's top-left pixel, not its centre)"
        )


def check_part(counts: npt.NDArray[Any], corners: Corners, where: str, what: str) -> None:
    """Refuse a face whose part of the image is dead.

    Parameters
    ----------
    counts : (height, width)
    corners : Corners
    where, what : str
        What the corners are of, for the message.

    Raises
    ------
    ValueError
        If every pixel of the part has one value, or none lies in the image.
    """
    part = part_of(counts, corners)
    if part.size and part[0, 0] != part[-1, -1]:
        return  # what is alive, nearly always, is seen at once
    if part.size == 0 or part.min() == part.max():
        raise ValueError(
            f"{where}: every pixel of the {what} has one value, so no face is there; correct the "
            f"{what}, or drop the row"
        )


def check_scale(
    counts: npt.NDArray[Any], scale: float, offset: float, *, where: str, degrees: bool
) -> None:
    """Refuse a scale and an offset with which counts are no sensible physical values.

    Parameters
    ----------
    counts : (height, width)
    scale, offset : float
        physical value = scale x count + offset.
    where : str
    degrees : bool
        Whether these are degrees Celsius.

    Raises
    ------
    ValueError
        If the scale is not positive, values or offset are larger than 1e6, the offset swallows
        the differences in single precision, or degrees or their median are none of a room with
        a face.
    """
    if not SCALES[0] <= scale <= SCALES[1]:
        raise ValueError(
            f"{where}: scale is {scale:g}; give one from {SCALES[0]:g} to {SCALES[1]:g} (invert "
            "a picture in which hot is dark), or leave it empty"
        )
    if abs(offset) > LARGEST_VALUE:
        raise ValueError(
            f"{where}: offset is {offset:g}; give one up to {LARGEST_VALUE:g}, -273.15 from kelvins"
        )
    ends = np.array([counts.min(), counts.max()], np.float32)
    low, high = (ends * np.float32(scale) + np.float32(offset)).astype(np.float64)
    if max(abs(low), abs(high)) > LARGEST_VALUE:
        raise ValueError(
            f"{where}: values reach from {low:g} to {high:g}; mark no missing pixel by a huge "
            "number, and correct scale and offset"
        )
    wanted = scale * float(ends[1] - ends[0])
    if abs(high - low - wanted) > 0.01 * wanted:
        raise ValueError(
            f"{where}: offset {offset:g} swallows differences of {wanted:g}; correct scale or "
            "offset"
        )
    if degrees:
        middle = float(np.median(counts.ravel()[::SAMPLED]))
        _check_degrees(middle * scale + offset, low, high, where)


def check_skin(counts: npt.NDArray[Any], corners: Corners | None, image: Any, where: str) -> None:
    """Refuse degrees Celsius that no living face has: Fahrenheit, shares, the counts themselves.

    Parameters
    ----------
    counts : (height, width)
    corners : Corners or None
        Of the face; without them the hottest pixel counts.
    image : mapping with scale and offset
    where : str

    Raises
    ------
    ValueError
        If the face, or the hottest pixel, is colder than skin is, or the face warmer.
    """
    if corners is None:
        skin, said = float(counts.max()), "the hottest pixel"
    else:
        skin, said = float(np.median(part_of(counts, corners))), "the face"
    degrees = skin * image["scale"] + image["offset"]
    if degrees < SKIN[0] or (corners is not None and degrees > SKIN[1]):
        raise ValueError(f"{where}: {said} has {degrees:.4g} degrees Celsius; {TEMPERATURES}")


TEMPERATURES = (
    "correct scale and offset (-273.15 from kelvins), fill missing pixels, and leave both empty "
    "for 16-bit counts that are no temperatures"
)


def _check_degrees(median: float, low: float, high: float, where: str) -> None:
    if low < COLDEST or high > HOTTEST or not CLIMATE[0] <= median <= CLIMATE[1]:
        raise ValueError(
            f"{where}: temperatures have the median {median:.1f}, the minimum {low:.1f} and the "
            f"maximum {high:.1f} degrees Celsius; {TEMPERATURES}"
        )
