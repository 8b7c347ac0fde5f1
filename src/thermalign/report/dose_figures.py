"""The curves of dose-response: the visible control, and kinds of displacement side by side."""

from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from thermalign.report.card_values import look_of
from thermalign.report.cells import THIN, fraction, percent
from thermalign.report.figures import SIZE, Panel, dash
from thermalign.report.names import Look, slug
from thermalign.report.responses import (
    MODALITIES,
    Point,
    both_sides,
    response,
)
from thermalign.report.summary import View
from thermalign.report.svg import style, to_svg

TALL = (SIZE[0], 1.2 * SIZE[1])
SMALL = (0.7 * SIZE[0], 0.75 * SIZE[1])


def modality_look(modality: str) -> Look:
    """Return the line of a modality, as in the card of a dataset."""
    look = look_of(f"modality={modality}&range=1")
    return replace(look, label=f"{modality} probes")


def control_panel(view: View, kind: str) -> Panel | None:
    """Draw thermal and visible probes of the same moments; None unless both were measured."""
    sides = both_sides(view, kind)
    if not sides:
        return None
    with style():
        figure, axes = dose_axes(TALL)
        for modality in MODALITIES:
            draw_curve(axes, sides[modality], modality_look(modality))
        every = [point for points in sides.values() for point in points]
        _limits(axes, every)
        spoken = "; ".join(f"{m} {said_of(points)}" for m, points in sides.items())
        key = f"dose-control-{slug(view.protocol)}"
        svg = to_svg(figure, key=key, alt=f"{alt_of(view, kind)}, the same moments: {spoken}.")
    return Panel(
        "Visible control, the same moments",
        svg,
        [(modality_look(m), f"{_ends(points)}") for m, points in sides.items()],
    )


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


def dose_axes(size: tuple[float, float]) -> tuple[Figure, Axes]:
    """Return a figure and axes of EER over NMSE."""
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel="NMSE, interocular distances", ylabel="Equal error rate")
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: fraction(v, digits=2)))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.3g}{THIN}%"))
    return figure, axes


def draw_curve(axes: Axes, points: list[Point], look: Look) -> None:
    """Draw a dose-response curve with its band."""
    x, y = [p.nmse for p in points], [p.eer.value for p in points]
    axes.plot(x, y, color=look.colour, linestyle=dash(look), marker="o", markersize=3)
    low, high = [p.eer.low for p in points], [p.eer.high for p in points]
    axes.fill_between(x, low, high, color=look.colour, alpha=0.13, linewidth=0)


def _limits(axes: Axes, points: list[Point]) -> None:
    top = max(p.eer.high if p.eer.bounded else p.eer.value for p in points)
    end = max(p.nmse for p in points)
    axes.set(xlim=(-0.015 * end, 1.02 * end), ylim=(0, min(1.0, 1.06 * top)))


def alt_of(view: View, kind: str) -> str:
    """Return what a figure of a kind shows, for those who do not see it."""
    return f"Equal error rate over NMSE, {view.label}, {kind.replace('_', ' ')} displacement"


def said_of(points: list[Point]) -> str:
    """Return a curve in words."""
    return ", ".join(f"{percent(p.eer.value)} at {fraction(p.nmse)}" for p in points)


def _ends(points: list[Point]) -> str:
    return f"{percent(points[0].eer.value)} to {percent(points[-1].eer.value)}"
