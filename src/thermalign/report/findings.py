"""The key findings in sentences, from the tables; a sentence without its figures is not said."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from thermalign.report.cells import MINUS, fraction, interval, number, percent, percent_number
from thermalign.report.names import Look, protocol_label, subset_label
from thermalign.report.summary import Summary, Value

Looks = dict[str, Look]

SIMULATED = (
    "The faces are simulated: absolute figures say nothing about real people. Compare models and "
    "settings with each other, and repeat the study on recorded faces before relying on a figure."
)


@dataclass(frozen=True)
class Finding:
    """What a protocol showed: its name and the sentences."""

    lead: str
    sentences: list[str]


def findings(summary: Summary, differences: pd.DataFrame, looks: Looks) -> list[Finding]:
    """Say the main result of every protocol."""
    found = []
    for protocol in summary.protocols:
        said = [
            _lowest(summary, protocol, looks),
            _by_range(summary, protocol, looks),
            _verification(summary, protocol, looks),
            _loss(summary, differences, protocol, looks),
        ]
        found.append(Finding(protocol_label(protocol), [s for s in said if s]))
    return found


def uses_simulator(config: dict[str, Any]) -> bool:
    """Tell whether any configured dataset comes from the built-in simulator."""
    return _mentions(config.get("datasets", {}), "simulator")


def verification_subset(summary: Summary, protocol: str, metric: str = "eer") -> str | None:
    """Return the subset a protocol's verification is summed up by: Range 1, else all, else None."""
    measured = summary.subsets(protocol, metric)
    return next((s for s in ("range=1", "all") if s in measured), None)


def _mentions(node: Any, word: str) -> bool:
    if isinstance(node, dict):
        return any(_mentions(v, word) for item in node.items() for v in item)
    if isinstance(node, list | tuple):
        return any(_mentions(v, word) for v in node)
    return isinstance(node, str) and node == word


def _known(
    summary: Summary, protocol: str, subset: str, metric: str, looks: Looks
) -> dict[str, Value]:
    values = {m: summary.get(protocol, m, subset, metric) for m in looks}
    return {m: v for m, v in values.items() if v is not None and v.known}


def _lowest(summary: Summary, protocol: str, looks: Looks) -> str:
    known = _known(summary, protocol, "all", "nmse", looks)
    if not known:
        return "No landmark error was measured."
    ranked = sorted(known, key=lambda m: (known[m].value, m))
    value = known[ranked[0]]
    reach = f" {interval(value)}" if interval(value) else ""
    rest = "; ".join(f"{looks[m].label} {fraction(known[m].value)}" for m in ranked[1:])
    subject = f"{looks[ranked[0]].label} has the lowest NMSE" if rest else looks[ranked[0]].label
    lead = f"{subject}: {fraction(value.value)}{reach} over {number(value.n)} test images"
    return f"{lead} ({rest})." if rest else f"{lead}."


def _by_range(summary: Summary, protocol: str, looks: Looks) -> str:
    ranges = summary.ranges(protocol, "nmse")
    if len(ranges) < 2:
        return ""
    parts = []
    for model, look in looks.items():
        values = [summary.get(protocol, model, subset, "nmse") for subset in ranges]
        known = [v.value for v in values if v is not None and v.known]
        if len(known) == len(ranges):
            parts.append(f"{look.label} {', '.join(fraction(v) for v in known)}")
    first, last = subset_label(ranges[0]), subset_label(ranges[-1])
    return f"NMSE from {first} to {last}: {'; '.join(parts)}." if parts else ""


def _verification(summary: Summary, protocol: str, looks: Looks) -> str:
    subset = verification_subset(summary, protocol)
    if subset is None:
        return "No equal error rate was measured."
    known = _known(summary, protocol, subset, "eer", looks)
    ranked = sorted((m for m in known if m != "annotated"), key=lambda m: (known[m].value, m))
    parts = [f"{looks[m].label} {percent(known[m].value)}" for m in ranked]
    where = "Equal error rate" + (f" at {subset_label(subset)}" if subset != "all" else "")
    if "annotated" not in known:
        return f"{where}: {', '.join(parts)}."
    value = known["annotated"]
    reach = f" {interval(value, rate=True)}" if interval(value) else ""
    lead = f"{where}: {percent(value.value)}{reach} when probes are aligned by annotated points"
    return f"{lead}; {', '.join(parts)}." if parts else f"{lead}."


def _loss(summary: Summary, differences: pd.DataFrame, protocol: str, looks: Looks) -> str:
    subset = verification_subset(summary, protocol)
    wanted = (differences["protocol"] == protocol) & (differences["metric"] == "eer")
    rows = differences[wanted & (differences["subset"] == subset)]
    parts = {}
    columns = ["model_a", "model_b", "value", "low", "high"]
    for model_a, model_b, value, low, high in rows[columns].itertuples(index=False, name=None):
        if model_b == "annotated":
            parts[model_a] = (value, low, high)
        elif model_a == "annotated":
            parts[model_b] = (-value, -high, -low)
    said = [_points(looks[m].label, *parts[m]) for m in looks if m in parts]
    if not said:
        return ""
    return f"Against annotated points, in percentage points of that rate: {'; '.join(said)}."


def _points(label: str, value: float, low: float, high: float) -> str:
    sign = "+" if value > 0 else MINUS if value < 0 else ""
    text = f"{label} {sign}{percent_number(abs(value))}"
    if not (math.isfinite(low) and math.isfinite(high)):
        return text
    verdict = "" if low > 0 or high < 0 else ", not separable"
    return f"{text} [{percent_number(low)}, {percent_number(high)}]{verdict}"
