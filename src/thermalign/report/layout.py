"""Cells and tables of figures: what several chapters lay out alike."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from thermalign.report.blocks import Body, Cell, Row, Table
from thermalign.report.study import Study
from thermalign.report.views import Value, View, by_number
from thermalign.report.words import (
    MISSING,
    between,
    extent,
    field_label,
    fraction,
    interval,
    joined,
    number,
    percent,
    percent_number,
    signed,
    spelt,
    subset_label,
)
from thermalign.schemas.keys import ALL, OTHER_PROTOCOL, Subset

ALIGNED_BY = "Probe aligned by"


INTERVALS = "Brackets: 95 % interval of a bootstrap over subjects."


Columns = list[tuple[str, str, Subset]]
"""Group, title and subset of every column."""


MEASURES = {
    "interocular_distance": "Interocular distance (IOD), px",
    "roll": "Roll, degrees",
    "yaw_proxy": "Yaw proxy, IOD",
    "pitch_proxy": "Pitch proxy",
    "mouth_line": "Mouth line below eye line, IOD",
    "mouth_width": "Mouth width, IOD",
    "box_width": "Face box width, IOD",
    "box_height": "Face box height, IOD",
}
"""What a face measures, as the page spells it."""


MOST_ATTRIBUTES = 6
"""Values of attributes that a table shows; one with more of them is folded away."""


Measure = tuple[str, str, Callable[[Value | None], Cell]]
"""Metric, its name, and how a figure of it is shown."""


def plain_cell(value: Value | None, *, digits: int = 3) -> Cell:
    """Show a figure without a unit, with its interval."""
    if value is None or not value.known:
        return Cell(MISSING, tone="missing")

    def show(figure: float) -> str:
        return fraction(figure, digits=digits)

    ends = between(value.low, value.high, show=show) if value.bounded else ""
    return Cell(show(value.value), ends, value=value)


def difference_cell(value: Value | None, *, digits: int = 3) -> Cell:
    """Show a difference without a unit, with its sign and interval."""
    cell = plain_cell(value, digits=digits)
    if value is None or not value.known:
        return cell
    return replace(cell, text=signed(value.value, lambda v: fraction(v, digits=digits)))


def rate_cell(value: Value | None, *, empty: str = MISSING, bare: bool = False) -> Cell:
    """Show a rate in percent, with its interval unless ``bare``; ``empty`` where it is NaN."""
    if value is None:
        return Cell(MISSING, tone="missing")
    if not value.known:
        return Cell(empty, tone="missing")
    return Cell(percent(value.value), "" if bare else interval(value, rate=True), value=value)


def points_cell(value: Value | None) -> Cell:
    """Show a difference of rates in percentage points, with its sign and interval."""
    if value is None or not value.known:
        return Cell(MISSING, tone="missing")
    return Cell(signed(value.value, percent_number), interval(value, rate=True), value=value)


def range_columns(view: View, metric: str) -> Columns:
    """Return the columns of a table by range, as the paper lays them out.

    A protocol with several volumes has a column for every range of each volume, because a volume
    recorded at one range only would otherwise change that range's figure and no other's.
    """
    columns: Columns = []
    subsets = by_number(view.subsets(metric))
    volumes = list(dict.fromkeys(s.volume for s in subsets if s.volume))
    for volume in volumes if len(volumes) > 1 else []:
        whole = Subset(volume=volume)
        crossed = [s for s in subsets if s.range and s == whole._replace(range=s.range)]
        titled = [(field_label(s, "range"), s) for s in crossed] or [("All ranges", whole)]
        columns += [(f"Volume {volume}", title, subset) for title, subset in titled]
    if not columns:
        columns += [("", subset_label(s), s) for s in view.ranges(metric)]
    if ALL in subsets or not columns:
        title = "Average" if columns and metric == "nmse" else "All images"
        columns.append(("All volumes" if columns and columns[0][0] else "", title, ALL))
    return columns


def model_row(view: View, model: str, cells: list[Cell]) -> Row:
    """Return a row under a model's name and mark."""
    return Row(view.looks[model].label, cells, look=view.looks[model])


def attribute_table(
    view: View, measures: Sequence[Measure], *, caption: str, head: str
) -> Table | None:
    """Lay out metrics by attributes of people, side by side; None without any.

    Parameters
    ----------
    view : View
    measures : sequence of (str, str, function)
        Metric, its name (may be empty), and how a figure of it is shown.
    caption, head : str
        Of the table.
    """
    subsets = view.attributes(*(metric for metric, _, _ in measures))
    bodies = []
    for metric, name, show in measures:
        known = [view.known(metric, subset) for subset in subsets]
        rows = [
            model_row(view, model, [show(its.get(model)) for its in known])
            for model in view.models(metric)
            if any(model in its for its in known)
        ]
        if rows:
            bodies.append(Body(rows, title=name))
    if not bodies:
        return None
    columns = [(spelt(s.attribute).capitalize(), spelt(s.attribute_value), s) for s in subsets]
    return Table(
        caption=caption,
        head=head,
        columns=[title for _, title, _ in columns],
        bodies=bodies,
        groups=column_groups(columns),
        notes=[
            "The people of a column differ from those of its neighbour in more than the attribute: "
            f"differences between columns are not paired. {INTERVALS}"
        ],
        folded="" if len(subsets) <= MOST_ATTRIBUTES else caption,
    )


def further_table(
    view: View, metrics: Sequence[str], *, caption: str, head: str, note: str
) -> Table | None:
    """Lay out further metrics side by side, each for all images and by range; None without any.

    Parameters
    ----------
    view : View
    metrics : names, which are the names of the columns too
    caption, head, note : str
        Of the table.
    """
    columns = [
        (spelt(metric).capitalize(), joined([group, title]), (metric, subset))
        for metric in metrics
        if view.models(metric)
        for group, title, subset in range_columns(view, metric)
    ]
    if not columns:
        return None
    rows = [
        model_row(view, model, [plain_cell(view.get(model, *key)) for *_, key in columns])
        for model in view.models(*metrics)
    ]
    return Table(
        caption=caption,
        head=head,
        columns=[title for _, title, _ in columns],
        bodies=[Body(rows)],
        groups=column_groups(columns),
        notes=[joined([note, INTERVALS if any_detail(rows) else ""])],
    )


def people_words(view: View, subset: Subset) -> str:
    """Say how many people and ordered pairs of people rates rest on; empty where unknown."""
    found = [view.known(metric, subset) for metric in ("people", "person_pairs")]
    counts = [extent([v.value for v in known.values()], show=number) for known in found if known]
    if len(counts) < 2:
        return ""
    return f"{counts[0]} people, {counts[1]} ordered person pairs per fold"


def shared_words(study: Study, view: View) -> str:
    """Say with which protocols one shares test people; empty without any."""
    found = []
    for other in view.settings(OTHER_PROTOCOL, "shared_people"):
        subset = Subset(experiment=OTHER_PROTOCOL, setting=other)
        its = next(iter(view.known("shared_people", subset).values()))
        if its.value > 0:
            shared = f"{number(its.value)} of its {number(its.n)} test people"
            found.append(f"{shared} with {study.setup.protocol(other).label}")
    if not found:
        return ""
    return f"{view.label} shares {' and '.join(found)}: that they agree is no replication."


def column_groups(columns: Iterable[tuple[str, str, Any]]) -> list[tuple[str, int]]:
    """Join neighbouring columns of one group; none where no column has a group."""
    groups: list[tuple[str, int]] = []
    for group, _, _ in columns:
        if groups and groups[-1][0] == group:
            groups[-1] = (group, groups[-1][1] + 1)
        else:
            groups.append((group, 1))
    return groups if any(title for title, _ in groups) else []


def and_range(columns: Columns) -> str:
    """Return what a caption adds where there are columns by range."""
    return " and range" if len(columns) > 1 else ""


def any_detail(rows: list[Row]) -> bool:
    """Tell whether any cell has a second line."""
    return any(cell.detail for row in rows for cell in row.cells)
