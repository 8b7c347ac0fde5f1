"""The curves of verification and identification: ROC, DET, CMC."""

import re
from statistics import NormalDist

import matplotlib.pyplot as plt
import pytest
from fake_study import Rows
from fake_view import study_of, view_of

from thermalign.report.chapters.rates import (
    chapter,
    cmc_panels,
    counted,
    det_panels,
    roc_panels,
    shade_unsupported,
)
from thermalign.schemas.keys import ALL, Subset

KEY = ("own", "dan", ALL)


def test_roc_curves_start_with_range_1_and_their_legends_carry_the_equal_error_rate():
    rows = Rows()
    for reach in ("", "1", "2"):
        for at in (0.1, 0.2, 1.0):
            rows.add(("own", "dan", Subset(range=reach)), "roc", at, at=at)
    rows.add(("own", "dan", Subset(range="1")), "eer", 0.123)
    panels = roc_panels(view_of(rows))
    assert [panel.title for panel in panels] == ["Range 1", "Range 2", "All images"]
    legends = [[text for _, text in panel.legend] for panel in panels]
    assert legends == [["EER 12.3\u202f%"], ["no EER"], ["no EER"]]


def test_scores_of_two_normal_distributions_give_a_straight_det_curve():
    normal, rows = NormalDist(), Rows()
    for at in (0.01, 0.1, 0.3):
        rows.add(KEY, "roc", 1 - normal.cdf(-normal.inv_cdf(at) - 2), at=at)
    rows.add(KEY, "eer", 0.159)
    (panel,) = det_panels(view_of(rows))
    line = re.search(r'<path d="M ([\d. \nL]+)"[^>]*stroke: #0072b2', panel.svg)[1]
    (x0, y0), (x1, y1), (x2, y2) = (map(float, point.split()) for point in line.split("L"))
    assert abs((y1 - y0) / (x1 - x0) - (y2 - y1) / (x2 - x1)) < 1e-3
    assert "DAN EER 15.9" in panel.alt


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


def test_det_curves_are_drawn_with_and_without_failures():
    rows = Rows()
    for metric in ("roc", "roc_found"):
        for at, accepted in ((0.01, 0.5), (0.1, 0.8), (0.5, 0.99)):
            rows.add(KEY, metric, accepted, at=at)
    view = view_of(rows)
    (with_failures,), (without,) = det_panels(view), det_panels(view, "roc_found")
    assert ">False reject rate</text>" in with_failures.svg
    assert ">False non-match rate</text>" in without.svg
    assert "false non-match rate over false match rate" in without.alt


def test_cmc_curves_name_rank_1_beside_each_model():
    rows = Rows()
    for rank, share in ((1, 0.7), (2, 0.8), (3, 1.0)):
        rows.add(KEY, "cmc", share, at=float(rank), low=share - 0.1, high=min(share + 0.1, 1))
    rows.add(KEY, "rank1", 0.7)
    (panel,) = cmc_panels(view_of(rows))
    assert panel.title == "All images"
    assert [(look.label, text) for look, text in panel.legend] == [("DAN", "rank-1 70.0\u202f%")]
    assert "share of probes whose own subject" in panel.alt


def test_captions_count_what_each_panel_is_taken_over():
    rows = Rows()
    for reach, n in (("1", 1000), ("2", 2000), ("", 3000)):
        rows.add(("own", "dan", Subset(range=reach)), "roc", 0.7, at=0.1, n=n)
    rows.add(("own", "annotated", ALL), "roc", 0.7, at=0.1, n=2900)
    words = "Range 1 1,000; Range 2 2,000; All images 2,900 to 3,000"
    assert counted(view_of(rows), "roc") == words
    assert counted(view_of(rows), "cmc") == ""


def test_rates_that_too_few_pairs_carry_are_shaded():
    rows = Rows()
    rows.add(KEY, "least_far", 30 / 870, n=870)
    _, axes = plt.subplots()
    axes.set(xscale="log", xlim=(0.001, 1))
    shade_unsupported(axes, view_of(rows), ALL)
    assert axes.patches[0].get_extents().transformed(axes.transData.inverted()).x1 == (
        pytest.approx(30 / 870)
    )
    assert axes.get_xlim() == (0.001, 1)
    _, bare = plt.subplots()
    shade_unsupported(bare, view_of(Rows()), ALL)
    assert not bare.patches


def test_what_was_not_measured_has_no_curve():
    rows = Rows()
    rows.add(KEY, "nmse", 0.05)
    assert det_panels(view_of(rows)) == cmc_panels(view_of(rows)) == []
    assert chapter(study_of(rows)) is None
