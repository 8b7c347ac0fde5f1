"""Measure one model on one fold: landmark errors and verification rates, with intervals."""

import json
from pathlib import Path
from typing import Any

from thermalign import tables
from thermalign.evaluation import landmarks, rejection, stated, verification
from thermalign.evaluation.draws import comparisons_of, errors_of, telling
from thermalign.evaluation.settings import Settings
from thermalign.provenance import stamp
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES, BOXES
from thermalign.schemas.matching import SCORES
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.settings import parse
from thermalign.steps.job import Job


def run(
    *,
    images: Path,
    annotations: Path,
    boxes: Path,
    attributes: Path,
    folds: Path,
    predictions: Path,
    scores: Path,
    dataset: str,
    protocol: str,
    fold: int,
    model: str,
    headline: str,
    reject: list[float],
    settings: dict[str, Any],
    metrics: Path,
    replicates: Path,
    code: str,
) -> None:
    """Write the METRICS of a model on a fold, and their REPLICATES.

    Curves have replicates for all images and for every range alone, and in the headline reading
    alone, which keeps the table small.

    Parameters
    ----------
    images, annotations, boxes, attributes : Path of the dataset's tables
    folds, predictions, scores : Path of the tables
        PREDICTIONS carry the detector's ``grid``, if it has one, and the ``constant`` spread of its
        validation errors; SCORES the thresholds that
        training people set by false match rate, null where they could not.
    dataset : the protocol's
    protocol, fold, model : wildcards
    headline : the reading of ``same_moment`` whose subsets have no mark
    reject : shares of the probes that are rejected, the least sure first; see
        :func:`thermalign.evaluation.rejection.evaluate`
    settings : the ``evaluation:`` block
    metrics, replicates : Path
    code : str
    """
    job = Job.read(images, folds, dataset=dataset, protocol=protocol, fold=fold, model=model)
    asked = parse(Settings, settings, "evaluation")
    truth, found = tables.read(annotations, ANNOTATIONS), tables.read(predictions, PREDICTIONS)
    found = found[found["image_id"].isin(job.test["image_id"])]
    errors = errors_of(found, truth, job.test)
    comparisons = comparisons_of(tables.read(scores, SCORES), job.test)
    probes = comparisons if len(comparisons) else errors
    groups = telling(tables.read(attributes, ATTRIBUTES), probes["image_id"])
    draws = job.draws(asked)
    said = tables.read_metadata(predictions)
    grid, constant = (json.loads(said.get(key, "{}")) for key in ("grid", "constant"))
    told = json.loads(tables.read_metadata(scores).get("thresholds", "{}"))
    thresholds = {float(at): float("nan" if its is None else its) for at, its in told.items()}
    placed, own = tables.read(boxes, BOXES), comparisons["same_moment"] == headline
    measured = [
        *landmarks.evaluate(
            errors, draws, asked, annotations=truth, boxes=placed, attributes=groups, grid=grid
        ),
        *verification.evaluate(
            comparisons,
            draws,
            asked,
            headline=headline,
            thresholds=thresholds,
            attributes=groups,
        ),
        *stated.evaluate(stated.stated_of(found, truth, job.test, constant), draws),
        *rejection.evaluate(comparisons[own], found, errors, draws, reject),
    ]
    described = {**settings, "reject": reject}
    job.write(measured, stamp(code, described), metrics=metrics, replicates=replicates)
