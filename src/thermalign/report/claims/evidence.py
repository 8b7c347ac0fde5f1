"""What a verdict rests on: figures with their intervals, and what they say of a claim.

Verdicts are of the study's own dataset: nothing but ARL's data could reproduce the paper, or not.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from thermalign.report.printed import CLAIMS, published
from thermalign.report.study import Study
from thermalign.report.views import Value, View
from thermalign.report.words import (
    fraction,
    interval,
    signed,
    subset_label,
)
from thermalign.schemas.keys import Subset

HOLDS, FAILS, UNDECIDED = "holds", "fails", "undecided"


NEARLY, DRASTIC = 1.5, 2.0
"""Times by which an error may change over range and be called nearly constant, and from which on
the change is drastic: the paper gives the first name to a factor of 1.22, the second to 3.2."""


AS_GOOD = 0.02
"""Difference of equal error rates up to which two are called nearly equal."""


PLATEAU = 0.1
"""Share of images by which a curve rises at most, while the threshold doubles, on a plateau."""


NEAREST = Subset(range="1")


BOUNDS = "Bounds from two intervals as if independent, wider than paired ones would be."


Show = Callable[[float], str]


@dataclass(frozen=True)
class Evidence:
    """A figure that a verdict rests on.

    Attributes
    ----------
    where : protocol, range and what is compared
    text, ends : the figure and its interval
    says : whether it speaks for the claim; None where its interval leaves it open
    paper : what the paper printed beside it, or nothing
    value : row of a table that the text spells, if it is one
    """

    where: str
    text: str
    ends: str
    says: bool | None
    paper: str = ""
    value: Value | None = None


@dataclass(frozen=True)
class Claim:
    """A claim with its verdict: holds, fails or undecided.

    Attributes
    ----------
    number, text : as in :data:`thermalign.report.printed.CLAIMS`
    verdict : str
    why : a sentence
    evidence : what it rests on
    readings : verdict by reading of ``same_moment``, where the claim is about rates
    """

    number: int
    text: str
    verdict: str
    why: str
    evidence: list[Evidence] = field(default_factory=list)
    readings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Side:
    """One protocol of the paper in the study: its view, and the differences between models."""

    study: Study
    view: View

    @cached_property
    def _differences(self) -> dict[tuple[Subset, str, str, str], Value]:
        return {
            (pair.subset, pair.metric, pair.first, pair.second): pair.value
            for pair in self.study.pairs(self.view.protocol.name)
        }

    @property
    def paper(self) -> int:
        """The paper's protocol."""
        return self.view.protocol.paper

    def model(self, name: str) -> str:
        """Return the training that stands for a model: its own, or the one of the lowest seed."""
        return next((m for m in self.view.looks if self.study.base(m) == name != m), name)

    def label(self, name: str) -> str:
        """Return how the page spells a model."""
        look = self.view.looks.get(self.model(name))
        return look.label if look else name

    def difference(self, first: str, second: str, metric: str, subset: Subset) -> Value | None:
        """Return first minus second, whichever way round the table has it."""
        a, b = self.model(first), self.model(second)
        value = self._differences.get((subset, metric, a, b))
        turned = self._differences.get((subset, metric, b, a))
        if value or turned is None:
            return value
        return replace(turned, value=-turned.value, low=-turned.high, high=-turned.low)

    def error(self, name: str, subset: Subset, metric: str = "nmse") -> Value | None:
        """Return a known figure of a model."""
        value = self.view.get(self.model(name), metric, subset)
        return value if value and value.known else None

    def ranges(self) -> list[Subset]:
        """Return the ranges as the paper's columns have them: of Volume 1, where there are two."""
        several = len(self.view.volumes("nmse")) > 1
        ranges = self.view.ranges("nmse")
        return [s._replace(volume="1") for s in ranges] if several else ranges


def together(said: Iterable[bool | None]) -> str:
    """Return the verdict of what all has to hold: one against it and it fails."""
    every = list(said)
    if any(its is False for its in every):
        return FAILS
    return HOLDS if every and all(every) else UNDECIDED


def below(value: Value, bound: float = 0.0) -> bool | None:
    """Say whether a value lies below a bound; None where its interval holds the bound."""
    if not value.bounded or value.low <= bound <= value.high:
        return None
    return value.high < bound


def ratio(over: Value, under: Value) -> Value:
    """Return a ratio of two figures; its interval as if they were independent, on a log scale."""
    middle = over.value / under.value
    if not (over.bounded and under.bounded and over.low > 0 and under.low > 0):
        return Value(middle, math.nan, math.nan, over.n)
    half = math.hypot(*(math.log(v.high / v.low) / 2 for v in (over, under)))
    return Value(middle, middle * math.exp(-half), middle * math.exp(half), over.n)


def claim_of(
    number: int, evidence: list[Evidence], why: str, *, judged: str | None = None
) -> Claim:
    """Return a claim with the verdict given, or that of all its evidence together."""
    found = judged or together(e.says for e in evidence)
    if not evidence and judged is None:
        return Claim(number, CLAIMS[number], UNDECIDED, "Not measured in this study.")
    return Claim(number, CLAIMS[number], found, why, evidence)


def tally(evidence: Sequence[Evidence]) -> str:
    """Count what speaks for a claim, against it and not at all."""
    counts = [sum(e.says is its for e in evidence) for its in (True, False, None)]
    words = ("for it", "against it", "leave it open")
    return ", ".join(f"{n} {word}" for n, word in zip(counts, words, strict=True) if n)


def where_of(side: Side, subset: Subset, what: str) -> str:
    """Say where a figure is from, and what it is of."""
    return f"{side.view.label}, {subset_label(subset)}: {what}"


def times(value: float) -> str:
    """Print a factor: × 1.20."""
    return f"× {value:.2f}"


def plain(value: float) -> str:
    """Print an end of a factor's interval: 1.20."""
    return f"{value:.2f}"


def two(value: float) -> str:
    """Print a fraction with two digits."""
    return fraction(value, digits=2)


def of_errors(side: Side, first: str, second: str, subset: Subset) -> Iterator[Evidence]:
    """Yield first minus second in NMSE, for a claim that the first is lower."""
    value = side.difference(first, second, "nmse", subset)
    if value is None or not value.known:
        return
    printed = [published(side.paper, name, subset) for name in (first, second)]
    paper = ""
    if printed[0] and printed[1]:
        paper = signed(printed[0].nmse - printed[1].nmse, fraction)
    what = f"{side.label(first)} − {side.label(second)}"
    shown = signed(value.value, fraction), interval(value)
    yield Evidence(where_of(side, subset, what), *shown, below(value), paper, value)


def turned(said: bool | None) -> bool | None:
    """Return the contrary; what is open stays open."""
    return None if said is None else not said
