"""What annotated faces measure: size, pose by proxy, proportions; and how far a mean shape is off.

Proportions are taken in the frame of the face itself, along and across the line between the eyes,
so that a head that leans to a shoulder measures as an upright one does.
"""

from collections.abc import Sequence

import numpy as np

from thermalign.geometry import (
    LEFT_EYE,
    LEFT_MOUTH_CORNER,
    NOSE_BASE,
    RIGHT_EYE,
    RIGHT_MOUTH_CORNER,
    Floats,
    from_box_units,
    interocular_distance,
    to_box_units,
)
from thermalign.metrics.landmarks import normalized_errors

UNITS = {
    "interocular_distance": "px",
    "roll": "degree",
    "yaw_proxy": "IOD",
    "pitch_proxy": "1",
    "mouth_line": "IOD",
    "mouth_width": "IOD",
    "box_width": "IOD",
    "box_height": "IOD",
}
"""What :func:`face_measures` returns, with its unit; IOD is the face's interocular distance."""


def face_measures(points: Floats, boxes: Floats) -> dict[str, Floats]:
    """Measure annotated faces.

    With d the interocular distance, u the unit vector from the right to the left eye, v the unit
    vector a quarter turn from u (downwards in an upright face), c the middle of the eyes, m the
    middle of the mouth corners and n the base of the nose:

        roll          the angle of u to the rows, positive where the left eye is lower
        yaw_proxy     (n - c) . u / d              positive where the nose points to the left ear
        pitch_proxy   (n - c) . v / (m - c) . v    share of the way from the eyes to the mouth
        mouth_line    (m - c) . v / d
        mouth_width   (left - right corner) . u / d
        box_width     width of the face box / d; box_height likewise

    The proxies grow with yaw and pitch but also hold the shape of the nose: they say how poses
    spread, not what an angle is.

    Parameters
    ----------
    points : (N, 5, 2) float, pixels, (x, y)
    boxes : (N, 4) float, pixels, (x, y, width, height)

    Returns
    -------
    dict of str to (N,) float
        The keys and units of :data:`UNITS`.

    Raises
    ------
    ValueError
        If an interocular distance is not positive.
    """
    unit = interocular_distance(points)
    if not (unit > 0).all():
        raise ValueError(f"interocular distance not positive in rows {np.flatnonzero(~(unit > 0))}")
    across = (points[:, LEFT_EYE] - points[:, RIGHT_EYE]) / unit[:, None]
    down = np.stack([-across[:, 1], across[:, 0]], axis=-1)
    eyes = (points[:, RIGHT_EYE] + points[:, LEFT_EYE]) / 2
    right, left = points[:, RIGHT_MOUTH_CORNER], points[:, LEFT_MOUTH_CORNER]
    nose, mouth = points[:, NOSE_BASE] - eyes, (right + left) / 2 - eyes
    to_mouth = (mouth * down).sum(-1)
    return {
        "interocular_distance": unit,
        "roll": np.degrees(np.arctan2(across[:, 1], across[:, 0])),
        "yaw_proxy": (nose * across).sum(-1) / unit,
        "pitch_proxy": (nose * down).sum(-1) / to_mouth,
        "mouth_line": to_mouth / unit,
        "mouth_width": ((left - right) * across).sum(-1) / unit,
        "box_width": boxes[:, 2] / unit,
        "box_height": boxes[:, 3] / unit,
    }


def mean_shape_errors(points: Floats, boxes: Floats, subjects: Sequence[str]) -> Floats:
    """Return the error of each face when the mean shape of other people is placed in its box.

    Subjects, sorted by name, are dealt into two halves in turn. The landmarks of one half,
    averaged in fractions of their boxes, are placed in the boxes of the other half, and the other
    way round. It is what a detector reaches that looks at no pixel.

    Parameters
    ----------
    points : (N, L, 2) float, pixels, (x, y)
    boxes : (N, 4) float, pixels, (x, y, width, height)
    subjects : N str

    Returns
    -------
    (N,) float, interocular distances
        The mean over the landmarks of each face.

    Raises
    ------
    ValueError
        If there are fewer than two subjects.
    """
    names = sorted(set(subjects))
    if len(names) < 2:
        raise ValueError(f"{len(names)} subjects cannot be halved; give at least 2")
    second = np.isin(np.asarray(subjects), names[1::2])
    shapes = to_box_units(points, boxes)
    placed = np.empty_like(shapes)
    for half in (second, ~second):
        placed[half] = shapes[~half].mean(axis=0)
    predicted = from_box_units(placed, boxes)
    return np.asarray(normalized_errors(predicted, points).mean(axis=1))
