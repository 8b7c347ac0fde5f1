"""Predict the landmarks of a fold's test images with one trained model."""

import json
from pathlib import Path
from typing import Any

from thermalign import tables
from thermalign.landmarks.models import constant_of, load_model, predict_pictures
from thermalign.provenance import stamp
from thermalign.records import boxes_of, pictures_of, read_fold, rows_of_points
from thermalign.schemas.dataset import BOXES
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.states import read_state


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
    predictions: Path,
    code: str,
) -> None:
    """Write the PREDICTIONS of every test image of the probe modality.

    Under ``constant`` the table's metadata have, as JSON, what
    :func:`thermalign.landmarks.models.constant_of` returns. A detector whose points lie on a grid
    has a function ``grid``; what it returns stands there under ``grid``, so that reach and error
    can be told apart.

    Parameters
    ----------
    images, boxes, folds : Path of the tables
    state : Path of the trained model
    protocol, fold, model : wildcards
    detector, settings, modality : as in :func:`thermalign.steps.train.run`
    predictions : Path
    code : str
    """
    module, parsed = load_model(detector, settings, model)
    test = read_fold(images, folds).query("role == 'test' and modality == @modality")
    where = boxes_of(test, tables.read(boxes, BOXES))
    trained = read_state(state)
    located = predict_pictures(module, trained, pictures_of(test), where, parsed)
    key = {"protocol": protocol, "fold": fold, "model": model}
    found = rows_of_points(list(test["image_id"]), located, key)
    metadata = stamp(code, {"model": model, "detector": detector, **settings})
    metadata["constant"] = json.dumps(constant_of(trained), sort_keys=True)
    if hasattr(module, "grid"):
        metadata["grid"] = json.dumps(module.grid(parsed), sort_keys=True)
    tables.write(predictions, found, PREDICTIONS, metadata)
