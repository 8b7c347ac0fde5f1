"""Measure one model on one fold: landmark errors and verification rates, with intervals."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thermalign import tables
from thermalign.geometry import LANDMARKS
from thermalign.metrics import landmarks, reach, verification
from thermalign.provenance import stamp
from thermalign.schemas.dataset import ANNOTATIONS, BOXES, IMAGES
from thermalign.schemas.matching import SCORES
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.steps._inputs import points_of, read_fold
from thermalign.steps._measured import Measured, write_measured
from thermalign.steps._measures import Draws, by_range, comparisons_of, errors_of, subsets
from thermalign.steps._rates import measurable

CMC_RANKS = (1, 2, 3, 5, 10, 20)
"""Ranks of the cumulative match characteristic, as far as so many are enrolled."""


def run(
    *,
    images: Path,
    annotations: Path,
    boxes: Path,
    folds: Path,
    predictions: Path,
    scores: Path,
    protocol: str,
    fold: int,
    model: str,
    settings: dict[str, Any],
    metrics: Path,
    replicates: Path,
    code: str,
) -> None:
    """Write the METRICS of a model on a fold, and their REPLICATES.

    Curves have replicates for all images and for every range alone, which keeps the table small.

    Parameters
    ----------
    images, annotations, boxes, folds, predictions, scores : Path of the tables
    protocol, fold, model : wildcards
    settings : the ``evaluation:`` block
    metrics, replicates : Path
    code : str
    """
    known = read_fold(images, folds).query("role == 'test'")
    found = tables.read(predictions, PREDICTIONS)
    found = found[found["image_id"].isin(known["image_id"])]
    annotated = tables.read(annotations, ANNOTATIONS)
    errors = errors_of(found, annotated, known)
    comparisons = comparisons_of(tables.read(scores, SCORES), known)
    draws = Draws.of_fold(known, tables.read(images, IMAGES), settings)
    measured = [*_landmarks(errors, draws, settings), *_scores(comparisons, draws, settings)]
    if grid := json.loads(tables.read_metadata(predictions).get("grid", "{}")):
        measured += _best_cells(errors, annotated, tables.read(boxes, BOXES), grid, draws)
    key = {"protocol": protocol, "fold": fold, "model": model}
    write_measured(measured, key, stamp(code, settings), metrics=metrics, replicates=replicates)


def _landmarks(errors: pd.DataFrame, draws: Draws, settings: dict[str, Any]) -> Iterator[Measured]:
    grid = settings["ced_thresholds"]
    thresholds = np.linspace(0, grid["stop"], grid["count"])
    for name, rows in subsets(errors) if len(errors) else ():
        each, subject, n = rows["error"].to_numpy(), rows["subject_id"], len(rows)
        lost = draws.ratio(np.isnan(each).astype(float), np.ones(n), subject)
        value = landmarks.failure_rate(each)
        yield Measured(name, "failure_rate", value, n, lost, subject.nunique())
        for at, share in zip(thresholds, landmarks.ced(each, thresholds), strict=True):
            yield Measured(name, "ced", float(share), n, at=float(at))
        if np.isfinite(each).any():
            yield _nmse(name, rows, draws)
            yield Measured(name, "nmse_sd", landmarks.nmse_sd(each), n)
    for landmark in LANDMARKS if errors["error"].notna().any() else ():
        yield _nmse(f"landmark={landmark}", errors.assign(error=errors[landmark]), draws)


def _nmse(name: str, rows: pd.DataFrame, draws: Draws) -> Measured:
    value = landmarks.nmse(rows["error"].to_numpy())
    found = rows[rows["error"].notna()]
    return Measured(name, "nmse", value, len(rows), draws.nmse(rows), found["subject_id"].nunique())


def _best_cells(
    errors: pd.DataFrame,
    annotated: pd.DataFrame,
    boxes: pd.DataFrame,
    grid: dict[str, int],
    draws: Draws,
) -> Iterator[Measured]:
    """Yield the NMSE that the best cells of a detector's grid would give: its reach."""
    ids = list(errors["image_id"])
    if ids:
        where = boxes.set_index("image_id").loc[ids, ["x", "y", "width", "height"]]
        best = reach.best_cell_errors(points_of(annotated, ids), where.to_numpy(np.float64), **grid)
        for name, rows in by_range(errors.assign(error=best.mean(axis=1))):
            yield replace(_nmse(name, rows, draws), metric="nmse_best_cell")


def _scores(
    comparisons: pd.DataFrame, draws: Draws, settings: dict[str, Any]
) -> Iterator[Measured]:
    with_curves = {name for name, _ in by_range(comparisons)}
    for name, rows in subsets(comparisons) if len(comparisons) else ():
        if measurable(rows):
            yield from _verification(name, rows, draws, settings, curves=name in with_curves)
            yield from _identification(name, rows, draws, curves=name in with_curves)


def _verification(
    name: str, rows: pd.DataFrame, draws: Draws, settings: dict[str, Any], *, curves: bool
) -> Iterator[Measured]:
    """Yield equal error rate, true accept rates and the ROC of a subset."""
    score, genuine, n = rows["score"].to_numpy(), rows["genuine"].to_numpy(), len(rows)
    people, impostors = rows["subject_id"].nunique(), int(np.count_nonzero(~genuine))
    grid, fars = settings["false_match_rates"], np.array(settings["tar_at_far"])
    at = np.geomspace(grid["start"], 1, grid["count"])
    errors, accepted = draws.rates(rows, np.append(fars, at if curves else []))
    yield Measured(name, "eer", verification.eer(score, genuine), n, errors, people)
    for k, far in enumerate(fars):
        value = verification.tar_at_far(score, genuine, far)
        drawn = accepted[:, k] if np.isfinite(value) else np.empty(0)
        yield Measured(name, "tar_at_far", value, n, drawn, people, far)
        needed = verification.impostors_needed(far)
        yield Measured(name, "impostors_needed", needed, impostors, at=far)
    for k, value in enumerate(verification.roc(score, genuine, at)):
        drawn = accepted[:, len(fars) + k] if curves else np.empty(0)
        yield Measured(name, "roc", float(value), n, drawn, people, at[k])


def _identification(
    name: str, rows: pd.DataFrame, draws: Draws, *, curves: bool
) -> Iterator[Measured]:
    """Yield rank 1 and the cumulative match characteristic of a subset."""
    wide = rows.pivot(index="probe_id", columns="gallery_id", values=["score", "genuine"])
    matrices = wide["score"].to_numpy(np.float64), wide["genuine"].to_numpy(bool)
    own = verification.own_ranks(*matrices)
    subject = rows.groupby("probe_id")["subject_id"].first().loc[wide.index]
    subject, own = subject[~np.isnan(own)], own[~np.isnan(own)]
    enrolled = rows["gallery_id"].nunique()
    ranks = [1, *(rank for rank in CMC_RANKS if curves and rank <= enrolled)]
    values = verification.cmc(*matrices, np.array(ranks))
    for k, (rank, value) in enumerate(zip(ranks, values, strict=True)):
        hits = draws.ratio((own <= rank).astype(float), np.ones(len(own)), subject)
        metric, at = ("cmc", float(rank)) if k else ("rank1", 0.0)
        yield Measured(name, metric, float(value), len(own), hits, subject.nunique(), at)
