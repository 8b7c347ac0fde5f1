import matplotlib as mpl

from thermalign.report.drawing import Panel, axes_of, curve, ends, panel, percent_axis, style
from thermalign.report.looks import Look
from thermalign.report.views import Value

LOOK = Look("DAN", "#0072b2")
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
    assert made.address.startswith("data:image/svg+xml;base64,")
    assert LOOK.colour in made.svg


def test_the_same_figure_gives_the_same_bytes_whatever_the_users_own_style():
    before = drawn()
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "svg.hashsalt": None}):
        assert drawn() == before


def test_ticks_between_whole_percentages_are_not_rounded():
    assert ">2.5\u202f%<" in drawn(0.05).svg
    assert ">50\u202f%<" in drawn().svg


def test_values_reach_as_far_as_their_intervals():
    assert ends([Value(1, 0.5, 2, 3), Value(3, NAN, NAN, 3)]) == (0.5, 3)
