"""Whether a face looks thermal, white-hot: neither like a visible image nor white-cold.

A face is aligned and the means of five regions are compared, in units of what its middle 90 % of
pixels span:

    eyes + mouth - nose - 0.7 x (beside the neck) - 0.3 x (beside the cheeks) >= 0

To a thermal camera eyes and mouth are warm, a nose is cold, and clothes, hair and the room are
colder than skin. In the visible, eyes and mouths are dark and noses bright, and anything may be
around. White-cold turns every sign. Weights are those of a logistic regression on simulated faces,
rounded; ``docs/predict.md`` says how often the rule is wrong. None of it holds where everything
around is as warm as skin.
"""

import numpy as np
import numpy.typing as npt

from thermalign.cut import Cut
from thermalign.deploy.aligned import ALIGNMENT
from thermalign.geometry import Floats
from thermalign.settings import parse
from thermalign.verification import alignment

Booleans = npt.NDArray[np.bool_]

LOOK = 0.3
"""How far beyond a face box an aligned face reaches, in sides of the box."""

WEIGHTS = {"eyes": 1.0, "mouth": 1.0, "nose": -1.0, "neck": -0.7, "cheeks": -0.3}

REGIONS = {
    "eyes": ((33, 42, 4), (79, 42, 4)),
    "mouth": ((56, 94, 4),),
    "nose": ((56, 68, 5),),
    "neck": ((6, 120, 6), (106, 120, 6)),
    "cheeks": ((4, 60, 4), (108, 60, 4)),
}
"""Discs (x, y, radius) in the aligned face of the default study, pixels; what is beside neck and
cheeks."""

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
        faces = alignment.align_stack(cut.stack, rows, inside[rows], settings)
        looks[rows] = warmth(faces.cpu().numpy()) >= 0
    return looks


def warmth(faces: Floats) -> Floats:
    """Return the left side of the rule.

    Parameters
    ----------
    faces : (N, 64, 56) float, aligned, in any unit in which white is more

    Returns
    -------
    (N,) float64
    """
    flat = np.asarray(faces, np.float64).reshape(len(faces), -1)
    low, high = np.percentile(flat, _SPAN, axis=1)
    weights = sum(WEIGHTS[name] * mask / mask.sum() for name, mask in _masks().items())
    told: Floats = (flat - flat.mean(1, keepdims=True)) @ weights / np.maximum(high - low, 1e-9)
    return told


def _settings() -> alignment.Settings:
    """Return the alignment of the default study, shrunk."""
    points = {
        name: [(at + 0.5) / _SHRINK - 0.5 for at in place]
        for name, place in ALIGNMENT["points"].items()
    }
    size = {name: ALIGNMENT[name] // _SHRINK for name in ("width", "height")}
    return parse(alignment.Settings, {**ALIGNMENT, **size, "points": points}, "alignment")


def _masks() -> dict[str, Floats]:
    """Return which pixels (P,) of an aligned, flattened face lie in a region: 1, others 0."""
    settings = _settings()
    y, x = np.mgrid[: settings.height, : settings.width]
    y, x = ((at + 0.5) * _SHRINK - 0.5 for at in (y, x))  # pixels of the default study's
    return {
        name: np.any([np.hypot(x - a, y - b) <= r for a, b, r in discs], axis=0).ravel() * 1.0
        for name, discs in REGIONS.items()
    }
