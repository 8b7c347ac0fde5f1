"""Paired differences between models, with every interval drawn beside its figures."""

import math
from collections.abc import Iterator

from thermalign.report.blocks import Bar, Block, Body, Cell, Chapter, Paragraph, Part, Row, Table
from thermalign.report.layout import shared_words
from thermalign.report.study import Study
from thermalign.report.views import Pair, Value, View, by_number
from thermalign.report.words import (
    MISSING,
    Show,
    between,
    chance,
    extent,
    fraction,
    number,
    percent,
    percent_number,
    separable,
    signed,
    subset_label,
)
from thermalign.schemas.keys import ALL, Subset

NEAREST = Subset(range="1")
METRICS = (("nmse", "NMSE", ALL), ("eer", "Equal error rate", NEAREST))
"""Metric, its name, and the subset that is shown rather than folded away."""

OTHERS = {
    "tar_at_far": "True accept rate",
    "rank1": "Rank-1",
    "auc": "Area under the ROC curve",
    "d_prime": "d′",
}
"""Metrics of which more is better, and their names; all are folded away."""

FRACTIONS = ("nmse", "auc", "d_prime")
"""Metrics that are no rates in percent."""

SEEDED = "Of models with several training seeds, trainings with the same seed are compared."
ADJUSTED = (
    "Many pairs are compared, and some would stand out by chance: p and verdict are adjusted by "
    "Holm’s method over all pairs of models, for all images and every range, of a figure in this "
    "protocol, those folded away included; two models are separable where the adjusted p is below "
    ".05. The intervals are not adjusted; the pointer on a p shows the unadjusted one. Other "
    "subsets stand in the study’s table of differences alone."
)
UNADJUSTED = (
    "Two models are separable where the interval leaves out zero; unadjusted: of twenty equal "
    "pairs one is expected to stand out."
)


def chapter(study: Study) -> Chapter:
    """Compare the models pair by pair, a part per protocol.

    It reads DIFFERENCES, and shared_people of SUMMARY.
    """
    parts = []
    for view in study.views:
        shared = shared_words(study, view)
        blocks: list[Block] = [Paragraph(shared)] if shared else []
        tables = difference_tables(study, view)
        if not tables:
            words = f"No models were compared in {view.label}."
            blocks.append(Paragraph(words, tone="absent"))
        parts.append(Part(view.label, [*blocks, *tables], view.protocol.name))
    blocks = [Paragraph(SEEDED)] if study.seeds else []
    return Chapter("differences", "Paired differences", parts, blocks)


def difference_tables(study: Study, view: View) -> list[Table]:
    """Lay out a protocol's differences: the main subset of each metric, the others folded away.

    Columns of DIFFERENCES: the key, model_a, model_b, value, low, high, n, p, p_holm, n_subjects.
    """
    pairs = _adjusted_together(study.pairs(view.protocol.name))
    shown: list[Body] = []
    folded: list[Body] = []
    for metric, name, main in METRICS:
        mine = [pair for pair in pairs if pair.metric == metric]
        subsets = by_number({pair.subset for pair in mine})
        first = next((s for s in (main, ALL, *subsets) if s in subsets), None)
        for subset in subsets:
            chosen = [pair for pair in mine if pair.subset == subset]
            body = _body(chosen, f"{name}, {subset_label(subset)}", view)
            (shown if subset == first else folded).append(body)
    adjusted = any(math.isfinite(pair.value.p) for pair in pairs)
    tables = []
    for bodies, caption, line in (
        (shown, "Paired differences", ""),
        (folded, "Paired differences by subset", "All other subsets"),
        (list(_others(pairs, view)), "Paired differences of other figures", "Other figures"),
    ):
        if bodies:
            summary = f"{line} ({len(bodies)})" if line else ""
            titled = f"{caption}, {view.label}"
            tables.append(_table(titled, bodies, adjusted=adjusted, folded=summary))
    return tables


def verdict(value: Value, *, first: str, second: str, better: str = "lower") -> str:
    """Say which of two is ``better``, lower or higher, as far as first minus second allows."""
    if not value.bounded:
        return "no interval"
    if not value.apart:
        return "not separable"
    return f"{second if (value.value > 0) == (better == 'lower') else first} {better}"


def _adjusted_together(pairs: list[Pair]) -> list[Pair]:
    """Return the pairs of the headline reading, of the subsets that are adjusted together.

    Where nothing is adjusted, of all subsets.
    """
    headline = [pair for pair in pairs if not pair.subset.same_moment]
    blocks = {pair.subset for pair in headline if math.isfinite(pair.value.p)}
    return [pair for pair in headline if pair.subset in blocks] if blocks else headline


def _others(pairs: list[Pair], view: View) -> Iterator[Body]:
    for metric, name in OTHERS.items():
        mine = [pair for pair in pairs if pair.metric == metric]
        for subset in by_number({pair.subset for pair in mine}):
            for at in sorted({pair.at for pair in mine if pair.subset == subset}):
                chosen = [pair for pair in mine if (pair.subset, pair.at) == (subset, at)]
                rate = f" at FAR {percent(at)}" if metric == "tar_at_far" else ""
                yield _body(chosen, f"{name}{rate}, {subset_label(subset)}", view)


def _body(pairs: list[Pair], title: str, view: View) -> Body:
    """Lay out pairs under a title with their counts and how many of them are separable."""
    bounded = [pair.value for pair in pairs if pair.value.bounded]
    people = [pair.subjects for pair in pairs if pair.subjects]
    whose = f", up to {number(max(people))} people a fold" if people else ""
    n = extent([pair.value.n for pair in pairs], show=number)
    how = separable(bounded) if len(bounded) > 1 else ""
    parts = [title, f"n = {n}{whose}", *([how] if how else [])]
    return Body(_rows(pairs, view), title="; ".join(parts))


def _rows(pairs: list[Pair], view: View) -> list[Row]:
    order = {model: i for i, model in enumerate(view.looks)}
    last = len(order)
    pairs = sorted(pairs, key=lambda p: (order.get(p.first, last), order.get(p.second, last)))
    every = [v for p in pairs for v in (p.value.value, p.value.low, p.value.high)]
    limit = max((abs(v) for v in every if math.isfinite(v)), default=0.0)
    adjusted = any(math.isfinite(pair.value.p) for pair in pairs)
    return [_row(pair, view, limit=limit, adjusted=adjusted) for pair in pairs]


def _row(pair: Pair, view: View, *, limit: float, adjusted: bool) -> Row:
    value, missing = pair.value, Cell(MISSING, tone="missing")
    first, second = (
        view.looks[m].label if m in view.looks else m for m in (pair.first, pair.second)
    )
    show: Show = fraction if pair.metric in FRACTIONS else percent_number
    better = "higher" if pair.metric in OTHERS else "lower"
    said = verdict(value, first=first, second=second, better=better)
    scale = limit or 1.0
    bar = Bar(value.value / scale, value.low / scale, value.high / scale, value.apart)
    cells = [
        Cell(signed(value.value, show), value=value) if value.known else missing,
        Cell(between(value.low, value.high, show=show), value=value) if value.bounded else missing,
        Cell("", tone="words", bar=bar),
        *([_p_cell(pair)] if adjusted else []),
        Cell(said, tone="words" if said.endswith(better) else "words muted"),
    ]
    about = tuple(view.looks[m].key for m in (pair.first, pair.second) if m in view.looks)
    return Row(f"{first} − {second}", cells, about=about)


def _p_cell(pair: Pair) -> Cell:
    text = chance(pair.value.p)
    if not text:
        return Cell(MISSING, tone="missing")
    alone = chance(pair.unadjusted)
    return Cell(text, hint=f"unadjusted: p {alone}" if alone else "")


def _table(caption: str, bodies: list[Body], *, adjusted: bool, folded: str) -> Table:
    return Table(
        caption=caption,
        head="Difference",
        columns=[
            *("Value", "95 % interval", "Drawn"),
            *(["p, adjusted"] if adjusted else []),
            "Verdict",
        ],
        bodies=bodies,
        notes=[
            "Each line is first minus second on the images that both have (n: images or "
            "comparisons common to a pair), with the 95 % interval of a bootstrap over subjects; "
            f"rates in percentage points. {ADJUSTED if adjusted else UNADJUSTED} Within a block "
            "all intervals are drawn on one scale around zero."
        ],
        folded=folded,
    )
