"""What both cameras see of a face in the same way: slope cosines, the open mouth."""

from dataclasses import dataclass

import numpy as np

from thermalign.simulator.expression import COARSE_X, Opening
from thermalign.simulator.fields import (
    ORIGIN_X,
    ORIGIN_Y,
    Map,
    Window,
    channels,
    level_millimetres,
    sample,
)
from thermalign.simulator.view import View

STRIDE = 4  # px, below the margin about an opening at every range


@dataclass(frozen=True)
class MouthInterior:
    """The part of an image where the mouth may be open.

    Attributes
    ----------
    part : (rows, columns)
    mask : (h, w) of the part, 0..1
    depth : (h, w) of the part
        0 at the upper lip's edge, 1 at the lower lip's.
    x : (h, w) of the part, mm
    """

    part: Window
    mask: Map
    depth: Map
    x: Map


def see_mouth(view: View, opening: Opening) -> MouthInterior | None:
    """Return the inside of the mouth as seen; None if it is not in the image."""
    part = _mouth_part(view, opening)
    if part is None:
        return None
    x, y = (
        level_millimetres(view.places[part][..., 0], ORIGIN_X, 1),
        level_millimetres(view.places[part][..., 1], ORIGIN_Y, 1),
    )
    table = np.stack([opening.upper, opening.lower, opening.gap], axis=1)[None]
    node = (x - COARSE_X[0, 0]) / (COARSE_X[0, 1] - COARSE_X[0, 0])
    upper, lower, gap = channels(sample(table, node, np.zeros_like(node)))
    between = np.clip(y - upper + 0.5, 0, 1) * np.clip(lower - y + 0.5, 0, 1)
    mask = between * np.clip(gap - 0.5, 0, 1)
    return MouthInterior(part, mask, np.clip((y - upper) / (gap + 0.1), 0, 1), x)


def _mouth_part(view: View, opening: Opening) -> Window | None:
    """Return the part of an image where an opening may be seen, found on every fourth pixel."""
    places = view.places[::STRIDE, ::STRIDE]
    x = level_millimetres(places[..., 0], ORIGIN_X, 1)
    y = level_millimetres(places[..., 1], ORIGIN_Y, 1)
    top, bottom = float(opening.upper.min()) - 6, float(opening.lower.max()) + 6
    near = (np.abs(x - opening.centre) < opening.half_length + 8) & (y > top) & (y < bottom)
    rows, columns = np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0))
    if not rows.size:
        return None
    part = (slice(int(k[0]) * STRIDE, (int(k[-1]) + 1) * STRIDE) for k in (rows, columns))
    return next(part), next(part)
