"""How well a detector finds faces in whole images, as Measured."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from thermalign.evaluation.draws import KNOWN, Draws, by_range
from thermalign.evaluation.measured import Measured
from thermalign.geometry import Floats, Integers
from thermalign.metrics import detection
from thermalign.metrics.intervals import POSITIVE, RATE


def count_detections(
    images: pd.DataFrame, index: Integers, found: Floats, given: Floats
) -> pd.DataFrame:
    """Return the images with how many detections each has, ``detections``, and ``true`` ones.

    Parameters
    ----------
    images : N rows of IMAGES
    index : (D,) int
        The image of each detection, by falling score within an image.
    found : (D, 4) float, pixels, (x, y, width, height)
    given : (N, 4) float, pixels

    Returns
    -------
    DataFrame
        The columns ``KNOWN``, ``detections`` and ``true``, N rows.
    """
    true = index[detection.true_detections(index, found, given)]
    return images[KNOWN].assign(
        detections=np.bincount(index, minlength=len(images)),
        true=np.bincount(true, minlength=len(images)),
    )


def evaluate(counts: pd.DataFrame, draws: Draws) -> Iterator[Measured]:
    """Yield what the detections of a model are worth, all ranges together and each.

    ``detection_recall``: share of images whose face was found. ``detection_precision``: share of
    detections that are true, NaN without any. ``without_detection``: share of images in which
    nothing was detected. ``false_alarms``: false detections an image.

    Parameters
    ----------
    counts : DataFrame of :func:`count_detections`
    draws : Draws
    """
    for subset, rows in by_range(counts):
        true, every = rows["true"].to_numpy(), rows["detections"].to_numpy()
        ones, none = np.ones(len(rows)), (every == 0).astype(float)
        people = rows["subject_id"].nunique()
        for metric, value, over, under, scale in (
            ("detection_recall", detection.recall(true), true, ones, RATE),
            ("detection_precision", detection.precision(true, every), true, every, RATE),
            ("without_detection", detection.without_detection(every), none, ones, RATE),
            ("false_alarms", detection.false_alarms(true, every), every - true, ones, POSITIVE),
        ):
            drawn = draws.ratio(over, under, rows["subject_id"])
            yield Measured(subset, metric, value, int(under.sum()), drawn, people, scale=scale)
