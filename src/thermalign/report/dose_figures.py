"""The curves of dose-response: detectors placed on one, the visible control, kinds side by side."""

from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from thermalign.report.card_values import look_of
from thermalign.report.cells import THIN, fraction, percent
from thermalign.report.figures import SIZE, Panel, Seeds, dash
from thermalign.report.labels import Label, place_labels
from thermalign.report.names import Look, slug
from thermalign.report.responses import (
    DISPLACED,
    MODALITIES,
    Placed,
    Point,
    both_sides,
    placements,
    response,
)
from thermalign.report.summary import View
from thermalign.report.svg import style, to_svg

TALL = (SIZE[0], 1.2 * SIZE[1])
SMALL = (0.7 * SIZE[0], 0.75 * SIZE[1])
BEYOND = 1.5
"""Where the axis ends at most, in times the curve's end; detectors beyond stand at its edge."""


def modality_look(modality: str) -> Look:
    """Return the line of a modality, as in the card of a dataset."""
    look = look_of(f"modality={modality}&range=1")
    return replace(look, label=f"{modality} probes")


def placement_panel(view: View, kind: str, *, seeds: Seeds) -> Panel | None:
    """Draw the curve of all thermal probes and the detectors with error bars in both directions."""
    curve, placed = response(view, kind), placements(view)
    if not curve:
        return None
    look = view.looks[DISPLACED]
    with style():
        figure, axes = _axes(TALL)
        _draw(axes, curve, look)
        end = _end(curve, placed)
        labels = [Label("displaced points", curve[-1].nmse, curve[-1].eer.value)]
        named: set[str] = set()
        for model, its in placed.items():
            name = seeds[model][0] if model in seeds else model
            x = _draw_placed(axes, its, look=view.looks[model], end=end)
            words = view.looks[name].label
            words += f" at {fraction(its.nmse.value, digits=2)}" if its.nmse.value > end else ""
            if name not in named or its.nmse.value > end:
                labels.append(Label(words, x, its.eer.value))
            named.add(name)
        tops = [p.eer.high for p in curve if p.eer.bounded]
        tops += [its.eer.high for its in placed.values() if its.eer.bounded]
        tops += [p.eer.value for p in curve] + [its.eer.value for its in placed.values()]
        axes.set(xlim=(-0.015 * end, end), ylim=(0, min(1.0, 1.06 * max(tops))))
        bars = [(its.nmse.value, its.eer.low, its.eer.high) for its in placed.values()]
        place_labels(figure, axes, labels, curve=[(p.nmse, p.eer.value) for p in curve], bars=bars)
        spoken = [
            f"{view.looks[m].label} NMSE {fraction(its.nmse.value)}, EER {percent(its.eer.value)}"
            for m, its in placed.items()
        ]
        alt = f"{_alt(view, kind)}: {_said(curve)}. {'; '.join(spoken)}."
        svg = to_svg(figure, key=f"dose-{slug(view.protocol)}", alt=alt)
    return Panel("Detectors on the thermal curve" if placed else "Thermal probes", svg)


def control_panel(view: View, kind: str) -> Panel | None:
    """Draw thermal and visible probes of the same moments; None unless both were measured."""
    sides = both_sides(view, kind)
    if not sides:
        return None
    with style():
        figure, axes = _axes(TALL)
        for modality in MODALITIES:
            _draw(axes, sides[modality], modality_look(modality))
        every = [point for points in sides.values() for point in points]
        _limits(axes, every)
        spoken = "; ".join(f"{m} {_said(points)}" for m, points in sides.items())
        key = f"dose-control-{slug(view.protocol)}"
        svg = to_svg(figure, key=key, alt=f"{_alt(view, kind)}, the same moments: {spoken}.")
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
            figure, axes = _axes(SMALL)
            for modality, points in sides.items():
                _draw(axes, points, modality_look(modality))
            _limits(axes, every)
            spoken = "; ".join(f"{m} {_said(points)}" for m, points in sides.items())
            key = f"dose-kind-{slug(view.protocol)}-{slug(kind)}"
            svg = to_svg(figure, key=key, alt=f"{_alt(view, kind)}: {spoken}.")
        panels.append(Panel(kind.replace("_", " ").capitalize(), svg))
    return panels


def _axes(size: tuple[float, float]) -> tuple[Figure, Axes]:
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel="NMSE, interocular distances", ylabel="Equal error rate")
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: fraction(v, digits=2)))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.3g}{THIN}%"))
    return figure, axes


def _draw(axes: Axes, points: list[Point], look: Look) -> None:
    x, y = [p.nmse for p in points], [p.eer.value for p in points]
    axes.plot(x, y, color=look.colour, linestyle=dash(look), marker="o", markersize=3)
    low, high = [p.eer.low for p in points], [p.eer.high for p in points]
    axes.fill_between(x, low, high, color=look.colour, alpha=0.13, linewidth=0)


def _draw_placed(axes: Axes, placed: Placed, *, look: Look, end: float) -> float:
    """Draw a detector with its bars and return its abscissa: the edge's, where it is beyond."""
    beyond = placed.nmse.value > end
    x, y = 0.985 * end if beyond else placed.nmse.value, placed.eer.value
    if placed.eer.bounded:
        axes.vlines(x, placed.eer.low, placed.eer.high, color=look.colour, linewidth=1.2)
    if placed.nmse.bounded and not beyond:
        axes.hlines(y, placed.nmse.low, placed.nmse.high, color=look.colour, linewidth=1.2)
    marker = ">" if beyond else "o"
    axes.plot([x], [y], marker, color=look.colour, markersize=6, mec="white", mew=0.8, zorder=3)
    return x


def _end(curve: list[Point], placed: dict[str, Placed]) -> float:
    """Return where the axis of NMSE ends."""
    last = max(point.nmse for point in curve)
    farthest = max([its.nmse.value for its in placed.values()], default=0.0)
    return max(1.05 * last, min(1.05 * farthest, BEYOND * last))


def _limits(axes: Axes, points: list[Point]) -> None:
    top = max(p.eer.high if p.eer.bounded else p.eer.value for p in points)
    end = max(p.nmse for p in points)
    axes.set(xlim=(-0.015 * end, 1.02 * end), ylim=(0, min(1.0, 1.06 * top)))


def _alt(view: View, kind: str) -> str:
    return f"Equal error rate over NMSE, {view.label}, {kind.replace('_', ' ')} displacement"


def _said(points: list[Point]) -> str:
    return ", ".join(f"{percent(p.eer.value)} at {fraction(p.nmse)}" for p in points)


def _ends(points: list[Point]) -> str:
    return f"{percent(points[0].eer.value)} to {percent(points[-1].eer.value)}"
