"""Join the folds of every model, and compare models pair by pair on what both have."""

from pathlib import Path
from typing import Any

import pandas as pd

from thermalign import tables
from thermalign.evaluation import displacement, further
from thermalign.evaluation.over_folds import join, pooled, shared_people, summarise
from thermalign.evaluation.paired import differences as paired
from thermalign.evaluation.placement import on_annotated, placements
from thermalign.evaluation.settings import Settings
from thermalign.evaluation.side_by_side import above_first
from thermalign.evaluation.study import folds_of
from thermalign.provenance import stamp
from thermalign.schemas.dataset import ANNOTATIONS, FOLDS, IMAGES
from thermalign.schemas.matching import SCORES
from thermalign.schemas.measures import DIFFERENCES, METRICS, REPLICATES, SUMMARY
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.settings import parse


def run(
    *,
    images: list[Path],
    annotations: list[Path],
    folds: list[Path],
    predictions: list[Path],
    scores: list[Path],
    metrics: list[Path],
    replicates: list[Path],
    joined_metrics: list[Path],
    joined_replicates: list[Path],
    dataset: list[str],
    datasets: dict[str, Any],
    headlines: dict[str, Any],
    settings: dict[str, Any],
    displacements: dict[str, Any],
    firsts: dict[str, Any],
    summary: Path,
    differences: Path,
    code: str,
) -> None:
    """Write SUMMARY and DIFFERENCES.

    A metric over folds is the mean of its folds: scores of different folds share no scale. Its
    interval rests on the mean over folds of each bootstrap replicate. Differences between models
    are on what both have: see :mod:`thermalign.evaluation.paired`.

    Parameters
    ----------
    images, annotations : Paths of the tables, one per dataset
    folds : Paths of FOLDS
    predictions, scores, metrics, replicates : Paths of the tables of every fold and model
        METRICS and REPLICATES are those of ``measure``.
    joined_metrics, joined_replicates : Paths of METRICS, REPLICATES that are only joined over folds
    dataset : names of the datasets, in the order of ``images``
    datasets : protocol -> dataset
    headlines : protocol -> the reading of ``same_moment`` whose subsets have no mark
    settings : the ``evaluation:`` block
    displacements : the ``displacements:`` block, empty without one
    firsts : as for :func:`thermalign.evaluation.side_by_side.above_first`
    summary, differences : Path
    code : str
    """
    known = {n: tables.read(path, IMAGES) for n, path in zip(dataset, images, strict=True)}
    truth = {n: tables.read(p, ANNOTATIONS) for n, p in zip(dataset, annotations, strict=True)}
    compared = tables.Shelf(scores, SCORES)
    measured = tables.read_many(metrics, METRICS)
    drawn = tables.read_many(replicates, REPLICATES)
    asked = parse(Settings, settings, "evaluation")
    protocols = folds_of(
        folds=tables.read_many(folds, FOLDS),
        images=known,
        annotations=truth,
        predictions=tables.Shelf(predictions, PREDICTIONS),
        scores=compared,
        metrics=measured,
        replicates=drawn,
        datasets=datasets,
        headlines=headlines,
        settings=asked,
    )
    every = join(pd.concat([drawn, tables.read_many(joined_replicates, REPLICATES)]))
    joined = summarise(
        pd.concat([measured, tables.read_many(joined_metrics, METRICS)]),
        every,
        of_images=further.names_of_errors(asked.metrics),
    )
    tested = {p: [fold.known["subject_id"] for fold in its] for p, its in protocols.items()}
    rows = [
        *pooled(compared, known, datasets=datasets, headlines=headlines),
        *shared_people(tested, datasets),
    ]
    rows += above_first(joined, every, firsts)
    if displacements:
        doses = parse(displacement.Settings, displacements, "displacements")
        rows += placements(*on_annotated(joined, every, protocols, doses), doses)
    whole = pd.concat([joined, pd.DataFrame(rows, columns=SUMMARY.names)]) if rows else joined
    metadata = stamp(code, settings)
    tables.write(summary, whole.astype({"n_folds": "int32"}), SUMMARY, metadata)
    tables.write(differences, paired(protocols, datasets), DIFFERENCES, metadata)
