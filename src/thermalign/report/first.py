"""The first screen: the answer in a sentence, four numbers, what the data are, by protocol."""

from dataclasses import dataclass, field

from thermalign.report.claims.evidence import Side
from thermalign.report.setup import READINGS
from thermalign.report.study import Study
from thermalign.report.views import Value, View
from thermalign.report.words import (
    between,
    fraction,
    interval,
    number,
    percent,
    percent_number,
    signed,
    subset_label,
)
from thermalign.schemas.keys import ALL, ANNOTATED, Subset

NEAREST = Subset(range="1")

SIMULATED = (
    "The faces are simulated: absolute figures say nothing about real people. Compare models and "
    "settings with each other, and repeat the study on recorded faces before relying on a figure."
)


@dataclass(frozen=True)
class Headline:
    """One of the numbers of the first screen.

    Attributes
    ----------
    label : what it is
    text, ends : figure and interval
    note : of whom, and where
    value : the row that it spells
    """

    label: str
    text: str
    ends: str
    note: str
    value: Value


@dataclass(frozen=True)
class First:
    """What the first screen says of one protocol under one reading.

    Attributes
    ----------
    protocol, label : as configured, and as the page spells it
    reading : of ``same_moment``; empty where there is but one
    answer : the answer in one or two sentences
    numbers : list of Headline
    view : View
    """

    protocol: str
    label: str
    reading: str
    answer: str
    view: View = field(repr=False)
    numbers: list[Headline] = field(default_factory=list)


def first(study: Study) -> list[First]:
    """Return what the first screen says, by protocol and reading, the headline reading first."""
    return [
        _first(study, view, reading if view.other else "")
        for view in study.views
        for reading in (view.protocol.readings[:2] if view.other else ("",))
    ]


def headline_range(view: View) -> Subset:
    """Return the subset that stands for a protocol's verification: Range 1, as in the paper."""
    return NEAREST if NEAREST in view.subsets("eer") else ALL


def about(study: Study) -> str:
    """Say what the data are: people, images and whether they were simulated."""
    if study.dataset.empty:
        return ""
    told = []
    for name, rows in study.dataset.groupby("dataset", sort=False):
        people = rows.groupby("volume")["subjects"].max().sum()
        images = rows.groupby("modality", sort=False)["images"].sum()
        counts = " and ".join(f"{number(n)} {modality}" for modality, n in images.items())
        ranges = sorted(set(rows["range"]))
        where = f", Range {ranges[0]} to {ranges[-1]}" if len(ranges) > 1 else ""
        told.append(f"{name}: {number(people)} people, {counts} images{where}")
    return f"{'; '.join(told)}."


def _first(study: Study, view: View, reading: str) -> First:
    side = Side(study, view)
    shown = view.other if view.other and reading in view.protocol.readings[1:2] else view
    where = headline_range(view)
    best = _best(study, view)
    truth = shown.known("eer", where).get(ANNOTATED)
    cost = _cost(side, best, reading, where) if best else None
    numbers = [*_errors(view, best), *_truth(truth, where), *_costs(view, best, cost, where)]
    answer = _answer(view, best, cost, where)
    slope = view.dose(ANNOTATED, "eer_slope", study.main_kind(view))
    if slope and slope.known:
        ends = between(slope.low, slope.high, show=_two) if slope.bounded else ""
        text = f"{signed(slope.value, _two)} points"
        note = "of equal error rate per .01 of landmark error"
        if shown is not view:
            note += f", {READINGS[view.protocol.readings[0]]}"
        numbers.append(Headline("What landmark error costs", text, ends, note, slope))
    told = answer or "Neither landmark error nor an equal error rate was measured."
    return First(view.protocol.name, view.label, reading, told, view, numbers)


def _two(value: float) -> str:
    return fraction(value, digits=2)


def _best(study: Study, view: View) -> str:
    """Return the training with the lowest NMSE; of a model with several seeds its lowest seed."""
    known = view.known("nmse")
    if not known:
        return ""
    best = min(known, key=lambda model: known[model].value)
    mine = [model for model in known if study.base(model) == study.base(best)]
    return mine[0]


def _answer(view: View, best: str, cost: Value | None, where: Subset) -> str:
    """Say in a sentence which detector is best, and what its points do to verification."""
    if not best:
        return ""
    label = view.looks[best].label
    subject = label if label[:1].isupper() else f"the {label}"
    lead = "finds landmarks best" if len(view.known("nmse")) > 1 else "finds landmarks"
    sentence = f"{subject} {lead}{_aligned(cost, where)}."
    return sentence[0].upper() + sentence[1:]


def _aligned(cost: Value | None, where: Subset) -> str:
    if cost is None or not cost.known:
        return ""
    at = f" at {subset_label(where)}" if where != ALL else ""
    if not cost.bounded:
        change = signed(cost.value, percent_number)
        return f"; verification{at} with its points: {change} points of equal error rate"
    if cost.low <= 0 <= cost.high:
        return (
            f", and verification{at} with its points cannot be told from verification with "
            "annotated ones"
        )
    way = "worse" if cost.value > 0 else "better"
    points = percent_number(abs(cost.value))
    return (
        f"; verification{at} with its points is {points} points of equal error rate {way} than "
        "with annotated ones"
    )


def _cost(side: Side, best: str, reading: str, where: Subset) -> Value | None:
    headline = not reading or side.view.protocol.readings[:1] == (reading,)
    subset = where if headline else where._replace(same_moment=reading)
    return side.difference(best, ANNOTATED, "eer", subset)


def _errors(view: View, best: str) -> list[Headline]:
    if not best:
        return []
    value = view.known("nmse")[best]
    note = f"{view.looks[best].label}, {number(value.n)} test images"
    return [Headline("Lowest landmark error", fraction(value.value), interval(value), note, value)]


def _truth(value: Value | None, where: Subset) -> list[Headline]:
    if value is None:
        return []
    note = f"aligned by annotated points, {subset_label(where)}"
    ends = interval(value, rate=True)
    return [Headline("Equal error rate at best", percent(value.value), ends, note, value)]


def _costs(view: View, best: str, cost: Value | None, where: Subset) -> list[Headline]:
    if cost is None or not cost.known:
        return []
    text = f"{signed(cost.value, percent_number)} points"
    note = f"{view.looks[best].label} against annotated points, {subset_label(where)}"
    ends = interval(cost, rate=True)
    return [Headline("What the best detector costs", text, ends, note, cost)]
