"""The tables of paired differences, with every interval drawn beside its figures."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from thermalign.report.cells import (
    MISSING,
    Body,
    Cell,
    Row,
    Table,
    between,
    chance,
    fraction,
    number,
    percent,
    percent_number,
    signed,
)
from thermalign.report.names import Look, protocol_label, subset_label
from thermalign.report.summary import Value, by_number
from thermalign.report.wording import extent, separable

METRICS = (("nmse", "NMSE", "all"), ("eer", "Equal error rate", "range=1"))
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


BAR_WIDTH, BAR_HEIGHT = 150.0, 16.0


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


@dataclass(frozen=True)
class Pair:
    """A row of DIFFERENCES: first minus second; unadjusted p, and the people of both."""

    subset: str
    metric: str
    first: str
    second: str
    value: Value
    unadjusted: float
    subjects: int

    @property
    def ends(self) -> tuple[float, float, float]:
        """Value and interval."""
        return self.value.value, self.value.low, self.value.high


def paired(frame: pd.DataFrame) -> list[Pair]:
    """Return rows of DIFFERENCES; tables of older studies have no p and no people."""
    missing = {"p": math.nan, "p_holm": math.nan, "n_subjects": 0}
    whole = frame.assign(**{k: v for k, v in missing.items() if k not in frame})
    columns = ["subset", "metric", "model_a", "model_b", "p", "n_subjects"]
    figures = whole[["value", "low", "high", "n", "p_holm"]].itertuples(index=False, name=None)
    return [
        Pair(subset, metric, a, b, Value(value, low, high, int(n), holm), p, int(people))
        for (subset, metric, a, b, p, people), (value, low, high, n, holm) in zip(
            whole[columns].itertuples(index=False, name=None), figures, strict=True
        )
    ]


def difference_tables(frame: pd.DataFrame, protocol: str, *, looks: dict[str, Look]) -> list[Table]:
    """Lay out a protocol's DIFFERENCES: the main subset of each metric, the others folded away."""
    mine = _shown(frame[frame["protocol"] == protocol])
    shown: list[Body] = []
    folded: list[Body] = []
    for metric, name, main in METRICS:
        rows = mine[mine["metric"] == metric]
        subsets = by_number(dict.fromkeys(str(s) for s in rows["subset"]))
        first = next((s for s in (main, "all") if s in subsets), next(iter(subsets), ""))
        for subset in subsets:
            body = _body(rows[rows["subset"] == subset], name, subset, looks)
            (shown if subset == first else folded).append(body)
    others = _others(mine, looks)
    label = protocol_label(protocol)
    tables = []
    for bodies, caption, line in (
        (shown, "Paired differences", ""),
        (folded, "Paired differences by subset", "All other subsets"),
        (others, "Paired differences of other figures", "Other figures"),
    ):
        if bodies:
            summary = f"{line} ({len(bodies)})" if line else ""
            tables.append(
                _table(f"{caption}, {label}", bodies, adjusted=_has_p(mine), folded=summary)
            )
    return tables


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the headline reading within the blocks that are adjusted together.

    Of older tables, without any adjusted p, all rows.
    """
    headline = frame[~frame["subset"].str.startswith("same_moment=")]
    if not _has_p(headline):
        return headline
    blocks = headline[headline["p_holm"].notna()]
    return headline[headline["subset"].isin(blocks["subset"].unique())]


def _others(frame: pd.DataFrame, looks: dict[str, Look]) -> list[Body]:
    bodies = []
    for metric, name in OTHERS.items():
        rows = frame[frame["metric"] == metric]
        for subset in by_number(dict.fromkeys(str(s) for s in rows["subset"])):
            for at in sorted(set(rows.loc[rows["subset"] == subset, "at"])):
                chosen = rows[(rows["subset"] == subset) & (rows["at"] == at)]
                rate = f" at FAR {percent(at)}" if metric == "tar_at_far" else ""
                bodies.append(_body(chosen, f"{name}{rate}", subset, looks))
    return bodies


def _body(frame: pd.DataFrame, name: str, subset: str, looks: dict[str, Look]) -> Body:
    """Lay out one metric of one subset under a title with its counts and how many are separable."""
    pairs = paired(frame)
    bounded = [pair.value for pair in pairs if pair.value.bounded]
    parts = [f"{name}, {subset_label(subset)}", *_counts(pairs)]
    if bounded:
        how = separable(bounded) if len(bounded) > 1 else ""
        parts += [how] if how else []
    return Body(_rows(pairs, looks), title="; ".join(parts))


def _counts(pairs: list[Pair]) -> list[str]:
    if not pairs:
        return []
    n = extent([pair.value.n for pair in pairs], show=number)
    people = [pair.subjects for pair in pairs if pair.subjects]
    whose = f", up to {number(max(people))} people a fold" if people else ""
    return [f"n = {n}{whose}"]


def verdict(value: Value, *, first: str, second: str, better: str = "lower") -> str:
    """Say which of two is ``better``, lower or higher, as far as first minus second allows."""
    if not value.bounded:
        return "no interval"
    if not value.apart:
        return "not separable"
    return f"{second if (value.value > 0) == (better == 'lower') else first} {better}"


def _table(caption: str, bodies: list[Body], *, adjusted: bool, folded: str) -> Table:
    p = ["p, adjusted"] if adjusted else []
    return Table(
        caption=caption,
        head="Difference",
        columns=["Value", "95 % interval", "Drawn", *p, "Verdict"],
        bodies=bodies,
        notes=[
            "Each line is first minus second on the images that both have (n: images or "
            "comparisons common to a pair), with the 95 % interval of a bootstrap over subjects; "
            "rates in percentage points. "
            + (ADJUSTED if adjusted else UNADJUSTED)
            + " Within a block all intervals are drawn on one scale around zero."
        ],
        folded=folded,
    )


def _has_p(frame: pd.DataFrame) -> bool:
    return "p_holm" in frame and bool(frame["p_holm"].notna().any())


def _rows(pairs: list[Pair], looks: dict[str, Look]) -> list[Row]:
    order = {model: i for i, model in enumerate(looks)}
    last = len(order)
    pairs = sorted(pairs, key=lambda p: (order.get(p.first, last), order.get(p.second, last)))
    ends = [abs(v) for p in pairs for v in p.ends if math.isfinite(v)]
    limit = max(ends, default=0.0)
    adjusted = any(math.isfinite(p.value.p) for p in pairs)
    return [_row(pair, looks, limit=limit, adjusted=adjusted) for pair in pairs]


def _row(pair: Pair, looks: dict[str, Look], *, limit: float, adjusted: bool) -> Row:
    value = pair.value
    first, second = (looks[m].label if m in looks else m for m in (pair.first, pair.second))
    show: Callable[[float], str] = fraction if pair.metric in FRACTIONS else percent_number
    better = "higher" if pair.metric in OTHERS else "lower"
    said = verdict(value, first=first, second=second, better=better)
    bar = interval_bar(value.value, (value.low, value.high), limit=limit, separable=value.apart)
    cells = [
        Cell(signed(value.value, show)) if value.known else Cell(MISSING, tone="missing"),
        Cell(between(value.low, value.high, show=show))
        if value.bounded
        else Cell(MISSING, tone="missing"),
        Cell("", tone="words", drawing=bar),
        *([_p_cell(pair)] if adjusted else []),
        Cell(said, tone="words" if said.endswith(better) else "words muted"),
    ]
    return Row(f"{first} − {second}", cells)


def _p_cell(pair: Pair) -> Cell:
    text = chance(pair.value.p)
    if not text:
        return Cell(MISSING, tone="missing")
    alone = chance(pair.unadjusted)
    return Cell(text, hint=f"unadjusted: p {alone}" if alone else "")


def interval_bar(
    value: float, ends: tuple[float, float], *, limit: float, separable: bool = False
) -> str:
    """Draw a value and its interval around zero as inline SVG, ``limit`` at either end.

    The drawing is hidden from screen readers: the figures stand beside it.
    """
    low, high = ends
    middle, reach = BAR_WIDTH / 2, BAR_WIDTH / 2 - 4
    centre = BAR_HEIGHT / 2

    def x(figure: float) -> str:
        return f"{middle + reach * (figure / limit if limit else 0.0):.1f}"

    marks = [
        f'<line class="zero" x1="{middle}" x2="{middle}" y1="0" y2="{BAR_HEIGHT}"/>',
        f'<line class="base" x1="0" x2="{BAR_WIDTH}" y1="{centre}" y2="{centre}"/>',
    ]
    if math.isfinite(low) and math.isfinite(high):
        marks.append(
            f'<line class="span" x1="{x(low)}" x2="{x(high)}" y1="{centre}" y2="{centre}"/>'
        )
    if math.isfinite(value):
        marks.append(f'<circle class="point" cx="{x(value)}" cy="{centre}" r="2.8"/>')
    return (
        f'<svg class="bar{" separable" * separable}" viewBox="0 0 {BAR_WIDTH} {BAR_HEIGHT}" '
        'aria-hidden="true">'
        f"{''.join(marks)}</svg>"
    )
