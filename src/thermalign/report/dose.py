"""What landmark error costs: EER over displacement, the visible control, detectors placed on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thermalign.report.cells import (
    MISSING,
    Body,
    Cell,
    Row,
    Table,
    between,
    fraction,
    interval,
    number,
    percent,
    percent_number,
    rate_cell,
    signed,
)
from thermalign.report.dose_figures import control_panel, kind_panels
from thermalign.report.figures import Panel, Seeds
from thermalign.report.placement import placement_panels, placement_sentence, placement_table
from thermalign.report.responses import (
    DISPLACED,
    MODALITIES,
    both_sides,
    kinds,
    placements,
    response,
    subset_of,
)
from thermalign.report.summary import Value, View
from thermalign.report.tables import INTERVALS
from thermalign.report.wording import separable, span

SCALES = {
    "eer_slope": "Percentage points of EER per .01 interocular distances of NMSE",
    "probit_slope": "Normal deviates of EER per interocular distance of NMSE",
}
"""Metric to the title of its rows. A share per whole unit is as many hundredths per hundredth."""

UNITS = {
    "eer_slope": "percentage points per .01",
    "probit_slope": "normal deviates per interocular distance",
}
"""Metric to its unit over interocular distances of NMSE."""


@dataclass(frozen=True)
class DoseChapter:
    """What the page shows of one protocol under displaced landmarks."""

    label: str
    sentences: list[str]
    main: list[Panel]
    caption: str
    kinds: list[Panel]
    tables: list[Table]


def dose_chapter(view: View, config: Mapping[str, Any], *, seeds: Seeds) -> DoseChapter | None:
    """Return the chapter of a protocol; None where no displaced points were matched."""
    measured = kinds(view, config)
    if not measured:
        return None
    main = main_kind(view, config)
    panels = [*placement_panels(view, main, seeds=seeds), control_panel(view, main)]
    tables = [
        placement_table(view, measured),
        _slope_table(view, measured),
        _level_table(view, measured),
    ]
    said = [
        _slopes(view, main, config),
        _floor(view, main),
        _monotone(view, main),
        placement_sentence(view, main, seeds=seeds),
    ]
    return DoseChapter(
        label=view.label,
        sentences=[sentence for sentence in said if sentence],
        main=[panel for panel in panels if panel],
        caption=_caption(view, main, config),
        kinds=kind_panels(view, measured) if len(measured) > 1 else [],
        tables=[table for table in tables if table],
    )


def main_kind(view: View, config: Mapping[str, Any]) -> str:
    """Return the first kind that detectors are placed on, or else the first measured."""
    measured = kinds(view, config)
    return next((kind for kind in measured if placements(view, kind)), next(iter(measured), ""))


def dose_finding(views: Sequence[View], config: Mapping[str, Any]) -> str:
    """Say in one line what landmark error costs; empty where no displaced points were matched."""
    main = [(view, main_kind(view, config)) for view in views]
    slopes = _known(main, "eer_slope")
    parts = []
    if slopes:
        rise = span(slopes, show=_two)
        parts.append(f"landmark error costs {rise} points of EER per .01 of NMSE in thermal probes")
    difference = slope_words(main)
    parts += [f"thermal − visible {difference}"] if difference else []
    placed = [its for view, kind in main for its in placements(view, kind).values()]
    verdicts = [its.verdict for its in placed if its.excess]
    off = sum(words.endswith("its NMSE") for words in verdicts)
    if verdicts:
        parts.append(
            f"{off} of {len(verdicts)} detectors within the curve are off the EER that it predicts"
        )
    return f"{'; '.join(parts)}." if parts else ""


def slope_words(main: Sequence[tuple[View, str]]) -> str:
    """Say how much steeper thermal is than visible, on either scale; empty without a control.

    Parameters
    ----------
    main : pairs of a protocol's View and the kind of displacement
    """
    words = []
    for scale, unit in UNITS.items():
        found = _known(main, f"{scale}_difference")
        if found:
            text = span(found, show=lambda value: signed(value, _two), inside=_two)
            verdict = separable(found) or "without an interval"
            words.append(f"{text} {unit}, {verdict}")
    return "; ".join(words)


def _known(main: Sequence[tuple[View, str]], metric: str) -> list[Value]:
    values = [view.get(DISPLACED, metric, subset=subset_of(kind)) for view, kind in main]
    return [value for value in values if value and value.known]


def _two(value: float) -> str:
    return fraction(value, digits=2)


def _slopes(view: View, kind: str, config: Mapping[str, Any]) -> str:
    rises = [view.get(DISPLACED, "eer_slope", subset=subset_of(kind, m)) for m in MODALITIES]
    thermal, visible = (_two(v.value) if v and v.known else "" for v in rises)
    difference = slope_words([(view, kind)])
    if not (thermal and visible and difference):
        return ""
    end = config.get("displacements", {}).get("linear_up_to")
    upto = f"Up to a displacement of {fraction(float(end), digits=2)}" if end else "At first"
    return (
        f"{upto} the equal error rate rises by {thermal} percentage points per .01 interocular "
        f"distances in thermal probes, and by {visible} in visible probes of the same moments. "
        f"Thermal − visible: {difference}."
    )


def _floor(view: View, kind: str) -> str:
    sides = both_sides(view, kind)
    if not sides:
        return ""
    first = sides["visible"][0].eer
    text = f"{percent(first.value)} {interval(first, rate=True)}".strip()
    least = percent_number(first.low if first.bounded else first.value)
    if least != percent_number(0.0):
        return f"Visible probes start at an equal error rate of {text}, above its floor of 0."
    return (
        f"Visible probes start at an equal error rate of {text}. A visible curve at its floor of 0 "
        "cannot show a small slope: what the difference then shows is that visible verification "
        "has a reserve, not how sensitive it is."
    )


def _monotone(view: View, kind: str) -> str:
    """Say whether the curve falls anywhere, against what displacement should do."""
    rises = view.curve(DISPLACED, "eer_rise", subset=subset_of(kind))
    if not any(value.bounded for _, value in rises):
        return ""
    falls = [fraction(at, digits=2) for at, value in rises if value.bounded and value.high < 0]
    if falls:
        return f"The thermal curve falls, by more than its interval, at {', '.join(falls)}."
    return "From level to level the thermal curve nowhere falls by more than its interval."


def _caption(view: View, kind: str, config: Mapping[str, Any]) -> str:
    curve, sides = response(view, kind), both_sides(view, kind)
    reach = config.get("displacements", {}).get("range")
    where = f", probes of Range {reach}" if reach else ""
    text = (
        f"Equal error rate over the NMSE of displaced points, {view.label}{where}, "
        f"{_spelt(kind)} displacement. Line: annotated points displaced by a known amount"
        + (f" (n = {number(curve[0].eer.n)} comparisons per level)" if curve else "")
        + ". Points: the detectors’ own NMSE and equal error rate; a triangle at the edge stands "
        "for an NMSE beyond the axis; a dotted frame holds what is drawn close up. "
    )
    if sides:
        n = ", ".join(f"{m} {number(points[0].eer.n)}" for m, points in sides.items())
        text += (
            "Visible control: only the moments whose visible image is not enrolled, in thermal and "
            f"visible probes alike (n: {n} comparisons per level). "
        )
    return f"{text}Bands and bars: 95 % interval of a bootstrap over subjects."


def _spelt(kind: str) -> str:
    return kind.replace("_", " ")


def _slope_table(view: View, measured: list[str]) -> Table | None:
    bodies = []
    for scale, title in SCALES.items():
        rows = [Row(_spelt(kind), _slope_cells(view, kind, scale)) for kind in measured]
        if any(cell.tone != "missing" for row in rows for cell in row.cells):
            bodies.append(Body(rows, title=title))
    if not bodies:
        return None
    return Table(
        caption=f"How steeply the equal error rate rises, by kind of displacement, {view.label}",
        head="Displacement",
        columns=["All thermal probes", *(m.capitalize() for m in MODALITIES), "Difference"],
        bodies=bodies,
        groups=[("", 1), ("Same moments", 3)],
        notes=[
            "Difference: thermal minus visible, paired. The normal deviate of a rate stretches the "
            f"scale near 0, where equal steps in percent are not equally hard. {INTERVALS}"
        ],
    )


def _slope_cells(view: View, kind: str, scale: str) -> list[Cell]:
    keys = [(scale, subset_of(kind, m)) for m in ("", *MODALITIES)]
    cells = [_slope_cell(view.get(DISPLACED, metric, subset=subset)) for metric, subset in keys]
    found = view.get(DISPLACED, f"{scale}_difference", subset=subset_of(kind))
    return [*cells, _slope_cell(found)]


def _slope_cell(value: Value | None) -> Cell:
    if value is None or not value.known:
        return Cell(MISSING, tone="missing")
    ends = between(value.low, value.high, show=_two) if value.bounded else ""
    return Cell(_two(value.value), ends)


def _level_table(view: View, measured: list[str]) -> Table:
    bodies = []
    for kind in measured:
        sides = {m: {p.level: p.eer for p in response(view, kind, m)} for m in MODALITIES}
        rows = [
            Row(
                fraction(point.level, digits=2),
                [
                    Cell(fraction(point.nmse)),
                    rate_cell(point.eer),
                    *(rate_cell(sides[m].get(point.level)) for m in MODALITIES),
                ],
            )
            for point in response(view, kind)
        ]
        bodies.append(Body(rows, title=_spelt(kind)))
    return Table(
        caption=f"Dose-response in numbers, {view.label}",
        head="Displacement",
        columns=["NMSE", "All thermal probes", *(m.capitalize() for m in MODALITIES)],
        bodies=[body for body in bodies if body.rows],
        groups=[("", 1), ("Equal error rate", 3)],
        notes=[
            "Displacement: mean over the moved landmarks, interocular distances; NMSE: over all "
            f"landmarks. Thermal, visible: the same moments. {INTERVALS}"
        ],
        folded="Dose-response in numbers",
        compact=True,
    )
