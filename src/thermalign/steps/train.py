"""Train one landmark model on one fold."""

import hashlib
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from thermalign import tables
from thermalign.folds import check_disjoint
from thermalign.landmarks.contract import Faces, make_faces
from thermalign.landmarks.models import cut_images, device, load_model
from thermalign.provenance import stamp
from thermalign.records import boxes_of, points_of, read_images
from thermalign.schemas.dataset import ANNOTATIONS, BOXES, FOLDS, IMAGES
from thermalign.schemas.predictions import CURVES
from thermalign.states import CurvePoint, save_state
from thermalign.training.checkpoint import Checkpoint
from thermalign.training.loop import Run


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
    checkpoint: Path,
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
    checkpoint : Path of what a killed training goes on from; deleted at the end
    code : str
    """
    module, parsed = load_model(detector, settings, model)
    table = tables.read(images, IMAGES)
    rows = tables.read(folds, FOLDS)
    check_disjoint(rows, table)
    roles = set(rows["role"])
    rows = rows.merge(table, on="image_id").query("modality == @modality")
    points = tables.read(annotations, ANNOTATIONS)
    rows = rows[rows["image_id"].isin(points["image_id"])]
    box_table = tables.read(boxes, BOXES)
    beyond = module.reach(parsed)
    train = _faces(rows[rows["role"] == "train"], points, box_table, beyond)
    held_out = rows[rows["role"] == "validation"]
    validation = (
        _faces(held_out, points, box_table, beyond) if "validation" in roles else train.first(0)
    )
    described = {"model": model, "detector": detector, "seed": seed, **settings}
    decides = {**described, "fold": fold, "modality": modality}
    kept = Checkpoint(checkpoint, _key([images, annotations, boxes, folds], code, decides))
    trained = module.fit(
        train, validation, parsed, seed=_seed(seed, fold), run=Run(checkpoint=kept)
    )
    metadata = stamp(code, described)
    curves = pd.DataFrame(trained.curve, columns=[f.name for f in fields(CurvePoint)])
    curves = curves.assign(protocol=protocol, fold=fold, model=model)
    tables.write(curve, curves, CURVES, metadata)
    save_state(state, trained, {**metadata, **trained.notes, "device": device().type})
    kept.remove()


def _key(inputs: list[Path], code: str, described: dict[str, Any]) -> str:
    """Return a digest of all that decides a training's result, to the last bit."""
    machine = [torch.__version__, device().type, torch.get_num_threads()]
    digest = hashlib.sha256(json.dumps([code, described, machine]).encode())
    for path in inputs:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _seed(seed: int, fold: int) -> int:
    return int(np.random.SeedSequence([seed, fold]).generate_state(1)[0])


def _faces(rows: pd.DataFrame, points: pd.DataFrame, boxes: pd.DataFrame, beyond: float) -> Faces:
    if rows.empty:
        raise ValueError(
            "no annotated training or validation image of the probe modality in this fold; "
            "annotate images, or choose another probe modality or more training subjects"
        )
    unique = rows.drop_duplicates("image_id").reset_index(drop=True)
    cut = cut_images(read_images(unique), boxes_of(unique, boxes), beyond)
    on = cut.stack.device
    places = unique.reset_index().set_index("image_id")["index"].loc[rows["image_id"]]
    index = torch.tensor(places.to_numpy()).to(on)
    points_in_image = torch.tensor(
        points_of(points, list(unique["image_id"])), dtype=torch.float32
    ).to(on)
    return make_faces(
        cut.stack,
        index,
        torch.tensor(rows["flipped"].to_numpy()).to(on),
        cut.boxes[index],
        (points_in_image - cut.origins[:, None])[index],
    )
