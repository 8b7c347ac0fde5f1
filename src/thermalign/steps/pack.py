"""Pack two trained models into a detector to take home: states, ONNX, figures, model card."""

import sys
from pathlib import Path
from typing import Any

import pandas as pd

from thermalign import tables
from thermalign.deploy.card import Card, card_text
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
from thermalign.evaluation.measured import tabulate
from thermalign.evaluation.settings import Settings
from thermalign.provenance import stamp
from thermalign.records import boxes_of
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES, BOXES, IMAGES
from thermalign.schemas.measures import METRICS
from thermalign.schemas.predictions import CURVES, DETECTIONS, PREDICTIONS
from thermalign.settings import parse
from thermalign.steps.job import Job


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
    onnx : Path of what is written where ``thermalign[onnx]`` is installed
    code : str
    """
    its = parse(Settings, settings, "evaluation")
    both = [parts["landmarks"], parts["finder"]]
    keys = [{k: v for k, v in part.items() if k != "modality"} for part in both]
    jobs = [Job.read(*paths, **key) for *paths, key in zip(images, folds, keys, strict=True)]
    shown = [
        job.rows[job.rows["modality"] == part["modality"]]
        for job, part in zip(jobs, both, strict=True)
    ]
    tests = [rows[rows["role"] == "test"] for rows in shown]
    measured = [
        list(
            packed.of_landmarks(
                tables.read(predictions, PREDICTIONS),
                tables.read(annotations[0], ANNOTATIONS),
                tests[0],
                jobs[0].draws(its),
            )
        ),
        list(
            packed.of_finder(
                tables.read(detections, DETECTIONS),
                boxes_of(tests[1], tables.read(boxes[1], BOXES)),
                tests[1],
                jobs[1].draws(its),
            )
        ),
    ]
    written = [tabulate(figures, key)[0] for figures, key in zip(measured, keys, strict=True)]
    for source, target in zip(states, (landmarks, finder), strict=True):
        copy_state(source, target)
    tried = None
    if recorded:
        known, truth, where, told = (
            tables.read(path, schema)
            for path, schema in zip(recorded, (IMAGES, ANNOTATIONS, BOXES, ATTRIBUTES), strict=True)
        )
        modality = both[0]["modality"]
        rows = known[(known["modality"] == modality) & known["image_id"].isin(truth["image_id"])]
        every: dict[str, Any] = {"smallest": 0, "check": False, "largest_error": float("inf")}
        detector = load(landmarks, finder=finder, modality=modality, **every)
        placed, counts = try_recorded(detector, rows, boxes_of(rows, where), jobs[0].key)
        tried = list(
            packed.of_recorded(
                placed,
                truth,
                counts,
                Draws.of_fold(rows, rows, its),
                attributes=told,
                by=asked["by"],
                composed=asked["composed"],
            )
        )
        written.append(tabulate(tried, {**keys[0], "dataset": asked["dataset"]})[0])
    made = try_onnx(landmarks, onnx)
    if isinstance(made, str):
        print(f"no ONNX file: {made}", file=sys.stderr)
    described = [
        describe_part(
            path,
            tables.read(curve, CURVES),
            key=key,
            rows=rows,
            data=datasets[key["dataset"]],
            measured=figures,
        )
        for path, curve, key, rows, figures in zip(
            (landmarks, finder), curves, keys, shown, measured, strict=True
        )
    ]
    stamped = {**stamp(code, {**parts, **asked, **settings}), **told_of_training(described)}
    tables.write(metrics, pd.concat(written), METRICS, stamped)
    others = [read_run(path) for path in beside]
    on = (asked["dataset"], tried) if tried else None
    text = card_text(Card(described[0], described[1], on, made, versions(), others))
    tables.replace_file(card, lambda path: path.write_text(text, encoding="utf-8"))
