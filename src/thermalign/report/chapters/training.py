"""How training went: loss and validation NMSE over steps, accuracy over processor time."""

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from thermalign.report.cells import fraction
from thermalign.report.figures import SIZE, Looks, Panel, Seeds, dash, one_axes
from thermalign.report.names import protocol_label, slug
from thermalign.report.svg import FAINT, style, to_svg

MOST_POINTS = 150
"""Points a training curve is drawn with at most: more than a panel's pixels show."""


def training_panels(
    curves: pd.DataFrame, protocol: str, *, looks: Looks, seeds: Seeds
) -> list[Panel]:
    """Draw every model's training: loss above, validation NMSE below, a line per fold and seed."""
    mine = curves[curves["protocol"] == protocol]
    trained = mine["model"].map(lambda name: seeds[name][0] if name in seeds else name)
    panels = []
    for model in (m for m in looks if (trained == m).any()):
        rows = mine[trained == model]
        stages = list(dict.fromkeys(str(s) for s in rows["stage"]))
        alt = (
            f"Training of {looks[model].label}, {protocol_label(protocol)}: loss and validation "
            f"NMSE over optimiser steps, a line per fold and seed. Stages: {', '.join(stages)}."
        )
        with style():
            figure = Figure(figsize=SIZE, layout="constrained")
            upper, lower = figure.subplots(2, 1, sharex=True)
            _draw_training(upper, rows, column="loss", colour=looks[model].colour)
            _draw_training(lower, rows, column="validation_nmse", colour=looks[model].colour)
            lower.set_xlabel("Optimiser steps")
            upper.set_ylabel("Loss")
            lower.set_ylabel("Validation\nNMSE")
            figure.align_ylabels()
            key = f"training-{slug(protocol)}-{slug(model)}"
            panels.append(Panel(looks[model].label, to_svg(figure, key=key, alt=alt)))
    return panels


def price_panel(curves: pd.DataFrame, protocol: str, *, looks: Looks) -> list[Panel]:
    """Draw the validation NMSE of every model over the processor time of its training."""
    mine = curves[(curves["protocol"] == protocol) & curves["validation_nmse"].notna()]
    models = [m for m in looks if (mine["model"] == m).any()]
    if not models:
        return []
    legend = []
    with style():
        figure, axes = one_axes()
        for model in models:
            rows = mine[mine["model"] == model].sort_values("core_seconds")
            for _, line in rows.groupby("fold", sort=True):
                axes.plot(
                    line["core_seconds"],
                    line["validation_nmse"],
                    color=looks[model].colour,
                    linestyle=dash(looks[model]),
                    linewidth=1.1,
                    marker="o" if len(line) < 2 else None,
                )
            best = rows.sort_values("validation_nmse").iloc[0]
            lowest = fraction(best["validation_nmse"], digits=3)
            legend.append((looks[model], f"{lowest} after {best['core_seconds']:.0f} s"))
        axes.set(xscale="log", yscale="log")
        axes.set(xlabel="Core-seconds of training", ylabel="Validation NMSE")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.3g}"))
            axis.set_minor_locator(NullLocator())
        alt = (
            f"Validation NMSE over core-seconds of training, {protocol_label(protocol)}, a "
            f"line per fold. {'; '.join(f'{look.label} {words}' for look, words in legend)}."
        )
        svg = to_svg(figure, key=f"price-{slug(protocol)}", alt=alt)
    return [Panel("Accuracy over cost", svg, legend)]


def _draw_training(axes: Axes, rows: pd.DataFrame, *, column: str, colour: str) -> None:
    stages = list(dict.fromkeys(str(s) for s in rows["stage"]))
    begin = 0
    for stage in stages:
        part = rows[rows["stage"] == stage]
        for _, line in part.groupby(["model", "fold"], sort=True):
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
        end = begin + int(part["step"].max())
        if len(stages) > 1:
            _mark_stage(axes, stage, begin=begin, end=end, named=column == "loss")
        begin = end
    _scale(axes, [float(v) for v in rows[column] if math.isfinite(float(v))])


def _scale(axes: Axes, values: list[float]) -> None:
    """Take a logarithmic axis where values span more than a factor of ten."""
    if not values:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color=FAINT)
        axes.set_yticks([])
    elif min(values) > 0 and max(values) > 10 * min(values):
        axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.3g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_locator(MaxNLocator(4))


def _mark_stage(axes: Axes, stage: str, *, begin: int, end: int, named: bool) -> None:
    if begin:
        axes.axvline(begin, color=FAINT, linewidth=0.8, linestyle=(0, (2, 2)))
    if named:
        middle, top = (begin + end) / 2, axes.get_xaxis_transform()
        axes.text(middle, 0.98, stage, transform=top, ha="center", va="top", color=FAINT)
