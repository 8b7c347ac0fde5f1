"""The curves of verification and identification: ROC, DET, CMC."""

import math
from collections.abc import Callable, Mapping
from statistics import NormalDist

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from thermalign.report.blocks import Chapter, Part
from thermalign.report.curves import curve_panels, curve_subsets
from thermalign.report.drawing import (
    FAINT,
    GRID,
    Panel,
    Panels,
    ends,
    percent_axis,
)
from thermalign.report.study import Study
from thermalign.report.views import Curve, Value, View
from thermalign.report.words import THIN, interval, number, percent, subset_label
from thermalign.schemas.keys import Subset

DET_TICKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99)
"""Rates that a DET axis may name; their spacing is that of normal deviates."""

DET_END = 0.5
"""False accept rate where DET curves end: beyond it no system works."""

DET_AXES = {
    "roc": ("False accept rate", "False reject rate", "eer"),
    "roc_found": ("False match rate", "False non-match rate", "eer_found"),
}
"""Curve to the labels of its axes, and to the metric of its EER."""

NORMAL = NormalDist()


def chapter(study: Study) -> Chapter | None:
    """Draw ROC, DET and CMC curves, a part per protocol; None where none was measured.

    It reads SUMMARY: roc, roc_found and cmc over ``at``, eer, eer_found, rank1, least_far.
    """
    parts = [Part(view.label, figures(study, view), view.protocol.name) for view in study.views]
    shown = [part for part in parts if part.blocks]
    return Chapter("curves", "Curves of verification", shown) if shown else None


def figures(study: Study, view: View) -> list[Panels]:
    """Return the figures of a protocol that have something to show."""
    legend = [view.looks[model] for model in study.bases(view.models("roc"))]
    found = [
        Panels(
            roc_panels(view),
            f"Receiver operating characteristic, {view.verified}, with the equal error rate (EER) "
            "of each curve. A probe that could not be acquired matches nobody. The axis of false "
            "accept rates is logarithmic, because verification works at its low end. Shaded, where "
            "known: rates that need more person pairs than there are (rule of 30). Bands, where "
            "drawn: 95 % interval of a bootstrap over subjects. Comparisons: "
            f"{counted(view, 'roc')}.",
        ),
        Panels(
            det_panels(view),
            f"Detection error trade-off, {view.verified}: both errors on axes spaced as normal "
            "deviates, on which normally distributed scores give straight lines. The dotted "
            "diagonal marks equal error rates. Shading and comparisons as in the figure before.",
            legend,
        ),
        Panels(
            det_panels(view, "roc_found") if view.failed else [],
            f"Detection error trade-off without failures, {view.verified}: false match and false "
            "non-match rates of acquired probes alone. A model that gives up on hard probes looks "
            "better here than it is.",
            legend,
            folded="The same without failures to acquire: FNMR over FMR",
        ),
        Panels(
            cmc_panels(view),
            f"Cumulative match characteristic, {view.verified}: share of probes whose own subject "
            "is among the so many highest scores of the gallery. Bands, where drawn: 95 % interval "
            f"of a bootstrap over subjects. Probes: {counted(view, 'cmc')}.",
        ),
    ]
    return [figure for figure in found if figure.panels]


def roc_panels(view: View) -> list[Panel]:
    """Draw the ROC curves over a logarithmic false accept rate: Range 1 first, as in the paper."""

    def dress(axes: Axes, curves: Mapping[str, Curve], subset: Subset) -> None:
        inside = [at for points in curves.values() for at, _ in points if at < 1]
        axes.set(xscale="log", xlim=(min(inside, default=1e-3), 1), ylim=(0, 1.02))
        shade_unsupported(axes, view, subset)
        axes.set(xlabel="False accept rate", ylabel="True accept rate")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v * 100:g}{THIN}%"))
        percent_axis(axes.yaxis)

    return curve_panels(
        view,
        "roc",
        alt="ROC curves, {where}: true accept rate over false accept rate.",
        said=lambda model, subset, _: _eer(view, model, subset),
        dress=dress,
        drawn=lambda points: [(at, value) for at, value in points if at > 0],
        say=lambda at, v: f"accepts {_rate(v)} at FAR {percent(at, digits=2)}",
    )


def det_panels(view: View, metric: str = "roc") -> list[Panel]:
    """Draw the DET curves: both error rates spaced as normal deviates, so that lines straighten.

    Points where a rate is 0 or 1 have no normal deviate and are left out. Of ``roc`` with failures
    to acquire (FAR, FRR), of ``roc_found`` without (FMR, FNMR).
    """
    across, up, eer = DET_AXES[metric]

    def dress(axes: Axes, _curves: Mapping[str, Curve], subset: Subset) -> None:
        _deviate_scale(axes)
        shade_unsupported(axes, view, subset, scale=NORMAL.inv_cdf)
        axes.set(xlabel=across, ylabel=up)

    return curve_panels(
        view,
        metric,
        alt=f"DET curves, {{where}}: {up.lower()} over {across.lower()}, both spaced as normal "
        "deviates.",
        said=lambda model, subset, _: _eer(view, model, subset, eer),
        dress=dress,
        drawn=_deviates,
        keyed=False,
        say=lambda at, v: f"{percent(NORMAL.cdf(v.value))} over {percent(NORMAL.cdf(at))}",
    )


def cmc_panels(view: View) -> list[Panel]:
    """Draw the cumulative match characteristics over rank: Range 1 first."""

    def said(model: str, subset: Subset, _: Curve) -> str:
        rank1 = view.get(model, "rank1", subset)
        return f"rank-1 {percent(rank1.value)}" if rank1 and rank1.known else "no rank-1"

    def dress(axes: Axes, curves: Mapping[str, Curve], _subset: Subset) -> None:
        points = [point for points in curves.values() for point in points]
        low, _ = ends(value for _, value in points)
        axes.set(xlim=(1, max(at for at, _ in points)), xlabel="Rank", ylabel="Identified")
        axes.set_ylim(min(0.95, max(0.0, low - 0.03)), 1.005)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
        percent_axis(axes.yaxis)

    alt = (
        "CMC curves, {where}: share of probes whose own subject is among the highest scores, over "
        "rank."
    )
    return curve_panels(
        view,
        "cmc",
        alt=alt,
        said=said,
        dress=dress,
        say=lambda at, v: f"{_rate(v)} within rank {at:.0f}",
    )


def shade_unsupported(
    axes: Axes, view: View, subset: Subset, *, scale: Callable[[float], float] = float
) -> None:
    """Shade the false accept rates that fewer person pairs carry than the rule of 30 asks for."""
    known = [value.value for value in view.known("least_far", subset).values()]
    low, high = axes.get_xlim()
    if known and low < scale(min(known)):
        axes.axvspan(low, min(scale(min(known)), high), color=GRID, alpha=0.6, zorder=0, lw=0)
        axes.set_xlim(low, high)


def counted(view: View, metric: str) -> str:
    """Say how many comparisons, or probes, each panel of a curve is taken over."""
    parts = []
    for subset in curve_subsets(view, metric):
        numbers = {v.n for points in view.curves(metric, subset).values() for _, v in points}
        spelt = " to ".join(number(n) for n in sorted({min(numbers), max(numbers)}))
        parts.append(f"{subset_label(subset)} {spelt}")
    return "; ".join(parts)


def _deviates(points: Curve) -> Curve:
    """Return the normal deviates of both error rates of a ROC curve, without intervals."""
    return [
        (NORMAL.inv_cdf(at), Value(NORMAL.inv_cdf(1 - v.value), math.nan, math.nan, v.n))
        for at, v in points
        if 0 < at <= DET_END and 0 < v.value < 1
    ]


def _deviate_scale(axes: Axes) -> None:
    """Name rates on both axes, and mark where the two errors are equal."""
    ticks = [NORMAL.inv_cdf(rate) for rate in DET_TICKS]
    axes.margins(x=0, y=0.02)
    across, up = axes.get_xlim(), axes.get_ylim()
    for axis, limits in ((axes.xaxis, across), (axes.yaxis, up)):
        axis.set_major_locator(FixedLocator(_apart(ticks, *limits)))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * NORMAL.cdf(v):.3g}{THIN}%"))
    axes.axline((0, 0), slope=1, color=FAINT, linewidth=0.8, linestyle=(0, (2, 2)))
    axes.set(xlim=across, ylim=up)


def _apart(ticks: list[float], low: float, high: float) -> list[float]:
    """Leave out ticks that stand closer than a ninth of the axis, so that labels never touch."""
    kept: list[float] = []
    for tick in (t for t in ticks if low - 1e-9 <= t <= high + 1e-9):
        if not kept or tick - kept[-1] > (high - low) / 9:
            kept.append(tick)
    return kept


def _rate(value: Value) -> str:
    return f"{percent(value.value)} {interval(value, rate=True)}".strip()


def _eer(view: View, model: str, subset: Subset, metric: str = "eer") -> str:
    eer = view.get(model, metric, subset)
    return f"EER {percent(eer.value)}" if eer and eer.known else "no EER"
