"""Trained on one dataset, tested on another: NMSE, failures and equal error rates as matrices."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from thermalign.geometry import LANDMARKS
from thermalign.report.blocks import Block, Body, Cell, Chapter, Paragraph, Row, Table
from thermalign.report.layout import INTERVALS, column_groups, plain_cell, rate_cell
from thermalign.report.setup import Elsewhere
from thermalign.report.study import Study
from thermalign.report.views import Value, View
from thermalign.report.words import MISSING, joined, number, spelt
from thermalign.schemas.keys import ACROSS, Subset

FAILED = 0.1
"""Interocular distances from which on an image is a failure."""

READING = (
    "A row is what detectors were trained on, a column what they were tested on. Columns are to be "
    "read downwards: their figures are of the same images, but for people whom a row was trained "
    "on, who are left out of it (the first table counts who was tested). Shaded: the dataset "
    "trained on, other people. The mean shape looks at no pixel: what is no better than it carries "
    "nothing over."
)
MATCHER = (
    "Mapping and negatives of the matcher are of the people trained on in the row, its gallery is "
    "of the column. Models of one row share it, so that they differ in landmark error alone; rows "
    "differ in the matcher, too."
)
FAILURES = (
    "Share of images whose error is a tenth of the interocular distance or more, or in which no "
    "face was found."
)
FEW = "Without brackets: too few people for an interval."

Show = Callable[[Value | None], Cell]
"""How a figure is shown."""


def chapter(study: Study) -> Chapter | None:
    """Show what models are worth on other datasets; None where none was tested there.

    It reads SUMMARY of the experiment ``across``: nmse, failure_rate, failure_at, eer and
    tested_people.
    """
    views = [view for view in study.views if view.settings(ACROSS, "nmse", "tested_people")]
    if not views:
        return None
    measures: tuple[tuple[str, str, float | None, Show, str], ...] = (
        ("nmse", "NMSE", None, plain_cell, _landmarks(study, views)),
        ("failure_at", "Failures at .1", FAILED, rate_cell, FAILURES),
        ("failure_rate", "Failure to acquire", None, rate_cell, ""),
        ("eer", "Equal error rate", None, rate_cell, MATCHER),
    )
    tables = [
        matrix(study, views, metric, name=name, at=at, show=show, note=note)
        for metric, name, at, show, note in measures
        if metric != "failure_rate" or _any_lost(study, views)
    ]
    shown: list[Block] = [table for table in tables if table]
    reading = Paragraph(joined([READING, _untested(study, views)]))
    return Chapter("across", "Trained on one dataset, tested on another", (), [reading, *shown])


def matrix(
    study: Study,
    views: Sequence[View],
    metric: str,
    *,
    name: str,
    at: float | None,
    show: Show,
    note: str,
) -> Table | None:
    """Lay out a metric, a row for what was trained on and a column for what was tested on.

    Parameters
    ----------
    study : Study
    views : of protocols that were tested elsewhere
    metric, name : of the table and of its caption
    at : abscissa, or None for a metric without
    show : how a figure is shown
    note : str
        Under the table, before what brackets are.
    """
    columns = [
        place
        for place in sorted(study.setup.elsewhere.values(), key=lambda its: its.modality)
        if any(view.known(metric, of(place.name)) for view in views)
    ]
    if not columns:
        return None
    bodies = []
    for model, look in study.looks.items():
        rows = [
            Row(
                _head(view, views),
                [
                    _shaded(show(view.get(model, metric, of(place.name), at=at)), view, place)
                    for place in columns
                ],
            )
            for view in views
        ]
        kept = [row for row in rows if any(cell.tone != "missing" for cell in row.cells)]
        if kept:
            bodies.append(Body(kept, title=look.label, look=look))
    notes = [joined([note, INTERVALS, FEW if _any_bare(bodies) else ""])]
    if metric == "nmse":  # once is enough
        people = [_people(view, views, columns) for view in views]
        bodies.append(Body(people, title="People tested"))
    told = {place.modality for place in columns}
    titles = [(place.modality.capitalize(), spelt(place.name), "") for place in columns]
    return Table(
        caption=f"{name}, by what was trained on and tested on",
        head="Trained on",
        columns=[title for _, title, _ in titles],
        bodies=bodies,
        groups=column_groups(titles) if len(told) > 1 else [],
        notes=notes,
    )


def of(name: str, landmark: str = "") -> Subset:
    """Return the subset of images of another dataset, by its name under ``evaluate_on:``."""
    return Subset(experiment=ACROSS, setting=name, landmark=landmark)


def _shaded(cell: Cell, view: View, place: Elsewhere) -> Cell:
    """Return a cell, shaded where images tested on are of the dataset and kind trained on."""
    trained = view.protocol.dataset, view.protocol.probe.modality
    if cell.tone == "missing" or (place.dataset, place.modality) != trained:
        return cell
    return replace(cell, tone="own")


def _head(view: View, views: Sequence[View]) -> str:
    """Name what was trained on: the protocol, and its images where protocols differ in those."""
    modalities = {its.protocol.probe.modality for its in views}
    if len(modalities) < 2:
        return view.label
    return f"{view.label} ({view.protocol.probe.modality})"


def _people(view: View, views: Sequence[View], columns: Sequence[Elsewhere]) -> Row:
    cells = []
    for place in columns:
        known = view.known("tested_people", of(place.name)).values()
        its = next(iter(known), None)
        counted = Cell(number(its.value), f"{number(its.n)} images") if its else None
        cells.append(counted or Cell(MISSING, tone="missing"))
    return Row(_head(view, views), cells)


def _any_bare(bodies: Sequence[Body]) -> bool:
    """Say whether a figure has no interval."""
    cells = [cell for body in bodies for row in body.rows for cell in row.cells]
    return any(not cell.detail for cell in cells if cell.tone != "missing")


def _any_lost(study: Study, views: Sequence[View]) -> bool:
    """Say whether a face was not found anywhere."""
    return any(
        value.value > 0
        for view in views
        for name in study.setup.elsewhere
        for value in view.known("failure_rate", of(name)).values()
    )


def _untested(study: Study, views: Sequence[View]) -> str:
    """Say which rows from files have nothing of other datasets."""
    placed = {
        m for view in views for name in study.setup.elsewhere for m in view.known("nmse", of(name))
    }
    rows = [
        study.looks[n].label for n in study.setup.imported if n in study.looks and n not in placed
    ]
    return f"Tested at home alone: {', '.join(rows)}." if rows else ""


def _landmarks(study: Study, views: Sequence[View]) -> str:
    """Say which landmarks a dataset could not be compared in; nothing where it was in all."""
    told = []
    for name in study.setup.elsewhere:
        there = [n for n in LANDMARKS if any(view.known("nmse", of(name, n)) for view in views)]
        lacking = [spelt(n) for n in LANDMARKS if n not in there]
        if there and lacking:
            told.append(f"{spelt(name)} without {', '.join(lacking)}")
    return f"Landmarks left out: {'; '.join(told)}." if told else ""
