"""The picture of the first screen: what landmark error costs, and where each detector stands."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from thermalign.geometry import Floats
from thermalign.report.chapters import placement
from thermalign.report.drawing import (
    FAINT,
    Drawing,
    Panel,
    axes_of,
    curve,
    ends,
    fraction_axis,
    panel,
    percent_axis,
    style,
    tell,
)
from thermalign.report.looks import Look
from thermalign.report.study import Study
from thermalign.report.views import View
from thermalign.report.words import fraction, interval, spelt
from thermalign.schemas.keys import ANNOTATED

SIZE = (7.4, 4.1)  # inches
ROOM = 1.14
"""Where the axis of error ends, in times the largest error of a detector."""

UPS = (5, -13, 17, -25, 29, -37, 41, -49)
"""How far above its point a name may stand, to either side: the first place that is free."""

FAR = 20
"""From this far on, a line leads from a name to its point."""

LEADER = {"arrowstyle": "-", "color": FAINT, "linewidth": 0.7, "shrinkA": 1, "shrinkB": 4}

ACROSS, LETTER, HEIGHT = 8, 5.9, 9.0
"""From a point to its name, and the size of a letter, in points of the drawing."""


def overview(study: Study, view: View) -> Panel | None:
    """Draw the detectors on the curve of EER over NMSE that starts at the annotated points.

    Without displaced points, the detectors' NMSE; None without that.
    """
    kind = study.main_kind(view)
    placed = placement.placements(view, kind) if kind else {}
    if placed:
        return _on_the_curve(study, view, kind, placed)
    return _errors(study, view) if view.known("nmse") else None


def caption(study: Study, view: View) -> str:
    """Say what the picture shows."""
    if not (study.main_kind(view) and placement.placements(view, study.main_kind(view))):
        return f"NMSE of the detectors, {view.label}. Bars: 95 % interval."
    return (
        "Equal error rate of face verification over landmark error, "
        f"{view.verified}. Line: annotated points moved by a known amount. Dots: detectors where "
        "they are. Band and bars: 95 % interval over people."
    )


def _on_the_curve(
    study: Study, view: View, kind: str, placed: dict[str, placement.Placed]
) -> Panel:
    points = view.response("eer", kind)
    shown = {model: its for model, its in placed.items() if model in study.bases(placed)} or placed
    end = min(ROOM * max(its.nmse.value for its in shown.values()), points[-1][0])
    inside = [(at, value) for at, value in points if at <= 1.4 * end]
    with style():
        drawing, axes = axes_of(SIZE)
        curve(axes, inside, view.looks[ANNOTATED], marker="o", say=placement.displaced)
        _frame(axes, end, ends([*(v for _, v in inside), *(its.eer for its in shown.values())]))
        names = [(0.0, points[0][1].value, replace(view.looks[ANNOTATED], key=""))]
        crossed = [(at, value.value) for at, value in inside]
        for model, its in shown.items():
            look = view.looks[model]
            placement.draw(axes, its, look=look, beyond=its.nmse.value > end)
            names.append((min(its.nmse.value, 0.985 * end), its.eer.value, look))
            crossed += _bars(its)
        _name(drawing, axes, names, crossed)
        spoken = "; ".join(f"{view.looks[m].label}: {its.said}" for m, its in shown.items())
        alt = (
            f"Equal error rate over NMSE, {view.label}, {spelt(kind)} displacement of annotated "
            f"points, and detectors: {spoken}."
        )
        return panel(drawing, title="", alt=alt)


def _frame(axes: Axes, end: float, reach: tuple[float, float]) -> None:
    room = 0.08 * (reach[1] - reach[0])
    axes.set(xlim=(-0.025 * end, 1.01 * end))
    axes.set_ylim(max(0.0, reach[0] - room), min(1.0, reach[1] + room))
    axes.set_xlabel("Landmark error (NMSE), distances between the eyes")
    axes.set_ylabel("Equal error rate")
    axes.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    fraction_axis(axes.xaxis)
    percent_axis(axes.yaxis)


def _name(
    drawing: Drawing,
    axes: Axes,
    names: Sequence[tuple[float, float, Look]],
    crossed: Sequence[tuple[float, float]],
) -> None:
    """Write every name beside its point, where it covers as little as possible of what is drawn."""
    drawing.draw_without_rendering()
    to_points = 72 / drawing.dpi
    dots = to_points * axes.transData.transform([(x, y) for x, y, _ in names])
    taken = [to_points * axes.transData.transform(crossed), dots, dots]
    left, right = to_points * axes.bbox.x0, to_points * axes.bbox.x1
    sides = [(across, up) for up in UPS for across in (ACROSS, -ACROSS)]
    for (x, y, look), dot in zip(names, dots, strict=True):
        width = LETTER * len(look.label)
        boxes = [_box(dot, side, width) for side in sides]
        outside = [box[0, 0] < left or box[1, 0] > right + 4 for box in boxes]
        costs = [
            sum(_covered(box, its) for its in taken) + abs(up) / 12
            for box, (_, up) in zip(boxes, sides, strict=True)
        ]
        best = int(np.argmin(np.add(costs, 99 * np.array(outside))))
        across, up = sides[best]
        named = axes.annotate(
            look.label,
            (x, y),
            xytext=(across, up),
            textcoords="offset points",
            ha="left" if across > 0 else "right",
            color=look.colour,
            fontweight="bold",
            fontsize=9,
            gid=look.key or None,
            arrowprops=LEADER if abs(up) > FAR else None,
        )
        if named.arrow_patch:
            named.arrow_patch.set_gid(look.key or None)
        low, high = boxes[best]
        grid = np.linspace(low[0], high[0], 12)
        taken.append(np.array([(at, (low[1] + high[1]) / 2) for at in grid]))


def _bars(placed: placement.Placed) -> list[tuple[float, float]]:
    """Return points along both bars of a detector."""
    (left, right), (low, high) = (ends([value]) for value in (placed.nmse, placed.eer))
    across = [(float(x), placed.eer.value) for x in np.linspace(left, right, 15)]
    return across + [(placed.nmse.value, float(y)) for y in np.linspace(low, high, 25)]


def _box(dot: Floats, side: tuple[int, int], width: float) -> Floats:
    left = dot[0] + side[0] - (width if side[0] < 0 else 0)
    return np.array([(left, dot[1] + side[1]), (left + width, dot[1] + side[1] + HEIGHT)])


def _covered(box: Floats, points: Floats) -> int:
    inside = (points > box[0] - 3) & (points < box[1] + 3)
    return int(inside.all(axis=1).sum())


def _errors(study: Study, view: View) -> Panel:
    known = view.known("nmse")
    models = [model for model in study.bases(known) if model in known] or list(known)
    with style():
        drawing, axes = axes_of((SIZE[0], 0.6 + 0.42 * len(models)))
        for row, model in enumerate(reversed(models)):
            value, look = known[model], view.looks[model]
            if value.bounded:
                axes.hlines(row, value.low, value.high, color=look.colour, gid=look.key)
            axes.plot([value.value], [row], "o", color=look.colour, gid=look.key)
            said = f"NMSE {fraction(value.value)} {interval(value)}".strip()
            tell(axes, look, [(value.value, float(row), said)])
        labels = [view.looks[model].label for model in reversed(models)]
        axes.set_yticks(range(len(models)), labels)
        axes.set(ylim=(-0.6, len(models) - 0.4), xlabel="NMSE, interocular distances")
        axes.set_xlim(left=0)
        axes.spines["left"].set_color(FAINT)
        fraction_axis(axes.xaxis)
        figures = "; ".join(f"{view.looks[m].label} {fraction(known[m].value)}" for m in models)
        return panel(drawing, title="", alt=f"NMSE, {view.label}: {figures}.")
