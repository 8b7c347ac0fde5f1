"""The tables of paired differences, with every interval drawn beside its figures."""

import math
from collections.abc import Callable

import pandas as pd

from thermalign.report.cells import (
    MISSING,
    Body,
    Cell,
    Row,
    Table,
    between,
    fraction,
    percent,
    percent_number,
    signed,
)
from thermalign.report.names import Look, protocol_label, subset_label
from thermalign.report.summary import by_number

METRICS = (("nmse", "NMSE", "all"), ("eer", "Equal error rate", "range=1"))
"""Metric, its name, and the subset that is shown rather than folded away."""

ACCEPTED = {"tar_at_far": "True accept rate", "rank1": "Rank-1"}
"""Metrics of which more is better, and their names; all are folded away."""

BAR_WIDTH, BAR_HEIGHT = 150.0, 16.0


def difference_tables(frame: pd.DataFrame, protocol: str, *, looks: dict[str, Look]) -> list[Table]:
    """Lay out a protocol's DIFFERENCES: the main subset of each metric, the others folded away."""
    shown: list[Body] = []
    folded: list[Body] = []
    for metric, name, main in METRICS:
        rows = frame[(frame["protocol"] == protocol) & (frame["metric"] == metric)]
        subsets = by_number(dict.fromkeys(str(s) for s in rows["subset"]))
        first = next((s for s in (main, "all") if s in subsets), next(iter(subsets), ""))
        for subset in subsets:
            title = f"{name}, {subset_label(subset)}"
            body = Body(_rows(rows[rows["subset"] == subset], looks), title=title)
            (shown if subset == first else folded).append(body)
    label = protocol_label(protocol)
    tables = [_table(f"Paired differences, {label}", shown)] if shown else []
    if folded:
        line = f"All other subsets ({len(folded)})"
        tables.append(_table(f"Paired differences by subset, {label}", folded, folded=line))
    accepted = _accepted(frame[frame["protocol"] == protocol], looks)
    if accepted:
        line = f"True accept rates and rank-1 ({len(accepted)})"
        caption = f"Paired differences of true accept rates and rank-1, {label}"
        tables.append(_table(caption, accepted, folded=line))
    return tables


def _accepted(frame: pd.DataFrame, looks: dict[str, Look]) -> list[Body]:
    bodies = []
    for metric, name in ACCEPTED.items():
        rows = frame[frame["metric"] == metric]
        for subset in by_number(dict.fromkeys(str(s) for s in rows["subset"])):
            for at in sorted(set(rows.loc[rows["subset"] == subset, "at"])):
                chosen = rows[(rows["subset"] == subset) & (rows["at"] == at)]
                rate = f" at FMR {percent(at)}" if metric == "tar_at_far" else ""
                title = f"{name}{rate}, {subset_label(subset)}"
                bodies.append(Body(_rows(chosen, looks), title=title))
    return bodies


def verdict(low: float, high: float, *, first: str, second: str, better: str = "lower") -> str:
    """Say which of two is ``better``, lower or higher, as far as first minus second allows."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return "no interval"
    if low <= 0 <= high:
        return "not separable"
    return f"{second if (low > 0) == (better == 'lower') else first} {better}"


def _table(caption: str, bodies: list[Body], *, folded: str = "") -> Table:
    return Table(
        caption=caption,
        head="Difference",
        columns=["Value", "95 % interval", "Drawn", "Verdict"],
        bodies=bodies,
        notes=[
            "Each line is first minus second on the same images, with the 95 % interval of a "
            "bootstrap over subjects; rates in percentage points. Two models are "
            "separable where the interval leaves out zero. Within a block all intervals are drawn "
            "on one scale around zero."
        ],
        folded=folded,
    )


def _rows(frame: pd.DataFrame, looks: dict[str, Look]) -> list[Row]:
    columns = ["model_a", "model_b", "metric", "value", "low", "high"]
    order = {model: i for i, model in enumerate(looks)}
    records = sorted(
        frame[columns].itertuples(index=False, name=None),
        key=lambda r: (order.get(r[0], len(order)), order.get(r[1], len(order))),
    )
    ends = [abs(v) for r in records for v in r[3:6] if math.isfinite(v)]
    limit = max(ends, default=0.0)
    rows = []
    for model_a, model_b, metric, value, low, high in records:
        first, second = (looks[m].label if m in looks else m for m in (model_a, model_b))
        show: Callable[[float], str] = fraction if metric == "nmse" else percent_number
        better = "higher" if metric in ACCEPTED else "lower"
        finite = math.isfinite(low) and math.isfinite(high)
        said = verdict(low, high, first=first, second=second, better=better)
        cells = [
            Cell(signed(value, show)) if math.isfinite(value) else Cell(MISSING, tone="missing"),
            Cell(between(low, high, show=show)) if finite else Cell(MISSING, tone="missing"),
            Cell("", tone="words", drawing=interval_bar(value, (low, high), limit=limit)),
            Cell(said, tone="words" if said.endswith(better) else "words muted"),
        ]
        rows.append(Row(f"{first} − {second}", cells))
    return rows


def interval_bar(value: float, ends: tuple[float, float], *, limit: float) -> str:
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
    separable = ""
    if math.isfinite(low) and math.isfinite(high):
        separable = " separable" if low > 0 or high < 0 else ""
        marks.append(
            f'<line class="span" x1="{x(low)}" x2="{x(high)}" y1="{centre}" y2="{centre}"/>'
        )
    if math.isfinite(value):
        marks.append(f'<circle class="point" cx="{x(value)}" cy="{centre}" r="2.8"/>')
    return (
        f'<svg class="bar{separable}" viewBox="0 0 {BAR_WIDTH} {BAR_HEIGHT}" aria-hidden="true">'
        f"{''.join(marks)}</svg>"
    )
