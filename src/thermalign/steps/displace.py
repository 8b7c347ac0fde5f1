"""Displace the annotated landmarks of probes by known amounts, and verify the faces so aligned."""

from pathlib import Path
from typing import Any

from thermalign import tables
from thermalign.evaluation import displacement
from thermalign.evaluation import settings as evaluated
from thermalign.evaluation.displaced import measure, readings_of, sides_of
from thermalign.provenance import stamp
from thermalign.schemas.dataset import ANNOTATIONS
from thermalign.settings import parse
from thermalign.steps.job import Job
from thermalign.verification import alignment as aligned
from thermalign.verification.matcher import Settings
from thermalign.verification.matcher_state import read_matcher
from thermalign.verification.stored import AlignedFaces


def run(
    *,
    images: Path,
    annotations: Path,
    folds: Path,
    faces: Path,
    matcher: Path,
    dataset: str,
    protocol: str,
    fold: int,
    model: str,
    settings: dict[str, Any],
    alignment: dict[str, Any],
    displacements: dict[str, Any],
    seed: int,
    evaluation: dict[str, Any],
    metrics: Path,
    replicates: Path,
    code: str,
) -> None:
    """Write the METRICS of every kind and level of displacement.

    Under the protocol's headline reading of ``same_moment``, or under every one: see
    :mod:`thermalign.evaluation.displaced`, and :mod:`thermalign.evaluation.displacement` for the
    figures.

    Parameters
    ----------
    images, annotations, folds : Path of the tables
    faces : Path of FACES aligned by annotated points
    matcher : Path of what ``train_matcher`` wrote
    dataset : str, the protocol's
    protocol, fold, model : wildcards
    settings : as in :func:`thermalign.steps.train_matcher.run`
    alignment : the ``alignment:`` block
    displacements : the ``displacements:`` block
    seed : int
    evaluation : the ``evaluation:`` block
    metrics, replicates : Path of METRICS, REPLICATES
    code : str
    """
    asked = parse(displacement.Settings, displacements, "displacements")
    measuring = parse(evaluated.Settings, evaluation, "evaluation")
    job = Job.read(images, folds, dataset=dataset, protocol=protocol, fold=fold, model=model)
    known, truth = AlignedFaces.read(faces), tables.read(annotations, ANNOTATIONS)
    trained = read_matcher(matcher)
    draws = job.draws(measuring, job.test[job.test["image_id"].isin(known.image_ids)])
    measured = []
    for mark, its in readings_of(Settings.of(settings), trained, asked).items():
        sides = sides_of(
            job.rows,
            truth,
            known,
            trained,
            at_range=asked.range,
            settings=its,
            aligned=parse(aligned.Settings, alignment, "alignment"),
            seed=[seed, fold],
        )
        measured += measure(sides, draws, asked, seed=measuring.seed, same_moment=mark)
    described = {**settings, "alignment": alignment, "displacements": displacements}
    metadata = stamp(code, {**described, "evaluation": evaluation})
    job.write(measured, metadata, metrics=metrics, replicates=replicates)
