"""Pack two trained models into a detector to take home: states, ONNX, figures, model card."""

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from thermalign import tables
from thermalign.deploy.card import Card, card_text
from thermalign.deploy.detector import load_detector
from thermalign.deploy.onnx import export_onnx, obstacle
from thermalign.deploy.parts import copy_state, describe, read_run, told_of_training, versions
from thermalign.deploy.trials import (
    Model,
    RecordedFaces,
    measure_finder,
    measure_landmarks,
    try_states,
)
from thermalign.evaluation.measured import tabulate
from thermalign.evaluation.settings import Settings
from thermalign.provenance import stamp
from thermalign.schemas.measures import METRICS
from thermalign.settings import parse


def run(
    *,
    states: list[Path],
    curves: list[Path],
    images: list[Path],
    annotations: list[Path],
    boxes: list[Path],
    folds: list[Path],
    predictions: Path,
    detections: Path,
    recorded: list[Path],
    beside: list[Path],
    parts: dict[str, Any],
    datasets: dict[str, Any],
    asked: dict[str, Any],
    settings: dict[str, Any],
    landmarks: Path,
    finder: Path,
    metrics: Path,
    card: Path,
    onnx: Path,
    code: str,
) -> None:
    """Write the states as they are, METRICS of both on their test people, and the model card.

    Metadata of METRICS say what the trainings cost (``training``) and how many recorded faces have
    which status at the defaults of ``predict`` (``statuses``), as JSON.

    Parameters
    ----------
    states, curves, images, annotations, boxes, folds : lists of Path
        Of the model that places landmarks, then of the one that finds faces.
    predictions, detections : Path of the first one's PREDICTIONS and the second one's DETECTIONS
    recorded : IMAGES, ANNOTATIONS, BOXES and ATTRIBUTES of recorded faces; or none
    beside : ``metrics`` of another run, or none
    parts : ``landmarks`` and ``finder`` -> dataset, protocol, fold, model and modality of each
    datasets : name -> block of the configuration
    asked : the block ``recorded:`` of ``detector:``; empty for none
    settings : the ``evaluation:`` block
    landmarks, finder, metrics, card : Path
    onnx : Path of what is written where ``thermalign[onnx]`` is installed; an earlier one goes. It
        is no output of the rule, which must pass without: deleted, it comes back with the card
    code : str

    Raises
    ------
    ValueError
        If no recorded face is annotated, ``beside`` is no table that this wrote, or a state cannot
        be used.
    """
    onnx.unlink(missing_ok=True)
    evaluation = parse(Settings, settings, "evaluation")
    both = [parts["landmarks"], parts["finder"]]
    models = [Model.read(*each) for each in zip(both, images, folds, curves, strict=True)]
    measured = [
        measure_landmarks(models[0], predictions, annotations[0], evaluation),
        measure_finder(models[1], detections, boxes[1], evaluation),
    ]
    modality = models[0].modality
    faces = RecordedFaces.read(recorded, asked["dataset"], modality) if recorded else None
    others = [read_run(path) for path in beside]

    kept = [landmarks, finder]
    for source, target in zip(states, kept, strict=True):
        copy_state(source, target)
    tried = try_states(kept, models[0], faces, asked, evaluation) if faces else None
    described = [
        describe(state, model, datasets, its)
        for state, model, its in zip(kept, models, measured, strict=True)
    ]
    written = [tabulate(told, model.key)[0] for told, model in zip(measured, models, strict=True)]
    told = {**stamp(code, {**parts, **asked, **settings}), **told_of_training(described)}
    if tried:
        key = {**models[0].key, "dataset": tried.dataset}
        written.append(tabulate(tried.measured, key)[0])
        told["statuses"] = json.dumps(tried.statuses)
    tables.write(metrics, pd.concat(written), METRICS, told)
    no_onnx = obstacle(load_detector(landmarks))
    if no_onnx:
        print(f"no ONNX file: {no_onnx}", file=sys.stderr)
    else:
        export_onnx(landmarks, onnx)
    size = 0 if no_onnx else onnx.stat().st_size
    runs = [read_run(metrics), *others]
    text = card_text(Card(described[0], described[1], tried, size, no_onnx, versions(), runs))
    tables.replace_file(card, lambda path: path.write_text(text, encoding="utf-8"))
