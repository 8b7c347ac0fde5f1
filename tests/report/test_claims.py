"""Verdicts follow the intervals that they rest on."""

import math

import pytest
from fake_study import NAN, Rows, empty
from fake_view import study_of

from thermalign.report.claims.evidence import (
    FAILS,
    HOLDS,
    UNDECIDED,
    below,
    ratio,
    together,
)
from thermalign.report.claims.verdicts import claims, verdict
from thermalign.report.page import render
from thermalign.report.printed import CLAIMS, PRINTED, misprinted_averages
from thermalign.report.views import Value
from thermalign.schemas.keys import ALL, Subset
from thermalign.schemas.measures import DIFFERENCES

RANGES = [Subset(range=reach) for reach in ("1", "2", "3")]
CONFIG = {
    "protocols": {
        "one": {"dataset": "faces", "paper": 1, "same_moment": ["exclude", "keep"]},
    }
}


def difference(first, second, metric, subset, ends):
    low, high = ends
    key = ("faces", "one", *subset, metric, 0.0, first, second)
    return (*key, (low + high) / 2, low, high, 480, 0.01, 0.2, 30)


def judged(number, *, differences=(), rows=None, config=CONFIG):
    rows = rows or Rows()
    for model in ("dan", "pbc", "mtcnn", "annotated"):
        for subset in (ALL, *RANGES):
            rows.add(("one", model, subset), "nmse", 0.1, low=0.09, high=0.11)
    table = empty(DIFFERENCES)
    for row in differences:
        table.loc[len(table)] = list(row)
    study = study_of(rows, differences=table, config=config)
    return next(claim for claim in claims(study) if claim.number == number)


def nmse(first, second, ends):
    return [difference(first, second, "nmse", subset, ends) for subset in RANGES]


def test_every_claim_of_the_paper_gets_a_verdict(study):
    found = claims(study)
    assert [claim.number for claim in found] == sorted(CLAIMS)
    assert {claim.verdict for claim in found} <= {HOLDS, FAILS, UNDECIDED}
    assert all(claim.why and claim.text == CLAIMS[claim.number] for claim in found)


def test_a_study_without_a_protocol_of_the_paper_has_no_verdict():
    assert claims(study_of(Rows())) == []
    assert verdict([]) == ""


def test_a_study_of_none_of_its_detectors_has_a_page_all_the_same(read_page):
    rows = Rows()
    rows.add(("one", "mean_shape", ALL), "nmse", 0.1, low=0.09, high=0.11)
    page = render(study_of(rows, config=CONFIG))
    assert "The paper, claim by claim" in read_page(page).text()
    assert "Figures behind the verdicts" not in page


def test_the_verdict_counts_its_claims(study):
    found = claims(study)
    counts = [sum(c.verdict == v for c in found) for v in (HOLDS, FAILS, UNDECIDED)]
    assert sum(counts) == 12
    said = verdict(found)
    assert said.startswith(f"Of the paper’s 12 claims, {counts[0]} hold")
    assert f"{counts[2]} are undecided." in said or f"{counts[2]} is undecided." in said


def test_one_figure_against_a_claim_makes_it_fail_and_an_open_one_undecided():
    assert together([True, True]) == HOLDS
    assert together([True, None]) == UNDECIDED
    assert together([True, None, False]) == FAILS
    assert together([]) == UNDECIDED


def test_an_interval_that_holds_the_bound_leaves_it_open():
    assert below(Value(-1, -2, -0.5, 9)) is True
    assert below(Value(1, 0.5, 2, 9)) is False
    assert below(Value(-1, -2, 0.0, 9)) is None
    assert below(Value(-1, NAN, NAN, 9)) is None


def test_a_ratio_is_as_wide_as_independent_intervals_are():
    its = ratio(Value(2.0, 1.0, 4.0, 9), Value(1.0, 0.5, 2.0, 9))
    half = math.sqrt(2) * math.log(2)
    assert its.value == 2.0
    assert (its.low, its.high) == pytest.approx((2 * math.exp(-half), 2 * math.exp(half)))
    assert not ratio(Value(2.0, NAN, NAN, 9), Value(1.0, 0.5, 2.0, 9)).bounded


def test_dan_is_lowest_where_every_difference_is_below_zero():
    lower = [*nmse("dan", "mtcnn", (-0.2, -0.1)), *nmse("dan", "pbc", (-0.2, -0.1))]
    assert judged(1, differences=lower).verdict == HOLDS
    # The table may have them the other way round.
    turned = [*nmse("mtcnn", "dan", (0.1, 0.2)), *nmse("pbc", "dan", (0.1, 0.2))]
    assert judged(1, differences=turned).verdict == HOLDS
    tie = [*nmse("dan", "mtcnn", (-0.2, 0.1)), *nmse("dan", "pbc", (-0.2, -0.1))]
    assert judged(1, differences=tie).verdict == UNDECIDED
    higher = [*nmse("dan", "mtcnn", (0.1, 0.2)), *nmse("dan", "pbc", (-0.2, -0.1))]
    assert judged(1, differences=higher).verdict == FAILS


def test_pbc_has_to_win_near_and_to_lose_far():
    subsets = zip(RANGES, [(-0.2, -0.1), (0.1, 0.2), (0.3, 0.4)], strict=True)
    crossed = [difference("pbc", "mtcnn", "nmse", subset, ends) for subset, ends in subsets]
    claim = judged(2, differences=crossed)
    assert claim.verdict == HOLDS
    assert [its.paper for its in claim.evidence] == ["−.037", "−.125", "−.529"]
    assert judged(2, differences=nmse("pbc", "mtcnn", (0.1, 0.2))).verdict == FAILS


def test_what_was_not_measured_is_undecided_and_says_what_it_takes():
    claim = judged(10)
    assert claim.verdict == UNDECIDED
    assert "losses: alternating" in claim.why
    assert judged(4).verdict == UNDECIDED
    assert judged(12).verdict == UNDECIDED


def test_joint_training_is_judged_where_mtcnn_was_trained_both_ways():
    models = {"mtcnn": {"losses": "landmarks"}, "dan": {"model": "mtcnn", "losses": "alternating"}}
    rows = [difference("dan", "mtcnn", "nmse", ALL, (0.01, 0.03))]
    config = CONFIG | {"models": models}
    assert judged(10, differences=rows, config=config).verdict == HOLDS
    rows = [difference("dan", "mtcnn", "nmse", ALL, (-0.03, -0.01))]
    assert judged(10, differences=rows, config=config).verdict == FAILS


def rates(ends, *, keep=None):
    subset = RANGES[0]
    rows = [difference("dan", "annotated", "eer", subset, ends)]
    if keep:
        other = subset._replace(same_moment="keep")
        rows.append(difference("dan", "annotated", "eer", other, keep))
    return rows


def with_truth(eer=0.1):
    rows = Rows()
    for reading in ("", "keep"):
        key = ("one", "annotated", RANGES[0]._replace(same_moment=reading))
        rows.add(key, "eer", eer, low=eer - 0.02, high=eer + 0.02)
    return rows


def test_a_claim_about_rates_is_undecided_where_its_readings_do_not_agree():
    rows = rates((0.03, 0.05), keep=(0.005, 0.012))
    claim = judged(8, differences=rows, rows=with_truth())
    assert claim.readings == {"exclude": FAILS, "keep": HOLDS}
    assert claim.verdict == UNDECIDED
    assert "own moment enrolled: holds" in claim.why


def test_a_rise_that_may_be_none_is_no_rise_of_8_percent():
    assert judged(8, differences=rates((-0.01, 0.02)), rows=with_truth()).verdict == UNDECIDED


def test_measures_that_contradict_each_other_leave_sensitivity_open():
    rows = Rows()
    for level in (0.0, 0.1):
        for metric, value in (("eer", 0.1 + level), ("nmse", level)):
            key = ("one", "annotated", Subset("displacement", "isotropic", level))
            rows.add(key, metric, value)
    for metric, value in (("d_prime_slope", 5.0), ("eer_slope", 0.5)):
        key = ("one", "annotated", Subset("displacement", "isotropic"))
        rows.add(key, f"{metric}_difference", value, low=0.9 * value, high=1.1 * value)
    claim = judged(9, rows=rows)
    assert [its.says for its in claim.evidence] == [False, True]
    assert claim.verdict == UNDECIDED
    assert "depends on the measure" in claim.why


def test_the_averages_that_are_no_means_are_those_of_protocol_2():
    found = [(paper, model) for paper, model, *_ in misprinted_averages()]
    assert found == [(2, "mtcnn"), (2, "pbc")]
    assert PRINTED[2]["mtcnn"]["average"].nmse == 0.097
