"""Error rates of SCORES as Measured, and paired differences between conditions."""

import numpy as np
import pandas as pd

from thermalign.metrics import verification
from thermalign.steps._measured import Measured
from thermalign.steps._measures import Draws


def measurable(comparisons: pd.DataFrame) -> bool:
    """Say whether there are genuine and impostor comparisons."""
    return bool(comparisons["genuine"].any() and not comparisons["genuine"].all())


def eer_of(subset: str, comparisons: pd.DataFrame, draws: Draws, *, at: float = 0.0) -> Measured:
    """Return the EER of rows of :func:`thermalign.steps._measures.comparisons_of`."""
    return Measured(
        subset,
        "eer",
        verification.eer(comparisons["score"].to_numpy(), comparisons["genuine"].to_numpy()),
        len(comparisons),
        draws.eer(comparisons),
        subjects=comparisons["subject_id"].nunique(),
        at=at,
    )


def difference_of(metric: str, minuend: Measured, subtrahend: Measured) -> Measured:
    """Return the difference of two figures of the same draws, under the minuend's subset."""
    return Measured(
        minuend.subset,
        metric,
        minuend.value - subtrahend.value,
        min(minuend.n, subtrahend.n),
        np.asarray(minuend.replicates - subtrahend.replicates),
        subjects=min(minuend.subjects, subtrahend.subjects),
        at=minuend.at,
    )
