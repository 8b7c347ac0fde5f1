"""Matchers side by side: protocols that differ in nothing but their matcher, in every reading."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from thermalign.report.blocks import Block, Body, Cell, Chapter, Paragraph, Row, Table
from thermalign.report.layout import INTERVALS, plain_cell, points_cell, rate_cell
from thermalign.report.setup import READINGS
from thermalign.report.study import Study
from thermalign.report.views import Value, View
from thermalign.report.words import fraction, joined, percent, signed, spelt
from thermalign.schemas.keys import ANNOTATED

READING = (
    "Protocols that differ in nothing but their matcher: the same people train and are tested, on "
    "the same folds, and the same draws of people make the intervals. Probes are aligned by their "
    "annotated points, so that what differs is the matcher alone. What a network was trained on "
    "beside that says the configuration."
)
ABOVE = (
    "Second lines: minus the first matcher of the block, paired, unadjusted; rates in percentage "
    "points."
)
SLOPED = (
    "Slopes: what a displacement of the probes' points costs, per interocular distance of NMSE (of "
    "the EER in percentage points per .01); the chapter on landmark error has the curves."
)
BESIDE = ("matcher", "paper")
"""Keys in which protocols may differ whose matchers stand side by side."""

ABOVE_FIRST = "_above_first"
"""What stands behind the name of a metric in SUMMARY."""

SLOPES = {"eer_slope": "EER", "d_prime_slope": "d′"}
"""Metric to the title of its column."""


class Figure(NamedTuple):
    """A column: metric, title, abscissa; how it is shown, and how its difference is."""

    metric: str
    title: str
    at: float | None
    show: Callable[[Value | None], Cell]
    above: Callable[[Value | None], Cell]


def chapter(study: Study) -> Chapter | None:
    """Show matchers side by side, a table a reading; None where no two stand so.

    It reads SUMMARY of annotated points: eer, rank1, tar_at_far and what they take, the slopes of
    the experiment ``displacement``, and of all the difference to the first (``_above_first``).
    """
    groups = _groups(study)
    if not groups:
        return None
    others = [[view.other for view in group if view.other] for group in groups]
    sets = [groups, [group for group in others if len(group) > 1]]
    tables: list[Block] = [_table(study, its) for its in sets if its]
    return Chapter("matchers", "Matchers side by side", (), [Paragraph(READING), *tables])


def _groups(study: Study) -> list[list[View]]:
    """Return the views of protocols that differ in their matcher alone, two at least."""
    alike: dict[str, list[View]] = {}
    for view in study.views:
        block = study.config.get("protocols", {}).get(view.protocol.name, {})
        shared = {key: its for key, its in block.items() if key not in BESIDE}
        if block and view.get(ANNOTATED, "eer"):
            alike.setdefault(json.dumps(shared, sort_keys=True), []).append(view)
    return [
        sorted(group, key=_above_another)
        for group in alike.values()
        if any(v.protocol.matcher != group[0].protocol.matcher for v in group)
    ]


def _above_another(view: View) -> bool:
    """Say whether a protocol's matcher is compared with another's, which then comes first."""
    return view.get(ANNOTATED, f"eer{ABOVE_FIRST}") is not None


def _table(study: Study, groups: Sequence[Sequence[View]]) -> Table:
    """Lay out the matchers of every group; the first table's are of the headline reading."""
    first = groups[0][0]
    kind = next(study.main_kind(v) for v in study.views if v.label == first.label)
    figures = _figures(first, kind)
    bodies = [
        Body(
            [row for view in group for row in _rows(study, view, figures, kind)],
            title=spelt(group[0].protocol.dataset),
        )
        for group in groups
    ]
    sloped = sum(its.metric in SLOPES for its in figures)
    reading = [READINGS[its] for its in first.protocol.readings[:1] if its in READINGS]
    above = any(row.tone == "muted" for body in bodies for row in body.rows)
    return Table(
        caption=", ".join(["Matchers side by side", *reading]),
        head="Protocol",
        columns=["Matcher", *(its.title for its in figures)],
        bodies=bodies,
        groups=[("", 1), ("Verification", len(figures) - sloped), ("Slope over NMSE", sloped)]
        if sloped
        else [],
        notes=[joined([ABOVE if above else "", SLOPED if sloped else "", INTERVALS])],
    )


def _figures(view: View, kind: str) -> list[Figure]:
    """Return what is shown of every matcher: rates of verification, then slopes where measured."""
    rates = [Figure("eer", "Equal error rate", None, rate_cell, points_cell)]
    rates += [Figure("rank1", "Rank-1", None, rate_cell, points_cell)]
    for at in view.abscissas("tar_at_far"):
        value = view.get(ANNOTATED, "tar_at_far", at=at)
        if value and value.known:
            title = f"TAR at FAR {percent(at)}"
            rates.append(Figure("tar_at_far", title, at, rate_cell, points_cell))
    slopes = [Figure(name, title, None, _two, _above) for name, title in SLOPES.items()]
    return [*rates, *(its for its in slopes if view.dose(ANNOTATED, its.metric, kind))]


def _rows(study: Study, view: View, figures: Sequence[Figure], kind: str) -> list[Row]:
    """Return the row of a matcher, and where it is not the first that of its differences."""

    def get(metric: str, its: Figure) -> Value | None:
        if its.metric in SLOPES:
            return view.dose(ANNOTATED, metric, kind)
        return view.get(ANNOTATED, metric, at=its.at)

    own = {**study.setup.matcher, **view.protocol.matcher}
    parts = " + ".join(spelt(str(own[part])) for part in ("mapping", "classifier") if part in own)
    shown = [its.show(get(its.metric, its)) for its in figures]
    above = [its.above(get(f"{its.metric}{ABOVE_FIRST}", its)) for its in figures]
    rows = [Row(view.label, [Cell(parts, tone="words"), *shown])]
    if any(cell.tone != "missing" for cell in above):
        rows.append(Row("minus the first", [Cell(""), *above], tone="muted"))
    return rows


def _two(value: Value | None) -> Cell:
    return plain_cell(value, digits=2)


def _above(value: Value | None) -> Cell:
    """Show a difference of slopes with its sign."""
    cell = _two(value)
    if value is None or cell.tone == "missing":
        return cell
    return replace(cell, text=signed(value.value, lambda v: fraction(v, digits=2)))
