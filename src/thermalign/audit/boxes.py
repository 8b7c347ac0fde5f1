"""Suspicious face boxes: landmarks outside, odd ones, and two styles in one set."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from thermalign.audit.findings import Faces, Finding
from thermalign.geometry import Floats, interocular_distance, to_box_units

OUTSIDE = 0.05  # sides of the box that a landmark may lie outside
ENOUGH = 20  # boxes from which their style shows
MEASURES = {
    "width": "wide",
    "height": "high",
    "aside": "aside of the landmarks",
    "below": "below the landmarks",
}
"""Measures of a box, all in interocular distances, and how they are told."""

ODD = 8.0  # scaled median absolute deviations from the median
LEAST_ODD = 0.3  # interocular distances that an odd box differs at least
APART = 4.0
"""Distance of two halves of a measure, in their own standard deviations, from which they are two
styles. Cut where they separate best, the halves of a Gaussian are 2.6 apart, of a uniform
distribution 3.5."""
FEWER = 0.1  # share of the boxes that the rarer style has at least
LEAST_APART = 0.2  # interocular distances between two styles


def check_boxes(faces: Faces) -> Iterator[Finding]:
    """Yield what is suspicious in face boxes; their style is judged where they were given."""
    boxed = faces.marked & np.isfinite(faces.boxes).all(axis=1)
    yield from _outside(faces, np.flatnonzero(boxed))
    for modality in faces.modalities:
        rows = np.flatnonzero(boxed & faces.given & faces.of(modality))
        if len(rows) < ENOUGH:
            continue
        measures = measures_of(faces.points[rows], faces.boxes[rows])
        mixed = _mixed(measures, modality)
        yield from mixed
        if not mixed:
            yield from _odd(measures, rows)


def measures_of(points: Floats, boxes: Floats) -> dict[str, Floats]:
    """Return how boxes (N, 4) lie about landmarks (N, L, 2): (N,) each, interocular distances."""
    unit = interocular_distance(points)
    apart = boxes[:, :2] - 0.5 + boxes[:, 2:] / 2 - points.mean(axis=1)
    return {
        "width": boxes[:, 2] / unit,
        "height": boxes[:, 3] / unit,
        "aside": apart[:, 0] / unit,
        "below": apart[:, 1] / unit,
    }


def _outside(faces: Faces, rows: npt.NDArray[np.intp]) -> Iterator[Finding]:
    shares = to_box_units(faces.points[rows], faces.boxes[rows])
    beyond = np.maximum(-shares, shares - 1).max(axis=(1, 2))
    for k in np.flatnonzero(beyond > OUTSIDE):
        reason = f"a landmark lies {beyond[k]:.2f} of a side outside the face box"
        yield Finding("outside_box", reason, int(rows[k]), value=float(beyond[k]), limit=OUTSIDE)


def _mixed(measures: dict[str, Floats], modality: str) -> list[Finding]:
    """Return a finding of the measure by which boxes fall into two styles most clearly, if any."""
    found = []
    for name, values in measures.items():
        low, high, apart, fewer = halves(values)
        if apart > APART and fewer >= FEWER and high - low > LEAST_APART:
            reason = (
                f"{modality} boxes are {low:.2f} or {high:.2f} interocular distances "
                f"{MEASURES[name]}; {100 * fewer:.0f} % are of the rarer style"
            )
            found.append(
                Finding("mixed_boxes", reason, value=apart, limit=APART, modality=modality)
            )
    return sorted(found, key=lambda its: -its.value)[:1]


def halves(values: Floats) -> tuple[float, float, float, float]:
    """Cut values where the squares within both parts are least.

    Returns
    -------
    low, high : float
        Means of the parts.
    apart : float
        Their difference over their common standard deviation (Ashman's D over sqrt 2 of each).
    fewer : float
        Share of the smaller part.

    Source
    ------
    Ashman, Bird and Zepf, AJ 108, 1994, for the distance; one-dimensional 2-means, exactly.
    """
    ordered = np.sort(values)
    n = np.arange(1, len(ordered))
    total, squares = np.cumsum(ordered), np.cumsum(ordered**2)
    rest, rest_squares = total[-1] - total[:-1], squares[-1] - squares[:-1]
    within = (squares[:-1] - total[:-1] ** 2 / n) + (rest_squares - rest**2 / (len(ordered) - n))
    cut = int(within.argmin()) + 1
    one, other = ordered[:cut], ordered[cut:]
    spread = float(np.sqrt((one.var() + other.var()) / 2)) + 1e-9
    low, high = float(one.mean()), float(other.mean())
    return low, high, (high - low) / spread, min(cut, len(ordered) - cut) / len(ordered)


def _odd(measures: dict[str, Floats], rows: npt.NDArray[np.intp]) -> Iterator[Finding]:
    table = np.stack(list(measures.values()))
    middle = np.median(table, axis=1, keepdims=True)
    apart = np.abs(table - middle)
    spread = 1.4826 * np.median(apart, axis=1, keepdims=True) + 1e-9
    odd = np.where(apart > LEAST_ODD, apart / spread, 0)
    for k in np.flatnonzero(odd.max(axis=0) > ODD):
        worst = int(odd[:, k].argmax())
        reason = (
            f"the face box is {table[worst, k]:.2f} interocular distances "
            f"{MEASURES[list(measures)[worst]]}, others {middle[worst, 0]:.2f}"
        )
        value = float(min(odd[worst, k], 1e6))
        yield Finding("odd_box", reason, int(rows[k]), value=value, limit=ODD)
