"""Train one landmark model on one fold."""

import hashlib
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from thermalign import tables
from thermalign.cut import device
from thermalign.folds import check_disjoint
from thermalign.landmarks.examples import cut_faces
from thermalign.landmarks.fine_tuning import fit_from
from thermalign.landmarks.models import calibrate_state, count_parameters, load_model
from thermalign.provenance import stamp
from thermalign.schemas.dataset import ANNOTATIONS, BOXES, FOLDS, IMAGES
from thermalign.schemas.predictions import CURVES
from thermalign.states import CurvePoint, save_state
from thermalign.training.checkpoint import Checkpoint, checkpoint_key
from thermalign.training.loop import Run, derived_seed


def run(
    *,
    images: Path,
    annotations: Path,
    boxes: Path,
    folds: Path,
    init: list[Path],
    initial: list[str],
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

    The state has the calibration of the model's errors on the validation images, if there are any.

    Both say in their metadata how many ``parameters`` there are, as JSON: ``configured`` and
    ``paper``, what the paper prints of the detector, if it does; and by ``init``, the digest of the
    state's file as it was read, what the training started from. ``modality`` is that of the images.

    Parameters
    ----------
    images, annotations, boxes, folds : Path of the tables
    init : the trained state to start from, if any
    initial : its digest when the jobs were planned, none where this study makes it; not used here:
        another one makes the job due
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
    table, rows = tables.read(images, IMAGES), tables.read(folds, FOLDS)
    check_disjoint(rows, table)
    roles = set(rows["role"])
    points, given = tables.read(annotations, ANNOTATIONS), tables.read(boxes, BOXES)
    rows = rows.merge(table, on="image_id").query("modality == @modality")
    rows = rows[rows["image_id"].isin(points["image_id"])]
    beyond = module.reach(parsed)
    train = cut_faces(rows.query("role == 'train'"), points, given, beyond)
    validation, held_out = train.first(0), rows.query("role == 'validation'")
    if "validation" in roles:
        validation = cut_faces(held_out, points, given, beyond, calibrating=True)

    described = {"model": model, "detector": detector, "seed": seed, **settings}
    decides = {**described, "fold": fold, "modality": modality}
    inputs = [images, annotations, boxes, folds, *init]
    digest = hashlib.sha256(init[0].read_bytes()).hexdigest() if init else ""
    fit = fit_from(init[0], module, detector, parsed) if init else module.fit
    kept = Checkpoint(checkpoint, checkpoint_key(inputs, code, decides, device()))
    trained = fit(
        train, validation, parsed, seed=derived_seed(seed, fold), run=Run(checkpoint=kept)
    )
    trained = calibrate_state(
        module, trained, validation, parsed, people=list(held_out["subject_id"])
    )

    parameters = json.dumps(count_parameters(detector, parsed), sort_keys=True)
    metadata = {**stamp(code, described), "parameters": parameters, "modality": modality}
    if init:
        metadata["init"] = digest
    curves = pd.DataFrame(trained.curve, columns=[f.name for f in fields(CurvePoint)])
    curves = curves.assign(protocol=protocol, fold=fold, model=model)
    tables.write(curve, curves, CURVES, metadata)
    save_state(state, trained, {**metadata, **trained.notes, "device": device().type})
    kept.remove()
