"""Landmark error: tables of NMSE, its distribution drawn, other summaries, attributes of people."""

from matplotlib.ticker import FuncFormatter

from thermalign.report.cells import (
    MISSING,
    Body,
    Cell,
    Row,
    Table,
    fraction,
    interval,
    percent,
    plain_cell,
    rate_cell,
)
from thermalign.report.figures import Curve, Looks, Panel, curve_subsets, draw, one_axes
from thermalign.report.names import slug, subset_label, subset_parts
from thermalign.report.paper import NOTES, SPREAD, Published, protocol_number, published
from thermalign.report.summary import Value, View
from thermalign.report.svg import style, to_svg
from thermalign.report.tables import (
    INTERVALS,
    Columns,
    and_range,
    any_detail,
    column_groups,
    joined,
    last_part,
    range_columns,
)

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


def ced_panels(view: View) -> list[Panel]:
    """Draw the cumulative error distributions: all images, then every range and volume."""
    panels = []
    for subset in curve_subsets(view, "ced"):
        curves = view.curves("ced", subset=subset)
        alt = (
            f"Cumulative error distribution, {view.label}, {subset_label(subset)}: share of images "
            f"over the NMSE they stay below. {_spoken(curves, view.looks)}"
        )
        with style():
            figure, axes = one_axes()
            for model, points in curves.items():
                draw(axes, points, look=view.looks[model])
            end = max(at for points in curves.values() for at, _ in points)
            axes.set(xlim=(0, end), ylim=(0, 1.02), xlabel="NMSE", ylabel="Images below")
            axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: fraction(v, digits=2)))
            key = f"ced-{slug(view.protocol)}-{slug(subset)}"
            panels.append(Panel(subset_label(subset), to_svg(figure, key=key, alt=alt)))
    return panels


def _spoken(curves: dict[str, Curve], looks: Looks) -> str:
    parts = []
    for model, points in curves.items():
        at, value = points[len(points) // 4]
        parts.append(f"{looks[model].label} {percent(value.value)} below {fraction(at, digits=2)}")
    return "; ".join(parts) + "."
