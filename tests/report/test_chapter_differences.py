"""Paired differences: what is shown, what is folded, and how a verdict is reached."""

from dataclasses import replace

import pandas as pd
import pytest
from fake_study import NAN, Rows
from fake_view import cells, study_of

from thermalign.report.blocks import Table
from thermalign.report.chapters.differences import chapter, difference_tables, verdict
from thermalign.report.views import Value
from thermalign.schemas.keys import ALL, ANNOTATED, OTHER_PROTOCOL, Subset
from thermalign.schemas.measures import DIFFERENCES


def pair(first, second, value, *, wide=0.01, p=0.001, holm=0.004, metric="eer", subset=ALL, at=0.0):
    key = {"dataset": "faces", "protocol": "own", **subset._asdict(), "metric": metric, "at": at}
    key |= {"model_a": first, "model_b": second}
    figures = {"value": value, "low": value - wide, "high": value + wide, "n": 400}
    return key | figures | {"p": p, "p_holm": holm, "n_subjects": 30}


def tables_of(*pairs):
    rows = Rows()
    for model in (ANNOTATED, "dan", "pbc"):
        rows.add(("own", model, ALL), "eer", 0.1)
    frame = pd.DataFrame(pairs, columns=DIFFERENCES.names)
    study = study_of(rows, differences=frame)
    return difference_tables(study, study.views[0])


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.01, 0.02, "B lower"),
        (-0.02, -0.01, "A lower"),
        (-0.01, 0.01, "not separable"),
        (0.0, 0.01, "not separable"),
        (NAN, NAN, "no interval"),
    ],
)
def test_only_an_interval_that_leaves_out_zero_separates(low, high, said):
    value = Value((low + high) / 2, low, high, 10)
    assert verdict(value, first="A", second="B") == said


def test_differences_beyond_the_main_subset_are_folded_away():
    more = {"wide": 0.01, "p": 0.02, "holm": 0.04}
    subsets = (ALL, Subset(range="1"), Subset(range="2"))
    shown, folded = tables_of(*(pair("dan", ANNOTATED, 0.012, subset=s, **more) for s in subsets))
    counts = "; n = 400, up to 30 people a fold"
    assert [body.title for body in shown.bodies] == [f"Equal error rate, Range 1{counts}"]
    assert [body.title for body in folded.bodies][-1] == f"Equal error rate, Range 2{counts}"
    assert folded.folded == "All other subsets (2)"
    assert cells(shown) == ["+1.2", "[0.2,\u00a02.2]", "", ".040", "annotated points lower"]
    assert shown.bodies[0].rows[0].cells[3].hint == "unadjusted: p .020"
    assert tables_of() == []


def test_intervals_of_a_block_are_drawn_on_one_scale_around_zero():
    (table,) = tables_of(pair(ANNOTATED, "dan", -0.02), pair(ANNOTATED, "pbc", 0.19, wide=0.01))
    bars = {row.head.rpartition(" ")[2]: row.cells[2].bar for row in table.bodies[0].rows}
    assert (bars["PBC"].low, bars["PBC"].high) == pytest.approx((0.9, 1.0))
    assert (bars["DAN"].value, bars["DAN"].high) == pytest.approx((-0.1, -0.05))
    (lost,) = tables_of(pair(ANNOTATED, "dan", NAN, wide=NAN))
    assert not lost.bodies[0].rows[0].cells[2].bar.bounded


def test_marks_of_a_difference_follow_the_adjusted_p():
    (table,) = tables_of(pair(ANNOTATED, "dan", -0.02, holm=0.06), pair(ANNOTATED, "pbc", -0.2))
    dan, pbc = sorted(table.bodies[0].rows, key=lambda row: "PBC" in row.head)
    assert [cell.text for cell in dan.cells][3:] == [".060", "not separable"]
    assert [cell.text for cell in pbc.cells][3:] == [".004", "annotated points lower"]
    assert not dan.cells[2].bar.apart
    assert pbc.cells[2].bar.apart
    assert table.bodies[0].title.endswith("separable in 1 of 2 after Holm’s adjustment")
    assert "adjusted by Holm’s method" in table.notes[0]


def test_subsets_outside_the_adjusted_blocks_are_not_shown_beside_them():
    pairs = [
        pair(ANNOTATED, "dan", -0.02),
        pair(ANNOTATED, "dan", -0.02, subset=Subset(condition="expression"), holm=NAN),
        pair(ANNOTATED, "dan", -0.02, subset=Subset(same_moment="keep")),
    ]
    assert [len(table.bodies) for table in tables_of(*pairs)] == [1]
    shown, folded = tables_of(*(row | {"p": NAN, "p_holm": NAN, "n_subjects": 0} for row in pairs))
    assert [body.title for body in folded.bodies] == ["Equal error rate, Expression; n = 400"]
    assert "p, adjusted" not in shown.columns
    assert "unadjusted" in shown.notes[0]


def test_of_two_true_accept_rates_the_higher_is_better():
    (table,) = tables_of(
        pair(ANNOTATED, "dan", 0.1, wide=0.05, metric="tar_at_far", at=0.01, p=0.01, holm=0.03)
    )
    assert table.folded == "Other figures (1)"
    title = "True accept rate at FAR 1.0\u202f%, All images; n = 400, up to 30 people a fold"
    assert table.bodies[0].title == title
    assert cells(table) == ["+10.0", "[5.0,\u00a015.0]", "", ".030", "annotated points higher"]


def test_trainings_with_different_seeds_are_not_compared(study):
    rows = study.differences.head(1)
    pairs = [("dan_seed1", "dan_seed2"), ("pbc_seed1", "dan_seed1"), ("dan_seed2", "mean_shape")]
    table = pd.concat([rows.assign(model_a=a, model_b=b) for a, b in pairs], ignore_index=True)
    seeds = study.seeds | {"pbc_seed1": ("pbc", 1)}
    parts = chapter(replace(study, differences=table, seeds=seeds)).parts
    tables = [block for part in parts for block in part.blocks if isinstance(block, Table)]
    heads = {row.head for table in tables for body in table.bodies for row in body.rows}
    assert heads == {"PBC, seed 1 − DAN, seed 1", "DAN, seed 2 − mean shape"}


def test_protocols_that_share_people_are_called_no_replication():
    rows = Rows()
    for other, shared in (("p2", 21), ("own", 0)):
        key = ("p1", ANNOTATED, Subset(experiment=OTHER_PROTOCOL, setting=other))
        rows.add(key, "shared_people", shared, n=60)
    rows.add(("p2", ANNOTATED, ALL), "eer", 0.1)
    config = {"protocols": {"p1": {"paper": 1}, "p2": {"paper": 2}}}
    first, second = chapter(study_of(rows, config=config)).parts
    assert first.blocks[0].text == (
        "Protocol 1 shares 21 of its 60 test people with Protocol 2: that they agree is no "
        "replication."
    )
    assert [block.text for block in second.blocks] == ["No models were compared in Protocol 2."]
