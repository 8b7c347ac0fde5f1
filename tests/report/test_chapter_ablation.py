"""The matcher's parts: the table of matchers, its controls, settings swept."""

from dataclasses import replace

from fake_matching import ABLATION
from fake_study import NAN, Rows
from fake_view import by_head, study_of, texts

from thermalign.report.chapters.ablation import chapter
from thermalign.report.page import render
from thermalign.schemas.keys import ALL, ANNOTATED, MATCHER, STUDY, SWEEP, Subset

CONFIG = {
    "matcher": {"mapping": "dpm", "classifier": "pls", "components": 10, "dog": {}},
    "ablation": ABLATION,
}


def tables_of(rows, config=CONFIG):
    found = chapter(study_of(rows, config=config))
    return found.parts[0].blocks if found else []


def add(rows, name, metric, value, *ends, reach="", n=900):
    low, high = ends or (NAN, NAN)
    key = ("own", ANNOTATED, Subset(MATCHER, name, range=reach))
    rows.add(key, metric, value, low=low, high=high, n=n)


def two_matchers():
    rows = Rows()
    add(rows, "pls", "eer", 0.17, 0.14, 0.2)
    add(rows, "pls", "eer_above_study", 0.03, 0.01, 0.05)
    add(rows, STUDY, "eer", 0.14, 0.11, 0.17)
    return rows


def test_no_other_matcher_no_chapter(study, read_page):
    rows = Rows()
    rows.add(("own", ANNOTATED, ALL), "eer", 0.1)
    assert tables_of(rows) == []
    kept = study.summary[study.summary["experiment"] != MATCHER]
    page = read_page(render(replace(study, summary=kept)))
    assert all(attrs.get("id") != "ablation" for _, attrs in page.tags)


def test_the_studys_matcher_leads_and_others_stand_over_their_difference_to_it():
    (table,) = tables_of(two_matchers())
    assert texts(table) == [
        ["as configured", "mapping dpm, classifier pls", "14.0\u202f%"],
        ["pls", "mapping none", "17.0\u202f%"],
        ["minus as configured", "", "+3.0"],
    ]
    assert table.bodies[0].rows[2].cells[1].detail == "[1.0,\u00a05.0]"


def test_ranges_are_columns_near_to_far_then_all_images():
    rows = two_matchers()
    for reach in ("10", "2"):
        add(rows, STUDY, "eer", 0.1, reach=reach)
    (table,) = tables_of(rows)
    assert table.columns == ["Settings", "Range 2", "Range 10", "All images"]
    assert by_head(table)["pls"][1:3] == ["–", "–"]


def test_a_lone_range_is_all_images_and_no_column_of_its_own():
    rows = two_matchers()
    add(rows, "pls", "eer", 0.17, reach="1")
    assert tables_of(rows)[0].columns == ["Settings", "All images"]


def test_permuted_labels_are_a_control_to_hold_against_chance():
    assert not any("chance" in note for note in tables_of(two_matchers())[0].notes)
    rows = two_matchers()
    add(rows, "permuted", "eer", 0.49, 0.46, 0.53)
    (table,) = tables_of(rows)
    assert table.bodies[1].title == "Control"
    (control,) = table.bodies[1].rows
    rate = control.cells[1]
    assert (control.head, rate.text, rate.detail) == (
        "permuted",
        "49.0\u202f%",
        "[46.0,\u00a053.0]",
    )
    assert "an interval that leaves chance out hints at a leak" in table.notes[-1]


def test_test_subjects_that_a_matcher_was_fitted_to_are_counted():
    assert "Fitted to" not in tables_of(two_matchers())[0].columns
    rows = two_matchers()
    add(rows, STUDY, "shared_subjects", 0.0, n=15)
    add(rows, "pls", "shared_subjects", 2.0, n=15)
    (table,) = tables_of(rows)
    assert table.columns[-1] == "Fitted to"
    assert [row[-1] for row in texts(table)] == ["0", "2", ""]
    assert "rates of any other matcher are not to be trusted" in table.notes[1]


def test_settings_swept_among_training_subjects_have_a_table_of_their_own():
    rows = Rows()
    for name, rate in ((STUDY, 0.2), ("wide", 0.19)):
        rows.add(("own", ANNOTATED, Subset(SWEEP, name)), "eer", rate)
    config = {**CONFIG, "sweep": {"wide": {"dog": {"sigma": [2, 4]}, "components": 20}}}
    (table,) = tables_of(rows, config)
    assert "among training subjects" in table.caption
    assert [row[1:] for row in texts(table)] == [
        ["mapping dpm, classifier pls", "20.0\u202f%"],
        ["dog sigma 2 4, components 20", "19.0\u202f%"],
    ]
    assert study_of(rows).views[0].subsets("eer") == []
