"""What became of a detector under variants of the test condition, as Measured."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from thermalign.evaluation.draws import Draws, by_range, errors_of
from thermalign.evaluation.landmarks import failure_rate, nmse
from thermalign.evaluation.measured import NONE, Measured
from thermalign.evaluation.stated import Stated, of_part, stated_of
from thermalign.metrics.intervals import POSITIVE
from thermalign.schemas.keys import UNDISTURBED, VARIANT, Subset

NAN = float("nan")


def evaluate(
    predictions: Mapping[str, pd.DataFrame],
    annotations: Mapping[str, pd.DataFrame],
    images: pd.DataFrame,
    draws: Draws,
    *,
    constant: Mapping[str, Any],
) -> Iterator[Measured]:
    """Yield what became of a model under every variant, all ranges together and each.

    ``failure_rate``: share of images in which no face was found (failure to acquire). ``nmse``: of
    the images in which one was, NaN without any; they alone count in its ``n``. ``nmse_ratio``:
    that NMSE over the one of the *same images* undisturbed, so that images that were easy to find
    do not flatter it. And how far what the model states of its errors holds: see
    :func:`thermalign.evaluation.stated.of_part`.

    Parameters
    ----------
    predictions, annotations : PREDICTIONS and ANNOTATIONS of the test images by variant
    images : DataFrame of IMAGES, those that are tested
    draws : Draws
        The same for all variants and models: differences and ratios are paired by subject.
    constant : as for :func:`thermalign.evaluation.stated.stated_of`
    """
    both = {name: (found, annotations[name], images) for name, found in predictions.items()}
    errors = {name: errors_of(*its) for name, its in both.items()}
    yield from compare(errors, lambda variant: stated_of(*both[variant], constant), draws)


def compare(
    errors: Mapping[str, pd.DataFrame], stated: Callable[[str], Stated], draws: Draws
) -> Iterator[Measured]:
    """Yield what :func:`evaluate` does, of errors and of what is stated of them, by variant."""
    before = errors[UNDISTURBED].set_index("image_id")["error"]
    for variant, table in errors.items():
        compared = table.assign(before=before.reindex(table["image_id"]).to_numpy())
        for part, rows in by_range(compared):
            subset = part._replace(experiment=VARIANT, setting=variant)
            yield failure_rate(subset, rows, draws)
            yield nmse(subset, rows[rows["error"].notna()], draws)
            if variant != UNDISTURBED:
                yield error_ratio(subset, rows, draws)
        its = stated(variant)
        for part, rows in by_range(its.images) if len(its) else ():
            subset = part._replace(experiment=VARIANT, setting=variant)
            yield from of_part(subset, its.take(rows.index.to_numpy()), draws)


def error_ratio(subset: Subset, rows: pd.DataFrame, draws: Draws) -> Measured:
    """Return ``nmse_ratio``: the sum of ``error`` over that of ``before``, where both are known.

    NaN where no face was found both times, or every error was 0 before.
    """
    both = rows[rows[["error", "before"]].notna().all(axis=1)]
    after, before = both["error"].to_numpy(), both["before"].to_numpy()
    value = after.sum() / before.sum() if before.sum() > 0 else NAN
    drawn = draws.ratio(after, before, both["subject_id"]) if len(both) else NONE
    people = both["subject_id"].nunique()
    return Measured(subset, "nmse_ratio", value, len(both), drawn, people, scale=POSITIVE)
