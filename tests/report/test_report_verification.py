"""Verification: tables of rates, ROC, DET and CMC."""

import re
from statistics import NormalDist

import pandas as pd
from fake_study import NAN, Rows

from thermalign.report.chapters.differences import difference_tables
from thermalign.report.chapters.rates import cmc_panels, counted, det_panels
from thermalign.report.chapters.verification import (
    condition_table,
    operating_table,
    pooled_table,
    rate_tables,
)
from thermalign.report.names import looks
from thermalign.report.summary import View
from thermalign.schemas.measures import DIFFERENCES

MODELS = ("annotated", "dan")
KEY = ("own", "dan", "all")


def view_of(rows):
    return View(rows.frame(), "own", looks=looks(MODELS))


def cells(table, row=0):
    return [cell.text for cell in table.bodies[0].rows[row].cells]


def spoken(panel):
    return re.search(r'aria-label="([^"]+)"', panel.svg)[1]


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
    assert cells(table) == ["needs 30,000 person pairs, has 3,080", "62.0\u202f%", "80.0\u202f%"]
    details = [cell.detail for cell in table.bodies[0].rows[0].cells]
    assert details == ["", "[50.0,\u00a070.0]", "[70.0,\u00a090.0]"]
    assert table.columns[1] == "TAR at FAR 1.0\u202f%, needs 3,000 pairs"
    assert table.bodies[0].title == "All images; 56 people, 3,080 ordered person pairs per fold"


def test_conditions_stand_beside_each_other_over_all_ranges_and_at_each():
    rows = Rows()
    for reach in ("", "range=1&", "range=2&"):
        for condition, rate in (("baseline", 0.1), ("expression", 0.2)):
            rows.add(("own", "dan", f"{reach}condition={condition}"), "eer", rate)
    for reach in (1, 2):
        rows.add(("own", "dan", f"range={reach}"), "eer", 0.15)
    table = condition_table(view_of(rows))
    assert table.groups == [("All ranges", 2), ("Range 1", 2), ("Range 2", 2)]
    assert table.columns == ["Baseline", "Expression"] * 3
    assert cells(table) == ["10.0\u202f%", "20.0\u202f%"] * 3


def test_one_condition_makes_no_table():
    rows = Rows()
    rows.add(("own", "dan", "condition=baseline"), "eer", 0.1)
    assert condition_table(view_of(rows)) is None


def test_pooled_rates_stand_beside_the_mean_over_folds():
    rows = Rows()
    for metric, rate in (("eer", 0.1), ("eer_pooled", 0.15), ("eer_pooled_z", 0.12)):
        rows.add(KEY, metric, rate)
    table = pooled_table(view_of(rows))
    assert table.columns == ["mean over folds", "pooled", "pooled, z"]
    assert cells(table) == ["10.0\u202f%", "15.0\u202f%", "12.0\u202f%"]


def test_what_was_not_measured_has_neither_table_nor_curve():
    view = view_of(Rows())
    assert rate_tables(view) == []
    assert det_panels(view) == cmc_panels(view) == []


def test_scores_of_two_normal_distributions_give_a_straight_det_curve():
    normal, rows = NormalDist(), Rows()
    for at in (0.01, 0.1, 0.3):
        rows.add(KEY, "roc", 1 - normal.cdf(-normal.inv_cdf(at) - 2), at=at)
    rows.add(KEY, "eer", 0.159)
    (panel,) = det_panels(view_of(rows))
    line = re.search(r'<path d="M ([\d. \nL]+)"[^>]*stroke: #0072b2', panel.svg)[1]
    (x0, y0), (x1, y1), (x2, y2) = (map(float, point.split()) for point in line.split("L"))
    assert abs((y1 - y0) / (x1 - x0) - (y2 - y1) / (x2 - x1)) < 1e-3
    assert "DAN EER 15.9" in spoken(panel)


def test_a_det_curve_leaves_out_rates_without_a_normal_deviate():
    rows = Rows()
    for at, accepted in ((0.001, 0.0), (0.01, 0.5), (0.1, 1.0), (1.0, 1.0)):
        rows.add(KEY, "roc", accepted, at=at)
    assert len(det_panels(view_of(rows))) == 1
    all_accepted = Rows()
    all_accepted.add(KEY, "roc", 1.0, at=0.1)
    assert det_panels(view_of(all_accepted)) == []


def test_ticks_of_a_det_curve_are_rates():
    rows = Rows()
    for at, accepted in ((0.01, 0.5), (0.1, 0.8), (0.5, 0.99)):
        rows.add(KEY, "roc", accepted, at=at)
    (panel,) = det_panels(view_of(rows))
    written = re.findall(r">([\d.]+)\u202f%</text>", panel.svg)
    assert {"1", "10", "40"} <= set(written)


def test_cmc_curves_name_rank_1_beside_each_model():
    rows = Rows()
    for rank, share in ((1, 0.7), (2, 0.8), (3, 1.0)):
        rows.add(KEY, "cmc", share, at=float(rank), low=share - 0.1, high=min(share + 0.1, 1))
    rows.add(KEY, "rank1", 0.7)
    (panel,) = cmc_panels(view_of(rows))
    assert panel.title == "All images"
    assert [(look.label, text) for look, text in panel.legend] == [("DAN", "rank-1 70.0\u202f%")]
    assert "share of probes whose own subject" in spoken(panel)


def test_captions_count_what_each_panel_is_taken_over():
    rows = Rows()
    for subset, n in (("range=1", 1000), ("range=2", 2000), ("all", 3000)):
        rows.add(("own", "dan", subset), "roc", 0.7, at=0.1, n=n)
    rows.add(("own", "annotated", "all"), "roc", 0.7, at=0.1, n=2900)
    assert (
        counted(view_of(rows), "roc") == "Range 1 1,000; Range 2 2,000; All images 2,900 to 3,000"
    )
    assert counted(view_of(rows), "cmc") == ""


def test_of_two_true_accept_rates_the_higher_is_better():
    row = ("own", "all", "tar_at_far", 0.01, "annotated", "dan", 0.1, 0.05, 0.15, 9, 0.01, 0.03, 5)
    frame = pd.DataFrame([row], columns=DIFFERENCES.names)
    (table,) = difference_tables(frame, "own", looks=looks(MODELS))
    assert table.folded == "Other figures (1)"
    title = "True accept rate at FAR 1.0\u202f%, All images; n = 9, up to 5 people a fold"
    assert table.bodies[0].title == title
    assert cells(table) == ["+10.0", "[5.0,\u00a015.0]", "", ".030", "annotated points higher"]
