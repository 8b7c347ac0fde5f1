"""Boxes and recordings that the detectors did not train for: NMSE and EER, faces not found."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from thermalign.report.cells import (
    MISSING,
    NBSP,
    Body,
    Cell,
    Row,
    Table,
    between,
    fraction,
    interval,
    number,
    percent,
    rate_cell,
)
from thermalign.report.chapters.people import verified
from thermalign.report.figures import SIZE, Panel
from thermalign.report.gallery import Gallery, Picture, gallery
from thermalign.report.names import Look, slug, subset_label
from thermalign.report.summary import Value, View
from thermalign.report.svg import FAINT, style, to_svg
from thermalign.report.tables import column_groups
from thermalign.report.variants import NONE, Condition, detectors, moved_boxes, recordings

AS_TRAINED = Condition(NONE, "", f"as{NBSP}trained")


KINDS = {
    "shift": (0.0, "Boxes moved", "Way of the box, share of its mean side"),
    "scale": (1.0, "Boxes resized", "Size of the box, over its given size"),
}
"""Kind of variant to the undisturbed level, a panel's title and the label of its axis."""


MEASURES: dict[str, tuple[str, Callable[[float], str]]] = {
    "nmse": ("NMSE", fraction),
    "eer": ("EER", percent),
}
"""Metric to its name and to how a figure of it is printed."""


RATIO = (
    "“Over as trained”: ratio to the NMSE of the same images under the condition trained for. "
    "Brackets: 95 % interval of a bootstrap over subjects, the same ones drawn for both."
)


@dataclass(frozen=True)
class StressChapter:
    """What the page shows of one protocol under variants.

    Attributes
    ----------
    label : str
    gallery : Gallery or None
        One face under the variants.
    panels : list of Panel
        NMSE over how far boxes are moved, and resized.
    legend : list of Look
    tables : list of Table
    """

    label: str
    gallery: Gallery | None
    panels: list[Panel]
    legend: list[Look]
    tables: list[Table]


def stress_chapter(
    view: View, config: Mapping[str, Any], pictures: Iterable[Picture] = ()
) -> StressChapter | None:
    """Return the chapter of a protocol; None where nothing was measured under a variant."""
    moved, resized = (moved_boxes(config, kind) for kind in ("shift", "scale"))
    panels = [
        _panel(view, kind, conditions, metric=metric, top=_top(view, [*moved, *resized], metric))
        for metric in MEASURES
        for kind, conditions in (("shift", moved), ("scale", resized))
        if _models(view, conditions, metric)
    ]
    tables = [
        _variant_table(
            view,
            conditions,
            config,
            caption=f"{_errors(view)} in {words} boxes, {_label(view)}",
            folded=line,
        )
        for words, conditions, line in (
            ("moved", moved, "Moved boxes in numbers"),
            ("resized", resized, "Resized boxes in numbers"),
        )
    ]
    for variant, model in detectors(config):
        tables += found_tables(view, variant, model)
    caption = f"{_errors(view)} in recordings that no training image showed, {_label(view)}"
    tables.append(_variant_table(view, recordings(config, view.protocol), config, caption=caption))
    shown = [table for table in tables if table]
    if not panels and not shown:
        return None
    drawn = [m for metric in MEASURES for m in _models(view, [*moved, *resized], metric)]
    looks = [look for model, look in view.looks.items() if model in drawn]
    return StressChapter(view.label, gallery(pictures, view.protocol), panels, looks, shown)


def _errors(view: View) -> str:
    return "NMSE and equal error rate" if _carried(view) else "NMSE"


def _label(view: View) -> str:
    return verified(view) if _carried(view) else view.label


def _carried(view: View) -> bool:
    return any(s.startswith("variant=") for s in view.subsets("eer"))


def _measured(view: View, conditions: list[Condition]) -> list[Condition]:
    return [c for c in conditions if view.known("nmse", subset=of_variant(c.name))]


def _models(view: View, conditions: list[Condition], metric: str = "nmse") -> list[str]:
    known = [view.known(metric, subset=of_variant(c.name)) for c in conditions]
    return [model for model in view.looks if any(model in values for values in known)]


def _panel(view: View, kind: str, conditions: list[Condition], *, metric: str, top: float) -> Panel:
    undisturbed, title, label = KINDS[kind]
    name, show = MEASURES[metric]
    points = sorted([Condition(NONE, "", "", undisturbed), *conditions], key=lambda c: c.level)
    with style():
        figure = Figure(figsize=SIZE, layout="constrained")
        axes = figure.subplots()
        models = _models(view, conditions, metric)
        spoken = [_line(axes, view, model, points, metric=metric) for model in models]
        if kind == "scale":
            axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator([c.level for c in points]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: fraction(v, digits=2)))
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: show(v)))
        axes.axvline(undisturbed, color=FAINT, linewidth=0.8, linestyle=(0, (2, 2)))
        axes.set(ylim=(0, top), xlabel=label, ylabel=name)
        key = f"stress-{slug(view.protocol)}-{kind}-{metric}"
        alt = f"{title}, {view.label}: {name} over {label.lower()}. {'; '.join(spoken)}."
        return Panel(f"{title}: {name}", to_svg(figure, key=key, alt=alt))


def _top(view: View, conditions: list[Condition], metric: str) -> float:
    """Return where the axis of a metric ends, the same for all panels; 0 without any value."""
    subsets = [of_variant(c.name) for c in [AS_TRAINED, *conditions]]
    values = [v for subset in subsets for v in view.known(metric, subset=subset).values()]
    return 1.04 * max((v.high if v.bounded else v.value for v in values), default=0.0)


def _line(axes: Axes, view: View, model: str, points: list[Condition], *, metric: str) -> str:
    """Draw a model and return what the line says, for those who do not see it."""
    look = view.looks[model]
    found = [(c.level, view.get(model, metric, subset=of_variant(c.name))) for c in points]
    known = [(level, value) for level, value in found if value and value.known]
    x, y = [level for level, _ in known], [value.value for _, value in known]
    line = (0, look.dash) if look.dash else "-"
    axes.plot(x, y, color=look.colour, linestyle=line)
    axes.plot(x, y, color=look.colour, linestyle="none", marker="o", markersize=3.5)
    low, high = [v.low for _, v in known], [v.high for _, v in known]
    axes.fill_between(x, low, high, color=look.colour, alpha=0.13, linewidth=0)
    return f"{look.label} {', '.join(map(MEASURES[metric][1], y))}"


def _variant_table(
    view: View,
    conditions: list[Condition],
    config: Mapping[str, Any],
    *,
    caption: str,
    folded: str = "",
) -> Table | None:
    """Lay out NMSE by model and variant, each over its ratio to the condition trained for."""
    measured = _measured(view, conditions)
    if not measured:
        return None
    columns = [AS_TRAINED, *measured]
    models = _models(view, measured)
    blocks = [config.get("models", {}).get(model, {}) for model in models]
    inputs = [str(block.get("normalisation", "")) for block in blocks]
    rows = []
    for model, words in zip(models, inputs, strict=True):
        look = view.looks[model]
        before, under = ([Cell(w, tone="words")] if any(inputs) else [] for w in (words, ""))
        cells = [_nmse_cell(view, model, c) for c in columns]
        ratios = [ratio_cell(view, model, of_variant(c.name)) for c in columns]
        rows.append(Row(look.label, [*before, *cells], look=look))
        rows.append(Row("over as trained", [*under, *ratios], tone="muted"))
        rates = [rate_cell(view.get(model, "eer", subset=of_variant(c.name))) for c in columns]
        if any(cell.tone != "missing" for cell in rates):
            rows.append(Row("equal error rate", [*under, *rates], tone="muted"))
    titles = [(c.group, c.title, c.name) for c in columns]
    if any(inputs):
        titles.insert(0, ("", "Normalisation", ""))
    return Table(
        caption=caption,
        head="Model",
        columns=[title for _, title, _ in titles],
        bodies=[Body(rows)],
        groups=column_groups(titles),
        notes=[("Bold: lowest of its column. " if len(models) > 1 else "") + RATIO],
        folded=folded,
    )


def _nmse_cell(view: View, model: str, condition: Condition) -> Cell:
    known = view.known("nmse", subset=of_variant(condition.name))
    if model not in known:
        return Cell(MISSING, tone="missing")
    text = fraction(known[model].value)
    least = min(fraction(value.value) for value in known.values())
    best = "best" if text == least and len(known) > 1 else ""
    return Cell(text, interval(known[model]), best)


def found_tables(view: View, variant: str, detector: str) -> list[Table]:
    """Lay out what a detector finds in whole images, and errors in the boxes that it finds."""
    models = [m for m in view.looks if view.get(m, "failure_rate", subset=of_variant(variant))]
    subsets = ["all", *view.ranges("detection_recall")]
    name = view.looks[detector].label if detector in view.looks else detector
    if not models:
        return []
    rates = bool(view.known("eer", subset=of_variant(variant)))
    return [
        Table(
            caption=f"Faces that {name} finds in whole images, {view.label}",
            head="Images",
            columns=["Recall", "Precision", "False alarms per image", "Failure to acquire", "n"],
            bodies=[Body([_detection_row(view, detector, s) for s in subsets])],
            notes=[
                "Recall: share of images whose given box a detection overlaps by at least half of "
                "their union. Precision: share of detections that do; of several detections of "
                "one face one counts. Failure to acquire: share of images without any detection. "
                "Brackets: 95 % interval of a bootstrap over subjects."
            ],
        ),
        Table(
            caption=f"{_measures(rates)} in the box that {name} finds, "
            f"{verified(view) if rates else view.label}",
            head="Model",
            columns=["Given box", "Found box", "Ratio", *(["Given box", "Found box"] * rates)],
            groups=[("NMSE", 3), ("Equal error rate", 2)] if rates else [],
            bodies=[
                Body(
                    [_found_row(view, m, variant, s, rates=rates) for m in models],
                    title=subset_label(s),
                )
                for s in subsets
            ],
            compact=not rates,
            notes=[
                f"The found box is {name}’s best detection, right or wrong. Images in which it "
                "found none count as failures to acquire and have no NMSE; the ratio compares the "
                "images that have both."
                + (" In verification they count as non-matches." if rates else "")
            ],
        ),
    ]


def _detection_row(view: View, detector: str, subset: str) -> Row:
    recall = view.get(detector, "detection_recall", subset=subset)
    alarms = view.get(detector, "false_alarms", subset=subset)
    cells = [
        rate_cell(recall),
        rate_cell(view.get(detector, "detection_precision", subset=subset)),
        Cell(f"{alarms.value:.2f}", ends(alarms)) if alarms else Cell(MISSING, tone="missing"),
        rate_cell(view.get(detector, "without_detection", subset=subset)),
        Cell(number(recall.n)) if recall else Cell(MISSING, tone="missing"),
    ]
    return Row(subset_label(subset), cells)


def _measures(rates: bool) -> str:
    return "NMSE and equal error rate" if rates else "NMSE"


def _found_row(view: View, model: str, variant: str, subset: str, *, rates: bool) -> Row:
    both = [of_variant(v, subset) for v in (NONE, variant)]
    pair = [view.get(model, "nmse", subset=s) for s in both]
    cells = [
        Cell(fraction(v.value), interval(v)) if v and v.known else Cell(MISSING, tone="missing")
        for v in pair
    ]
    cells.append(ratio_cell(view, model, of_variant(variant, subset)))
    cells += [rate_cell(view.get(model, "eer", subset=s)) for s in both] if rates else []
    return Row(view.looks[model].label, cells, look=view.looks[model])


def of_variant(variant: str, subset: str = "all") -> str:
    """Return the subset of a variant and a subset of images."""
    return f"variant={variant}" if subset == "all" else f"variant={variant}&{subset}"


def ratio_cell(view: View, model: str, subset: str) -> Cell:
    """Show how many times the NMSE of the condition trained for; nothing where it is unknown."""
    ratio = view.get(model, "nmse_ratio", subset=subset)
    return Cell(f"× {ratio.value:.2f}", ends(ratio)) if ratio and ratio.known else Cell("")


def ends(value: Value) -> str:
    """Print an interval with two digits, or nothing where there is none."""
    if not (math.isfinite(value.low) and math.isfinite(value.high)):
        return ""
    return between(value.low, value.high, show=lambda v: f"{v:.2f}")
