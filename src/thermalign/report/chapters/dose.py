"""What landmark error costs: EER over displacement, the visible control, detectors placed on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thermalign.report.cells import Table, interval, number, percent, percent_number, signed
from thermalign.report.chapters.dose_curves import (
    DISPLACED,
    MODALITIES,
    both_sides,
    control_panels,
    has_d_prime,
    kind_panels,
    kinds,
    level_table,
    placements,
    response,
    slope_table,
    spelt,
    subset_of,
    two,
)
from thermalign.report.chapters.people import verified
from thermalign.report.chapters.placement import (
    placement_panels,
    placement_sentence,
    placement_table,
)
from thermalign.report.figures import Panel, Seeds
from thermalign.report.summary import Value, View
from thermalign.report.wording import separable, span

UNITS = {
    "d_prime_slope": "of d′ per interocular distance",
    "eer_slope": "percentage points per .01",
    "probit_slope": "normal deviates per interocular distance",
}
"""Metric to its unit over interocular distances of NMSE; the headline first."""


TOLD = {
    "d_prime_slope": ("d′", "per interocular distance of NMSE", ("d_prime_slope",)),
    "eer_slope": (
        "the equal error rate",
        "percentage points per .01 interocular distances",
        ("eer_slope", "probit_slope"),
    ),
}
"""Metric to what changes, its unit, and the scales of the difference said with it."""


@dataclass(frozen=True)
class DoseChapter:
    """What the page shows of one protocol under displaced landmarks.

    ``control`` tells whether visible probes were displaced too.
    """

    label: str
    control: bool
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
    placed = placement_panels(view, main, seeds=seeds)
    tables = [
        placement_table(view, measured),
        slope_table(view, measured),
        level_table(view, measured),
    ]
    said = [
        *_slopes(view, main, config),
        _floor(view, main),
        _monotone(view, main),
        placement_sentence(view, main, seeds=seeds),
    ]
    return DoseChapter(
        label=view.label,
        control=bool(both_sides(view, main)),
        sentences=[sentence for sentence in said if sentence],
        main=[*placed, *control_panels(view, main)],
        caption=_caption(view, main, config, close_up=len(placed) > 1),
        kinds=kind_panels(view, measured) if len(measured) > 1 else [],
        tables=[table for table in tables if table],
    )


def main_kind(view: View, config: Mapping[str, Any]) -> str:
    """Return the first kind that detectors are placed on, or else the first measured."""
    measured = kinds(view, config)
    return next((kind for kind in measured if placements(view, kind)), next(iter(measured), ""))


def dose_finding(views: Sequence[View], config: Mapping[str, Any]) -> str:
    """Say in one line what landmark error costs; empty where no displaced points were matched.

    It rests on d′; on the equal error rate where a study has no d′.
    """
    main = [(view, main_kind(view, config)) for view in views]
    apart, slopes = _known(main, "d_prime_slope"), _known(main, "eer_slope")
    parts = []
    if apart:
        change = span(apart, show=_signed, inside=two)
        parts.append(
            f"landmark error changes d′ of thermal probes by {change} per interocular distance "
            "of NMSE"
        )
    if slopes:
        rise = f"{span(slopes, show=two)} points of EER per .01 of NMSE"
        parts.append(
            f"it costs {rise}" if apart else f"landmark error costs {rise} in thermal probes"
        )
    scales = ["d_prime_slope"] if _known(main, "d_prime_slope_difference") else list(UNITS)
    difference = slope_words(main, scales)
    parts += [f"thermal − visible {difference}"] if difference else []
    placed = [its for view, kind in main for its in placements(view, kind).values()]
    verdicts = [its.verdict for its in placed if its.excess and its.excess.bounded]
    off = sum(words.endswith("its NMSE") for words in verdicts)
    if verdicts:
        parts.append(
            f"{off} of {len(verdicts)} detectors within the curve are off the EER that it predicts "
            "(unadjusted)"
        )
    return f"{'; '.join(parts)}." if parts else ""


def slope_words(main: Sequence[tuple[View, str]], scales: Sequence[str] = tuple(UNITS)) -> str:
    """Say how thermal slopes differ from visible ones by scale; empty without a control.

    Parameters
    ----------
    main : pairs of a protocol's View and the kind of displacement
    scales : metrics of ``UNITS``
    """
    words = []
    for scale in scales:
        found = _known(main, f"{scale}_difference")
        if found:
            text = span(found, show=_signed, inside=two)
            verdict = separable(found) or "without an interval"
            words.append(f"{text} {UNITS[scale]}, {verdict}")
    return "; ".join(words)


def _known(main: Sequence[tuple[View, str]], metric: str) -> list[Value]:
    values = [view.get(DISPLACED, metric, subset=subset_of(kind)) for view, kind in main]
    return [value for value in values if value and value.known]


def _signed(value: float) -> str:
    return signed(value, two)


def _slopes(view: View, kind: str, config: Mapping[str, Any]) -> list[str]:
    """Say both modalities' slopes and their difference: of d′, then of the equal error rate."""
    end = config.get("displacements", {}).get("linear_up_to")
    upto = f"Up to a displacement of {two(float(end))}," if end else "At first,"
    said = []
    for scale, (what, unit, differences) in TOLD.items():
        sides = [view.get(DISPLACED, scale, subset=subset_of(kind, m)) for m in MODALITIES]
        changes = [_signed(value.value) for value in sides if value and value.known]
        difference = slope_words([(view, kind)], differences)
        if len(changes) == len(MODALITIES) and difference:
            said.append(
                f"{upto} {what} changes by {changes[0]} {unit} in thermal probes, and by "
                f"{changes[1]} in visible probes of the same moments. Thermal − visible: "
                f"{difference}."
            )
    return said


def _floor(view: View, kind: str) -> str:
    sides = both_sides(view, kind)
    if not sides:
        return ""
    first = sides["visible"][0].eer
    text = f"{percent(first.value)} {interval(first, rate=True)}".strip()
    least = percent_number(first.low if first.bounded else first.value)
    start = f"Visible probes start at an equal error rate of {text}"
    if least != percent_number(0.0):
        return f"{start}, above its floor of 0."
    if has_d_prime(sides):
        return f"{start}. At its floor of 0 the rate cannot show a small slope; d′ has no floor."
    return (
        f"{start}. A visible curve at its floor of 0 "
        "cannot show a small slope: what the difference then shows is that visible verification "
        "has a reserve, not how sensitive it is."
    )


def _monotone(view: View, kind: str) -> str:
    """Say whether the curve falls anywhere, against what displacement should do."""
    rises = [(at, v) for at, v in view.curve(DISPLACED, "eer_rise", subset=subset_of(kind))]
    falls = [two(at) for at, value in rises if value.bounded and value.high < 0]
    if falls:
        return f"The thermal curve falls, by more than its interval, at {', '.join(falls)}."
    if not rises or not all(value.bounded for _, value in rises):
        return ""
    return "From level to level the thermal curve nowhere falls by more than its interval."


def _caption(view: View, kind: str, config: Mapping[str, Any], *, close_up: bool) -> str:
    curve, sides = response(view, kind), both_sides(view, kind)
    reach = config.get("displacements", {}).get("range")
    where = f", probes of Range {reach}" if reach else ""
    parts = [
        f"Equal error rate over the NMSE of displaced points, {verified(view)}{where}, "
        f"{spelt(kind)} displacement. Line: annotated points displaced by a known amount"
        + (f" (n = {number(curve[0].eer.n)} comparisons per level)." if curve else ".")
    ]
    if placements(view, kind):
        parts.append(
            "Points: the detectors’ own NMSE and equal error rate; a triangle at the edge stands "
            "for an NMSE beyond the axis."
        )
    parts += ["A dotted frame holds what is drawn close up."] if close_up else []
    if sides:
        n = ", ".join(f"{m} {number(points[0].eer.n)}" for m, points in sides.items())
        whose = "thermal and visible probes of the same moments, none meeting its own"
        if view.readings[:1] != ("exclude",):
            whose = (
                "only the moments whose visible image is not enrolled, in thermal and visible "
                "probes alike"
            )
        drawn = "d′ and equal error rate of " if has_d_prime(sides) else ""
        parts.append(f"Visible control: {drawn}{whose} (n: {n} comparisons per level).")
    return " ".join([*parts, "Bands and bars: 95 % interval of a bootstrap over subjects."])
