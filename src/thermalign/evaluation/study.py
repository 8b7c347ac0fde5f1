"""What every model did on every fold, and its figures on the images that another model has, too."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, cast

import numpy as np
import pandas as pd

from thermalign.evaluation.compared import Compared
from thermalign.evaluation.draws import Draws, comparisons_of, errors_of
from thermalign.evaluation.landmarks import nmse
from thermalign.evaluation.measured import Measured
from thermalign.evaluation.settings import Settings
from thermalign.evaluation.verification import accept_rates, equal_error_rate, identified
from thermalign.schemas.keys import ANNOTATED, KEY, SUBSET, Subset
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.verification.readings import by_reading

NMSE, EER, ACCEPTED, RANK1 = "nmse", "eer", "tar_at_far", "rank1"

COMPARED = (NMSE, EER, ACCEPTED, RANK1)
"""Metrics whose paired differences between models are told."""

Images = frozenset[str]


class Place(NamedTuple):
    """Which figure of a model on a fold: subset, metric and abscissa, as in METRICS."""

    subset: Subset
    metric: str
    at: float = 0.0


Job = tuple[str, int, str]
"""Protocol, fold and model."""

Tables = Mapping[Job, pd.DataFrame]
"""Tables of one kind."""


@dataclass(frozen=True)
class Readings(Mapping[str, pd.DataFrame]):
    """SCORES of one job by reading of ``same_moment``, taken from all of them when asked for.

    Attributes
    ----------
    scores : Tables
    job : Job
    headline : str
        The reading that is called "".
    """

    scores: Tables
    job: Job
    headline: str

    def __getitem__(self, reading: str) -> pd.DataFrame:
        """Return the rows of a reading."""
        return dict(self._each())[reading]

    def __iter__(self) -> Iterator[str]:
        return (reading for reading, _ in self._each())

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _each(self) -> Iterator[tuple[str, pd.DataFrame]]:
        return by_reading(self.scores[self.job], self.headline)


@dataclass(frozen=True)
class Trial:
    """One model on one fold.

    Attributes
    ----------
    predictions : DataFrame of PREDICTIONS
    scores : mapping of reading of ``same_moment`` to DataFrame of SCORES
        "" is the headline.
    figures : Measured of COMPARED metrics by place, as ``measure`` wrote them
    """

    predictions: pd.DataFrame
    scores: Mapping[str, pd.DataFrame]
    figures: Mapping[Place, Measured]
    _images: dict[tuple[bool, str], Images] = field(default_factory=dict)

    def has(self, place: Place) -> bool:
        """Say whether ``measure`` wrote a figure with replicates."""
        made = self.figures.get(place)
        return made is not None and len(made.replicates) > 0

    def images(self, place: Place) -> Images:
        """Return the images a figure may rest on: faces found, or probes that were asked about."""
        errors = place.metric == NMSE
        key = errors, place.subset.landmark if errors else place.subset.same_moment
        if key not in self._images:
            self._images[key] = self._found(key[1]) if errors else self._asked(key[1])
        return self._images[key]

    def _found(self, landmark: str) -> Images:
        """Return the images with all points, or with one landmark's; none of annotated points."""
        if (self.predictions["model"] == ANNOTATED).any():
            return frozenset()
        table = self.predictions
        rows = table[table["landmark"] == landmark] if landmark else table
        ids = rows["image_id"].to_numpy(object)
        lost = rows[["x", "y"]].isna().any(axis=1).to_numpy()
        return frozenset(ids) - frozenset(ids[lost])

    def _asked(self, reading: str) -> Images:
        rows = self.scores.get(reading)
        return frozenset() if rows is None else frozenset(rows["probe_id"].unique())


@dataclass(frozen=True)
class Fold:
    """Every model on one fold of a protocol.

    Attributes
    ----------
    known : DataFrame of IMAGES, the fold's test images
    annotations : DataFrame of ANNOTATIONS of these images
    draws : Draws
    models : Trial by model
    """

    known: pd.DataFrame
    annotations: pd.DataFrame
    draws: Draws
    models: Mapping[str, Trial]
    _members: dict[tuple[bool, Subset], Images] = field(default_factory=dict)
    _rates: dict[tuple[int, Subset, Images], dict[Place, Measured]] = field(default_factory=dict)

    def members(self, subset: Subset, *, annotated: bool) -> Images:
        """Return the test images of a subset, or only those of them that are annotated."""
        if (annotated, subset) not in self._members:
            chosen = np.ones(len(self.known), bool)
            for column in ("session", "volume", "range", "condition", "modality"):
                if value := getattr(subset, column):
                    chosen &= (self.known[column].astype(str) == value).to_numpy()
            images = frozenset(self.known.loc[chosen, "image_id"])
            truth = frozenset(self.annotations["image_id"].unique())
            self._members[annotated, subset] = images & truth if annotated else images
        return self._members[annotated, subset]

    def common(self, a: str, b: str, place: Place) -> tuple[Measured, Measured] | None:
        """Return a figure of two models on the images that both have; None without any.

        Errors: annotated images in which both found the face. Rates: probes that both were asked
        about, failures to find the face included. Where those are all that a model has, its figure
        is the one that ``measure`` wrote.
        """
        if a not in self.models or b not in self.models:
            return None
        its = self.members(place.subset, annotated=place.metric == NMSE)
        own = [self.models[model].images(place) & its for model in (a, b)]
        both = own[0] & own[1]
        if not both:
            return None
        first, second = (
            self._of(self.models[model], place, both, whole=mine == both)
            for model, mine in zip((a, b), own, strict=True)
        )
        return (first, second) if first and second else None

    def on_probes(self, model: str, subset: Subset) -> Measured | None:
        """Return the NMSE of a model on annotated probes that it found; None without any."""
        trial, place = self.models[model], Place(subset, NMSE)
        found = trial.images(place) & self.members(subset, annotated=True)
        probes = found & trial.images(Place(subset, EER))
        return self._of(trial, place, probes, whole=probes == found) if probes else None

    def _of(self, model: Trial, place: Place, images: Images, *, whole: bool) -> Measured | None:
        made = model.figures.get(place) if whole else self._again(model, place, images)
        if made and place.metric == NMSE:
            return replace(made, n=len(images))  # not those in which no face was found
        return made

    def _again(self, model: Trial, place: Place, images: Images) -> Measured | None:
        """Measure a figure once more on some of the images; None without comparisons."""
        subset = place.subset
        if place.metric == NMSE:
            found = model.predictions[model.predictions["image_id"].isin(images)]
            rows = errors_of(found, self.annotations, self.known)
            return nmse(subset, rows.assign(error=rows[subset.landmark or "error"]), self.draws)
        key = id(model), subset, images
        if key not in self._rates:  # one pass for all rates of the same comparisons
            scores = model.scores[subset.same_moment]
            rows = comparisons_of(scores[scores["probe_id"].isin(images)], self.known)
            fars = sorted({known.at for known in model.figures if known.metric == ACCEPTED})
            made = compared_rates(subset, Compared.of(rows, self.draws), fars)
            self._rates[key] = {Place(subset, rate.metric, rate.at): rate for rate in made}
        return self._rates[key].get(place)


def compared_rates(subset: Subset, part: Compared, fars: Sequence[float]) -> Iterator[Measured]:
    """Yield the rates that models are compared in; rank 1 alone without comparisons of a class."""
    yield identified(subset, part.by_probe(), enrolled=len(np.unique(part.gallery)))
    if part.measurable:
        errors, accepted = part.rates(np.array(fars))
        yield equal_error_rate(subset, part, drawn=errors)
        yield from accept_rates(subset, part, fars, drawn=accepted)


def folds_of(
    *,
    folds: pd.DataFrame,
    images: Mapping[str, pd.DataFrame],
    annotations: Mapping[str, pd.DataFrame],
    predictions: Tables,
    scores: Tables,
    metrics: pd.DataFrame,
    replicates: pd.DataFrame,
    datasets: Mapping[str, str],
    headlines: Mapping[str, str],
    settings: Settings,
) -> dict[str, list[Fold]]:
    """Return the folds of every protocol in order, and every model on them.

    Parameters
    ----------
    folds : DataFrame of FOLDS
    images, annotations : DataFrame of IMAGES, ANNOTATIONS by dataset
        Datasets may name images alike.
    predictions, scores : Tables of PREDICTIONS, SCORES
        Scores are asked for again whenever they are needed.
    metrics, replicates : DataFrame of METRICS, REPLICATES that ``measure`` wrote
    datasets, headlines : dataset and headline reading by protocol
    settings : Settings
    """
    key = ["protocol", "fold", "model"]
    figures = metrics[metrics["metric"].isin(COMPARED) & (metrics["experiment"] == "")]
    figures = figures.merge(replicates, how="left", on=["fold", *KEY])
    measured = {cast(Job, job): rows for job, rows in figures.groupby(key)}
    nothing = PREDICTIONS.empty_table().to_pandas()
    every: dict[str, list[Fold]] = {}
    for (name, number), rows in folds.groupby(["protocol", "fold"], sort=True):
        protocol, chosen = str(name), rows.query("role == 'test' and not flipped")
        dataset = datasets[protocol]
        known = images[dataset]
        test, annotated = (
            table[table["image_id"].isin(chosen["image_id"])]
            for table in (known, annotations[dataset])
        )
        trials = {
            str(its[2]): Trial(
                predictions.get(its, nothing),
                Readings(scores, its, headlines[protocol]) if its in scores else {},
                dict(_figures(measured.get(its, figures[:0]))),
            )
            for its in dict.fromkeys([*sorted(predictions), *sorted(scores), *measured])
            if its[:2] == (protocol, number)
        }
        draws = Draws.of_fold(test, known, settings)
        every.setdefault(protocol, []).append(Fold(test, annotated, draws, trials))
    return every


def _figures(rows: pd.DataFrame) -> Iterator[tuple[Place, Measured]]:
    """Yield the figures of rows of METRICS beside their REPLICATES, if they have any."""
    columns = [*SUBSET, "metric", "at", "value", "n", "values", "subjects", "scale"]
    for *subset, metric, at, value, n, values, subjects, scale in rows[columns].itertuples(
        index=False, name=None
    ):
        place = Place(Subset(*subset), metric, at)
        made = Measured(place.subset, metric, value, n, at=at)
        if isinstance(values, np.ndarray):
            made = replace(made, replicates=values, subjects=int(subjects), scale=scale)
        yield place, made
