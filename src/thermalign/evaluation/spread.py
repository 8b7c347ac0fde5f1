"""How far other training seeds and other test subjects would move each model's NMSE."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from thermalign.evaluation.draws import Draws, errors_of
from thermalign.evaluation.landmarks import nmse
from thermalign.evaluation.measured import NONE, Measured
from thermalign.evaluation.settings import Settings
from thermalign.metrics.components import deviations, seed_error, variances
from thermalign.metrics.intervals import POSITIVE, interval, standard_error
from thermalign.schemas.keys import ALL


@dataclass(frozen=True)
class Training:
    """What one training did on the test images of its fold, people by people.

    Attributes
    ----------
    protocol, model : str
        The model's name under ``models:``, over all seeds.
    fold, seed : int
    people : Series by subject
        Mean error of the annotated images in which a face was found; NaN without any.
    nmse : Measured
    """

    protocol: str
    model: str
    fold: int
    seed: int
    people: pd.Series
    nmse: Measured

    @property
    def found(self) -> bool:
        """Whether any face was found."""
        return bool(self.people.notna().any())


def trainings(
    tables: Iterable[tuple[pd.DataFrame, pd.DataFrame]],
    images: Mapping[str, pd.DataFrame],
    annotations: Mapping[str, pd.DataFrame],
    settings: Settings,
    *,
    datasets: Mapping[str, str],
    models: Mapping[str, tuple[str, int]],
) -> Iterator[Training]:
    """Yield what every training did, of those with annotated test images.

    Parameters
    ----------
    tables : FOLDS and PREDICTIONS of every training
    images, annotations : DataFrame of IMAGES, ANNOTATIONS by dataset
    settings : Settings
    datasets : dataset by protocol
    models : name under ``models:`` and training seed, by model of PREDICTIONS
    """
    for folds, predictions in tables:
        first = predictions.iloc[0]
        dataset = datasets[first["protocol"]]
        known = images[dataset]
        test = known[known["image_id"].isin(folds.query("role == 'test'")["image_id"])]
        found = predictions[predictions["image_id"].isin(test["image_id"])]
        errors = errors_of(found, annotations[dataset], test)
        if len(errors):
            (name, seed), fold = models[first["model"]], int(first["fold"])
            figure = nmse(ALL, errors, Draws.of_fold(test, known, settings))
            people = errors.groupby("subject_id")["error"].mean()
            yield Training(first["protocol"], name, fold, seed, people, figure)


def spreads(
    every: Iterable[Training], train_subjects: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    """Yield rows of SPREAD: every model of every protocol that found a face.

    Parameters
    ----------
    every : Training
    train_subjects : by protocol, validation subjects included
    """
    by_model: dict[tuple[str, str], list[Training]] = {}
    for training in every:
        by_model.setdefault((training.protocol, training.model), []).append(training)
    for (protocol, model), its in by_model.items():
        if any(training.found for training in its):
            key = {"protocol": protocol, "model": model}
            yield {**key, "train_subjects": train_subjects[protocol], **summarise(its)}


def summarise(its: Sequence[Training]) -> dict[str, Any]:
    """Return the columns of SPREAD that trainings of one model on one protocol give.

    A figure of a seed is the mean over folds of its NMSE, NaN where it found no face in a fold: the
    mean over the other folds would be one of those that went well. Standard deviations come from
    the mean errors of the test subjects of each fold that every seed found, their variances
    averaged over folds. Every subject counts once there, every image once in the NMSE.
    """
    figures = pd.DataFrame([(t.seed, t.nmse.value) for t in its], columns=["seed", "nmse"])
    by_seed = figures.groupby("seed")["nmse"].mean(skipna=False).to_numpy()
    drawn = [t.nmse.replicates for t in its]
    replicates = np.mean(drawn, axis=0) if all(t.found for t in its) else NONE
    people = [_subjects(its, fold) for fold in sorted({t.fold for t in its})]
    parts = [variances(p.to_numpy()) for p in people if len(p)]
    subject_sd, seed_sd, residual_sd = deviations(np.mean(parts or [np.full(3, np.nan)], axis=0))
    tested = max(t.nmse.subjects for t in its)  # as `compare` does
    value = float(by_seed.mean())
    low, high = interval(value, replicates, subjects=tested, scale=POSITIVE)
    return {
        "nmse": value,
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


def _subjects(its: Iterable[Training], fold: int) -> pd.DataFrame:
    """Return the mean error of each test subject (rows) under each seed (columns)."""
    return pd.DataFrame({t.seed: t.people for t in its if t.fold == fold}).dropna()
