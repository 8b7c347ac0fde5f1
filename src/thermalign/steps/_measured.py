"""Metrics of a fold that go to ``compare`` with their bootstrap replicates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thermalign import tables
from thermalign.geometry import Floats
from thermalign.metrics.bootstrap import interval
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
    """

    subset: str
    metric: str
    value: float
    n: int
    replicates: Floats


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
    rows = [(m.subset, m.metric, 0.0, m.value, *interval(m.replicates), m.n) for m in measured]
    columns = ["subset", "metric", "at", "value", "low", "high", "n"]
    table = pd.DataFrame(rows, columns=columns).assign(**key)
    tables.write(metrics, table, METRICS, metadata)
    lengths = [len(m.replicates) for m in measured]
    draws = {
        "subset": np.repeat([m.subset for m in measured], lengths),
        "metric": np.repeat([m.metric for m in measured], lengths),
        "draw": np.concatenate([np.arange(n, dtype=np.int32) for n in lengths]),
        "value": np.concatenate([m.replicates for m in measured]),
    }
    tables.write(replicates, pd.DataFrame(draws).assign(**key), REPLICATES, metadata)
