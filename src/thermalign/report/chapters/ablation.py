"""The matcher's parts: the EER of other matchers on the same faces, controls, settings swept."""

from collections.abc import Mapping, Sequence
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
    percent,
    percent_number,
    rate_cell,
    signed,
)
from thermalign.report.chapters.people import verified
from thermalign.report.names import subset_label, subset_parts
from thermalign.report.summary import Value, View, by_number
from thermalign.report.tables import INTERVALS
from thermalign.report.wording import separable, span

STUDY = "study"
"""Name of the matcher as configured, which the others are compared with."""


POINTS = "annotated"
"""The model whose points align the probes of every matcher."""


CHANCE = 0.5


SECOND_LINES = (
    "Second lines: difference to the matcher as configured, in percentage points, on the same "
    "probes and draws of subjects, unadjusted. "
)


BLOCKS = {"matcher": "ablation", "sweep": "sweep"}
"""Column of a subset to the block of the configuration that names its values."""


@dataclass(frozen=True)
class AblationChapter:
    """What the page shows of one protocol's other matchers."""

    label: str
    controls: list[str]
    tables: list[Table]


def ablation_chapter(view: View, config: Mapping[str, Any]) -> AblationChapter | None:
    """Return the chapter of a protocol; None where no matcher of the ablation was measured."""
    names, swept = matchers(view, config), matchers(view, config, of="sweep")
    if not names and not swept:
        return None
    said = [*_permuted(view, config), *_shared(view, names)]
    others = (
        f"Equal error rate of other matchers, probes aligned by annotated points, {verified(view)}"
    )
    settings = f"Equal error rate of other settings, among training subjects, {view.label}"
    tables = [
        _table(view, names, config, of="matcher", caption=others),
        _table(view, swept, config, of="sweep", caption=settings),
    ]
    return AblationChapter(view.label, said, [table for table in tables if table])


def matchers(view: View, config: Mapping[str, Any], *, of: str = "matcher") -> list[str]:
    """Return the matchers with an EER: the study's, then as configured, then any others."""
    measured = dict.fromkeys(subset_parts(s).get(of, "") for s in view.subsets("eer"))
    ordered = dict.fromkeys([STUDY, *map(str, config.get(BLOCKS[of], {})), *measured])
    return [name for name in ordered if name and name in measured]


def permuted(config: Mapping[str, Any]) -> list[str]:
    """Return the configured matchers that are fitted to permuted labels."""
    blocks = config.get("ablation", {}).items()
    return [str(name) for name, block in blocks if "permutations" in block]


def of_matcher(
    view: View, name: str, metric: str, *, subset: str = "all", of: str = "matcher"
) -> Value | None:
    """Return a known value of a matcher, or None."""
    whole = f"{of}={name}" if subset == "all" else f"{of}={name}&{subset}"
    value = view.get(POINTS, metric, subset=whole)
    return value if value and value.known else None


def spelt(name: str) -> str:
    """Spell a matcher's name."""
    return "as configured" if name == STUDY else name.replace("_", " ")


def ablation_finding(views: Sequence[View], config: Mapping[str, Any]) -> str:
    """Say in one line what the other matchers cost, and the controls; empty without any."""
    controls = permuted(config)
    names = dict.fromkeys(name for view in views for name in matchers(view, config))
    parts = []
    for name in (name for name in names if name not in controls):
        found = _known(views, name, "eer_above_study")
        if found:
            text = span(found, show=lambda v: signed(v, percent_number), inside=percent_number)
            verdict = separable(found)
            silent = not verdict or (len(found) == 1 and found[0].apart)
            parts.append(f"{spelt(name)}{NBSP}{text}" + ("" if silent else f", {verdict}"))
    lead = "other matchers against the configured one, in points of EER: " if parts else ""
    rates = [rate for name in controls for rate in _known(views, name, "eer")]
    if rates:
        text = span(rates, show=percent, inside=percent_number)
        parts.append(f"permuted labels give {text}")
    return f"{lead}{'; '.join(parts)}." if parts else ""


def _known(views: Sequence[View], name: str, metric: str) -> list[Value]:
    values = (of_matcher(view, name, metric) for view in views)
    return [value for value in values if value]


def _permuted(view: View, config: Mapping[str, Any]) -> list[str]:
    said = []
    for name in permuted(config):
        value = of_matcher(view, name, "eer")
        if value is None:
            continue
        text = f"{percent(value.value)} {interval(value, rate=True)}".strip()
        lead = f"With the gallery’s people permuted ({spelt(name)}) the equal error rate is {text}"
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
    leaks = [spelt(name) for name, value in known.items() if value.value != 0]
    if leaks:
        return [
            "Test subjects were among those that these matchers were fitted to: "
            f"{', '.join(leaks)}. Their rates are not to be trusted."
        ]
    return [
        "Principal components, mappings and cross-examples were fitted to no test subject of the "
        f"fold: checked in {len(known)} matchers, each in every fold."
    ]


def _table(
    view: View, names: list[str], config: Mapping[str, Any], *, of: str, caption: str
) -> Table | None:
    subsets = _subsets(view, of)
    controls = [name for name in names if name in permuted(config)]
    parts = [([n for n in names if n not in controls], ""), (controls, "Control")]
    bodies = [
        Body([row for name in some for row in _rows(view, name, subsets, config, of=of)], title)
        for some, title in parts
        if some
    ]
    if not bodies:
        return None
    compared = any(row.tone == "muted" for body in bodies for row in body.rows)
    return Table(
        caption=caption,
        head="Matcher",
        columns=["Settings", *map(subset_label, subsets)],
        bodies=bodies,
        notes=[(SECOND_LINES if compared else "") + INTERVALS],
    )


def _subsets(view: View, of: str) -> list[str]:
    """Return the subsets of the matchers, near to far, then all images."""
    parts = (s.partition("&")[2] or "all" for s in view.subsets("eer") if s.startswith(f"{of}="))
    found = dict.fromkeys(parts)
    ranges = by_number(s for s in found if s != "all")
    return [*ranges, "all"] if len(ranges) > 1 else ["all"]  # one range is all images


def _rows(
    view: View, name: str, subsets: list[str], config: Mapping[str, Any], *, of: str
) -> list[Row]:
    rates, above = (
        [of_matcher(view, name, metric, subset=s, of=of) for s in subsets]
        for metric in ("eer", "eer_above_study")
    )
    settings = Cell(_settings(name, config, of=of), tone="words")
    rows = [Row(spelt(name), [settings, *map(rate_cell, rates)])]
    if any(above):
        cells = [_above_cell(value) for value in above]
        rows.append(Row("minus as configured", [Cell(""), *cells], tone="muted"))
    return rows


def _above_cell(value: Value | None) -> Cell:
    if value is None:
        return Cell(MISSING, tone="missing")
    return Cell(signed(value.value, percent_number), interval(value, rate=True))


def _settings(name: str, config: Mapping[str, Any], *, of: str) -> str:
    """Say what a matcher's block overrides; of the study's own, what its block says in one word."""
    block: Mapping[str, Any] = config.get(BLOCKS[of], {}).get(name, {})
    if name == STUDY:
        block = {k: v for k, v in config.get("matcher", {}).items() if isinstance(v, str)}
    words = [k if v is True else f"{k.replace('_', ' ')} {_value(v)}" for k, v in block.items()]
    return ", ".join(words)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key.replace('_', ' ')} {_value(v)}" for key, v in value.items())
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
