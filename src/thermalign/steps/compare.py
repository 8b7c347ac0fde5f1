"""Join the folds of every model, and compare models pair by pair on the same subjects."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thermalign import tables
from thermalign.geometry import Floats
from thermalign.metrics.bootstrap import interval
from thermalign.provenance import stamp
from thermalign.schemas.dataset import ANNOTATIONS, FOLDS, IMAGES
from thermalign.schemas.matching import SCORES
from thermalign.schemas.measures import DIFFERENCES, METRICS, REPLICATES, SUMMARY
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.steps._measures import Draws, comparisons_of, errors_of, subsets

KEY = ["protocol", "model", "subset", "metric"]


def run(
    *,
    images: list[Path],
    annotations: list[Path],
    folds: list[Path],
    metrics: list[Path],
    replicates: list[Path],
    predictions: list[Path],
    scores: list[Path],
    datasets: dict[str, Any],
    settings: dict[str, Any],
    summary: Path,
    differences: Path,
    code: str,
) -> None:
    """Write SUMMARY and DIFFERENCES.

    A metric over folds is the mean of its folds: scores of different folds share no scale. Its
    interval is that of the mean over folds of each bootstrap replicate.

    Parameters
    ----------
    images, annotations : Paths of the tables, one per dataset, in folders of their names
    folds, metrics, predictions, scores : lists of Path of the tables
    replicates : list of Path of REPLICATES, for those METRICS that come with their own
    datasets : protocol -> dataset
    settings : the ``evaluation:`` block
    summary, differences : Path
    code : str
    """
    known = {path.parent.name: tables.read(path, IMAGES) for path in images}
    truth = {path.parent.name: tables.read(path, ANNOTATIONS) for path in annotations}
    draws = Replicates(settings)
    for split, prediction, score in zip(folds, predictions, scores, strict=True):
        rows = tables.read(split, FOLDS).query("role == 'test'")
        dataset = datasets[rows["protocol"].iloc[0]]  # datasets may name images alike
        draws.add(
            tables.read(prediction, PREDICTIONS),
            tables.read(score, SCORES),
            known[dataset][known[dataset]["image_id"].isin(rows["image_id"])],
            truth[dataset],
        )
    metadata = stamp(code, settings)
    stressed = Replicates(settings)
    for path in replicates:
        stressed.take(tables.read(path, REPLICATES))
    known_draws = {**draws.over_folds(), **stressed.over_folds()}
    joined = summarise(tables.read_many(metrics, METRICS), known_draws)
    tables.write(summary, joined, SUMMARY, metadata)
    pairs = pd.DataFrame(contrast(joined, draws.over_folds()), columns=DIFFERENCES.names)
    tables.write(differences, pairs, DIFFERENCES, metadata)


class Replicates:
    """Bootstrap replicates by protocol, model, subset and metric, one per fold.

    All models of a fold see the same draws, so that differences between them are paired.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.folds: dict[tuple[str, ...], list[Floats]] = {}

    def add(
        self,
        predictions: pd.DataFrame,
        scores: pd.DataFrame,
        images: pd.DataFrame,
        annotations: pd.DataFrame,
    ) -> None:
        """Add one model's fold; ``images`` are the fold's test images."""
        first = predictions.iloc[0]
        key = str(first["protocol"]), str(first["model"])
        asked = predictions[predictions["image_id"].isin(images["image_id"])]
        errors = errors_of(asked, annotations, images)
        comparisons = comparisons_of(scores, images)
        draws = Draws.of_fold(images, int(first["fold"]), self.settings)
        for subset, rows in subsets(errors) if len(errors) else ():
            if rows["error"].notna().any():
                self._keep((*key, subset, "nmse"), draws.nmse(rows))
        for subset, rows in subsets(comparisons) if len(comparisons) else ():
            if rows["genuine"].any() and not rows["genuine"].all():
                self._keep((*key, subset, "eer"), draws.eer(rows))

    def take(self, table: pd.DataFrame) -> None:
        """Add a fold's REPLICATES, measured with the same draws by another step."""
        for key, rows in table.groupby(KEY, sort=False):
            self._keep(tuple(map(str, key)), rows.sort_values("draw")["value"].to_numpy())

    def _keep(self, key: tuple[str, ...], values: Floats) -> None:
        self.folds.setdefault(key, []).append(values)

    def over_folds(self) -> dict[tuple[str, ...], Floats]:
        """Return the mean over folds of every replicate."""
        return {key: np.mean(values, axis=0) for key, values in self.folds.items()}


def summarise(metrics: pd.DataFrame, replicates: dict[tuple[str, ...], Floats]) -> pd.DataFrame:
    """Return the SUMMARY of METRICS.

    Folds in which a rate could not be measured (NaN) make it unmeasured over folds.
    """
    grouped = metrics.groupby([*KEY, "at"], sort=False)
    table = grouped.agg(
        value=("value", lambda v: v.mean(skipna=False)),
        fold_sd=("value", lambda v: v.std(ddof=1, skipna=False)),
        n=("n", "sum"),
        n_folds=("fold", "nunique"),
    ).reset_index()
    ends = [
        interval(replicates[key]) if key in replicates else (np.nan, np.nan)
        for key in table[KEY].itertuples(index=False, name=None)
    ]
    table[["low", "high"]] = np.array(ends).reshape(-1, 2)
    return table.astype({"n_folds": "int32"})


def contrast(
    summary: pd.DataFrame, replicates: dict[tuple[str, ...], Floats]
) -> Iterator[tuple[Any, ...]]:
    """Yield the paired difference of every two models wherever both have replicates."""
    point = {tuple(row[:4]): row[4:] for row in summary[[*KEY, "value", "n"]].to_numpy().tolist()}
    places = {(protocol, subset, metric) for protocol, _, subset, metric in replicates}
    for protocol, subset, metric in sorted(places):
        models = [k[1] for k in replicates if (k[0], k[2], k[3]) == (protocol, subset, metric)]
        for a, b in combinations(sorted(models), 2):
            first, second = (protocol, a, subset, metric), (protocol, b, subset, metric)
            low, high = interval(replicates[first] - replicates[second])
            value = point[first][0] - point[second][0]
            yield protocol, subset, metric, a, b, value, low, high, point[first][1]
