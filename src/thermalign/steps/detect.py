"""Find the faces in a fold's whole test images with one trained model, and measure how well."""

from pathlib import Path
from typing import Any

import pandas as pd

from thermalign import tables
from thermalign.evaluation import detection
from thermalign.evaluation.settings import Settings
from thermalign.landmarks.models import detect_pictures, load_model
from thermalign.provenance import stamp
from thermalign.records import BOX, boxes_of, pictures_of
from thermalign.schemas.dataset import BOXES
from thermalign.schemas.predictions import DETECTIONS
from thermalign.settings import parse
from thermalign.states import read_state
from thermalign.steps.job import Job


def run(
    *,
    images: Path,
    boxes: Path,
    folds: Path,
    state: Path,
    dataset: str,
    protocol: str,
    fold: int,
    model: str,
    detector: str,
    settings: dict[str, Any],
    modality: str,
    evaluation: dict[str, Any],
    detections: Path,
    metrics: Path,
    replicates: Path,
    code: str,
) -> None:
    """Write every detection in the test images of the probe modality, and what they are worth.

    Parameters
    ----------
    images, boxes, folds : Path of the tables
    state : Path of the trained model
    dataset : str, the protocol's
    protocol, fold, model : wildcards
    detector, settings, modality : as in :func:`thermalign.steps.train.run`
    evaluation : the ``evaluation:`` block
    detections, metrics, replicates : Path of DETECTIONS, METRICS, REPLICATES
    code : str

    Raises
    ------
    ValueError
        If the model finds no faces in whole images.
    """
    module, parsed = load_model(detector, settings, model)
    if not hasattr(module, "detect"):
        raise ValueError(
            f"models: {model}: landmarks/{detector}.py has no detect(), so it cannot find faces in "
            "whole images; name another model in variants, or take the variant out"
        )
    job = Job.read(images, folds, dataset=dataset, protocol=protocol, fold=fold, model=model)
    test = job.test.query("modality == @modality").reset_index(drop=True)
    found = detect_pictures(module, read_state(state), pictures_of(test), parsed)
    index, where = found.index.cpu().numpy(), found.boxes.cpu().double().numpy()
    described = {"model": model, "detector": detector, "evaluation": evaluation, **settings}
    metadata = stamp(code, described)
    table = pd.DataFrame(where, columns=BOX).assign(
        image_id=test["image_id"].to_numpy()[index],
        score=found.scores.cpu().double().numpy(),
        rank=pd.Series(index).groupby(index).cumcount().astype("int32"),
        **job.key,
    )
    tables.write(detections, table, DETECTIONS, metadata)
    given = boxes_of(test, tables.read(boxes, BOXES))
    counts = detection.count_detections(test, index, where, given)
    measured = detection.evaluate(counts, job.draws(parse(Settings, evaluation, "evaluation")))
    job.write(measured, metadata, metrics=metrics, replicates=replicates)
