"""Landmark errors of a fold, as Measured."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from thermalign.evaluation.attributes import by_attribute
from thermalign.evaluation.draws import Draws, by_range, subsets
from thermalign.evaluation.measured import Measured
from thermalign.geometry import LANDMARKS, Floats
from thermalign.metrics import landmarks
from thermalign.records import points_of

LIMITS = (0.08, 0.1)
"""Interocular distances up to which the CED is summed up, and from which an image is a failure."""


NAN = float("nan")


def located(
    errors: pd.DataFrame, draws: Draws, settings: Mapping[str, Any], *, attributes: pd.DataFrame
) -> Iterator[Measured]:
    """Yield failure rate, CED and its summaries, NMSE and its deviation, by subset and landmark.

    Parameters
    ----------
    errors : DataFrame of :func:`thermalign.evaluation.draws.errors_of`
        Without any (the annotated points themselves), nothing is yielded.
    draws : Draws
    settings : the ``evaluation:`` block
    attributes : DataFrame of :func:`thermalign.evaluation.attributes.telling`
    """
    if errors.empty:
        return
    grid = settings["ced_thresholds"]
    thresholds = np.linspace(0, grid["stop"], grid["count"])
    for name, rows in subsets(errors):
        yield _failure_rate(name, rows, draws)
        yield from _distribution(name, rows, draws, thresholds)
        yield nmse_of(name, "nmse", rows, draws)
        each = rows["error"].to_numpy()
        deviation = landmarks.nmse_sd(each) if np.isfinite(each).any() else NAN
        yield Measured(name, "nmse_sd", deviation, len(rows))
    for landmark in LANDMARKS:
        theirs = errors.assign(error=errors[landmark])
        yield nmse_of(f"landmark={landmark}", "nmse", theirs, draws)
    for name, rows in by_attribute(errors, attributes):
        yield _failure_rate(name, rows, draws)
        yield nmse_of(name, "nmse", rows, draws)


def in_other_units(
    errors: pd.DataFrame, annotations: pd.DataFrame, boxes: pd.DataFrame, draws: Draws
) -> Iterator[Measured]:
    """Yield the NMSE in other units than the interocular distance, of all images and each range.

    Parameters
    ----------
    errors : DataFrame of :func:`thermalign.evaluation.draws.errors_of`
    annotations : DataFrame of ANNOTATIONS
    boxes : DataFrame of BOXES
    draws : Draws

    Raises
    ------
    ValueError
        If an annotated image has no box.
    """
    if errors.empty:
        return
    points = points_of(annotations, list(errors["image_id"]))
    sizes = boxes.set_index("image_id")[["width", "height"]].reindex(errors["image_id"])
    missing = errors["image_id"].to_numpy()[sizes.isna().any(axis=1).to_numpy()]
    if len(missing):
        raise ValueError(f"image {missing[0]} has no face box; run ingest anew")
    width, height = sizes.to_numpy(np.float64).T
    units: dict[str, Floats] = {
        "nmse_box_diagonal": landmarks.box_diagonal(width, height),
        "nmse_box_size": landmarks.box_size(width, height),
        "nmse_eye_mouth": landmarks.eye_mouth_distance(points),
    }
    for metric, unit in units.items():
        each = landmarks.renormalized(errors["error"].to_numpy(), points, unit)
        for name, rows in by_range(errors.assign(error=each)):
            yield nmse_of(name, metric, rows, draws)


def nmse_of(name: str, metric: str, rows: pd.DataFrame, draws: Draws) -> Measured:
    """Return the mean of the column ``error`` over found faces; NaN where none was found."""
    found = rows[rows["error"].notna()]
    if found.empty:
        return Measured(name, metric, NAN, len(rows))
    value, people = landmarks.nmse(rows["error"].to_numpy()), found["subject_id"].nunique()
    return Measured(name, metric, value, len(rows), draws.nmse(rows), people)


def _failure_rate(name: str, rows: pd.DataFrame, draws: Draws) -> Measured:
    each = rows["error"].to_numpy()
    made = Measured(name, "failure_rate", landmarks.failure_rate(each), len(rows))
    return _drawn(made, np.isnan(each), rows, draws)


def _distribution(
    name: str, rows: pd.DataFrame, draws: Draws, thresholds: Floats
) -> Iterator[Measured]:
    """Yield the CED, the area under it and the failures at ``LIMITS``."""
    each, n = rows["error"].to_numpy(), len(rows)
    for at, share in zip(thresholds, landmarks.ced(each, thresholds), strict=True):
        yield Measured(name, "ced", float(share), n, at=float(at))
    for at in LIMITS:
        area = Measured(name, "ced_auc", landmarks.ced_auc(each, at), n, at=at)
        yield _drawn(area, landmarks.ced_shares(each, at), rows, draws)
        failed = Measured(name, "failure_at", landmarks.failure_at(each, at), n, at=at)
        yield _drawn(failed, ~(each < at), rows, draws)


def _drawn(mean: Measured, each: Any, rows: pd.DataFrame, draws: Draws) -> Measured:
    """Return a mean over images with its replicates, from what each image (N,) adds to it."""
    replicates = draws.ratio(each.astype(float), np.ones(len(rows)), rows["subject_id"])
    return replace(mean, replicates=replicates, subjects=rows["subject_id"].nunique())
