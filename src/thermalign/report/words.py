"""How numbers and names are spelt."""

import math
from collections.abc import Callable, Sequence

from thermalign.report.setup import READINGS
from thermalign.report.views import Value
from thermalign.schemas.keys import Subset

MISSING = "–"


MINUS = "\N{MINUS SIGN}"


NBSP = "\N{NO-BREAK SPACE}"


THIN = "\N{NARROW NO-BREAK SPACE}"


Show = Callable[[float], str]
"""Prints a number."""


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
