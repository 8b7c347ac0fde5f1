"""The curves of dose-response: the visible control, and kinds of displacement side by side."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from thermalign.report.card_values import look_of
from thermalign.report.cells import MINUS, THIN, fraction, percent
from thermalign.report.figures import SIZE, Panel, dash
from thermalign.report.names import Look, slug
from thermalign.report.responses import (
    MODALITIES,
    Point,
    both_sides,
    has_d_prime,
    response,
)
from thermalign.report.summary import Value, View
from thermalign.report.svg import style, to_svg


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
