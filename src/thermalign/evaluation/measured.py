"""One figure of a fold: its value, its bootstrap replicates, and what it rests on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from thermalign.geometry import Floats
from thermalign.metrics.intervals import DIFFERENCE, interval
from thermalign.schemas.keys import SUBSET, Subset
from thermalign.schemas.measures import METRICS, REPLICATES

NONE = np.empty(0)
"""Replicates of a figure without an interval."""

LEAST = 8
"""People from which on a figure of other people than those of the study has an interval. ASSUME."""


@dataclass(frozen=True)
class Measured:
    """One metric of one subset of a fold's test images.

    Attributes
    ----------
    subset : Subset
    metric : str
        As in METRICS.
    value : float
    n : int
        Images, or whatever the metric is a share of.
    replicates : (R,) float
        Empty for a metric without an interval.
    subjects : int
        How many test subjects the metric rests on.
    at : float
        Abscissa of a curve, else 0.
    scale : str
        That the interval is made on: ``RATE``, ``POSITIVE`` or ``DIFFERENCE`` of
        :mod:`thermalign.metrics.intervals`.

    Raises
    ------
    ValueError
        If there are replicates, but no scale or no subject that an interval could rest on.
    """

    subset: Subset
    metric: str
    value: float
    n: int
    replicates: Floats = field(default_factory=lambda: NONE)
    subjects: int = 0
    at: float = 0.0
    scale: str = ""

    def __post_init__(self) -> None:
        """Refuse replicates that no interval can be made of."""
        if len(self.replicates) and not (self.scale and self.subjects):
            lacking = "of no scale" if self.subjects else "of no subject"
            raise ValueError(f"{self.metric}: replicates {lacking} have no interval")

    def interval(self) -> tuple[float, float]:
        """Return the ends of the 95 % interval; NaN without replicates."""
        if not len(self.replicates):
            return float("nan"), float("nan")
        return interval(self.value, self.replicates, subjects=self.subjects, scale=self.scale)


def without_few(figure: Measured) -> Measured:
    """Return a figure, without replicates if it rests on fewer than ``LEAST`` people."""
    return figure if figure.subjects >= LEAST else replace(figure, replicates=NONE)


def difference(metric: str, minuend: Measured, subtrahend: Measured) -> Measured:
    """Return the difference of two figures of the same draws, under the minuend's subset.

    It rests on what both have at least: the smaller ``n``, the fewer subjects.
    """
    return Measured(
        minuend.subset,
        metric,
        minuend.value - subtrahend.value,
        min(minuend.n, subtrahend.n),
        np.asarray(minuend.replicates - subtrahend.replicates),
        min(minuend.subjects, subtrahend.subjects),
        minuend.at,
        DIFFERENCE,
    )


def tabulate(
    measured: Sequence[Measured], key: Mapping[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return METRICS, and REPLICATES of what has them.

    Parameters
    ----------
    measured : list of Measured
    key : mapping
        The columns dataset, protocol, fold and model.
    """
    place = pd.DataFrame(
        [(*m.subset, m.metric, m.at) for m in measured], columns=[*SUBSET, "metric", "at"]
    ).assign(**key)
    ends = np.array([m.interval() for m in measured]).reshape(-1, 2)
    metrics = place.assign(
        value=[m.value for m in measured],
        low=ends[:, 0],
        high=ends[:, 1],
        n=[m.n for m in measured],
    )
    drawn = [m for m in measured if len(m.replicates)]
    replicates = place[np.array([len(m.replicates) > 0 for m in measured], bool)].assign(
        values=pd.Series([m.replicates for m in drawn], dtype=object).to_numpy(),
        subjects=[m.subjects for m in drawn],
        scale=[m.scale for m in drawn],
    )
    return metrics[METRICS.names], replicates[REPLICATES.names]
