"""Whether a face looks thermal, white-hot: neither like a visible image nor white-cold.

In a face brought to the frame of aligned faces the means of regions are compared, in units of what
its middle 90 % of pixels span:

    w = eyes + 0.4 brows + mouth - 0.5 bridge - 0.8 nose - 0.9 (beside the neck)

each region less the mean of the aligned face, since the weights do not add up to zero.

To a thermal camera eyes and mouth are warm, a nose is cold, and clothes, hair and the room are
colder than skin. In the visible, eyes and mouths are dark and noses bright, and anything may be
around. White-cold turns every sign. A landmark model that is shown a wrong image looks for what it
knows, a dark nose say, and finds it somewhere; so the frame is taken from the box first, and from
the points with half the weight, in case that boxes are drawn by other rules than ours: a face looks
thermal where

    w(box) + w(points) / 2 >= 0

Weights are those of a logistic regression on simulated faces, rounded; ``docs/predict.md`` says how
often the rule is wrong. None of it holds where everything around is as warm as skin.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from thermalign.boxes import Settings as BoxSettings
from thermalign.cut import Cut
from thermalign.deploy.aligned import ALIGNMENT
from thermalign.geometry import CENTRE_BELOW_EYES, LEFT_EYE, RIGHT_EYE, Floats
from thermalign.settings import parse
from thermalign.verification import alignment

Booleans = npt.NDArray[np.bool_]

LOOK = 0.3
"""How far beyond a face box an aligned face reaches, in sides of the box."""

REGIONS = {
    "eyes": (1.0, ((33, 42, 5), (79, 42, 5))),
    "brows": (0.4, ((31, 30, 5), (81, 30, 5))),
    "mouth": (1.0, ((56, 94, 6),)),
    "bridge": (-0.5, ((56, 45, 5),)),
    "nose": (-0.8, ((56, 68, 6),)),
    "neck": (-0.9, ((6, 120, 6), (106, 120, 6))),
}
"""Weight of a region, and its discs (x, y, radius) in the aligned face of the default study, px."""

_SHRINK = 2  # an aligned face is looked at so many times smaller than the default study's
_SPAN = (5, 95)  # percentiles of an aligned face


def is_thermal(cut: Cut, points: Floats) -> Booleans:
    """Say which faces look thermal, white-hot.

    Parameters
    ----------
    cut : Cut of N images
    points : (N, L, 2) float, pixels of the images, (x, y)

    Returns
    -------
    (N,) bool
        True where landmarks do not allow a look.
    """
    settings = _settings()
    inside = points - cut.origins.cpu().double().numpy()[:, None]
    rows = np.flatnonzero(alignment.alignable(inside, settings))
    looks = np.ones(len(points), bool)
    if len(rows):
        boxes = cut.boxes.cpu().double().numpy()[rows]
        told = [
            warmth(alignment.align_stack(cut.stack, rows, places, settings).cpu().numpy())
            for places in (usual_points(boxes), inside[rows])
        ]
        looks[rows] = told[0] + told[1] / 2 >= 0
    return looks


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
    low, high = np.percentile(flat, _SPAN, axis=1)
    away = flat - flat.mean(1, keepdims=True)
    told: Floats = away @ _weights() / np.maximum(high - low, 1e-9)
    return told


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
    settings = _settings()
    y, x = np.mgrid[: settings.height, : settings.width]
    y, x = ((at + 0.5) * _SHRINK - 0.5 for at in (y, x))  # pixels of the default study's
    total = np.zeros(y.size)
    for weight, discs in REGIONS.values():
        mask = np.any([np.hypot(x - a, y - b) <= r for a, b, r in discs], axis=0).ravel()
        total += weight * mask / mask.sum()
    return total
