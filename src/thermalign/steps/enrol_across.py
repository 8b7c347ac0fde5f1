"""Enrol the gallery of another dataset under a fold's mapping, and verify its annotated probes."""

from pathlib import Path
from typing import Any

from thermalign import tables
from thermalign.evaluation import enrolled_across
from thermalign.evaluation import settings as evaluated
from thermalign.provenance import stamp
from thermalign.records import read_fold
from thermalign.schemas.dataset import ANNOTATIONS
from thermalign.settings import parse
from thermalign.steps.job import Job
from thermalign.verification import alignment as aligned
from thermalign.verification.descriptors import Descriptors
from thermalign.verification.matcher import Settings
from thermalign.verification.matcher_state import read_matcher, save_matcher
from thermalign.verification.stored import AlignedFaces


def run(
    *,
    images: Path,
    folds: Path,
    faces: Path,
    matcher: Path,
    visited: Path,
    annotations: Path,
    admitted: Path,
    dataset: str,
    protocol: str,
    fold: int,
    model: str,
    other: str,
    settings: dict[str, Any],
    alignment: dict[str, Any],
    seed: int,
    evaluation: dict[str, Any],
    enrolled: Path,
    metrics: Path,
    replicates: Path,
    code: str,
) -> None:
    """Write a matcher of another dataset's people, and the EER of its annotated points as METRICS.

    Every model shares the matcher. There are no METRICS where no probe is annotated.

    Parameters
    ----------
    images, folds : Path of the tables of the protocol's dataset
    faces : Path of its FACES aligned by annotated points
    matcher : Path of what ``train_matcher`` wrote, for its mapping
    visited, annotations : Path of IMAGES and ANNOTATIONS of the other dataset
    admitted : Path of FOLDS: who of it is tested
    dataset : the protocol's
    protocol, fold, other : wildcards
    model : name of the annotated points
    settings : as in :func:`thermalign.steps.train_matcher.run`, the roles the other dataset's
    alignment, evaluation : the blocks of the configuration
    seed : int
    enrolled : Path of the safetensors file
    metrics, replicates : Path of METRICS, REPLICATES
    code : str
    """
    job = Job.read(visited, admitted, dataset=dataset, protocol=protocol, fold=fold, model=model)
    asked, placed = Settings.of(settings), parse(aligned.Settings, alignment, "alignment")
    truth, own = tables.read(annotations, ANNOTATIONS), read_fold(images, folds)
    where = f"evaluate_on.{other}"
    described = (
        Descriptors.of_aligned(AlignedFaces.read(faces), asked.descriptors),
        enrolled_across.described_gallery(job.rows, truth, asked, placed, where=where),
    )
    mapping = read_matcher(matcher).mapping
    made = enrolled_across.enrol_across(
        own, job.rows, described, mapping, asked, seed=[seed, fold], where=where
    )
    measured = enrolled_across.measure(
        other,
        job.rows,
        truth,
        made,
        draws=job.draws(parse(evaluated.Settings, evaluation, "evaluation")),
        settings=asked,
        aligned=placed,
    )
    described_as = {**settings, "alignment": alignment, "evaluation": evaluation}
    metadata = stamp(code, described_as)
    save_matcher(enrolled, made, metadata)
    job.write(measured, metadata, metrics=metrics, replicates=replicates)
