"""The figures of a dose-response curve: error rates over the landmark error that was put in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from thermalign.metrics.dose import probit, slope
from thermalign.steps._measured import Measured
from thermalign.steps._measures import Draws
from thermalign.steps._rates import difference_of, eer_of, measurable

SLOPES = ("eer_slope", "probit_slope")


@dataclass(frozen=True)
class Curve:
    """Scores of the same probes at every level of a displacement.

    Attributes
    ----------
    subset : str
        As in METRICS.
    levels : T floats, interocular distances, rising from 0
    scores : T DataFrames
        Rows of :func:`thermalign.steps._measures.comparisons_of` with ``error``, the normalised
        error of the probe's displaced points.
    """

    subset: str
    levels: Sequence[float]
    scores: Sequence[pd.DataFrame]


def measure_curve(curve: Curve, draws: Draws, *, linear_up_to: float) -> Iterator[Measured]:
    """Yield ``nmse`` and ``eer`` at every level, how the EER rises, and its slopes.

    ``eer_rise``, at a level: EER minus the EER of the level before. ``eer_slope``: least-squares
    slope of the EER over the NMSE up to the level ``linear_up_to``, per interocular distance;
    ``probit_slope``: the same of the EER's normal deviate, on which a matcher's distance between
    genuine and impostor scores is linear. Nothing without genuine or without impostor comparisons.
    """
    if not measurable(curve.scores[0]):
        return
    errors = [rows.drop_duplicates("image_id") for rows in curve.scores]
    doses = [
        Measured(
            curve.subset,
            "nmse",
            float(rows["error"].mean()),
            len(rows),
            draws.nmse(rows),
            subjects=rows["subject_id"].nunique(),
            at=level,
        )
        for level, rows in zip(curve.levels, errors, strict=True)
    ]
    rates = [
        eer_of(curve.subset, rows, draws, at=level)
        for level, rows in zip(curve.levels, curve.scores, strict=True)
    ]
    yield from doses
    yield from rates
    for before, after in pairwise(rates):
        yield difference_of("eer_rise", after, before)
    low = np.asarray(curve.levels) <= linear_up_to
    dose = np.array([d.value for d in doses])[low]
    value = np.array([r.value for r in rates])[low]
    drawn = np.stack([r.replicates for r in rates], axis=-1)[:, low]
    n = int(curve.scores[0]["genuine"].sum())
    scaled = [(value, drawn), (probit(value, n), probit(drawn, n))]
    for metric, (point, spread) in zip(SLOPES, scaled, strict=True):
        at, replicates = float(slope(dose, point)), slope(dose, spread)
        yield replace(rates[0], metric=metric, value=at, replicates=replicates)


def measure_difference(
    subset: str, minuend: Sequence[Measured], subtrahend: Sequence[Measured]
) -> Iterator[Measured]:
    """Yield by how much the slopes of one curve are above those of another, on the same draws."""
    for metric in SLOPES:
        above, below = ([m for m in side if m.metric == metric] for side in (minuend, subtrahend))
        for first, second in zip(above, below, strict=False):  # none, where one has no rates
            yield replace(difference_of(f"{metric}_difference", first, second), subset=subset)
