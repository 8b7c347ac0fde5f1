"""Detectors on the curve of displaced points: the EER that an NMSE predicts, and their own."""

from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thermalign.report.blocks import Block, Body, Cell, Chapter, Paragraph, Part, Table
from thermalign.report.drawing import (
    FAINT,
    SIZE,
    Panel,
    Panels,
    axes_of,
    curve,
    ends,
    fraction_axis,
    panel,
    percent_axis,
    style,
    tell,
)
from thermalign.report.layout import ALIGNED_BY, INTERVALS, model_row, points_cell, rate_cell
from thermalign.report.looks import Look
from thermalign.report.study import Study
from thermalign.report.views import Curve, Value, View
from thermalign.report.words import extent, fraction, interval, percent, spelt
from thermalign.schemas.keys import ANNOTATED, PLACEMENT

TALL = (SIZE[0], 1.2 * SIZE[1])

BEYOND = 1.5
"""Where the axis ends at most, in times the curve's end; detectors beyond stand at its edge."""

NEAR = 2.0
"""Detectors with an NMSE up to so many times the lowest are drawn close up."""

INTRODUCTION = (
    "A detector off the curve of displaced points makes errors that cost more, or less, than the "
    "displacement does."
)
PREDICTED = (
    "Predicted: read off the curve of displaced points at the detector’s NMSE. Excess: measured "
    "minus predicted, in percentage points; “as predicted”: its interval holds 0. A detector is "
    "worse, or better, than its NMSE where its errors are of a kind that costs more, or less, than "
    "the displacement does; unadjusted."
)

Limits = tuple[tuple[float, float], tuple[float, float]]
"""Ends of the axis of NMSE, and of that of rates."""


@dataclass(frozen=True)
class Placed:
    """A detector on the curve; ``predicted`` and ``excess`` are None where the curve ends early."""

    nmse: Value
    eer: Value
    predicted: Value | None
    excess: Value | None

    @property
    def said(self) -> str:
        """Both figures with their intervals."""
        eer = f"EER {percent(self.eer.value)} {interval(self.eer, rate=True)}".strip()
        return f"NMSE {fraction(self.nmse.value)} {interval(self.nmse)}, {eer}".replace(" ,", ",")

    @property
    def verdict(self) -> str:
        """Whether the detector's EER is the one that its NMSE predicts."""
        if self.excess is None:
            return "beyond the curve"
        if not self.excess.bounded:
            return "no interval"
        if self.excess.low > 0:
            return "worse than its NMSE"
        return "better than its NMSE" if self.excess.high < 0 else "as predicted"


def chapter(study: Study) -> Chapter | None:
    """Place detectors on the curve of displaced points, a part per protocol; None without any.

    It reads SUMMARY of the experiment ``placement``, by kind of displacement and model: nmse, eer,
    eer_predicted, eer_excess; and nmse and eer of the displaced points by level.
    """
    parts = []
    for view in study.views:
        table = placement_table(view, study.kinds(view))
        if table:
            blocks: list[Block] = [figure(study, view, study.main_kind(view)), table]
            parts.append(Part(view.label, blocks, view.protocol.name))
    introduction = [Paragraph(INTRODUCTION)]
    return Chapter("placement", "Detectors on the curve", parts, introduction) if parts else None


def placements(view: View, kind: str) -> dict[str, Placed]:
    """Return the detectors placed on the curve of a kind, in the order of the page."""
    inner = view.within(experiment=PLACEMENT, setting=kind)
    found = {}
    for subset in inner.subsets("eer"):  # that of the displacements' range alone
        nmse, eer, predicted, excess = (
            inner.known(metric, subset) for metric in ("nmse", "eer", "eer_predicted", "eer_excess")
        )
        for model in (m for m in nmse if m in eer):
            found[model] = Placed(nmse[model], eer[model], predicted.get(model), excess.get(model))
    return found


def placement_table(view: View, kinds: list[str]) -> Table | None:
    """Lay out by detector the NMSE, the EER measured and predicted, and the verdict.

    Of several kinds of displacement each predicts an EER of its own; None where none does.
    """
    bodies = [
        Body(
            [model_row(view, model, _cells(its)) for model, its in placed.items()],
            title=f"By {spelt(kind)} displacement",
        )
        for kind in kinds
        if (placed := placements(view, kind))
    ]
    if not bodies:
        return None
    return Table(
        caption=f"Equal error rate that a detector’s NMSE predicts, and its own, {view.verified}",
        head=ALIGNED_BY,
        columns=["NMSE", "EER measured", "EER predicted", "Excess, points", "Verdict"],
        bodies=bodies,
        notes=[f"{PREDICTED} {INTERVALS}"],
    )


def _cells(placed: Placed) -> list[Cell]:
    return [
        Cell(fraction(placed.nmse.value), interval(placed.nmse), value=placed.nmse),
        rate_cell(placed.eer),
        rate_cell(placed.predicted),
        points_cell(placed.excess),
        Cell(placed.verdict, tone="words"),
    ]


def figure(study: Study, view: View, kind: str) -> Panels:
    """Draw the curve with the detectors on it, and those of low NMSE once more close up.

    Detectors have error bars in both directions. Trainings of one model share a line of the legend.
    """
    points, placed = view.response("eer", kind), placements(view, kind)
    near = _near(study, points, placed)
    panels = [_whole(study, view, kind, frame=_close_limits(near) if near else None)]
    panels += [_close_up(study, view, kind, near)] if near else []
    caption = (
        f"Detectors on the curve of displaced points, {view.verified}, {spelt(kind)} displacement. "
        "Line: annotated points displaced by a known amount. Points: the detectors’ own NMSE and "
        "equal error rate; a triangle at the edge stands for an NMSE beyond the axis. "
        f"{'A dotted frame holds what is drawn close up. ' if near else ''}Band and bars: 95 % "
        "interval of a bootstrap over subjects."
    )
    return Panels(panels, caption)


def _whole(study: Study, view: View, kind: str, *, frame: Limits | None) -> Panel:
    points, placed = view.response("eer", kind), placements(view, kind)
    with style():
        drawing, axes = _axes(view, points, _limits(points, placed))
        _draw(axes, view, placed)
        if frame:
            (left, right), (low, high) = frame
            x, y = (left, right, right, left, left), (low, low, high, high, low)
            axes.plot(x, y, color=FAINT, linewidth=0.8, linestyle=(0, (2, 2)))
        legend = [(view.looks[ANNOTATED], "displaced"), *_legend(study, view, placed)]
        title = "Detectors on the thermal curve"
        return panel(drawing, title=title, alt=_alt(view, kind, legend), legend=legend)


def _close_up(study: Study, view: View, kind: str, near: dict[str, Placed]) -> Panel:
    with style():
        drawing, axes = _axes(view, view.response("eer", kind), _close_limits(near))
        fraction_axis(axes.xaxis, digits=3)
        _draw(axes, view, near)
        legend = _legend(study, view, near)
        return panel(drawing, title="Close up", alt=_alt(view, kind, legend), legend=legend)


def _axes(view: View, points: Curve, limits: Limits) -> tuple[Figure, Axes]:
    drawing, axes = axes_of(TALL)
    curve(axes, points, view.looks[ANNOTATED], marker="o", say=displaced)
    axes.set(xlim=limits[0], ylim=limits[1])
    axes.set(xlabel="NMSE, interocular distances", ylabel="Equal error rate")
    fraction_axis(axes.xaxis)
    percent_axis(axes.yaxis)
    return drawing, axes


def displaced(at: float, value: Value) -> str:
    """Say a point of the curve: how far annotated points were moved, and the EER."""
    rate = f"EER {percent(value.value)} {interval(value, rate=True)}".strip()
    return f"displaced to NMSE {fraction(at)}: {rate}"


def _draw(axes: Axes, view: View, placed: dict[str, Placed]) -> None:
    end = axes.get_xlim()[1]
    for model, its in placed.items():
        draw(axes, its, look=view.looks[model], beyond=its.nmse.value > end)


def draw(axes: Axes, placed: Placed, *, look: Look, beyond: bool) -> None:
    """Mark a detector with bars in both directions; one beyond the axis stands at its edge."""
    x = 0.985 * axes.get_xlim()[1] if beyond else placed.nmse.value
    y = placed.eer.value
    line: dict[str, Any] = {"color": look.colour, "linewidth": 1.2}
    if placed.eer.bounded:
        axes.vlines(x, placed.eer.low, placed.eer.high, gid=look.key, **line)
    if placed.nmse.bounded and not beyond:
        axes.hlines(y, placed.nmse.low, placed.nmse.high, gid=look.key, **line)
    dot: dict[str, Any] = {"markersize": 6, "mec": "white", "mew": 0.8, "zorder": 3}
    axes.plot([x], [y], ">" if beyond else "o", color=look.colour, gid=look.key, **dot)
    tell(axes, look, [(x, y, placed.said)])


def _near(study: Study, points: Curve, placed: dict[str, Placed]) -> dict[str, Placed]:
    """Return the detectors to draw close up; none where they have room on the whole curve."""
    lowest = min((its.nmse.value for its in placed.values()), default=0.0)
    near = {m: its for m, its in placed.items() if its.nmse.value <= NEAR * lowest}
    crowded = len(study.bases(near)) > 1
    return near if crowded and 2 * NEAR * lowest < max(nmse for nmse, _ in points) else {}


def _limits(points: Curve, placed: dict[str, Placed]) -> Limits:
    last = max(nmse for nmse, _ in points)
    farthest = max((its.nmse.value for its in placed.values()), default=0.0)
    end = max(1.05 * last, min(1.05 * farthest, BEYOND * last))
    _, top = ends([*(value for _, value in points), *(its.eer for its in placed.values())])
    return (-0.015 * end, end), (0.0, min(1.0, 1.06 * top))


def _close_limits(near: dict[str, Placed]) -> Limits:
    limits = []
    for values in ([its.nmse for its in near.values()], [its.eer for its in near.values()]):
        low, high = ends(values)
        room = 0.1 * (high - low) or 0.1 * high
        limits.append((max(0.0, low - room), high + room))
    return limits[0], limits[1]


def _legend(study: Study, view: View, placed: dict[str, Placed]) -> list[tuple[Look, str]]:
    """Return a line per model: NMSE and EER, over all its trainings."""
    lines = []
    for base in study.bases(placed):
        mine = [its for model, its in placed.items() if study.base(model) == base]
        nmse = extent([its.nmse.value for its in mine], show=fraction)
        eer = extent([its.eer.value for its in mine], show=percent)
        lines.append((view.looks[base], f"NMSE {nmse}, EER {eer}"))
    return lines


def _alt(view: View, kind: str, legend: list[tuple[Look, str]]) -> str:
    spoken = "; ".join(f"{look.label} {words}" for look, words in legend)
    return f"Equal error rate over NMSE, {view.label}, {spelt(kind)} displacement: {spoken}."
