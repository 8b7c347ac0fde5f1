"""What findings say where there is little to say: every sentence must be true of its tables."""

import pandas as pd
import pytest
from fake_study import NAN, Rows, empty

from thermalign.report.cells import percent_number, signed
from thermalign.report.chapters.differences import difference_tables
from thermalign.report.chapters.findings import Sources, Told, finding, findings
from thermalign.report.names import looks
from thermalign.report.summary import Value, View
from thermalign.report.wording import separable
from thermalign.schemas.measures import DIFFERENCES, SPREAD

MODELS = ("annotated", "dan", "pbc")


def said_of(rows, *protocols, differences=None):
    frame = empty(DIFFERENCES) if differences is None else differences
    sources = Sources(frame, empty(SPREAD), config={}, seeds={})
    views = [View(rows.frame(), p, looks=looks(MODELS)) for p in protocols or ("own",)]
    return finding([Told(view, view) for view in views], sources).sentences


def pair(first, second, value, *, wide=0.01, p=0.001, holm=0.004, metric="eer", subset="all"):
    figures = (value, value - wide, value + wide, 400, p, holm, 30)
    return ("own", subset, metric, 0.0, first, second, *figures)


def table_of(*rows):
    return pd.DataFrame(rows, columns=DIFFERENCES.names)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([Value(0.1, NAN, NAN, 9)], ""),
        ([Value(0.1, 0.05, 0.15, 9)], "separable (unadjusted)"),
        ([Value(0.1, -0.05, 0.25, 9)], "not separable (unadjusted)"),
        ([Value(0.1, 0.05, 0.15, 9, p=0.2)], "not separable after Holm’s adjustment"),
        ([Value(0.1, 0.05, 0.15, 9, p=0.049)], "separable after Holm’s adjustment"),
        ([Value(0.1, 0.05, 0.15, 9, p=0.05)], "not separable after Holm’s adjustment"),
        (
            [Value(0.1, 0.05, 0.15, 9, p=0.2), Value(0.1, 0.05, 0.15, 9)],
            "separable in 1 of 2 (unadjusted)",
        ),
    ],
)
def test_separable_says_whether_it_is_adjusted(values, said):
    assert separable(values) == said


def test_findings_count_after_holms_adjustment():
    rows = Rows()
    for model in MODELS:
        rows.add(("own", model, "all"), "eer", 0.1)
    table = table_of(
        pair("annotated", "dan", -0.02, holm=0.06),
        pair("annotated", "pbc", -0.2, holm=0.003),
        pair("dan", "pbc", -0.18, holm=NAN, p=NAN, wide=NAN),
    )
    said = said_of(rows, differences=table)
    assert "not separable after Holm’s adjustment" in next(s for s in said if s.startswith("DAN"))
    assert next(s for s in said if s.startswith("PBC")).endswith("points over annotated points.")
    assert said[-1] == (
        "Pairs of models that are separable after Holm’s adjustment: 1 of 2 in equal error rate."
    )


def test_marks_of_a_difference_follow_the_adjusted_p():
    rows = [pair("annotated", "dan", -0.02, holm=0.06), pair("annotated", "pbc", -0.2)]
    (table,) = difference_tables(table_of(*rows), "own", looks=looks(MODELS))
    dan, pbc = sorted(table.bodies[0].rows, key=lambda row: "PBC" in row.head)
    assert [cell.text for cell in dan.cells][3:] == [".060", "not separable"]
    assert [cell.text for cell in pbc.cells][3:] == [".004", "annotated points lower"]
    assert 'class="bar"' in dan.cells[2].drawing
    assert 'class="bar separable"' in pbc.cells[2].drawing
    assert table.bodies[0].title.endswith("separable in 1 of 2 after Holm’s adjustment")
    assert "adjusted by Holm’s method" in table.notes[0]


def test_subsets_outside_the_adjusted_blocks_are_not_shown_beside_them():
    rows = [
        pair("annotated", "dan", -0.02),
        pair("annotated", "dan", -0.02, subset="condition=expression", holm=NAN),
        pair("annotated", "dan", -0.02, subset="same_moment=keep"),
    ]
    tables = difference_tables(table_of(*rows), "own", looks=looks(MODELS))
    assert [len(table.bodies) for table in tables] == [1]
    older = table_of(*rows).drop(columns=["p", "p_holm", "n_subjects"])
    shown, folded = difference_tables(older, "own", looks=looks(MODELS))
    assert [body.title for body in folded.bodies] == ["Equal error rate, Expression; n = 400"]
    assert "p, adjusted" not in shown.columns
    assert "unadjusted" in shown.notes[0]


def test_faces_that_the_lowest_error_leaves_out_are_told():
    rows = Rows()
    for model, error, lost in (("dan", 0.04, 0.5), ("pbc", 0.05, 0.0)):
        rows.add(("own", model, "all"), "nmse", error, n=100)
        rows.add(("own", model, "all"), "failure_rate", lost)
    assert said_of(rows)[0] == (
        "DAN has the lowest NMSE: .040 over 100 test images of all folds; faces that it did not "
        "find, 50.0\u202f%, have none."
    )


def test_error_of_a_part_alone_is_not_called_unmeasured():
    rows = Rows()
    rows.add(("own", "dan", "volume=1"), "nmse", 0.04)
    assert "No landmark error was measured." not in said_of(rows)


def test_one_protocol_of_several_is_named_with_its_lowest_error():
    rows = Rows()
    for model, error in (("dan", 0.04), ("pbc", 0.05)):
        rows.add(("a", model, "all"), "nmse", error, n=100)
    rows.add(("b", "dan", "all"), "eer", 0.1)
    said = said_of(rows, "a", "b")
    assert said[0] == "DAN has the lowest NMSE: .040 over 100 test images of all folds in a."
    assert said[2] == (
        "DAN (over 2 protocols): NMSE\u00a0.040 (1 of 2); equal error rate\u00a010.0\u202f% "
        "(1 of 2)."
    )


def test_a_protocol_with_one_model_has_no_lowest():
    rows = Rows()
    for protocol in ("a", "b", "c"):
        rows.add((protocol, "dan", "all"), "nmse", 0.04)
    rows.add(("c", "pbc", "all"), "nmse", 0.03)
    assert said_of(rows, "a", "b", "c")[0] == "Lowest NMSE: PBC in 1 of 1 protocols."
    alone = Rows()
    for protocol in ("a", "b", "c"):
        alone.add((protocol, "dan", "all"), "nmse", 0.04)
    assert not any("Lowest" in sentence for sentence in said_of(alone, "a", "b", "c"))


def test_a_difference_that_is_not_a_number_is_not_told():
    rows = Rows()
    for model in MODELS:
        rows.add(("own", model, "all"), "eer", 0.1)
    table = table_of(pair("annotated", "dan", NAN, wide=NAN, p=NAN, holm=NAN))
    said = said_of(rows, differences=table)
    assert not any("points over" in sentence or "nan" in sentence for sentence in said)


def test_what_is_printed_as_zero_has_no_sign():
    assert [signed(value, percent_number) for value in (0.0004, 0.0, -0.0004)] == ["0.0"] * 3
    assert signed(0.001, percent_number) == "+0.1"


def test_a_study_without_protocols_has_no_findings():
    assert findings([], Sources(empty(DIFFERENCES), empty(SPREAD), config={}, seeds={})) == []
