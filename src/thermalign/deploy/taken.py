"""The two models of a detector to take home, and the recorded faces that it is tried on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from thermalign import tables
from thermalign.deploy.card import Part, Tried
from thermalign.deploy.faces import load
from thermalign.deploy.packed import describe_part, try_recorded
from thermalign.evaluation import packed
from thermalign.evaluation.draws import Draws
from thermalign.evaluation.measured import Measured
from thermalign.evaluation.settings import Settings
from thermalign.geometry import Floats
from thermalign.records import boxes_of, with_roles
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES, BOXES, FOLDS, IMAGES
from thermalign.schemas.predictions import CURVES, DETECTIONS, PREDICTIONS


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


def measure_landmarks(
    model: Model, predictions: Path, annotations: Path, settings: Settings
) -> list[Measured]:
    """Return the errors of landmarks on the test people."""
    placed, truth = tables.read(predictions, PREDICTIONS), tables.read(annotations, ANNOTATIONS)
    return list(packed.of_landmarks(placed, truth, model.test, model.draws(settings)))


def measure_finder(
    model: Model, detections: Path, boxes: Path, settings: Settings
) -> list[Measured]:
    """Return what the faces found in images of the test people are worth."""
    given = boxes_of(model.test, tables.read(boxes, BOXES))
    found = tables.read(detections, DETECTIONS)
    return list(packed.of_finder(found, given, model.test, model.draws(settings)))


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
    asked : ``by`` and ``composed``, as :func:`thermalign.evaluation.packed.of_recorded` takes them
    settings : Settings
    """
    limits: dict[str, Any] = {"smallest": 0, "check": False, "largest_error": float("inf")}
    detector = load(states[0], finder=states[1], modality=model.modality, **limits)
    key = {name: model.key[name] for name in ("protocol", "fold", "model")}
    its = try_recorded(detector, faces.rows, faces.boxes, key)
    measured = packed.of_recorded(
        its.predictions,
        faces.truth,
        its.counts,
        Draws.of_fold(faces.rows, faces.rows, settings),
        attributes=faces.attributes,
        by=asked["by"],
        composed=asked["composed"],
    )
    return Tried(faces.dataset, list(measured), its.statuses)


def describe(
    models: list[Model],
    datasets: Mapping[str, Any],
    measured: list[list[Measured]],
    states: list[Path],
) -> list[Part]:
    """Return what a card tells of both models, whose ``states`` are those handed over."""
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
