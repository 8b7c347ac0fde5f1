"""Who is compared with whom: readings of same_moment, people and pairs, protocols that share."""

from dataclasses import replace

import pytest
from fake_study import Rows

from thermalign.report.chapters.people import (
    of_reading,
    people_words,
    reading_finding,
    reading_table,
    readings_of,
    shared_words,
    verified,
)
from thermalign.report.chapters.verification import eer_table, other_reading
from thermalign.report.names import looks
from thermalign.report.page import render
from thermalign.report.summary import View, as_configured

MODELS = ("annotated", "dan", "ert")
LEFT_OUT = "own moment left out of the gallery"
RATES = {"annotated": (0.128, 0.067), "dan": (0.175, 0.099), "ert": (0.176, 0.121)}
"""Model to its equal error rate with the own moment left out, and with it enrolled."""


def both(rates, protocol="own", readings=("exclude", "keep")):
    rows = Rows()
    for model, pair in rates.items():
        for mark, rate in zip(("", "same_moment=keep"), pair, strict=True):
            for part in ("all", "range=1", "range=2"):
                subset = "&".join(filter(None, [mark, part if part != "all" or not mark else ""]))
                rows.add((protocol, model, subset), "eer", rate, low=rate - 0.01, high=rate + 0.01)
                rows.add((protocol, model, subset), "rank1", 0.9 - rate)
    frame = rows.frame()
    drawn = looks(MODELS)
    view = View(as_configured(frame), protocol, looks=drawn, readings=readings)
    other = View(of_reading(frame, "keep"), protocol, looks=drawn, readings=("keep",))
    return view, other


def texts(table, body):
    return [[row.head, *(cell.text for cell in row.cells)] for row in table.bodies[body].rows]


def test_the_first_reading_of_a_protocol_is_the_headline():
    config = {"protocols": {"p1": {"same_moment": ["exclude", "keep"]}, "p2": {}}}
    assert readings_of(config, "p1") == ("exclude", "keep")
    assert readings_of(config, "p2") == readings_of(config, "absent") == readings_of({}, "p1") == ()


def test_captions_of_verification_name_the_headline_reading():
    view, other = both(RATES)
    assert verified(view) == f"own, {LEFT_OUT}"
    assert verified(other) == "own, own moment enrolled"
    assert LEFT_OUT in eer_table(view).caption
    assert verified(both(RATES, readings=())[0]) == "own"


def test_rows_of_another_reading_never_reach_the_main_tables():
    view, _ = both(RATES)
    assert view.subsets("eer") == ["all", "range=1", "range=2"]
    assert [cell.text for cell in eer_table(view).bodies[0].rows[0].cells] == ["12.8\u202f%"] * 3


def test_both_readings_stand_side_by_side():
    table = reading_table(*both(RATES))
    assert table.groups == [("Range 1", 2), ("Range 2", 2), ("All images", 2)]
    assert table.columns == ["left out", "enrolled"] * 3
    assert [body.title for body in table.bodies] == ["Equal error rate", "Rank-1"]
    assert texts(table, 0)[0] == ["annotated points", *["12.8\u202f%", "6.7\u202f%"] * 3]
    assert texts(table, 1)[1] == ["DAN", *["72.5\u202f%", "80.1\u202f%"] * 3]
    assert "The paper leaves open which" in table.notes[0]
    folded = other_reading(both(RATES)[1])
    assert folded.folded == "Equal error rates with the own moment enrolled"
    assert folded.bodies[0].rows[0].cells[0].detail == "[5.7,\u00a07.7]"


def test_a_headline_that_keeps_the_moment_turns_the_columns():
    left_out, enrolled = both(RATES)
    assert reading_table(enrolled, left_out).columns[:2] == ["enrolled", "left out"]


@pytest.mark.parametrize(
    ("rates", "order"),
    [
        (RATES, "the order of the others stays the same"),
        (
            RATES | {"ert": (0.17, 0.121)},
            "the order of the others changes from regression trees, DAN to DAN, regression trees",
        ),
    ],
)
def test_the_finding_says_both_rates_and_whether_the_order_changes(rates, order):
    assert reading_finding([both(rates)]) == (
        "equal error rate with annotated points, Range 1: 12.8\u202f% [11.8,\u00a013.8] with the "
        f"{LEFT_OUT}, 6.7\u202f% [5.7,\u00a07.7] with the own moment enrolled; {order}."
    )


def test_without_annotated_points_or_without_a_contest_only_the_rest_is_said():
    lone = {"dan": (0.175, 0.099)}
    assert reading_finding([both(lone)]) == ""
    pair = {"dan": (0.175, 0.099), "ert": (0.176, 0.121)}
    assert reading_finding([both(pair)]) == "the order of the others stays the same."
    ceiling = {"annotated": (0.128, 0.067)}
    assert "order" not in reading_finding([both(ceiling)])


def test_over_several_protocols_changed_orders_are_counted():
    turned = both(RATES | {"ert": (0.17, 0.121)}, "other")
    said = reading_finding([both(RATES), turned])
    assert said.endswith("; the order of the others changes in 1 of 2 protocols.")


def test_people_and_pairs_are_counted_together_or_not_at_all():
    rows = Rows()
    rows.add(("own", "dan", "all"), "people", 30.0)
    assert people_words(View(rows.frame(), "own", looks=looks(MODELS)), "all") == ""
    for model, pairs in (("dan", 870.0), ("ert", 812.0)):
        rows.add(("own", model, "all"), "person_pairs", pairs)
    view = View(rows.frame(), "own", looks=looks(MODELS))
    assert people_words(view, "all") == "30 people, 812 to 870 ordered person pairs per fold"


def test_protocols_that_share_people_are_called_no_replication():
    rows = Rows()
    rows.add(("p1", "annotated", "protocol=p2"), "shared_people", 21, n=60)
    rows.add(("p1", "annotated", "protocol=own"), "shared_people", 0, n=60)
    assert shared_words(View(rows.frame(), "p1", looks=looks(MODELS))) == (
        "Protocol 1 shares 21 of its 60 test people with Protocol 2: that they agree is no "
        "replication."
    )
    assert shared_words(View(rows.frame(), "p2", looks=looks(MODELS))) == ""


def test_the_page_shows_both_readings_and_an_older_study_neither(study, outline, read_page):
    captions = [text for path, text in outline.texts if "caption" in path]
    verified_by = [c for c in captions if c.startswith(("Equal error rate by", "Operating points"))]
    assert len(verified_by) >= 6
    assert all("own moment" in caption for caption in verified_by)
    assert sum(caption.startswith("Both readings") for caption in captions) == 2
    assert outline.text().count("is no replication") == 4
    bare = {name: {"dataset": "faces"} for name in study.config["protocols"]}
    older = study.summary[~study.summary["subset"].str.startswith(("same_moment=", "protocol="))]
    page = read_page(
        render(replace(study, summary=older, config=study.config | {"protocols": bare}))
    )
    assert "own moment" not in page.text().partition("How to reproduce")[0]
    assert "replication" not in page.text()


def test_one_reading_alone_is_told_to_be_left_open():
    _, enrolled = both(RATES)
    assert "The paper leaves open which" in eer_table(enrolled).notes[-1]
    assert "leaves open" not in other_reading(enrolled).notes[-1]
    assert "leaves open" not in eer_table(both(RATES, readings=())[0]).notes[-1]
