"""The key findings in sentences, from the tables; a sentence without its figures is not said."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from thermalign.report.ablation import ablation_finding
from thermalign.report.cells import (
    NBSP,
    fraction,
    interval,
    number,
    percent,
    percent_number,
    signed,
)
from thermalign.report.dose import dose_finding
from thermalign.report.figures import Seeds
from thermalign.report.names import subset_label
from thermalign.report.summary import Value, View
from thermalign.report.wording import extent, separable, span

SIMULATED = (
    "The faces are simulated: absolute figures say nothing about real people. Compare models and "
    "settings with each other, and repeat the study on recorded faces before relying on a figure."
)

MOST_PROTOCOLS = 2
"""Protocols up to this many have sentences of their own; more share them."""


@dataclass(frozen=True)
class Finding:
    """What one or several protocols showed: their names and the sentences."""

    lead: str
    sentences: list[str]


@dataclass(frozen=True)
class Sources:
    """What findings are told from, beside SUMMARY.

    Attributes
    ----------
    differences, spread : DataFrame of DIFFERENCES, SPREAD
    config : dict
    seeds : dict
        Name under ``models:`` and training seed, by the name of a training.
    """

    differences: pd.DataFrame
    spread: pd.DataFrame
    config: Mapping[str, Any]
    seeds: Seeds


def findings(plain: list[View], every: list[View], sources: Sources) -> list[Finding]:
    """Say the main results: a line per model, over all its training seeds.

    Parameters
    ----------
    plain, every : lists of View, one per protocol
        Without and with the rows that change something on purpose.
    sources : Sources
    """
    pairs = list(zip(plain, every, strict=True))
    groups = [[pair] for pair in pairs] if len(pairs) <= MOST_PROTOCOLS else [pairs]
    return [
        finding([view for view, _ in group], [view for _, view in group], sources)
        for group in groups
    ]


def finding(plain: list[View], every: list[View], sources: Sources) -> Finding:
    """Say what protocols showed together; see :func:`findings`."""
    said = [_lowest(plain, sources), *_models(plain, sources)]
    if not any(view.models("eer") for view in plain):
        said.append("No equal error rate was measured.")
    said += [words(every, sources.config) for words in (dose_finding, ablation_finding)]
    return Finding(
        ", ".join(view.label for view in plain),
        [_sentence(sentence) for sentence in said if sentence],
    )


def uses_simulator(config: dict[str, Any]) -> bool:
    """Tell whether any configured dataset comes from the built-in simulator."""
    return _mentions(config.get("datasets", {}), "simulator")


def _mentions(node: Any, word: str) -> bool:
    if isinstance(node, dict):
        return any(_mentions(v, word) for item in node.items() for v in item)
    if isinstance(node, list | tuple):
        return any(_mentions(v, word) for v in node)
    return isinstance(node, str) and node == word


def _known(view: View, sources: Sources) -> tuple[dict[str, Value], bool]:
    """Return the NMSE by model, and whether it is a mean over training seeds."""
    several = sources.spread[sources.spread["protocol"] == view.protocol]
    several = several[several["nmse"].notna()]
    if not (several["n_seeds"] > 1).any():
        return view.known("nmse", subset="all"), False
    rows = several[["model", "nmse", "low", "high", "n_subjects"]]
    return {row[0]: Value(*row[1:]) for row in rows.itertuples(index=False, name=None)}, True


def _lowest(views: list[View], sources: Sources) -> str:
    """Say which model has the lowest NMSE; no single training is named the best of its seeds."""
    found = [(view, *_known(view, sources)) for view in views]
    measured = [(view, known, seeded) for view, known, seeded in found if known]
    if not measured:
        return "No landmark error was measured."
    first = [min(known, key=lambda m: known[m].value) for _, known, _ in measured]
    view, known, seeded = measured[0]
    if len(measured) > 1:
        counts = [(first.count(m), view.looks[m].label) for m in dict.fromkeys(first)]
        of = f"of {len(measured)} protocols"
        return f"Lowest NMSE: {'; '.join(f'{label} in {n} {of}' for n, label in counts)}."
    value, label = known[first[0]], view.looks[first[0]].label
    whole = view.known("nmse", subset="all")
    images = number(whole.get(first[0], next(iter(whole.values()), value)).n)
    subject = f"{label} has the lowest NMSE:" if len(known) > 1 else f"{label} has an NMSE of"
    seeds = ", mean over training seeds" if seeded else ""
    figures = " ".join(filter(None, [fraction(value.value), interval(value)]))
    return f"{subject} {figures} over {images} test images of all folds{seeds}."


def _models(views: list[View], sources: Sources) -> list[str]:
    """Return a line per model, its trainings taken together."""
    names = dict.fromkeys(m for view in views for m in view.models("nmse", "eer"))
    trained: dict[str, list[str]] = {}
    for name in (m for m in views[0].looks if m in names):
        base = sources.seeds[name][0] if name in sources.seeds else name
        trained.setdefault(base, []).append(name)
    lines = []
    for model, mine in trained.items():
        parts = [
            _errors(views, mine),
            _rates(views, mine),
            _losses(views, mine, sources.differences),
        ]
        told = "; ".join(part for part in parts if part)
        within = sum(any(m in view.models("nmse", "eer") for m in mine) for view in views)
        counts = ((sum(m in sources.seeds for m in mine), "training seeds"), (within, "protocols"))
        over = " and ".join(f"{count} {name}" for count, name in counts if count > 1)
        label = views[0].looks[model].label + (f" (over {over})" if over else "")
        lines += [f"{label}: {told}."] if told else []
    return lines


def _errors(views: list[View], names: list[str]) -> str:
    values = _found(views, names, "nmse", subset="all")
    if not values:
        return ""
    text = f"NMSE{NBSP}{span(values, show=fraction)}"
    ranges = views[0].ranges("nmse") if len(views) == 1 else []
    columns = [_found(views, names, "nmse", subset=subset) for subset in ranges]
    if not columns or not all(columns):
        return text
    spans = " → ".join(extent([v.value for v in column], show=fraction) for column in columns)
    return f"{text}, from {subset_label(ranges[0])} to {subset_label(ranges[-1])} {spans}"


def _rates(views: list[View], names: list[str]) -> str:
    measured = [view for view in views if _found([view], names, "eer", _summed_up(view))]
    values = [v for view in measured for v in _found([view], names, "eer", _summed_up(view))]
    if not values:
        return ""
    subsets = {_summed_up(view) for view in measured}
    lone = next(iter(subsets)) if len(subsets) == 1 else "all"
    where = f" at {subset_label(lone)}" if lone != "all" else ""
    unit = "equal error rate" + where
    return f"{unit}{NBSP}{span(values, show=percent, inside=percent_number)}"


def _losses(views: list[View], names: list[str], differences: pd.DataFrame) -> str:
    """Say how far the equal error rate is above that with annotated points."""
    found = [v for view in views for v in _above_annotated(view, names, differences)]
    if not found:
        return ""
    text = f"{span(found, show=_points, inside=percent_number)} points over annotated points"
    verdict = separable(found)
    return text if verdict in {"", "separable"} else f"{text}, {verdict}"


def _above_annotated(view: View, names: list[str], differences: pd.DataFrame) -> Iterator[Value]:
    chosen = (differences["protocol"] == view.protocol) & (differences["metric"] == "eer")
    rows = differences[chosen & (differences["subset"] == _summed_up(view))]
    columns = ["model_a", "model_b", "value", "low", "high", "n"]
    for first, second, value, low, high, n in rows[columns].itertuples(index=False, name=None):
        if second == "annotated" and first in names:
            yield Value(value, low, high, n)
        elif first == "annotated" and second in names:
            yield Value(-value, -high, -low, n)


def _summed_up(view: View) -> str:
    """Return the subset that stands for a protocol's verification: Range 1, as in the paper."""
    return "range=1" if "range=1" in view.subsets("eer") else "all"


def _found(views: list[View], names: list[str], metric: str, subset: str) -> list[Value]:
    values = [view.get(name, metric, subset=subset) for view in views for name in names]
    return [value for value in values if value and value.known]


def _points(value: float) -> str:
    return signed(value, percent_number)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
