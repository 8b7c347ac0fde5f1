"""Boxes and recordings that the detectors did not train for: NMSE and EER, faces not found."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from thermalign.geometry import Floats
from thermalign.report.blocks import Block, Body, Cell, Chapter, Paragraph, Part, Row, Table
from thermalign.report.drawing import (
    FAINT,
    Panel,
    Panels,
    axes_of,
    curve,
    ends,
    fraction_axis,
    grey_address,
    panel,
    style,
)
from thermalign.report.exhibits import Picture
from thermalign.report.layout import INTERVALS, column_groups, model_row, rate_cell
from thermalign.report.setup import Condition, Setup
from thermalign.report.study import Study
from thermalign.report.views import Value, View
from thermalign.report.words import (
    MINUS,
    MISSING,
    NBSP,
    Show,
    between,
    fraction,
    interval,
    number,
    percent,
    subset_label,
)
from thermalign.schemas.keys import ALL, UNDISTURBED, VARIANT, Subset

AS_TRAINED = Condition(UNDISTURBED, "", f"as{NBSP}trained")
KINDS = {
    "moved": (0.0, "Boxes moved", "Way of the box, share of its mean side"),
    "resized": (1.0, "Boxes resized", "Size of the box, over its given size"),
}
"""Kind of variant to the undisturbed level, a panel's title and the label of its axis."""

MEASURES: dict[str, tuple[str, Show]] = {
    "nmse": ("NMSE", fraction),
    "eer": ("EER", percent),
}
"""Metric to its name and to how a figure of it is printed."""

RATIO = (
    "“Over as trained”: ratio to the NMSE of the same images under the condition trained for. "
    "Brackets: 95 % interval of a bootstrap over subjects, the same ones drawn for both."
)
DETECTED = (
    "Recall: share of images whose given box a detection overlaps by at least half of their union. "
    "Precision: share of detections that do; of several detections of one face one counts. Failure "
    "to acquire: share of images without any detection."
)

FILES = "What is read from a file runs on no image and has nothing here:"

Box = tuple[float, float, float, float]
"""Pixels of the picture, (x, y, width, height)."""


@dataclass(frozen=True)
class Shown:
    """A picture ready for the page, and the boxes drawn over it.

    Attributes
    ----------
    address : str
    width, height : int, pixels
    title : str
    given : Box or None
    varied : list of Box
    """

    address: str
    width: int
    height: int
    title: str
    given: Box | None = None
    varied: list[Box] = field(default_factory=list)


@dataclass(frozen=True)
class Gallery:
    """A figure of one protocol's face under variants, on one grey scale."""

    kind: ClassVar[str] = "gallery"
    caption: str
    faces: list[Shown]


def chapter(study: Study) -> Chapter | None:
    """Show errors under variants, a part per protocol; None where nothing was measured.

    It reads SUMMARY of the experiment ``variant``: nmse, nmse_ratio, failure_rate, eer; and of
    detectors detection_recall, detection_precision, false_alarms, without_detection.
    """
    parts = [Part(view.label, _blocks(study, view), view.protocol.name) for view in study.views]
    shown = [part for part in parts if part.blocks]
    if not shown:
        return None
    title = "Boxes and conditions the detectors did not train for"
    rows = [study.looks[name].label for name in study.setup.imported if name in study.looks]
    first = [Paragraph(f"{FILES} {', '.join(rows)}.")] if rows else []
    return Chapter("stress", title, shown, first, contents="Boxes and conditions")


def _blocks(study: Study, view: View) -> list[Block]:
    setup = study.setup
    moved = {"moved": setup.moved, "resized": setup.resized}
    figure = _figure(view, moved)
    errors, where = _errors(view)
    tables = [
        variant_table(
            view,
            setup,
            conditions,
            caption=f"{errors} in {words} boxes, {where}",
            folded=f"{words.capitalize()} boxes in numbers",
        )
        for words, conditions in moved.items()
    ]
    for variant, model in setup.detectors.items():
        tables += found_tables(view, variant, model)
    caption = f"{errors} in recordings that no training image showed, {where}"
    recorded = setup.recordings.get(view.protocol.name, [])
    tables.append(variant_table(view, setup, recorded, caption=caption))
    shown: list[Block] = [*figure, *(table for table in tables if table)]
    picture = gallery(study.pictures, view)
    return [*([picture] if picture and shown else []), *shown]


def gallery(pictures: Iterable[Picture], view: View) -> Gallery | None:
    """Arrange a protocol's pictures; None without any."""
    mine = [picture for picture in pictures if picture.protocol == view.protocol.name]
    if not mine:
        return None
    low = min(float(np.percentile(picture.pixels, 1)) for picture in mine)
    high = max(float(np.percentile(picture.pixels, 99.5)) for picture in mine)
    black, white = (f"{end:.0f}".replace("-", MINUS) for end in (low, high))
    return Gallery(
        f"One face in other boxes and recordings, {view.label}, not picked by result. Where boxes "
        "are drawn, white is the one that detectors trained for, yellow how it is moved, in a "
        "direction of this image’s own, or resized. All pictures have one grey scale, from "
        f"{black} (black) to {white} (white), in °C where the image is thermal.",
        [_shown(picture, (low, high)) for picture in mine],
    )


def _shown(picture: Picture, ends: tuple[float, float]) -> Shown:
    height, width = picture.pixels.shape
    return Shown(
        address=grey_address(picture.pixels, ends),
        width=width,
        height=height,
        title=picture.title,
        given=_box(picture.given) if picture.boxes else None,
        varied=[_box(box) for box in picture.boxes],
    )


def _box(box: Floats) -> Box:
    x, y, width, height = (float(v) for v in box)
    return x, y, width, height


def of(variant: str, subset: Subset = ALL) -> Subset:
    """Return a subset of images under a variant."""
    return subset._replace(experiment=VARIANT, setting=variant)


def _errors(view: View) -> tuple[str, str]:
    """Return what was measured under variants, and what names the protocol in a caption of it."""
    if view.settings(VARIANT, "eer"):
        return "NMSE and equal error rate", view.verified
    return "NMSE", view.label


def _models(view: View, conditions: list[Condition], metric: str = "nmse") -> list[str]:
    known = [view.known(metric, of(c.name)) for c in conditions]
    return [model for model in view.looks if any(model in values for values in known)]


def _figure(view: View, kinds: dict[str, list[Condition]]) -> list[Panels]:
    """Draw errors over how far boxes are moved, and resized; nothing where none was measured."""
    every = [condition for conditions in kinds.values() for condition in conditions]
    panels = [
        _panel(view, kind, conditions, metric=metric, top=_top(view, every, metric))
        for metric in MEASURES
        for kind, conditions in kinds.items()
        if _models(view, conditions, metric)
    ]
    drawn = {model for metric in MEASURES for model in _models(view, every, metric)}
    legend = [look for model, look in view.looks.items() if model in drawn]
    caption = (
        f"Errors over that of the face box, {view.label}: test boxes moved in a random direction, "
        "by a share of the mean of their sides, or resized around their centres; the dotted line "
        "marks the box that the detectors trained for. EER, where measured: equal error rate of "
        "probes aligned by the points found in that box. Bands: 95 % interval of a bootstrap over "
        "subjects."
    )
    return [Panels(panels, caption, legend)] if panels else []


def _top(view: View, conditions: list[Condition], metric: str) -> float:
    """Return where the axis of a metric ends, the same for all panels."""
    known = [view.known(metric, of(c.name)) for c in (AS_TRAINED, *conditions)]
    return 1.04 * ends(value for values in known for value in values.values())[1]


def _panel(view: View, kind: str, conditions: list[Condition], *, metric: str, top: float) -> Panel:
    undisturbed, title, label = KINDS[kind]
    name, show = MEASURES[metric]
    points = sorted(
        [Condition(UNDISTURBED, "", "", undisturbed), *conditions], key=lambda c: c.level
    )
    spoken = []

    def say(at: float, value: Value) -> str:
        return f"{show(value.value)} at {fraction(at, digits=2)}"

    with style():
        figure, axes = axes_of()
        for model in _models(view, conditions, metric):
            found = [(c.level, view.get(model, metric, of(c.name))) for c in points]
            known = [(level, value) for level, value in found if value and value.known]
            curve(axes, known, view.looks[model], marker="o", say=say)
            figures = ", ".join(show(value.value) for _, value in known)
            spoken.append(f"{view.looks[model].label} {figures}")
        if kind == "resized":
            axes.set_xscale("log")
        _dress(axes, [c.level for c in points], show)
        axes.axvline(undisturbed, color=FAINT, linewidth=0.8, linestyle=(0, (2, 2)))
        axes.set(ylim=(0, top), xlabel=label, ylabel=name)
        alt = f"{title}, {view.label}: {name} over {label.lower()}. {'; '.join(spoken)}."
        return panel(figure, title=f"{title}: {name}", alt=alt)


def _dress(axes: Axes, levels: list[float], show: Show) -> None:
    axes.xaxis.set_major_locator(FixedLocator(levels))
    axes.xaxis.set_minor_locator(NullLocator())
    fraction_axis(axes.xaxis)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: show(v)))


def variant_table(
    view: View, setup: Setup, conditions: list[Condition], *, caption: str, folded: str = ""
) -> Table | None:
    """Lay out NMSE by model and variant, each over its ratio to the condition trained for."""
    measured = [c for c in conditions if view.known("nmse", of(c.name))]
    if not measured:
        return None
    columns = [AS_TRAINED, *measured]
    models = _models(view, measured)
    named = any(setup.normalisation.get(model) for model in models)
    rows = []
    for model in models:
        words = setup.normalisation.get(model, "")
        before, under = ([Cell(w, tone="words")] if named else [] for w in (words, ""))
        cells = [_nmse_cell(view, model, c) for c in columns]
        ratios = [_ratio_cell(view, model, of(c.name)) for c in columns]
        rows.append(model_row(view, model, [*before, *cells]))
        rows.append(Row("over as trained", [*under, *ratios], tone="muted"))
        rates = [rate_cell(view.get(model, "eer", of(c.name))) for c in columns]
        if any(cell.tone != "missing" for cell in rates):
            rows.append(Row("equal error rate", [*under, *rates], tone="muted"))
    titles = [(c.group, c.title, c.name) for c in columns]
    if named:
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
    known = view.known("nmse", of(condition.name))
    if model not in known:
        return Cell(MISSING, tone="missing")
    text = fraction(known[model].value)
    least = min(fraction(value.value) for value in known.values())
    best = "best" if text == least and len(known) > 1 else ""
    return Cell(text, interval(known[model]), best, value=known[model])


def _ratio_cell(view: View, model: str, subset: Subset) -> Cell:
    """Show how many times the NMSE of the condition trained for; nothing where it is unknown."""
    ratio = view.get(model, "nmse_ratio", subset)
    if ratio is None or not ratio.known:
        return Cell("")
    return Cell(f"× {ratio.value:.2f}", _two_ends(ratio), value=ratio)


def _two_ends(value: Value) -> str:
    return between(value.low, value.high, show=lambda v: f"{v:.2f}") if value.bounded else ""


def found_tables(view: View, variant: str, detector: str) -> list[Table]:
    """Lay out what a detector finds in whole images, and errors in the boxes that it finds."""
    models = [model for model in view.looks if view.get(model, "failure_rate", of(variant))]
    if not models:
        return []
    subsets = [ALL, *view.ranges("detection_recall")]
    name = view.looks[detector].label if detector in view.looks else detector
    detected = Table(
        caption=f"Faces that {name} finds in whole images, {view.label}",
        head="Images",
        columns=["Recall", "Precision", "False alarms per image", "Failure to acquire", "n"],
        bodies=[Body([_detection_row(view, detector, s) for s in subsets])],
        notes=[f"{DETECTED} {INTERVALS}"],
    )
    return [detected, _found_table(view, variant, name, models, subsets)]


def _detection_row(view: View, detector: str, subset: Subset) -> Row:
    recall = view.get(detector, "detection_recall", subset)
    alarms = view.get(detector, "false_alarms", subset)
    missing = Cell(MISSING, tone="missing")
    cells = [
        rate_cell(recall),
        rate_cell(view.get(detector, "detection_precision", subset)),
        Cell(f"{alarms.value:.2f}", _two_ends(alarms)) if alarms else missing,
        rate_cell(view.get(detector, "without_detection", subset)),
        Cell(number(recall.n)) if recall else missing,
    ]
    return Row(subset_label(subset), cells)


def _found_table(
    view: View, variant: str, name: str, models: list[str], subsets: list[Subset]
) -> Table:
    rates = bool(view.known("eer", of(variant)))
    errors, where = _errors(view) if rates else ("NMSE", view.label)
    verified = " In verification they count as non-matches." if rates else ""
    return Table(
        caption=f"{errors} in the box that {name} finds, {where}",
        head="Model",
        columns=["Given box", "Found box", "Ratio", *(["Given box", "Found box"] * rates)],
        groups=[("NMSE", 3), ("Equal error rate", 2)] if rates else [],
        bodies=[
            Body(
                [
                    model_row(view, m, _found_cells(view, m, variant, s, rates=rates))
                    for m in models
                ],
                title=subset_label(s),
            )
            for s in subsets
        ],
        compact=not rates,
        notes=[
            f"The found box is {name}’s best detection, right or wrong. Images in which it found "
            "none count as failures to acquire and have no NMSE; the ratio compares the images "
            f"that have both.{verified}"
        ],
    )


def _found_cells(
    view: View, model: str, variant: str, subset: Subset, *, rates: bool
) -> list[Cell]:
    both = [of(name, subset) for name in (UNDISTURBED, variant)]
    pair = [view.get(model, "nmse", s) for s in both]
    cells = [
        Cell(fraction(v.value), interval(v), value=v)
        if v and v.known
        else Cell(MISSING, tone="missing")
        for v in pair
    ]
    cells.append(_ratio_cell(view, model, of(variant, subset)))
    return cells + ([rate_cell(view.get(model, "eer", s)) for s in both] if rates else [])
