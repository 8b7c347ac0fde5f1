"""What both models of a detector to take home do: on their test people, and on recorded faces."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thermalign import tables
from thermalign.deploy.card import Tried
from thermalign.deploy.faces import LARGEST_ERROR, SMALLEST, Face, FaceDetector, load
from thermalign.evaluation import model_card
from thermalign.evaluation.detection import count_detections
from thermalign.evaluation.draws import Draws
from thermalign.evaluation.measured import Measured
from thermalign.evaluation.settings import Settings
from thermalign.geometry import Floats
from thermalign.records import Located, boxes_of, pictures_of, rows_of_points, with_roles
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES, BOXES, FOLDS, IMAGES
from thermalign.schemas.predictions import CURVES, DETECTIONS, PREDICTIONS

_TOGETHER = 64  # images


@dataclass(frozen=True)
class Model:
    """One of the two models.

    Attributes
    ----------
    key : dataset, protocol, fold and model
    modality : str
    images : DataFrame of IMAGES, all of the dataset
    rows : DataFrame of IMAGES of the fold and modality, with their ``role``
    curve : DataFrame of CURVES
    """

    key: dict[str, Any]
    modality: str
    images: pd.DataFrame
    rows: pd.DataFrame
    curve: pd.DataFrame

    @classmethod
    def read(cls, part: Mapping[str, Any], images: Path, folds: Path, curve: Path) -> "Model":
        """Read the tables of a model, whose ``key`` and ``modality`` are given."""
        key = {name: its for name, its in part.items() if name != "modality"}
        known = tables.read(images, IMAGES)
        rows = with_roles(known, tables.read(folds, FOLDS))
        rows = rows[rows["modality"] == part["modality"]]
        return cls(key, part["modality"], known, rows, tables.read(curve, CURVES))

    @property
    def test(self) -> pd.DataFrame:
        """Rows of the test images."""
        return self.rows[self.rows["role"] == "test"]

    def draws(self, settings: Settings) -> Draws:
        """Return the bootstrap draws of the test people."""
        return Draws.of_fold(self.test, self.images, settings)


@dataclass(frozen=True)
class RecordedFaces:
    """Recorded, annotated faces.

    Attributes
    ----------
    dataset : str
    rows : N rows of IMAGES, at least 1
    truth, attributes : DataFrame of ANNOTATIONS, ATTRIBUTES
    boxes : (N, 4) float, pixels, (x, y, width, height)
    """

    dataset: str
    rows: pd.DataFrame
    truth: pd.DataFrame
    attributes: pd.DataFrame
    boxes: Floats

    @classmethod
    def read(cls, paths: list[Path], dataset: str, modality: str) -> "RecordedFaces":
        """Read IMAGES, ANNOTATIONS, BOXES and ATTRIBUTES.

        Raises
        ------
        ValueError
            If no image of the modality is annotated.
        """
        schemas = (IMAGES, ANNOTATIONS, BOXES, ATTRIBUTES)
        images, truth, boxes, attributes = map(tables.read, paths, schemas)
        annotated = images["image_id"].isin(truth["image_id"])
        rows = images[annotated & (images["modality"] == modality)]
        if rows.empty:
            raise ValueError(
                f"detector.recorded: dataset {dataset} has no {modality} image with annotated "
                "landmarks; annotate some, or leave recorded out"
            )
        return cls(dataset, rows, truth, attributes, boxes_of(rows, boxes))


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


def measure_landmarks(
    model: Model, predictions: Path, annotations: Path, settings: Settings
) -> list[Measured]:
    """Return the errors of landmarks on the test people."""
    placed, truth = tables.read(predictions, PREDICTIONS), tables.read(annotations, ANNOTATIONS)
    return list(model_card.of_landmarks(placed, truth, model.test, model.draws(settings)))


def measure_finder(
    model: Model, detections: Path, boxes: Path, settings: Settings
) -> list[Measured]:
    """Return what the faces found in images of the test people are worth."""
    given = boxes_of(model.test, tables.read(boxes, BOXES))
    found = tables.read(detections, DETECTIONS)
    return list(model_card.of_finder(found, given, model.test, model.draws(settings)))


def try_states(
    states: list[Path],
    model: Model,
    faces: RecordedFaces,
    asked: Mapping[str, Any],
    settings: Settings,
) -> Tried:
    """Return what both states do with recorded faces.

    Parameters
    ----------
    states : Path of the one that places landmarks, and of the one that finds faces
    model : Model that places landmarks
    faces : RecordedFaces
    asked : ``by`` and ``composed``
        As :func:`thermalign.evaluation.model_card.of_recorded` takes them.
    settings : Settings
    """
    limits: dict[str, Any] = {"smallest": 0, "check": False, "largest_error": float("inf")}
    detector = load(states[0], finder=states[1], modality=model.modality, **limits)
    key = {name: model.key[name] for name in ("protocol", "fold", "model")}
    its = try_recorded(detector, faces.rows, faces.boxes, key)
    measured = model_card.of_recorded(
        its.predictions,
        faces.truth,
        its.counts,
        Draws.of_fold(faces.rows, faces.rows, settings),
        attributes=faces.attributes,
        by=asked["by"],
        composed=asked["composed"],
    )
    return Tried(faces.dataset, list(measured), its.statuses)


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
        values = list(pictures_of(images.iloc[part]).values())
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
