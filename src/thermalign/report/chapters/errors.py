"""Landmark error: NMSE in tables, its distribution in curves, other summaries, by attributes."""

from collections.abc import Mapping

from matplotlib.axes import Axes

from thermalign.catalogue import further_metrics
from thermalign.report.blocks import Block, Body, Cell, Chapter, Paragraph, Part, Row, Table
from thermalign.report.curves import curve_panels
from thermalign.report.drawing import Panels, fraction_axis, percent_axis
from thermalign.report.layout import (
    INTERVALS,
    Columns,
    Measure,
    and_range,
    any_detail,
    attribute_table,
    column_groups,
    further_table,
    model_row,
    plain_cell,
    range_columns,
    rate_cell,
)
from thermalign.report.printed import Published, published
from thermalign.report.study import Study
from thermalign.report.views import Curve, Value, View
from thermalign.report.words import (
    MISSING,
    field_label,
    fraction,
    interval,
    joined,
    percent,
    subset_label,
)
from thermalign.schemas.keys import ALL, Subset

NMSE = (
    "NMSE: mean distance between predicted and annotated points, divided by the interocular "
    "distance (not squared)."
)
IN_THE_PAPER = "in the paper"
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

DETAILS = (("landmark", "Landmark"), ("condition", "Condition"))
"""Column of the tables, and the title of its group."""

CITATION = (
    "Poster, Hu, Nasrabadi and Riggan, “An Examination of Deep-Learning Based Landmark Detection "
    "Methods on Thermal Face Imagery”, CVPR Workshops 2019"
)

PAPER_SPREAD = "The paper’s ± is a standard deviation averaged over landmarks and folds."

PAPER_NOTES = {
    1: "The paper’s average is the plain mean of its three ranges.",
    2: (
        "The paper’s averages for MTCNN and PBC are not means of its range columns. They can be "
        "that only if those columns hold Volume 1 alone and the average adds Volume 2; the paper "
        "does not say. Its figures stand under Volume 1 here for that reason."
    ),
}


def chapter(study: Study) -> Chapter:
    """Show how far predicted points lie from annotated ones, a part per protocol.

    It reads SUMMARY: nmse, nmse_sd, nmse_best_cell, ced, failure_rate, failure_at, ced_auc and the
    NMSE of ``NORMALISED``; and further metrics of errors by their names.
    """
    parts = [Part(view.label, _blocks(study, view), view.protocol.name) for view in study.views]
    return Chapter("error", "Landmark error", parts)


def _blocks(study: Study, view: View) -> list[Block]:
    first = nmse_table(view) or Paragraph(
        f"No landmark error was measured in {view.label}: none of its test images is annotated, or "
        "no detector was run.",
        tone="absent",
    )
    known = further_metrics("of_errors")
    further = further_table(
        view,
        [name for name in study.setup.metrics if name in known],
        caption=f"Further measures of error, {view.label}",
        head="Model",
        note="Of the errors of found faces, in interocular distances (IOD).",
    )
    others = (detail_table(view), person_table(view), summary_table(view), further)
    return [first, *ced(study, view), *(table for table in others if table)]


def nmse_table(view: View) -> Table | None:
    """Lay out NMSE by model and range, each over what the paper printed; None without any.

    Columns of SUMMARY: nmse with its interval, nmse_sd, nmse_best_cell, by volume and range.
    """
    models = view.models("nmse")
    if not models:
        return None
    columns = range_columns(view, "nmse")
    lowest = {subset: _lowest(view, subset) for *_, subset in columns}
    rows = []
    for model in models:
        cells = [_nmse_cell(view, model, s, best=model in lowest[s]) for *_, s in columns]
        rows.append(model_row(view, model, cells))
        printed = [published(view.protocol.paper, model, s) for *_, s in columns]
        if any(printed):
            rows.append(Row(IN_THE_PAPER, [_paper_cell(p) for p in printed], tone="muted"))
        nearest = [view.get(model, "nmse_best_cell", s) for *_, s in columns]
        if any(value and value.known for value in nearest):
            rows.append(Row(NEAREST, [_bare_cell(v) for v in nearest], tone="muted"))
    return Table(
        caption=f"NMSE by model{and_range(columns)}, {view.label}",
        head="Model",
        columns=[title for _, title, _ in columns],
        bodies=[Body(rows)],
        groups=column_groups(columns),
        notes=_nmse_notes(view, rows),
    )


def _nmse_notes(view: View, rows: list[Row]) -> list[str]:
    heads = {row.head for row in rows}
    bold = any(cell.tone == "best" for row in rows for cell in row.cells)
    first = [
        NMSE,
        "± is the standard deviation over images." if view.models("nmse_sd") else "",
        INTERVALS if any_detail(rows) else "",
        "Bold: lowest of its column." if bold else "",
    ]
    quoted = [PAPER_SPREAD, PAPER_NOTES[view.protocol.paper]] if IN_THE_PAPER in heads else []
    return [joined(first), *([REACH] if NEAREST in heads else []), *quoted]


def detail_table(view: View) -> Table | None:
    """Lay out NMSE by landmark and condition, and how many faces were missed; None without any.

    Columns of SUMMARY: nmse by landmark or condition, failure_rate of all images.
    """
    columns: Columns = [
        (title, field_label(subset, name), subset)
        for name, title in DETAILS
        for subset in view.subsets("nmse")
        if subset == ALL._replace(**{name: getattr(subset, name)}) != ALL
    ]
    missed = view.models("failure_rate")
    if not columns and not missed:
        return None
    rows = []
    for model in view.models("nmse", "failure_rate"):
        cells = [_nmse_cell(view, model, s, best=False) for *_, s in columns]
        cells += [rate_cell(view.get(model, "failure_rate"))] if missed else []
        rows.append(model_row(view, model, cells))
    columns += [("Faces", "not found", ALL)] if missed else []
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


def person_table(view: View) -> Table | None:
    """Lay out NMSE and, where there are any, faces not found by attributes of people.

    Columns of SUMMARY: nmse, failure_rate by attribute and its value.
    """
    lost = [
        v for s in view.attributes("failure_rate") for v in view.known("failure_rate", s).values()
    ]
    measures: list[Measure] = [("nmse", "NMSE", plain_cell)]
    if any(value.value > 0 for value in lost):
        measures.append(("failure_rate", "Faces not found", rate_cell))
    caption = f"Landmark error by attributes of people, {view.label}"
    return attribute_table(view, measures, caption=caption, head="Model")


def summary_table(view: View) -> Table | None:
    """Lay out other summaries of landmark error by model and range, folded; None without any.

    Columns of SUMMARY: failure_at, ced_auc at every threshold, the metrics of ``NORMALISED``.
    """
    columns: list[tuple[str, str, tuple[str, float]]] = [
        (title, fraction(at, digits=2), (metric, at))
        for metric, title in SUMMARIES
        for at in view.abscissas(metric)
    ]
    columns += [
        ("Mean distance over", title, (metric, 0.0))
        for metric, title in NORMALISED
        if view.models(metric)
    ]
    metrics = tuple(dict.fromkeys(metric for _, _, (metric, _) in columns))
    measured = view.subsets(*metrics)
    subsets = [*view.ranges(*metrics), *(s for s in measured if s == ALL)] or measured
    if not subsets:
        return None
    return Table(
        caption=f"Landmark error summed up in other ways, {view.label}",
        head="Model",
        columns=[title for _, title, _ in columns],
        bodies=[
            Body(
                [
                    model_row(view, m, [_summary_cell(view, m, s, *key) for *_, key in columns])
                    for m in view.models(*metrics)
                ],
                title=subset_label(s),
            )
            for s in subsets
        ],
        groups=column_groups(columns),
        notes=[
            "Not below: NMSE at or above the threshold, or face not found. Area: under the "
            "cumulative error distribution up to the threshold, divided by it; 1 is best. Mean "
            "distance over the diagonal or the root of the area of the image’s face box, or over "
            "the way from the middle of the eyes to that of the mouth corners, as other papers "
            f"normalise. {INTERVALS}"
        ],
        folded="Failure rates, areas under the CED, other normalisations",
    )


def ced(study: Study, view: View) -> list[Panels]:
    """Draw the cumulative error distributions: all images, then every range and volume.

    Columns of SUMMARY: ced over its threshold ``at``.
    """

    def said(_model: str, _subset: Subset, points: Curve) -> str:
        at, value = points[len(points) // 4]
        return f"{percent(value.value)} below {fraction(at, digits=2)}"

    def dress(axes: Axes, curves: Mapping[str, Curve], _subset: Subset) -> None:
        end = max(at for points in curves.values() for at, _ in points)
        axes.set(xlim=(0, end), ylim=(0, 1.02), xlabel="NMSE", ylabel="Images below")
        fraction_axis(axes.xaxis)
        percent_axis(axes.yaxis)

    alt = "Cumulative error distribution, {where}: share of images over the NMSE they stay below."
    panels = curve_panels(view, "ced", alt=alt, said=said, dress=dress, keyed=False, say=_say)
    caption = (
        f"Cumulative error distribution, {view.label}: share of test images whose NMSE, averaged "
        "over their landmarks, stays below the threshold. Faces that were not found stay below "
        "none. Bands, where drawn: 95 % interval."
    )
    legend = [view.looks[model] for model in study.bases(view.models("ced"))]
    return [Panels(panels, caption, legend)] if panels else []


def _say(at: float, value: Value) -> str:
    ends = interval(value, rate=True)
    return f"{percent(value.value)} {ends} below {fraction(at)}".replace("  ", " ")


def _lowest(view: View, subset: Subset) -> set[str]:
    """Return the models whose printed NMSE no other undercuts; none without a contest."""
    known = view.known("nmse", subset)
    printed = {model: fraction(value.value) for model, value in known.items()}
    if len(printed) < 2:
        return set()
    least = fraction(min(value.value for value in known.values()))
    return {model for model, text in printed.items() if text == least}


def _nmse_cell(view: View, model: str, subset: Subset, *, best: bool) -> Cell:
    value = view.get(model, "nmse", subset)
    if value is None or not value.known:
        return Cell(MISSING, tone="missing")
    spread = view.get(model, "nmse_sd", subset)
    plus_minus = f" ± {fraction(spread.value)}" if spread and spread.known else ""
    tone = "best" if best else ""
    return Cell(fraction(value.value) + plus_minus, interval(value), tone, value=value)


def _summary_cell(view: View, model: str, subset: Subset, metric: str, at: float) -> Cell:
    value = view.get(model, metric, subset, at=at)
    return rate_cell(value) if metric == "failure_at" else plain_cell(value)


def _bare_cell(value: Value | None) -> Cell:
    if value is None or not value.known:
        return Cell(MISSING, tone="missing")
    return Cell(fraction(value.value), value=value)


def _paper_cell(figure: Published | None) -> Cell:
    if figure is None:
        return Cell("")
    return Cell(f"{fraction(figure.nmse)} ± {fraction(figure.spread, digits=2)}")
