"""Equal error rates of the scores of all folds thrown together, beside the mean over folds."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from thermalign.evaluation.draws import by_range, comparisons_of
from thermalign.metrics.verification import eer, z_normalised

NAN = float("nan")


def pooled(scores: pd.DataFrame, images: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield rows of SUMMARY: ``eer_pooled`` and ``eer_pooled_z``, of all images and each range.

    Scores of different folds come from different classifiers and share no scale. ``eer_pooled``
    takes them as if they did; ``eer_pooled_z`` puts them on one first, by the impostor scores of
    every gallery subject within its fold. Neither has an interval.

    Parameters
    ----------
    scores : DataFrame of SCORES
        One model on all folds of one protocol.
    images : DataFrame of IMAGES
    """
    comparisons = comparisons_of(scores, images)
    for subset, rows in by_range(comparisons) if len(comparisons) else ():
        score, genuine = rows["score"].to_numpy(), rows["genuine"].to_numpy()
        if not genuine.any() or genuine.all():
            continue
        classifier = rows.groupby(["fold", "gallery_id"]).ngroup().to_numpy()
        normal = z_normalised(score, genuine, classifier)
        shared = {"subset": subset, "at": 0.0, "low": NAN, "high": NAN, "fold_sd": NAN}
        shared |= {"n": len(rows), "n_folds": rows["fold"].nunique()}
        yield {**shared, "metric": "eer_pooled", "value": eer(score, genuine)}
        known = not np.isnan(normal).any()
        value = eer(normal, genuine) if known else NAN
        yield {**shared, "metric": "eer_pooled_z", "value": value}
