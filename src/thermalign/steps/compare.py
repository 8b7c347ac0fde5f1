"""Join the folds of every model, and compare models pair by pair on the same subjects."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thermalign import tables
from thermalign.metrics.intervals import DIFFERENCE, SCALES
from thermalign.provenance import stamp
from thermalign.schemas.dataset import IMAGES
from thermalign.schemas.matching import SCORES
from thermalign.schemas.measures import DIFFERENCES, METRICS, REPLICATES, SUMMARY
from thermalign.steps._over_folds import KEY, Key, Replicates, over_folds
from thermalign.steps._placement import placements
from thermalign.steps._pooled import pooled

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
    headlines: dict[str, Any],
    settings: dict[str, Any],
    displacements: dict[str, Any],
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
    headlines : protocol -> the reading of ``same_moment`` that is pooled
    settings : the ``evaluation:`` block
    displacements : the ``displacements:`` block, empty without one
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
        for row in pooled(
            table[table["same_moment"] == headlines[str(protocol)]],
            known[datasets[str(protocol)]],  # datasets may name images alike
        )
    ]
    if displacements:
        rows += placements(joined, {**compared, **others}, displacements)
    whole = pd.concat([joined, pd.DataFrame(rows, columns=SUMMARY.names)]) if rows else joined
    metadata = stamp(code, settings)
    tables.write(summary, whole.astype({"n_folds": "int32"}), SUMMARY, metadata)
    pairs = pd.DataFrame(contrast(joined, compared), columns=DIFFERENCES.names)
    tables.write(differences, pairs, DIFFERENCES, metadata)


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
        ends.append(made.interval(value, scale=SCALES[key[3]]) if made else (np.nan, np.nan))
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
            difference = replicates[first].minus(replicates[second])
            low, high = difference.interval(value, scale=DIFFERENCE)
            yield protocol, *place, a, b, value, low, high, point[first][1]
