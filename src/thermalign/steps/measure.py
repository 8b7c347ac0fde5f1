"""Measure one model on one fold: landmark errors and verification rates, with intervals."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thermalign import tables
from thermalign.evaluation.attributes import telling
from thermalign.evaluation.draws import Draws, comparisons_of, errors_of, subsets
from thermalign.evaluation.located import in_other_units, located, nmse_of
from thermalign.evaluation.measured import Measured, write_measured
from thermalign.evaluation.verified import verified
from thermalign.metrics import reach
from thermalign.provenance import stamp
from thermalign.records import points_of, read_fold
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES, BOXES, IMAGES
from thermalign.schemas.matching import SCORES
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.verification.readings import by_reading, marked


def run(
    *,
    images: Path,
    annotations: Path,
    boxes: Path,
    attributes: Path,
    folds: Path,
    predictions: Path,
    scores: Path,
    protocol: str,
    fold: int,
    model: str,
    headline: str,
    settings: dict[str, Any],
    metrics: Path,
    replicates: Path,
    code: str,
) -> None:
    """Write the METRICS of a model on a fold, and their REPLICATES.

    Curves have replicates for all images and for every range alone, and in the headline reading
    alone, which keeps the table small.

    Parameters
    ----------
    images, annotations, boxes, attributes : Path of the dataset's tables
    folds, predictions, scores : Path of the tables
    protocol, fold, model : wildcards
    headline : the reading of ``same_moment`` whose subsets have no mark
    settings : the ``evaluation:`` block
    metrics, replicates : Path
    code : str
    """
    known = read_fold(images, folds).query("role == 'test'")
    points = tables.read(annotations, ANNOTATIONS)
    found = tables.read(predictions, PREDICTIONS)
    found = found[found["image_id"].isin(known["image_id"])]
    errors = errors_of(found, points, known)
    comparisons = comparisons_of(tables.read(scores, SCORES), known)
    probes = comparisons if len(comparisons) else errors
    groups = telling(tables.read(attributes, ATTRIBUTES), probes["image_id"])
    draws = Draws.of_fold(known, tables.read(images, IMAGES), settings)
    measured = list(located(errors, draws, settings, attributes=groups))
    given = tables.read(boxes, BOXES)
    measured += in_other_units(errors, points, given, draws)
    if grid := json.loads(tables.read_metadata(predictions).get("grid", "{}")):
        measured += _best_cells(errors, points, given, grid, draws)
    thresholds = _thresholds(scores)
    for mark, rows in by_reading(comparisons, headline):
        rates = verified(
            rows, draws, settings, thresholds=thresholds, attributes=groups, headline=not mark
        )
        measured += [replace(rate, subset=marked(mark, rate.subset)) for rate in rates]
    key = {"protocol": protocol, "fold": fold, "model": model}
    write_measured(measured, key, stamp(code, settings), metrics=metrics, replicates=replicates)


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
        for name, rows in subsets(errors.assign(error=best.mean(axis=1))):
            yield nmse_of(name, "nmse_best_cell", rows, draws)


def _thresholds(scores: Path) -> dict[float, float]:
    """Return the scores that ``score`` wrote beside its table, by false match rate; often none.

    A threshold that training people could not set (null) is NaN.
    """
    stored = json.loads(tables.read_metadata(scores).get("thresholds", "{}"))
    return {
        float(rate): float("nan") if score is None else float(score)
        for rate, score in stored.items()
    }
