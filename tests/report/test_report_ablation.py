"""The matcher's parts: the table of matchers and its controls."""

from dataclasses import replace

import pytest
from fake_matching import ABLATION
from fake_study import NAN, Rows

from thermalign.report.chapters.ablation import ablation_chapter, ablation_finding
from thermalign.report.names import looks
from thermalign.report.page import render
from thermalign.report.summary import View, as_configured

CONFIG = {
    "matcher": {"mapping": "dpm", "classifier": "pls", "components": 10, "dog": {}},
    "ablation": ABLATION,
}


def view_of(rows):
    return View(rows.frame(), "own", looks=looks(["annotated"]))


def add(rows, name, metric, value, *ends, part="", n=900):
    low, high = ends or (NAN, NAN)
    key = ("own", "annotated", f"matcher={name}{part}")
    rows.add(key, metric, value, low=low, high=high, n=n)


def two_matchers():
    rows = Rows()
    add(rows, "pls", "eer", 0.17, 0.14, 0.2)
    add(rows, "pls", "eer_above_study", 0.03, 0.01, 0.05)
    add(rows, "study", "eer", 0.14, 0.11, 0.17)
    return rows


def test_no_other_matcher_no_section(study, read_page):
    assert ablation_chapter(view_of(Rows()), CONFIG) is None
    assert ablation_finding([view_of(Rows())], CONFIG) == ""
    kept = study.summary[~study.summary["subset"].str.contains("matcher=")]
    page = read_page(render(replace(study, summary=kept)))
    assert all(attrs.get("id") != "ablation" for _, attrs in page.tags)


def test_the_studys_matcher_leads_and_others_stand_over_their_difference_to_it():
    table = ablation_chapter(view_of(two_matchers()), CONFIG).tables[0]
    rows = {row.head: [cell.text for cell in row.cells] for row in table.bodies[0].rows}
    assert rows == {
        "as configured": ["mapping dpm, classifier pls", "14.0\u202f%"],
        "pls": ["mapping none", "17.0\u202f%"],
        "minus as configured": ["", "+3.0"],
    }
    assert table.bodies[0].rows[2].cells[1].detail == "[1.0,\u00a05.0]"


def test_ranges_are_columns_near_to_far_then_all_images():
    rows = two_matchers()
    for reach in (10, 2):
        add(rows, "study", "eer", 0.1, part=f"&range={reach}")
    table = ablation_chapter(view_of(rows), CONFIG).tables[0]
    assert table.columns == ["Settings", "Range 2", "Range 10", "All images"]
    assert [cell.text for cell in table.bodies[0].rows[1].cells][1:3] == ["–", "–"]


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ((0.46, 0.53), "chance, 50 %, lies within its interval."),
        ((0.40, 0.47), "chance, 50 %, lies outside its interval, which hints at a leak."),
        ((), "without an interval it cannot be held against 50 %."),
    ],
)
def test_permuted_labels_are_held_against_chance(ends, said):
    rows = two_matchers()
    add(rows, "permuted", "eer", 0.49, *ends)
    chapter = ablation_chapter(view_of(rows), CONFIG)
    assert [sentence.endswith(said) for sentence in chapter.controls] == [True]
    assert chapter.tables[0].bodies[1].title == "Control"


def test_fits_without_test_subjects_are_said_so():
    rows = two_matchers()
    for name in ("study", "pls"):
        add(rows, name, "shared_subjects", 0.0, n=15)
    (said,) = ablation_chapter(view_of(rows), CONFIG).controls
    assert "were fitted to no test subject of the fold: checked in 2 matchers" in said


def test_a_shared_subject_is_a_leak_with_the_matchers_name():
    rows = two_matchers()
    add(rows, "study", "shared_subjects", 0.0, n=15)
    add(rows, "pls", "shared_subjects", 0.2, n=15)
    (said,) = ablation_chapter(view_of(rows), CONFIG).controls
    assert said.endswith("were fitted to: pls. Their rates are not to be trusted.")


def test_settings_swept_among_training_subjects_have_a_table_of_their_own():
    rows = Rows()
    for name, rate in (("study", 0.2), ("wide", 0.19)):
        rows.add(("own", "annotated", f"sweep={name}"), "eer", rate)
    config = {**CONFIG, "sweep": {"wide": {"dog": {"sigma": [2, 4]}, "components": 20}}}
    (table,) = ablation_chapter(view_of(rows), config).tables
    assert "among training subjects" in table.caption
    assert [[cell.text for cell in row.cells] for row in table.bodies[0].rows] == [
        ["mapping dpm, classifier pls", "20.0\u202f%"],
        ["dog sigma 2 4, components 20", "19.0\u202f%"],
    ]
    assert as_configured(rows.frame()).empty


def test_the_finding_names_every_matcher_and_the_control():
    rows = two_matchers()
    add(rows, "cosine", "eer", 0.15)
    add(rows, "cosine", "eer_above_study", 0.01, -0.01, 0.03)
    add(rows, "permuted", "eer", 0.49, 0.46, 0.53)
    assert ablation_finding([view_of(rows)], CONFIG) == (
        "other matchers against the configured one, in points of EER: "
        "pls\u00a0+3.0 [1.0,\u00a05.0]; cosine\u00a0+1.0 [−1.0,\u00a03.0], not separable "
        "(unadjusted); permuted labels give 49.0\u202f% [46.0,\u00a053.0]."
    )


def test_several_protocols_share_one_finding():
    other = Rows()
    add(other, "pls", "eer_above_study", 0.05, -0.01, 0.11)
    add(other, "permuted", "eer", 0.52, 0.46, 0.58)
    assert ablation_finding([view_of(two_matchers()), view_of(other)], CONFIG) == (
        "other matchers against the configured one, in points of EER: "
        "pls\u00a0+3.0 to +5.0, separable in 1 of 2 (unadjusted); "
        "permuted labels give 52.0\u202f% [46.0,\u00a058.0]."
    )


def test_a_lone_range_is_all_images_and_no_column_of_its_own():
    rows = two_matchers()
    add(rows, "pls", "eer", 0.17, part="&range=1")
    table = ablation_chapter(view_of(rows), CONFIG).tables[0]
    assert table.columns == ["Settings", "All images"]
