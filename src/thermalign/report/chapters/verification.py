"""Verification: equal error rates, failures, readings of who meets whom, conditions, attributes."""

from dataclasses import replace

from thermalign.report.blocks import Block, Body, Chapter, Paragraph, Part, Row, Table
from thermalign.report.layout import (
    ALIGNED_BY,
    INTERVALS,
    Columns,
    and_range,
    any_detail,
    attribute_table,
    column_groups,
    model_row,
    people_words,
    plain_cell,
    range_columns,
    rate_cell,
)
from thermalign.report.setup import READINGS
from thermalign.report.study import Study
from thermalign.report.views import View
from thermalign.report.words import field_label, joined, subset_label
from thermalign.schemas.keys import ALL, Subset

MATCHED = (
    "Mean over folds. Unless the configuration says otherwise, gallery and matcher are the same in "
    "every row, and only the probe’s points differ."
)
OPEN = (
    "A probe’s own moment: the gallery’s images of the very sample that the probe is of. Left out, "
    "every probe meets a gallery that lacks its own moment, and about as many moments of "
    "everybody else; enrolled, it meets the whole gallery, its own instant included. The paper "
    "leaves open which of the two it did."
)
READING_COLUMNS = {"exclude": "left out", "keep": "enrolled"}
"""Reading of ``same_moment`` to the title of its column."""

SIDE_BY_SIDE = (("eer", "Equal error rate"), ("rank1", "Rank-1"))

WITH, WITHOUT = "With failures: FAR, FRR", "Without: FMR, FNMR"
FAILURES = (
    ("", "FTE", "fte"),
    ("", "FTA", "fta"),
    (WITH, "EER", "eer"),
    (WITH, "AUC", "auc"),
    (WITH, "Rank-1", "rank1"),
    (WITHOUT, "EER", "eer_found"),
    (WITHOUT, "AUC", "auc_found"),
    (WITHOUT, "Rank-1", "rank1_found"),
)
"""Group, title and metric of every column, by their names in ISO/IEC 19795-1."""

NONE_FAILED = (
    "Every test subject could be enrolled and every probe acquired, whichever points aligned it: "
    "failures to enrol and to acquire (FTE, FTA of ISO/IEC 19795-1) are 0, so that rates of "
    "accepts are rates of matches (FAR = FMR, FRR = FNMR)."
)
TERMS = (
    "Terms of ISO/IEC 19795-1. FTE, failure to enrol: test subjects without a usable gallery "
    "image. FTA, failure to acquire: probes without a usable aligned face, because no face was "
    "found or its points cannot be aligned. With failures, such a probe matches nobody, and a "
    "probe of a subject who is not enrolled counts as missed at every rank; without, only enrolled "
    "subjects and acquired probes count."
)


def chapter(study: Study) -> Chapter:
    """Lay out what verification reaches with every model's points, a part per protocol.

    It reads SUMMARY: eer, auc and rank1 with and without failures, fte, fta, people, person_pairs.
    """
    parts = [Part(view.label, _blocks(view), view.protocol.name) for view in study.views]
    return Chapter("verification", "Verification", parts)


def _blocks(view: View) -> list[Block]:
    first = eer_table(view)
    if first is None:
        words = f"{view.label} has no verification: no equal error rate was measured."
        return [Paragraph(words, tone="absent")]
    if view.other:
        first = replace(first, reading=view.protocol.readings[0])
    others = [
        *(reading_tables(view, view.other) if view.other else []),
        *failure_tables(view),
        condition_table(view),
        person_table(view),
    ]
    none_failed = [Paragraph(NONE_FAILED)] if nothing_failed(view) else []
    return [first, *none_failed, *(table for table in others if table)]


def eer_table(view: View) -> Table | None:
    """Lay out the equal error rate by model and range; None without any.

    Columns of SUMMARY: eer with its interval, by volume and range; people, person_pairs.
    """
    columns = range_columns(view, "eer")
    people = people_words(view, columns[-1][2])
    caption = f"Equal error rate by model{and_range(columns)}, {view.verified}"
    table = _eer_table(view, columns, caption=f"{caption}; {people}" if people else caption)
    if table and len(view.protocol.readings) == 1:
        return replace(table, notes=[*table.notes, OPEN])
    return table


def condition_table(view: View) -> Table | None:
    """Lay out the equal error rate by model and condition; None without two conditions.

    With several ranges, their conditions stand side by side, since a condition over all ranges
    mixes both. Columns of SUMMARY: eer by condition, and by range and condition.
    """
    measured = [s for s in view.subsets("eer") if s.condition]
    alone = [s for s in measured if s == Subset(condition=s.condition)]
    crossed = [s for s in measured if s.range and s == _crossed(s)]
    if len(alone) < 2:
        return None
    columns: Columns = [
        ("All ranges" if crossed else "", field_label(s, "condition"), s) for s in alone
    ]
    if len(view.ranges("eer")) > 1:
        columns += [(field_label(s, "range"), field_label(s, "condition"), s) for s in crossed]
    caption = f"Equal error rate by model and condition, {view.verified}"
    return _eer_table(view, columns, caption=caption)


def _crossed(subset: Subset) -> Subset:
    return Subset(range=subset.range, condition=subset.condition)


def _eer_table(view: View, columns: Columns, *, caption: str) -> Table | None:
    rows = [
        model_row(
            view,
            model,
            [rate_cell(view.get(model, "eer", s), empty="n too small") for *_, s in columns],
        )
        for model in view.models("eer")
    ]
    if not rows:
        return None
    return Table(
        caption=caption,
        head=ALIGNED_BY,
        columns=[title for _, title, _ in columns],
        bodies=[Body(rows)],
        groups=column_groups(columns),
        notes=[joined([MATCHED, INTERVALS if any_detail(rows) else ""])],
    )


def person_table(view: View) -> Table | None:
    """Lay out equal error rates by attributes of people; None without any."""
    caption = f"Equal error rate by attributes of the probes’ people, {view.verified}"
    measures = [("eer", "", rate_cell)]
    return attribute_table(view, measures, caption=caption, head=ALIGNED_BY)


def nothing_failed(view: View) -> bool:
    """Tell whether failures are known to be none."""
    return bool(view.models("fte") and view.models("fta")) and not view.failed


def failure_tables(view: View) -> list[Table]:
    """Lay out FTE, FTA and rates with and without failures; none where nothing failed.

    Columns of SUMMARY: the metrics of ``FAILURES``, by range.
    """
    if not view.failed:
        return []
    ranges = view.ranges("fta", "fte")
    shown, folded = ([ALL], ranges) if ALL in view.subsets("fta", "fte") else (ranges, [])
    tables = [_failure_table(view, shown), _failure_table(view, folded, "Failures by range")]
    return [table for table in tables if table.bodies]


def _failure_table(view: View, subsets: list[Subset], folded: str = "") -> Table:
    columns = [
        (group, title, metric)
        for group, title, metric in FAILURES
        if any(view.known(metric, subset) for subset in subsets)
    ]
    return Table(
        caption=f"Failures, and rates with and without them, {view.verified}",
        head=ALIGNED_BY,
        columns=[title for _, title, _ in columns],
        bodies=[
            Body(
                [_failure_row(view, m, s, columns) for m in view.models("fta", "fte", "eer")], title
            )
            for s in subsets
            for title in [subset_label(s)]
        ],
        groups=column_groups(columns),
        notes=[f"{TERMS} {INTERVALS}"],
        folded=folded,
    )


def _failure_row(
    view: View, model: str, subset: Subset, columns: list[tuple[str, str, str]]
) -> Row:
    cells = [
        (plain_cell if metric.startswith("auc") else rate_cell)(view.get(model, metric, subset))
        for *_, metric in columns
    ]
    return model_row(view, model, cells)


def reading_tables(view: View, other: View) -> list[Table]:
    """Lay out the other reading's equal error rates, and both side by side, folded."""
    theirs, both = eer_table(other), reading_table(view, other)
    return [
        *([_of_other(theirs, other)] if theirs else []),
        *([replace(both, folded="Both readings side by side")] if both else []),
    ]


def _of_other(table: Table, other: View) -> Table:
    """Return a table as the other reading's; that it is open is told beside both."""
    return replace(table, reading=other.protocol.readings[0], notes=table.notes[:1])


def reading_table(view: View, other: View) -> Table | None:
    """Lay out EER and rank-1 under two readings side by side; None without the other's.

    Parameters
    ----------
    view, other : View
        Of the headline and of another reading, the same subsets: eer and rank1 of SUMMARY.
    """
    first, second = (
        {s for metric, _ in SIDE_BY_SIDE for s in its.subsets(metric)} for its in (view, other)
    )
    columns = [s for *_, s in range_columns(view, "eer") if s in first & second]
    if not {s for s in columns if s != ALL}:
        columns = [s for s in [*view.ranges("eer"), ALL] if s in first & second]
    bodies = [
        Body(rows, title=title)
        for metric, title in SIDE_BY_SIDE
        if (rows := _reading_rows(view, other, metric, columns))
    ]
    if not columns or not bodies:
        return None
    titles = [READING_COLUMNS[its.protocol.readings[0]] for its in (view, other)]
    return Table(
        caption=f"Both readings of who is compared with whom: probe’s {READINGS['exclude']}, "
        f"or enrolled, {view.label}",
        head=ALIGNED_BY,
        columns=titles * len(columns),
        bodies=bodies,
        groups=column_groups([(subset_label(s), "", s) for s in columns for _ in titles]),
        notes=[OPEN],
    )


def _reading_rows(view: View, other: View, metric: str, columns: list[Subset]) -> list[Row]:
    return [
        model_row(
            view,
            model,
            [
                rate_cell(its.get(model, metric, s), bare=True)
                for s in columns
                for its in (view, other)
            ],
        )
        for model in view.models(metric)
        if model in other.models(metric)
    ]
