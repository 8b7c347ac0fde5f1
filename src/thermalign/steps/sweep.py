"""Compare settings of the matcher on training subjects alone, so that they may be chosen by it."""

from pathlib import Path
from typing import Any

import pandas as pd

from thermalign import tables
from thermalign.evaluation.draws import Draws
from thermalign.evaluation.matchers import Variations, measure_variations
from thermalign.evaluation.measured import write_measured
from thermalign.evaluation.thresholds import FEWEST, halves
from thermalign.provenance import stamp
from thermalign.records import read_fold
from thermalign.schemas.dataset import IMAGES
from thermalign.schemas.matching import FACES


def run(
    *,
    images: Path,
    folds: Path,
    faces: Path,
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
    altogether. See :func:`thermalign.evaluation.matchers.measure_variations`; subset ``sweep=NAME``.
    Under the protocol's headline reading of ``same_moment`` alone.

    Parameters
    ----------
    images, folds : Path of the tables
    faces : Path of FACES aligned by annotated points
    protocol, fold, model : wildcards
    settings : as in :func:`thermalign.steps.train_matcher.run`
    sweep : name -> keys of ``settings`` that differ
    seed : int
    evaluation : the ``evaluation:`` block
    metrics, replicates : Path of METRICS, REPLICATES
    code : str
    """
    inner = within_training(read_fold(images, folds), seed=[seed, fold])
    made = Variations(inner, tables.read(faces, FACES), settings, seed=[seed, fold])
    test = made.rows[made.rows["role"] == "test"]
    draws = Draws.of_fold(test, tables.read(images, IMAGES), evaluation)
    measured = list(measure_variations(made, sweep, draws, prefix="sweep"))
    key = {"protocol": protocol, "fold": fold, "model": model}
    metadata = stamp(code, {**settings, "sweep": sweep, "evaluation": evaluation})
    write_measured(measured, key, metadata, metrics=metrics, replicates=replicates)


def within_training(rows: pd.DataFrame, *, seed: list[int]) -> pd.DataFrame:
    """Return a fold inside a fold: half of the training subjects become its test subjects.

    Parameters
    ----------
    rows : DataFrame of IMAGES with ``role``
    seed : list of int

    Raises
    ------
    ValueError
        If there are fewer than four training subjects: two to test on, two to train on.
    """
    inner = halves(rows, seed=seed)
    if not inner:
        people = rows.loc[rows["role"] == "train", "subject_id"].nunique()
        raise ValueError(
            f"sweep: {people} training subjects cannot be halved; give {FEWEST} at least, or take "
            "sweep: out"
        )
    return inner[0]
