"""Operating points: rates at fixed and at preset thresholds, areas, d′, pooled scores."""

from thermalign.catalogue import further_metrics
from thermalign.report.blocks import Body, Cell, Chapter, Part, Row, Table
from thermalign.report.layout import (
    ALIGNED_BY,
    INTERVALS,
    column_groups,
    further_table,
    model_row,
    people_words,
    plain_cell,
    range_columns,
    rate_cell,
)
from thermalign.report.study import Study
from thermalign.report.views import Value, View
from thermalign.report.words import MISSING, number, percent, subset_label
from thermalign.schemas.keys import ALL, Subset

RULES = (
    "Impostor comparisons of the same two people are no independent trials, so person pairs are "
    "counted: ordered pairs of different people, probe to gallery, in a fold. Rule of 30: a rate "
    "is shown where that many pairs let 30 errors be expected. Rule of 3: where not one error is "
    "seen in N pairs, the rate may still be as high as 3 / N, with 95 % confidence."
)
PRESET = (
    "A threshold that works in the field is set before its users are seen: here on scores of "
    "training people against each other, once for equal errors and once for every false match rate "
    "(FMR) that their number can show, and then kept. FNMR: false non-match rate. The EER beside "
    "them sets its threshold on the test scores themselves, which no system in use can. "
)
BOTH = "FMR, FNMR: acquired probes; FAR, FRR: failures to acquire count as rejected. "

POOLED = {"eer": "mean over folds", "eer_pooled": "pooled", "eer_pooled_z": "pooled, z"}
"""Metric to the title of its column."""

SEPARATION = (
    ("auc", "Area under the ROC curve (AUC)", 3),
    ("auc_found", "AUC, without failures to acquire", 3),
    ("d_prime", "d′", 2),
)
"""Metric, its name, and digits after the point."""


def chapter(study: Study) -> Chapter | None:
    """Lay out the operating points, a part per protocol; None where none was measured.

    It reads SUMMARY: tar_at_far, rank1 and what they rest on, fmr, fnmr, far and frr of thresholds
    set on training subjects, auc, d_prime, eer and its pooled forms; and further metrics of
    scores by their names.
    """
    parts = []
    for view in study.views:
        tables = [
            operating_table(view),
            *threshold_tables(view),
            separation_table(view),
            pooled_table(view),
            scores_table(study, view),
        ]
        shown = [table for table in tables if table]
        if shown:
            parts.append(Part(view.label, shown, view.protocol.name))
    return Chapter("operating", "Operating points", parts) if parts else None


def operating_table(view: View) -> Table | None:
    """Lay out true accept rates at fixed false accept rates and rank-1, by range; None without.

    Beside them stand the person pairs that they rest on; a rate with too few says what it takes.
    Columns of SUMMARY: tar_at_far, rank1, people, person_pairs, person_pairs_needed.
    """
    rates = view.abscissas("tar_at_far")
    models = view.models("tar_at_far", "rank1")
    measured = view.subsets("tar_at_far", "rank1")
    subsets = [*view.ranges("tar_at_far", "rank1"), *([ALL] if ALL in measured else [])]
    if not models:
        return None
    bodies = [
        Body(
            [model_row(view, model, _cells(view, model, subset)) for model in models],
            title="; ".join(filter(None, [subset_label(subset), people_words(view, subset)])),
        )
        for subset in subsets or measured
    ]
    return Table(
        caption=f"Operating points and identification, {view.verified}",
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


def _needed(view: View, subset: Subset, rate: float) -> list[Value]:
    found = (view.get(m, "person_pairs_needed", subset, at=rate) for m in view.looks)
    return [value for value in found if value and value.known]


def _cells(view: View, model: str, subset: Subset) -> list[Cell]:
    has = view.get(model, "person_pairs", subset)
    cells = []
    for rate in view.abscissas("tar_at_far"):
        takes = view.get(model, "person_pairs_needed", subset, at=rate)
        value = view.get(model, "tar_at_far", subset, at=rate)
        cells.append(rate_cell(value, empty=too_few(takes, has)))
    return [*cells, rate_cell(view.get(model, "rank1", subset))]


def too_few(needed: Value | None, pairs: Value | None) -> str:
    """Say how many person pairs a rate takes, and how many there are."""
    if needed is None or not needed.known:
        return "n too small"
    has = f", has {number(pairs.value)}" if pairs and pairs.known else ""
    return f"needs {number(needed.value)} person pairs{has}"


def threshold_tables(view: View) -> list[Table]:
    """Lay out error rates at thresholds set on training subjects, beside the EER; by range folded.

    None without any. Columns of SUMMARY: fmr, fnmr, far, frr and fmr_bound at their target ``at``.
    """
    measured, ranges = view.subsets("fmr"), view.ranges("fmr")
    first = [ALL] if ALL in measured else (ranges or measured)
    rest = [s for s in ranges if s not in first]
    folded = "Thresholds set on training subjects, by range"
    return [
        *([_thresholds(view, first)] if first else []),
        *([_thresholds(view, rest, folded=folded)] if rest else []),
    ]


def _thresholds(view: View, subsets: list[Subset], *, folded: str = "") -> Table:
    targets = view.abscissas("fmr")
    kinds, pair = [("", ("fmr", "fnmr"))], ["FMR", "FNMR"]
    if view.failed:
        kinds = [("FMR, FNMR", ("fmr", "fnmr")), ("FAR, FRR", ("far", "frr"))]
        pair = ["FMR, FAR", "FNMR, FRR"]
    bodies = [
        Body(
            [
                model_row(view, m, _threshold_cells(view, m, subset, targets, metrics))
                for m in view.models("fmr")
            ],
            title=", ".join(filter(None, [subset_label(subset), names])),
        )
        for subset in subsets
        for names, metrics in kinds
    ]
    return Table(
        caption="Error rates of test subjects at thresholds set on training subjects, "
        f"{view.verified}",
        head=ALIGNED_BY,
        columns=["EER", *pair * len(targets)],
        bodies=bodies,
        groups=[("A posteriori", 1), *((_target(target), 2) for target in targets)],
        notes=[PRESET + (BOTH if view.failed else "") + INTERVALS],
        folded=folded,
    )


def _target(target: float) -> str:
    return f"Set for FMR {percent(target)}" if target else "Set for equal errors"


def _threshold_cells(
    view: View, model: str, subset: Subset, targets: list[float], metrics: tuple[str, str]
) -> list[Cell]:
    eer = "eer_found" if metrics[0] == "fmr" and view.models("eer_found") else "eer"
    cells = [rate_cell(view.get(model, eer, subset))]
    for target in targets:
        false, missed = (view.get(model, metric, subset, at=target) for metric in metrics)
        bound = view.get(model, "fmr_bound", subset, at=target)
        cells += [_false_cell(false, bound), rate_cell(missed)]
    return cells


def _false_cell(value: Value | None, bound: Value | None) -> Cell:
    """Show a false match rate; where none was seen, how high it may be all the same."""
    if bound and bound.known and value and value.known:
        return Cell(percent(value.value), f"at most {percent(bound.value)}", value=value)
    return rate_cell(value, empty="too few pairs")


def separation_table(view: View) -> Table | None:
    """Lay out areas under ROC curves and d′ by model and range, folded; None without any.

    Columns of SUMMARY: auc, auc_found, d_prime.
    """
    columns = range_columns(view, "eer")
    bodies = []
    for metric, title, digits in SEPARATION:
        rows = [
            model_row(
                view,
                model,
                [plain_cell(view.get(model, metric, s), digits=digits) for *_, s in columns],
            )
            for model in view.models(metric)
        ]
        if rows and (metric != "auc_found" or view.failed):
            bodies.append(Body(rows, title=title))
    if not bodies:
        return None
    return Table(
        caption=f"How far genuine and impostor scores lie apart, {view.verified}",
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
    """Lay out the EER of pooled scores beside the mean over folds; None where none is pooled.

    Columns of SUMMARY: eer, eer_pooled, eer_pooled_z.
    """
    models = view.models("eer_pooled", "eer_pooled_z")
    measured = view.subsets("eer_pooled", "eer_pooled_z")
    subsets = [*view.ranges("eer_pooled", "eer_pooled_z"), *(s for s in measured if s == ALL)]
    if not models:
        return None
    columns = [(s, metric) for s in subsets or measured for metric in POOLED]
    return Table(
        caption=f"Equal error rate of pooled scores, {view.verified}",
        head=ALIGNED_BY,
        columns=[POOLED[metric] for _, metric in columns],
        bodies=[Body([_pooled_row(view, model, columns) for model in models])],
        groups=column_groups([(subset_label(s), metric, s) for s, metric in columns]),
        notes=[
            "Scores of different folds and gallery subjects share no scale. Mean over folds: each "
            "fold has a threshold of its own. Pooled: scores of all folds under one threshold. "
            "Pooled, z: after z-normalisation, which centres and scales the scores of each gallery "
            "subject. Pooled rates have no interval."
        ],
        folded="Equal error rate of pooled scores",
    )


def scores_table(study: Study, view: View) -> Table | None:
    """Lay out the further metrics of comparisons that the study names; None without any."""
    known = further_metrics("of_scores")
    return further_table(
        view,
        [name for name in study.setup.metrics if name in known],
        caption=f"Further measures of verification, {view.verified}",
        head=ALIGNED_BY,
        note="Of the scores of all comparisons; a face that was not aligned scores lowest.",
    )


def _pooled_row(view: View, model: str, columns: list[tuple[Subset, str]]) -> Row:
    values = [view.get(model, metric, subset) for subset, metric in columns]
    cells = [
        Cell(percent(v.value), value=v) if v else Cell(MISSING, tone="missing") for v in values
    ]
    return model_row(view, model, cells)
