"""The tables of verification and identification."""

from dataclasses import replace

from thermalign.report.cells import (
    MISSING,
    Body,
    Cell,
    Row,
    Table,
    percent,
    plain_cell,
    rate_cell,
)
from thermalign.report.failures import failed
from thermalign.report.names import READINGS, subset_label, subset_parts
from thermalign.report.operating import operating_table, threshold_tables
from thermalign.report.people import OPEN, people_words, verified
from thermalign.report.summary import View
from thermalign.report.tables import (
    ALIGNED_BY,
    INTERVALS,
    Columns,
    and_range,
    any_detail,
    column_groups,
    joined,
    last_part,
    range_columns,
)

MATCHED = (
    "Mean over folds. Unless the configuration says otherwise, gallery and matcher are the same in "
    "every row, and only the probe’s points differ."
)
POOLED = {"eer": "mean over folds", "eer_pooled": "pooled", "eer_pooled_z": "pooled, z"}
"""Metric to the title of its column."""

SEPARATION = (
    ("auc", "Area under the ROC curve (AUC)", 3),
    ("auc_found", "AUC, without failures to acquire", 3),
    ("d_prime", "d′", 2),
)
"""Metric, its name, and digits after the point."""


def rate_tables(view: View) -> list[Table]:
    """Return what else was measured of verification, beside the equal error rates by range."""
    tables = [
        operating_table(view),
        *threshold_tables(view),
        condition_table(view),
        separation_table(view),
        pooled_table(view),
    ]
    return [table for table in tables if table]


def eer_table(view: View) -> Table | None:
    """Lay out the equal error rate by model and range; None without any."""
    columns = range_columns(view, "eer")
    caption = f"Equal error rate by model{and_range(columns)}, {verified(view)}"
    people = people_words(view, columns[-1][2])
    table = _eer_table(view, columns, caption=f"{caption}; {people}" if people else caption)
    if table and len(view.readings) == 1:
        return replace(table, notes=[*table.notes, OPEN])
    return table


def other_reading(view: View) -> Table | None:
    """Lay out the equal error rates of a reading that is not the headline, folded."""
    table = eer_table(view)
    words = READINGS[view.readings[0]]
    folded = f"Equal error rates with the {words}"
    return replace(table, folded=folded, notes=table.notes[:1]) if table else None


def condition_table(view: View) -> Table | None:
    """Lay out the equal error rate by model and condition; None without two conditions.

    With several ranges, their conditions stand side by side, since a condition over all ranges
    mixes both.
    """
    alone = [s for s in view.subsets("eer") if set(subset_parts(s)) == {"condition"}]
    crossed = [s for s in view.subsets("eer") if set(subset_parts(s)) == {"range", "condition"}]
    if len(alone) < 2:
        return None
    columns: Columns = [("All ranges" if crossed else "", last_part(s), s) for s in alone]
    if len(view.ranges("eer")) > 1:
        columns += [(subset_label(s.partition("&")[0]), last_part(s), s) for s in crossed]
    return _eer_table(
        view, columns, caption=f"Equal error rate by model and condition, {verified(view)}"
    )


def _eer_table(view: View, columns: Columns, *, caption: str) -> Table | None:
    models = view.models("eer")
    if not models:
        return None
    rows = []
    for model in models:
        values = [view.get(model, "eer", subset=subset) for _, _, subset in columns]
        cells = [rate_cell(value, empty="n too small") for value in values]
        rows.append(Row(view.looks[model].label, cells, look=view.looks[model]))
    return Table(
        caption=caption,
        head=ALIGNED_BY,
        columns=[title for _, title, _ in columns],
        bodies=[Body(rows)],
        groups=column_groups(columns),
        notes=[joined([MATCHED, INTERVALS if any_detail(rows) else ""])],
    )


def separation_table(view: View) -> Table | None:
    """Lay out areas under ROC curves and d′ by model and range, folded; None without any."""
    columns = range_columns(view, "eer")
    bodies = []
    for metric, title, digits in SEPARATION:
        rows = [
            Row(
                view.looks[model].label,
                [plain_cell(view.get(model, metric, subset=s), digits=digits) for *_, s in columns],
                look=view.looks[model],
            )
            for model in view.models(metric)
        ]
        if rows and (metric != "auc_found" or failed(view)):
            bodies.append(Body(rows, title=title))
    if not bodies:
        return None
    return Table(
        caption=f"How far genuine and impostor scores lie apart, {verified(view)}",
        head=ALIGNED_BY,
        columns=[title for _, title, _ in columns],
        bodies=bodies,
        groups=column_groups(columns),
        notes=[
            "AUC: area under the ROC curve, the chance that a genuine comparison scores higher "
            "than an impostor one. d′: difference of their means over the root of their mean "
            f"variance, acquired probes alone; it has neither floor nor ceiling. {INTERVALS}"
        ],
        folded="Areas under ROC curves and d′",
    )


def pooled_table(view: View) -> Table | None:
    """Lay out the EER of pooled scores beside the mean over folds; None where none is pooled."""
    models = view.models("eer_pooled", "eer_pooled_z")
    measured = view.subsets("eer_pooled", "eer_pooled_z")
    subsets = [*view.ranges("eer_pooled", "eer_pooled_z"), *(s for s in measured if s == "all")]
    if not models:
        return None
    columns = [(s, metric) for s in subsets or measured for metric in POOLED]
    rows = []
    for model in models:
        values = [view.get(model, metric, subset=subset) for subset, metric in columns]
        cells = [Cell(percent(v.value)) if v else Cell(MISSING, tone="missing") for v in values]
        rows.append(Row(view.looks[model].label, cells, look=view.looks[model]))
    return Table(
        caption=f"Equal error rate of pooled scores, {verified(view)}",
        head=ALIGNED_BY,
        columns=[POOLED[metric] for _, metric in columns],
        bodies=[Body(rows)],
        groups=column_groups([(subset_label(s), metric, s) for s, metric in columns]),
        notes=[
            "Scores of different folds and gallery subjects share no scale. Mean over folds: each "
            "fold has a threshold of its own. Pooled: scores of all folds under one threshold. "
            "Pooled, z: after z-normalisation, which centres and scales the scores of each gallery "
            "subject. Pooled rates have no interval."
        ],
        folded="Equal error rate of pooled scores",
    )
