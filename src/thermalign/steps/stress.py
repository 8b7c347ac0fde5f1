"""Predict and measure a fold's test images under every variant of the test condition."""

from pathlib import Path
from typing import Any

import pandas as pd

from thermalign import tables
from thermalign.evaluation import stressed
from thermalign.evaluation.settings import Settings
from thermalign.evaluation.variants import (
    Condition,
    Recording,
    best_boxes,
    conditions,
    named,
    read_variants,
)
from thermalign.landmarks.models import constant_of, load_model, predict_part
from thermalign.provenance import stamp
from thermalign.records import Located, rows_of_points
from thermalign.schemas.dataset import ANNOTATIONS, BOXES, IMAGES
from thermalign.schemas.predictions import DETECTIONS, STRESS
from thermalign.settings import parse
from thermalign.states import read_state
from thermalign.steps.job import Job


def run(
    *,
    images: list[Path],
    annotations: list[Path],
    boxes: list[Path],
    detections: list[Path],
    folds: Path,
    state: Path,
    dataset: str,
    protocol: str,
    fold: int,
    model: str,
    detector: str,
    settings: dict[str, Any],
    modality: str,
    variants: dict[str, Any],
    evaluation: dict[str, Any],
    predictions: Path,
    metrics: Path,
    replicates: Path,
    code: str,
) -> None:
    """Write the predictions under every variant, and their METRICS.

    Parameters
    ----------
    images, annotations, boxes : lists of Path of the tables
        The protocol's dataset first, then the datasets that variants name, each once.
    detections : Paths of DETECTIONS of the models that variants name, each once
    folds : Path
    state : Path of the trained model
    dataset : str, the protocol's
    protocol, fold, model : wildcards
    detector, settings, modality : as in :func:`thermalign.steps.train.run`
    variants : the ``variants:`` block
    evaluation : the ``evaluation:`` block
    predictions, metrics, replicates : Path of STRESS, METRICS, REPLICATES
    code : str
    """
    module, parsed = load_model(detector, settings, model)
    asked, evaluated = read_variants(variants), parse(Settings, evaluation, "evaluation")
    job = Job.read(images[0], folds, dataset=dataset, protocol=protocol, fold=fold, model=model)
    test = job.test.query("modality == @modality").reset_index(drop=True)
    names = ["", *named(asked, "dataset")]
    recordings = {
        name: Recording.of(
            test,
            tables.read(image, IMAGES),
            tables.read(annotation, ANNOTATIONS),
            tables.read(box, BOXES),
            dataset=name or dataset,
        )
        for name, image, annotation, box in zip(names, images, annotations, boxes, strict=True)
    }
    found = {
        name: best_boxes(tables.read(path, DETECTIONS), test)
        for name, path in zip(named(asked, "detector"), detections, strict=True)
    }
    trained = read_state(state)

    def look(shown: Condition) -> tuple[str, Located]:
        its = predict_part(module, trained, shown.pictures, shown.boxes, parsed)
        return shown.variant, its.without(shown.lost)

    located: dict[str, list[Located]] = {}
    # map() lets go of what was shown before more is read.
    for variant, its in map(look, conditions(asked, recordings, found, seed=evaluated.seed)):
        located.setdefault(variant, []).append(its)
    ids = list(test["image_id"])
    rows = {
        variant: rows_of_points(ids, Located.joined(parts), {**job.key, "variant": variant})
        for variant, parts in located.items()
    }
    truth = {variant: recordings[asked[variant].dataset].annotations for variant in rows}
    described = {"model": model, "detector": detector, "variants": variants, **settings}
    metadata = stamp(code, {**described, "evaluation": evaluation})
    tables.write(predictions, pd.concat(rows.values()), STRESS, metadata)
    draws, constant = job.draws(evaluated), constant_of(trained)
    measured = stressed.evaluate(rows, truth, test, draws, constant=constant)
    job.write(measured, metadata, metrics=metrics, replicates=replicates)
