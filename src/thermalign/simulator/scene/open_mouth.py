"""What both cameras see of a face in the same way: the open mouth."""

from dataclasses import dataclass

import numpy as np

from thermalign.simulator.person.expression import COARSE_X, Opening
from thermalign.simulator.physics.fields import (
    ORIGIN_X,
    ORIGIN_Y,
    Map,
    Window,
    channels,
    level_millimetres,
    sample,
    spread,
)
from thermalign.simulator.scene.view import View

# ASSUME the margins in mm below: wider than lips part
STRIDE = 2  # nodes, below the margin about an opening at every range


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
    rows, columns = _mouth_nodes(view, opening)
    if rows.start == rows.stop or columns.start == columns.stop:
        return None
    height, width = view.camera.shape
    part = tuple(
        slice(view.step * nodes.start, min(view.step * nodes.stop, size))
        for nodes, size in ((rows, height), (columns, width))
    )
    shape = part[0].stop - part[0].start, part[1].stop - part[1].start
    places = spread(view.nodes[rows, columns], shape, view.step)
    x = level_millimetres(places[..., 0], ORIGIN_X, 1)
    y = level_millimetres(places[..., 1], ORIGIN_Y, 1)
    edges = opening.upper, opening.lower, opening.gap
    table = np.stack([*edges, opening.gap], axis=1)[None]  # four channels are quicker than three
    node = (x - COARSE_X[0, 0]) / (COARSE_X[0, 1] - COARSE_X[0, 0])
    upper, lower, gap, _ = channels(sample(table, node, np.zeros_like(node)))
    between = np.clip(y - upper + 0.5, 0, 1) * np.clip(lower - y + 0.5, 0, 1)
    mask = between * np.clip(gap - 0.5, 0, 1)
    return MouthInterior((part[0], part[1]), mask, np.clip((y - upper) / (gap + 0.1), 0, 1), x)


def _mouth_nodes(view: View, opening: Opening) -> Window:
    """Return the nodes around an opening, found on every second one; empty if out of sight."""
    places = view.nodes[::STRIDE, ::STRIDE]
    x = level_millimetres(places[..., 0], ORIGIN_X, 1)
    y = level_millimetres(places[..., 1], ORIGIN_Y, 1)
    top, bottom = float(opening.upper.min()) - 6, float(opening.lower.max()) + 6
    near = (np.abs(x - opening.centre) < opening.half_length + 8) & (y > top) & (y < bottom)
    if not near.any():
        return slice(0, 0), slice(0, 0)
    rows, columns = np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0))
    whole = view.nodes.shape
    found = (
        slice(int(k[0]) * STRIDE, min((int(k[-1]) + 1) * STRIDE, n))
        for k, n in ((rows, whole[0]), (columns, whole[1]))
    )
    return next(found), next(found)
