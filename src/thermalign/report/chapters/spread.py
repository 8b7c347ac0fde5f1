"""How NMSE depends on the number of training subjects, and how much of it is chance."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from thermalign.report.cells import (
    MISSING,
    NBSP,
    Body,
    Cell,
    Row,
    Table,
    between,
    fraction,
    number,
)
from thermalign.report.figures import SIZE, Looks, Panel, Seeds
from thermalign.report.names import Look, protocol_label, slug
from thermalign.report.svg import style, to_svg

APART = 0.022
"""Distance of two models at one size, of the axis's length: their intervals stand side by side."""


@dataclass(frozen=True)
class Chapter:
    """Sentences, a picture per series of protocols, and the table."""

    sentences: list[str]
    panels: list[Panel]
    legend: list[Look]
    table: Table


@dataclass(frozen=True)
class Point:
    """A model at one size of the training set: NMSE, its interval, the NMSE of each seed."""

    size: int
    nmse: float
    low: float
    high: float
    trainings: list[float]


def spread_chapter(
    spread: pd.DataFrame,
    summary: pd.DataFrame,
    protocols: dict[str, Any],
    *,
    looks: Looks,
    seeds: Seeds,
) -> Chapter | None:
    """Lay out SPREAD; None where protocols form no series and no model has several seeds.

    A series is made of protocols that differ in nothing but ``train_subjects``: those have the same
    test subjects.

    Parameters
    ----------
    spread, summary : DataFrame of SPREAD, SUMMARY
    protocols : dict
        The block of the configuration.
    looks : dict of model to Look
    seeds : dict
    """
    shown = spread[spread["nmse"].notna()]
    series = _series(shown, protocols)
    if not series and not (shown["n_seeds"] > 1).any():
        return None
    panels, sentences = [], []
    for names in series:
        curves = _curves(shown[shown["protocol"].isin(names)], summary, looks=looks, seeds=seeds)
        title = ", ".join(map(protocol_label, names)) if len(series) > 1 else ""
        panels.append(_panel(curves, looks, title=title, key=f"spread-{slug(names[0])}"))
        sentences.append(_by_size(curves, looks))
    drawn = shown[shown["protocol"].isin(name for names in series for name in names)]
    repeated = shown[shown["n_seeds"] > 1]
    told = shown[shown["protocol"].isin({*drawn["protocol"], *repeated["protocol"]})]
    last = [names[-1] for names in series] or list(dict.fromkeys(told["protocol"]))
    sentences += [_chance(told, protocol, looks) for protocol in last]
    return Chapter(
        sentences=[sentence for sentence in sentences if sentence],
        panels=panels,
        legend=[look for model, look in looks.items() if (drawn["model"] == model).any()],
        table=_table(told, protocols, looks),
    )


def _series(spread: pd.DataFrame, protocols: dict[str, Any]) -> list[list[str]]:
    """Return the protocols of every series, by rising number of training subjects."""
    sizes = dict(zip(spread["protocol"], spread["train_subjects"], strict=True))
    alike: dict[str, list[str]] = {}
    for name in (p for p in protocols if p in sizes):
        rest = {k: v for k, v in protocols[name].items() if k != "train_subjects"}
        alike.setdefault(json.dumps(rest, sort_keys=True), []).append(name)
    ordered = [sorted(names, key=sizes.__getitem__) for names in alike.values()]
    return [names for names in ordered if sizes[names[0]] < sizes[names[-1]]]


def _curves(
    spread: pd.DataFrame, summary: pd.DataFrame, *, looks: Looks, seeds: Seeds
) -> dict[str, list[Point]]:
    """Return by model its points, by rising size, in the order of the page."""
    chosen = (summary["metric"] == "nmse") & (summary["subset"] == "all")
    single: dict[tuple[str, str], list[float]] = {}
    columns = ["protocol", "model", "value"]
    for protocol, model, value in summary.loc[chosen, columns].itertuples(index=False, name=None):
        if model in seeds:
            single.setdefault((protocol, seeds[model][0]), []).append(value)
    points: dict[str, list[Point]] = {model: [] for model in looks}
    columns = ["protocol", "model", "train_subjects", "nmse", "low", "high"]
    rows = spread.sort_values("train_subjects")[columns]
    for protocol, model, size, nmse, low, high in rows.itertuples(index=False, name=None):
        trainings = single.get((protocol, model), [])
        points[model].append(Point(size, nmse, low, high, trainings))
    return {model: its for model, its in points.items() if its}


def _panel(curves: dict[str, list[Point]], looks: Looks, *, title: str, key: str) -> Panel:
    said = "; ".join(
        f"{looks[model].label} {' '.join(f'{fraction(p.nmse)} at {p.size}' for p in points)}"
        for model, points in curves.items()
    )
    with style():
        figure = Figure(figsize=(1.35 * SIZE[0], 1.25 * SIZE[1]), layout="constrained")
        axes = figure.subplots()
        every = [point for points in curves.values() for point in points]
        step = (max(p.size for p in every) / min(p.size for p in every)) ** APART
        for i, (model, points) in enumerate(curves.items()):
            place = step ** (i - (len(curves) - 1) / 2)
            _draw(axes, points, look=looks[model], place=place, beside=place * step**0.5)
        _scale(axes, every)
        alt = f"NMSE over the number of training subjects, both logarithmic: {said}."
        return Panel(title, to_svg(figure, key=key, alt=alt))


def _draw(axes: Axes, points: list[Point], *, look: Look, place: float, beside: float) -> None:
    """Draw a model's means and intervals at ``place`` times the sizes, its trainings ``beside``."""
    x, y = [p.size * place for p in points], [p.nmse for p in points]
    colour, dash = look.colour, (0, look.dash) if look.dash else "-"
    axes.plot(x, y, color=colour, linestyle=dash, linewidth=1.4)
    axes.vlines(x, [p.low for p in points], [p.high for p in points], color=colour, linewidth=1)
    axes.plot(x, y, "o", color=colour, markersize=4)
    single = [(p.size * beside, value) for p in points for value in p.trainings]
    for at, value in single:
        axes.plot(at, value, "o", markersize=2.6, mfc="none", mec=colour, mew=0.8)


def _scale(axes: Axes, points: list[Point]) -> None:
    sizes = sorted({point.size for point in points})
    axes.set(xscale="log", yscale="log", xlabel="Training subjects", ylabel="NMSE")
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.0f}"))
    values = [v for p in points for v in (p.nmse, p.low, p.high) if math.isfinite(v) and v > 0]
    narrow = max(values) < 4 * min(values)
    axes.yaxis.set_major_locator(LogLocator(subs=range(1, 10) if narrow else (1, 1.5, 2, 3, 4, 6)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: fraction(v, digits=2)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())


def _by_size(curves: dict[str, list[Point]], looks: Looks) -> str:
    sizes = " → ".join(str(p.size) for p in max(curves.values(), key=len))
    said = "; ".join(
        f"{looks[model].label}{NBSP}{' → '.join(fraction(p.nmse) for p in points)}"
        for model, points in curves.items()
    )
    return f"NMSE with {sizes} training subjects, the same test subjects throughout: {said}."


def _chance(spread: pd.DataFrame, protocol: str, looks: Looks) -> str:
    """Say what other seeds and other test subjects would change in a protocol."""
    rows = spread[(spread["protocol"] == protocol) & (spread["n_seeds"] > 1)].set_index("model")
    said = [
        f"{look.label}{NBSP}{fraction(rows['seed_se'][model], digits=4)} and "
        f"{fraction(rows['subject_se'][model], digits=4)}"
        for model, look in looks.items()
        if model in rows.index
    ]
    if not said:
        return ""
    return (
        f"In {protocol_label(protocol)}, with {rows['train_subjects'].iloc[0]} training subjects, "
        "NMSE would move this far, as one standard error, with other training seeds and with other "
        f"test subjects: {'; '.join(said)}."
    )


def _table(spread: pd.DataFrame, protocols: dict[str, Any], looks: Looks) -> Table:
    bodies = []
    present = set(spread["protocol"])
    for protocol in [*(p for p in protocols if p in present), *sorted(present - set(protocols))]:
        mine = spread[spread["protocol"] == protocol].set_index("model")
        rows = [
            Row(look.label, list(_cells(mine.loc[model].to_dict())), look=look)
            for model, look in looks.items()
            if model in mine.index
        ]
        size = int(mine["train_subjects"].iloc[0])
        bodies.append(Body(rows, title=f"{protocol_label(protocol)}, {size} training subjects"))
    return Table(
        caption="How far other training seeds and other test subjects move NMSE",
        head="Model",
        columns=[
            "NMSE",
            "seeds",
            "subjects",
            "seeds",
            "subjects",
            "rest",
            "Seeds",
            "Test subjects",
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


def _cells(row: dict[str, Any]) -> Iterator[Cell]:
    low, high = row["low"], row["high"]
    ends = between(low, high, show=fraction) if math.isfinite(low) and math.isfinite(high) else ""
    yield Cell(fraction(row["nmse"]), ends)
    for name in ("seed_se", "subject_se", "seed_sd", "subject_sd", "residual_sd"):
        text = fraction(row[name], digits=4)
        yield Cell(text, tone="missing" if text == MISSING else "")
    yield Cell(number(row["n_seeds"]))
    yield Cell(number(row["n_subjects"]))
