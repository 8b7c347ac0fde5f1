"""Compare settings of the matcher on training subjects alone, so that they may be chosen by it."""

from pathlib import Path
from typing import Any

from thermalign.evaluation import settings as evaluated
from thermalign.evaluation.halves import within_training
from thermalign.evaluation.matchers import Variations, measure_variations
from thermalign.provenance import stamp
from thermalign.schemas.keys import SWEEP
from thermalign.settings import parse
from thermalign.steps.job import Job
from thermalign.verification.stored import AlignedFaces


def run(
    *,
    images: Path,
    folds: Path,
    faces: Path,
    networks: list[Path],
    dataset: str,
    protocol: str,
    fold: int,
    model: str,
    settings: dict[str, Any],
    sweep: dict[str, Any],
    seed: int,
    evaluation: dict[str, Any],
    metrics: Path,
    replicates: Path,
    code: str,
) -> None:
    """Write the METRICS of every variation, tested on half of the fold's training subjects.

    The other half trains it; validation subjects stop it; the fold's test subjects are left out
    altogether. See :func:`thermalign.evaluation.matchers.measure_variations`. Under the protocol's
    headline reading of ``same_moment`` alone.

    Parameters
    ----------
    images, folds : Path of the tables
    faces : Path of FACES aligned by annotated points
    networks : states of networks; not used here: the settings name those that are applied
    dataset : the protocol's
    protocol, fold, model : wildcards
    settings : as in :func:`thermalign.steps.train_matcher.run`
    sweep : name -> keys of ``settings`` that differ
    seed : int
    evaluation : the ``evaluation:`` block
    metrics, replicates : Path of METRICS, REPLICATES
    code : str
    """
    job = Job.read(images, folds, dataset=dataset, protocol=protocol, fold=fold, model=model)
    inner = within_training(job.rows, seed=[seed, fold])
    made = Variations(inner, AlignedFaces.read(faces), settings, seed=[seed, fold])
    draws = job.draws(parse(evaluated.Settings, evaluation, "evaluation"), made.test)
    measured = measure_variations(made, sweep, draws, experiment=SWEEP)
    metadata = stamp(code, {**settings, "sweep": sweep, "evaluation": evaluation})
    job.write(measured, metadata, metrics=metrics, replicates=replicates)
