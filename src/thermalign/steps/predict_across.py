"""Predict the landmarks of another dataset with a fold's trained model, and measure its errors."""

from pathlib import Path
from typing import Any

from thermalign import tables
from thermalign.evaluation import across
from thermalign.evaluation.settings import Settings
from thermalign.landmarks.models import constant_of, load_model, predict_pictures
from thermalign.provenance import stamp
from thermalign.records import boxes_of, pictures_of, rows_of_points
from thermalign.schemas.dataset import ANNOTATIONS, BOXES
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.settings import parse
from thermalign.states import read_state
from thermalign.steps.job import Job


def run(
    *,
    images: Path,
    annotations: Path,
    boxes: Path,
    admitted: Path,
    state: Path,
    dataset: str,
    protocol: str,
    fold: int,
    model: str,
    other: str,
    detector: str,
    settings: dict[str, Any],
    visited: str,
    modality: str,
    landmarks: list[str],
    evaluation: dict[str, Any],
    predictions: Path,
    metrics: Path,
    replicates: Path,
    code: str,
) -> None:
    """Write the PREDICTIONS of a model on another dataset, and their METRICS.

    Parameters
    ----------
    images, annotations, boxes : Path of the other dataset's tables
    admitted : Path of FOLDS: who of it is tested
    state : Path of the trained model
    dataset : the protocol's
    protocol, fold, model, other : wildcards
    detector, settings : as in :func:`thermalign.steps.train.run`
    visited : name of the other dataset
    modality : of its images that are tested
    landmarks : those that are compared, if they are annotated; empty for all
    evaluation : the part of the ``evaluation:`` block that draws people
    predictions, metrics, replicates : Path of PREDICTIONS, METRICS, REPLICATES
    code : str
    """
    module, parsed = load_model(detector, settings, model)
    job = Job.read(images, admitted, dataset=dataset, protocol=protocol, fold=fold, model=model)
    test = job.test.query("modality == @modality").reset_index(drop=True)
    truth = tables.read(annotations, ANNOTATIONS)
    compared = across.comparable(truth, test, landmarks, where=f"evaluate_on.{other}")
    trained = read_state(state)
    placed = boxes_of(test, tables.read(boxes, BOXES))
    located = predict_pictures(module, trained, pictures_of(test), placed, parsed)
    found = rows_of_points(list(test["image_id"]), located, job.key)
    draws, constant = job.draws(parse(Settings, evaluation, "evaluation")), constant_of(trained)
    beside = {"visited": visited, "modality": modality, "landmarks": landmarks}
    described = {"model": model, "detector": detector, **settings}
    metadata = stamp(code, {**described, "evaluation": evaluation, "across": beside})
    tables.write(predictions, found, PREDICTIONS, metadata)
    measured = across.measure(other, found, compared, test, constant=constant, draws=draws)
    job.write(measured, metadata, metrics=metrics, replicates=replicates)
