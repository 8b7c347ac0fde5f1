"""The key findings in sentences, from the tables; a sentence without its figures is not said."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from thermalign.report.blocks import Block, Bullets, Chapter, Paragraph, Part
from thermalign.report.layout import shared_words
from thermalign.report.setup import READINGS
from thermalign.report.study import Study
from thermalign.report.views import Value, View
from thermalign.report.words import (
    NBSP,
    extent,
    fraction,
    interval,
    number,
    percent,
    percent_number,
    separable,
    signed,
    span,
    spelt,
    subset_label,
)
from thermalign.schemas.keys import ALL, ANNOTATED, MATCHER, PLACEMENT, STUDY, Subset

SIMULATED = (
    "The faces are simulated: absolute figures say nothing about real people. Compare models and "
    "settings with each other, and repeat the study on recorded faces before relying on a figure."
)

MOST_PROTOCOLS = 2
"""Protocols up to this many have sentences of their own; more share them."""

SLOPES = {
    "d_prime_slope": "of d′ per interocular distance",
    "eer_slope": "percentage points per .01",
    "probit_slope": "normal deviates per interocular distance",
}
"""Metric to its unit over interocular distances of NMSE; the headline first."""

NEAREST = Subset(range="1")


def chapter(study: Study) -> Chapter:
    """Say what the study found: a part per protocol, or one where there are many.

    It reads SUMMARY, DIFFERENCES and SPREAD.
    """
    several = len(study.views) > MOST_PROTOCOLS
    groups = [study.views] if several else [[view] for view in study.views]
    parts = [
        Part(
            ", ".join(view.label for view in group),
            [Bullets(sentences(study, group))],
            "" if several else group[0].protocol.name,
        )
        for group in groups
    ]
    blocks: list[Block] = [Paragraph(SIMULATED, tone="warning")] if study.setup.simulated else []
    if not parts:
        blocks.append(Paragraph("No metric was measured."))
    return Chapter("findings", "Findings in sentences", parts, blocks)


def _two(value: float) -> str:
    return fraction(value, digits=2)


def _signed(value: float) -> str:
    return signed(value, _two)


def sentences(study: Study, views: Sequence[View]) -> list[str]:
    """Say what protocols showed together: a line per model, over all its training seeds."""
    said = [_lowest(study, views), *_models(study, views)]
    if not any(view.models("eer") for view in views):
        said.append("No equal error rate was measured.")
    said += [
        readings(views),
        dose(study, views),
        ablation(study, views),
        contests(study, views),
        *(shared_words(study, view) for view in views),
    ]
    return [capital(sentence) for sentence in said if sentence]


def capital(sentence: str) -> str:
    """Begin a sentence with a capital; nothing stays nothing."""
    return sentence[:1].upper() + sentence[1:]


def headline(view: View) -> Subset:
    """Return the subset that stands for a protocol's verification: Range 1, as in the paper."""
    return NEAREST if NEAREST in view.subsets("eer") else ALL


def _found(
    views: Sequence[View], names: Sequence[str], metric: str, subset: Subset = ALL
) -> list[Value]:
    values = [view.get(name, metric, subset) for view in views for name in names]
    return [value for value in values if value and value.known]


def _errors_by_model(study: Study, view: View) -> tuple[dict[str, Value], bool]:
    """Return the NMSE by model, and whether it is a mean over training seeds."""
    rows = study.spread[study.spread["protocol"] == view.protocol.name]
    several = rows[rows["nmse"].notna()]
    if not (several["n_seeds"] > 1).any():
        return view.known("nmse"), False
    columns = several[["model", "nmse", "low", "high", "n_subjects"]]
    return {row[0]: Value(*row[1:]) for row in columns.itertuples(index=False, name=None)}, True


def _lowest(study: Study, views: Sequence[View]) -> str:
    """Say which model has the lowest NMSE; no single training is named the best of its seeds."""
    found = [(view, *_errors_by_model(study, view)) for view in views]
    measured = [(view, known, seeded) for view, known, seeded in found if known]
    if not measured:
        unmeasured = not any(view.models("nmse") for view in views)
        return "No landmark error was measured." if unmeasured else ""
    if len(measured) > 1:
        return _lowest_of_many(study, [known for _, known, _ in measured])
    view, known, seeded = measured[0]
    model = _least(known)
    value, label = known[model], view.looks[model].label
    whole = view.known("nmse")
    images = number(whole.get(model, next(iter(whole.values()), value)).n)
    subject = f"{label} has the lowest NMSE:" if len(known) > 1 else f"{label} has an NMSE of"
    seeds = ", mean over training seeds" if seeded else ""
    where = f" in {view.label}" if len(views) > 1 else ""
    figures = " ".join(filter(None, [fraction(value.value), interval(value)]))
    told = f"{subject} {figures} over {images} test images of all folds{where}{seeds}"
    lost = view.known("failure_rate").get(model)
    if lost and lost.value > 0:
        told += f"; faces that it did not find, {percent(lost.value)}, have none"
    return f"{told}."


def _least(known: dict[str, Value]) -> str:
    return min(known, key=lambda model: known[model].value)


def _lowest_of_many(study: Study, measured: list[dict[str, Value]]) -> str:
    first = [_least(known) for known in measured if len(known) > 1]
    counts = [(first.count(m), study.looks[m].label) for m in dict.fromkeys(first)]
    said = "; ".join(f"{label} in {n} of {len(first)} protocols" for n, label in counts)
    return f"Lowest NMSE: {said}." if said else ""


def _models(study: Study, views: Sequence[View]) -> Iterator[str]:
    """Yield a line per model, its trainings taken together."""
    measured = [m for m in study.looks if any(m in view.models("nmse", "eer") for view in views)]
    for model in study.bases(measured):
        mine = [name for name in measured if study.base(name) == model]
        parts = [_errors(views, mine), _rates(views, mine), _losses(study, views, mine)]
        told = "; ".join(part for part in parts if part)
        within = sum(any(m in view.models("nmse", "eer") for m in mine) for view in views)
        counts = ((sum(m in study.seeds for m in mine), "training seeds"), (within, "protocols"))
        over = " and ".join(f"{count} {name}" for count, name in counts if count > 1)
        label = study.looks[model].label + (f" (over {over})" if over else "")
        if told:
            yield f"{label}: {told}."


def _errors(views: Sequence[View], names: list[str]) -> str:
    values = _found(views, names, "nmse")
    if not values:
        return ""
    text = f"NMSE{NBSP}{span(values, show=fraction)}{_partly(views, names, values)}"
    ranges = views[0].ranges("nmse") if len(views) == 1 else []
    columns = [_found(views, names, "nmse", subset) for subset in ranges]
    if not columns or not all(len(column) == len(values) for column in columns):
        return text
    spans = " → ".join(extent([v.value for v in column], show=fraction) for column in columns)
    return f"{text}, from {subset_label(ranges[0])} to {subset_label(ranges[-1])} {spans}"


def _rates(views: Sequence[View], names: list[str]) -> str:
    found = {view: _found([view], names, "eer", headline(view)) for view in views}
    values = [value for its in found.values() for value in its]
    if not values:
        return ""
    subsets = {headline(view) for view, its in found.items() if its}
    lone = next(iter(subsets)) if len(subsets) == 1 else NEAREST
    where = f" at {subset_label(lone).replace(' ', NBSP)}" if lone != ALL else ""
    where += ", or of all images where there is one range" if len(subsets) > 1 else ""
    return f"equal error rate{NBSP}{_rate(values)}{where}{_partly(views, names, values)}"


def _partly(views: Sequence[View], names: list[str], values: list[Value]) -> str:
    """Say of how many trainings and protocols values are; empty where of all."""
    every = sum(m in view.models("nmse", "eer") for view in views for m in names)
    return f" ({len(values)} of {every})" if len(values) < every else ""


def _losses(study: Study, views: Sequence[View], names: list[str]) -> str:
    """Say how far the equal error rate is above that with annotated points."""
    found = [value for view in views for value in _above_annotated(study, view, names)]
    return f"{_points(found)} points over annotated points{_unless_plain(found)}" if found else ""


def _rate(values: list[Value]) -> str:
    return span(values, show=percent, inside=percent_number)


def _points(values: list[Value]) -> str:
    return span(values, show=lambda v: signed(v, percent_number), inside=percent_number)


def _unless_plain(values: list[Value]) -> str:
    """Say how many differences are separable; nothing of a lone one that is."""
    verdict = separable(values)
    plain = len(values) == 1 and values[0].apart
    return f", {verdict}" if verdict and not plain else ""


def _above_annotated(study: Study, view: View, names: list[str]) -> Iterator[Value]:
    wanted = "eer", headline(view)
    for pair in study.pairs(view.protocol.name):
        value = pair.value
        if (pair.metric, pair.subset) != wanted or not value.known:
            continue
        if pair.second == ANNOTATED and pair.first in names:
            yield value
        elif pair.first == ANNOTATED and pair.second in names:
            yield replace(value, value=-value.value, low=-value.high, high=-value.low)


def contests(study: Study, views: Sequence[View]) -> str:
    """Say how many pairs of models are separable in error and in rate; empty without several."""
    told: list[tuple[str, list[Value]]] = []
    where = sorted({subset_label(headline(view)) for view in views} - {subset_label(ALL)})
    rate = f"equal error rate{' at ' if where else ''}{', '.join(where)}"
    for metric, name in (("nmse", "NMSE"), ("eer", rate)):
        bounded = [
            pair.value
            for view in views
            for pair in study.pairs(view.protocol.name)
            if pair.metric == metric and pair.value.bounded
            if pair.subset == (ALL if metric == "nmse" else headline(view))
        ]
        if len(bounded) > 1:
            told.append((f"{sum(v.apart for v in bounded)} of {len(bounded)} in {name}", bounded))
    every = [value for _, values in told for value in values]
    how = separable(every).partition(f"of {len(every)} ")[2]
    said = " and ".join(text for text, _ in told)
    return f"pairs of models that are separable {how}: {said}." if said else ""


def readings(views: Sequence[View]) -> str:
    """Say the EER with annotated points under both readings, and what becomes of the order."""
    pairs = [(view, view.other) for view in views if view.other]
    both = [tuple(v.known("eer", headline(view)) for v in (view, o)) for view, o in pairs]
    parts = []
    known = [
        [rates[ANNOTATED] for rates in its] for its in both if all(ANNOTATED in r for r in its)
    ]
    if known:
        words = [READINGS[view.protocol.readings[0]] for view in pairs[0]]
        figures = [_rate(list(its)) for its in zip(*known, strict=True)]
        said = [f"{figure} with the {text}" for figure, text in zip(figures, words, strict=True)]
        where = subset_label(headline(pairs[0][0]))
        parts.append(f"equal error rate with annotated points, {where}: {', '.join(said)}")
    orders = [_orders(view, *its) for (view, _), its in zip(pairs, both, strict=True)]
    contests = [order for order in orders if len(order[0]) > 1]
    parts += [_order_words(contests)] if contests else []
    return f"{'; '.join(parts)}." if parts else ""


def _orders(view: View, *readings: dict[str, Value]) -> list[list[str]]:
    """Return the names of what both readings measured, by rising EER under each."""
    both = [m for m in view.looks if all(m in rates for rates in readings) and m != ANNOTATED]
    ordered = [sorted((rates[m].value, m) for m in both) for rates in readings]
    return [[view.looks[model].label for _, model in order] for order in ordered]


def _order_words(contests: list[list[list[str]]]) -> str:
    changed = [(first, second) for first, second in contests if first != second]
    if len(contests) > 1:
        return f"the order of the others changes in {len(changed)} of {len(contests)} protocols"
    if not changed:
        return "the order of the others stays the same"
    first, second = (", ".join(order) for order in changed[0])
    return f"the order of the others changes from {first} to {second}"


def dose(study: Study, views: Sequence[View]) -> str:
    """Say in one line what landmark error costs; empty where no displaced points were matched.

    It rests on d′; on the equal error rate where a study has no d′.
    """
    apart, slopes = (_slopes(study, views, metric) for metric in ("d_prime_slope", "eer_slope"))
    parts = []
    if apart:
        change = span(apart, show=_signed, inside=_two)
        parts.append(
            f"landmark error changes d′ of thermal probes by {change} per interocular distance "
            "of NMSE"
        )
    if slopes:
        rise = f"{span(slopes, show=_two)} points of EER per .01 of NMSE"
        parts.append(
            f"it costs {rise}" if apart else f"landmark error costs {rise} in thermal probes"
        )
    said = "; ".join([*parts, *_controls(study, views), *_off_the_curve(study, views)])
    return f"{said}." if said else ""


def _slopes(study: Study, views: Sequence[View], metric: str) -> list[Value]:
    found = [view.dose(ANNOTATED, metric, study.main_kind(view)) for view in views]
    return [value for value in found if value and value.known]


def _controls(study: Study, views: Sequence[View]) -> list[str]:
    """Say how thermal slopes differ from visible ones: of d′, or else of the rate; or nothing."""
    differences = {m: _slopes(study, views, f"{m}_difference") for m in SLOPES}
    if differences["d_prime_slope"]:
        differences = {"d_prime_slope": differences["d_prime_slope"]}
    words = [
        f"{span(found, show=_signed, inside=_two)} {SLOPES[metric]}, "
        f"{separable(found) or 'without an interval'}"
        for metric, found in differences.items()
        if found
    ]
    return [f"thermal − visible {'; '.join(words)}"] if words else []


def _off_the_curve(study: Study, views: Sequence[View]) -> list[str]:
    """Say how many detectors have another EER than their NMSE predicts; or nothing."""
    placed = [view.within(experiment=PLACEMENT, setting=study.main_kind(view)) for view in views]
    known = [its.known("eer_excess", s) for its in placed for s in its.subsets("eer_excess")]
    bounded = [value for values in known for value in values.values() if value.bounded]
    if not bounded:
        return []
    return [
        f"{sum(v.apart for v in bounded)} of {len(bounded)} detectors within the curve are off the "
        "EER that it predicts (unadjusted)"
    ]


def ablation(study: Study, views: Sequence[View]) -> str:
    """Say in one line what the other matchers cost, and the controls; empty without any."""
    controls, configured = study.setup.permuted, study.setup.ablation
    measured = [m for v in views for m in v.settings(MATCHER, "eer", "eer_above_study")]
    names = [n for n in dict.fromkeys([*configured, *measured]) if n in measured and n != STUDY]
    parts = []
    for name in (name for name in names if name not in controls):
        found = _found(views, [ANNOTATED], "eer_above_study", Subset(MATCHER, name))
        if found:
            parts.append(f"{spelt(name)}{NBSP}{_points(found)}{_unless_plain(found)}")
    lead = "other matchers against the configured one, in points of EER: " if parts else ""
    rates = [v for n in controls for v in _found(views, [ANNOTATED], "eer", Subset(MATCHER, n))]
    if rates:
        parts.append(f"permuted labels give {_rate(rates)}")
    return f"{lead}{'; '.join(parts)}." if parts else ""
