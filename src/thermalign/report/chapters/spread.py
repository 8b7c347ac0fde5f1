"""How NMSE depends on the number of training subjects, and how much of it is chance."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from thermalign.report.blocks import Block, Body, Cell, Chapter, Row, Table
from thermalign.report.drawing import (
    SIZE,
    Panel,
    Panels,
    axes_of,
    dash,
    fraction_axis,
    panel,
    style,
    tell,
)
from thermalign.report.looks import Look
from thermalign.report.study import Study
from thermalign.report.words import MISSING, between, fraction, number
from thermalign.schemas.keys import rows_of

APART = 0.022
"""Distance of two models at one size, of the axis's length: their intervals stand side by side."""


@dataclass(frozen=True)
class Point:
    """A model at one size of the training set: NMSE, its interval, the NMSE of each seed."""

    size: int
    nmse: float
    low: float
    high: float
    trainings: list[float]


def chapter(study: Study) -> Chapter | None:
    """Lay out SPREAD; None where protocols form no series and no model has several seeds.

    A series is made of protocols that differ in nothing but ``train_subjects``: those have the same
    test subjects. It reads SPREAD, and of SUMMARY the nmse of single trainings.
    """
    shown = study.spread[study.spread["nmse"].notna()]
    series = _series(study, shown)
    if not series and not (shown["n_seeds"] > 1).any():
        return None
    panels = [
        _panel(study, names, shown, title=_labels(study, names) if len(series) > 1 else "")
        for names in series
    ]
    drawn = shown[shown["protocol"].isin([name for names in series for name in names])]
    repeated = shown[shown["n_seeds"] > 1]
    told = shown[shown["protocol"].isin({*drawn["protocol"], *repeated["protocol"]})]
    blocks: list[Block] = [_table(study, told)]
    if panels:
        caption = (
            "NMSE over the number of training subjects; the test subjects are the same at every "
            "size, and smaller training sets are parts of larger ones. Points: mean over training "
            "seeds. Bars: 95 % interval of a bootstrap over test subjects. Rings beside a bar: its "
            "single trainings. Both axes are logarithmic."
        )
        legend = [look for m, look in study.looks.items() if (drawn["model"] == m).any()]
        blocks.insert(0, Panels(panels, caption, legend))
    return Chapter(
        "training-data",
        "How much training data, and how much chance",
        blocks=blocks,
        contents="How much training data",
    )


def _labels(study: Study, names: list[str]) -> str:
    return ", ".join(study.setup.protocol(name).label for name in names)


def _series(study: Study, spread: pd.DataFrame) -> list[list[str]]:
    """Return the protocols of every series, by rising number of training subjects."""
    sizes = dict(zip(spread["protocol"], spread["train_subjects"], strict=True))
    alike: dict[str, list[str]] = {}
    for name, protocol in study.setup.protocols.items():
        if name in sizes:
            alike.setdefault(protocol.series, []).append(name)
    ordered = [sorted(names, key=sizes.__getitem__) for names in alike.values()]
    return [names for names in ordered if sizes[names[0]] < sizes[names[-1]]]


def _curves(study: Study, spread: pd.DataFrame) -> dict[str, list[Point]]:
    """Return by model its points, by rising size, in the order of the page."""
    whole = rows_of(study.summary)
    nmse = whole[(whole["metric"] == "nmse") & whole["model"].isin(list(study.seeds))]
    single: dict[tuple[str, str], list[float]] = {}
    columns = ["protocol", "model", "value"]
    for protocol, model, value in nmse[columns].itertuples(index=False, name=None):
        single.setdefault((protocol, study.base(model)), []).append(value)
    points: dict[str, list[Point]] = {model: [] for model in study.looks}
    columns = ["protocol", "model", "train_subjects", "nmse", "low", "high"]
    rows = spread.sort_values("train_subjects")[columns]
    for protocol, model, size, mean, low, high in rows.itertuples(index=False, name=None):
        trainings = single.get((protocol, model), [])
        points[model].append(Point(size, mean, low, high, trainings))
    return {model: its for model, its in points.items() if its}


def _panel(study: Study, names: list[str], spread: pd.DataFrame, *, title: str) -> Panel:
    curves = _curves(study, spread[spread["protocol"].isin(names)])
    said = "; ".join(
        f"{study.looks[model].label} {' '.join(f'{fraction(p.nmse)} at {p.size}' for p in points)}"
        for model, points in curves.items()
    )
    alt = f"NMSE over the number of training subjects, both logarithmic: {said}."
    every = [point for points in curves.values() for point in points]
    step = (max(p.size for p in every) / min(p.size for p in every)) ** APART
    with style():
        figure, axes = axes_of((1.35 * SIZE[0], 1.25 * SIZE[1]))
        for i, (model, points) in enumerate(curves.items()):
            place = step ** (i - (len(curves) - 1) / 2)
            _draw(axes, points, look=study.looks[model], place=place, beside=place * step**0.5)
        _scale(axes, every)
        return panel(figure, title=title, alt=alt)


def _draw(axes: Axes, points: list[Point], *, look: Look, place: float, beside: float) -> None:
    """Draw a model's means and intervals at ``place`` times the sizes, its trainings ``beside``."""
    x, y = [p.size * place for p in points], [p.nmse for p in points]
    own: dict[str, Any] = {"color": look.colour, "gid": look.key}
    axes.plot(x, y, linestyle=dash(look), linewidth=1.4, **own)
    axes.vlines(x, [p.low for p in points], [p.high for p in points], lw=1, **own)
    axes.plot(x, y, "o", markersize=4, **own)
    said = [f"{fraction(p.nmse)} with {p.size} training subjects" for p in points]
    tell(axes, look, list(zip(x, y, said, strict=True)))
    single = [(p.size * beside, value) for p in points for value in p.trainings]
    for at, value in single:
        ring: dict[str, Any] = {"markersize": 2.6, "mfc": "none", "mec": look.colour, "mew": 0.8}
        axes.plot(at, value, "o", gid=look.key, **ring)


def _scale(axes: Axes, points: list[Point]) -> None:
    sizes = sorted({point.size for point in points})
    axes.set(xscale="log", yscale="log", xlabel="Training subjects", ylabel="NMSE")
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.0f}"))
    values = [v for p in points for v in (p.nmse, p.low, p.high) if math.isfinite(v) and v > 0]
    narrow = max(values) < 4 * min(values)
    axes.yaxis.set_major_locator(LogLocator(subs=range(1, 10) if narrow else (1, 1.5, 2, 3, 4, 6)))
    fraction_axis(axes.yaxis)
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())


def _table(study: Study, spread: pd.DataFrame) -> Table:
    bodies = []
    present = dict.fromkeys(sorted(map(str, spread["protocol"])))
    for protocol in dict.fromkeys([*study.setup.protocols, *present]):
        if protocol not in present:
            continue
        mine = spread[spread["protocol"] == protocol].set_index("model")
        rows = [
            Row(look.label, list(_cells(mine.loc[model].to_dict())), look=look)
            for model, look in study.looks.items()
            if model in mine.index
        ]
        size = int(mine["train_subjects"].iloc[0])
        label = study.setup.protocol(protocol).label
        bodies.append(Body(rows, title=f"{label}, {size} training subjects"))
    return Table(
        caption="How far other training seeds and other test subjects move NMSE",
        head="Model",
        columns=[
            *("NMSE", "seeds", "subjects", "seeds", "subjects", "rest"),
            *("Seeds", "Test subjects"),
        ],
        groups=[("", 1), ("Standard error from", 2), ("Standard deviation of", 3), ("", 2)],
        bodies=bodies,
        compact=True,
        notes=[
            "NMSE: mean over training seeds and folds, with the 95 % interval of a bootstrap over "
            "subjects. Standard errors: how far that mean would move with other seeds, the test "
            "subjects kept, and with other test subjects, the trainings kept. Standard deviations: "
            "of seeds, of people, and of what is neither (a person whom one training "
            "suits), by analysis of variance of the subjects’ mean errors; an estimate below 0 is "
            "0. Few seeds leave the seeds’ share rough: with three it is an order of "
            "magnitude. With one seed it is unknown, and the share of subjects holds the rest."
        ],
    )


def _cells(row: dict[Any, Any]) -> Iterator[Cell]:
    low, high = row["low"], row["high"]
    ends = between(low, high, show=fraction) if math.isfinite(low) and math.isfinite(high) else ""
    yield Cell(fraction(row["nmse"]), ends)
    for name in ("seed_se", "subject_se", "seed_sd", "subject_sd", "residual_sd"):
        text = fraction(row[name], digits=4)
        yield Cell(text, tone="missing" if text == MISSING else "")
    yield Cell(number(row["n_seeds"]))
    yield Cell(number(row["n_subjects"]))
