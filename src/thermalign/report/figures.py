"""The curves of landmark error and training. Each panel is a picture of its own."""

import math
from dataclasses import dataclass, field

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from thermalign.report.cells import percent
from thermalign.report.names import Look
from thermalign.report.summary import Value, View

SIZE = (4.3, 3.1)  # inches; about the width of a column, so that text keeps its size on a phone

Looks = dict[str, Look]
Seeds = dict[str, tuple[str, int]]
"""Name under ``models:`` and training seed of every model that is one of several trainings."""

Curve = list[tuple[float, Value]]


@dataclass(frozen=True)
class Panel:
    """A picture, its title, and what a legend of its own says of each model."""

    title: str
    svg: str
    legend: list[tuple[Look, str]] = field(default_factory=list)


def one_axes() -> tuple[Figure, Axes]:
    """Return a figure and its axes, whose ordinate is a rate in percent."""
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.subplots()
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: percent(v, digits=0)))
    return figure, axes


def curve_subsets(view: View, metric: str) -> list[str]:
    """Return the subsets that a curve is drawn for, in the order of the page."""
    measured = view.subsets(metric)
    parts = [*view.ranges(metric), *view.volumes(metric)]
    # The paper's ROC curves are those of Range 1, its error curves those of all images.
    wanted = ["all", *parts] if metric == "ced" else [*parts, "all"]
    return [s for s in wanted if s in measured] or measured


def draw(axes: Axes, points: Curve, *, look: Look) -> None:
    """Draw a curve as its model looks, with a band where it has intervals."""
    x = [at for at, _ in points]
    y = [value.value for _, value in points]
    axes.plot(x, y, color=look.colour, linestyle=dash(look))
    low, high = [value.low for _, value in points], [value.high for _, value in points]
    if any(math.isfinite(v) for v in low):
        axes.fill_between(x, low, high, color=look.colour, alpha=0.13, linewidth=0)


def dash(look: Look) -> tuple[float, tuple[float, ...]] | str:
    """Return a look's strokes as matplotlib takes them."""
    return (0, look.dash) if look.dash else "-"
