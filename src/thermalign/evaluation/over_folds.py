"""Figures of the folds of a study, joined: means over folds, pooled scores, people in common."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd

from thermalign.evaluation.draws import by_range, comparisons_of
from thermalign.geometry import Floats
from thermalign.metrics.intervals import DIFFERENCE, interval
from thermalign.metrics.verification import eer, z_normalised
from thermalign.schemas.keys import ANNOTATED, KEY, OTHER_PROTOCOL, SUBSET, Subset

NAN = float("nan")

OF_IMAGES = ("nmse", "ced", "failure", "coverage", "nll", "rank_correlation", "risk", "aurc")
"""How metrics of landmarks begin; those of a fold's images, whatever probes it has."""

POOLED = ["fold", "probe_id", "gallery_id", "genuine", "score"]
"""Columns of SCORES that are looked at when folds are taken together."""

Key = tuple[Any, ...]
"""The columns KEY of a figure."""

UNMEASURED = {"low": NAN, "high": NAN, "fold_sd": NAN}
"""Columns of SUMMARY of a figure without an interval."""


@dataclass(frozen=True)
class Replicates:
    """Bootstrap replicates of one metric over folds.

    Attributes
    ----------
    values : (R,) float
        Mean over folds of each draw; all folds and models see the same draws, so that differences
        between models are paired and what folds share is not averaged away.
    subjects : int
        Of the fold with most: the folds together hold at least as many, so that an interval is
        rather too wide.
    scale : str
        Of the interval, as in REPLICATES.
    """

    values: Floats
    subjects: int
    scale: str

    def interval(self, value: float) -> tuple[float, float]:
        """Return the 95 % interval of the metric, whose mean over folds is ``value``."""
        return interval(value, self.values, subjects=self.subjects, scale=self.scale)

    def minus(self, other: "Replicates") -> "Replicates":
        """Return the replicates of the difference of two metrics."""
        subjects = max(self.subjects, other.subjects)
        return Replicates(self.values - other.values, subjects, DIFFERENCE)


def join(replicates: pd.DataFrame) -> dict[Key, Replicates]:
    """Join the REPLICATES of several folds: their mean, draw by draw."""
    found: dict[Key, list[Replicates]] = {}
    rows = replicates[[*KEY, "values", "subjects", "scale"]]
    for *key, values, subjects, scale in rows.itertuples(index=False, name=None):
        found.setdefault(tuple(key), []).append(Replicates(values, subjects, scale))
    return {
        key: Replicates(
            np.mean([fold.values for fold in each], axis=0),
            max(fold.subjects for fold in each),
            each[0].scale,
        )
        for key, each in found.items()
    }


def summarise(
    metrics: pd.DataFrame, replicates: Mapping[Key, Replicates], *, of_images: Sequence[str] = ()
) -> pd.DataFrame:
    """Return the SUMMARY of METRICS.

    A fold in which a metric could not be measured (NaN), or in which it is missing although the
    fold holds its subset, makes it unmeasured over folds: a mean over the other folds would be one
    over the folds that went well. A fold holds the images of a subset if any model has a landmark
    metric of it there, and its probes if any has a rate of it; a fold that holds none, say of a
    range, has nothing to be measured and is left out for everybody. A score, as ``threshold`` is,
    has no mean over folds: scores of different folds share no scale.

    Parameters
    ----------
    metrics : DataFrame of METRICS
    replicates : of :func:`join`
    of_images : landmark metrics beside the study's own
    """
    grouped = metrics.groupby([*KEY], sort=False)
    table = grouped.agg(
        value=("value", "mean"),
        fold_sd=("value", "std"),
        n=("n", "sum"),
        n_folds=("fold", "nunique"),
        known=("value", "count"),
    ).reset_index()
    score = (table["metric"] == "threshold") & (table["n_folds"] > 1)
    unknown = table.pop("known") < _folds_that_hold(table, metrics, of_images)
    table.loc[score | unknown, ["value", "fold_sd"]] = np.nan
    ends = []
    for *key, value in table[[*KEY, "value"]].itertuples(index=False, name=None):
        made = replicates.get(tuple(key))
        ends.append(made.interval(value) if made else (NAN, NAN))
    table[["low", "high"]] = np.array(ends).reshape(-1, 2)
    return table.astype({"n_folds": "int32"})


def _folds_that_hold(
    figures: pd.DataFrame, metrics: pd.DataFrame, of_images: Sequence[str]
) -> pd.Series:
    """Return how many folds hold what each figure is about: images or probes of its subset."""
    part = ["protocol", "of_images", *(c for c in SUBSET if c not in {"landmark", "level"})]
    asked, known = (
        table.assign(
            of_images=table["metric"].str.startswith(OF_IMAGES) | table["metric"].isin(of_images)
        )
        for table in (figures, metrics)
    )
    held = known.groupby(part)["fold"].nunique().rename("held")
    return asked.join(held, on=part)["held"]


def pooled(
    scores: Mapping[tuple[str, int, str], pd.DataFrame],
    images: Mapping[str, pd.DataFrame],
    *,
    datasets: Mapping[str, str],
    headlines: Mapping[str, str],
) -> Iterator[dict[str, Any]]:
    """Yield rows of SUMMARY: ``eer_pooled`` and ``eer_pooled_z``, of all images and each range.

    Scores of different folds come from different classifiers and share no scale. ``eer_pooled``
    takes them as if they did; ``eer_pooled_z`` puts them on one first, by the impostor scores of
    every gallery subject within its fold. Neither has an interval. Of the headline reading alone.

    Parameters
    ----------
    scores : DataFrame of SCORES by protocol, fold and model
        Those of one model on the folds of a protocol are in memory at once.
    images : DataFrame of IMAGES by dataset
    datasets, headlines : dataset and headline reading by protocol
    """
    for protocol, model in dict.fromkeys((job[0], job[2]) for job in scores):
        key = {"dataset": datasets[protocol], "protocol": protocol, "model": model}
        rows = [
            its.loc[its["same_moment"] == headlines[protocol], POOLED]
            for its in (scores[job] for job in scores if job[0] == protocol and job[2] == model)
        ]
        comparisons = comparisons_of(pd.concat(rows), images[datasets[protocol]])
        for subset, part in by_range(comparisons) if len(comparisons) else ():
            if part["genuine"].any() and not part["genuine"].all():
                for metric, value in _pooled_rates(part).items():
                    figure = {"metric": metric, "at": 0.0, "value": value, **UNMEASURED}
                    counts = {"n": len(part), "n_folds": part["fold"].nunique()}
                    yield {**key, **subset._asdict(), **figure, **counts}


def _pooled_rates(comparisons: pd.DataFrame) -> dict[str, float]:
    """Return the EER of comparisons as they are, and z-normalised: NaN where that has no value."""
    score, genuine = comparisons["score"].to_numpy(), comparisons["genuine"].to_numpy()
    classifier = comparisons.groupby(["fold", "gallery_id"]).ngroup().to_numpy()
    normal = z_normalised(score, genuine, classifier)
    known = not np.isnan(normal).any()
    return {
        "eer_pooled": eer(score, genuine),
        "eer_pooled_z": eer(normal, genuine) if known else NAN,
    }


def shared_people(
    people: Mapping[str, Sequence[Iterable[str]]], datasets: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Yield rows of SUMMARY: how many people two protocols of one dataset both test.

    Of the ``n`` of the first, under experiment OTHER_PROTOCOL of the annotated points' model. What
    two protocols find of the same people is no replication.

    Parameters
    ----------
    people : test subjects of every fold, by protocol
    datasets : dataset by protocol
    """
    tested = {protocol: set().union(*folds) for protocol, folds in people.items()}
    for protocol, other in permutations(tested, 2):
        if datasets[protocol] == datasets[other]:
            yield {
                **UNMEASURED,
                "dataset": datasets[protocol],
                "protocol": protocol,
                "model": ANNOTATED,
                **Subset(experiment=OTHER_PROTOCOL, setting=other)._asdict(),
                "metric": "shared_people",
                "at": 0.0,
                "value": float(len(tested[protocol] & tested[other])),
                "n": len(tested[protocol]),
                "n_folds": len(people[protocol]),
            }
