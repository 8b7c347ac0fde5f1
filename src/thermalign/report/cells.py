"""What a table of the page is made of, and how numbers are printed."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from thermalign.report.names import Look
from thermalign.report.summary import Value

MISSING = "–"
MINUS = "\N{MINUS SIGN}"
NBSP = "\N{NO-BREAK SPACE}"
THIN = "\N{NARROW NO-BREAK SPACE}"


@dataclass(frozen=True)
class Cell:
    """One figure: text, a small second line, tone (best, muted, missing or none), inline SVG.

    ``hint`` is shown under the pointer, for what few ask about.
    """

    text: str
    detail: str = ""
    tone: str = ""
    drawing: str = ""
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

    caption: str
    head: str
    columns: list[str]
    bodies: list[Body]
    groups: list[tuple[str, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    folded: str = ""
    compact: bool = False


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


def rate_cell(
    value: Value | None, *, empty: str = MISSING, tone: str = "", bare: bool = False
) -> Cell:
    """Show a rate in percent, with its interval unless ``bare``; ``empty`` where it is NaN."""
    if value is None:
        return Cell(MISSING, tone="missing")
    if not value.known:
        return Cell(empty, tone="missing")
    return Cell(percent(value.value), "" if bare else interval(value, rate=True), tone)
