"""How sure the detectors are: calibration, ranks, risk and coverage, rejection."""

from dataclasses import replace

import pandas as pd
import pytest
from fake_confidence import SHARES, add_confidence, add_stated
from fake_study import EER, NMSE, Rows, configured
from fake_view import by_head, cells, study_of, texts, titled, view_of

from thermalign.report.chapters.confidence import (
    area_table,
    calibration_table,
    chapter,
    covered_cell,
    gain_table,
    rejection_table,
    risk_figure,
)
from thermalign.report.views import Value
from thermalign.schemas.keys import ALL, Subset

CONFIG = {"protocols": {"own": {"dataset": "faces", "reject": [*SHARES]}}}


@pytest.fixture
def made():
    rows = Rows()
    add_confidence(rows, "own", NMSE, EER)
    for model, rates in EER.items():
        for metric in ("eer", "eer_found"):
            rows.add(("own", model, ALL), metric, sum(rates) / 3, n=14400)
        rows.add(("own", model, ALL), "fta", 0.0)
    return study_of(rows, config=CONFIG)


def tables_of(study):
    (part,) = chapter(study).parts
    return [block for block in part.blocks if block.kind == "table"]


def test_expected_and_true_errors_stand_beside_what_regions_hold(study):
    table = titled(tables_of(study), "What is stated of errors")
    assert [body.title for body in table.bodies] == ["All images", "Range 1", "Range 2", "Range 3"]
    rows = {row[0]: row[1:] for row in texts(table)}
    assert rows["DAN"][:2] == [".052", ".056"]
    assert rows["DAN"][2:] == ["50.0\u202f%", "81.0\u202f%", "95.5\u202f%"]
    assert "annotated points" not in rows


@pytest.mark.parametrize(
    ("value", "tone"),
    [((0.9, 0.85, 0.94), "off"), ((0.93, 0.9, 0.96), ""), ((0.9, float("nan"), float("nan")), "")],
)
def test_a_coverage_is_marked_where_its_interval_leaves_the_stated_share_out(value, tone):
    assert covered_cell(Value(*value, 100), "coverage_95").tone == tone


def test_a_model_is_compared_with_its_best_constant_and_by_ranks(study):
    table = titled(tables_of(study), "tells faces apart")
    rows = by_head(table)
    surprises = ["\u22123.60", "\u22123.30", "\u2212.30", "\u22123.05", "\u2212.55"]
    assert rows["DAN"] == [*surprises, ".38", ".60"]
    assert rows["mean shape"][2:] == [".00", "\u22121.05", "\u2212.25", "–", "–"]


def test_landmarks_and_conditions_are_folded_away(study):
    tables = [t for t in tables_of(study) if t.folded and "by condition and landmark" in t.folded]
    assert len(tables) == 2
    titles = [body.title for body in tables[0].bodies]
    assert titles[:3] == ["Baseline", "Expression", "Right eye"]
    nose = next(body for body in tables[1].bodies if body.title == "Nose base")
    dan = next(row for row in nose.rows if row.head == "DAN")
    assert [cell.text for cell in dan.cells[5:]] == [".38", "–"]


def test_coverages_under_variants_have_a_column_each(study):
    table = titled(tables_of(study), "in other boxes and recordings")
    assert table.columns[:3] == ["as trained", ".10", ".30"]
    titles = ["95 % regions", "Surprise above that of one spread", "Rank correlation of images"]
    assert [body.title for body in table.bodies] == titles


def test_risk_and_coverage_are_drawn_model_by_model(made):
    figure = risk_figure(made.views[0])
    assert [panel.title for panel in figure.panels] == ["MTCNN", "PBC", "DAN", "mean shape"]
    assert ".042 of the surest half, .056 of all" in figure.panels[2].alt


def test_areas_stand_between_the_least_and_the_random_one(made):
    table = area_table(made.views[0])
    assert by_head(table)["DAN"] == [".043", ".030", ".056"]
    assert table.columns == ["AURC", "by true error", "at random"]


def test_rejection_stands_beside_random_and_true_error_and_says_its_failures(made):
    table = rejection_table(made, made.views[0])
    assert table.columns == ["none", "2\u202f%", "5\u202f%", "10\u202f%"] * 2
    start = [row.head for row in table.bodies[0].rows].index("DAN")
    rows = texts(table)[start : start + 4]
    assert [row[0] for row in rows] == ["DAN", "at random", "by true error", "failure to acquire"]
    assert rows[0][1:5] == ["16.9\u202f%", "16.7\u202f%", "16.4\u202f%", "16.0\u202f%"]
    assert rows[1][1:5] == ["", *["16.9\u202f%"] * 3]
    assert rows[3][1:5] == ["0.0\u202f%", "2.0\u202f%", "5.0\u202f%", "10.0\u202f%"]


def test_gains_are_signed_differences_to_random_rejection(made):
    table = gain_table(made, made.views[0])
    rows = texts(table)
    dan = next(k for k, row in enumerate(rows) if row[0] == "DAN")
    assert rows[dan][3] == "\u2212.0056"
    assert rows[dan + 1][:1] == ["by true error"]
    assert rows[dan][6] == "\u22120.8"


def test_shares_below_a_percent_keep_their_digit(made):
    config = {"protocols": {"own": {"dataset": "faces", "reject": [0.005, 0.02]}}}
    table = rejection_table(configured(made, config), made.views[0])
    assert table.columns[:3] == ["none", "0.5\u202f%", "2.0\u202f%"]


def test_a_model_that_states_nothing_is_left_out():
    rows = Rows()
    add_stated(rows, ("own", "dan", ALL))
    rows.add(("own", "pbc", ALL), "nmse", 0.3)
    assert [row[0] for row in texts(calibration_table(view_of(rows), [ALL]))] == ["DAN"]


def test_without_anything_stated_there_is_no_chapter():
    rows = Rows()
    rows.add(("own", "dan", ALL), "nmse", 0.1)
    assert chapter(study_of(rows)) is None


def test_without_rejection_the_rest_stands(made):
    shown = tables_of(configured(made, {"protocols": {"own": {"dataset": "faces"}}}))
    assert not [table for table in shown if "reject" in table.caption]
    assert cells(shown[0])


def test_one_range_alone_has_no_table_of_whom_it_hits(made):
    assert not [t for t in tables_of(made) if t.folded == "Whom rejection hits, by range"]
    rows = Rows()
    for reach in "12":
        rows.add(("own", "dan", Subset(range=reach)), "eer", 0.1)
    both = replace(made, summary=pd.concat([made.summary, rows.frame()]))
    assert [t for t in tables_of(both) if t.folded == "Whom rejection hits, by range"]


def test_the_chapter_stands_on_the_page(page):
    assert "How sure the detectors are, and what that is worth" in page
