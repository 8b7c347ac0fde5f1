"""Measure one model on one fold: landmark errors and verification rates, with intervals."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thermalign import tables
from thermalign.geometry import LANDMARKS, Floats
from thermalign.metrics import landmarks, verification
from thermalign.metrics.bootstrap import interval
from thermalign.provenance import stamp
from thermalign.schemas.dataset import ANNOTATIONS
from thermalign.schemas.matching import SCORES
from thermalign.schemas.measures import METRICS
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.steps._inputs import read_fold
from thermalign.steps._measures import Draws, comparisons_of, errors_of, subsets

Row = tuple[str, str, float, float, float, float, int]  # subset, metric, at, value, low, high, n
NAN = float("nan")


def run(
    *,
    images: Path,
    annotations: Path,
    folds: Path,
    predictions: Path,
    scores: Path,
    protocol: str,
    fold: int,
    model: str,
    settings: dict[str, Any],
    metrics: Path,
    code: str,
) -> None:
    """Write the METRICS of a model on a fold.

    Parameters
    ----------
    images, annotations, folds, predictions, scores : Path of the tables
    protocol, fold, model : wildcards
    settings : the ``evaluation:`` block
    metrics : Path
    code : str
    """
    known = read_fold(images, folds).query("role == 'test'")
    found = tables.read(predictions, PREDICTIONS)
    found = found[found["image_id"].isin(known["image_id"])]
    errors = errors_of(found, tables.read(annotations, ANNOTATIONS), known)
    comparisons = comparisons_of(tables.read(scores, SCORES), known)
    draws = Draws.of_fold(known, fold, settings)
    rows = [*_landmark_rows(errors, draws, settings), *_score_rows(comparisons, draws, settings)]
    columns = ["subset", "metric", "at", "value", "low", "high", "n"]
    table = pd.DataFrame(rows, columns=columns).assign(protocol=protocol, fold=fold, model=model)
    tables.write(metrics, table, METRICS, stamp(code, settings))


def _landmark_rows(errors: pd.DataFrame, draws: Draws, settings: dict[str, Any]) -> Iterator[Row]:
    thresholds = np.linspace(
        0, settings["ced_thresholds"]["stop"], settings["ced_thresholds"]["count"]
    )
    for name, rows in subsets(errors) if len(errors) else ():
        each = rows["error"].to_numpy()
        n = len(rows)
        yield name, "failure_rate", 0, landmarks.failure_rate(each), NAN, NAN, n
        yield from _curve(name, "ced", thresholds, landmarks.ced(each, thresholds), n)
        if np.isfinite(each).any():
            low, high = interval(draws.nmse(rows))
            yield name, "nmse", 0, landmarks.nmse(each), low, high, n
            yield name, "nmse_sd", 0, landmarks.nmse_sd(each), NAN, NAN, n
    for landmark in LANDMARKS if errors["error"].notna().any() else ():
        value = landmarks.nmse(errors[landmark].to_numpy())
        low, high = interval(draws.nmse(errors.assign(error=errors[landmark])))
        yield f"landmark={landmark}", "nmse", 0, value, low, high, len(errors)


def _score_rows(comparisons: pd.DataFrame, draws: Draws, settings: dict[str, Any]) -> Iterator[Row]:
    grid = settings["false_match_rates"]
    at = np.geomspace(grid["start"], 1, grid["count"])
    for name, rows in subsets(comparisons) if len(comparisons) else ():
        score, genuine, n = rows["score"].to_numpy(), rows["genuine"].to_numpy(), len(rows)
        if not genuine.any() or genuine.all():
            continue
        low, high = interval(draws.eer(rows))
        yield name, "eer", 0, verification.eer(score, genuine), low, high, n
        yield from _curve(name, "roc", at, verification.roc(score, genuine, at), n)
        for far in settings["tar_at_far"]:
            value = verification.tar_at_far(score, genuine, far)
            yield name, "tar_at_far", far, value, NAN, NAN, n
        probes = rows.pivot(index="probe_id", columns="gallery_id", values=["score", "genuine"])
        matrices = probes["score"].to_numpy(np.float64), probes["genuine"].to_numpy(bool)
        yield name, "rank1", 0, verification.rank1(*matrices), NAN, NAN, len(probes)


def _curve(name: str, metric: str, at: Floats, values: Floats, n: int) -> Iterator[Row]:
    for abscissa, value in zip(at, values, strict=True):
        yield name, metric, float(abscissa), float(value), NAN, NAN, n
