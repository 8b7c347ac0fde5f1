"""What it takes to hand a detector over: its states described, recorded faces tried."""

import json
import platform
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch

from thermalign import tables
from thermalign.deploy.card import Part, Run
from thermalign.deploy.faces import LARGEST_ERROR, SMALLEST, Face, FaceDetector
from thermalign.evaluation.detection import count_detections
from thermalign.evaluation.measured import Measured
from thermalign.geometry import Floats
from thermalign.records import Located, read_images, rows_of_points
from thermalign.schemas.keys import rows_of
from thermalign.schemas.measures import METRICS
from thermalign.states import read_metadata, read_state
from thermalign.tables import replace_file
from thermalign.versions import own_version

_TOGETHER = 64  # images


@dataclass(frozen=True)
class Recorded:
    """What a detector does with N recorded faces.

    Attributes
    ----------
    predictions : DataFrame of PREDICTIONS
        In given boxes, of all faces.
    counts : DataFrame of :func:`thermalign.evaluation.detection.count_detections`
        In whole images.
    statuses : mapping of status to faces
        In given boxes, at the defaults of ``predict``.
    """

    predictions: pd.DataFrame
    counts: pd.DataFrame
    statuses: Mapping[str, int]


def copy_state(source: Path, target: Path) -> None:
    """Copy a trained state, byte by byte: it holds what loading needs and no path."""
    replace_file(target, lambda path: shutil.copyfile(source, path))


def describe_part(
    state: Path,
    curve: pd.DataFrame,
    *,
    key: Mapping[str, Any],
    rows: pd.DataFrame,
    data: Mapping[str, Any],
    measured: Sequence[Measured],
) -> Part:
    """Return what a card tells of a model.

    Parameters
    ----------
    state : Path of the copy that is handed over
    curve : DataFrame of CURVES
    key : dataset, protocol, fold and model
    rows : DataFrame of IMAGES of the fold and modality, with their ``role``
    data : the dataset's block of the configuration
    measured : on the test people
    """
    kept = read_state(state)
    people = {
        str(role): (int(its["subject_id"].nunique()), len(its))
        for role, its in rows.groupby("role")
    }
    return Part(
        file=state.name,
        size=state.stat().st_size,
        metadata=read_metadata(state),
        values=sum(tensor.numel() for tensor in kept.tensors.values()),
        stages={str(s): int(its["step"].max()) for s, its in curve.groupby("stage", sort=False)},
        core_seconds=float(curve["core_seconds"].max()),
        data=data,
        people=people,
        measured=measured,
        **key,
    )


def told_of_training(parts: Sequence[Part]) -> dict[str, str]:
    """Return metadata that say what the trainings of both models cost, for :func:`read_run`."""
    told = [[its.dataset, its.stages, its.core_seconds] for its in parts]
    return {"training": json.dumps(told)}


def read_run(path: Path) -> Run:
    """Read what a run's METRICS tell, of all its test people and all recorded faces.

    Raises
    ------
    ValueError
        If the table is none that ``pack`` wrote.
    """
    try:
        trainings = json.loads(tables.read_metadata(path)["training"])
    except KeyError as error:
        raise ValueError(
            f"{path}: was not written by pack; name the folder detector of another run"
        ) from error
    told = [(str(dataset), dict(stages), float(cost)) for dataset, stages, cost in trainings]
    return Run(told, rows_of(tables.read(path, METRICS)))


def versions() -> dict[str, str]:
    """Return the versions of the package, of Python and of what its networks run on."""
    own = {"thermalign": own_version(), "Python": platform.python_version()}
    return {**own, "torch": torch.__version__, "numpy": np.__version__, "OpenCV": cv2.__version__}


def try_recorded(
    detector: FaceDetector, images: pd.DataFrame, boxes: Floats, key: Mapping[str, Any]
) -> Recorded:
    """Place landmarks in given boxes, and find the faces of the same images without them.

    Parameters
    ----------
    detector : FaceDetector
        With a finder, and with no limit to what it gives out.
    images : N rows of IMAGES, at least 1
    boxes : (N, 4) float, pixels, (x, y, width, height)
    key : the columns protocol, fold and model
    """
    usual = replace(detector, smallest=SMALLEST, check=True, largest_error=LARGEST_ERROR)
    statuses: Counter[str] = Counter()
    placed: list[Face] = []
    found: list[list[Face]] = []
    for start in range(0, len(images), _TOGETHER):
        part = slice(start, start + _TOGETHER)
        values = list(read_images(images.iloc[part]))
        placed += [faces[0] for faces in detector.batch_of_values(values, list(boxes[part]))]
        found += detector.batch_of_values(values, [None] * len(values))
        judged = usual.batch_of_values(values, list(boxes[part]))
        statuses.update(faces[0].status for faces in judged)
    located = Located(
        *(np.stack([getattr(face, name) for face in placed]) for name in Located.__annotations__)
    )
    index = np.repeat(np.arange(len(found)), [len(faces) for faces in found])
    where = np.array([face.box for faces in found for face in faces]).reshape(-1, 4)
    predictions = rows_of_points(list(images["image_id"]), located, key)
    counts = count_detections(images.reset_index(drop=True), index, where, boxes)
    return Recorded(predictions, counts, statuses)
