"""Values in words: a lone one with its interval, several as their extent."""

from collections.abc import Callable, Sequence

from thermalign.report.cells import between
from thermalign.report.summary import Value

Show = Callable[[float], str]


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
    """Say which differences have an interval without 0; empty where none has an interval."""
    bounded = [v for v in differences if v.bounded]
    if not bounded:
        return ""
    apart = sum(v.low > 0 or v.high < 0 for v in bounded)
    if len(differences) > 1:
        return f"separable in {apart} of {len(bounded)}"
    return "separable" if apart else "not separable"
