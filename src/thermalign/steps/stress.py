"""Predict and measure a fold's test images under every variant of the test condition."""

from pathlib import Path
from typing import Any

import pandas as pd

from thermalign import tables
from thermalign.evaluation import stressed
from thermalign.evaluation.draws import errors_of
from thermalign.evaluation.settings import Settings
from thermalign.evaluation.stated import stated_of
from thermalign.evaluation.variants import (
    Recording,
    best_boxes,
    conditions,
    named,
    read_variants,
)
from thermalign.landmarks.models import constant_of, cut_to_look, load_model, predict_cut
from thermalign.provenance import stamp
from thermalign.records import Located, pictures_of, rows_of_points
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
    recordings = {
        name: Recording.of(
            test,
            tables.read(image, IMAGES),
            tables.read(annotation, ANNOTATIONS),
            tables.read(box, BOXES),
            dataset=name or dataset,
        )
        for name, image, annotation, box in zip(
            ["", *named(asked, "dataset")], images, annotations, boxes, strict=True
        )
    }
    found = {
        name: best_boxes(tables.read(path, DETECTIONS), test)
        for name, path in zip(named(asked, "detector"), detections, strict=True)
    }
    trained, rows, errors, stated = read_state(state), {}, {}, {}
    located: dict[str, list[Located]] = {}
    for some in pictures_of(test).parts():
        shown_there = {name: its.part(some) for name, its in recordings.items()}
        boxes_there = {name: its[some] for name, its in found.items()}
        for shown in conditions(asked, shown_there, boxes_there, seed=evaluated.seed):
            its = predict_cut(
                module,
                trained,
                cut_to_look(module, trained, shown.pixels, shown.boxes, parsed),
                parsed,
            )
            located.setdefault(shown.variant, []).append(its.without(shown.lost))
    for variant, parts in located.items():
        key = {**job.key, "variant": variant}
        made = rows_of_points(list(test["image_id"]), Located.joined(parts), key)
        rows[variant] = made
        beside = made, recordings[asked[variant].dataset].annotations, test
        errors[variant] = errors_of(*beside)
        stated[variant] = stated_of(*beside, constant_of(trained))
    described = {"model": model, "detector": detector, "variants": variants, **settings}
    metadata = stamp(code, {**described, "evaluation": evaluation})
    tables.write(predictions, pd.concat(rows.values()), STRESS, metadata)
    measured = stressed.evaluate(errors, stated, job.draws(evaluated))
    job.write(measured, metadata, metrics=metrics, replicates=replicates)
