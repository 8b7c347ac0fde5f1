"""The curves of dose-response: the visible control, and kinds of displacement side by side."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from thermalign.report.cells import (
    MINUS,
    MISSING,
    THIN,
    Body,
    Cell,
    Row,
    Table,
    between,
    fraction,
    percent,
    rate_cell,
)
from thermalign.report.chapters.dataset import look_of
from thermalign.report.chapters.people import verified
from thermalign.report.chapters.spread import Point
from thermalign.report.figures import SIZE, Panel, dash
from thermalign.report.names import Look, slug, subset_parts
from thermalign.report.summary import Value, View
from thermalign.report.svg import style, to_svg
from thermalign.report.tables import INTERVALS


@dataclass(frozen=True)
class Metric:
    """What a dose-response curve shows: its names, how figures are printed, and how far it goes."""

    key: str
    name: str
    short: str
    of: Callable[[Point], Value | None]
    show: Callable[[float], str]
    tick: Callable[[float], str]
    most: float


EER = Metric(
    "eer",
    "Equal error rate",
    "EER",
    of=lambda p: p.eer,
    show=percent,
    tick=lambda v: f"{100 * v:.3g}{THIN}%",
    most=1.0,
)


D_PRIME = Metric(
    "d_prime",
    "d′ of genuine and impostor scores",
    "d′",
    of=lambda p: p.d_prime,
    show=lambda v: fraction(v, digits=2),
    tick=lambda v: f"{v:.3g}".replace("-", MINUS),
    most=math.inf,
)


TALL = (SIZE[0], 1.2 * SIZE[1])


SMALL = (0.7 * SIZE[0], 0.75 * SIZE[1])


def modality_look(modality: str) -> Look:
    """Return the line of a modality, as in the card of a dataset."""
    look = look_of(f"modality={modality}&range=1")
    return replace(look, label=f"{modality} probes")


def control_panels(view: View, kind: str) -> list[Panel]:
    """Draw thermal and visible probes of the same moments, d′ first; none unless both are there."""
    sides = both_sides(view, kind)
    if not sides:
        return []
    metrics = [D_PRIME, EER] if has_d_prime(sides) else [EER]
    return [_control(view, kind, sides, metric) for metric in metrics]


def _control(view: View, kind: str, sides: dict[str, list[Point]], metric: Metric) -> Panel:
    every = [point for points in sides.values() for point in points]
    with style():
        figure, axes = dose_axes(TALL, metric)
        for modality in MODALITIES:
            draw_curve(axes, sides[modality], modality_look(modality), metric)
        _limits(axes, every, metric)
        spoken = "; ".join(f"{m} {said_of(points, metric)}" for m, points in sides.items())
        key = f"dose-control-{metric.key}-{slug(view.protocol)}"
        alt = f"{alt_of(view, kind, metric)}, the same moments: {spoken}."
        svg = to_svg(figure, key=key, alt=alt)
    legend = [(modality_look(m), _ends(points, metric)) for m, points in sides.items()]
    return Panel(f"Visible control, the same moments: {metric.short}", svg, legend)


def kind_panels(view: View, kinds: list[str]) -> list[Panel]:
    """Draw every kind of displacement on the same axes, thermal and visible where there is both."""
    curves = {kind: both_sides(view, kind) or {"thermal": response(view, kind)} for kind in kinds}
    every = [p for sides in curves.values() for points in sides.values() for p in points]
    panels = []
    for kind, sides in curves.items():
        with style():
            figure, axes = dose_axes(SMALL)
            for modality, points in sides.items():
                draw_curve(axes, points, modality_look(modality))
            _limits(axes, every)
            spoken = "; ".join(f"{m} {said_of(points)}" for m, points in sides.items())
            key = f"dose-kind-{slug(view.protocol)}-{slug(kind)}"
            svg = to_svg(figure, key=key, alt=f"{alt_of(view, kind)}: {spoken}.")
        panels.append(Panel(kind.replace("_", " ").capitalize(), svg))
    return panels


def dose_axes(size: tuple[float, float], metric: Metric = EER) -> tuple[Figure, Axes]:
    """Return a figure and axes of a metric over NMSE."""
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel="NMSE, interocular distances", ylabel=metric.name)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: fraction(v, digits=2)))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: metric.tick(v)))
    return figure, axes


def draw_curve(axes: Axes, points: list[Point], look: Look, metric: Metric = EER) -> None:
    """Draw a dose-response curve with its band."""
    x, values = [p.nmse for p in points], _values(points, metric)
    y = [v.value for v in values]
    axes.plot(x, y, color=look.colour, linestyle=dash(look), marker="o", markersize=3)
    low, high = [v.low for v in values], [v.high for v in values]
    axes.fill_between(x, low, high, color=look.colour, alpha=0.13, linewidth=0)


def _values(points: list[Point], metric: Metric) -> list[Value]:
    return [value for p in points if (value := metric.of(p))]


def _limits(axes: Axes, points: list[Point], metric: Metric = EER) -> None:
    values = _values(points, metric)
    top = max(v.high if v.bounded else v.value for v in values)
    low = min(v.low if v.bounded else v.value for v in values)
    end = max(p.nmse for p in points)
    axes.set(
        xlim=(-0.015 * end, 1.02 * end), ylim=(1.06 * min(low, 0), min(metric.most, 1.06 * top))
    )


def alt_of(view: View, kind: str, metric: Metric = EER) -> str:
    """Return what a figure of a kind shows, for those who do not see it."""
    return f"{metric.name} over NMSE, {view.label}, {kind.replace('_', ' ')} displacement"


def said_of(points: list[Point], metric: Metric = EER) -> str:
    """Return a curve in words."""
    return ", ".join(
        f"{metric.show(value.value)} at {fraction(p.nmse)}"
        for p in points
        if (value := metric.of(p))
    )


def _ends(points: list[Point], metric: Metric) -> str:
    values = _values(points, metric)
    return f"{metric.show(values[0].value)} to {metric.show(values[-1].value)}"


SCALES = {
    "d_prime_slope": "d′ per interocular distance of NMSE",
    "eer_slope": "Percentage points of EER per .01 interocular distances of NMSE",
    "probit_slope": "Normal deviates of EER per interocular distance of NMSE",
}
"""Metric to the title of its rows. A share per whole unit is as many hundredths per hundredth."""


CLIPPED = (
    "A missing slope in normal deviates: a level that it is fitted to has no error, and a rate of "
    "0 (or 1) has no normal deviate."
)


WIDE = 3
"""Columns of one figure: all thermal probes, and both modalities of the same moments."""


def spelt(kind: str) -> str:
    """Spell a kind of displacement."""
    return kind.replace("_", " ")


def two(value: float) -> str:
    """Print a slope with two digits."""
    return fraction(value, digits=2)


def slope_table(view: View, measured: list[str]) -> Table | None:
    """Lay out the slopes of every kind: d′ first, then EER; None without any."""
    bodies, clipped = [], False
    for scale, title in SCALES.items():
        rows = [Row(spelt(kind), _slope_cells(view, kind, scale)) for kind in measured]
        if any(cell.tone != "missing" for row in rows for cell in row.cells):
            bodies.append(Body(rows, title=title))
        clipped |= scale == "probit_slope" and any(_clipped(view, kind) for kind in measured)
    if not bodies:
        return None
    return Table(
        caption=f"How steeply verification falls off, by kind of displacement, {verified(view)}",
        head="Displacement",
        columns=["All thermal probes", *(m.capitalize() for m in MODALITIES), "Difference"],
        bodies=bodies,
        groups=[("", 1), ("Same moments", 3)],
        notes=[
            "Difference: thermal minus visible, paired, unadjusted. d′ comes first because it has "
            "no floor: an equal error rate near 0 cannot show what it loses, and its normal "
            f"deviate hangs on the last few errors. {INTERVALS}",
            *([CLIPPED] if clipped else []),
        ],
    )


def _clipped(view: View, kind: str) -> bool:
    """Tell whether a probit slope was asked for and is not a number."""
    found = [
        view.get(DISPLACED, "probit_slope", subset=subset_of(kind, m)) for m in ("", *MODALITIES)
    ]
    return any(value is not None and not value.known for value in found)


def _slope_cells(view: View, kind: str, scale: str) -> list[Cell]:
    keys = [(scale, subset_of(kind, m)) for m in ("", *MODALITIES)]
    cells = [_slope_cell(view.get(DISPLACED, metric, subset=subset)) for metric, subset in keys]
    found = view.get(DISPLACED, f"{scale}_difference", subset=subset_of(kind))
    return [*cells, _slope_cell(found)]


def _slope_cell(value: Value | None) -> Cell:
    if value is None or not value.known:
        return Cell(MISSING, tone="missing")
    ends = between(value.low, value.high, show=two) if value.bounded else ""
    return Cell(two(value.value), ends)


def level_table(view: View, measured: list[str]) -> Table:
    """Lay out NMSE, EER and d′ at every level of every kind, folded."""
    curves = {kind: {m: response(view, kind, m) for m in ("", *MODALITIES)} for kind in measured}
    apart = any(p.d_prime for sides in curves.values() for points in sides.values() for p in points)
    bodies = []
    for kind, sides in curves.items():
        at = {m: {point.level: point for point in points} for m, points in sides.items()}
        rows = [
            Row(
                two(point.level),
                [
                    Cell(fraction(point.nmse)),
                    *(rate_cell(_eer(its.get(point.level))) for its in at.values()),
                    *(_slope_cell(_d_prime(its.get(point.level))) for its in at.values() if apart),
                ],
            )
            for point in sides[""]
        ]
        bodies.append(Body(rows, title=spelt(kind)))
    columns = ["All thermal probes", *(m.capitalize() for m in MODALITIES)]
    return Table(
        caption=f"Dose-response in numbers, {verified(view)}",
        head="Displacement",
        columns=["NMSE", *columns * (1 + apart)],
        bodies=[body for body in bodies if body.rows],
        groups=[("", 1), ("Equal error rate", WIDE), *([("d′", WIDE)] if apart else [])],
        notes=[
            "Displacement: mean over the moved landmarks, interocular distances; NMSE: over all "
            f"landmarks. Thermal, visible: the same moments. {INTERVALS}"
        ],
        folded="Dose-response in numbers",
        compact=not apart,
    )


def _eer(point: Point | None) -> Value | None:
    return point.eer if point else None


def _d_prime(point: Point | None) -> Value | None:
    return point.d_prime if point else None


DISPLACED = "annotated"
"""The model whose points are displaced."""


MODALITIES = ("thermal", "visible")


@dataclass(frozen=True)
class Point:
    """One level of displacement: the level and NMSE in interocular distances, the EER, and d′."""

    level: float
    nmse: float
    eer: Value
    d_prime: Value | None = None


def kinds(view: View, config: Mapping[str, Any]) -> list[str]:
    """Return the kinds with a dose-response curve: first as configured, then any others."""
    measured = [subset_parts(s).get("displacement", "") for s in view.subsets("eer")]
    configured = [str(kind) for kind in config.get("displacements", {}).get("kinds", [])]
    ordered = dict.fromkeys([*configured, *measured])
    return [kind for kind in ordered if kind and response(view, kind)]


def subset_of(kind: str, modality: str = "") -> str:
    """Return the subset of a kind: every thermal probe, or the moments that both sides hold."""
    return f"displacement={kind}" + (f"&modality={modality}" if modality else "")


def response(view: View, kind: str, modality: str = "") -> list[Point]:
    """Return a dose-response curve by rising level; empty where it was not measured."""
    subset = subset_of(kind, modality)
    nmse = dict(view.curve(DISPLACED, "nmse", subset=subset))
    eer = view.curve(DISPLACED, "eer", subset=subset)
    apart = dict(view.curve(DISPLACED, "d_prime", subset=subset))
    return [
        Point(level, nmse[level].value, value, apart.get(level))
        for level, value in eer
        if level in nmse
    ]


def both_sides(view: View, kind: str) -> dict[str, list[Point]]:
    """Return the curves of the visible control by modality; empty unless both were measured."""
    found = {modality: response(view, kind, modality) for modality in MODALITIES}
    return found if all(found.values()) else {}


def has_d_prime(sides: Mapping[str, list[Point]]) -> bool:
    """Tell whether every point of every curve has a d′."""
    return bool(sides) and all(p.d_prime for points in sides.values() for p in points)


@dataclass(frozen=True)
class Placed:
    """A detector on the curve; ``predicted`` and ``excess`` are None where the curve ends early."""

    nmse: Value
    eer: Value
    predicted: Value | None
    excess: Value | None

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


def placements(view: View, kind: str) -> dict[str, Placed]:
    """Return the detectors placed on the curve of a kind, in the order of the page."""
    subset, found = f"placement={kind}", {}
    nmse, eer, predicted, excess = (
        view.known(metric, subset=subset)
        for metric in ("nmse", "eer", "eer_predicted", "eer_excess")
    )
    for model in (m for m in nmse if m in eer):
        found[model] = Placed(nmse[model], eer[model], predicted.get(model), excess.get(model))
    return found
