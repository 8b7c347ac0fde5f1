"""Metrics of a fold that go to ``compare``, most of them with bootstrap replicates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thermalign import tables
from thermalign.geometry import Floats
from thermalign.metrics.intervals import SCALES, interval
from thermalign.schemas.measures import METRICS, REPLICATES


@dataclass(frozen=True)
class Measured:
    """One metric of one subset of a fold's test images.

    Attributes
    ----------
    subset, metric : str
        As in METRICS.
    value : float
    n : int
        Images, or whatever the metric is a share of.
    replicates : (R,) float
        Empty for a metric without an interval.
    subjects : int
        How many test subjects the metric rests on; needed where there are replicates.
    at : float
        Abscissa of a curve, else 0.
    """

    subset: str
    metric: str
    value: float
    n: int
    replicates: Floats = field(default_factory=lambda: np.empty(0))
    subjects: int = 0
    at: float = 0.0

    def interval(self) -> tuple[float, float]:
        """Return the ends of the 95 % interval; NaN without replicates."""
        if not len(self.replicates):
            return float("nan"), float("nan")
        scale = SCALES[self.metric]
        return interval(self.value, self.replicates, subjects=self.subjects, scale=scale)


def write_measured(
    measured: Sequence[Measured],
    key: Mapping[str, Any],
    metadata: tables.Metadata,
    *,
    metrics: Path,
    replicates: Path,
) -> None:
    """Write METRICS and their REPLICATES.

    Parameters
    ----------
    measured : list of Measured
    key : mapping
        The columns protocol, fold and model.
    metadata : mapping of str to str
    metrics, replicates : Path of the tables
    """
    place = ["subset", "metric", "at"]
    rows = [(m.subset, m.metric, m.at, m.value, *m.interval(), m.n) for m in measured]
    table = pd.DataFrame(rows, columns=[*place, "value", "low", "high", "n"])
    tables.write(metrics, table.assign(**key), METRICS, metadata)
    each = table[place].assign(subjects=[m.subjects for m in measured])
    draws = each.loc[each.index.repeat([len(m.replicates) for m in measured])]
    draws = draws.assign(
        draw=draws.groupby(level=0).cumcount().astype("int32"),
        value=np.concatenate([np.empty(0), *(m.replicates for m in measured)]),
    )
    tables.write(replicates, draws.assign(**key), REPLICATES, metadata)
