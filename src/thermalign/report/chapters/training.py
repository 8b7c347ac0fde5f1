"""How training went: loss and validation NMSE over steps, accuracy over processor time."""

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from thermalign.report.blocks import Chapter, Paragraph, Part
from thermalign.report.drawing import FAINT, SIZE, Panel, Panels, axes_of, dash, panel, style
from thermalign.report.study import Study
from thermalign.report.views import View
from thermalign.report.words import fraction

MOST_POINTS = 150
"""Points a training curve is drawn with at most: more than a panel's pixels show."""


def chapter(study: Study) -> Chapter:
    """Draw the training of every model, a part per protocol.

    It reads CURVES: model, fold, stage, step, core_seconds, loss, validation_nmse.
    """
    parts = []
    for view in study.views:
        panels = [*price_panel(study, view), *training_panels(study, view)]
        caption = (
            f"Training, {view.label}, one line per fold and training seed: validation NMSE over "
            "processor time for all models, then loss and validation NMSE over steps for each. "
            "Stages of a model stand behind each other; losses of different models and stages "
            "share no unit."
        )
        if panels:
            parts.append(Part(view.label, [Panels(panels, caption)], view.protocol.name))
    absent = [] if parts else [Paragraph("No training curves were given.", tone="absent")]
    return Chapter("training", "Training", parts, absent)


def training_panels(study: Study, view: View) -> list[Panel]:
    """Draw every model's training: loss above, validation NMSE below, a line per fold and seed."""
    mine = study.curves[study.curves["protocol"] == view.protocol.name]
    trained = mine["model"].map(study.base)
    panels = []
    for model in (m for m in view.looks if (trained == m).any()):
        rows, look = mine[trained == model], view.looks[model]
        stages = list(dict.fromkeys(str(s) for s in rows["stage"]))
        alt = (
            f"Training of {look.label}, {view.label}: loss and validation NMSE over optimiser "
            f"steps, a line per fold and seed. Stages: {', '.join(stages)}."
        )
        with style():
            figure = Figure(figsize=SIZE, layout="constrained")
            upper, lower = figure.subplots(2, 1, sharex=True)
            _draw_training(upper, rows, column="loss", colour=look.colour)
            _draw_training(lower, rows, column="validation_nmse", colour=look.colour)
            lower.set_xlabel("Optimiser steps")
            upper.set_ylabel("Loss")
            lower.set_ylabel("Validation\nNMSE")
            figure.align_ylabels()
            panels.append(panel(figure, title=look.label, alt=alt, look=look))
    return panels


def price_panel(study: Study, view: View) -> list[Panel]:
    """Draw the validation NMSE of every model over the processor time of its training."""
    curves = study.curves
    mine = curves[(curves["protocol"] == view.protocol.name) & curves["validation_nmse"].notna()]
    models = [m for m in view.looks if (mine["model"] == m).any()]
    if not models:
        return []
    legend = []
    with style():
        figure, axes = axes_of()
        for model in models:
            rows, look = mine[mine["model"] == model].sort_values("core_seconds"), view.looks[model]
            for _, line in rows.groupby("fold", sort=True):
                axes.plot(
                    line["core_seconds"],
                    line["validation_nmse"],
                    color=look.colour,
                    linestyle=dash(look),
                    linewidth=1.1,
                    gid=look.key,
                    marker="o" if len(line) < 2 else None,
                )
            best = rows.sort_values("validation_nmse").iloc[0]
            lowest = fraction(best["validation_nmse"])
            legend.append((look, f"{lowest} after {best['core_seconds']:.0f} s"))
        _price_axes(axes)
        alt = (
            f"Validation NMSE over core-seconds of training, {view.label}, a line per fold. "
            f"{'; '.join(f'{look.label} {words}' for look, words in legend)}."
        )
        return [panel(figure, title="Accuracy over cost", alt=alt, legend=legend)]


def _price_axes(axes: Axes) -> None:
    axes.set(xscale="log", yscale="log")
    axes.set(xlabel="Core-seconds of training", ylabel="Validation NMSE")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.3g}"))
        axis.set_minor_locator(NullLocator())


def _draw_training(axes: Axes, rows: pd.DataFrame, *, column: str, colour: str) -> None:
    stages = list(dict.fromkeys(str(s) for s in rows["stage"]))
    begin = 0
    for stage in stages:
        part = rows[rows["stage"] == stage]
        for _, line in part.groupby(["model", "fold"], sort=True):
            known = line[line[column].notna()].sort_values("step")
            drawn = known.iloc[:: max(1, math.ceil(len(known) / MOST_POINTS))]
            axes.plot(
                drawn["step"] + begin,
                drawn[column],
                color=colour,
                alpha=0.75,
                marker="." if len(drawn) < 2 else None,
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
