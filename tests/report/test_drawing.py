import matplotlib as mpl

from thermalign.report.drawing import SIZE, Panel, axes_of, curve, ends, panel, percent_axis, style
from thermalign.report.looks import Look
from thermalign.report.views import Value

LOOK = Look("DAN", "#0072b2", key="look3")
NAN = float("nan")


def drawn(top=1.0):
    with style():
        figure, axes = axes_of()
        curve(axes, [(0.0, Value(0, 0, 0, 1)), (1.0, Value(top, top / 2, top, 1))], LOOK)
        percent_axis(axes.yaxis)
        axes.set(ylim=(0, top), yticks=[0, top / 2, top])
        return panel(figure, title="t", alt="what it shows")


def test_a_panel_is_a_whole_picture_of_its_own():
    made = drawn()
    assert isinstance(made, Panel)
    assert made.svg.startswith("<?xml")
    assert LOOK.colour in made.svg


def test_a_panel_knows_what_is_said_of_its_points_and_where_they_stand():
    (trace,) = drawn().traces
    assert trace.look == LOOK
    assert [words for *_, words in trace.points] == [
        ".000 [.000,\u00a0.000] at .000",
        "1.000 [.500,\u00a01.000] at 1.000",
    ]
    (left, low, _), (right, high, _) = trace.points
    width, height = SIZE[0] * 72, SIZE[1] * 72
    assert 0 < left < right <= width
    assert 0 < high < low < height


def test_the_same_figure_gives_the_same_bytes_whatever_the_users_own_style():
    before = drawn()
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "svg.hashsalt": None}):
        assert drawn() == before


def test_ticks_between_whole_percentages_are_not_rounded():
    assert ">2.5\u202f%<" in drawn(0.05).svg
    assert ">50\u202f%<" in drawn().svg


def test_values_reach_as_far_as_their_intervals():
    assert ends([Value(1, 0.5, 2, 3), Value(3, NAN, NAN, 3)]) == (0.5, 3)
