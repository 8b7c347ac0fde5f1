"""Join the folds of every model, and compare models pair by pair on what both have."""

from collections.abc import Iterator, Mapping
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thermalign import tables
from thermalign.evaluation.draws import ANNOTATED
from thermalign.evaluation.over_folds import KEY, Key, Replicates, join, of_fold
from thermalign.evaluation.paired import differences as paired
from thermalign.evaluation.placement import on_annotated, placements
from thermalign.evaluation.pooled import pooled
from thermalign.evaluation.study import Study, read_study
from thermalign.metrics.intervals import SCALES
from thermalign.provenance import stamp
from thermalign.schemas.measures import DIFFERENCES, METRICS, REPLICATES, SUMMARY


def run(
    *,
    images: list[Path],
    annotations: list[Path],
    folds: list[Path],
    predictions: list[Path],
    metrics: list[Path],
    replicates: list[Path],
    joined_metrics: list[Path],
    joined_replicates: list[Path],
    scores: list[Path],
    datasets: dict[str, Any],
    headlines: dict[str, Any],
    settings: dict[str, Any],
    displacements: dict[str, Any],
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
    images, annotations : Paths of the tables, one per dataset, in folders of their names
    folds : Paths of FOLDS
    predictions, scores, metrics, replicates : Paths of the tables of every fold and model
        METRICS and REPLICATES are those of ``measure``.
    joined_metrics, joined_replicates : Paths of METRICS, REPLICATES that are only joined over folds
    datasets : protocol -> dataset
    headlines : protocol -> the reading of ``same_moment`` whose subsets have no mark
    settings : the ``evaluation:`` block
    displacements : the ``displacements:`` block, empty without one
    summary, differences : Path
    code : str
    """
    study = read_study(
        images=images,
        annotations=annotations,
        folds=folds,
        models=list(zip(predictions, scores, metrics, replicates, strict=True)),
        datasets=datasets,
        headlines=headlines,
        settings=settings,
    )
    others = (of_fold(tables.read(path, REPLICATES)) for path in joined_replicates)
    drawn = join([*study.replicates, *others])
    every = pd.concat([study.metrics, *(tables.read(path, METRICS) for path in joined_metrics)])
    joined = summarise(every, drawn)
    rows = [*_pooled(study), *shared_people(study)]
    if displacements:
        rows += placements(*on_annotated(joined, drawn, study.folds, displacements), displacements)
    whole = pd.concat([joined, pd.DataFrame(rows, columns=SUMMARY.names)]) if rows else joined
    metadata = stamp(code, settings)
    tables.write(summary, whole.astype({"n_folds": "int32"}), SUMMARY, metadata)
    tables.write(differences, paired(study.folds), DIFFERENCES, metadata)


def summarise(metrics: pd.DataFrame, replicates: Mapping[Key, Replicates]) -> pd.DataFrame:
    """Return the SUMMARY of METRICS.

    A fold in which a metric could not be measured (NaN), or in which it is missing although the
    fold holds its subset, makes it unmeasured over folds: a mean over the other folds would be one
    over the folds that went well. A fold holds the images of a subset if any model has a landmark
    metric of it there, and its probes if any has a rate of it; a fold that holds none, say of a
    range, has nothing to be measured and is left out for everybody. A score, as ``threshold`` is,
    has no mean over folds: scores of different folds share no scale.
    """
    grouped = metrics.groupby(KEY, sort=False)
    table = grouped.agg(
        value=("value", "mean"),
        fold_sd=("value", "std"),
        n=("n", "sum"),
        n_folds=("fold", "nunique"),
        known=("value", "count"),
    ).reset_index()
    folds = metrics.assign(part=_parts(metrics)).groupby(["protocol", "part"])["fold"].nunique()
    held = folds.loc[pd.MultiIndex.from_arrays([table["protocol"], _parts(table)])].to_numpy()
    score = (table["metric"] == "threshold") & (table["n_folds"] > 1)
    table.loc[score | (table.pop("known") < held), ["value", "fold_sd"]] = np.nan
    ends = []
    for *key, value in table[[*KEY, "value"]].itertuples(index=False, name=None):
        made = replicates.get(tuple(key))
        ends.append(made.interval(value, scale=SCALES[key[3]]) if made else (np.nan, np.nan))
    table[["low", "high"]] = np.array(ends).reshape(-1, 2)
    return table.astype({"n_folds": "int32"})


def _parts(metrics: pd.DataFrame) -> pd.Series:
    """Return what a fold must hold for a metric: images or probes, and of which subset."""
    errors = metrics["metric"].str.startswith(("nmse", "ced", "failure"))
    subset = metrics["subset"].str.replace(r"(^|&)landmark=[^&]*", "", regex=True)
    return errors.map({True: "images ", False: "probes "}) + subset.replace("", "all")


def _pooled(study: Study) -> Iterator[dict[str, Any]]:
    for protocol, folds in study.folds.items():
        models = dict.fromkeys(model for fold in folds for model in fold.models)
        for model in models:
            its = [f.models[model].scores for f in folds if model in f.models]
            scores = [rows[""] for rows in its if "" in rows]
            if scores:
                for row in pooled(pd.concat(scores), study.images_of(protocol)):
                    yield {"protocol": protocol, "model": model, **row}


def shared_people(study: Study) -> Iterator[dict[str, Any]]:
    """Yield how many people two protocols of one dataset both test, of the ``n`` of the first.

    Subset ``protocol=OTHER`` of the annotated points' model. What two protocols find of the same
    people is no replication.
    """
    people = {
        protocol: {person for fold in folds for person in fold.known["subject_id"]}
        for protocol, folds in study.folds.items()
    }
    for protocol, other in permutations(people, 2):
        if study.datasets[protocol] == study.datasets[other]:
            yield {
                **dict.fromkeys(("low", "high", "fold_sd"), np.nan),
                "protocol": protocol,
                "model": ANNOTATED,
                "subset": f"protocol={other}",
                "metric": "shared_people",
                "at": 0.0,
                "value": float(len(people[protocol] & people[other])),
                "n": len(people[protocol]),
                "n_folds": len(study.folds[protocol]),
            }
