"""Train one landmark model on one fold."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from thermalign import tables
from thermalign.folds import check_disjoint
from thermalign.images import read_image
from thermalign.landmarks._data import Faces, make_faces
from thermalign.provenance import stamp
from thermalign.steps._inputs import points_of
from thermalign.steps._model import device, load_model, save_state
from thermalign.warp import stack_images


def run(
    *,
    images: Path,
    annotations: Path,
    boxes: Path,
    folds: Path,
    protocol: str,
    fold: int,
    model: str,
    detector: str,
    settings: dict[str, Any],
    seed: int,
    modality: str,
    state: Path,
    curve: Path,
    code: str,
) -> None:
    """Train on the annotated training images of the probe modality; write the state and its curve.

    Parameters
    ----------
    images, annotations, boxes, folds : Path of the tables
    protocol, fold, model : wildcards
    detector : module of ``landmarks``
    settings : the model's block of the configuration
    seed : int
    modality : what the detectors train and predict on
    state : Path of the safetensors file
    curve : Path of CURVES
    code : str
    """
    module, parsed = load_model(detector, settings, model)
    table = tables.read(images, tables.IMAGES)
    rows = tables.read(folds, tables.FOLDS)
    check_disjoint(rows, table)
    roles = set(rows["role"])
    rows = rows.merge(table, on="image_id").query("modality == @modality")
    points = tables.read(annotations, tables.ANNOTATIONS)
    rows = rows[rows["image_id"].isin(points["image_id"])]
    box_table = tables.read(boxes, tables.BOXES)
    train = _faces(rows[rows["role"] == "train"], points, box_table)
    held_out = rows[rows["role"] == "validation"]
    validation = _faces(held_out, points, box_table) if "validation" in roles else train.first(0)
    torch.manual_seed(seed)
    trained = module.fit(train, validation, parsed, seed=_seed(seed, fold))
    metadata = stamp(code, {"model": model, "detector": detector, "seed": seed, **settings})
    tables.write(
        curve,
        pd.DataFrame(
            [
                (protocol, fold, model, p.stage, p.step, p.loss, p.validation_nmse)
                for p in trained.curve
            ],
            columns=tables.CURVES.names,
        ),
        tables.CURVES,
        metadata,
    )
    save_state(state, trained, metadata)


def _seed(seed: int, fold: int) -> int:
    return int(np.random.SeedSequence([seed, fold]).generate_state(1)[0])


def _faces(rows: pd.DataFrame, points: pd.DataFrame, boxes: pd.DataFrame) -> Faces:
    if rows.empty:
        raise ValueError(
            "no annotated training or validation image of the probe modality in this fold; "
            "annotate images, or choose another probe modality or more training subjects"
        )
    unique = rows.drop_duplicates("image_id").reset_index(drop=True)
    stack = stack_images([read_image(row) for row in unique.to_dict("records")], device())
    index = unique.reset_index().set_index("image_id")["index"].loc[rows["image_id"]].to_numpy()
    box = boxes.set_index("image_id").loc[unique["image_id"], ["x", "y", "width", "height"]]
    place = points_of(points, list(unique["image_id"]))
    on = stack.device
    return make_faces(
        stack,
        torch.as_tensor(index).to(on),
        torch.as_tensor(rows["flipped"].to_numpy()).to(on),
        torch.as_tensor(box.to_numpy(np.float32)[index]).to(on),
        torch.as_tensor(place.astype(np.float32)[index]).to(on),
    )
