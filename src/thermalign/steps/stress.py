"""Predict and measure a fold's test images under every variant of the test condition."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thermalign import tables
from thermalign.boxes import disturb
from thermalign.evaluation.draws import Draws, errors_of
from thermalign.evaluation.measured import write_measured
from thermalign.evaluation.variants import Variant, measure_variants, read_variants
from thermalign.geometry import Floats
from thermalign.landmarks.cut import cut_images
from thermalign.landmarks.models import load_model, predict_cut
from thermalign.provenance import stamp
from thermalign.records import BOX, boxes_of, read_fold, read_images, rows_of_points
from thermalign.schemas.dataset import ANNOTATIONS, BOXES, IMAGES
from thermalign.schemas.predictions import DETECTIONS, STRESS
from thermalign.states import read_state

SAME = ["subject_id", "volume", "range", "condition", "modality"]


def run(
    *,
    images: list[Path],
    annotations: list[Path],
    boxes: list[Path],
    detections: list[Path],
    folds: Path,
    state: Path,
    protocol: str,
    fold: int,
    model: str,
    detector: str,
    settings: dict[str, Any],
    modality: str,
    variants: dict[str, Any],
    evaluation: dict[str, Any],
    predictions: Path,
    metrics: Path,
    replicates: Path,
    code: str,
) -> None:
    """Write the predictions under every variant, and their METRICS.

    Parameters
    ----------
    images, annotations, boxes : lists of Path of the tables
        The protocol's dataset first, then the datasets of variants, in folders of their names.
    detections : Paths of DETECTIONS, in folders of the names of the models that variants name
    folds : Path
    state : Path of the trained model
    protocol, fold, model : wildcards
    detector, settings, modality : as in :func:`thermalign.steps.train.run`
    variants : the ``variants:`` block
    evaluation : the ``evaluation:`` block
    predictions, metrics, replicates : Path of STRESS, METRICS, REPLICATES
    code : str
    """
    module, parsed = load_model(detector, settings, model)
    known = read_fold(images[0], folds).query("role == 'test'")
    test = known.query("modality == @modality").reset_index(drop=True)
    recordings = _recordings(test, images, annotations, boxes)
    found = {path.parent.name: _best(path, test) for path in detections}
    trained = read_state(state)
    key = {"protocol": protocol, "fold": fold, "model": model}
    rows, errors = {}, {}
    for name, variant, recording, pixels in _conditions(read_variants(variants), recordings):
        where = _boxes_of(variant, recording, found, seed=evaluation["seed"])
        lost = np.isnan(where[:, 0])
        where = np.where(lost[:, None], recording.boxes, where)
        cut = cut_images(pixels, where, module.reach(parsed))
        points, confidence = predict_cut(module, trained, cut, parsed)
        points[lost] = confidence[lost] = np.nan  # the given box stood in there
        its = {**key, "variant": name}
        rows[name] = rows_of_points(list(test["image_id"]), points, confidence, its)
        errors[name] = errors_of(rows[name], recording.annotations, test)
    described = {"model": model, "detector": detector, "variants": variants, **settings}
    metadata = stamp(code, {**described, "evaluation": evaluation})
    tables.write(predictions, pd.concat(rows.values()), STRESS, metadata)
    draws = Draws.of_fold(known, tables.read(images[0], IMAGES), evaluation)
    measured = list(measure_variants(errors, draws))
    write_measured(measured, key, metadata, metrics=metrics, replicates=replicates)


@dataclass(frozen=True)
class Recording:
    """The test images as one dataset has them, in the order of the fold.

    Attributes
    ----------
    images : DataFrame of IMAGES, N rows
    annotations : DataFrame of ANNOTATIONS
    boxes : (N, 4) float64, pixels, (x, y, width, height)
    """

    images: pd.DataFrame
    annotations: pd.DataFrame
    boxes: Floats


def _recordings(
    test: pd.DataFrame, images: list[Path], annotations: list[Path], boxes: list[Path]
) -> dict[str, Recording]:
    """Return the recordings by dataset; the protocol's own is named ''."""
    found = {}
    for number, paths in enumerate(zip(images, annotations, boxes, strict=True)):
        name = paths[0].parent.name if number else ""
        table = tables.read(paths[0], IMAGES).set_index("image_id", drop=False)
        missing = test.loc[~test["image_id"].isin(table.index), "image_id"]
        if len(missing):
            raise ValueError(
                f"variants: dataset {name} lacks image {missing.iloc[0]} and {len(missing) - 1} "
                f"more of {images[0].parent.name}'s test images; give it the same subjects and "
                "samples, or take the variant out"
            )
        its = table.loc[test["image_id"]].reset_index(drop=True)
        other = (its[SAME] != test[SAME]).any(axis=1)
        if other.any():
            raise ValueError(
                f"variants: image {its.loc[other, 'image_id'].iloc[0]} of dataset {name} shows "
                "another subject, range, condition or modality than the test image of that name; "
                "give the same moments recorded differently, or take the variant out"
            )
        found[name] = Recording(
            its,
            tables.read(paths[1], ANNOTATIONS),
            boxes_of(test, tables.read(paths[2], BOXES)),
        )
    return found


def _best(detections: Path, test: pd.DataFrame) -> Floats:
    """Return the best detection in every test image, (N, 4); NaN where there is none."""
    table = tables.read(detections, DETECTIONS).query("rank == 0").set_index("image_id")
    return table.reindex(test["image_id"])[BOX].to_numpy(np.float64)


def _conditions(
    variants: dict[str, Variant], recordings: dict[str, Recording]
) -> Iterator[tuple[str, Variant, Recording, list[Floats]]]:
    """Yield name, variant, recording and images, each recording's images read once."""
    for dataset, recording in recordings.items():
        pixels = list(read_images(recording.images))
        for name, variant in variants.items():
            if variant.dataset == dataset:
                yield name, variant, recording, pixels


def _boxes_of(
    variant: Variant, recording: Recording, found: dict[str, Floats], *, seed: int
) -> Floats:
    """Return the boxes of a variant, (N, 4) pixels; NaN where no face was found."""
    if variant.detector:
        return found[variant.detector]
    ids = list(recording.images["image_id"])
    return disturb(recording.boxes, ids, shift=variant.shift, scale=variant.scale, seed=seed)
