"""Who is compared with whom: readings of ``same_moment``, people, and pairs of people."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from thermalign.report.cells import (
    Body,
    Cell,
    Row,
    Table,
    number,
    percent,
    percent_number,
    plain_cell,
    rate_cell,
)
from thermalign.report.names import READINGS, protocol_label, subset_label, subset_parts
from thermalign.report.summary import Value, View
from thermalign.report.tables import ALIGNED_BY, INTERVALS, column_groups, range_columns
from thermalign.report.wording import extent, span

TITLES = {"exclude": "left out", "keep": "enrolled"}
"""Reading of ``same_moment`` to the title of its column."""


OPEN = (
    "A probe’s own moment: the gallery’s images of the very sample that the probe is of. Left out, "
    "every probe meets a gallery that lacks its own moment, and about as many moments of "
    "everybody else; enrolled, it meets the whole gallery, its own instant included. The paper "
    "leaves open which of the two it did."
)


SIDE_BY_SIDE = (("eer", "Equal error rate"), ("rank1", "Rank-1"))


def readings_of(config: Mapping[str, Any], protocol: str) -> tuple[str, ...]:
    """Return the configured readings of a protocol, the headline first; empty without any."""
    block = config.get("protocols", {}).get(protocol) or {}
    return tuple(map(str, block.get("same_moment", [])))


def of_reading(frame: pd.DataFrame, reading: str) -> pd.DataFrame:
    """Return the rows of SUMMARY of a reading that is not the headline, their mark taken off."""
    mark = f"same_moment={reading}"
    rows = frame[(frame["subset"] == mark) | frame["subset"].str.startswith(f"{mark}&")]
    bare = rows["subset"].str.removeprefix(mark).str.removeprefix("&")
    return rows.assign(subset=bare.replace("", "all"))


def verified(view: View) -> str:
    """Return what names a protocol in a caption of verification: its label, and the reading."""
    words = [READINGS[name] for name in view.readings[:1] if name in READINGS]
    return ", ".join([view.label, *words])


def people_words(view: View, subset: str) -> str:
    """Say how many people and ordered pairs of people rates rest on; empty where unknown."""
    found = [view.known(metric, subset=subset) for metric in ("people", "person_pairs")]
    counts = [extent([v.value for v in known.values()], show=number) for known in found if known]
    if len(counts) < 2:
        return ""
    return f"{counts[0]} people, {counts[1]} ordered person pairs per fold"


def reading_table(view: View, other: View) -> Table | None:
    """Lay out EER and rank-1 under two readings side by side; None without the other's.

    Parameters
    ----------
    view, other : View
        Of the headline and of another reading, the same subsets.
    """
    first, second = (
        {s for metric, _ in SIDE_BY_SIDE for s in its.subsets(metric)} for its in (view, other)
    )
    columns = [s for _, _, s in range_columns(view, "eer") if s in first & second]
    if not {s for s in columns if s != "all"}:
        columns = [s for s in [*view.ranges("eer"), "all"] if s in first & second]
    bodies = [
        Body(rows, title=title)
        for metric, title in SIDE_BY_SIDE
        if (rows := _rows(view, other, metric, columns))
    ]
    if not columns or not bodies:
        return None
    titles = [TITLES[its.readings[0]] for its in (view, other)]
    return Table(
        caption=f"Both readings of who is compared with whom: probe’s {READINGS['exclude']}, "
        f"or enrolled, {view.label}",
        head=ALIGNED_BY,
        columns=titles * len(columns),
        bodies=bodies,
        groups=column_groups([(subset_label(s), "", s) for s in columns for _ in titles]),
        notes=[OPEN],
    )


def _rows(view: View, other: View, metric: str, columns: list[str]) -> list[Row]:
    return [
        Row(
            view.looks[m].label,
            [
                rate_cell(its.get(m, metric, subset=s), bare=True)
                for s in columns
                for its in (view, other)
            ],
            look=view.looks[m],
        )
        for m in view.models(metric)
        if m in other.models(metric)
    ]


def reading_finding(pairs: Sequence[tuple[View, View]], *, ceiling: str = "annotated") -> str:
    """Say the EER with annotated points under both readings, and what becomes of the order.

    Parameters
    ----------
    pairs : Views of the headline and of the other reading, one pair per protocol
    ceiling : str
        The model that stands for no landmark error.
    """
    both = [(_rates(view), _rates(other)) for view, other in pairs]
    parts = []
    known = [(a[ceiling], b[ceiling]) for a, b in both if ceiling in a and ceiling in b]
    if known:
        words = [READINGS[its.readings[0]] for its in pairs[0]]
        figures = [_spoken([pair[i] for pair in known]) for i in (0, 1)]
        said = [f"{figure} with the {text}" for figure, text in zip(figures, words, strict=True)]
        where = subset_label(summed_up(pairs[0][0]))
        parts.append(f"equal error rate with annotated points, {where}: {', '.join(said)}")
    orders = [_orders(pair, rates, ceiling) for pair, rates in zip(pairs, both, strict=True)]
    contests = [order for order in orders if len(order[0]) > 1]
    if contests:
        parts.append(_order_words(contests))
    return f"{'; '.join(parts)}." if parts else ""


def _spoken(values: list[Value]) -> str:
    return span(values, show=percent, inside=percent_number)


def _rates(view: View) -> dict[str, Value]:
    return view.known("eer", subset=summed_up(view))


def _orders(
    pair: tuple[View, View], rates: tuple[dict[str, Value], dict[str, Value]], ceiling: str
) -> tuple[list[str], list[str]]:
    """Return the names of what both readings measured, by rising EER under each."""
    both = [m for m in rates[0] if m in rates[1] and m != ceiling]
    first, second = ([m for _, m in sorted((its[m].value, m) for m in both)] for its in rates)
    looks = pair[0].looks
    return [looks[m].label for m in first], [looks[m].label for m in second]


def _order_words(contests: list[tuple[list[str], list[str]]]) -> str:
    changed = [(first, second) for first, second in contests if first != second]
    if len(contests) > 1:
        return f"the order of the others changes in {len(changed)} of {len(contests)} protocols"
    if not changed:
        return "the order of the others stays the same"
    first, second = (", ".join(order) for order in changed[0])
    return f"the order of the others changes from {first} to {second}"


def summed_up(view: View) -> str:
    """Return the subset that stands for a protocol's verification: Range 1, as in the paper."""
    return "range=1" if "range=1" in view.subsets("eer") else "all"


def shared_words(view: View) -> str:
    """Say with which protocols one shares test people; empty without any."""
    found = []
    for subset in view.subsets("shared_people"):
        other = subset_parts(subset).get("protocol", "")
        its = next(iter(view.known("shared_people", subset=subset).values()))
        if its.value > 0:
            shared = f"{number(its.value)} of its {number(its.n)} test people"
            found.append(f"{shared} with {protocol_label(other)}")
    if not found:
        return ""
    return f"{view.label} shares {' and '.join(found)}: that they agree is no replication."


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
