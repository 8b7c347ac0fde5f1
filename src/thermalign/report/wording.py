"""Values in words: a lone one with its interval, several as their extent."""

import math
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
