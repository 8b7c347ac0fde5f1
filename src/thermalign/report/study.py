"""What the page knows: the tables of a study, looked up one protocol at a time."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pandas as pd

from thermalign.geometry import Floats
from thermalign.report.setup import Look, Protocol, Setup, by_number, looks, read_setup
from thermalign.schemas.keys import ALL, ANNOTATED, DISPLACEMENT, PLACEMENT, SUBSET, Subset

LEVEL = 0.05
"""Level below which an adjusted p is significant."""


@dataclass(frozen=True)
class Value:
    """One row of SUMMARY or DIFFERENCES.

    Attributes
    ----------
    value, low, high : float
        The 95 % interval is NaN without one.
    n : int
        Images or comparisons, of all folds.
    p : float
        Of a difference: adjusted by Holm's method; NaN without one.
    """

    value: float
    low: float
    high: float
    n: int
    p: float = math.nan

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
    are not the headline, which change something on purpose: :meth:`within` shows them.

    Attributes
    ----------
    protocol : Protocol
    looks : dict of model to Look
    """

    def __init__(
        self, frame: pd.DataFrame, protocol: Protocol | str, *, looks: dict[str, Look]
    ) -> None:
        self.protocol = Protocol(protocol) if isinstance(protocol, str) else protocol
        self.looks = looks
        self._cells: dict[Key, dict[float, Value]] = {}
        columns = [*SUBSET, "model", "metric", "at", "value", "low", "high", "n"]
        rows = frame.loc[frame["protocol"] == self.protocol.name, columns]
        for row in rows.itertuples(index=False, name=None):
            model, metric, at, value, low, high, n = row[len(SUBSET) :]
            points = self._cells.setdefault((model, Subset(*row[: len(SUBSET)]), metric), {})
            points[float(at)] = Value(value, low, high, int(n))

    @property
    def label(self) -> str:
        """The protocol as the page spells it."""
        return self.protocol.label

    @property
    def readings(self) -> tuple[str, ...]:
        """Readings of ``same_moment`` that were scored, the headline first; may be unknown."""
        return self.protocol.readings

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
        found = [
            (subset.level, next(iter(points.values())))
            for subset, points in self._displaced(model, metric, setting, modality)
        ]
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
        for reading in self.readings[1:]:
            view = self.within(same_moment=reading)
            if view.models("eer", "rank1"):
                return view
        return None

    @cached_property
    def failed(self) -> bool:
        """Whether any enrolment or acquisition failed."""
        metrics = ("fte", "fta")
        known = [self.known(m, subset) for m in metrics for subset in self.subsets(m)]
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
        found = {s for _, s, _ in self._measured(metrics) if fields_of(s) == ATTRIBUTE}
        return sorted(found, key=lambda s: (s.attribute, s.attribute_value))

    def settings(self, experiment: str, *metrics: str) -> list[str]:
        """Return the settings of an experiment with a known value, in the order of the table."""
        found = (
            subset.setting
            for (_, subset, metric), points in self._cells.items()
            if subset.experiment == experiment and metric in metrics and _any_known(points)
        )
        return list(dict.fromkeys(found))

    def ranges(self, *metrics: str) -> list[Subset]:
        """Return the subsets of a range alone, near to far; none where there is but one range."""
        return self._split("range", metrics)

    def volumes(self, *metrics: str) -> list[Subset]:
        """Return the subsets of a volume alone; none where there is but one volume."""
        return self._split("volume", metrics)

    def _split(self, column: str, metrics: tuple[str, ...]) -> list[Subset]:
        found = by_number(s for s in self.subsets(*metrics) if fields_of(s) == {column})
        return found if len(found) > 1 else []

    def _measured(self, metrics: tuple[str, ...]) -> Iterator[Key]:
        for key, points in self._cells.items():
            changed = key[1].experiment or key[1].same_moment
            if not changed and key[2] in metrics and _any_known(points):
                yield key

    def _displaced(
        self, model: str, metric: str, setting: str, modality: str
    ) -> Iterator[tuple[Subset, dict[float, Value]]]:
        for (its, subset, name), points in self._cells.items():
            where = (subset.experiment, subset.setting, subset.modality)
            if (its, name) == (model, metric) and where == (DISPLACEMENT, setting, modality):
                yield subset, points


ATTRIBUTE = {"attribute", "attribute_value"}
"""Fields of a subset of people."""


def fields_of(subset: Subset) -> set[str]:
    """Return the columns in which a subset is not all of the study."""
    return {name for name, value in zip(SUBSET, subset, strict=True) if value}


def _any_known(points: dict[float, Value]) -> bool:
    return any(value.known for value in points.values())


@dataclass(frozen=True)
class Pair:
    """A row of DIFFERENCES: first minus second; unadjusted p, and the people of both."""

    subset: Subset
    metric: str
    at: float
    first: str
    second: str
    value: Value
    unadjusted: float
    subjects: int


@dataclass(frozen=True)
class Example:
    """One face as one model saw it.

    Attributes
    ----------
    protocol, model, subject_id : str
    range : int
    pixels : (H, W) float
        The face, already cropped, in any unit.
    annotated, predicted : (L, 2) float, pixels of the crop, (x, y), or None
        NaN where no face was found.
    nmse : float
        NaN without annotated or predicted points.
    kind : str
        "typical", "best" or "worst".
    """

    protocol: str
    model: str
    subject_id: str
    range: int
    pixels: Floats
    annotated: Floats | None
    predicted: Floats | None
    nmse: float
    kind: str


@dataclass(frozen=True)
class Picture:
    """A face under variants.

    Attributes
    ----------
    protocol : str
    title : str
        What is done to the face or its box.
    pixels : (H, W) float
        The face, already cropped; degrees Celsius where thermal.
    given : (4,) float, pixels of the crop, (x, y, width, height)
        The box that detectors trained for.
    boxes : list of (4,) float
        Those of the variants.
    """

    protocol: str
    title: str
    pixels: Floats
    given: Floats
    boxes: list[Floats] = field(default_factory=list)


@dataclass(frozen=True)
class DatasetCard:
    """What the step ``describe`` found of one dataset: CARD, LIKENESS, two PNG files."""

    name: str
    card: pd.DataFrame
    likeness: pd.DataFrame
    contact: bytes
    marked: bytes


@dataclass(frozen=True)
class Study:
    """Everything the report shows; see :mod:`thermalign.schemas` for the tables.

    Attributes
    ----------
    title : str
    config : dict
        The whole configuration.
    summary, differences, spread, costs, curves : DataFrame
        SUMMARY, DIFFERENCES, SPREAD, COSTS, CURVES.
    seeds : dict of str to (str, int)
        Name under ``models:`` and training seed of every model that is one of several trainings.
    parameters : DataFrame
        model, detector, configured, paper: counts of trainable parameters.
    examples : list of Example
    dataset : DataFrame
        dataset, volume, range, condition, modality, subjects, images.
    boxes : list of str
        A sentence per dataset: which face box was used.
    cards : list of DatasetCard
    pictures : list of Picture
        A face of each protocol under the variants.
    commit : str
    versions : dict of str to str
    """

    title: str
    config: dict[str, Any]
    summary: pd.DataFrame
    differences: pd.DataFrame
    spread: pd.DataFrame
    seeds: dict[str, tuple[str, int]]
    costs: pd.DataFrame
    curves: pd.DataFrame
    parameters: pd.DataFrame
    examples: list[Example]
    dataset: pd.DataFrame
    boxes: list[str]
    cards: list[DatasetCard]
    pictures: list[Picture]
    commit: str
    versions: dict[str, str]

    @cached_property
    def setup(self) -> Setup:
        """The configuration, resolved."""
        return read_setup(self.config)

    @cached_property
    def looks(self) -> dict[str, Look]:
        """The look of every model that anything is known of, in the order of the page."""
        tables = (self.summary, self.curves, self.parameters, self.spread)
        names = [str(name) for table in tables for name in table["model"]]
        return looks([*names, *(example.model for example in self.examples)], self.seeds)

    @cached_property
    def views(self) -> list[View]:
        """A view of every protocol that anything is known of: as configured, then any others."""
        named = [*self.summary["protocol"], *self.curves["protocol"]]
        present = [*map(str, named), *(example.protocol for example in self.examples)]
        configured = [name for name in self.setup.protocols if name in present]
        names = dict.fromkeys([*configured, *present])
        return [View(self.summary, self.setup.protocol(p), looks=self.looks) for p in names]

    @cached_property
    def paired(self) -> pd.DataFrame:
        """DIFFERENCES without those of two trainings with different seeds."""
        first, second = (
            self.differences[side].map(lambda name: self.seeds.get(name, (name, None))[1])
            for side in ("model_a", "model_b")
        )
        return self.differences[first.isna() | second.isna() | (first == second)]

    def pairs(self, protocol: str) -> list[Pair]:
        """Return the compared pairs of a protocol, in the order of the table."""
        mine = self.paired[self.paired["protocol"] == protocol]
        named = ["metric", "at", "model_a", "model_b"]
        keys = mine[[*SUBSET, *named]].itertuples(index=False, name=None)
        figures = mine[["value", "low", "high", "n", "p_holm"]].itertuples(index=False, name=None)
        people = mine["n_subjects"]
        return [
            Pair(Subset(*subset), metric, at, first, second, Value(*its), p, n)
            for (*subset, metric, at, first, second), its, p, n in zip(
                keys, figures, mine["p"], people, strict=True
            )
        ]

    def kinds(self, view: View) -> list[str]:
        """Return the kinds of displacement with a curve: as configured, then any others."""
        ordered = [*self.setup.displacements.kinds, *view.settings(DISPLACEMENT, "eer")]
        return [kind for kind in dict.fromkeys(ordered) if view.response("eer", kind)]

    def main_kind(self, view: View) -> str:
        """Return the first kind that detectors are placed on, or else the first with a curve."""
        kinds, placed = self.kinds(view), view.settings(PLACEMENT, "eer")
        return next((kind for kind in kinds if kind in placed), next(iter(kinds), ""))

    def base(self, model: str) -> str:
        """Return the name under ``models:`` of a training; any other model's own."""
        return self.seeds[model][0] if model in self.seeds else model

    def bases(self, models: Iterable[str]) -> list[str]:
        """Return the models of trainings, each once: all its seeds share one line."""
        return list(dict.fromkeys(map(self.base, models)))
