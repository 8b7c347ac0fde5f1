"""The curves of verification and identification: ROC, DET, CMC."""

from collections.abc import Callable
from statistics import NormalDist

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from thermalign.report.cells import THIN, number, percent
from thermalign.report.figures import Curve, Panel, curve_subsets, dash, draw, one_axes
from thermalign.report.names import Look, slug, subset_label
from thermalign.report.summary import View
from thermalign.report.svg import FAINT, GRID, style, to_svg

DET_TICKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99)
"""Rates that a DET axis may name; their spacing is that of normal deviates."""


DET_END = 0.5
"""False accept rate where DET curves end: beyond it no system works."""


DET_AXES = {
    "roc": ("False accept rate", "False reject rate", "eer"),
    "roc_found": ("False match rate", "False non-match rate", "eer_found"),
}
"""Curve to the labels of its axes, and to the metric of its EER."""


def roc_panels(view: View) -> list[Panel]:
    """Draw the ROC curves over a logarithmic false accept rate: Range 1 first, as in the paper."""
    panels = []
    for subset in curve_subsets(view, "roc"):
        curves = view.curves("roc", subset=subset)
        legend = [(view.looks[model], _eer(view, model, subset)) for model in curves]
        alt = (
            f"ROC curves, {view.label}, {subset_label(subset)}: true accept rate over false "
            f"accept rate. {_spoken(legend)}"
        )
        with style():
            figure, axes = one_axes()
            for model, points in curves.items():
                draw(axes, [(at, v) for at, v in points if at > 0], look=view.looks[model])
            inside = [at for points in curves.values() for at, _ in points if 0 < at < 1]
            axes.set(xscale="log", xlim=(min(inside, default=1e-3), 1), ylim=(0, 1.02))
            shade_unsupported(axes, view, subset)
            axes.set(xlabel="False accept rate", ylabel="True accept rate")
            axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v * 100:g}{THIN}%"))
            key = f"roc-{slug(view.protocol)}-{slug(subset)}"
            panels.append(Panel(subset_label(subset), to_svg(figure, key=key, alt=alt), legend))
    return panels


def det_panels(view: View, metric: str = "roc") -> list[Panel]:
    """Draw the DET curves: both error rates spaced as normal deviates, so that lines straighten.

    Points where a rate is 0 or 1 have no normal deviate and are left out. Of ``roc`` with failures
    to acquire (FAR, FRR), of ``roc_found`` without (FMR, FNMR).
    """
    across, up, eer = DET_AXES[metric]
    panels = []
    for subset in curve_subsets(view, metric):
        curves = {m: _errors(its) for m, its in view.curves(metric, subset=subset).items()}
        drawn = {model: points for model, points in curves.items() if points}
        if not drawn:
            continue
        legend = [(view.looks[model], _eer(view, model, subset, eer)) for model in drawn]
        alt = (
            f"DET curves, {view.label}, {subset_label(subset)}: {up.lower()} over "
            f"{across.lower()}, both spaced as normal deviates. {_spoken(legend)}"
        )
        with style():
            figure, axes = one_axes()
            for model, points in drawn.items():
                look = view.looks[model]
                axes.plot(*zip(*points, strict=True), color=look.colour, linestyle=dash(look))
            _deviate_scale(axes)
            shade_unsupported(axes, view, subset, scale=NormalDist().inv_cdf)
            axes.set(xlabel=across, ylabel=up)
            key = f"det-{slug(metric)}-{slug(view.protocol)}-{slug(subset)}"
            panels.append(Panel(subset_label(subset), to_svg(figure, key=key, alt=alt)))
    return panels


def cmc_panels(view: View) -> list[Panel]:
    """Draw the cumulative match characteristics over rank: Range 1 first."""
    panels = []
    for subset in curve_subsets(view, "cmc"):
        curves = view.curves("cmc", subset=subset)
        legend = [(view.looks[model], _rank1(view, model, subset)) for model in curves]
        alt = (
            f"CMC curves, {view.label}, {subset_label(subset)}: share of probes whose own subject "
            f"is among the highest scores, over rank. {_spoken(legend)}"
        )
        with style():
            figure, axes = one_axes()
            for model, points in curves.items():
                draw(axes, points, look=view.looks[model])
            values = [(at, v.low if v.bounded else v.value) for c in curves.values() for at, v in c]
            axes.set(xlim=(1, max(at for at, _ in values)), xlabel="Rank", ylabel="Identified")
            axes.set_ylim(min(0.95, max(0.0, min(low for _, low in values) - 0.03)), 1.005)
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
            key = f"cmc-{slug(view.protocol)}-{slug(subset)}"
            panels.append(Panel(subset_label(subset), to_svg(figure, key=key, alt=alt), legend))
    return panels


def shade_unsupported(
    axes: Axes, view: View, subset: str, *, scale: Callable[[float], float] = float
) -> None:
    """Shade the false accept rates that fewer person pairs carry than the rule of 30 asks for."""
    known = [value.value for value in view.known("least_far", subset=subset).values()]
    low, high = axes.get_xlim()
    if known and low < scale(min(known)):
        axes.axvspan(low, min(scale(min(known)), high), color=GRID, alpha=0.6, zorder=0, lw=0)
        axes.set_xlim(low, high)


def counted(view: View, metric: str) -> str:
    """Say how many comparisons, or probes, each panel of a curve is taken over."""
    parts = []
    for subset in curve_subsets(view, metric):
        numbers = {v.n for points in view.curves(metric, subset=subset).values() for _, v in points}
        spelt = " to ".join(number(n) for n in sorted({min(numbers), max(numbers)}))
        parts.append(f"{subset_label(subset)} {spelt}")
    return "; ".join(parts)


def _errors(curve: Curve) -> list[tuple[float, float]]:
    """Return the normal deviates of both error rates of a ROC curve."""
    normal = NormalDist()
    return [
        (normal.inv_cdf(at), normal.inv_cdf(1 - value.value))
        for at, value in curve
        if 0 < at <= DET_END and 0 < value.value < 1
    ]


def _deviate_scale(axes: Axes) -> None:
    """Name rates on both axes, and mark where the two errors are equal."""
    normal = NormalDist()
    ticks = [normal.inv_cdf(rate) for rate in DET_TICKS]
    axes.margins(x=0, y=0.02)
    across, up = axes.get_xlim(), axes.get_ylim()
    for axis, ends in ((axes.xaxis, across), (axes.yaxis, up)):
        axis.set_major_locator(FixedLocator(_apart(ticks, *ends)))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * normal.cdf(v):.3g}{THIN}%"))
    axes.axline((0, 0), slope=1, color=FAINT, linewidth=0.8, linestyle=(0, (2, 2)))
    axes.set(xlim=across, ylim=up)


def _apart(ticks: list[float], low: float, high: float) -> list[float]:
    """Leave out ticks that stand closer than a ninth of the axis, so that labels never touch."""
    kept: list[float] = []
    for tick in (t for t in ticks if low - 1e-9 <= t <= high + 1e-9):
        if not kept or tick - kept[-1] > (high - low) / 9:
            kept.append(tick)
    return kept


def _eer(view: View, model: str, subset: str, metric: str = "eer") -> str:
    eer = view.get(model, metric, subset=subset)
    return f"EER {percent(eer.value)}" if eer and eer.known else "no EER"


def _rank1(view: View, model: str, subset: str) -> str:
    rank1 = view.get(model, "rank1", subset=subset)
    return f"rank-1 {percent(rank1.value)}" if rank1 and rank1.known else "no rank-1"


def _spoken(legend: list[tuple[Look, str]]) -> str:
    return "; ".join(f"{look.label} {words}" for look, words in legend) + "."
