"""Where detectors lie on the dose-response curve: their EER, and the one their NMSE predicts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from thermalign.evaluation.displacement import Settings
from thermalign.evaluation.over_folds import Key, Replicates
from thermalign.evaluation.paired import beside, mean_of
from thermalign.evaluation.study import EER, NMSE, Fold, Place
from thermalign.geometry import Floats
from thermalign.metrics.dose import predicted
from thermalign.schemas.keys import ANNOTATED, DISPLACEMENT, KEY, PLACEMENT, Subset


def placements(
    summary: pd.DataFrame, replicates: Mapping[Key, Replicates], displacements: Settings
) -> Iterator[dict[str, Any]]:
    """Yield rows of SUMMARY that place every model on the curve of every kind of displacement.

    As experiment PLACEMENT, setting KIND, of the range of the displacements and over all folds:
    ``nmse`` and ``eer`` of the model; ``eer_predicted``, the EER of points displaced to the same
    NMSE, linearly between levels and NaN beyond the last; ``eer_excess``, the EER minus the
    predicted one. Every draw reads its own curve, so that intervals hold the uncertainty of both.

    Parameters
    ----------
    summary : DataFrame of SUMMARY
        Metrics over folds, those of ``displace`` among them.
    replicates : of the same metrics
    displacements : Settings
    """
    points = summary.set_index([*KEY])
    own = Subset(range=str(displacements.range))
    for (dataset, protocol), models in summary.groupby(["dataset", "protocol"])["model"].unique().items():
        for kind in displacements.kinds:
            asked = own._replace(experiment=DISPLACEMENT, setting=kind)
            study = dataset, protocol
            curve = Curve.of(points, replicates, (*study, ANNOTATED), asked)
            for model in models:
                keys = [(*study, model, *own, metric, 0.0) for metric in (NMSE, EER)]
                if curve and model != ANNOTATED and all(key in replicates for key in keys):
                    yield from _place(points, replicates, keys, curve, kind)
