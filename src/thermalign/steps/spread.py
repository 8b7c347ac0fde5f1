"""Say how far other training seeds and other test subjects would move each model's NMSE."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thermalign import tables
from thermalign.evaluation.draws import Draws, errors_of
from thermalign.geometry import Floats
from thermalign.metrics import landmarks
from thermalign.metrics.components import deviations, seed_error, variances
from thermalign.metrics.intervals import SCALES, interval, standard_error
from thermalign.provenance import stamp
from thermalign.schemas.dataset import ANNOTATIONS, FOLDS, IMAGES
from thermalign.schemas.measures import SPREAD
from thermalign.schemas.predictions import PREDICTIONS


def run(
    *,
    images: list[Path],
    annotations: list[Path],
    folds: list[Path],
    predictions: list[Path],
    protocols: dict[str, Any],
    models: dict[str, Any],
    settings: dict[str, Any],
    spread: Path,
    code: str,
) -> None:
    """Write SPREAD.

    Parameters
    ----------
    images, annotations : Paths of the tables, one per dataset, in folders of their names
    folds, predictions : lists of Path of the tables, one per training
    protocols : protocol -> its block of the configuration
    models : model of PREDICTIONS -> (name under ``models:``, training seed)
    settings : the ``evaluation:`` block
    spread : Path
    code : str
    """
    known = {path.parent.name: tables.read(path, IMAGES) for path in images}
    truth = {path.parent.name: tables.read(path, ANNOTATIONS) for path in annotations}
    trainings: dict[tuple[str, str], list[Training]] = {}
    for split, prediction in zip(folds, predictions, strict=True):
        rows = tables.read(split, FOLDS).query("role == 'test'")
        found = tables.read(prediction, PREDICTIONS)
        first = found.iloc[0]
        dataset = protocols[first["protocol"]]["dataset"]
        test = known[dataset][known[dataset]["image_id"].isin(rows["image_id"])]
        errors = errors_of(found[found["image_id"].isin(test["image_id"])], truth[dataset], test)
        if len(errors):
            name, seed = models[first["model"]]
            draws = Draws.of_fold(test, known[dataset], settings)
            made = Training(int(first["fold"]), seed, errors, draws.nmse(errors))
            trainings.setdefault((first["protocol"], name), []).append(made)
    rows = pd.DataFrame(_rows(trainings, protocols), columns=SPREAD.names)
    tables.write(spread, rows, SPREAD, stamp(code, settings))


@dataclass(frozen=True)
class Training:
    """What one training did on the test images of its fold.

    Attributes
    ----------
    fold, seed : int
    errors : DataFrame of :func:`thermalign.evaluation.draws.errors_of`
    replicates : (R,) float
        Bootstrap replicates of its NMSE.
    """

    fold: int
    seed: int
    errors: pd.DataFrame
    replicates: Floats

    @property
    def each(self) -> Floats:
        """The error of every annotated image, (N,); NaN where no face was found."""
        return self.errors["error"].to_numpy()

    @property
    def found(self) -> bool:
        """Whether any face was found."""
        return bool(np.isfinite(self.each).any())


def summarise(trainings: list[Training]) -> dict[str, Any]:
    """Return the columns of SPREAD that trainings of one model on one protocol give.

    A figure of a seed is the mean over folds of its NMSE, NaN where it found no face in a fold: the
    mean over the other folds would be one of those that went well. Standard deviations come from
    the mean errors of the test subjects of each fold that every seed found, their variances
    averaged over folds. Every subject counts once there, every image once in the NMSE.
    """
    figures = pd.DataFrame(
        [(t.seed, landmarks.nmse(t.each) if t.found else np.nan) for t in trainings],
        columns=["seed", "nmse"],
    )
    by_seed = figures.groupby("seed")["nmse"].mean(skipna=False).to_numpy()
    replicates = np.mean([t.replicates for t in trainings], axis=0)
    people = [_subjects(trainings, fold) for fold in sorted({t.fold for t in trainings})]
    parts = [variances(p.to_numpy()) for p in people if len(p)]
    subject_sd, seed_sd, residual_sd = deviations(np.mean(parts or [np.full(3, np.nan)], axis=0))
    tested = max(t.errors.dropna()["subject_id"].nunique() for t in trainings)  # as `compare` does
    nmse = float(by_seed.mean())
    low, high = interval(nmse, replicates, subjects=tested, scale=SCALES["nmse"])
    return {
        "nmse": nmse,
        "low": low,
        "high": high,
        "seed_se": seed_error(by_seed),
        "subject_se": standard_error(replicates, subjects=tested),
        "seed_sd": seed_sd,
        "subject_sd": subject_sd,
        "residual_sd": residual_sd,
        "n_seeds": len(by_seed),
        "n_subjects": len({subject for p in people for subject in p.index}),
    }


def _subjects(trainings: list[Training], fold: int) -> pd.DataFrame:
    """Return the mean error of each test subject (rows) under each seed (columns)."""
    columns = {
        t.seed: t.errors.groupby("subject_id")["error"].mean() for t in trainings if t.fold == fold
    }
    return pd.DataFrame(columns).dropna()


def _rows(
    trainings: dict[tuple[str, str], list[Training]], protocols: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    for (protocol, model), theirs in trainings.items():
        if not any(training.found for training in theirs):
            continue
        key = {"protocol": protocol, "model": model}
        n_train = protocols[protocol]["train_subjects"]
        yield {**key, "train_subjects": n_train, **summarise(theirs)}
