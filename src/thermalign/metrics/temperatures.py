"""Temperatures of the regions of a face that fever screening reads, found by its five landmarks.

Places are told in the face's own frame: the origin in the middle of the eyes, along the line from
the right eye to the left, down to the mouth, in interocular distances (63 mm as a rule, so that
.05 is 3 mm). They stand for what Wang and others measured (see
:data:`thermalign.metrics.real_faces.REAL_TEMPERATURES`): squares and maxima at the inner corners of
the eyes, five points of the forehead, the hottest of forehead, mouth and face.
"""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import median_filter

from thermalign.geometry import LEFT_EYE, RIGHT_EYE, Floats, interocular_distance


class Region(NamedTuple):
    """A rectangle in the frame of the face, interocular distances, and what is read of it.

    Attributes
    ----------
    along, down : float
        Its middle; ``along`` is positive at the subject's left.
    half_width, half_height : float
    hottest : bool
        The mean of its :data:`HOTTEST` hottest pixels, else that of all.
    """

    along: float
    down: float
    half_width: float
    half_height: float
    hottest: bool = False


HOTTEST = 4
"""Pixels whose mean stands for a maximum: one alone would be the noise's."""

COVERED = 3.0  # ASSUME: no bare forehead is so much cooler than the corners of the eyes
"""K that a point of the forehead may lie below the corners of the eyes; beyond, hair covers it."""

INNER = 0.255  # of a fissure of 30.5 mm between eyes 63 mm apart; ASSUME no fold hides its end
"""Interocular distances from the middle of the face to the inner corner of an eye."""

POINT = 0.025  # 3 mm wide
"""Half the side of what is called a point."""

REGIONS = {
    "right_canthus_max": Region(-INNER, 0.024, 0.19, 0.19, hottest=True),  # 24 mm wide
    "left_canthus_max": Region(INNER, 0.024, 0.19, 0.19, hottest=True),
    "right_canthus": Region(-INNER, 0.024, POINT, POINT),
    "left_canthus": Region(INNER, 0.024, POINT, POINT),
    "right_canthus_wide": Region(-INNER, 0.024, 0.1, 0.1),  # 13 mm wide
    "left_canthus_wide": Region(INNER, 0.024, 0.1, 0.1),
    "forehead_centre": Region(0, -0.66, POINT, POINT),
    "forehead_right": Region(-0.30, -0.66, POINT, POINT),
    "forehead_left": Region(0.30, -0.66, POINT, POINT),
    "forehead_bottom": Region(0, -0.54, POINT, POINT),
    "forehead_top": Region(0, -0.78, POINT, POINT),
    "forehead_max": Region(0, -0.66, 0.50, 0.18, hottest=True),
    "mouth_max": Region(0, 1.07, 0.45, 0.20, hottest=True),
    "face_max": Region(0, 0.35, 0.70, 1.20, hottest=True),
}
"""Region to its place; the right one is the subject's."""

_SKIN = tuple(name for name in REGIONS if name.startswith("forehead") and "max" not in name)


def region_temperatures(image: Floats, points: Floats) -> dict[str, float]:
    """Read the regions of one face, every pixel as the median of the 3 x 3 around it.

    So a dead pixel, which may read anything, is no maximum.

    Parameters
    ----------
    image : (H, W) degrees Celsius
    points : (5, 2) float, pixels, (x, y)

    Returns
    -------
    dict of region to degrees Celsius
        The keys of :data:`REGIONS`. NaN where a region has no pixel in the image, and at a point of
        the forehead that is more than :data:`COVERED` colder than the corners of the eyes.
    """
    along, down = _frame(image.shape, points)
    clean = median_filter(image, 3)
    read = {name: _read(clean, along, down, region) for name, region in REGIONS.items()}
    corners = (read["right_canthus"] + read["left_canthus"]) / 2
    for name in _SKIN:
        if read[name] < corners - COVERED:
            read[name] = float("nan")
    return read


def _frame(shape: tuple[int, ...], points: Floats) -> tuple[Floats, Floats]:
    """Return each pixel's place along and down the face, interocular distances, each (H, W)."""
    unit = interocular_distance(points)
    x, y = (points[LEFT_EYE] - points[RIGHT_EYE]) / unit
    middle = (points[LEFT_EYE] + points[RIGHT_EYE]) / 2
    across = (np.arange(shape[1]) - middle[0])[None, :] / unit
    below = (np.arange(shape[0]) - middle[1])[:, None] / unit
    return across * x + below * y, below * x - across * y


def _read(image: Floats, along: Floats, down: Floats, region: Region) -> float:
    aside, off = np.abs(along - region.along), np.abs(down - region.down)
    inside = (aside <= region.half_width) & (off <= region.half_height)
    if not inside.any():
        return float("nan")
    values = image[inside]
    if region.hottest:
        values = np.sort(values)[-HOTTEST:]
    return float(values.mean(dtype=np.float64))
