"""Take the landmarks of another dataset's images from a file, and measure them there."""

import json
from pathlib import Path
from typing import Any

from thermalign import tables
from thermalign.evaluation import across
from thermalign.evaluation.settings import Settings
from thermalign.exchange.points import points_for, read_points
from thermalign.provenance import stamp
from thermalign.records import rows_of_points
from thermalign.schemas.dataset import ANNOTATIONS
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.settings import parse
from thermalign.steps.job import Job


def run(
    *,
    images: Path,
    annotations: Path,
    admitted: Path,
    source: Path,
    dataset: str,
    protocol: str,
    fold: int,
    model: str,
    other: str,
    visited: str,
    modality: str,
    landmarks: list[str],
    content: str,
    evaluation: dict[str, Any],
    predictions: Path,
    metrics: Path,
    replicates: Path,
    code: str,
) -> None:
    """Write the PREDICTIONS of a file of points on another dataset, and their METRICS.

    Parameters
    ----------
    images, annotations : Path of the other dataset's tables
    admitted : Path of FOLDS: who of it is tested
    source : Path of the file: see :mod:`thermalign.exchange.points`
    dataset : the protocol's
    protocol, fold, model, other : wildcards
    visited : name of the other dataset
    modality, landmarks : as in :func:`thermalign.steps.predict_across.run`
    content : digest of the file when the jobs were planned
    evaluation : the part of the ``evaluation:`` block that draws people
    predictions, metrics, replicates : Path of PREDICTIONS, METRICS, REPLICATES
    code : str
    """
    job = Job.read(images, admitted, dataset=dataset, protocol=protocol, fold=fold, model=model)
    test = job.test.query("modality == @modality").reset_index(drop=True)
    where = f"evaluate_on.{other}"
    compared = across.comparable(
        tables.read(annotations, ANNOTATIONS), test, landmarks, where=where
    )
    points, ids = read_points(source), list(test["image_id"])
    whose = f"images of {where} that {protocol}, fold {fold} tests"
    located = points_for(points, job.images, ids, dataset=visited, whose=whose)
    found = rows_of_points(ids, located, job.key)
    draws = job.draws(parse(Settings, evaluation, "evaluation"))
    constant = json.loads(points.metadata.get("constant", "{}"))
    beside = {"visited": visited, "modality": modality, "landmarks": landmarks}
    described = {"model": model, "from": str(source), "sha256": content}
    metadata = stamp(code, {**described, "evaluation": evaluation, "across": beside})
    tables.write(predictions, found, PREDICTIONS, {**metadata, **points.metadata})
    measured = across.measure(other, found, compared, test, constant=constant, draws=draws)
    job.write(measured, metadata, metrics=metrics, replicates=replicates)
