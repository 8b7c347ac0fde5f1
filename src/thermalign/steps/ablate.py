"""Take the matcher of a fold apart: every part left out or exchanged, on the annotated points."""

from pathlib import Path
from typing import Any

from thermalign import tables
from thermalign.evaluation.draws import Draws
from thermalign.evaluation.matchers import Variations, measure_variations
from thermalign.evaluation.measured import write_measured
from thermalign.provenance import stamp
from thermalign.records import read_fold
from thermalign.schemas.dataset import IMAGES
from thermalign.schemas.matching import FACES
from thermalign.verification.matcher import read_matcher


def run(
    *,
    images: Path,
    folds: Path,
    faces: Path,
    matcher: Path,
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

    See :func:`thermalign.evaluation.matchers.measure_variations`; subset ``matcher=NAME``. Under the
    protocol's headline reading of ``same_moment`` alone.

    Parameters
    ----------
    images, folds : Path of the tables
    faces : Path of FACES aligned by annotated points
    matcher : Path of what ``train_matcher`` wrote
    protocol, fold, model : wildcards
    settings : as in :func:`thermalign.steps.train_matcher.run`
    ablation : name -> keys of ``settings`` that differ, or ``permutations``
    seed : int
    evaluation : the ``evaluation:`` block
    metrics, replicates : Path of METRICS, REPLICATES
    code : str
    """
    made = Variations(
        read_fold(images, folds), tables.read(faces, FACES), settings, seed=[seed, fold]
    )
    made.take(read_matcher(matcher))
    test = made.rows[made.rows["role"] == "test"]
    draws = Draws.of_fold(test, tables.read(images, IMAGES), evaluation)
    measured = list(measure_variations(made, ablation, draws, prefix="matcher"))
    key = {"protocol": protocol, "fold": fold, "model": model}
    metadata = stamp(code, {**settings, "ablation": ablation, "evaluation": evaluation})
    write_measured(measured, key, metadata, metrics=metrics, replicates=replicates)
