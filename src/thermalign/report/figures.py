"""The curves: cumulative error, ROC, training. Each panel is a picture of its own."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from thermalign.report.cells import fraction, percent
from thermalign.report.names import Look, protocol_label, slug, subset_label, subset_parts
from thermalign.report.summary import Summary, Value, by_number
from thermalign.report.svg import FAINT, style, to_svg

SIZE = (4.3, 3.1)  # inches; about the width of a column, so that text keeps its size on a phone
MOST_POINTS = 150
"""Points a training curve is drawn with at most: more than a panel's pixels show."""

Looks = dict[str, Look]


@dataclass(frozen=True)
class Panel:
    """A picture and its title."""

    title: str
    svg: str


def ced_panels(summary: Summary, protocol: str, looks: Looks) -> list[Panel]:
    """Draw the cumulative error distributions: all images, then every range and volume."""
    panels = []
    for subset in _curve_subsets(summary, protocol, "ced", first="all"):
        curves = _curves(summary, protocol, subset, "ced", looks)
        key = f"ced-{slug(protocol)}-{slug(subset)}"
        said = _spoken(curves, looks)
        alt = (
            f"Cumulative error distribution, {protocol_label(protocol)}, {subset_label(subset)}: "
            f"share of images over the NMSE they stay below. {said}"
        )
        with style():
            figure, axes = _axes()
            for model, points in curves.items():
                _draw(axes, points, looks[model])
            end = max(at for points in curves.values() for at, _ in points)
            axes.set(xlim=(0, end), ylim=(0, 1), xlabel="NMSE", ylabel="Images below")
            axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: fraction(v, digits=2)))
            _percent_axis(axes)
            panels.append(Panel(subset_label(subset), to_svg(figure, key=key, alt=alt)))
    return panels


def roc_panels(summary: Summary, protocol: str, looks: Looks) -> list[Panel]:
    """Draw the ROC curves over a logarithmic false match rate: Range 1 first, as in the paper."""
    panels = []
    for subset in _curve_subsets(summary, protocol, "roc", first="range=1"):
        curves = _curves(summary, protocol, subset, "roc", looks)
        curves = {m: [p for p in points if p[0] > 0] for m, points in curves.items()}
        labels = {}
        for model in curves:
            eer = summary.get(protocol, model, subset, "eer")
            known = eer is not None and eer.known
            rate = f"EER {percent(eer.value)}" if eer is not None and known else "no EER"
            labels[model] = f"{looks[model].label}, {rate}"
        alt = (
            f"ROC curves, {protocol_label(protocol)}, {subset_label(subset)}: true accept rate over "
            f"false match rate. {'; '.join(labels.values())}."
        )
        with style():
            figure, axes = _axes()
            for model, points in curves.items():
                _draw(axes, points, looks[model], label=labels[model])
            start = min((p[0] for points in curves.values() for p in points), default=1e-3)
            axes.set(xscale="log", xlim=(start, 1), ylim=(0, 1))
            axes.set(xlabel="False match rate", ylabel="True accept rate")
            axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v * 100:g} %"))
            _percent_axis(axes)
            axes.legend(loc="best", handlelength=2.6, labelspacing=0.35)
            key = f"roc-{slug(protocol)}-{slug(subset)}"
            panels.append(Panel(subset_label(subset), to_svg(figure, key=key, alt=alt)))
    return panels


def training_panels(curves: pd.DataFrame, protocol: str, looks: Looks) -> list[Panel]:
    """Draw every model's training: loss above, validation NMSE below, a line per fold."""
    mine = curves[curves["protocol"] == protocol]
    panels = []
    for model in (m for m in looks if (mine["model"] == m).any()):
        rows = mine[mine["model"] == model]
        stages = list(dict.fromkeys(str(s) for s in rows["stage"]))
        alt = (
            f"Training of {looks[model].label}, {protocol_label(protocol)}: loss and validation NMSE "
            f"over optimiser steps, a line per fold. Stages: {', '.join(stages)}."
        )
        with style():
            figure = Figure(figsize=SIZE, layout="constrained")
            upper, lower = figure.subplots(2, 1, sharex=True)
            _draw_training(upper, rows, stages, "loss", looks[model])
            _draw_training(lower, rows, stages, "validation_nmse", looks[model])
            lower.set_xlabel("Optimiser steps")
            lower.yaxis.set_major_formatter(FuncFormatter(lambda v, _: fraction(v, digits=2)))
            upper.set_ylabel("Loss")
            lower.set_ylabel("Validation\nNMSE")
            figure.align_ylabels()
            key = f"training-{slug(protocol)}-{slug(model)}"
            panels.append(Panel(looks[model].label, to_svg(figure, key=key, alt=alt)))
    return panels


def _axes() -> tuple[Figure, Axes]:
    figure = Figure(figsize=SIZE, layout="constrained")
    return figure, figure.subplots()


def _percent_axis(axes: Axes) -> None:
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: percent(v, digits=0)))


def _curve_subsets(summary: Summary, protocol: str, metric: str, *, first: str) -> list[str]:
    ranges = summary.ranges(protocol, metric)
    measured = summary.subsets(protocol, metric)
    volumes = by_number(s for s in measured if set(subset_parts(s)) == {"volume"})
    wanted = ["all", *(ranges if len(ranges) > 1 else []), *(volumes if len(volumes) > 1 else [])]
    found = [s for s in wanted if s in measured] or ranges
    return sorted(found, key=lambda s: s != first and (s == "all" or first == "all"))


def _curves(
    summary: Summary, protocol: str, subset: str, metric: str, looks: Looks
) -> dict[str, list[tuple[float, Value]]]:
    curves = {model: summary.curve(protocol, model, subset, metric) for model in looks}
    return {model: points for model, points in curves.items() if points}


def _draw(
    axes: Axes, points: Sequence[tuple[float, Value]], look: Look, *, label: str | None = None
) -> None:
    x = [at for at, _ in points]
    axes.plot(
        x, [v.value for _, v in points], color=look.colour, linestyle=_dash(look), label=label
    )
    low, high = [v.low for _, v in points], [v.high for _, v in points]
    if any(math.isfinite(v) for v in low):
        axes.fill_between(x, low, high, color=look.colour, alpha=0.13, linewidth=0)


def _dash(look: Look) -> tuple[float, tuple[float, ...]] | str:
    return (0, look.dash) if look.dash else "-"


def _spoken(curves: dict[str, list[tuple[float, Value]]], looks: Looks) -> str:
    parts = []
    for model, points in curves.items():
        at, value = points[len(points) // 4]
        parts.append(f"{looks[model].label} {percent(value.value)} below {fraction(at, digits=2)}")
    return "; ".join(parts) + "."


def _draw_training(
    axes: Axes, rows: pd.DataFrame, stages: list[str], column: str, look: Look
) -> None:
    begin = 0
    for stage in stages:
        part = rows[rows["stage"] == stage]
        for _, line in part.groupby("fold", sort=True):
            known = line[line[column].notna()].sort_values("step")
            drawn = known.iloc[:: max(1, math.ceil(len(known) / MOST_POINTS))]
            marker = "." if len(drawn) < 2 else None
            axes.plot(
                drawn["step"] + begin,
                drawn[column],
                color=look.colour,
                alpha=0.75,
                marker=marker,
                linewidth=1.1,
            )
        if len(stages) > 1:
            _mark_stage(axes, stage, begin, named=column == "loss")
        begin += int(part["step"].max())
    values = [float(v) for v in rows[column] if math.isfinite(float(v))]
    if not values:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color=FAINT)
    elif min(values) > 0 and max(values) > 10 * min(values):
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(MaxNLocator(4))


def _mark_stage(axes: Axes, stage: str, begin: int, *, named: bool) -> None:
    axes.axvline(begin, color=FAINT, linewidth=0.8, linestyle=(0, (2, 2)))
    if named:
        axes.annotate(
            stage,
            (begin, 1),
            xycoords=axes.get_xaxis_transform(),
            xytext=(4, -1),
            textcoords="offset points",
            va="top",
            fontsize=8.5,
            color=FAINT,
        )


def shown(looks: Looks, models: Iterable[str]) -> list[Look]:
    """Return the looks of some models, for a legend above the panels."""
    wanted = set(models)
    return [look for model, look in looks.items() if model in wanted]
