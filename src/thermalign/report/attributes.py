"""Errors and rates by attributes of people, side by side."""

from collections.abc import Callable

from thermalign.report.cells import Body, Cell, Row, Table, plain_cell, rate_cell
from thermalign.report.names import subset_parts
from thermalign.report.people import verified
from thermalign.report.summary import Value, View
from thermalign.report.tables import ALIGNED_BY, INTERVALS, column_groups

MOST = 6
"""Values of attributes that are shown; more of them are folded away."""

Measure = tuple[str, str, Callable[[Value | None], Cell]]
ERRORS: tuple[Measure, ...] = (
    ("nmse", "NMSE", plain_cell),
    ("failure_rate", "Faces not found", rate_cell),
)
UNLESS_ZERO = ("failure_rate",)
"""Metrics that are left out where they are 0 throughout."""

RATES: tuple[Measure, ...] = (("eer", "Equal error rate", rate_cell),)


def error_attributes(view: View) -> Table | None:
    """Lay out landmark error by attributes of people; None without any."""
    caption = f"Landmark error by attributes of people, {view.label}"
    return _table(view, ERRORS, caption=caption, head="Model")


def rate_attributes(view: View) -> Table | None:
    """Lay out equal error rates by attributes of people; None without any."""
    caption = f"Equal error rate by attributes of the probes’ people, {verified(view)}"
    return _table(view, RATES, caption=caption, head=ALIGNED_BY)


def _table(view: View, measures: tuple[Measure, ...], *, caption: str, head: str) -> Table | None:
    subsets = view.attributes(*(metric for metric, _, _ in measures))
    bodies = []
    for metric, title, show in measures:
        rows = [
            Row(
                view.looks[model].label,
                [show(view.get(model, metric, subset=s)) for s in subsets],
                look=view.looks[model],
            )
            for model in view.models(metric)
            if any(model in view.known(metric, subset=s) for s in subsets)
        ]
        known = [v for s in subsets for v in view.known(metric, subset=s).values()]
        if rows and (metric not in UNLESS_ZERO or any(value.value > 0 for value in known)):
            bodies.append(Body(rows, title=title if len(measures) > 1 else ""))
    if not bodies:
        return None
    parts = [subset_parts(s)["attribute"].partition(":") for s in subsets]
    groups = [(name.replace("_", " ").capitalize(), value, "") for name, _, value in parts]
    return Table(
        caption=caption,
        head=head,
        columns=[value.replace("_", " ") for _, _, value in parts],
        bodies=bodies,
        groups=column_groups(groups),
        notes=[
            "The people of a column differ from those of its neighbour in more than the attribute: "
            f"differences between columns are not paired. {INTERVALS}"
        ],
        folded="" if len(subsets) <= MOST else caption,
    )
