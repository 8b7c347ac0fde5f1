"""Error rates of SCORES as Measured, and paired differences between conditions."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from thermalign.evaluation.draws import Draws, by_range
from thermalign.evaluation.measured import Measured
from thermalign.metrics import verification
from thermalign.metrics.intervals import DIFFERENCE, RATE
from thermalign.schemas.keys import Subset


def measurable(comparisons: pd.DataFrame) -> bool:
    """Say whether there are genuine and impostor comparisons."""
    return bool(comparisons["genuine"].any() and not comparisons["genuine"].all())


def people_of(comparisons: pd.DataFrame) -> int:
    """Return how many people an interval of a rate rests on; it takes two.

    Those with genuine comparisons, who are probe and enrolled at once; but 1 at most where there
    are but two people, for every draw of both is the same.
    """
    people = comparisons.loc[comparisons["genuine"], "subject_id"].nunique()
    everybody = pd.concat([comparisons["subject_id"], comparisons["gallery_id"]]).nunique()
    return int(people if everybody > 2 else min(people, 1))


def eer_of(subset: Subset, comparisons: pd.DataFrame, draws: Draws, *, at: float = 0.0) -> Measured:
    """Return the EER of rows of :func:`thermalign.evaluation.draws.comparisons_of`."""
    return Measured(
        subset,
        "eer",
        verification.eer(comparisons["score"].to_numpy(), comparisons["genuine"].to_numpy()),
        len(comparisons),
        draws.eer(comparisons),
        subjects=people_of(comparisons),
        at=at,
        scale=RATE,
    )


def eers_by_range(
    subset: Subset, comparisons: pd.DataFrame, draws: Draws
) -> Iterator[tuple[Subset, Measured]]:
    """Yield the EER of all comparisons and of each range that has one, by part of the subset.

    The part is ``ALL``, measured as ``subset`` itself, or a range, measured as the subset's.
    """
    for part, rows in by_range(comparisons):
        if measurable(rows):
            yield part, eer_of(subset._replace(range=part.range or subset.range), rows, draws)


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
        scale=DIFFERENCE,
    )
