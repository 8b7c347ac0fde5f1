"""Whether a face looks thermal, white-hot: neither like a visible image nor white-cold.

Two witnesses. In a face brought to the frame of aligned faces the means of regions are compared, in
units of what the middle 90 % of the face's pixels span, each less the mean of the face:

    w = 0.7 eyes + canthi + 1.4 mouth - 1.2 (below the eyes) - 0.3 cheeks - 0.6 nose

To a thermal camera eyes, their inner corners and mouth are warm, a nose and cheeks are cold. In the
visible, eyes and mouths are dark and noses bright. White-cold turns every sign. Nothing beyond the
face counts: ground and clothes may be warmer than skin. A landmark model that is shown a wrong
image looks for what it knows, a dark nose say, and finds it somewhere; so the frame is taken from
the box first, and from the points with half the weight, in case that boxes are drawn by other rules
than ours.

Where that is not clear, the landmark model is asked: it expects larger errors of what it has not
learnt from. With e the error that it expects of the face, and e' that of the face with black and
white exchanged, a face looks thermal where

    s >= 0,  s = w(box) + w(points) / 2                          where |s| > 1, or e is not known
             s = w(box) + w(points) / 2 + log(e' / e) - 0.4      elsewhere

Weights are those of a logistic regression on simulated faces, rounded; ``docs/predict.md`` says how
often the rule is wrong.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt

from thermalign.boxes import Settings as BoxSettings
from thermalign.cut import Cut
from thermalign.deploy.aligned import ALIGNMENT
from thermalign.geometry import CENTRE_BELOW_EYES, LEFT_EYE, RIGHT_EYE, Floats, Integers
from thermalign.settings import parse
from thermalign.verification import alignment

Booleans = npt.NDArray[np.bool_]

LOOK = 0.3
"""How far beyond a face box an aligned face reaches, in sides of the box."""

REGIONS = {
    "eyes": (0.7, ((33, 42, 5), (79, 42, 5))),
    "canthi": (1.0, ((46, 45, 4), (66, 45, 4))),
    "mouth": (1.4, ((56, 94, 6),)),
    "below": (-1.2, ((33, 54, 5), (79, 54, 5))),
    "cheeks": (-0.3, ((30, 68, 7), (82, 68, 7))),
    "nose": (-0.6, ((56, 68, 6),)),
}
"""Weight of a region, and its discs (x, y, radius) in the aligned face of the default study, px."""

FACE = (56, 68, 36, 46)
"""The ellipse of a face in there: its centre (x, y) and half its width and height, px."""

CLEAR = 1.0
"""From here on, either way, regions alone decide."""

LEAD = 0.4
"""What is asked of the logarithm of e' / e: visible faces have some of it, too."""

Surer = Callable[[Integers], Floats]
"""Returns log(e' / e) of some faces (K,), NaN where it is not known."""

_SHRINK = 2  # an aligned face is looked at so many times smaller than the default study's
_SPAN = (5, 95)  # percentiles of a face
_MOST = 4.0  # that regions say: a face of two values alone has hardly any span


def is_thermal(cut: Cut, points: Floats, surer: Surer | None = None) -> Booleans:
    """Say which faces look thermal, white-hot.

    Parameters
    ----------
    cut : Cut of N images
    points : (N, L, 2) float, pixels of the images, (x, y)
    surer : Surer, optional
        Asked about faces whose regions are not clear.

    Returns
    -------
    (N,) bool
        True where landmarks do not allow a look.
    """
    settings = _settings()
    inside = points - cut.origins.cpu().double().numpy()[:, None]
    rows = np.flatnonzero(alignment.alignable(inside, settings))
    said = np.zeros(len(points))
    if len(rows):
        boxes = cut.boxes.cpu().double().numpy()[rows]
        told = [
            warmth(alignment.align_stack(cut.stack, rows, places, settings).cpu().numpy())
            for places in (usual_points(boxes), inside[rows])
        ]
        said[rows] = told[0] + told[1] / 2
        doubtful = rows[np.abs(said[rows]) <= CLEAR]
        if surer is not None and len(doubtful):
            further = surer(doubtful) - LEAD
            said[doubtful] += np.where(np.isfinite(further), further, 0.0)
    return np.asarray(said >= 0)


def usual_points(boxes: Floats) -> Floats:
    """Return where landmarks lie in derived boxes (N, 4) as a rule, (N, L, 2), pixels."""
    shape = _settings().canonical
    eyes = shape[[RIGHT_EYE, LEFT_EYE]]
    apart = eyes[1, 0] - eyes[0, 0]
    usual = BoxSettings()
    unit = (boxes[:, 2] / usual.width + boxes[:, 3] / usual.height) / 2
    middle = boxes[:, :2] + (boxes[:, 2:] - 1) / 2
    way: Floats = (shape - eyes.mean(0)) / apart - [0, CENTRE_BELOW_EYES]
    return middle[:, None] + way * unit[:, None, None]


def warmth(faces: Floats) -> Floats:
    """Return ``w`` of the rule.

    Parameters
    ----------
    faces : (N, 64, 56) float, aligned, in any unit in which white is more

    Returns
    -------
    (N,) float64
    """
    flat = np.asarray(faces, np.float64).reshape(len(faces), -1)
    skin = flat[:, _ellipse()]
    low, high = np.percentile(skin, _SPAN, axis=1)
    away = flat - skin.mean(1, keepdims=True)
    told: Floats = away @ _weights() / np.maximum(high - low, 1e-9)
    return np.clip(told, -_MOST, _MOST)


@cache
def _settings() -> alignment.Settings:
    """Return the alignment of the default study, shrunk."""
    points = {
        name: [(at + 0.5) / _SHRINK - 0.5 for at in place]
        for name, place in ALIGNMENT["points"].items()
    }
    size = {name: ALIGNMENT[name] // _SHRINK for name in ("width", "height")}
    return parse(alignment.Settings, {**ALIGNMENT, **size, "points": points}, "alignment")


@cache
def _weights() -> Floats:
    """Return the weight of every pixel (P,) of an aligned, flattened face."""
    x, y = _pixels()
    total = np.zeros(y.size)
    for weight, discs in REGIONS.values():
        mask = np.any([np.hypot(x - a, y - b) <= r for a, b, r in discs], axis=0)
        total += weight * mask / mask.sum()
    return total


@cache
def _ellipse() -> Booleans:
    """Return which pixels (P,) of an aligned, flattened face are of the face."""
    (x, y), (across, down, wide, high) = _pixels(), FACE
    return np.asarray(np.hypot((x - across) / wide, (y - down) / high) <= 1)


def _pixels() -> tuple[Floats, Floats]:
    """Return where the pixels (P,) of an aligned face lie in the default study's, (x, y)."""
    settings = _settings()
    y, x = np.mgrid[: settings.height, : settings.width]
    x, y = (((at + 0.5) * _SHRINK - 0.5).ravel() for at in (x, y))
    return x, y
