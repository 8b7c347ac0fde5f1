"""What ``compare`` reads: every fold of every protocol, and every model on it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thermalign import tables
from thermalign.evaluation.draws import Draws
from thermalign.evaluation.measured import Measured
from thermalign.evaluation.over_folds import KEY, Key, Replicates, of_fold
from thermalign.evaluation.trials import COMPARED, READING, Fold, Place, Trial, parts_of
from thermalign.schemas.dataset import ANNOTATIONS, FOLDS, IMAGES
from thermalign.schemas.matching import SCORES
from thermalign.schemas.measures import METRICS, REPLICATES
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.verification.readings import by_reading


@dataclass(frozen=True)
class Study:
    """Every fold of every protocol.

    Attributes
    ----------
    images : DataFrame of IMAGES by dataset
    datasets : dataset by protocol
    folds : Folds by protocol, in order
    metrics : DataFrame of METRICS of all folds and models
    replicates : of all folds and models, one mapping for each
    """

    images: Mapping[str, pd.DataFrame]
    datasets: Mapping[str, str]
    folds: Mapping[str, Sequence[Fold]]
    metrics: pd.DataFrame
    replicates: Sequence[Mapping[Key, Replicates]]

    def images_of(self, protocol: str) -> pd.DataFrame:
        """Return the IMAGES of a protocol's dataset; datasets may name images alike."""
        return self.images[self.datasets[protocol]]


def read_study(
    *,
    images: Sequence[Path],
    annotations: Sequence[Path],
    folds: Sequence[Path],
    models: Sequence[tuple[Path, Path, Path, Path]],
    datasets: Mapping[str, str],
    headlines: Mapping[str, str],
    settings: Mapping[str, Any],
) -> Study:
    """Read every table once.

    Parameters
    ----------
    images, annotations : Paths of the tables, in folders of the datasets' names
    folds : Paths of FOLDS
    models : Paths of PREDICTIONS, SCORES, METRICS and REPLICATES of every fold and model
    datasets, headlines : dataset and headline reading by protocol
    settings : the ``evaluation:`` block
    """
    known = {path.parent.name: tables.read(path, IMAGES) for path in images}
    truth = {path.parent.name: tables.read(path, ANNOTATIONS) for path in annotations}
    read = [Read.of(*paths) for paths in models]
    every: dict[str, dict[int, Fold]] = {}
    for path in folds:
        table = tables.read(path, FOLDS)
        protocol, number = table[["protocol", "fold"]].iloc[0]
        dataset, chosen = datasets[protocol], table.query("role == 'test' and not flipped")
        test, annotated = (
            table[table["image_id"].isin(chosen["image_id"])]
            for table in (known[dataset], truth[dataset])
        )
        trials = {
            its.key[2]: its.trial(headlines[protocol])
            for its in read
            if its.key[:2] == (protocol, number)
        }
        draws = Draws.of_fold(test, known[dataset], dict(settings))
        every.setdefault(protocol, {})[number] = Fold(test, annotated, draws, trials)
    return Study(
        known,
        datasets,
        {protocol: [its[number] for number in sorted(its)] for protocol, its in every.items()},
        pd.concat([its.metrics for its in read]),
        [its.replicates for its in read],
    )


@dataclass(frozen=True)
class Read:
    """The tables of one model on one fold.

    Attributes
    ----------
    key : protocol, fold and model; empty where the model was asked about nothing
    predictions, scores, metrics : DataFrame
    replicates : by key
    """

    key: tuple[Any, ...]
    predictions: pd.DataFrame
    scores: pd.DataFrame
    metrics: pd.DataFrame
    replicates: Mapping[Key, Replicates]

    @classmethod
    def of(cls, predictions: Path, scores: Path, metrics: Path, replicates: Path) -> "Read":
        """Read the tables."""
        points, compared = tables.read(predictions, PREDICTIONS), tables.read(scores, SCORES)
        measured = tables.read(metrics, METRICS)
        drawn = of_fold(tables.read(replicates, REPLICATES))
        told = next((table for table in (points, compared, measured) if len(table)), None)
        key = () if told is None else tuple(told[["protocol", "fold", "model"]].iloc[0])
        return cls(key, points, compared, measured, drawn)

    def trial(self, headline: str) -> Trial:
        """Return what the model did on its fold."""
        readings = by_reading(self.scores, headline)
        scores = {parts_of(mark).get(READING, ""): rows for mark, rows in readings}
        return Trial(self.predictions, scores, dict(self._figures()))

    def _figures(self) -> Iterator[tuple[Place, Measured]]:
        """Yield the metrics that models are compared in, with their replicates."""
        rows = self.metrics[self.metrics["metric"].isin(COMPARED)]
        columns = [*KEY[2:], "value", "n"]
        for subset, metric, at, value, n in rows[columns].itertuples(index=False, name=None):
            drawn = self.replicates.get((self.key[0], self.key[2], subset, metric, at))
            values, people = (drawn.values, drawn.subjects) if drawn else (np.empty(0), 0)
            yield (subset, metric, at), Measured(subset, metric, value, n, values, people, at)
