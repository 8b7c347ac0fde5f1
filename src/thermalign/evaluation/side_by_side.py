"""Protocols that differ in nothing but their matcher: what one has above the other, paired."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from thermalign.evaluation.displacement import SLOPES
from thermalign.evaluation.over_folds import Key, Replicates
from thermalign.schemas.keys import ALL, ANNOTATED, DISPLACEMENT, KEY, SUBSET, Subset

ABOVE = "_above_first"
"""What stands behind the name of a metric."""

METRICS = {"": ("eer", "rank1", "tar_at_far"), DISPLACEMENT: SLOPES}
"""Metrics that are compared, by experiment."""


def above_first(
    summary: pd.DataFrame, replicates: Mapping[Key, Replicates], firsts: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Yield rows of SUMMARY: figures of a protocol's matcher minus those of the first one.

    Of probes aligned by annotated points, all ranges together and each, in every reading of
    ``same_moment``: ``eer_above_first`` and so on, and the slopes of displaced probes. Both
    protocols test the same people, and draws are the same, so that differences are paired.

    Parameters
    ----------
    summary : DataFrame of SUMMARY
    replicates : of the same metrics
    firsts : by protocol the first one that differs from it in nothing but the matcher; protocols
        without another are not in it
    """
    points = summary.set_index([*KEY])
    for key, own in replicates.items():
        dataset, protocol, model, *rest = key
        first = firsts.get(protocol, protocol)
        subset, metric = Subset(*rest[: len(SUBSET)]), rest[len(SUBSET)]
        other = (dataset, first, model, *rest)
        if first == protocol or model != ANNOTATED or other not in replicates:
            continue
        if metric not in METRICS.get(subset.experiment, ()) or not _whole(subset):
            continue
        row = points.loc[key]
        value = float(row["value"] - points.at[other, "value"])
        low, high = own.minus(replicates[other]).interval(value)
        yield {
            **dict(zip(KEY, key, strict=True)),
            "metric": f"{metric}{ABOVE}",
            "value": value,
            "low": low,
            "high": high,
            "fold_sd": float("nan"),
            "n": row["n"],
            "n_folds": row["n_folds"],
        }


def _whole(subset: Subset) -> bool:
    """Say whether a subset is all images, or a range, in some reading or displaced."""
    said = {"experiment": "", "setting": "", "same_moment": "", "range": "", "modality": ""}
    return subset._replace(**said) == ALL
