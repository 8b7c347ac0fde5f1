"""Paired differences between models, on the images, probes and folds that both have."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from thermalign.evaluation.measured import Measured
from thermalign.evaluation.over_folds import Replicates
from thermalign.evaluation.study import Fold, Place
from thermalign.metrics.intervals import DIFFERENCE, interval, p_value
from thermalign.metrics.multiplicity import holm
from thermalign.schemas.keys import ALL, SUBSET
from thermalign.schemas.measures import DIFFERENCES

SHOWN = ("range", "same_moment")
"""Subsets by these alone stand in a block together."""

Pair = tuple[Measured, Measured]


def differences(
    protocols: Mapping[str, Sequence[Fold]], datasets: Mapping[str, str]
) -> pd.DataFrame:
    """Return DIFFERENCES of every two models, with p-values.

    A difference over folds is the mean over the folds in which both have something in common.
    ``p_holm`` is adjusted within a block: all pairs of models, for all images and every range, of
    one protocol, metric, reading and abscissa; NaN in other subsets.

    Parameters
    ----------
    protocols : folds by protocol
    datasets : dataset by protocol
    """
    rows = [
        {"dataset": datasets[protocol], "protocol": protocol, **row}
        for protocol, folds in protocols.items()
        for row in contrast(folds)
    ]
    frame = pd.DataFrame(rows, columns=[name for name in DIFFERENCES.names if name != "p_holm"])
    return frame.assign(p_holm=adjusted(frame))


def contrast(folds: Sequence[Fold]) -> Iterator[dict[str, Any]]:
    """Yield the paired difference of every two models of a protocol wherever both have replicates.

    Subsets by attributes of people describe; differences between models in each are not told. Rows
    are those of DIFFERENCES, without dataset, protocol and ``p_holm``.
    """
    every = {p for fold in folds for its in fold.models.values() for p in its.figures}
    for place in sorted(p for p in every if not p.subset.attribute):
        models = sorted({m for fold in folds for m, its in fold.models.items() if its.has(place)})
        for a, b in combinations(models, 2):
            pairs = [pair for fold in folds if (pair := fold.common(a, b, place))]
            if any(_drawn(pair) for pair in pairs):
                key = {**place.subset._asdict(), "metric": place.metric, "at": place.at}
                yield {**key, "model_a": a, "model_b": b, **_joined(pairs)}


def beside(
    folds: Iterable[Fold], model: str, other: str, place: Place
) -> tuple[float, int, Replicates] | None:
    """Return a model's figure over folds on the images that another model has, too.

    Returns
    -------
    value, n, replicates
        None without anything in common.
    """
    pairs = [pair for fold in folds if (pair := fold.common(model, other, place))]
    return mean_of([first for first, _ in pairs])


def mean_of(figures: Sequence[Measured]) -> tuple[float, int, Replicates] | None:
    """Return value, n and replicates over folds; None without any, or without replicates."""
    if not figures or not all(len(figure.replicates) for figure in figures):
        return None
    drawn = np.mean([figure.replicates for figure in figures], axis=0)
    value = float(np.mean([figure.value for figure in figures]))
    subjects = max(figure.subjects for figure in figures)
    n = sum(figure.n for figure in figures)
    return value, n, Replicates(drawn, subjects, figures[0].scale)


def adjusted(frame: pd.DataFrame) -> pd.Series:
    """Return ``p_holm`` of DIFFERENCES: p adjusted within its block, NaN outside of blocks.

    Where a protocol has one range alone, its rows say what those of all images say: the two are
    adjusted apart, not as twice as many tests.
    """
    out = pd.Series(np.nan, frame.index, dtype=float)
    others = [name for name in SUBSET if name not in SHOWN]
    shown = frame[(frame[others] == [getattr(ALL, name) for name in others]).all(axis=1)]
    ranges = shown.loc[shown["range"] != "", "range"]
    one = ranges.groupby(frame["protocol"]).nunique() == 1
    for (protocol, *_), rows in shown.groupby(
        ["protocol", "metric", "same_moment", "at"], sort=False
    ):
        alone = one.get(protocol, False)
        for _, block in rows.groupby(rows["range"] if alone else np.zeros(len(rows))):
            out[block.index] = holm(block["p"].to_numpy(float))
    return out


def _drawn(pair: Pair) -> bool:
    return bool(len(pair[0].replicates) and len(pair[1].replicates))


def _joined(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Return value, interval, counts and p of the mean over folds of a difference."""
    value = float(np.mean([first.value - second.value for first, second in pairs]))
    drawn = [a.replicates - b.replicates for a, b in pairs if _drawn((a, b))]
    replicates = np.mean(drawn, axis=0)
    people = max(figure.subjects for pair in pairs for figure in pair)
    low, high = interval(value, replicates, subjects=people, scale=DIFFERENCE)
    return {
        "value": value,
        "low": low,
        "high": high,
        "n": sum(first.n for first, _ in pairs),
        "p": p_value(value, replicates, subjects=people),
        "n_subjects": people,
    }
