"""Operating points: fixed and preset thresholds, areas and d', pooled scores."""

from fake_study import NAN, Rows
from fake_view import by_head, cells, study_of, view_of

from thermalign.report.chapters import operating
from thermalign.report.chapters.operating import (
    chapter,
    operating_table,
    pooled_table,
    separation_table,
    threshold_tables,
)
from thermalign.schemas.keys import ALL

KEY = ("own", "dan", ALL)
SPACE = "\u202f"


def acquired(fta):
    rows = Rows()
    for metric, value in (("fte", 0.0), ("fta", fta), ("eer", 0.2), ("eer_found", 0.15)):
        rows.add(KEY, metric, value)
    return rows


def test_too_few_comparisons_are_said_and_not_printed_as_a_rate():
    rows = Rows()
    rows.add(("own", "annotated", ALL), "tar_at_far", 0.62, at=0.01, n=900)
    rows.add(("own", "annotated", ALL), "tar_at_far", NAN, at=0.001, n=900)
    table = operating_table(view_of(rows))
    assert table.columns == [f"TAR at FAR 0.1{SPACE}%", f"TAR at FAR 1.0{SPACE}%", "Rank-1"]
    assert by_head(table)["annotated points"] == ["n too small", f"62.0{SPACE}%", "–"]


def test_a_rate_that_takes_more_person_pairs_says_how_many_there_are():
    rows = Rows()
    rows.add(KEY, "tar_at_far", 0.62, at=0.01, low=0.5, high=0.7, n=3000)
    rows.add(KEY, "tar_at_far", NAN, at=0.001, n=3000)
    rows.add(KEY, "person_pairs_needed", 30000, at=0.001)
    rows.add(KEY, "person_pairs_needed", 3000, at=0.01)
    rows.add(KEY, "person_pairs", 3080)
    rows.add(KEY, "people", 56)
    rows.add(KEY, "rank1", 0.8, low=0.7, high=0.9)
    table = operating_table(view_of(rows))
    shown = ["needs 30,000 person pairs, has 3,080", f"62.0{SPACE}%", f"80.0{SPACE}%"]
    assert cells(table) == shown
    details = [cell.detail for cell in table.bodies[0].rows[0].cells]
    assert details == ["", "[50.0,\u00a070.0]", "[70.0,\u00a090.0]"]
    assert table.columns[1] == f"TAR at FAR 1.0{SPACE}%, needs 3,000 pairs"
    assert table.bodies[0].title == "All images; 56 people, 3,080 ordered person pairs per fold"


def test_rates_at_thresholds_of_training_subjects_stand_beside_the_eer():
    rows = acquired(0.0)
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
    assert cells(table) == [f"{rate}{SPACE}%" if rate else "too few pairs" for rate in shown]


def test_where_no_false_match_was_seen_its_bound_is_shown():
    rows = acquired(0.0)
    rows.add(KEY, "fmr", 0.0, at=0.1)
    rows.add(KEY, "fnmr", 0.3, at=0.1)
    rows.add(KEY, "fmr_bound", 3 / 870, at=0.1)
    cell = threshold_tables(view_of(rows))[0].bodies[0].rows[0].cells[1]
    assert (cell.text, cell.detail) == (f"0.0{SPACE}%", f"at most 0.3{SPACE}%")


def test_with_failures_thresholds_have_both_pairs_of_rates():
    rows = acquired(0.1)
    for metric, value in (("fmr", 0.1), ("fnmr", 0.2), ("far", 0.09), ("frr", 0.28)):
        rows.add(KEY, metric, value)
    (table,) = threshold_tables(view_of(rows))
    titles = ["All images, FMR, FNMR", "All images, FAR, FRR"]
    assert [body.title for body in table.bodies] == titles
    assert cells(table, 0) == [f"{rate}{SPACE}%" for rate in ("15.0", "10.0", "20.0")]
    assert cells(table, 1) == [f"{rate}{SPACE}%" for rate in ("20.0", "9.0", "28.0")]


def test_areas_and_d_prime_are_folded_beside_the_rates():
    rows = acquired(0.0)
    rows.add(KEY, "auc", 0.931, low=0.9, high=0.95)
    rows.add(KEY, "auc_found", 0.94)
    rows.add(KEY, "d_prime", 2.345)
    table = separation_table(view_of(rows))
    assert [body.title for body in table.bodies] == ["Area under the ROC curve (AUC)", "d′"]
    assert cells(table, 0) == [".931"]
    assert cells(table, 1) in (["2.35"], ["2.34"])
    assert separation_table(view_of(Rows())) is None


def test_pooled_rates_stand_beside_the_mean_over_folds():
    rows = Rows()
    for metric, rate in (("eer", 0.1), ("eer_pooled", 0.15), ("eer_pooled_z", 0.12)):
        rows.add(KEY, metric, rate)
    table = pooled_table(view_of(rows))
    assert table.columns == ["mean over folds", "pooled", "pooled, z"]
    assert cells(table) == [f"10.0{SPACE}%", f"15.0{SPACE}%", f"12.0{SPACE}%"]


def test_further_metrics_of_scores_stand_here_and_those_of_errors_do_not(monkeypatch):
    names = {"of_scores": ["d_tau"], "of_errors": ["median_error"]}
    monkeypatch.setattr(operating, "further_metrics", names.get)
    rows = Rows()
    for metric in ("d_tau", "median_error", "not_named"):
        rows.add(KEY, metric, 0.75)
    study = study_of(rows, config={"evaluation": {"metrics": ["median_error", "d_tau"]}})
    (table,) = chapter(study).parts[0].blocks
    assert (table.caption, table.head) == (
        "Further measures of verification, own",
        "Probe aligned by",
    )
    assert (table.groups, table.columns) == ([("D tau", 1)], ["All images"])
    assert by_head(table) == {"DAN": [".750"]}


def test_what_was_not_measured_has_no_chapter():
    rows = Rows()
    rows.add(KEY, "nmse", 0.05)
    assert chapter(study_of(rows)) is None
