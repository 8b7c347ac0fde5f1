"""Names beside the points of a figure, where they touch neither each other nor what is drawn."""

from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from thermalign.report.svg import FAINT, INK

Line = list[tuple[float, float]]
Place = tuple[float, float, str]
PLACES: tuple[Place, ...] = tuple(
    (right, up, side)
    for up in (-11, 9, 0, -26, 24, -40, 38)
    for right, side in ((8, "left"), (-8, "right"))
)
"""Where a name may stand: right and up of its point, points of 1/72 inch, and its alignment."""

FAR = 12
"""How far up or down of its point a name has a line to it."""


@dataclass(frozen=True)
class Label:
    """A name and the place of its point, in the figures of the axes."""

    text: str
    x: float
    y: float


def place_labels(
    figure: Figure,
    axes: Axes,
    labels: list[Label],
    *,
    lines: list[Line],
) -> None:
    """Write names near their points, each where it covers least of the figure.

    Parameters
    ----------
    figure, axes : Figure, Axes
        With their limits set.
    labels : list of Label
    lines : list of lists of (x, y)
        What names keep clear of, in the figures of the axes.
    """
    figure.draw_without_rendering()
    spots = [_pixels(axes, (label.x, label.y)) for label in labels]
    for line in lines:
        spots += _dense([_pixels(axes, point) for point in line])
    taken: list[Bbox] = []
    for label in labels:
        boxes = []
        for dx, dy, side in PLACES:
            text = axes.annotate(
                label.text,
                (label.x, label.y),
                xytext=(dx, dy),
                textcoords="offset points",
                ha=side,
                va="center",
                color=INK,
                fontsize=9,
                in_layout=False,
            )
            boxes.append((text.get_window_extent().expanded(1.02, 1.1), text))
        costs = [_cost(box, taken, spots, axes.bbox) for box, _ in boxes]
        best = costs.index(min(costs))
        for i, (_, text) in enumerate(boxes):
            if i != best:
                text.remove()
        taken.append(boxes[best][0])
        if abs(PLACES[best][1]) > FAR:
            _lead(axes, label, PLACES[best])


def _lead(axes: Axes, label: Label, place: Place) -> None:
    axes.annotate(
        "",
        (label.x, label.y),
        xytext=place[:2],
        textcoords="offset points",
        arrowprops={"arrowstyle": "-", "color": FAINT, "linewidth": 0.6, "shrinkB": 4},
        in_layout=False,
    )


def _cost(box: Bbox, taken: list[Bbox], spots: list[tuple[float, float]], frame: Bbox) -> int:
    """Count what a name would cover; a name on another or outside counts most."""
    inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
    overlaps = sum(box.overlaps(other) for other in taken)
    return 1000 * (overlaps + (not inside)) + sum(box.contains(*spot) for spot in spots)


def _pixels(axes: Axes, point: tuple[float, float]) -> tuple[float, float]:
    x, y = axes.transData.transform(point)
    return float(x), float(y)


def _dense(path: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return spots along a line, closer than a name is high."""
    spots = []
    for (x0, y0), (x1, y1) in pairwise(path):
        steps = max(1, int(max(abs(x1 - x0), abs(y1 - y0)) // 4))
        spots += [(x0 + (x1 - x0) * k / steps, y0 + (y1 - y0) * k / steps) for k in range(steps)]
    return [*spots, *path[-1:]]
