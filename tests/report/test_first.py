"""The first screen answers, and says how sure it is."""

from fake_study import Rows, empty
from fake_view import study_of

from thermalign.report.first import about, first
from thermalign.schemas.keys import ALL, Subset
from thermalign.schemas.measures import DIFFERENCES

NEAREST = Subset(range="1")


def of(ends):
    rows = Rows()
    for model, value in (("dan", 0.05), ("pbc", 0.2)):
        rows.add(("own", model, ALL), "nmse", value, low=0.9 * value, high=1.1 * value)
    for model, value in (("annotated", 0.1), ("dan", 0.12)):
        rows.add(("own", model, NEAREST), "eer", value, low=value - 0.02, high=value + 0.02)
    table = empty(DIFFERENCES)
    key = ("faces", "own", *NEAREST, "eer", 0.0, "annotated", "dan")
    table.loc[0] = [*key, -sum(ends) / 2, -ends[1], -ends[0], 480, 0.01, 0.2, 30]
    (found,) = first(study_of(rows, differences=table))
    return found


def test_a_cost_that_is_separable_is_said_in_points():
    found = of((0.01, 0.03))
    assert found.answer == (
        "DAN finds landmarks best; verification at Range 1 with its points is 2.0 points of equal "
        "error rate worse than with annotated ones."
    )


def test_a_cost_that_may_be_none_is_not_called_one():
    assert "cannot be told from" in of((-0.01, 0.03)).answer


def test_the_numbers_have_their_intervals_and_rows():
    numbers = {its.label: its for its in of((0.01, 0.03)).numbers}
    assert numbers["Lowest landmark error"].text == ".050"
    assert numbers["Equal error rate at best"].ends == "[8.0,\u00a012.0]"
    assert numbers["What the best detector costs"].text == "+2.0 points"
    assert numbers["What the best detector costs"].value.source == "differences 0"


def test_both_readings_have_a_first_screen_of_their_own(study):
    found = first(study)
    mine = [its for its in found if its.protocol == "protocol1"]
    assert [its.reading for its in mine] == ["exclude", "keep"]
    texts = [n.text for its in mine for n in its.numbers if "at best" in n.label]
    assert len(set(texts)) == 2


def test_a_study_without_figures_says_so():
    (found,) = first(study_of(nothing_measured()))
    assert found.answer == "Neither landmark error nor an equal error rate was measured."
    assert found.numbers == []


def nothing_measured():
    rows = Rows()
    rows.add(("own", "dan", ALL), "failure_rate", 0.0)
    return rows


def test_the_data_are_people_and_images(study):
    assert about(study).startswith("faces: 111 people, ")
