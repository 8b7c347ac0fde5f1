"""What was measured, looked up one protocol at a time."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import pandas as pd

from thermalign.report.looks import Look
from thermalign.report.setup import Protocol
from thermalign.schemas.keys import ALL, ANNOTATED, DISPLACEMENT, SUBSET, Subset

LEVEL = 0.05
"""Level below which an adjusted p is significant."""


@dataclass(frozen=True)
class Value:
    """One row of SUMMARY or DIFFERENCES.

    Attributes
    ----------
    value, low, high : float
        The 95 % interval is NaN without one.
    n : images or comparisons, of all folds
    p : of a difference, adjusted by Holm's method; NaN without one
    source : table and row, from 0, that it was read from: "summary 12"; empty if made up
    """

    value: float
    low: float
    high: float
    n: int
    p: float = math.nan
    source: str = field(default="", compare=False)

    @property
    def known(self) -> bool:
        """Whether the metric has a value at all."""
        return math.isfinite(self.value)

    @property
    def bounded(self) -> bool:
        """Whether the value has an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def apart(self) -> bool:
        """Whether a difference is separable: adjusted where it has a p, else by its interval."""
        if math.isfinite(self.p):
            return self.p < LEVEL
        return self.bounded and (self.low > 0 or self.high < 0)


Curve = list[tuple[float, Value]]


Key = tuple[str, Subset, str]
"""Model, subset, metric."""


class View:
    """One protocol of the SUMMARY table, and the models in the order and look of the page.

    Look-ups find every row by its subset. Lists hide the rows of experiments and of readings that
    are not the headline, which change something on purpose: :meth:`View.within` shows them.
    """

    def __init__(
        self, frame: pd.DataFrame, protocol: Protocol | str, *, looks: dict[str, Look]
    ) -> None:
        self.protocol = Protocol(protocol) if isinstance(protocol, str) else protocol
        self.looks = looks
        self._cells: dict[Key, dict[float, Value]] = {}
        columns = [*SUBSET, "model", "metric", "at", "value", "low", "high", "n"]
        rows = frame.loc[frame["protocol"] == self.protocol.name, columns]
        for number, *row in rows.itertuples(name=None):
            model, metric, at, value, low, high, n = row[len(SUBSET) :]
            points = self._cells.setdefault((model, Subset(*row[: len(SUBSET)]), metric), {})
            source = f"summary {number}"
            points[float(at)] = Value(value, low, high, int(n), source=source)

    @property
    def label(self) -> str:
        """The protocol as the page spells it."""
        return self.protocol.label

    @property
    def verified(self) -> str:
        """What names the protocol in a caption of verification."""
        return self.protocol.verified

    def get(
        self, model: str, metric: str, subset: Subset = ALL, *, at: float | None = None
    ) -> Value | None:
        """Return one value, or None where the table has no such row.

        ``at`` may be left out where the metric has one abscissa.
        """
        points = self._cells.get((model, subset, metric), {})
        return next(iter(points.values()), None) if at is None else points.get(at)

    def known(self, metric: str, subset: Subset = ALL) -> dict[str, Value]:
        """Return the known values of a metric by model, in the order of the page."""
        found = {model: self.get(model, metric, subset) for model in self.looks}
        return {model: value for model, value in found.items() if value and value.known}

    def curve(self, model: str, metric: str, subset: Subset = ALL) -> Curve:
        """Return the known points of one curve by rising abscissa; empty without any."""
        points = self._cells.get((model, subset, metric), {})
        return [(at, value) for at, value in sorted(points.items()) if value.known]

    def curves(self, metric: str, subset: Subset = ALL) -> dict[str, Curve]:
        """Return by model the known points of a curve, by rising abscissa."""
        found = {model: self.curve(model, metric, subset) for model in self.looks}
        return {model: points for model, points in found.items() if points}

    def levels(self, model: str, metric: str, setting: str, modality: str = "") -> Curve:
        """Return the known values of a kind of displacement, by rising level."""
        displaced = self._displaced(model, metric, setting, modality)
        found = [(subset.level, next(iter(points.values()))) for subset, points in displaced]
        return sorted((p for p in found if p[1].known), key=lambda point: point[0])

    def dose(self, model: str, metric: str, setting: str, modality: str = "") -> Value | None:
        """Return what is said of a kind of displacement over all its levels, such as a slope."""
        found = self._displaced(model, metric, setting, modality)
        return next((next(iter(p.values())) for subset, p in found if not subset.level), None)

    def response(self, metric: str, setting: str, modality: str = "") -> Curve:
        """Return a metric of displaced annotated points over their NMSE, by rising level."""
        nmse = dict(self.levels(ANNOTATED, "nmse", setting, modality))
        points = self.levels(ANNOTATED, metric, setting, modality)
        return [(nmse[level].value, value) for level, value in points if level in nmse]

    def within(self, **fields: str) -> "View":
        """Return the rows whose columns are these, as a view without them.

        So ``view.within(experiment="variant", setting="cold")`` is asked like the study itself.
        """
        bare = {name: getattr(ALL, name) for name in fields}
        inner = View.__new__(View)
        inner.protocol, inner.looks = self.protocol, self.looks
        if "same_moment" in fields:
            inner.protocol = replace(self.protocol, readings=(fields["same_moment"],))
        inner._cells = {
            (model, subset._replace(**bare), metric): points
            for (model, subset, metric), points in self._cells.items()
            if all(getattr(subset, name) == value for name, value in fields.items())
        }
        return inner

    @cached_property
    def other(self) -> "View | None":
        """The view of the first reading that is not the headline, where rates were measured."""
        views = (self.within(same_moment=reading) for reading in self.protocol.readings[1:])
        return next((view for view in views if view.models("eer", "rank1")), None)

    @cached_property
    def failed(self) -> bool:
        """Whether any enrolment or acquisition failed."""
        known = [self.known(m, subset) for m in ("fte", "fta") for subset in self.subsets(m)]
        return any(value.value > 0 for values in known for value in values.values())

    def abscissas(self, metric: str) -> list[float]:
        """Return every abscissa a metric was measured at, rising."""
        found = (points for key, points in self._cells.items() if key[2] == metric)
        return sorted({at for points in found for at in points})

    def models(self, *metrics: str) -> list[str]:
        """Return the models with a known value of any of the metrics, in the order of the page."""
        found = {model for model, _, _ in self._measured(metrics)}
        return [model for model in self.looks if model in found]

    def subsets(self, *metrics: str) -> list[Subset]:
        """Return the subsets of images with a known value of any of the metrics."""
        found = (s for _, s, _ in self._measured(metrics) if not s.attribute)
        return list(dict.fromkeys(found))

    def attributes(self, *metrics: str) -> list[Subset]:
        """Return the subsets of people with one attribute, by name."""
        one = {"attribute", "attribute_value"}
        found = {s for _, s, _ in self._measured(metrics) if _fields(s) == one}
        return sorted(found, key=lambda s: (s.attribute, s.attribute_value))

    def settings(self, experiment: str, *metrics: str) -> list[str]:
        """Return the settings of an experiment with a known value, in the order of the table."""
        found = (
            key[1].setting
            for key in self._of(metrics)
            if key[1].experiment == experiment and self._known(key)
        )
        return list(dict.fromkeys(found))

    def ranges(self, *metrics: str) -> list[Subset]:
        """Return the subsets of a range alone, near to far; none where there is but one range."""
        return self._split("range", metrics)

    def volumes(self, *metrics: str) -> list[Subset]:
        """Return the subsets of a volume alone; none where there is but one volume."""
        return self._split("volume", metrics)

    def _split(self, column: str, metrics: tuple[str, ...]) -> list[Subset]:
        found = by_number(s for s in self.subsets(*metrics) if _fields(s) == {column})
        return found if len(found) > 1 else []

    def _measured(self, metrics: tuple[str, ...]) -> Iterator[Key]:
        yield from (key for key in self._of(metrics) if key in self._own)

    @cached_property
    def _own(self) -> set[Key]:
        """The keys with a known value that are of the study itself, under its headline reading."""
        own = (k for k in self._cells if not (k[1].experiment or k[1].same_moment))
        return {key for key in own if self._known(key)}

    @cached_property
    def _keys(self) -> dict[str, list[tuple[int, Key]]]:
        """Every key with its place in the table, by metric: a study has ten thousands of keys."""
        found: dict[str, list[tuple[int, Key]]] = {}
        for place, key in enumerate(self._cells):
            found.setdefault(key[2], []).append((place, key))
        return found

    def _of(self, metrics: tuple[str, ...]) -> list[Key]:
        placed = [item for metric in set(metrics) for item in self._keys.get(metric, [])]
        return [key for _, key in sorted(placed, key=lambda item: item[0])]

    def _known(self, key: Key) -> bool:
        return any(value.known for value in self._cells[key].values())

    def _displaced(
        self, model: str, metric: str, setting: str, modality: str
    ) -> Iterator[tuple[Subset, dict[float, Value]]]:
        for key in self._of((metric,)):
            its, subset, _ = key
            where = (subset.experiment, subset.same_moment, subset.setting, subset.modality)
            if its == model and where == (DISPLACEMENT, "", setting, modality):
                yield subset, self._cells[key]


def by_number(subsets: Iterable[Subset]) -> list[Subset]:
    """Sort subsets by the numbers, then the words, that they hold."""

    def key(subset: Subset) -> list[tuple[int, str]]:
        values = (str(value) for value in subset if value)
        return [(int(v), "") if v.isdecimal() else (0, v) for v in values]

    return sorted(subsets, key=key)


def _fields(subset: Subset) -> set[str]:
    """Return the columns in which a subset is not all of the study."""
    return {name for name, value in zip(SUBSET, subset, strict=True) if value}


class Pair(NamedTuple):
    """A row of DIFFERENCES: first minus second; unadjusted p, and the people of both."""

    subset: Subset
    metric: str
    at: float
    first: str
    second: str
    value: Value
    unadjusted: float
    subjects: int
