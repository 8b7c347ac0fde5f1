"""The tables of verification and identification."""

from dataclasses import replace

from thermalign.report.cells import (
    MISSING,
    Body,
    Cell,
    Row,
    Table,
    number,
    percent,
    plain_cell,
    rate_cell,
)
from thermalign.report.chapters.people import OPEN, people_words, verified
from thermalign.report.names import READINGS, subset_label, subset_parts
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


RULES = (
    "Impostor comparisons of the same two people are no independent trials, so person pairs are "
    "counted: ordered pairs of different people, probe to gallery, in a fold. Rule of 30: a rate "
    "is shown where that many pairs let 30 errors be expected. Rule of 3: where not one error is "
    "seen in N pairs, the rate may still be as high as 3 / N, with 95 % confidence."
)


def operating_table(view: View) -> Table | None:
    """Lay out true accept rates at fixed false accept rates and rank-1, by range; None without.

    Beside them stand the person pairs that they rest on; a rate with too few says what it takes.
    """
    rates = view.abscissas("tar_at_far")
    models = view.models("tar_at_far", "rank1")
    measured = view.subsets("tar_at_far", "rank1")
    subsets = [*view.ranges("tar_at_far", "rank1"), *(["all"] if "all" in measured else [])]
    if not models:
        return None
    bodies = [
        Body(
            [Row(view.looks[m].label, _cells(view, m, subset), look=view.looks[m]) for m in models],
            title="; ".join(filter(None, [subset_label(subset), people_words(view, subset)])),
        )
        for subset in subsets or measured
    ]
    return Table(
        caption=f"Operating points and identification, {verified(view)}",
        head=ALIGNED_BY,
        columns=[*(_title(view, rate) for rate in rates), "Rank-1"],
        bodies=bodies,
        compact=True,
        notes=[
            "TAR: share of genuine comparisons accepted at a false accept rate (FAR) on the test "
            "scores themselves. Rank-1: share of probes whose own subject scores highest. "
            f"{INTERVALS}",
            *([RULES] if view.models("person_pairs") else []),
        ],
    )


def _title(view: View, rate: float) -> str:
    needed = [v for s in view.subsets("person_pairs_needed") for v in _needed(view, s, rate)]
    takes = f", needs {number(needed[0].value)} pairs" if needed else ""
    return f"TAR at FAR {percent(rate)}{takes}"


def _needed(view: View, subset: str, rate: float) -> list[Value]:
    found = (view.get(m, "person_pairs_needed", subset=subset, at=rate) for m in view.looks)
    return [value for value in found if value and value.known]


def _cells(view: View, model: str, subset: str) -> list[Cell]:
    has = view.get(model, "person_pairs", subset=subset)
    cells = []
    for rate in view.abscissas("tar_at_far"):
        takes = view.get(model, "person_pairs_needed", subset=subset, at=rate)
        value = view.get(model, "tar_at_far", subset=subset, at=rate)
        cells.append(rate_cell(value, empty=too_few(takes, has)))
    return [*cells, rate_cell(view.get(model, "rank1", subset=subset))]


def too_few(needed: Value | None, pairs: Value | None) -> str:
    """Say how many person pairs a rate takes, and how many there are."""
    if needed is None or not needed.known:
        return "n too small"
    has = f", has {number(pairs.value)}" if pairs and pairs.known else ""
    return f"needs {number(needed.value)} person pairs{has}"


def threshold_tables(view: View) -> list[Table]:
    """Lay out error rates at thresholds set on training subjects, beside the EER; by range folded.

    None without any.
    """
    measured = view.subsets("fmr")
    ranges = view.ranges("fmr")
    first = ["all"] if "all" in measured else (ranges or measured)
    rest = [s for s in ranges if s not in first]
    tables = [_thresholds(view, first)] if first else []
    if rest:
        tables.append(
            _thresholds(view, rest, folded="Thresholds set on training subjects, by range")
        )
    return tables


def _thresholds(view: View, subsets: list[str], *, folded: str = "") -> Table:
    targets = view.abscissas("fmr")
    kinds = [("", ("fmr", "fnmr"))]
    if failed(view):
        kinds = [("FMR, FNMR", ("fmr", "fnmr")), ("FAR, FRR", ("far", "frr"))]
    bodies = []
    for subset in subsets:
        for names, metrics in kinds:
            rows = [_threshold_row(view, m, subset, targets, metrics) for m in view.models("fmr")]
            title = ", ".join(filter(None, [subset_label(subset), names]))
            bodies.append(Body(rows, title=title))
    pair = ["FMR, FAR", "FNMR, FRR"] if failed(view) else ["FMR", "FNMR"]
    groups = [_target(target) for target in targets]
    return Table(
        caption="Error rates of test subjects at thresholds set on training subjects, "
        f"{verified(view)}",
        head=ALIGNED_BY,
        columns=["EER", *pair * len(targets)],
        bodies=bodies,
        groups=[("A posteriori", 1), *((title, 2) for title in groups)],
        notes=[
            "A threshold that works in the field is set before its users are seen: here on scores "
            "of training people against each other, once for equal errors and once for every "
            "false match rate (FMR) that their number can show, and then kept. FNMR: false "
            "non-match rate. The EER beside them sets its threshold on the test scores "
            "themselves, which no system in use can. "
            + (
                "FMR, FNMR: acquired probes; FAR, FRR: failures to acquire count as rejected. "
                if failed(view)
                else ""
            )
            + INTERVALS
        ],
        folded=folded,
    )


def _target(target: float) -> str:
    return f"Set for FMR {percent(target)}" if target else "Set for equal errors"


def _threshold_row(
    view: View, model: str, subset: str, targets: list[float], metrics: tuple[str, str]
) -> Row:
    eer = "eer_found" if metrics[0] == "fmr" and view.models("eer_found") else "eer"
    cells = [rate_cell(view.get(model, eer, subset=subset))]
    for target in targets:
        false, missed = (view.get(model, metric, subset=subset, at=target) for metric in metrics)
        bound = view.get(model, "fmr_bound", subset=subset, at=target)
        cells += [_false_cell(false, bound), rate_cell(missed)]
    return Row(view.looks[model].label, cells, look=view.looks[model])


def _false_cell(value: Value | None, bound: Value | None) -> Cell:
    """Show a false match rate; where none was seen, how high it may be all the same."""
    if bound and bound.known and value and value.known:
        return Cell(percent(value.value), f"at most {percent(bound.value)}")
    return rate_cell(value, empty="too few pairs")


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
