"""Failures, thresholds from training subjects, other summaries of error, attributes of people."""

from dataclasses import replace

import matplotlib.pyplot as plt
import pytest
from fake_study import NAN, Rows

from thermalign.report.chapters.errors import nmse_table, summary_table
from thermalign.report.chapters.people import error_attributes, rate_attributes
from thermalign.report.chapters.rates import det_panels, shade_unsupported
from thermalign.report.chapters.verification import (
    failed,
    failure_sentence,
    failure_tables,
    separation_table,
    threshold_tables,
)
from thermalign.report.names import looks
from thermalign.report.page import render
from thermalign.report.summary import View, as_configured

KEY = ("own", "dan", "all")
SPACE = "\u202f"


def view_of(rows):
    return View(rows.frame(), "own", looks=looks(("dan", "pbc")))


def cells(table, body=0, row=0):
    return [cell.text for cell in table.bodies[body].rows[row].cells]


def acquired(rows, fta, fte=0.0):
    rows.add(KEY, "fte", fte)
    rows.add(KEY, "fta", fta)
    rows.add(KEY, "eer", 0.2)
    rows.add(KEY, "eer_found", 0.15)
    return rows


def test_where_nothing_failed_a_sentence_stands_for_the_table():
    view = view_of(acquired(Rows(), 0.0))
    assert failure_tables(view) == []
    assert failure_sentence(view).endswith("(FAR = FMR, FRR = FNMR).")


def test_of_an_older_study_it_is_not_said_that_nothing_failed():
    rows = Rows()
    rows.add(KEY, "eer", 0.2)
    assert failure_sentence(view_of(rows)) == ""
    rows.add(KEY, "fta", 0.0)
    assert failure_sentence(view_of(rows)) == ""
    rows.add(KEY, "fte", NAN)
    assert failure_sentence(view_of(rows)) == ""


def test_failures_stand_under_their_names_with_rates_both_ways():
    view = view_of(acquired(Rows(), 0.1, fte=0.04))
    (table,) = failure_tables(view)
    assert table.columns == ["FTE", "FTA", "EER", "EER"]
    groups = [("", 2), ("With failures: FAR, FRR", 1), ("Without: FMR, FNMR", 1)]
    assert table.groups == groups
    assert cells(table) == [f"{rate}{SPACE}%" for rate in ("4.0", "10.0", "20.0", "15.0")]
    assert failure_sentence(view) == ""
    assert failed(view)


def test_a_failure_at_one_range_alone_is_a_failure():
    rows = acquired(Rows(), 0.0)
    for reach, lost in ((1, 0.0), (2, 0.3)):
        rows.add(("own", "dan", f"range={reach}"), "fta", lost)
    shown, folded = failure_tables(view_of(rows))
    assert [body.title for body in shown.bodies] == ["All images"]
    assert [body.title for body in folded.bodies] == ["Range 1", "Range 2"]
    assert folded.columns == ["FTA"]


def test_det_curves_are_drawn_with_and_without_failures():
    rows = Rows()
    for metric in ("roc", "roc_found"):
        for at, accepted in ((0.01, 0.5), (0.1, 0.8), (0.5, 0.99)):
            rows.add(KEY, metric, accepted, at=at)
    view = view_of(rows)
    (with_failures,), (without,) = det_panels(view), det_panels(view, "roc_found")
    assert ">False reject rate</text>" in with_failures.svg
    assert ">False non-match rate</text>" in without.svg
    assert "false non-match rate over false match rate" in without.svg


def test_rates_at_thresholds_of_training_subjects_stand_beside_the_eer():
    rows = acquired(Rows(), 0.0)
    for at, false, missed in ((0.0, 0.14, 0.11), (0.05, 0.07, 0.2), (0.01, NAN, 0.4)):
        rows.add(KEY, "fmr", false, at=at, low=false - 0.01, high=false + 0.01)
        rows.add(KEY, "fnmr", missed, at=at)
    (table,) = threshold_tables(view_of(rows))
    assert table.columns == ["EER", *["FMR", "FNMR"] * 3]
    assert [title for title, _ in table.groups] == [
        "A posteriori",
        "Set for equal errors",
        f"Set for FMR 1.0{SPACE}%",
        f"Set for FMR 5.0{SPACE}%",
    ]
    shown = ["15.0", "14.0", "11.0", "", "40.0", "7.0", "20.0"]
    expected = [f"{rate}{SPACE}%" if rate else "too few pairs" for rate in shown]
    assert cells(table) == expected


def test_where_no_false_match_was_seen_its_bound_is_shown():
    rows = acquired(Rows(), 0.0)
    rows.add(KEY, "fmr", 0.0, at=0.1)
    rows.add(KEY, "fnmr", 0.3, at=0.1)
    rows.add(KEY, "fmr_bound", 3 / 870, at=0.1)
    cell = threshold_tables(view_of(rows))[0].bodies[0].rows[0].cells[1]
    assert (cell.text, cell.detail) == (f"0.0{SPACE}%", f"at most 0.3{SPACE}%")


def test_with_failures_thresholds_have_both_pairs_of_rates():
    rows = acquired(Rows(), 0.1)
    for metric, value in (("fmr", 0.1), ("fnmr", 0.2), ("far", 0.09), ("frr", 0.28)):
        rows.add(KEY, metric, value)
    (table,) = threshold_tables(view_of(rows))
    assert [body.title for body in table.bodies] == [
        "All images, FMR, FNMR",
        "All images, FAR, FRR",
    ]
    assert cells(table, 0) == [f"{rate}{SPACE}%" for rate in ("15.0", "10.0", "20.0")]
    assert cells(table, 1) == [f"{rate}{SPACE}%" for rate in ("20.0", "9.0", "28.0")]


def test_areas_and_d_prime_are_folded_beside_the_rates():
    rows = acquired(Rows(), 0.0)
    rows.add(KEY, "auc", 0.931, low=0.9, high=0.95)
    rows.add(KEY, "auc_found", 0.94)
    rows.add(KEY, "d_prime", 2.345)
    table = separation_table(view_of(rows))
    assert [body.title for body in table.bodies] == ["Area under the ROC curve (AUC)", "d′"]
    assert cells(table, 0) == [".931"]
    assert cells(table, 1) in (["2.35"], ["2.34"])
    assert separation_table(view_of(Rows())) is None


def test_rates_that_too_few_pairs_carry_are_shaded():
    rows = Rows()
    rows.add(KEY, "least_far", 30 / 870, n=870)
    _, axes = plt.subplots()
    axes.set(xscale="log", xlim=(0.001, 1))
    shade_unsupported(axes, view_of(rows), KEY[2])
    assert axes.patches[0].get_extents().transformed(axes.transData.inverted()).x1 == (
        pytest.approx(30 / 870)
    )
    assert axes.get_xlim() == (0.001, 1)
    _, bare = plt.subplots()
    shade_unsupported(bare, view_of(Rows()), KEY[2])
    assert not bare.patches


def test_the_nearest_patch_centre_stands_under_its_detector_alone():
    rows = Rows()
    for model in ("dan", "pbc"):
        rows.add(("own", model, "all"), "nmse", 0.15)
    rows.add(("own", "pbc", "all"), "nmse_best_cell", 0.039)
    table = nmse_table(view_of(rows))
    assert [row.head for row in table.bodies[0].rows] == ["PBC", "nearest patch centre", "DAN"]
    assert cells(table, 0, 1) == [".039"]
    assert any("error in choosing" in note for note in table.notes)
    assert not any("in the paper" in note or "The paper" in note for note in table.notes)


def test_other_summaries_of_error_are_folded_with_their_thresholds():
    rows = Rows()
    for at, missed, area in ((0.08, 0.2, 0.5), (0.1, 0.1, 0.6)):
        rows.add(KEY, "failure_at", missed, at=at)
        rows.add(KEY, "ced_auc", area, at=at)
    rows.add(KEY, "nmse_box_diagonal", 0.012)
    table = summary_table(view_of(rows))
    assert table.columns == [".08", ".10", ".08", ".10", "box diagonal"]
    assert cells(table) == [f"20.0{SPACE}%", f"10.0{SPACE}%", ".500", ".600", ".012"]
    assert table.folded
    assert summary_table(view_of(Rows())) is None


def people(rows, values):
    for name in values:
        rows.add(("own", "dan", f"attribute={name}"), "nmse", 0.05)
        rows.add(("own", "dan", f"attribute={name}"), "failure_rate", 0.0)
        rows.add(("own", "dan", f"attribute={name}"), "eer", 0.2)
        rows.add(("own", "dan", f"attribute={name}&range=1"), "eer", 0.9)
    return rows


def test_attributes_of_people_stand_side_by_side_and_in_no_other_table():
    rows = people(Rows(), ("glasses:yes", "glasses:no", "skin_tone:very_dark"))
    view = view_of(rows)
    errors, rates = error_attributes(view), rate_attributes(view)
    assert rates.groups == [("Glasses", 2), ("Skin tone", 1)]
    assert rates.columns == ["no", "yes", "very dark"]
    assert cells(rates) == [f"20.0{SPACE}%"] * 3
    assert [body.title for body in errors.bodies] == ["NMSE"]
    assert as_configured(rows.frame()).empty
    assert error_attributes(view_of(Rows())) is None


def test_many_values_of_attributes_are_folded_away():
    names = [f"cap:{k}" for k in range(7)]
    assert rate_attributes(view_of(people(Rows(), names))).folded
    assert not rate_attributes(view_of(people(Rows(), names[:6]))).folded


def test_the_page_has_failures_thresholds_and_attributes_only_where_they_were_measured(
    study, outline, read_page
):
    words = ("Failures, and rates", "thresholds set on training", "by attributes of", "d′")
    text = outline.text("main")
    assert all(word in text for word in words)
    new = ("fte", "fta", "fmr", "fnmr", "far", "frr", "fmr_bound", "auc", "auc_found", "d_prime")
    new += ("d_prime_slope", "d_prime_slope_difference", "eer_found", "rank1_found", "roc_found")
    new += ("person_pairs", "person_pairs_needed", "people", "nmse_best_cell", "failure_at")
    new += ("ced_auc", "nmse_box_diagonal", "nmse_box_size", "nmse_eye_mouth", "shared_people")
    rows = study.summary
    kept = rows[~rows["metric"].isin(new) & ~rows["subset"].str.startswith("attribute=")]
    differences = study.differences.drop(columns=["p", "p_holm", "n_subjects"])
    older = replace(study, summary=kept, differences=differences)
    text = read_page(render(older)).text("main")
    assert not [word for word in words[:3] if word in text]
    assert "Every test subject could be enrolled" not in text
    assert "Holm" not in text
    assert "unadjusted" in text
