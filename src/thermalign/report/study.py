"""What the page knows: the study as set up, its figures, its faces and its datasets."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import pandas as pd

from thermalign.geometry import Floats
from thermalign.schemas.keys import ALL, ANNOTATED, DISPLACEMENT, PLACEMENT, SUBSET, Subset


# --- How models look ---
@dataclass(frozen=True)
class Look:
    """How a model appears wherever it appears.

    Attributes
    ----------
    label : str
    colour : hexadecimal; Okabe and Ito's palette, told apart with any colour vision
    dash : lengths of strokes and gaps in line widths, none for a solid line: not colour alone
    """

    label: str
    colour: str
    dash: tuple[float, ...] = ()


_KNOWN = {
    "annotated": Look("annotated points", "#111111"),
    "mtcnn": Look("MTCNN", "#009e73", (5, 1.5)),
    "pbc": Look("PBC", "#d55e00", (3, 1.2, 1, 1.2)),
    "dan": Look("DAN", "#0072b2"),
    "heatmap": Look("heatmap network", "#cc79a7", (8, 1.5)),
    "ert": Look("regression trees", "#7b4fa3", (2, 1)),
}
_MEAN_SHAPE = Look("mean shape", "#8a8a8a", (1, 1.2))
_SPARE_COLOURS = ("#e69f00", "#56b4e9", "#6a9a2d", "#8c6d31", "#b5123c")
_SPARE_DASHES: tuple[tuple[float, ...], ...] = ((), (4, 1.5), (1.5, 1), (6, 1, 1, 1))


def looks(
    models: Iterable[str], seeds: Mapping[str, tuple[str, int]] | None = None
) -> dict[str, Look]:
    """Return the look of every model, in the order in which tables and legends list them.

    Annotated points (the ceiling), the paper's models in its order, heatmaps, the classical peer,
    others by name, the mean shape (the floor); a model's trainings by seed, alike but for labels.

    Parameters
    ----------
    models : names
    seeds : name under ``models:`` and training seed, by the name of a training; optional
    """
    repeated = dict(sorted((seeds or {}).items(), key=lambda item: item[1][1]))
    names = {repeated[name][0] if name in repeated else name for name in models}
    others = sorted(names - _KNOWN.keys() - {"mean_shape"})
    ordered = {name: look for name, look in _KNOWN.items() if name in names}
    for i, name in enumerate(others):
        dash = _SPARE_DASHES[i // len(_SPARE_COLOURS) % len(_SPARE_DASHES)]
        ordered[name] = Look(name, _SPARE_COLOURS[i % len(_SPARE_COLOURS)], dash)
    if "mean_shape" in names:
        ordered["mean_shape"] = _MEAN_SHAPE
    listed: dict[str, Look] = {}
    for name, look in ordered.items():
        mine = {training: seed for training, (model, seed) in repeated.items() if model == name}
        named = {t: replace(look, label=f"{look.label}, seed {seed}") for t, seed in mine.items()}
        listed |= {name: look} | named
    return listed


# --- What was set up ---
Block = Mapping[str, Any]
"""A block of the configuration."""

READINGS = {
    "exclude": "own moment left out of the gallery",
    "keep": "own moment enrolled",
}
"""Reading of ``same_moment`` to its name."""


@dataclass(frozen=True)
class Condition:
    """One variant as a column of a table or a point of a figure.

    Attributes
    ----------
    name : as configured
    group, title : what is changed, and how far
    level : ``title`` as a number, or 0
    """

    name: str
    group: str
    title: str
    level: float = 0.0


@dataclass(frozen=True)
class Selection:
    """Which images a protocol takes as probes or gallery; empty tuples take all."""

    modality: str = ""
    conditions: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Spell the modality and what narrows it."""
        narrowed = ("conditions", "ranges", "sessions")
        parts = [f"{n} {', '.join(getattr(self, n))}" for n in narrowed if getattr(self, n)]
        return "; ".join([self.modality, *parts])


@dataclass(frozen=True)
class Protocol:
    """A protocol as it was configured.

    Attributes
    ----------
    name, label : as configured, and as the page spells it
    paper : protocol of the paper whose printed figures belong beside it; 0 for none
    dataset : str
    readings : readings of ``same_moment`` that were scored, the headline first; empty if unknown
    series : equal for protocols that differ in nothing but their number of training subjects
    probe, gallery : Selection
    matcher : what of its matcher differs from the study's
    """

    name: str
    label: str = ""
    paper: int = 0
    dataset: str = ""
    readings: tuple[str, ...] = ()
    series: str = ""
    probe: Selection = Selection()
    gallery: Selection = Selection()
    matcher: Block = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Take the name as the label where there is none."""
        object.__setattr__(self, "label", self.label or self.name)

    @property
    def verified(self) -> str:
        """What names a protocol in a caption of verification: its label, and the reading."""
        return ", ".join([self.label, *(READINGS[r] for r in self.readings[:1] if r in READINGS)])


@dataclass(frozen=True)
class Displacements:
    """How annotated points were displaced; slopes are fitted up to a level, if configured."""

    range: str = ""
    kinds: tuple[str, ...] = ()
    linear_up_to: float | None = None


class Elsewhere(NamedTuple):
    """Another dataset that models were tested on: its name as such, dataset and modality."""

    name: str
    dataset: str = ""
    modality: str = ""


@dataclass(frozen=True)
class Setup:
    """The configuration as chapters need it.

    Attributes
    ----------
    protocols : by name
    normalisation : of a model's input, where it is stated; by model
    moved, resized : variants whose boxes are moved or resized, by rising level
    detectors : model that finds the boxes; by variant
    recordings : variants that are other recordings, alike ones side by side; by protocol
    variant_datasets : dataset of a recording; by variant
    elsewhere : other datasets that models were tested on; by name
    matcher : as configured
    ablation, sweep : what differs from it; by name
    displacements : Displacements
    metrics : names of further metrics
    seed : of whatever the evaluation draws
    simulated : whether any dataset comes from the built-in simulator
    imported : what other programs made of a row; by its name
    """

    protocols: dict[str, Protocol] = field(default_factory=dict)
    normalisation: dict[str, str] = field(default_factory=dict)
    moved: list[Condition] = field(default_factory=list)
    resized: list[Condition] = field(default_factory=list)
    detectors: dict[str, str] = field(default_factory=dict)
    recordings: dict[str, list[Condition]] = field(default_factory=dict)
    variant_datasets: dict[str, str] = field(default_factory=dict)
    elsewhere: dict[str, Elsewhere] = field(default_factory=dict)
    matcher: Block = field(default_factory=dict)
    ablation: dict[str, Block] = field(default_factory=dict)
    sweep: dict[str, Block] = field(default_factory=dict)
    displacements: Displacements = Displacements()
    metrics: tuple[str, ...] = ()
    seed: int = 0
    simulated: bool = False
    imported: dict[str, str] = field(default_factory=dict)

    @property
    def permuted(self) -> list[str]:
        """Matchers of the ablation that are fitted to permuted labels."""
        return [name for name, block in self.ablation.items() if "permutations" in block]

    def protocol(self, name: str) -> Protocol:
        """Return a protocol; one that is not configured has a name and nothing else."""
        return self.protocols.get(name, Protocol(name))


# --- Figures, looked up one protocol at a time ---
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
        for row in rows.itertuples(index=False, name=None):
            model, metric, at, value, low, high, n = row[len(SUBSET) :]
            points = self._cells.setdefault((model, Subset(*row[: len(SUBSET)]), metric), {})
            points[float(at)] = Value(value, low, high, int(n))

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
            subset.setting
            for (_, subset, metric), points in self._cells.items()
            if subset.experiment == experiment and metric in metrics
            if any(value.known for value in points.values())
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
        for key, points in self._cells.items():
            changed = key[1].experiment or key[1].same_moment
            if not changed and key[2] in metrics and any(v.known for v in points.values()):
                yield key

    def _displaced(
        self, model: str, metric: str, setting: str, modality: str
    ) -> Iterator[tuple[Subset, dict[float, Value]]]:
        for (its, subset, name), points in self._cells.items():
            where = (subset.experiment, subset.same_moment, subset.setting, subset.modality)
            if (its, name) == (model, metric) and where == (DISPLACEMENT, "", setting, modality):
                yield subset, points


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


# --- Faces, and the cards of datasets ---
@dataclass(frozen=True)
class Example:
    """One face as one model saw it.

    Attributes
    ----------
    protocol, model, subject_id, range : str; int
    pixels : (H, W) float, the face, already cropped, in any unit
    annotated, predicted : (L, 2) float, pixels of the crop, (x, y), or None
        NaN where no face was found.
    nmse : NaN without annotated or predicted points
    kind : "typical", "best" or "worst"
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
    title : what is done to the face or its box
    pixels : (H, W) float, the face, already cropped; degrees Celsius where thermal
    given : (4,) float, pixels of the crop, (x, y, width, height), box that detectors trained for
    boxes : (4,) float each, those of the variants
    """

    protocol: str
    title: str
    pixels: Floats
    given: Floats
    boxes: list[Floats] = field(default_factory=list)


Column = tuple[str, str]
"""Modality and range of a card's column; both empty for the whole dataset."""

WHOLE: Column = ("", "")


class Statistic(NamedTuple):
    """A row of CARD: a mean over images with its standard deviation, or a count, or a share."""

    value: float
    sd: float
    n: int
    unit: str


@dataclass(frozen=True)
class DatasetCard:
    """What the step ``describe`` found of one dataset: CARD, LIKENESS, two PNG files."""

    name: str
    card: pd.DataFrame
    likeness: pd.DataFrame
    contact: bytes
    marked: bytes

    @cached_property
    def _cells(self) -> dict[tuple[Column, str], dict[float, Statistic]]:
        cells: dict[tuple[Column, str], dict[float, Statistic]] = {}
        columns = ["modality", "range", "statistic", "at", *Statistic._fields]
        for row in self.card[columns].itertuples(index=False, name=None):
            modality, reach, statistic, at, *figures = row
            cells.setdefault(((modality, reach), statistic), {})[at] = Statistic(*figures)
        return cells

    @cached_property
    def columns(self) -> list[Column]:
        """Every modality at every range, in the order of the table."""
        return [c for c in dict.fromkeys(column for column, _ in self._cells) if all(c)]

    @property
    def with_faces(self) -> list[Column]:
        """The columns that have annotated faces."""
        return [column for column in self.columns if self.get("interocular_distance", column)]

    def get(self, statistic: str, column: Column = WHOLE) -> Statistic | None:
        """Return a statistic, or None where the card does not have it."""
        return self._cells.get((column, statistic), {}).get(0.0)

    def count(self, statistic: str, column: Column = WHOLE) -> float:
        """Return a count; 0 where the card does not have it."""
        found = self.get(statistic, column)
        return found.value if found else 0.0

    def histogram(self, measure: str, column: Column) -> list[tuple[float, float]]:
        """Return lower edge and share of every bin, rising."""
        bins = self._cells.get((column, f"{measure}_histogram"), {})
        return [(edge, statistic.value) for edge, statistic in sorted(bins.items())]


# --- The whole of it ---
@dataclass(frozen=True)
class Study:
    """Everything the report shows; see :mod:`thermalign.schemas` for the tables.

    Attributes
    ----------
    title : str
    config : the whole configuration, as the page lists it
    setup : the same, resolved
    summary, differences, spread, costs, curves : SUMMARY, DIFFERENCES, SPREAD, COSTS, CURVES
    seeds : training -> (name under ``models:``, training seed), where a model has several
    parameters : model, detector, configured, paper: counts of trainable parameters
    examples : faces as models saw them
    dataset : dataset, volume, range, condition, modality, subjects, images
    boxes : a sentence per dataset: which face box was used
    cards : one per dataset
    pictures : a face of each protocol under the variants
    commit : str
    versions : of software, by name
    """

    title: str
    config: dict[str, Any]
    setup: Setup
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
    def looks(self) -> dict[str, Look]:
        """The look of every model that anything is known of, in the order of the page."""
        tables = (self.summary, self.curves, self.parameters, self.spread)
        names = [str(name) for table in tables for name in table["model"]]
        made = looks([*names, *(example.model for example in self.examples)], self.seeds)
        for name in made.keys() & self.setup.imported.keys():
            label = f"{made[name].label} ({self.setup.imported[name]})"
            made[name] = replace(made[name], label=label)
        return made

    @cached_property
    def views(self) -> list[View]:
        """A view of every protocol that anything is known of: as configured, then any others."""
        named = [*self.summary["protocol"], *self.curves["protocol"]]
        present = [*map(str, named), *(example.protocol for example in self.examples)]
        configured = [name for name in self.setup.protocols if name in present]
        names = dict.fromkeys([*configured, *present])
        return [View(self.summary, self.setup.protocol(p), looks=self.looks) for p in names]

    def pairs(self, protocol: str) -> list[Pair]:
        """Return the compared pairs of a protocol, in the order of the table.

        Two trainings with different seeds are no pair.
        """
        mine = self.differences[self.differences["protocol"] == protocol]
        key, figures = "metric at model_a model_b p n_subjects", "value low high n p_holm"
        columns = [*SUBSET, *key.split(), *figures.split()]
        found = []
        for row in mine[columns].itertuples(index=False, name=None):
            metric, at, first, second, p, people, *its = row[len(SUBSET) :]
            if len({self.seeds[m][1] for m in (first, second) if m in self.seeds}) < 2:
                subset = Subset(*row[: len(SUBSET)])
                found.append(Pair(subset, metric, at, first, second, Value(*its), p, people))
        return found

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
