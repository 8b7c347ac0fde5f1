"""Join the folds of every model, and compare models pair by pair on the same subjects."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thermalign import tables
from thermalign.geometry import Floats
from thermalign.metrics.intervals import DIFFERENCE, SCALES, interval
from thermalign.provenance import stamp
from thermalign.schemas.dataset import IMAGES
from thermalign.schemas.matching import SCORES
from thermalign.schemas.measures import DIFFERENCES, METRICS, REPLICATES, SUMMARY
from thermalign.steps._pooled import pooled

KEY = ["protocol", "model", "subset", "metric", "at"]
Key = tuple[Any, ...]
COMPARED = ("nmse", "eer", "tar_at_far", "rank1")
"""Metrics whose paired differences between models are told."""


def run(
    *,
    images: list[Path],
    metrics: list[Path],
    replicates: list[Path],
    joined_replicates: list[Path],
    scores: list[Path],
    datasets: dict[str, Any],
    settings: dict[str, Any],
    summary: Path,
    differences: Path,
    code: str,
) -> None:
    """Write SUMMARY and DIFFERENCES.

    A metric over folds is the mean of its folds: scores of different folds share no scale. Its
    interval rests on the mean over folds of each bootstrap replicate.

    Parameters
    ----------
    images : Paths of IMAGES, one per dataset, in folders of their names
    metrics : Paths of METRICS
    replicates : Paths of REPLICATES of metrics whose models are compared
    joined_replicates : Paths of REPLICATES of metrics that are only joined over folds
    scores : Paths of SCORES, of which pooled equal error rates are made
    datasets : protocol -> dataset
    settings : the ``evaluation:`` block
    summary, differences : Path
    code : str
    """
    known = {path.parent.name: tables.read(path, IMAGES) for path in images}
    compared = over_folds(tables.read(path, REPLICATES) for path in replicates)
    others = over_folds(tables.read(path, REPLICATES) for path in joined_replicates)
    joined = summarise(tables.read_many(metrics, METRICS), {**compared, **others})
    rows = [
        {"protocol": protocol, "model": model, **row}
        for (protocol, model), table in tables.read_many(scores, SCORES).groupby(
            ["protocol", "model"], sort=False
        )
        for row in pooled(table, known[datasets[str(protocol)]])  # datasets may name images alike
    ]
    whole = pd.concat([joined, pd.DataFrame(rows, columns=SUMMARY.names)]) if rows else joined
    metadata = stamp(code, settings)
    tables.write(summary, whole.astype({"n_folds": "int32"}), SUMMARY, metadata)
    pairs = pd.DataFrame(contrast(joined, compared), columns=DIFFERENCES.names)
    tables.write(differences, pairs, DIFFERENCES, metadata)


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
    """

    values: Floats
    subjects: int


def over_folds(folds: Iterable[pd.DataFrame]) -> dict[Key, Replicates]:
    """Join tables of REPLICATES by protocol, model, subset, metric and abscissa."""
    found: dict[Key, list[Replicates]] = {}
    for table in folds:
        for key, fold in _of_fold(table):
            found.setdefault(key, []).append(fold)
    return {
        key: Replicates(
            np.mean([fold.values for fold in each], axis=0), max(fold.subjects for fold in each)
        )
        for key, each in found.items()
    }


def _of_fold(table: pd.DataFrame) -> Iterator[tuple[Key, Replicates]]:
    """Yield the replicates of one table of REPLICATES by key, in the order of the draws."""
    group = table.groupby(KEY, sort=False).ngroup().to_numpy()
    rows = np.lexsort((table["draw"].to_numpy(), group))
    first = np.flatnonzero(np.diff(group[rows], prepend=-1))
    ends = np.append(first[1:], len(rows))[: len(first)]  # none of an empty table
    values = table["value"].to_numpy()[rows]
    starts = table.iloc[rows[first]][[*KEY, "subjects"]].itertuples(index=False, name=None)
    for (*key, subjects), begin, end in zip(starts, first, ends, strict=True):
        yield tuple(key), Replicates(values[begin:end], int(subjects))


def summarise(metrics: pd.DataFrame, replicates: dict[Key, Replicates]) -> pd.DataFrame:
    """Return the SUMMARY of METRICS.

    Folds in which a rate could not be measured (NaN) make it unmeasured over folds.
    """
    grouped = metrics.groupby(KEY, sort=False)
    table = grouped.agg(
        value=("value", lambda v: v.mean(skipna=False)),
        fold_sd=("value", lambda v: v.std(ddof=1, skipna=False)),
        n=("n", "sum"),
        n_folds=("fold", "nunique"),
    ).reset_index()
    ends = []
    for *key, value in table[[*KEY, "value"]].itertuples(index=False, name=None):
        made = replicates.get(tuple(key))
        ends.append(_interval(value, made, scale=SCALES[key[3]]) if made else (np.nan, np.nan))
    table[["low", "high"]] = np.array(ends).reshape(-1, 2)
    return table.astype({"n_folds": "int32"})


def contrast(summary: pd.DataFrame, replicates: dict[Key, Replicates]) -> Iterator[Key]:
    """Yield the paired difference of every two models wherever both have replicates."""
    point = {tuple(row[:5]): row[5:] for row in summary[[*KEY, "value", "n"]].to_numpy().tolist()}
    models: dict[Key, list[str]] = {}
    for protocol, model, *place in replicates:
        if place[1] in COMPARED:
            models.setdefault((protocol, *place), []).append(model)
    for (protocol, *place), those in sorted(models.items()):
        for a, b in combinations(sorted(those), 2):
            first, second = (protocol, a, *place), (protocol, b, *place)
            value = point[first][0] - point[second][0]
            pair = replicates[first], replicates[second]
            difference = Replicates(
                pair[0].values - pair[1].values, max(one.subjects for one in pair)
            )
            low, high = _interval(value, difference, scale=DIFFERENCE)
            yield protocol, *place, a, b, value, low, high, point[first][1]


def _interval(value: float, made: Replicates, *, scale: str) -> tuple[float, float]:
    return interval(value, made.values, subjects=made.subjects, scale=scale)
