"""Figures: the style and axes of curves, a panel for every picture, faces in grey."""

import base64
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import cv2
import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from thermalign.geometry import Floats
from thermalign.report.looks import Look
from thermalign.report.views import Curve, Value
from thermalign.report.words import THIN, fraction, interval

SIZE = (4.3, 3.1)  # inches; about the width of a column, so that text keeps its size on a phone
INK, FAINT, GRID = "#222222", "#6b6b6b", "#e4e2de"
BAND = 0.13  # opacity of an interval

Say = Callable[[float, Value], str]
"""What the page says of a point of a curve: its abscissa, its value."""

LONGEST_SIDE = 170
"""Longest side of an embedded picture in pixels; larger ones are reduced, none is enlarged."""

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "thermalign",
    "pdf.fonttype": 42,
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


class Trace(NamedTuple):
    """A line or points of a drawing that the page can point at.

    ``points`` are (x, y) in points of the drawing from its top left, and what is said of each.
    """

    look: Look
    points: list[tuple[float, float, str]]


class Drawing(Figure):
    """A figure that remembers what its marks stand for."""

    def __init__(self, size: tuple[float, float]) -> None:
        super().__init__(figsize=size, layout="constrained")
        self.told: list[tuple[Axes, Look, list[tuple[float, float, str]]]] = []

    def traces(self) -> list[Trace]:
        """Return what marks stand for, where they were drawn: once the figure was saved."""
        height, scale = 72 * self.get_figheight(), 72 / self.dpi
        found = []
        for axes, look, points in self.told:
            (left, right), (low, high) = map(sorted, (axes.get_xlim(), axes.get_ylim()))
            inside = [p for p in points if left <= p[0] <= right and low <= p[1] <= high]
            if inside:
                pixels = scale * axes.transData.transform([(x, y) for x, y, _ in inside])
                placed = [(round(x, 1), round(height - y, 1)) for x, y in pixels.tolist()]
                words = [said for *_, said in inside]
                found.append(
                    Trace(look, [(*at, said) for at, said in zip(placed, words, strict=True)])
                )
        return found


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
    traces : list of Trace
    look : Look or None
        Of the model that all of it is about.
    drawing : Figure or None
        What it was drawn as, for other formats.
    """

    title: str
    alt: str
    svg: str
    legend: list[tuple[Look, str]] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)
    look: Look | None = None
    drawing: Figure | None = field(default=None, repr=False, compare=False)

    @property
    def told(self) -> str:
        """The traces as JSON: key and label of the model, points with what is said of each."""
        listed = [[its.look.key, its.look.label, its.points] for its in self.traces]
        return json.dumps(listed, ensure_ascii=False, separators=(",", ":"))


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


def axes_of(size: tuple[float, float] = SIZE) -> tuple[Drawing, Axes]:
    """Return a figure of a size in inches and its axes; within :func:`style`."""
    figure = Drawing(size)
    return figure, figure.subplots()


def panel(
    figure: Figure,
    *,
    title: str,
    alt: str,
    legend: Sequence[tuple[Look, str]] = (),
    look: Look | None = None,
) -> Panel:
    """Return a figure as a panel, the same bytes every time; within :func:`style`."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing)
    traces = figure.traces() if isinstance(figure, Drawing) else []
    return Panel(title, alt, buffer.getvalue(), list(legend), traces, look, figure)


def curve(
    axes: Axes, points: Curve, look: Look, *, marker: str = "", say: Say | None = None
) -> None:
    """Draw a curve as its model looks, with a band where it has intervals.

    Parameters
    ----------
    axes : Axes
    points : Curve
    look : Look
    marker : of every point, or none
    say : function of abscissa and Value
        What the page says of a point; both as fractions if left out.
    """
    x, values = [at for at, _ in points], [value for _, value in points]
    y = [value.value for value in values]
    strokes: dict[str, Any] = {"color": look.colour, "linestyle": dash(look)}
    axes.plot(x, y, marker=marker or None, markersize=3.5, gid=look.key or None, **strokes)
    if any(value.bounded for value in values):
        low, high = [value.low for value in values], [value.high for value in values]
        plain: dict[str, Any] = {"color": look.colour, "alpha": BAND, "linewidth": 0}
        axes.fill_between(x, low, high, gid=look.key or None, **plain)
    tell(axes, look, [(at, value.value, (say or _say)(at, value)) for at, value in points])


def tell(axes: Axes, look: Look, points: list[tuple[float, float, str]]) -> None:
    """Remember what is said of points (x, y) in the axes' units, for :meth:`Drawing.traces`."""
    figure = axes.get_figure(root=True)
    if isinstance(figure, Drawing):
        figure.told.append((axes, look, points))


def _say(at: float, value: Value) -> str:
    return f"{fraction(value.value)} {interval(value)} at {fraction(at)}".replace("  ", " ")


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
