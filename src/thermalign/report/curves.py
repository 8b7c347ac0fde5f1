"""The curves of all models, a panel for every subset of images."""

from collections.abc import Callable, Mapping

from matplotlib.axes import Axes

from thermalign.report.drawing import Panel, Say, axes_of, curve, panel, style
from thermalign.report.views import Curve, View
from thermalign.report.words import subset_label
from thermalign.schemas.keys import ALL, Subset


def curve_subsets(view: View, metric: str) -> list[Subset]:
    """Return the subsets that a curve is drawn for, in the order of the page."""
    measured = view.subsets(metric)
    parts = [*view.ranges(metric), *view.volumes(metric)]
    # The paper's ROC curves are those of Range 1, its error curves those of all images.
    wanted = [ALL, *parts] if metric == "ced" else [*parts, ALL]
    return [s for s in wanted if s in measured] or measured


def curve_panels(
    view: View,
    metric: str,
    *,
    alt: str,
    said: Callable[[str, Subset, Curve], str],
    dress: Callable[[Axes, Mapping[str, Curve], Subset], None],
    drawn: Callable[[Curve], Curve] = list,
    keyed: bool = True,
    say: Say | None = None,
) -> list[Panel]:
    """Draw the curves of all models, a panel for all images and for every range and volume.

    Parameters
    ----------
    view : View
    metric : str
        Of the curves.
    alt : str
        What the curves show; ``{where}`` stands for protocol and subset.
    said : function of model, subset and curve
        What is said of each model.
    dress : function of axes, the curves drawn by model, and subset
        Sets limits, scales and labels once the curves are drawn.
    drawn : function of a curve
        What of it is drawn; a panel without any point is left out.
    keyed : bool
        Whether what is said is a legend too.
    say : function of abscissa and Value
        What the page says of a point that was drawn.
    """
    panels = []
    for subset in curve_subsets(view, metric):
        found = {model: (its, drawn(its)) for model, its in view.curves(metric, subset).items()}
        shown = {model: points for model, (_, points) in found.items() if points}
        if not shown:
            continue
        words = [(view.looks[model], said(model, subset, found[model][0])) for model in shown]
        where = f"{view.label}, {subset_label(subset)}"
        spoken = "; ".join(f"{look.label} {text}" for look, text in words)
        with style():
            figure, axes = axes_of()
            for model, points in shown.items():
                curve(axes, points, view.looks[model], say=say)
            dress(axes, shown, subset)
            panels.append(
                panel(
                    figure,
                    title=subset_label(subset),
                    alt=f"{alt.format(where=where)} {spoken}.",
                    legend=words if keyed else (),
                )
            )
    return panels
