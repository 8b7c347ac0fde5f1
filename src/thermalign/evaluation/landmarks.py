"""Landmark errors of a model on a fold: every figure of them, and which ones a detector gets."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from thermalign.evaluation import further
from thermalign.evaluation.draws import Draws, by_attribute, by_range, subsets
from thermalign.evaluation.measured import Measured
from thermalign.evaluation.settings import Settings
from thermalign.geometry import LANDMARKS, Floats
from thermalign.metrics import landmarks, reach
from thermalign.metrics.intervals import POSITIVE, RATE
from thermalign.records import BOX, points_of
from thermalign.schemas.keys import Subset

LIMITS = (0.08, 0.1)
"""Interocular distances up to which the CED is summed up, and from which an image is a failure."""

NAN = float("nan")


def evaluate(
    errors: pd.DataFrame,
    draws: Draws,
    settings: Settings,
    *,
    annotations: pd.DataFrame,
    boxes: pd.DataFrame,
    attributes: pd.DataFrame,
    grid: Mapping[str, int],
) -> Iterator[Measured]:
    """Yield what a detector's errors show.

    By subset: failure rate, CED and its summaries, NMSE and its deviation; the NMSE by landmark, in
    other units than the interocular distance, and of the best cells of the detector's grid; failure
    rate and NMSE by attribute; what ``settings.metrics`` names, by range.

    Parameters
    ----------
    errors : DataFrame of :func:`thermalign.evaluation.draws.errors_of`
        Without any (the annotated points themselves), nothing is yielded.
    draws : Draws
    settings : Settings
    annotations, boxes : DataFrame of ANNOTATIONS, BOXES
        Of the images of ``errors``, at least.
    attributes : DataFrame of :func:`thermalign.evaluation.draws.telling`
    grid : patch, stride and margin of a detector that answers in cells; empty for others

    Raises
    ------
    ValueError
        If an annotated image has no box.
    """
    if errors.empty:
        return
    thresholds = np.linspace(0, settings.ced_thresholds.stop, settings.ced_thresholds.count)
    for subset, rows in subsets(errors):
        yield failure_rate(subset, rows, draws)
        yield from _distribution(subset, rows, draws, thresholds)
        yield nmse(subset, rows, draws)
        yield _deviation(subset, rows)
    for subset, rows in by_range(errors):
        yield from further.of_errors(settings.metrics, subset, rows, draws)
    for landmark in LANDMARKS:
        theirs = errors.assign(error=errors[landmark])
        yield nmse(Subset(landmark=landmark), theirs, draws)
    for subset, rows in by_attribute(errors, attributes):
        yield failure_rate(subset, rows, draws)
        yield nmse(subset, rows, draws)
    points = points_of(annotations, list(errors["image_id"]))
    placed = _boxes(errors, boxes)
    for metric, unit in _units(points, placed).items():
        each = landmarks.renormalized(errors["error"].to_numpy(), points, unit)
        for subset, rows in by_range(errors.assign(error=each)):
            yield nmse(subset, rows, draws, metric=metric)
    if grid:
        best = reach.best_cell_errors(points, placed, **grid).mean(axis=1)
        for subset, rows in subsets(errors.assign(error=best)):
            yield nmse(subset, rows, draws, metric="nmse_best_cell")


def nmse(subset: Subset, rows: pd.DataFrame, draws: Draws, *, metric: str = "nmse") -> Measured:
    """Return the mean of the column ``error`` over found faces; NaN where none was found.

    Parameters
    ----------
    subset : Subset
    rows : DataFrame with ``error`` and ``subject_id``
        NaN where no face was found. Every row counts in ``n``: where that is to be the number of
        found faces, give their rows alone.
    draws : Draws
    metric : name of the figure, after the unit of the error
    """
    found = rows[rows["error"].notna()]
    if found.empty:
        return Measured(subset, metric, NAN, len(rows), scale=POSITIVE)
    value, people = landmarks.nmse(rows["error"].to_numpy()), found["subject_id"].nunique()
    return Measured(subset, metric, value, len(rows), draws.nmse(rows), people, scale=POSITIVE)


def failure_rate(subset: Subset, rows: pd.DataFrame, draws: Draws) -> Measured:
    """Return the share of rows whose ``error`` is NaN: in which no face was found."""
    each = rows["error"].to_numpy()
    value, drawn = landmarks.failure_rate(each), _drawn(np.isnan(each), rows, draws)
    return Measured(subset, "failure_rate", value, len(rows), *drawn, scale=RATE)


def failure_at(subset: Subset, rows: pd.DataFrame, draws: Draws, at: float) -> Measured:
    """Return the share of rows whose ``error`` is ``at`` or more, or NaN: no face was found."""
    each = rows["error"].to_numpy()
    value, drawn = landmarks.failure_at(each, at), _drawn(~(each < at), rows, draws)
    return Measured(subset, "failure_at", value, len(rows), *drawn, at, RATE)


def _deviation(subset: Subset, rows: pd.DataFrame) -> Measured:
    each = rows["error"].to_numpy()
    value = landmarks.nmse_sd(each) if np.isfinite(each).any() else NAN
    return Measured(subset, "nmse_sd", value, len(rows))


def _distribution(
    subset: Subset, rows: pd.DataFrame, draws: Draws, thresholds: Floats
) -> Iterator[Measured]:
    """Yield the CED, the area under it and the failures at ``LIMITS``."""
    each, n = rows["error"].to_numpy(), len(rows)
    for at, share in zip(thresholds, landmarks.ced(each, thresholds), strict=True):
        yield Measured(subset, "ced", float(share), n, at=float(at))
    for at in LIMITS:
        area, drawn = (
            landmarks.ced_auc(each, at),
            _drawn(landmarks.ced_shares(each, at), rows, draws),
        )
        yield Measured(subset, "ced_auc", area, n, *drawn, at, RATE)
        yield failure_at(subset, rows, draws, at)


def _drawn(each: Any, rows: pd.DataFrame, draws: Draws) -> tuple[Floats, int]:
    """Return the replicates of a mean over images, of what each (N,) adds to it, and the people."""
    replicates = draws.ratio(each.astype(float), np.ones(len(rows)), rows["subject_id"])
    return replicates, rows["subject_id"].nunique()


def _boxes(errors: pd.DataFrame, boxes: pd.DataFrame) -> Floats:
    """Return the box of each image (N, 4), pixels, (x, y, width, height)."""
    placed = boxes.set_index("image_id")[BOX].reindex(errors["image_id"])
    missing = errors["image_id"].to_numpy()[placed.isna().any(axis=1).to_numpy()]
    if len(missing):
        raise ValueError(f"image {missing[0]} has no face box; run ingest anew")
    return placed.to_numpy(np.float64)


def _units(points: Floats, placed: Floats) -> dict[str, Floats]:
    """Return other units of the error (N,), pixels, by the metric in which it is told."""
    width, height = placed[:, 2], placed[:, 3]
    return {
        "nmse_box_diagonal": landmarks.box_diagonal(width, height),
        "nmse_box_size": landmarks.box_size(width, height),
        "nmse_eye_mouth": landmarks.eye_mouth_distance(points),
    }
