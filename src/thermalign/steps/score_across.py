"""Verify the probes of another dataset, aligned by a fold's model."""

from pathlib import Path
from typing import Any

from thermalign import tables
from thermalign.evaluation import enrolled_across
from thermalign.evaluation import settings as evaluated
from thermalign.provenance import stamp
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.settings import parse
from thermalign.steps.job import Job
from thermalign.verification import alignment as aligned
from thermalign.verification.matcher import Settings
from thermalign.verification.matcher_state import read_matcher


def run(
    *,
    images: Path,
    admitted: Path,
    predictions: Path,
    enrolled: Path,
    dataset: str,
    protocol: str,
    fold: int,
    model: str,
    other: str,
    settings: dict[str, Any],
    alignment: dict[str, Any],
    evaluation: dict[str, Any],
    metrics: Path,
    replicates: Path,
    code: str,
) -> None:
    """Write the EER of a model on another dataset as METRICS, all ranges together and each.

    Parameters
    ----------
    images : Path of IMAGES of the other dataset
    admitted : Path of FOLDS: who of it is tested
    predictions : Path of PREDICTIONS
    enrolled : Path of what ``enrol_across`` wrote
    dataset : the protocol's
    protocol, fold, model, other : wildcards
    settings : as in :func:`thermalign.steps.enrol_across.run`
    alignment, evaluation : the blocks of the configuration
    metrics, replicates : Path of METRICS, REPLICATES
    code : str
    """
    job = Job.read(images, admitted, dataset=dataset, protocol=protocol, fold=fold, model=model)
    measured = enrolled_across.measure(
        other,
        job.rows,
        tables.read(predictions, PREDICTIONS),
        read_matcher(enrolled),
        draws=job.draws(parse(evaluated.Settings, evaluation, "evaluation")),
        settings=Settings.of(settings),
        aligned=parse(aligned.Settings, alignment, "alignment"),
    )
    metadata = stamp(code, {**settings, "alignment": alignment, "evaluation": evaluation})
    job.write(measured, metadata, metrics=metrics, replicates=replicates)
