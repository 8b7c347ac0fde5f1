"""The key findings in sentences, from the tables; a sentence without its figures is not said."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from thermalign.report.cells import (
    NBSP,
    fraction,
    interval,
    number,
    percent,
    percent_number,
    signed,
)
from thermalign.report.chapters.ablation import POINTS, ablation_finding
from thermalign.report.chapters.differences import paired
from thermalign.report.chapters.dose import dose_finding
from thermalign.report.chapters.people import reading_finding, shared_words, summed_up
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


@dataclass(frozen=True)
class Told:
    """The views of one protocol that findings are told from.

    Attributes
    ----------
    plain, every : View
        Without and with the rows that change something on purpose.
    other : View or None
        Of the reading of ``same_moment`` that is not the headline.
    """

    plain: View
    every: View
    other: View | None = None


def findings(told: list[Told], sources: Sources) -> list[Finding]:
    """Say the main results: a line per model, over all its training seeds."""
    groups = [[one] for one in told] if len(told) <= MOST_PROTOCOLS else [told]
    return [finding(group, sources) for group in groups if group]


def finding(told: list[Told], sources: Sources) -> Finding:
    """Say what protocols showed together; see :func:`findings`."""
    plain, every = [one.plain for one in told], [one.every for one in told]
    said = [_lowest(plain, sources), *_models(plain, sources)]
    if not any(view.models("eer") for view in plain):
        said.append("No equal error rate was measured.")
    said.append(reading_finding([(one.plain, one.other) for one in told if one.other]))
    said += [words(every, sources.config) for words in (dose_finding, ablation_finding)]
    said.append(_contests(plain, sources))
    said += [shared_words(view) for view in every]
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
        unmeasured = not any(view.models("nmse") for view in views)
        return "No landmark error was measured." if unmeasured else ""
    if len(measured) > 1:
        return _lowest_of_many([(view, known) for view, known, _ in measured])
    view, known, seeded = measured[0]
    model = _least(known)
    value, label = known[model], view.looks[model].label
    whole = view.known("nmse", subset="all")
    images = number(whole.get(model, next(iter(whole.values()), value)).n)
    subject = f"{label} has the lowest NMSE:" if len(known) > 1 else f"{label} has an NMSE of"
    seeds = ", mean over training seeds" if seeded else ""
    where = f" in {view.label}" if len(views) > 1 else ""
    figures = " ".join(filter(None, [fraction(value.value), interval(value)]))
    lost = view.known("failure_rate", subset="all").get(model)
    missed = f"; faces that it did not find, {percent(lost.value)}, have none" if lost else ""
    told = f"{subject} {figures} over {images} test images of all folds{where}{seeds}"
    return f"{told}{missed if lost and lost.value > 0 else ''}."


def _least(known: dict[str, Value]) -> str:
    return min(known, key=lambda model: known[model].value)


def _lowest_of_many(measured: list[tuple[View, dict[str, Value]]]) -> str:
    contests = [(view, known) for view, known in measured if len(known) > 1]
    first = [_least(known) for _, known in contests]
    counts = [(first.count(m), measured[0][0].looks[m].label) for m in dict.fromkeys(first)]
    of = f"of {len(contests)} protocols"
    said = "; ".join(f"{label} in {n} {of}" for n, label in counts)
    return f"Lowest NMSE: {said}." if said else ""


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
    text = f"NMSE{NBSP}{span(values, show=fraction)}{_partly(views, names, values)}"
    ranges = views[0].ranges("nmse") if len(views) == 1 else []
    columns = [_found(views, names, "nmse", subset=subset) for subset in ranges]
    if not columns or not all(len(column) == len(values) for column in columns):
        return text
    spans = " → ".join(extent([v.value for v in column], show=fraction) for column in columns)
    return f"{text}, from {subset_label(ranges[0])} to {subset_label(ranges[-1])} {spans}"


def _rates(views: list[View], names: list[str]) -> str:
    measured = [view for view in views if _found([view], names, "eer", summed_up(view))]
    values = [v for view in measured for v in _found([view], names, "eer", summed_up(view))]
    if not values:
        return ""
    subsets = {summed_up(view) for view in measured}
    lone = next(iter(subsets)) if len(subsets) == 1 else "range=1"
    where = f" at {subset_label(lone).replace(' ', NBSP)}" if lone != "all" else ""
    where += ", or of all images where there is one range" if len(subsets) > 1 else ""
    rates = span(values, show=percent, inside=percent_number)
    return f"equal error rate{NBSP}{rates}{where}{_partly(views, names, values)}"


def _partly(views: list[View], names: list[str], values: list[Value]) -> str:
    """Say of how many trainings and protocols values are; empty where of all."""
    every = sum(m in view.models("nmse", "eer") for view in views for m in names)
    return f" ({len(values)} of {every})" if len(values) < every else ""


def _losses(views: list[View], names: list[str], differences: pd.DataFrame) -> str:
    """Say how far the equal error rate is above that with annotated points."""
    found = [v for view in views for v in _above_annotated(view, names, differences)]
    if not found:
        return ""
    text = f"{span(found, show=_points, inside=percent_number)} points over annotated points"
    verdict = separable(found)
    silent = not verdict or (len(found) == 1 and found[0].apart)
    return text if silent else f"{text}, {verdict}"


def _above_annotated(view: View, names: list[str], differences: pd.DataFrame) -> Iterator[Value]:
    chosen = (differences["protocol"] == view.protocol) & (differences["metric"] == "eer")
    for pair in paired(differences[chosen]):
        value = pair.value
        if pair.subset != summed_up(view) or not value.known:
            continue
        if pair.second == POINTS and pair.first in names:
            yield value
        elif pair.first == POINTS and pair.second in names:
            yield replace(value, value=-value.value, low=-value.high, high=-value.low)


def _contests(views: list[View], sources: Sources) -> str:
    """Say how many pairs of models are separable in error and in rate; empty without several."""
    table = sources.differences
    told: list[tuple[str, list[Value]]] = []
    where = {subset_label(summed_up(view)) for view in views} - {"All images"}
    rate = f"equal error rate{' at ' if where else ''}{', '.join(where)}"
    for metric, name in (("nmse", "NMSE"), ("eer", rate)):
        chosen = table["metric"] == metric
        values = [
            pair.value
            for view in views
            for pair in paired(table[chosen & (table["protocol"] == view.protocol)])
            if pair.subset == ("all" if metric == "nmse" else summed_up(view))
        ]
        bounded = [value for value in values if value.bounded]
        if len(bounded) > 1:
            told.append((f"{sum(v.apart for v in bounded)} of {len(bounded)} in {name}", bounded))
    every = [value for _, values in told for value in values]
    how = separable(every).partition(f"of {len(every)} ")[2]
    said = " and ".join(text for text, _ in told)
    return f"pairs of models that are separable {how}: {said}." if said else ""


def _found(views: list[View], names: list[str], metric: str, subset: str) -> list[Value]:
    values = [view.get(name, metric, subset=subset) for view in views for name in names]
    return [value for value in values if value and value.known]


def _points(value: float) -> str:
    return signed(value, percent_number)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
