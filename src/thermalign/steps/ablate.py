"""Take the matcher of a fold apart: every part left out or exchanged, on the annotated points."""

from pathlib import Path
from typing import Any

from thermalign.evaluation import settings as evaluated
from thermalign.evaluation.matchers import Variations, measure_variations
from thermalign.provenance import stamp
from thermalign.schemas.keys import MATCHER
from thermalign.settings import parse
from thermalign.steps.job import Job
from thermalign.verification.matcher_state import read_matcher
from thermalign.verification.stored import AlignedFaces


def run(
    *,
    images: Path,
    folds: Path,
    faces: Path,
    matcher: Path,
    networks: list[Path],
    dataset: str,
    protocol: str,
    fold: int,
    model: str,
    settings: dict[str, Any],
    ablation: dict[str, Any],
    seed: int,
    evaluation: dict[str, Any],
    metrics: Path,
    replicates: Path,
    code: str,
) -> None:
    """Write the METRICS of the configured matcher and of every variation of it.

    See :func:`thermalign.evaluation.matchers.measure_variations`. Under the protocol's headline
    reading of ``same_moment`` alone.

    Parameters
    ----------
    images, folds : Path of the tables
    faces : Path of FACES aligned by annotated points
    matcher : Path of what ``train_matcher`` wrote
    networks : states of networks; not used here: the settings name those that are applied
    dataset : the protocol's
    protocol, fold, model : wildcards
    settings : as in :func:`thermalign.steps.train_matcher.run`
    ablation : name -> keys of ``settings`` that differ, or ``permutations``
    seed : int
    evaluation : the ``evaluation:`` block
    metrics, replicates : Path of METRICS, REPLICATES
    code : str
    """
    job = Job.read(images, folds, dataset=dataset, protocol=protocol, fold=fold, model=model)
    made = Variations(job.rows, AlignedFaces.read(faces), settings, seed=[seed, fold])
    made.take(read_matcher(matcher))
    draws = job.draws(parse(evaluated.Settings, evaluation, "evaluation"), made.test)
    measured = measure_variations(made, ablation, draws, experiment=MATCHER)
    metadata = stamp(code, {**settings, "ablation": ablation, "evaluation": evaluation})
    job.write(measured, metadata, metrics=metrics, replicates=replicates)
