"""Figures: the style and axes of curves, a panel for every picture, faces in grey."""

import base64
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import cv2
import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from thermalign.geometry import Floats
from thermalign.report.looks import Look
from thermalign.report.views import Curve, Value, View
from thermalign.report.words import THIN, fraction, subset_label
from thermalign.schemas.keys import ALL, Subset

SIZE = (4.3, 3.1)  # inches; about the width of a column, so that text keeps its size on a phone
INK, FAINT, GRID = "#222222", "#6b6b6b", "#e4e2de"
BAND = 0.13  # opacity of an interval

LONGEST_SIDE = 170
"""Longest side of an embedded picture in pixels; larger ones are reduced, none is enlarged."""

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "thermalign",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "axes.labelsize": 9.5,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "lines.linewidth": 1.7,
}


def address(data: bytes, kind: str) -> str:
    """Return bytes of a media type as an address that holds them."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def grey_address(pixels: Floats, ends: tuple[float, float] | None = None) -> str:
    """Return a face as the address of a grey picture, its contrast stretched for the eye only.

    Parameters
    ----------
    pixels : (H, W) float
    ends : (float, float), optional
        What becomes black and white; else percentiles 1 and 99.

    Raises
    ------
    ValueError
        If the picture cannot be encoded.
    """
    values: Any = np.asarray(pixels, dtype=np.float32)
    finite = values[np.isfinite(values)]
    low, high = ends or (np.percentile(finite, [1, 99]) if finite.size else (0.0, 1.0))
    grey = np.clip((np.nan_to_num(values, nan=low) - low) / max(high - low, 1e-9), 0, 1)
    shrink = min(1.0, LONGEST_SIDE / max(values.shape))
    if shrink < 1:
        size = (round(values.shape[1] * shrink), round(values.shape[0] * shrink))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    done, encoded = cv2.imencode(".png", np.round(grey * 255).astype(np.uint8))
    if not done:
        raise ValueError(f"a face picture of shape {values.shape} cannot be encoded as PNG")
    return address(encoded.tobytes(), "image/png")


@dataclass(frozen=True)
class Panel:
    """A picture, and what stands around it.

    Attributes
    ----------
    title : str
    alt : str
        What it shows, for those who do not see it.
    svg : str
        A whole SVG file.
    legend : list of (Look, str)
        What a legend of its own says of each model.
    """

    title: str
    alt: str
    svg: str
    legend: list[tuple[Look, str]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """The picture as the source of an ``img``."""
        return address(self.svg.encode(), "image/svg+xml")


@dataclass(frozen=True)
class Panels:
    """A figure of one or several panels.

    Attributes
    ----------
    panels : sequence of Panel
    caption : str
    legend : sequence of Look
        Of all panels.
    small : bool
        Whether panels are half as wide.
    folded : str
        Where not empty, the figure is folded away behind this line.
    """

    kind: ClassVar[str] = "panels"
    panels: Sequence[Panel]
    caption: str
    legend: Sequence[Look] = ()
    small: bool = False
    folded: str = ""


@contextmanager
def style(*, grid: bool = True) -> Iterator[None]:
    """Draw in the report's style, whatever the user's own matplotlib settings say."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE | {"axes.grid": grid})
        yield


def axes_of(size: tuple[float, float] = SIZE) -> tuple[Figure, Axes]:
    """Return a figure of a size in inches and its axes; within :func:`style`."""
    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots()


def panel(
    figure: Figure, *, title: str, alt: str, legend: Sequence[tuple[Look, str]] = ()
) -> Panel:
    """Return a figure as a panel, the same bytes every time; within :func:`style`."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing)
    return Panel(title, alt, buffer.getvalue(), list(legend))


def curve(axes: Axes, points: Curve, look: Look, *, marker: str = "") -> None:
    """Draw a curve as its model looks, with a band where it has intervals."""
    x, values = [at for at, _ in points], [value for _, value in points]
    y = [value.value for value in values]
    axes.plot(x, y, marker=marker or None, markersize=3.5, color=look.colour, linestyle=dash(look))
    if any(value.bounded for value in values):
        low, high = [value.low for value in values], [value.high for value in values]
        axes.fill_between(x, low, high, color=look.colour, alpha=BAND, linewidth=0)


def dash(look: Look) -> tuple[float, tuple[float, ...]] | str:
    """Return a look's strokes as matplotlib takes them."""
    return (0, look.dash) if look.dash else "-"


def percent_axis(axis: Axis) -> None:
    """Print the ticks of an axis as percentages, with no digit too many."""
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.3g}{THIN}%"))


def fraction_axis(axis: Axis, *, digits: int = 2) -> None:
    """Print the ticks of an axis as fractions."""
    axis.set_major_formatter(FuncFormatter(lambda v, _: fraction(v, digits=digits)))


def ends(values: Iterable[Value]) -> tuple[float, float]:
    """Return the lowest and the highest that values reach, intervals included."""
    every = [v for x in values for v in ((x.low, x.high) if x.bounded else (x.value,))]
    return min(every, default=math.nan), max(every, default=math.nan)


def curve_subsets(view: View, metric: str) -> list[Subset]:
    """Return the subsets that a curve is drawn for, in the order of the page."""
    measured = view.subsets(metric)
    parts = [*view.ranges(metric), *view.volumes(metric)]
    # The paper's ROC curves are those of Range 1, its error curves those of all images.
    wanted = [ALL, *parts] if metric == "ced" else [*parts, ALL]
    return [s for s in wanted if s in measured] or measured


def curve_panels(
    view: View,
    metric: str,
    *,
    alt: str,
    said: Callable[[str, Subset, Curve], str],
    dress: Callable[[Axes, Mapping[str, Curve], Subset], None],
    drawn: Callable[[Curve], Curve] = list,
    keyed: bool = True,
) -> list[Panel]:
    """Draw the curves of all models, a panel for all images and for every range and volume.

    Parameters
    ----------
    view : View
    metric : str
        Of the curves.
    alt : str
        What the curves show; ``{where}`` stands for protocol and subset.
    said : function of model, subset and curve
        What is said of each model.
    dress : function of axes, the curves drawn by model, and subset
        Sets limits, scales and labels once the curves are drawn.
    drawn : function of a curve
        What of it is drawn; a panel without any point is left out.
    keyed : bool
        Whether what is said is a legend too.
    """
    panels = []
    for subset in curve_subsets(view, metric):
        found = {model: (its, drawn(its)) for model, its in view.curves(metric, subset).items()}
        shown = {model: points for model, (_, points) in found.items() if points}
        if not shown:
            continue
        words = [(view.looks[model], said(model, subset, found[model][0])) for model in shown]
        where = f"{view.label}, {subset_label(subset)}"
        spoken = "; ".join(f"{look.label} {text}" for look, text in words)
        with style():
            figure, axes = axes_of()
            for model, points in shown.items():
                curve(axes, points, view.looks[model])
            dress(axes, shown, subset)
            panels.append(
                panel(
                    figure,
                    title=subset_label(subset),
                    alt=f"{alt.format(where=where)} {spoken}.",
                    legend=words if keyed else (),
                )
            )
    return panels
