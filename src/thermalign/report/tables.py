"""The tables of landmark error, and how tables are laid out by range."""

from thermalign.report.cells import (
    MISSING,
    Body,
    Cell,
    Row,
    Table,
    fraction,
    interval,
    plain_cell,
    rate_cell,
)
from thermalign.report.names import subset_label, subset_parts
from thermalign.report.paper import NOTES, SPREAD, Published, protocol_number, published
from thermalign.report.summary import Value, View, by_number

Columns = list[tuple[str, str, str]]
"""Group, title and subset of every column."""

ALIGNED_BY = "Probe aligned by"
INTERVALS = "Brackets: 95 % interval of a bootstrap over subjects."

NEAREST = "nearest patch centre"
REACH = (
    "Nearest patch centre: the NMSE if every point were the centre on the detector’s grid that is "
    "nearest to the annotated point. No choice among the patches gets below it (reach); what the "
    "detector’s own NMSE has above it is error in choosing."
)

SUMMARIES = (
    ("failure_at", "Share of images not below"),
    ("ced_auc", "Area under the CED up to"),
)
"""Metric of a threshold, and its title."""

NORMALISED = (
    ("nmse_box_diagonal", "box diagonal"),
    ("nmse_box_size", "root of box area"),
    ("nmse_eye_mouth", "eyes to mouth"),
)
"""Mean distance over something else than the interocular distance: metric and its title."""


def range_columns(view: View, metric: str) -> Columns:
    """Return the columns of a table by range, as the paper lays them out.

    A protocol with several volumes has a column for every range of each volume, because a volume
    recorded at one range only would otherwise change that range's figure and no other's.
    """
    columns: Columns = []
    subsets = by_number(view.subsets(metric))
    inside = {s: subset_parts(s)["volume"] for s in subsets if "volume" in subset_parts(s)}
    volumes = list(dict.fromkeys(inside.values()))
    for volume in volumes if len(volumes) > 1 else []:
        crossed = [s for s, v in inside.items() if v == volume and "range" in subset_parts(s)]
        titled = [(last_part(s), s) for s in crossed] or [("All ranges", f"volume={volume}")]
        columns += [(f"Volume {volume}", title, subset) for title, subset in titled]
    if not columns:
        columns += [("", subset_label(s), s) for s in view.ranges(metric)]
    if "all" in subsets or not columns:
        title = "Average" if columns and metric == "nmse" else "All images"
        columns.append(("All volumes" if columns and columns[0][0] else "", title, "all"))
    return columns


def nmse_table(view: View) -> Table | None:
    """Lay out NMSE by model and range, each over what the paper printed; None without any."""
    models = view.models("nmse")
    if not models:
        return None
    columns = range_columns(view, "nmse")
    lowest = {subset: _lowest(view, subset) for _, _, subset in columns}
    rows = []
    for model in models:
        look = view.looks[model]
        cells = [_nmse_cell(view, model, s, best=model in lowest[s]) for _, _, s in columns]
        rows.append(Row(look.label, cells, look=look))
        printed = [published(view.protocol, model, subset=s) for _, _, s in columns]
        if any(printed):
            rows.append(Row("in the paper", [_paper_cell(p) for p in printed], tone="muted"))
        nearest = [view.get(model, "nmse_best_cell", subset=s) for _, _, s in columns]
        if any(value and value.known for value in nearest):
            rows.append(Row(NEAREST, [_bare_cell(v) for v in nearest], tone="muted"))
    quoted = any(row.head == "in the paper" for row in rows)
    reaches = any(row.head == NEAREST for row in rows)
    notes = [
        "NMSE: mean distance between predicted and annotated points, divided by the interocular "
        "distance (not squared).",
        "± is the standard deviation over images." if view.models("nmse_sd") else "",
        INTERVALS if any_detail(rows) else "",
        "Bold: lowest of its column." if any(lowest.values()) else "",
    ]
    return Table(
        caption=f"NMSE by model{and_range(columns)}, {view.label}",
        head="Model",
        columns=[title for _, title, _ in columns],
        bodies=[Body(rows)],
        groups=column_groups(columns),
        notes=[
            joined(notes),
            *([REACH] if reaches else []),
            *_paper_notes(view.protocol, quoted=quoted),
        ],
    )


def detail_table(view: View) -> Table | None:
    """Lay out NMSE by landmark and condition, and how many faces were missed; None without any."""
    columns: Columns = [
        (column.capitalize(), last_part(subset), subset)
        for column in ("landmark", "condition")
        for subset in view.subsets("nmse")
        if set(subset_parts(subset)) == {column}
    ]
    missed = view.models("failure_rate")
    models = view.models("nmse", "failure_rate")
    if not columns and not missed:
        return None
    rows = []
    for model in models:
        cells = [_nmse_cell(view, model, s, best=False) for _, _, s in columns]
        cells += [rate_cell(view.get(model, "failure_rate", subset="all"))] if missed else []
        rows.append(Row(view.looks[model].label, cells, look=view.looks[model]))
    columns += [("Faces", "not found", "all")] if missed else []
    notes = [
        INTERVALS if any_detail(rows) else "",
        "A face that was not found has no NMSE." if missed else "",
    ]
    return Table(
        caption=f"NMSE by landmark and condition, and faces not found, {view.label}",
        head="Model",
        columns=[title for _, title, _ in columns],
        bodies=[Body(rows)],
        groups=column_groups(columns),
        notes=[joined(notes)] if any(notes) else [],
    )


def summary_table(view: View) -> Table | None:
    """Lay out other summaries of landmark error by model and range, folded; None without any."""
    columns: list[tuple[str, str, str, float]] = [
        (title, fraction(at, digits=2), metric, at)
        for metric, title in SUMMARIES
        for at in view.abscissas(metric)
    ]
    columns += [
        ("Mean distance over", title, metric, 0.0)
        for metric, title in NORMALISED
        if view.models(metric)
    ]
    metrics = tuple(dict.fromkeys(metric for *_, metric, _ in columns))
    measured = view.subsets(*metrics)
    subsets = [*view.ranges(*metrics), *(s for s in measured if s == "all")] or measured
    if not subsets:
        return None
    bodies = [
        Body(
            [
                Row(
                    view.looks[model].label,
                    [_summary_cell(view, model, m, subset, at) for *_, m, at in columns],
                    look=view.looks[model],
                )
                for model in view.models(*metrics)
            ],
            title=subset_label(subset),
        )
        for subset in subsets
    ]
    return Table(
        caption=f"Landmark error summed up in other ways, {view.label}",
        head="Model",
        columns=[title for _, title, *_ in columns],
        bodies=bodies,
        groups=column_groups([(group, title, m) for group, title, m, _ in columns]),
        notes=[
            "Not below: NMSE at or above the threshold, or face not found. Area: under the "
            "cumulative error distribution up to the threshold, divided by it; 1 is best. Mean "
            "distance over the diagonal or the root of the area of the image’s face box, or over "
            "the way from the middle of the eyes to that of the mouth corners, as other papers "
            f"normalise. {INTERVALS}"
        ],
        folded="Failure rates, areas under the CED, other normalisations",
    )


def _summary_cell(view: View, model: str, metric: str, subset: str, at: float) -> Cell:
    value = view.get(model, metric, subset=subset, at=at)
    return rate_cell(value) if metric == "failure_at" else plain_cell(value)


def _paper_notes(protocol: str, *, quoted: bool) -> list[str]:
    number_there = protocol_number(protocol)
    return [SPREAD, NOTES[number_there]] if quoted and number_there else []


def any_detail(rows: list[Row]) -> bool:
    """Tell whether any cell has a second line."""
    return any(cell.detail for row in rows for cell in row.cells)


def joined(sentences: list[str]) -> str:
    """Join the sentences that say anything."""
    return " ".join(sentence for sentence in sentences if sentence)


def and_range(columns: Columns) -> str:
    """Return what a caption adds where there are columns by range."""
    return " and range" if len(columns) > 1 else ""


def last_part(subset: str) -> str:
    """Spell the last column of a subset: Range 2 of ``volume=1&range=2``."""
    return subset_label(subset.rpartition("&")[2])


def column_groups(columns: Columns) -> list[tuple[str, int]]:
    """Join neighbouring columns of one group; none where no column has a group."""
    groups: list[tuple[str, int]] = []
    for group, _, _ in columns:
        if groups and groups[-1][0] == group:
            groups[-1] = (group, groups[-1][1] + 1)
        else:
            groups.append((group, 1))
    return groups if any(title for title, _ in groups) else []


def _lowest(view: View, subset: str) -> set[str]:
    """Return the models whose printed NMSE no other undercuts; none without a contest."""
    printed = {m: fraction(value.value) for m, value in view.known("nmse", subset=subset).items()}
    least = min(view.known("nmse", subset=subset).values(), key=lambda v: v.value, default=None)
    if least is None or len(printed) < 2:
        return set()
    return {model for model, text in printed.items() if text == fraction(least.value)}


def _nmse_cell(view: View, model: str, subset: str, *, best: bool) -> Cell:
    value = view.get(model, "nmse", subset=subset)
    if value is None or not value.known:
        return Cell(MISSING, tone="missing")
    spread = view.get(model, "nmse_sd", subset=subset)
    plus_minus = f" ± {fraction(spread.value)}" if spread and spread.known else ""
    return Cell(fraction(value.value) + plus_minus, interval(value), "best" if best else "")


def _bare_cell(value: Value | None) -> Cell:
    return Cell(fraction(value.value)) if value and value.known else Cell(MISSING, tone="missing")


def _paper_cell(figure: Published | None) -> Cell:
    if figure is None:
        return Cell("")
    return Cell(f"{fraction(figure.nmse)} ± {fraction(figure.spread, digits=2)}")
