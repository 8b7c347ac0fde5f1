"""The matcher's parts: the EER of other matchers on the same faces, controls, settings swept."""

from collections.abc import Mapping
from typing import Any

from thermalign.report.blocks import Body, Cell, Chapter, Part, Row, Table
from thermalign.report.layout import INTERVALS, points_cell, rate_cell
from thermalign.report.setup import Setup
from thermalign.report.study import Study
from thermalign.report.views import Value, View, by_number
from thermalign.report.words import MISSING, THIN, number, spelt, subset_label
from thermalign.schemas.keys import ALL, ANNOTATED, MATCHER, STUDY, SWEEP, Subset

SECOND_LINES = (
    "Second lines: difference to the matcher as configured, in percentage points, on the same "
    "probes and draws of subjects, unadjusted. "
)
CONTROL = (
    "Control: the gallery’s people are permuted, so that a matcher can know nobody. Its equal "
    f"error rate should be chance, 50{THIN}%; an interval that leaves chance out hints at a leak."
)
FITTED = (
    "Fitted to: test subjects of the fold among those that principal components, mappings and "
    "cross-examples were fitted to, checked in every fold. It has to be 0; rates of any other "
    "matcher are not to be trusted."
)


def chapter(study: Study) -> Chapter | None:
    """Compare the matcher with others, a part per protocol; None where none was measured.

    It reads SUMMARY of annotated points: eer, eer_above_study and shared_subjects of the
    experiments ``matcher`` and ``sweep``.
    """
    parts = []
    for view in study.views:
        tables = [matcher_table(view, study.setup), sweep_table(view, study.setup)]
        shown = [table for table in tables if table]
        if shown:
            parts.append(Part(view.label, shown, view.protocol.name))
    return Chapter("ablation", "The matcher’s parts", parts) if parts else None


def matcher_table(view: View, setup: Setup) -> Table | None:
    """Lay out the equal error rates of other matchers by range, controls last; None without any."""
    names = _ordered(view, MATCHER, setup.ablation)
    if not names:
        return None
    controls = [name for name in names if name in setup.permuted]
    checked = any(_known(view, MATCHER, name, "shared_subjects") for name in names)
    subsets = _subsets(view, MATCHER)
    own = {**setup.matcher, **view.protocol.matcher}
    blocks = {STUDY: _words(own), **setup.ablation}
    bodies = [
        Body(
            [
                row
                for name in some
                for row in _rows(view, MATCHER, name, blocks, subsets=subsets, checked=checked)
            ],
            title,
        )
        for some, title in (
            ([name for name in names if name not in controls], ""),
            (controls, "Control"),
        )
        if some
    ]
    return Table(
        caption="Equal error rate of other matchers, probes aligned by annotated points, "
        f"{view.verified}",
        head="Matcher",
        columns=["Settings", *map(subset_label, subsets), *(["Fitted to"] if checked else [])],
        bodies=bodies,
        notes=[
            _note(bodies),
            *([FITTED] if checked else []),
            *([CONTROL] if controls else []),
        ],
    )


def sweep_table(view: View, setup: Setup) -> Table | None:
    """Lay out the equal error rates of other settings among training subjects; None without."""
    names = _ordered(view, SWEEP, setup.sweep)
    if not names:
        return None
    subsets = _subsets(view, SWEEP)
    own = {**setup.matcher, **view.protocol.matcher}
    blocks = {STUDY: _words(own), **setup.sweep}
    rows = [
        row
        for name in names
        for row in _rows(view, SWEEP, name, blocks, subsets=subsets, checked=False)
    ]
    bodies = [Body(rows)]
    return Table(
        caption=f"Equal error rate of other settings, among training subjects, {view.label}",
        head="Matcher",
        columns=["Settings", *map(subset_label, subsets)],
        bodies=bodies,
        notes=[_note(bodies)],
    )


def _ordered(view: View, experiment: str, configured: Mapping[str, Any]) -> list[str]:
    """Return the matchers with an EER: the study's, then as configured, then any others."""
    measured = view.settings(experiment, "eer")
    return [n for n in dict.fromkeys([STUDY, *configured, *measured]) if n in measured]


def _known(
    view: View, experiment: str, name: str, metric: str, subset: Subset = ALL
) -> Value | None:
    value = view.get(ANNOTATED, metric, subset._replace(experiment=experiment, setting=name))
    return value if value and value.known else None


def _subsets(view: View, experiment: str) -> list[Subset]:
    """Return the subsets that matchers were measured on: near to far, then all images."""
    found = {
        subset
        for name in view.settings(experiment, "eer")
        for subset in view.within(experiment=experiment, setting=name).subsets("eer")
    }
    ranges = by_number(subset for subset in found if subset != ALL)
    return [*ranges, ALL] if len(ranges) > 1 else [ALL]  # one range is all images


def _rows(
    view: View,
    experiment: str,
    name: str,
    blocks: Mapping[str, Mapping[str, Any]],
    *,
    subsets: list[Subset],
    checked: bool,
) -> list[Row]:
    rates, above = (
        [_known(view, experiment, name, metric, s) for s in subsets]
        for metric in ("eer", "eer_above_study")
    )
    leaks = _known(view, experiment, name, "shared_subjects")
    fitted = Cell(number(leaks.value)) if leaks else Cell(MISSING, tone="missing")
    settings = Cell(_settings(blocks.get(name, {})), tone="words")
    head = "as configured" if name == STUDY else spelt(name)
    rows = [Row(head, [settings, *map(rate_cell, rates), *([fitted] if checked else [])])]
    if any(above):
        cells = [Cell(""), *map(points_cell, above), *([Cell("")] if checked else [])]
        rows.append(Row("minus as configured", cells, tone="muted"))
    return rows


def _note(bodies: list[Body]) -> str:
    compared = any(row.tone == "muted" for body in bodies for row in body.rows)
    return (SECOND_LINES if compared else "") + INTERVALS


def _words(matcher: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return of the study's own matcher what its block says in one word."""
    return {key: value for key, value in matcher.items() if isinstance(value, str)}


def _settings(block: Mapping[str, Any]) -> str:
    """Say what a matcher's block overrides."""
    return ", ".join(
        spelt(key) if value is True else f"{spelt(key)} {_value(value)}"
        for key, value in block.items()
    )


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{spelt(key)} {_value(v)}" for key, v in value.items())
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
