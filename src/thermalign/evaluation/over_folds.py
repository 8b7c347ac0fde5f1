"""Bootstrap replicates of the folds of a study, joined."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from thermalign.geometry import Floats
from thermalign.metrics.intervals import interval

KEY = ["protocol", "model", "subset", "metric", "at"]


Key = tuple[Any, ...]


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

    def interval(self, value: float, *, scale: str) -> tuple[float, float]:
        """Return the 95 % interval of the metric, whose mean over folds is ``value``."""
        return interval(value, self.values, subjects=self.subjects, scale=scale)

    def minus(self, other: "Replicates") -> "Replicates":
        """Return the replicates of the difference of two metrics."""
        return Replicates(self.values - other.values, max(self.subjects, other.subjects))


def join(folds: Iterable[Mapping[Key, Replicates]]) -> dict[Key, Replicates]:
    """Join the replicates of several folds: their mean, draw by draw."""
    found: dict[Key, list[Replicates]] = {}
    for fold in folds:
        for key, replicates in fold.items():
            found.setdefault(key, []).append(replicates)
    return {
        key: Replicates(
            np.mean([fold.values for fold in each], axis=0), max(fold.subjects for fold in each)
        )
        for key, each in found.items()
    }


def of_fold(table: pd.DataFrame) -> dict[Key, Replicates]:
    """Return the replicates of one table of REPLICATES by key, in the order of the draws."""
    group = table.groupby(KEY, sort=False).ngroup().to_numpy()
    rows = np.lexsort((table["draw"].to_numpy(), group))
    first = np.flatnonzero(np.diff(group[rows], prepend=-1))
    ends = np.append(first[1:], len(rows))[: len(first)]  # none of an empty table
    values = table["value"].to_numpy()[rows]
    starts = table.iloc[rows[first]][[*KEY, "subjects"]].itertuples(index=False, name=None)
    return {
        tuple(key): Replicates(values[begin:end], int(subjects))
        for (*key, subjects), begin, end in zip(starts, first, ends, strict=True)
    }
