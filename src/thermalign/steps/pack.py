"""Pack two trained models into a detector to take home: states, ONNX, figures, model card."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from thermalign import tables
from thermalign.deploy.card import Card, Part, Tried, card_text
from thermalign.deploy.faces import load
from thermalign.deploy.packed import (
    copy_state,
    describe_part,
    read_run,
    told_of_training,
    try_onnx,
    try_recorded,
    versions,
)
from thermalign.evaluation import packed
from thermalign.evaluation.draws import Draws
from thermalign.evaluation.measured import Measured, tabulate
from thermalign.evaluation.settings import Settings
from thermalign.geometry import Floats
from thermalign.provenance import stamp
from thermalign.records import boxes_of
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES, BOXES, IMAGES
from thermalign.schemas.measures import METRICS
from thermalign.schemas.predictions import CURVES, DETECTIONS, PREDICTIONS
from thermalign.settings import parse
from thermalign.steps.job import Job


@dataclass(frozen=True)
class _Model:
    """One of the two models.

    Attributes
    ----------
    key : dataset, protocol, fold and model
    modality : str
    job : Job
    rows : DataFrame of IMAGES of the fold and modality, with their ``role``
    curve : DataFrame of CURVES
    """

    key: dict[str, Any]
    modality: str
    job: Job
    rows: pd.DataFrame
    curve: pd.DataFrame

    @classmethod
    def read(cls, part: Mapping[str, Any], images: Path, folds: Path, curve: Path) -> "_Model":
        key = {name: its for name, its in part.items() if name != "modality"}
        job = Job.read(images, folds, **key)
        rows = job.rows[job.rows["modality"] == part["modality"]]
        return cls(key, part["modality"], job, rows, tables.read(curve, CURVES))

    @property
    def test(self) -> pd.DataFrame:
        return self.rows[self.rows["role"] == "test"]


@dataclass(frozen=True)
class _Faces:
    """Recorded, annotated faces.

    Attributes
    ----------
    rows : N rows of IMAGES, at least 1
    truth, attributes : DataFrame of ANNOTATIONS, ATTRIBUTES
    boxes : (N, 4) float, pixels, (x, y, width, height)
    """

    rows: pd.DataFrame
    truth: pd.DataFrame
    attributes: pd.DataFrame
    boxes: Floats

    @classmethod
    def read(cls, paths: list[Path], dataset: str, modality: str) -> "_Faces":
        schemas = (IMAGES, ANNOTATIONS, BOXES, ATTRIBUTES)
        images, truth, boxes, attributes = map(tables.read, paths, schemas)
        annotated = images["image_id"].isin(truth["image_id"])
        rows = images[annotated & (images["modality"] == modality)]
        if rows.empty:
            raise ValueError(
                f"detector.recorded: dataset {dataset} has no {modality} image with annotated "
                "landmarks; annotate some, or leave recorded out"
            )
        return cls(rows, truth, attributes, boxes_of(rows, boxes))


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
    onnx : Path of what is written where ``thermalign[onnx]`` is installed; an earlier one goes
    code : str

    Raises
    ------
    ValueError
        If no recorded face is annotated, ``beside`` is no table that this wrote, or a state cannot
        be used.
    """
    onnx.unlink(missing_ok=True)
    its = parse(Settings, settings, "evaluation")
    both = [parts["landmarks"], parts["finder"]]
    models = [_Model.read(*each) for each in zip(both, images, folds, curves, strict=True)]
    measured = [
        _measure_landmarks(models[0], predictions, annotations[0], its),
        _measure_finder(models[1], detections, boxes[1], its),
    ]
    faces = _Faces.read(recorded, asked["dataset"], models[0].modality) if recorded else None
    others = [read_run(path) for path in beside]

    for source, target in zip(states, (landmarks, finder), strict=True):
        copy_state(source, target)
    tried = _try_recorded(models[0], faces, asked, its, [landmarks, finder]) if faces else None
    described = _describe(models, datasets, measured, [landmarks, finder])
    written = [tabulate(told, model.key)[0] for told, model in zip(measured, models, strict=True)]
    told = {**stamp(code, {**parts, **asked, **settings}), **told_of_training(described)}
    if tried:
        key = {**models[0].key, "dataset": tried.dataset}
        written.append(tabulate(tried.measured, key)[0])
        told["statuses"] = json.dumps(tried.statuses)
    tables.write(metrics, pd.concat(written), METRICS, told)
    made = try_onnx(landmarks, onnx)
    if isinstance(made, str):
        print(f"no ONNX file: {made}", file=sys.stderr)
    runs = [read_run(metrics), *others]
    text = card_text(Card(described[0], described[1], tried, made, versions(), runs))
    tables.replace_file(card, lambda path: path.write_text(text, encoding="utf-8"))


def _measure_landmarks(
    model: _Model, predictions: Path, annotations: Path, settings: Settings
) -> list[Measured]:
    placed, truth = tables.read(predictions, PREDICTIONS), tables.read(annotations, ANNOTATIONS)
    return list(packed.of_landmarks(placed, truth, model.test, model.job.draws(settings)))


def _measure_finder(
    model: _Model, detections: Path, boxes: Path, settings: Settings
) -> list[Measured]:
    given = boxes_of(model.test, tables.read(boxes, BOXES))
    found = tables.read(detections, DETECTIONS)
    return list(packed.of_finder(found, given, model.test, model.job.draws(settings)))


def _try_recorded(
    model: _Model,
    faces: _Faces,
    asked: Mapping[str, Any],
    settings: Settings,
    states: list[Path],
) -> Tried:
    """Return what both states, in their new places, do with recorded faces."""
    limits: dict[str, Any] = {"smallest": 0, "check": False, "largest_error": float("inf")}
    detector = load(states[0], finder=states[1], modality=model.modality, **limits)
    its = try_recorded(detector, faces.rows, faces.boxes, model.job.key)
    measured = packed.of_recorded(
        its.predictions,
        faces.truth,
        its.counts,
        Draws.of_fold(faces.rows, faces.rows, settings),
        attributes=faces.attributes,
        by=asked["by"],
        composed=asked["composed"],
    )
    return Tried(asked["dataset"], list(measured), its.statuses)


def _describe(
    models: list[_Model],
    datasets: Mapping[str, Any],
    measured: list[list[Measured]],
    states: list[Path],
) -> list[Part]:
    return [
        describe_part(
            state,
            model.curve,
            key=model.key,
            rows=model.rows,
            data=datasets[model.key["dataset"]],
            measured=figures,
        )
        for state, model, figures in zip(states, models, measured, strict=True)
    ]
