"""Names beside the points of a figure."""

from itertools import combinations

import pytest
from matplotlib.figure import Figure

from thermalign.report.labels import Label, place_labels

CORNERS = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.5)]


def placed(points, **drawn):
    figure = Figure(figsize=(4.3, 3.7), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    labels = [Label(f"detector {i}", x, y) for i, (x, y) in enumerate(points)]
    place_labels(figure, axes, labels, **({"lines": []} | drawn))
    return axes, [text.get_window_extent() for text in axes.texts if text.get_text()]


@pytest.mark.parametrize(
    "points", [CORNERS, [(0.4 + 0.03 * i, 0.5) for i in range(5)], [(0.5, 0.5)] * 5]
)
def test_every_name_is_written_once_inside_and_on_no_other(points):
    axes, boxes = placed(points)
    assert [text.get_text() for text in axes.texts if text.get_text()] == [
        f"detector {i}" for i in range(5)
    ]
    frame = axes.bbox
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in boxes)
    assert all(frame.y0 <= box.y0 and box.y1 <= frame.y1 for box in boxes)
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]


def test_a_name_keeps_clear_of_lines():
    lines = [[(0.5, 0.5), (1.0, 0.2)], [(0.5, 0.3), (0.5, 0.7)]]
    axes, (box,) = placed([(0.5, 0.5)], lines=lines)
    line = [axes.transData.transform((0.5 + k / 200, 0.5 - 0.3 * k / 200)) for k in range(101)]
    bar = [axes.transData.transform((0.5, 0.3 + 0.4 * k / 100)) for k in range(101)]
    assert not [spot for spot in [*line, *bar] if box.contains(*spot)]
