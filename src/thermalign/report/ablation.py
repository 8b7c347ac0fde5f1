"""The matcher's parts: the EER of other matchers on the same faces, and the controls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thermalign.report.cells import (
    MISSING,
    NBSP,
    Body,
    Cell,
    Row,
    Table,
    interval,
    number,
    percent,
    percent_number,
    rate_cell,
    signed,
)
from thermalign.report.names import subset_label, subset_parts
from thermalign.report.summary import Value, View, by_number
from thermalign.report.tables import INTERVALS

STUDY = "study"
"""Name of the matcher as configured, which the others are compared with."""

POINTS = "annotated"
"""The model whose points align the probes of every matcher."""

CHANCE = 0.5


@dataclass(frozen=True)
class AblationChapter:
    """What the page shows of one protocol's other matchers."""

    label: str
    controls: list[str]
    table: Table


def ablation_chapter(view: View, config: Mapping[str, Any]) -> AblationChapter | None:
    """Return the chapter of a protocol; None where no matcher of the ablation was measured."""
    names = matchers(view, config)
    if not names:
        return None
    said = [*_permuted(view, config), *_shared(view, names)]
    return AblationChapter(view.label, said, _table(view, names, config))


def matchers(view: View, config: Mapping[str, Any]) -> list[str]:
    """Return the matchers with an EER: the study's, then as configured, then any others."""
    measured = dict.fromkeys(subset_parts(s).get("matcher", "") for s in view.subsets("eer"))
    ordered = dict.fromkeys([STUDY, *map(str, config.get("ablation", {})), *measured])
    return [name for name in ordered if name and name in measured]


def permuted(config: Mapping[str, Any]) -> list[str]:
    """Return the configured matchers that are fitted to permuted labels."""
    blocks = config.get("ablation", {}).items()
    return [str(name) for name, block in blocks if block.get("permuted")]


def of_matcher(view: View, name: str, metric: str, *, subset: str = "all") -> Value | None:
    """Return a known value of a matcher, or None."""
    whole = f"matcher={name}" if subset == "all" else f"matcher={name}&{subset}"
    value = view.get(POINTS, metric, subset=whole)
    return value if value and value.known else None


def spelt(name: str) -> str:
    """Spell a matcher's name."""
    return "as configured" if name == STUDY else name.replace("_", " ")


def difference_words(value: Value) -> str:
    """Print a difference in percentage points with its interval, and whether it is separable."""
    text = signed(value.value, percent_number)
    if not value.bounded:
        return text
    verdict = "" if value.low > 0 or value.high < 0 else ", not separable"
    return f"{text} {interval(value, rate=True)}{verdict}"


def ablation_finding(view: View, config: Mapping[str, Any]) -> str:
    """Say in one line what the other matchers cost, and the controls; empty without any."""
    names = matchers(view, config)
    controls = permuted(config)
    above = {name: of_matcher(view, name, "eer_above_study") for name in names}
    parts = [
        f"{spelt(name)}{NBSP}{difference_words(value)}"
        for name, value in above.items()
        if value and name not in controls
    ]
    rates = {name: of_matcher(view, name, "eer") for name in controls}
    checks = [
        f"permuted labels give {percent(value.value)} {interval(value, rate=True)}".strip()
        for value in rates.values()
        if value
    ]
    lead = "other matchers against the configured one, in points of EER: " if parts else ""
    said = [*parts, *checks]
    return f"{lead}{'; '.join(said)}." if said else ""


def _permuted(view: View, config: Mapping[str, Any]) -> list[str]:
    said = []
    for name in permuted(config):
        value = of_matcher(view, name, "eer")
        if value is None:
            continue
        text = f"{percent(value.value)} {interval(value, rate=True)}".strip()
        lead = (
            f"Fitted to permuted labels ({spelt(name)}), the matcher’s equal error rate is {text}"
        )
        if not value.bounded:
            said.append(f"{lead}; without an interval it cannot be held against 50 %.")
        elif value.low <= CHANCE <= value.high:
            said.append(f"{lead}: chance, 50 %, lies within its interval.")
        else:
            said.append(f"{lead}: chance, 50 %, lies outside its interval, which hints at a leak.")
    return said


def _shared(view: View, names: list[str]) -> list[str]:
    counts = {name: of_matcher(view, name, "shared_subjects") for name in names}
    known = {name: value for name, value in counts.items() if value}
    if not known:
        return []
    fits = number(sum(value.n for value in known.values()))
    leaks = [spelt(name) for name, value in known.items() if value.value != 0]
    if leaks:
        return [
            f"Test subjects took part in fits of these matchers: {', '.join(leaks)}. "
            "Their rates are not to be trusted."
        ]
    return [
        f"No test subject took part in any of the {fits} fits that were checked (principal "
        "components, mapping, cross-examples)."
    ]


def _table(view: View, names: list[str], config: Mapping[str, Any]) -> Table:
    subsets = _subsets(view)
    controls = [name for name in names if name in permuted(config)]
    bodies = [Body(_rows(view, [n for n in names if n not in controls], subsets, config))]
    if controls:
        bodies.append(Body(_rows(view, controls, subsets, config), title="Control"))
    return Table(
        caption=f"Equal error rate of other matchers, probes aligned by annotated points, "
        f"{view.label}",
        head="Matcher",
        columns=["Settings", *map(subset_label, subsets)],
        bodies=[body for body in bodies if body.rows],
        notes=[
            "Second lines: difference to the matcher as configured, in percentage points, on the "
            f"same probes and draws of subjects. {INTERVALS}"
        ],
    )


def _subsets(view: View) -> list[str]:
    """Return the subsets of the matchers, near to far, then all images."""
    parts = (s.partition("&")[2] or "all" for s in view.subsets("eer") if s.startswith("matcher="))
    found = dict.fromkeys(parts)
    ranges = by_number(s for s in found if s != "all")
    return [*ranges, "all"] if "all" in found and len(ranges) > 1 else list(found)


def _rows(view: View, names: list[str], subsets: list[str], config: Mapping[str, Any]) -> list[Row]:
    rows = []
    for name in names:
        rates = [rate_cell(of_matcher(view, name, "eer", subset=s)) for s in subsets]
        rows.append(Row(spelt(name), [Cell(_differs(name, config), tone="words"), *rates]))
        above = [of_matcher(view, name, "eer_above_study", subset=s) for s in subsets]
        if any(above):
            cells = [_above_cell(value) for value in above]
            rows.append(Row("minus as configured", [Cell(""), *cells], tone="muted"))
    return rows


def _above_cell(value: Value | None) -> Cell:
    if value is None:
        return Cell(MISSING, tone="missing")
    return Cell(signed(value.value, percent_number), interval(value, rate=True))


def _differs(name: str, config: Mapping[str, Any]) -> str:
    """Say what a matcher's block overrides; of the study's own, what its block says in one word."""
    block = config.get("matcher", {}) if name == STUDY else config.get("ablation", {}).get(name, {})
    named = {k: v for k, v in block.items() if isinstance(v, str | bool) or name != STUDY}
    words = [k if v is True else f"{k.replace('_', ' ')} {v}" for k, v in named.items()]
    return ", ".join(words)
