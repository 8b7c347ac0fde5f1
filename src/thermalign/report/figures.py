"""The curves: cumulative error, ROC, training. Each panel is a picture of its own."""

import math
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from thermalign.report.cells import THIN, fraction, percent
from thermalign.report.names import Look, protocol_label, slug, subset_label
from thermalign.report.summary import Value, View
from thermalign.report.svg import FAINT, style, to_svg

SIZE = (4.3, 3.1)  # inches; about the width of a column, so that text keeps its size on a phone
MOST_POINTS = 150
"""Points a training curve is drawn with at most: more than a panel's pixels show."""

Looks = dict[str, Look]
Curve = list[tuple[float, Value]]


@dataclass(frozen=True)
class Panel:
    """A picture and its title."""

    title: str
    svg: str


def ced_panels(view: View) -> list[Panel]:
    """Draw the cumulative error distributions: all images, then every range and volume."""
    panels = []
    for subset in _curve_subsets(view, "ced"):
        curves = view.curves("ced", subset=subset)
        alt = (
            f"Cumulative error distribution, {view.label}, {subset_label(subset)}: share of images "
            f"over the NMSE they stay below. {_spoken(curves, view.looks)}"
        )
        with style():
            figure, axes = _axes()
            for model, points in curves.items():
                _draw(axes, points, look=view.looks[model])
            end = max(at for points in curves.values() for at, _ in points)
            axes.set(xlim=(0, end), ylim=(0, 1), xlabel="NMSE", ylabel="Images below")
            axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: fraction(v, digits=2)))
            key = f"ced-{slug(view.protocol)}-{slug(subset)}"
            panels.append(Panel(subset_label(subset), to_svg(figure, key=key, alt=alt)))
    return panels


def roc_panels(view: View) -> list[Panel]:
    """Draw the ROC curves over a logarithmic false match rate: Range 1 first, as in the paper."""
    panels = []
    for subset in _curve_subsets(view, "roc"):
        curves = view.curves("roc", subset=subset)
        labels = {model: _roc_label(view, model, subset) for model in curves}
        alt = (
            f"ROC curves, {view.label}, {subset_label(subset)}: true accept rate over false match "
            f"rate. {'; '.join(labels.values())}."
        )
        with style():
            figure, axes = _axes()
            for model, points in curves.items():
                drawn = [(at, value) for at, value in points if at > 0]
                _draw(axes, drawn, look=view.looks[model], label=labels[model])
            start = min(at for points in curves.values() for at, _ in points if at > 0)
            axes.set(xscale="log", xlim=(start, 1), ylim=(0, 1))
            axes.set(xlabel="False match rate", ylabel="True accept rate")
            axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v * 100:g}{THIN}%"))
            axes.legend(loc="best", handlelength=2.6, labelspacing=0.35)
            key = f"roc-{slug(view.protocol)}-{slug(subset)}"
            panels.append(Panel(subset_label(subset), to_svg(figure, key=key, alt=alt)))
    return panels


def training_panels(curves: pd.DataFrame, protocol: str, *, looks: Looks) -> list[Panel]:
    """Draw every model's training: loss above, validation NMSE below, a line per fold."""
    mine = curves[curves["protocol"] == protocol]
    panels = []
    for model in (m for m in looks if (mine["model"] == m).any()):
        rows = mine[mine["model"] == model]
        stages = list(dict.fromkeys(str(s) for s in rows["stage"]))
        alt = (
            f"Training of {looks[model].label}, {protocol_label(protocol)}: loss and validation "
            f"NMSE over optimiser steps, a line per fold. Stages: {', '.join(stages)}."
        )
        with style():
            figure = Figure(figsize=SIZE, layout="constrained")
            upper, lower = figure.subplots(2, 1, sharex=True)
            _draw_training(upper, rows, column="loss", colour=looks[model].colour)
            _draw_training(lower, rows, column="validation_nmse", colour=looks[model].colour)
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
    axes = figure.subplots()
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: percent(v, digits=0)))
    return figure, axes


def _curve_subsets(view: View, metric: str) -> list[str]:
    measured = view.subsets(metric)
    parts = [*view.ranges(metric), *view.volumes(metric)]
    # The paper's ROC curves are those of Range 1, its error curves those of all images.
    wanted = [*parts, "all"] if metric == "roc" else ["all", *parts]
    return [s for s in wanted if s in measured] or measured


def _roc_label(view: View, model: str, subset: str) -> str:
    eer = view.get(model, "eer", subset=subset)
    rate = f"EER {percent(eer.value)}" if eer and eer.known else "no EER"
    return f"{view.looks[model].label}, {rate}"


def _draw(axes: Axes, points: Curve, *, look: Look, label: str | None = None) -> None:
    x = [at for at, _ in points]
    y = [value.value for _, value in points]
    axes.plot(x, y, color=look.colour, linestyle=_dash(look), label=label)
    low, high = [value.low for _, value in points], [value.high for _, value in points]
    if any(math.isfinite(v) for v in low):
        axes.fill_between(x, low, high, color=look.colour, alpha=0.13, linewidth=0)


def _dash(look: Look) -> tuple[float, tuple[float, ...]] | str:
    return (0, look.dash) if look.dash else "-"


def _spoken(curves: dict[str, Curve], looks: Looks) -> str:
    parts = []
    for model, points in curves.items():
        at, value = points[len(points) // 4]
        parts.append(f"{looks[model].label} {percent(value.value)} below {fraction(at, digits=2)}")
    return "; ".join(parts) + "."


def _draw_training(axes: Axes, rows: pd.DataFrame, *, column: str, colour: str) -> None:
    stages = list(dict.fromkeys(str(s) for s in rows["stage"]))
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
                color=colour,
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
