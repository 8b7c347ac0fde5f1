"""The tables of verification and identification."""

from thermalign.report.cells import (
    MISSING,
    Body,
    Cell,
    Row,
    Table,
    number,
    percent,
    rate_cell,
)
from thermalign.report.names import subset_label, subset_parts
from thermalign.report.summary import Value, View
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

TOO_SMALL = "n too small"
MATCHED = (
    "Mean over folds. Unless the configuration says otherwise, gallery and matcher are the same in "
    "every row, and only the probe’s points differ."
)
POOLED = {"eer": "mean over folds", "eer_pooled": "pooled", "eer_pooled_z": "pooled, z-normalised"}
"""Metric to the title of its column."""


def rate_tables(view: View) -> list[Table]:
    """Return every table of verification that anything was measured for, the EER first."""
    tables = [eer_table(view), condition_table(view), operating_table(view), pooled_table(view)]
    return [table for table in tables if table]


def eer_table(view: View) -> Table | None:
    """Lay out the equal error rate by model and range; None without any."""
    columns = range_columns(view, "eer")
    return _eer_table(view, columns, caption=f"Equal error rate by model{and_range(columns)}")


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
    return _eer_table(view, columns, caption="Equal error rate by model and condition")


def _eer_table(view: View, columns: Columns, *, caption: str) -> Table | None:
    models = view.models("eer")
    if not models:
        return None
    rows = []
    for model in models:
        values = [view.get(model, "eer", subset=subset) for _, _, subset in columns]
        cells = [rate_cell(value, empty=TOO_SMALL) for value in values]
        rows.append(Row(view.looks[model].label, cells, look=view.looks[model]))
    return Table(
        caption=f"{caption}, {view.label}",
        head=ALIGNED_BY,
        columns=[title for _, title, _ in columns],
        bodies=[Body(rows)],
        groups=column_groups(columns),
        notes=[joined([MATCHED, INTERVALS if any_detail(rows) else ""])],
    )


def operating_table(view: View) -> Table | None:
    """Lay out true accept rates at fixed false match rates and rank-1, by range; None without.

    Where there are too few impostor comparisons to place a rate, the cell says how many it takes.
    """
    rates = [(rate, f"TAR at FMR {percent(rate)}") for rate in view.abscissas("tar_at_far")]
    models = view.models("tar_at_far", "rank1")
    measured = view.subsets("tar_at_far", "rank1")
    subsets = [*view.ranges("tar_at_far", "rank1"), *(["all"] if "all" in measured else [])]
    if not models:
        return None
    bodies = []
    for subset in subsets or measured:
        rows = [
            Row(view.looks[m].label, _operating_cells(view, m, subset), look=view.looks[m])
            for m in models
        ]
        bodies.append(Body(rows, title=subset_label(subset)))
    return Table(
        caption=f"Operating points and identification, {view.label}",
        head=ALIGNED_BY,
        columns=[*(title for _, title in rates), "Rank-1", "Comparisons"],
        bodies=bodies,
        compact=True,
        notes=[
            "TAR: share of genuine comparisons accepted at the false match rate (FMR). Where a "
            "fold has too few pairs of different people to place that rate, the cell says how many "
            "it takes and how many there are. Rank-1: share of probes whose own subject scores "
            f"highest. {INTERVALS}"
        ],
    )


def _operating_cells(view: View, model: str, subset: str) -> list[Cell]:
    rates = view.abscissas("tar_at_far")
    accepted = [view.get(model, "tar_at_far", subset=subset, at=rate) for rate in rates]
    needed = [view.get(model, "person_pairs_needed", subset=subset, at=rate) for rate in rates]
    cells = [
        rate_cell(value, empty=_too_few(pairs))
        for value, pairs in zip(accepted, needed, strict=True)
    ]
    first = view.get(model, "rank1", subset=subset)
    counted = next((value for value in accepted if value), None)
    count = Cell(number(counted.n)) if counted else Cell(MISSING, tone="missing")
    return [*cells, rate_cell(first), count]


def _too_few(pairs: Value | None) -> str:
    """Say what a rate takes and what a fold has: SUMMARY adds person pairs up over folds."""
    if pairs is None or not pairs.known:
        return TOO_SMALL
    return f"needs {number(pairs.value)}, has {number(round(pairs.n / pairs.folds))}"


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
        caption=f"Equal error rate of pooled scores, {view.label}",
        head=ALIGNED_BY,
        columns=[POOLED[metric] for _, metric in columns],
        bodies=[Body(rows)],
        groups=column_groups([(subset_label(s), metric, s) for s, metric in columns]),
        notes=[
            "Scores of different folds and gallery subjects share no scale. Mean over folds: each "
            "fold has a threshold of its own. Pooled: scores of all folds under one threshold. "
            "z-normalised: the same after every gallery subject’s scores were centred and scaled. "
            "Pooled rates have no interval."
        ],
        folded="Equal error rate of pooled scores",
    )
