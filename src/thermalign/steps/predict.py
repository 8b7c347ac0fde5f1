"""Predict the landmarks of a fold's test images with one trained model."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from thermalign import tables
from thermalign.images import read_image
from thermalign.provenance import stamp
from thermalign.steps._inputs import read_fold, rows_of_points
from thermalign.steps._model import device, load_model, read_state
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
    predictions: Path,
    code: str,
) -> None:
    """Write the PREDICTIONS of every test image of the probe modality.

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
    stack = stack_images([read_image(row) for row in test.to_dict("records")], device())
    box = tables.read(boxes, tables.BOXES).set_index("image_id").loc[test["image_id"]]
    rows = torch.tensor(box[["x", "y", "width", "height"]].to_numpy(np.float32)).to(device())
    with torch.inference_mode():
        points, confidence = module.predict(read_state(state), stack, rows, parsed)
    key = {"protocol": protocol, "fold": fold, "model": model}
    found = rows_of_points(
        list(test["image_id"]), points.cpu().numpy(), confidence.cpu().numpy(), key
    )
    metadata = stamp(code, {"model": model, "detector": detector, **settings})
    tables.write(predictions, found, tables.PREDICTIONS, metadata)
