"""Find the faces in a fold's whole test images with one trained model, and measure how well."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from thermalign import tables
from thermalign.evaluation.draws import KNOWN, Draws, by_range
from thermalign.evaluation.measured import Measured, write_measured
from thermalign.geometry import Floats
from thermalign.landmarks.cut import device
from thermalign.landmarks.models import load_model
from thermalign.metrics import detection
from thermalign.provenance import stamp
from thermalign.records import BOX, boxes_of, read_fold, read_images
from thermalign.schemas.dataset import BOXES, IMAGES
from thermalign.schemas.predictions import DETECTIONS
from thermalign.states import read_state
from thermalign.warp import stack_images


def run(
    *,
    images: Path,
    boxes: Path,
    folds: Path,
    state: Path,
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
    known = read_fold(images, folds).query("role == 'test'")
    test = known.query("modality == @modality").reset_index(drop=True)
    stack = stack_images(list(read_images(test)), device())
    with torch.inference_mode():
        found = module.detect(read_state(state), stack, parsed)
    index, where = found.index.cpu().numpy(), found.boxes.cpu().double().numpy()
    key = {"protocol": protocol, "fold": fold, "model": model}
    described = {"model": model, "detector": detector, "evaluation": evaluation, **settings}
    metadata = stamp(code, described)
    table = pd.DataFrame(where, columns=BOX).assign(
        image_id=test["image_id"].to_numpy()[index],
        score=found.scores.cpu().double().numpy(),
        rank=pd.Series(index).groupby(index).cumcount().astype("int32"),
        protocol=protocol,
        fold=fold,
        model=model,
    )
    tables.write(detections, table, DETECTIONS, metadata)
    given = boxes_of(test, tables.read(boxes, BOXES))
    counts = count_detections(test, index, where, given)
    draws = Draws.of_fold(known, tables.read(images, IMAGES), evaluation)
    measured = list(_measure(counts, draws))
    write_measured(measured, key, metadata, metrics=metrics, replicates=replicates)


def count_detections(
    images: pd.DataFrame, index: np.ndarray[Any, Any], found: Floats, given: Floats
) -> pd.DataFrame:
    """Return the images with how many detections each has, ``detections``, and ``true`` ones.

    Parameters
    ----------
    images : N rows of IMAGES
    index : (D,) int
        The image of each detection, by falling score within an image.
    found : (D, 4) float, pixels, (x, y, width, height)
    given : (N, 4) float, pixels
    """
    true = index[detection.true_detections(index, found, given)]
    return images[KNOWN].assign(
        detections=np.bincount(index, minlength=len(images)),
        true=np.bincount(true, minlength=len(images)),
    )


def _measure(counts: pd.DataFrame, draws: Draws) -> Iterator[Measured]:
    for subset, rows in by_range(counts):
        true, every = rows["true"].to_numpy(), rows["detections"].to_numpy()
        subjects, n, people = rows["subject_id"], len(rows), rows["subject_id"].nunique()
        ones = np.ones(n)
        value = detection.recall(true)
        found = draws.ratio(true, ones, subjects)
        yield Measured(subset, "detection_recall", value, n, found, people)
        value, total = detection.precision(true, every), int(every.sum())
        right = draws.ratio(true, every, subjects)
        yield Measured(subset, "detection_precision", value, total, right, people)
        value, none = detection.without_detection(every), (every == 0).astype(float)
        lost = draws.ratio(none, ones, subjects)
        yield Measured(subset, "without_detection", value, n, lost, people)
        value = detection.false_alarms(true, every)
        false = draws.ratio(every - true, ones, subjects)
        yield Measured(subset, "false_alarms", value, n, false, people)
