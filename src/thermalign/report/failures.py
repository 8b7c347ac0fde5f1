"""Failures to enrol and to acquire, by their ISO/IEC 19795-1 names, and rates with and without."""

from thermalign.report.cells import Body, Row, Table, plain_cell, rate_cell
from thermalign.report.names import subset_label
from thermalign.report.people import verified
from thermalign.report.summary import View
from thermalign.report.tables import ALIGNED_BY, INTERVALS

WITH, WITHOUT = "With failures: FAR, FRR", "Without: FMR, FNMR"
COLUMNS = (
    ("", "FTE", "fte"),
    ("", "FTA", "fta"),
    (WITH, "EER", "eer"),
    (WITH, "AUC", "auc"),
    (WITH, "Rank-1", "rank1"),
    (WITHOUT, "EER", "eer_found"),
    (WITHOUT, "AUC", "auc_found"),
    (WITHOUT, "Rank-1", "rank1_found"),
)
"""Group, title and metric of every column."""

NONE_FAILED = (
    "Every test subject could be enrolled and every probe acquired, whichever points aligned it: "
    "failures to enrol and to acquire (FTE, FTA of ISO/IEC 19795-1) are 0, so that rates of "
    "accepts are rates of matches (FAR = FMR, FRR = FNMR)."
)


def failed(view: View) -> bool:
    """Tell whether any enrolment or acquisition failed."""
    return any(
        value.value > 0
        for metric in ("fte", "fta")
        for subset in view.subsets(metric)
        for value in view.known(metric, subset=subset).values()
    )


def failure_sentence(view: View) -> str:
    """Say that nothing failed; empty where something did, or where it is not known."""
    measured = view.models("fte") and view.models("fta")
    return NONE_FAILED if measured and not failed(view) else ""


def failure_tables(view: View) -> list[Table]:
    """Lay out FTE, FTA and rates with and without failures; none where nothing failed."""
    if not failed(view):
        return []
    whole = "all" if "all" in view.subsets("fta", "fte") else ""
    subsets = [s for s in view.ranges("fta", "fte") if s != whole]
    shown, folded = ([whole], subsets) if whole else (subsets, [])
    tables = [_table(view, shown, folded="")]
    if folded:
        tables.append(_table(view, folded, folded="Failures by range"))
    return [table for table in tables if table.bodies]


def _table(view: View, subsets: list[str], *, folded: str) -> Table:
    columns = [
        (group, title, metric)
        for group, title, metric in COLUMNS
        if any(view.known(metric, subset=subset) for subset in subsets)
    ]
    models = view.models("fta", "fte", "eer")
    groups: dict[str, int] = {}
    for group, _, _ in columns:
        groups[group] = groups.get(group, 0) + 1
    bodies = [
        Body(
            [
                Row(
                    view.looks[model].label,
                    [
                        (plain_cell if metric.startswith("auc") else rate_cell)(
                            view.get(model, metric, subset=subset)
                        )
                        for _, _, metric in columns
                    ],
                    look=view.looks[model],
                )
                for model in models
            ],
            title=subset_label(subset),
        )
        for subset in subsets
    ]
    return Table(
        caption=f"Failures, and rates with and without them, {verified(view)}",
        head=ALIGNED_BY,
        columns=[title for _, title, _ in columns],
        bodies=bodies,
        groups=list(groups.items()),
        notes=[
            "Terms of ISO/IEC 19795-1. FTE, failure to enrol: test subjects without a usable "
            "gallery image. FTA, failure to acquire: probes without a usable aligned face, because "
            "no face was found or its points cannot be aligned. With failures, such a probe "
            "matches nobody, and a probe of a subject who is not enrolled counts as missed at "
            f"every rank; without, only enrolled subjects and acquired probes count. {INTERVALS}"
        ],
        folded=folded,
    )
