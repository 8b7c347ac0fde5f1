"""What a chapter is made of: blocks and tables, how numbers are printed and values told."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from thermalign.report.study import READINGS, Look, Study, Value, View, by_number
from thermalign.schemas.keys import ALL, OTHER_PROTOCOL, Subset

MISSING = "–"
MINUS = "\N{MINUS SIGN}"
NBSP = "\N{NO-BREAK SPACE}"
THIN = "\N{NARROW NO-BREAK SPACE}"

ALIGNED_BY = "Probe aligned by"
INTERVALS = "Brackets: 95 % interval of a bootstrap over subjects."

Columns = list[tuple[str, str, Subset]]
"""Group, title and subset of every column."""

Show = Callable[[float], str]
"""Prints a number."""

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


@dataclass(frozen=True)
class Bar:
    """A value and its interval around zero, in units of the longest of its table; see ``bar``.

    ``apart`` draws it dark: zero lies outside.
    """

    value: float
    low: float
    high: float
    apart: bool = False

    @property
    def known(self) -> bool:
        """Whether there is a value to draw."""
        return math.isfinite(self.value)

    @property
    def bounded(self) -> bool:
        """Whether there is an interval to draw."""
        return math.isfinite(self.low) and math.isfinite(self.high)


@dataclass(frozen=True)
class Cell:
    """One figure: text, a small second line, tone (best, muted, missing or none), a bar.

    ``hint`` is shown under the pointer, for what few ask about.
    """

    text: str
    detail: str = ""
    tone: str = ""
    bar: Bar | None = None
    hint: str = ""


@dataclass(frozen=True)
class Row:
    """A header and its cells; ``look`` puts the model's mark before the header."""

    head: str
    cells: list[Cell]
    tone: str = ""
    look: Look | None = None


@dataclass(frozen=True)
class Body:
    """Rows that belong together, under a title where there is more than one such body."""

    rows: list[Row]
    title: str = ""


@dataclass(frozen=True)
class Table:
    """A table with its caption, header and notes.

    Attributes
    ----------
    caption : str
    head : str
        Title of the column of row headers.
    columns : list of str
        Titles of the other columns.
    bodies : list of Body
    groups : list of (str, int)
        Titles over that many columns each; empty for a header of one row.
    notes : list of str
        Lines under the table.
    folded : str
        Where not empty, the table is folded away behind this line.
    compact : bool
        Whether intervals stand beside their figures instead of under them.
    """

    kind: ClassVar[str] = "table"
    caption: str
    head: str
    columns: list[str]
    bodies: list[Body]
    groups: list[tuple[str, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    folded: str = ""
    compact: bool = False


class Block(Protocol):
    """Anything that a chapter shows; ``kind`` names the macro of the page that shows it."""

    kind: ClassVar[str]


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; its tone is none, absent (what there is not) or warning."""

    kind: ClassVar[str] = "paragraph"
    text: str
    tone: str = ""


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    kind: ClassVar[str] = "bullets"
    items: Sequence[str]


@dataclass(frozen=True)
class Part:
    """Blocks under a title of their own within a chapter."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Chapter:
    """A chapter of the page.

    Attributes
    ----------
    id, title : str
        Target of links; heading.
    parts : sequence of Part
    blocks : sequence of Block
        Before the first part.
    contents : str
        Words in the table of contents, if other than the title.
    """

    id: str
    title: str
    parts: Sequence[Part] = ()
    blocks: Sequence[Block] = ()
    contents: str = ""


Measure = tuple[str, str, Callable[[Value | None], Cell]]
"""Metric, its name, and how a figure of it is shown."""


def fraction(value: float, *, digits: int = 3) -> str:
    """Print a fraction as the paper does, without its leading zero: .050."""
    if not math.isfinite(value):
        return MISSING
    text = f"{abs(value):.{digits}f}"
    text = text[1:] if text.startswith("0.") else text
    return f"{MINUS}{text}" if value < 0 and float(f"0{text}") != 0 else text


def percent(value: float, *, digits: int = 1) -> str:
    """Print a rate in percent: 12.3 %."""
    if not math.isfinite(value):
        return MISSING
    return f"{percent_number(value, digits=digits)}{THIN}%"


def percent_number(value: float, *, digits: int = 1) -> str:
    """Print a rate in percent without the sign."""
    text = f"{abs(value) * 100:.{digits}f}"
    return f"{MINUS}{text}" if value < 0 and float(text) != 0 else text


def number(value: float) -> str:
    """Print a count or a measured quantity with three digits or all before the point."""
    if not math.isfinite(value):
        return MISSING
    whole = abs(value) >= 100 or value == int(value)
    return f"{value:,.0f}" if whole else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def interval(value: Value, *, rate: bool = False) -> str:
    """Print a 95 % interval, or nothing where there is none."""
    if not (math.isfinite(value.low) and math.isfinite(value.high)):
        return ""
    return between(value.low, value.high, show=percent_number if rate else fraction)


def between(low: float, high: float, *, show: Callable[[float], str]) -> str:
    """Print both ends of an interval in brackets that no line break parts."""
    return f"[{show(low)},{NBSP}{show(high)}]"


def signed(value: float, show: Callable[[float], str]) -> str:
    """Print a difference with its sign; what is printed as 0 has none."""
    text = show(value)
    return f"+{text}" if value > 0 and any(c in "123456789" for c in text) else text


def chance(p: float) -> str:
    """Print a p value: three digits, or that it is smaller; nothing where there is none."""
    if not math.isfinite(p):
        return ""
    return f"<{NBSP}.001" if p < 0.001 else fraction(p)


def plain_cell(value: Value | None, *, digits: int = 3) -> Cell:
    """Show a figure without a unit, with its interval."""
    if value is None or not value.known:
        return Cell(MISSING, tone="missing")

    def show(figure: float) -> str:
        return fraction(figure, digits=digits)

    ends = between(value.low, value.high, show=show) if value.bounded else ""
    return Cell(show(value.value), ends)


def difference_cell(value: Value | None, *, digits: int = 3) -> Cell:
    """Show a difference without a unit, with its sign and interval."""
    cell = plain_cell(value, digits=digits)
    if value is None or not value.known:
        return cell
    return Cell(signed(value.value, lambda v: fraction(v, digits=digits)), cell.detail)


def rate_cell(value: Value | None, *, empty: str = MISSING, bare: bool = False) -> Cell:
    """Show a rate in percent, with its interval unless ``bare``; ``empty`` where it is NaN."""
    if value is None:
        return Cell(MISSING, tone="missing")
    if not value.known:
        return Cell(empty, tone="missing")
    return Cell(percent(value.value), "" if bare else interval(value, rate=True))


def spelt(name: str) -> str:
    """Spell a name of the configuration in words."""
    return name.replace("_", " ")


def subset_label(subset: Subset) -> str:
    """Spell what a figure is about: Volume 1, Range 2; of everything, All images."""
    fields = ("same_moment", "session", "volume", "range", "condition", "landmark", "modality")
    parts = [field_label(subset, name) for name in (*fields, "attribute") if getattr(subset, name)]
    return ", ".join(parts) or "All images"


def field_label(subset: Subset, name: str) -> str:
    """Spell one column of a subset: Range 2, Expression, Glasses: yes."""
    value = str(getattr(subset, name))
    if name in ("landmark", "condition", "modality"):
        return spelt(value).capitalize()
    if name == "same_moment":
        return READINGS.get(value, value).capitalize()
    if name == "attribute":
        return f"{spelt(value).capitalize()}: {spelt(subset.attribute_value)}"
    return f"{name.capitalize()} {value}"


def points_cell(value: Value | None) -> Cell:
    """Show a difference of rates in percentage points, with its sign and interval."""
    if value is None or not value.known:
        return Cell(MISSING, tone="missing")
    return Cell(signed(value.value, percent_number), interval(value, rate=True))


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


def joined(sentences: list[str]) -> str:
    """Join the sentences that say anything."""
    return " ".join(sentence for sentence in sentences if sentence)


def span(values: Sequence[Value], *, show: Show, inside: Show | None = None) -> str:
    """Print a lone value with its interval, several as their extent.

    Parameters
    ----------
    values : at least one Value
    show : prints a number
    inside : prints the ends of an interval, else as ``show``
    """
    if len(values) > 1:
        return extent([v.value for v in values], show=show)
    lone = values[0]
    ends = between(lone.low, lone.high, show=inside or show) if lone.bounded else ""
    return f"{show(lone.value)} {ends}".strip()


def extent(values: Sequence[float], *, show: Show) -> str:
    """Print the lowest and the highest of numbers."""
    low, high = show(min(values)), show(max(values))
    return low if low == high else f"{low} to {high}"


def separable(differences: Sequence[Value]) -> str:
    """Say how many differences are separable, and whether adjusted; empty without an interval."""
    bounded = [v for v in differences if v.bounded]
    if not bounded:
        return ""
    apart = sum(v.apart for v in bounded)
    adjusted = all(math.isfinite(v.p) for v in bounded)
    how = "after Holm’s adjustment" if adjusted else "(unadjusted)"
    if len(differences) > 1:
        return f"separable in {apart} of {len(bounded)} {how}"
    return f"{'' if apart else 'not '}separable {how}"
