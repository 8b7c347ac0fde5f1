"""The result tables: landmark error, verification, paired differences."""

from collections.abc import Callable, Iterable

import pandas as pd

from thermalign.report.cells import (
    MISSING,
    Body,
    Cell,
    Row,
    Table,
    fraction,
    interval,
    number,
    percent,
    rate_cell,
)
from thermalign.report.differences import difference_table
from thermalign.report.names import Look, protocol_label, subset_label, subset_parts
from thermalign.report.paper import NOTES, Published, protocol_number, published
from thermalign.report.summary import Summary, Value, by_number

__all__ = [
    "detail_table",
    "difference_tables",
    "eer_table",
    "nmse_table",
    "operating_table",
    "range_columns",
]

Looks = dict[str, Look]
Columns = list[tuple[str, str, str]]
"""Group, title and subset of every column."""

TOO_SMALL = "n too small"


def range_columns(summary: Summary, protocol: str, metric: str) -> Columns:
    """Return the columns of a table by range, as the paper lays them out.

    A protocol with several volumes has a column for every range of each volume, because a volume
    recorded at one range only would otherwise change that range's figure and no other's.
    """
    subsets = summary.subsets(protocol, metric)
    volumes = by_number(s for s in subsets if set(subset_parts(s)) == {"volume"})
    columns: Columns = []
    if len(volumes) > 1:
        for volume in volumes:
            inside = by_number(
                s for s in subsets if s.startswith(f"{volume}&") and len(subset_parts(s)) == 2
            )
            group = subset_label(volume)
            columns += [(group, _last(s), s) for s in inside if "range" in subset_parts(s)] or [
                (group, "All ranges", volume)
            ]
    else:
        ranges = summary.ranges(protocol, metric)
        columns += [("", subset_label(s), s) for s in ranges] if len(ranges) > 1 else []
    average = "Average" if columns else "All images"
    if "all" in subsets or not columns:
        columns.append(("All" if len(volumes) > 1 else "", average, "all"))
    return columns


def nmse_table(summary: Summary, protocol: str, looks: Looks) -> Table | None:
    """Lay out NMSE by model and range, each over what the paper printed; None without any."""
    columns = range_columns(summary, protocol, "nmse")
    models = _models(looks, summary.models_with(protocol, "nmse"))
    if not models:
        return None
    best = {subset: _lowest(summary, protocol, models, subset) for _, _, subset in columns}
    rows, quoted = [], False
    for model in models:
        cells = [
            _nmse_cell(summary, protocol, model, subset, best=model in best[subset])
            for _, _, subset in columns
        ]
        rows.append(Row(looks[model].label, cells, look=looks[model]))
        printed = [published(protocol, model, subset) for _, _, subset in columns]
        if any(printed):
            quoted = True
            cells = [_published_cell(figure) for figure in printed]
            rows.append(Row("in the paper", cells, tone="muted"))
    notes = [
        "NMSE: mean distance between predicted and annotated points, divided by the interocular "
        "distance (not squared). ± is the standard deviation of the error, brackets are the 95 % "
        "interval of a bootstrap over subjects. Bold: lowest of its column."
    ]
    paper = NOTES.get(protocol_number(protocol) or 0, "")
    return Table(
        caption=f"NMSE by model and range, {protocol_label(protocol)}",
        head="Model",
        columns=[title for _, title, _ in columns],
        bodies=[Body(rows)],
        groups=_groups(columns),
        notes=[*notes, *([paper] if quoted and paper else [])],
    )


def detail_table(summary: Summary, protocol: str, looks: Looks) -> Table | None:
    """Lay out NMSE by landmark and condition, and the share of failures; None without either."""
    subsets = [s for s in summary.subsets(protocol, "nmse") if len(subset_parts(s)) == 1]
    columns: Columns = [
        (group, _last(subset), subset)
        for group, column in (("Landmark", "landmark"), ("Condition", "condition"))
        for subset in subsets
        if column in subset_parts(subset)
    ]
    models = _models(looks, summary.models_with(protocol, "nmse"))
    limits = summary.abscissas("failure_rate") if models else []
    if not models or not (columns or limits):
        return None
    rows = []
    for model in models:
        cells = [
            _nmse_cell(summary, protocol, model, subset, best=False) for _, _, subset in columns
        ]
        cells += [
            rate_cell(summary.get(protocol, model, "all", "failure_rate", at=limit))
            for limit in limits
        ]
        rows.append(Row(looks[model].label, cells, look=looks[model]))
    failures: Columns = [("Failures", f"above {fraction(limit, digits=2)}", "") for limit in limits]
    return Table(
        caption=f"NMSE by landmark and condition, and failures, {protocol_label(protocol)}",
        head="Model",
        columns=[title for _, title, _ in [*columns, *failures]],
        bodies=[Body(rows)],
        groups=_groups([*columns, *failures]),
        notes=["A face that a model did not find counts as a failure."] if limits else [],
    )


def eer_table(summary: Summary, protocol: str, looks: Looks) -> Table | None:
    """Lay out the equal error rate by model and range; None without any."""
    columns = range_columns(summary, protocol, "eer")
    models = _models(looks, summary.models_with(protocol, "eer"))
    if not models:
        return None
    rows = [
        Row(
            looks[model].label,
            [
                rate_cell(summary.get(protocol, model, subset, "eer"), empty=TOO_SMALL)
                for _, _, subset in columns
            ],
            look=looks[model],
        )
        for model in models
    ]
    return Table(
        caption=f"Equal error rate by model and range, {protocol_label(protocol)}",
        head="Points that align the probe",
        columns=[title for _, title, _ in columns],
        bodies=[Body(rows)],
        groups=_groups(columns),
        notes=[
            "Mean over folds; brackets are the 95 % interval of a bootstrap over subjects. Gallery "
            "and matcher are the same in every row: only the probe’s points differ."
        ],
    )


def operating_table(summary: Summary, protocol: str, looks: Looks) -> Table | None:
    """Lay out true accept rates at fixed false match rates and rank-1, by range; None without."""
    rates = summary.abscissas("tar_at_far")
    models = summary.models_with(protocol, "tar_at_far") | summary.models_with(protocol, "rank1")
    known = {s for m in ("tar_at_far", "rank1") for s in summary.subsets(protocol, m)}
    ranges = [
        s for s in summary.ranges(protocol, "rank1") or summary.ranges(protocol, "tar_at_far")
    ]
    subsets = [*(ranges if len(ranges) > 1 else []), *(["all"] if "all" in known else [])] or ranges
    if not models or not subsets:
        return None
    bodies = [
        Body(
            [_operating_row(summary, protocol, m, s, rates, looks) for m in _models(looks, models)],
            title=subset_label(s),
        )
        for s in subsets
    ]
    return Table(
        caption=f"Operating points and identification, {protocol_label(protocol)}",
        head="Points that align the probe",
        columns=[*(f"TAR at FMR {percent(r)}" for r in rates), "Rank-1", "Comparisons"],
        bodies=bodies,
        notes=[
            "TAR: share of genuine comparisons accepted at the false match rate (FMR). "
            f"“{TOO_SMALL}”: too few impostor comparisons to place that rate."
        ],
    )


def difference_tables(frame: pd.DataFrame, protocol: str, looks: Looks) -> list[Table]:
    """Lay out paired differences: first the main subset of each metric, the others folded away."""
    mine = frame[frame["protocol"] == protocol]
    shown: list[tuple[str, pd.DataFrame]] = []
    folded: list[tuple[str, pd.DataFrame]] = []
    for metric, name in (("nmse", "NMSE"), ("eer", "Equal error rate")):
        rows = mine[mine["metric"] == metric]
        subsets = by_number(dict.fromkeys(str(s) for s in rows["subset"]))
        main = _main_subset(metric, subsets)
        for subset in subsets:
            part = (f"{name}, {subset_label(subset)}", rows[rows["subset"] == subset])
            (shown if subset == main else folded).append(part)
    label = protocol_label(protocol)
    tables = [difference_table(f"Paired differences, {label}", shown, looks)] if shown else []
    if folded:
        caption = f"Paired differences by subset, {label}"
        line = f"All other subsets ({len(folded)})"
        tables.append(difference_table(caption, folded, looks, folded=line))
    return tables


def _main_subset(metric: str, subsets: list[str]) -> str:
    wanted = "range=1" if metric == "eer" else "all"
    return next((s for s in (wanted, "all") if s in subsets), subsets[0] if subsets else "")


def _models(looks: Looks, wanted: Iterable[str]) -> list[str]:
    wanted = set(wanted)
    return [model for model in looks if model in wanted]


def _last(subset: str) -> str:
    return subset_label(subset.rpartition("&")[2])


def _groups(columns: Columns) -> list[tuple[str, int]]:
    groups: list[tuple[str, int]] = []
    for group, _, _ in columns:
        if groups and groups[-1][0] == group:
            groups[-1] = (group, groups[-1][1] + 1)
        else:
            groups.append((group, 1))
    return groups if any(title for title, _ in groups) else []


def _lowest(summary: Summary, protocol: str, models: list[str], subset: str) -> set[str]:
    found = {m: v.value for m in models if (v := summary.get(protocol, m, subset, "nmse"))}
    known = {m: fraction(value) for m, value in found.items() if value == value}
    least = min((found[m] for m in known), default=None)
    return {m for m in known if len(known) > 1 and known[m] == fraction(least or 0.0)}


def _nmse_cell(summary: Summary, protocol: str, model: str, subset: str, *, best: bool) -> Cell:
    value = summary.get(protocol, model, subset, "nmse")
    if value is None or not value.known:
        return Cell(MISSING, tone="missing")
    spread = summary.get(protocol, model, subset, "nmse_sd")
    text = fraction(value.value)
    if spread is not None and spread.known:
        text += f" ± {fraction(spread.value)}"
    return Cell(text, interval(value), "best" if best else "")


def _published_cell(figure: Published | None) -> Cell:
    if figure is None:
        return Cell("")
    return Cell(f"{fraction(figure.nmse)} ± {fraction(figure.spread, digits=2)}")


def _operating_row(
    summary: Summary, protocol: str, model: str, subset: str, rates: list[float], looks: Looks
) -> Row:
    def get(metric: str, at: float | None = None) -> Value | None:
        return summary.get(protocol, model, subset, metric, at=at)

    cells = [rate_cell(get("tar_at_far", rate), empty=TOO_SMALL) for rate in rates]
    cells.append(rate_cell(get("rank1")))
    counted = next((v for v in (get("tar_at_far", r) for r in rates) if v), None) or get("eer")
    cells.append(Cell(number(counted.n)) if counted else Cell(MISSING, tone="missing"))
    return Row(looks[model].label, cells, look=looks[model])
