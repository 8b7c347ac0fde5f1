"""What landmark error costs: verification over displacement, and the visible control."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from thermalign.report.blocks import Block, Body, Cell, Chapter, Paragraph, Part, Row, Table
from thermalign.report.drawing import (
    SIZE,
    Panel,
    Panels,
    axes_of,
    curve,
    ends,
    fraction_axis,
    panel,
    style,
)
from thermalign.report.layout import INTERVALS, points_cell, rate_cell
from thermalign.report.looks import Look
from thermalign.report.study import Study
from thermalign.report.views import Curve, Value, View
from thermalign.report.words import (
    MINUS,
    MISSING,
    THIN,
    Show,
    between,
    fraction,
    number,
    percent,
    spelt,
)
from thermalign.schemas.keys import ANNOTATED

MODALITIES = ("thermal", "visible")
LOOKS = {
    "": Look("all thermal probes", "#111111"),
    "thermal": Look("thermal probes", "#d55e00"),
    "visible": Look("visible probes", "#0072b2", (4, 1.5)),
}
"""Modality to its line: every thermal probe, or the moments that both modalities hold."""

TALL = (SIZE[0], 1.2 * SIZE[1])
SMALL = (0.7 * SIZE[0], 0.75 * SIZE[1])

INTRODUCTION = (
    "Annotated points of the probes are displaced by known amounts and matched again. The curve "
    "turns an NMSE into an equal error rate."
)
CONTROL = (
    "The paper calls thermal verification more sensitive to alignment (its Section 4.4) and shows "
    "no visible control; here visible probes of the same moments are displaced alike and matched "
    "without mapping. Sensitivity is read off d′, how far genuine and impostor scores lie apart in "
    "standard deviations, where it was measured: a rate near its floor of 0 cannot show what is "
    "lost."
)

SLOPES = {
    "d_prime_slope": "d′ per interocular distance of NMSE",
    "eer_slope": "Percentage points of EER per .01 interocular distances of NMSE",
    "probit_slope": "Normal deviates of EER per interocular distance of NMSE",
}
"""Metric to the title of its rows. A share per whole unit is as many hundredths per hundredth."""

SLOPE_NOTE = (
    "Difference: thermal minus visible, paired, unadjusted. d′ comes first because it has no "
    "floor: where visible probes start at an equal error rate near 0, the rate cannot show what "
    "they lose; its difference then tells of a reserve rather than of sensitivity, and its normal "
    "deviate hangs on the last few errors."
)
CLIPPED = (
    "A missing slope in normal deviates: a level that it is fitted to has no error, and a rate of "
    "0 (or 1) has no normal deviate."
)

RISE = (
    "Rise: EER of all thermal probes minus that of the level before, in percentage points, paired, "
    "unadjusted."
)


@dataclass(frozen=True)
class Metric:
    """What a curve shows: its names, how figures and ticks are printed, and its highest value."""

    key: str
    name: str
    short: str
    show: Show
    tick: Show
    most: float

    def say(self, at: float, value: Value) -> str:
        """Say a point of the curve."""
        return f"{self.short} {self.show(value.value)} at NMSE {fraction(at)}"


EER = Metric("eer", "Equal error rate", "EER", percent, lambda v: f"{100 * v:.3g}{THIN}%", 1.0)
D_PRIME = Metric(
    "d_prime",
    "d′ of genuine and impostor scores",
    "d′",
    show=lambda v: fraction(v, digits=2),
    tick=lambda v: f"{v:.3g}".replace("-", MINUS),
    most=math.inf,
)


def chapter(study: Study) -> Chapter | None:
    """Show what displaced landmarks cost, a part per protocol; None where none were matched.

    It reads SUMMARY of the experiment ``displacement``, annotated points: by level nmse, eer,
    d_prime and eer_rise; over the levels the slopes and their differences.
    """
    parts = [
        Part(view.label, _blocks(study, view), view.protocol.name)
        for view in study.views
        if study.kinds(view)
    ]
    if not parts:
        return None
    control = any(both_sides(view, study.main_kind(view)) for view in study.views)
    introduction = [Paragraph(f"{INTRODUCTION} {CONTROL if control else ''}".strip())]
    return Chapter("dose", "What landmark error costs", parts, introduction)


def _blocks(study: Study, view: View) -> list[Block]:
    kinds, main = study.kinds(view), study.main_kind(view)
    blocks: list[Block] = [Panels(main_panels(view, main), _caption(study, view, main))]
    if len(kinds) > 1:
        caption = (
            f"Equal error rate over NMSE by kind of displacement, {view.label}, all on the same "
            "axes. NMSE is taken over all landmarks, so that a single displaced landmark reaches "
            "less of it. Solid: thermal probes; dashed: visible probes of the same moments, where "
            "matched. Bands: 95 % interval."
        )
        blocks.append(Panels(kind_panels(view, kinds), caption, small=True))
    up_to = study.setup.displacements.linear_up_to
    views = (view, view.other) if view.other else (view,)
    slopes = [slope_table(its, kinds, linear_up_to=up_to) for its in views]
    return [*blocks, *(table for table in slopes if table), level_table(view, kinds)]


def both_sides(view: View, kind: str, metric: str = "eer") -> dict[str, Curve]:
    """Return the curves of the visible control by modality; empty unless both were measured."""
    found = {modality: view.response(metric, kind, modality) for modality in MODALITIES}
    return found if all(found.values()) else {}


def main_panels(view: View, kind: str) -> list[Panel]:
    """Draw every thermal probe; then thermal and visible ones of the same moments, d′ first."""
    curves = {"": view.response("eer", kind)}
    panels = [_panel(view, kind, curves, title="Thermal probes", limits=curves)]
    for metric in (D_PRIME, EER):
        sides = both_sides(view, kind, metric.key)
        if sides:
            title = f"Visible control, the same moments: {metric.short}"
            panels.append(_panel(view, kind, sides, title=title, limits=sides, metric=metric))
    return panels


def kind_panels(view: View, kinds: list[str]) -> list[Panel]:
    """Draw every kind of displacement on the same axes, thermal and visible where there is both."""
    curves = {k: both_sides(view, k) or {"thermal": view.response("eer", k)} for k in kinds}
    every = {f"{k} {m}": points for k, its in curves.items() for m, points in its.items()}
    return [
        _panel(view, kind, its, title=spelt(kind).capitalize(), limits=every, size=SMALL)
        for kind, its in curves.items()
    ]


def _panel(
    view: View,
    kind: str,
    curves: Mapping[str, Curve],
    *,
    title: str,
    limits: Mapping[str, Curve],
    metric: Metric = EER,
    size: tuple[float, float] = TALL,
) -> Panel:
    """Draw curves of a metric over NMSE, by modality, on axes that hold all of ``limits``."""
    spoken = "; ".join(f"{LOOKS[m].label} {_spoken(its, metric)}" for m, its in curves.items())
    alt = f"{metric.name} over NMSE, {view.label}, {spelt(kind)} displacement: {spoken}."
    legend = [(LOOKS[m], _extent(points, metric)) for m, points in curves.items()]
    with style():
        figure, axes = axes_of(size)
        for modality, points in curves.items():
            curve(axes, points, LOOKS[modality], marker="o", say=metric.say)
        _dress(axes, [point for points in limits.values() for point in points], metric)
        return panel(figure, title=title, alt=alt, legend=legend if size == TALL else ())


def _dress(axes: Axes, points: Curve, metric: Metric) -> None:
    axes.set(xlabel="NMSE, interocular distances", ylabel=metric.name)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    fraction_axis(axes.xaxis)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: metric.tick(v)))
    end = max(nmse for nmse, _ in points)
    low, high = ends(value for _, value in points)
    axes.set_xlim(-0.015 * end, 1.02 * end)
    axes.set_ylim(1.06 * min(low, 0), min(metric.most, 1.06 * high))


def _spoken(points: Curve, metric: Metric) -> str:
    return ", ".join(f"{metric.show(value.value)} at {fraction(nmse)}" for nmse, value in points)


def _extent(points: Curve, metric: Metric) -> str:
    return f"{metric.show(points[0][1].value)} to {metric.show(points[-1][1].value)}"


def _caption(study: Study, view: View, kind: str) -> str:
    reach = study.setup.displacements.range
    where = f", probes of Range {reach}" if reach else ""
    n = number(view.response("eer", kind)[0][1].n)
    sides = both_sides(view, kind)
    parts = [
        f"Equal error rate over the NMSE of displaced points, {view.verified}{where}, "
        f"{spelt(kind)} displacement: annotated points displaced by a known amount (n = {n} "
        "comparisons per level).",
        _control_words(view, sides) if sides else "",
        "Bands: 95 % interval of a bootstrap over subjects.",
    ]
    return " ".join(part for part in parts if part)


def _control_words(view: View, sides: Mapping[str, Curve]) -> str:
    counts = ", ".join(f"{m} {number(points[0][1].n)}" for m, points in sides.items())
    whose = "thermal and visible probes of the same moments, none meeting its own"
    if view.protocol.readings[:1] != ("exclude",):
        whose = (
            "only the moments whose visible image is not enrolled, in thermal and visible probes "
            "alike"
        )
    return f"Visible control: {whose} (n: {counts} comparisons per level)."


def slope_table(view: View, kinds: list[str], *, linear_up_to: float | None) -> Table | None:
    """Lay out the slopes of every kind: d′ first, then EER; None without any.

    Columns of SUMMARY: the metrics of ``SLOPES`` by modality, and their differences.
    """
    bodies = []
    for metric, title in SLOPES.items():
        rows = [Row(spelt(kind), _slope_cells(view, kind, metric)) for kind in kinds]
        if any(cell.tone != "missing" for row in rows for cell in row.cells):
            bodies.append(Body(rows, title=title))
    if not bodies:
        return None
    asked = [view.dose(ANNOTATED, "probit_slope", k, m) for k in kinds for m in ("", *MODALITIES)]
    clipped = any(value and not value.known for value in asked)
    fitted = f"Fitted up to a displacement of {_two(linear_up_to)}. " if linear_up_to else ""
    return Table(
        caption=f"How steeply verification falls off, by kind of displacement, {view.verified}",
        head="Displacement",
        columns=["All thermal probes", *(m.capitalize() for m in MODALITIES), "Difference"],
        bodies=bodies,
        groups=[("", 1), ("Same moments", 3)],
        notes=[f"{fitted}{SLOPE_NOTE} {INTERVALS}", *([CLIPPED] if clipped else [])],
    )


def _slope_cells(view: View, kind: str, metric: str) -> list[Cell]:
    found = [view.dose(ANNOTATED, metric, kind, modality) for modality in ("", *MODALITIES)]
    return [*map(_cell, found), _cell(view.dose(ANNOTATED, f"{metric}_difference", kind))]


def level_table(view: View, kinds: list[str]) -> Table:
    """Lay out NMSE, EER, its rise and d′ at every level of every kind, folded.

    Columns of SUMMARY: nmse, eer, eer_rise, d_prime by level and modality.
    """
    metrics = [m for m in ("eer", "d_prime") if m == "eer" or _any_level(view, kinds, m)]
    rising = _any_level(view, kinds, "eer_rise")
    bodies = [
        Body(_level_rows(view, kind, metrics, rising=rising), title=spelt(kind)) for kind in kinds
    ]
    names = {"eer": "Equal error rate", "d_prime": "d′"}
    sides = ["All thermal probes", *(m.capitalize() for m in MODALITIES)]
    return Table(
        caption=f"Dose-response in numbers, {view.verified}",
        head="Displacement",
        columns=["NMSE", *sides * len(metrics), *(["EER, points"] if rising else [])],
        bodies=bodies,
        groups=[
            ("", 1),
            *((names[metric], len(sides)) for metric in metrics),
            *([("Rise", 1)] if rising else []),
        ],
        notes=[
            "Displacement: mean over the moved landmarks, interocular distances; NMSE: over all "
            f"landmarks. Thermal, visible: the same moments. {INTERVALS}",
            *([RISE] if rising else []),
        ],
        folded="Dose-response in numbers",
        compact=len(metrics) == 1,
    )


def _any_level(view: View, kinds: list[str], metric: str) -> bool:
    return any(view.levels(ANNOTATED, metric, k, m) for k in kinds for m in ("", *MODALITIES))


def _level_rows(view: View, kind: str, metrics: list[str], *, rising: bool) -> list[Row]:
    nmse = dict(view.levels(ANNOTATED, "nmse", kind))
    curves = {
        (metric, m): dict(view.levels(ANNOTATED, metric, kind, m))
        for metric in metrics
        for m in ("", *MODALITIES)
    }
    rises = dict(view.levels(ANNOTATED, "eer_rise", kind))
    return [
        Row(
            _two(level),
            [
                Cell(fraction(nmse[level].value), value=nmse[level]),
                *(
                    (rate_cell if metric == "eer" else _cell)(its.get(level))
                    for (metric, _), its in curves.items()
                ),
                *([points_cell(rises.get(level))] if rising else []),
            ],
        )
        for level in curves["eer", ""]
        if level in nmse
    ]


def _cell(value: Value | None) -> Cell:
    """Show a slope or a d′ with two digits."""
    if value is None or not value.known:
        return Cell(MISSING, tone="missing")
    ends = between(value.low, value.high, show=_two) if value.bounded else ""
    return Cell(_two(value.value), ends, value=value)


def _two(value: float) -> str:
    return fraction(value, digits=2)
