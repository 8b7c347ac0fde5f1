"""The key findings in sentences, from the tables; a sentence without its figures is not said."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from thermalign.report.cells import (
    MINUS,
    NBSP,
    between,
    fraction,
    interval,
    number,
    percent,
    percent_number,
)
from thermalign.report.names import subset_label
from thermalign.report.summary import Value, View

SIMULATED = (
    "The faces are simulated: absolute figures say nothing about real people. Compare models and "
    "settings with each other, and repeat the study on recorded faces before relying on a figure."
)


@dataclass(frozen=True)
class Finding:
    """What a protocol showed: its name and the sentences."""

    lead: str
    sentences: list[str]


def finding(view: View, differences: pd.DataFrame, spread: pd.DataFrame) -> Finding:
    """Say the main result of a protocol; no single training is named the best of its seeds."""
    said = [_lowest(view, spread), _by_range(view), _verification(view), _loss(view, differences)]
    return Finding(view.label, [sentence for sentence in said if sentence])


def uses_simulator(config: dict[str, Any]) -> bool:
    """Tell whether any configured dataset comes from the built-in simulator."""
    return _mentions(config.get("datasets", {}), "simulator")


def _mentions(node: Any, word: str) -> bool:
    if isinstance(node, dict):
        return any(_mentions(v, word) for item in node.items() for v in item)
    if isinstance(node, list | tuple):
        return any(_mentions(v, word) for v in node)
    return isinstance(node, str) and node == word


def _lowest(view: View, spread: pd.DataFrame) -> str:
    known, seeds = view.known("nmse", subset="all"), ""
    if not known:
        return "No landmark error was measured."
    several = spread[(spread["protocol"] == view.protocol) & spread["nmse"].notna()]
    if (several["n_seeds"] > 1).any():
        rows = several[["model", "nmse", "low", "high", "n_subjects"]]
        known = {row[0]: Value(*row[1:]) for row in rows.itertuples(index=False, name=None)}
        seeds = ", mean over training seeds"
    ranked = sorted(known, key=lambda m: known[m].value)
    measured = view.known("nmse", subset="all")
    images = number(measured.get(ranked[0], next(iter(measured.values()))).n)
    value, label = known[ranked[0]], view.looks[ranked[0]].label
    rest = "; ".join(f"{view.looks[m].label}{NBSP}{fraction(known[m].value)}" for m in ranked[1:])
    subject = f"{label} has the lowest NMSE" if rest else f"{label} has an NMSE of"
    figures = " ".join(filter(None, [fraction(value.value), interval(value)]))
    colon = ":" if rest else ""
    end = f" ({rest})." if rest else "."
    return _sentence(
        f"{subject}{colon} {figures} over {images} test images of all folds{seeds}{end}"
    )


def _by_range(view: View) -> str:
    ranges = view.ranges("nmse")
    if not ranges:
        return ""
    columns = [view.known("nmse", subset=subset) for subset in ranges]
    parts = [
        f"{look.label}{NBSP}{' → '.join(fraction(column[model].value) for column in columns)}"
        for model, look in view.looks.items()
        if all(model in column for column in columns)
    ]
    first, last = subset_label(ranges[0]), subset_label(ranges[-1])
    return f"NMSE from {first} to {last}: {'; '.join(parts)}." if parts else ""


def _summed_up(view: View) -> str | None:
    """Return the subset that stands for a protocol's verification: Range 1, as in the paper."""
    measured = view.subsets("eer")
    return next((s for s in ("range=1", "all") if s in measured), None)


def _verification(view: View) -> str:
    subset = _summed_up(view)
    if subset is None:
        return "No equal error rate was measured."
    known = view.known("eer", subset=subset)
    ranked = sorted((m for m in known if m != "annotated"), key=lambda m: known[m].value)
    parts = "; ".join(f"{view.looks[m].label}{NBSP}{percent(known[m].value)}" for m in ranked)
    where = "Equal error rate" + (f" at {subset_label(subset)}" if subset != "all" else "")
    if "annotated" not in known:
        return f"{where}: {parts}."
    value = known["annotated"]
    figures = " ".join(filter(None, [percent(value.value), interval(value, rate=True)]))
    lead = f"{where}: {figures} with probes aligned by annotated points"
    return f"{lead}; {parts}." if parts else f"{lead}."


def _loss(view: View, differences: pd.DataFrame) -> str:
    chosen = (differences["protocol"] == view.protocol) & (differences["metric"] == "eer")
    rows = differences[chosen & (differences["subset"] == _summed_up(view))]
    parts = {}
    columns = ["model_a", "model_b", "value", "low", "high"]
    for model_a, model_b, value, low, high in rows[columns].itertuples(index=False, name=None):
        if model_b == "annotated":
            parts[model_a] = (value, low, high)
        elif model_a == "annotated":
            parts[model_b] = (-value, -high, -low)
    said = [_points(view.looks[m].label, *parts[m]) for m in view.looks if m in parts]
    return (
        f"Equal error rate lost against annotated points, in percentage points: {'; '.join(said)}."
        if said
        else ""
    )


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _points(label: str, value: float, *ends: float) -> str:
    low, high = ends
    sign = "+" if value > 0 else MINUS if value < 0 else ""
    text = f"{label}{NBSP}{sign}{percent_number(abs(value))}"
    if not (math.isfinite(low) and math.isfinite(high)):
        return text
    verdict = "" if low > 0 or high < 0 else ", not separable"
    return f"{text} {between(low, high, show=percent_number)}{verdict}"
