"""Errors and scores of a model beside what is known of each image, and the subsets of both."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from thermalign.evaluation.settings import Settings
from thermalign.geometry import LANDMARKS, Floats, Integers
from thermalign.metrics.bootstrap import (
    nmse_replicates,
    ratio_replicates,
    subject_weights,
)
from thermalign.metrics.landmarks import normalized_errors
from thermalign.records import points_of
from thermalign.schemas.keys import ALL, ANNOTATED, Subset

KNOWN = ["image_id", "subject_id", "volume", "range", "condition"]
"""Columns of IMAGES that errors and comparisons carry."""

MOST_VALUES = 12
"""Values beyond which an attribute names single people or numbers rather than groups. ASSUME."""


def errors_of(
    predictions: pd.DataFrame,
    annotations: pd.DataFrame,
    images: pd.DataFrame,
    landmarks: Sequence[str] = LANDMARKS,
) -> pd.DataFrame:
    """Return the normalised errors of a model's annotated images.

    Parameters
    ----------
    predictions, annotations, images : DataFrame of PREDICTIONS, ANNOTATIONS, IMAGES
    landmarks : M str
        Those that are compared.

    Returns
    -------
    DataFrame
        The columns ``KNOWN``, one per landmark, and ``error``, their mean; empty for the annotated
        points themselves.
    """
    asked = predictions["image_id"].drop_duplicates()
    ids = list(asked[asked.isin(annotations["image_id"])])
    if (predictions["model"] == ANNOTATED).any():
        ids = []
    found, true = points_of(predictions, ids), points_of(annotations, ids)
    each = normalized_errors(found, true, [LANDMARKS.index(name) for name in landmarks])
    table = images.set_index("image_id").loc[ids].reset_index()[KNOWN]
    table[list(landmarks)] = each
    return table.assign(error=each.mean(axis=1))


def comparisons_of(scores: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return the scores with the columns ``KNOWN`` of their probes."""
    return scores.merge(images[KNOWN], left_on="probe_id", right_on="image_id")


def subsets(table: pd.DataFrame) -> Iterator[tuple[Subset, pd.DataFrame]]:
    """Yield every subset of a table: all, then by range, volume, condition and pairs of them."""
    yield ALL, table
    for columns in (
        ["range"],
        ["volume"],
        ["condition"],
        ["volume", "range"],
        ["range", "condition"],
    ):
        for values, rows in table.groupby(columns, sort=True):
            about: dict[str, Any] = dict(zip(columns, map(str, values), strict=True))
            yield Subset(**about), rows


def by_range(table: pd.DataFrame) -> Iterator[tuple[Subset, pd.DataFrame]]:
    """Yield the subsets of :func:`subsets` that are all rows, or all of one range."""
    yield ALL, table
    for value, rows in table.groupby("range", sort=True):
        yield Subset(range=str(value)), rows


def telling(attributes: pd.DataFrame, image_ids: Iterable[str]) -> pd.DataFrame:
    """Return the ATTRIBUTES of images that part them: of two values at least.

    An attribute of more than ``MOST_VALUES`` values is left out, and the log says so.

    Parameters
    ----------
    attributes : DataFrame of ATTRIBUTES
    image_ids : the images that are to be parted
    """
    theirs = attributes[attributes["image_id"].isin(set(image_ids))]
    values = theirs.groupby("name")["value"].nunique()
    for name, count in values[values > MOST_VALUES].items():
        print(f"attribute {name} has {count} values: not measured by value", file=sys.stderr)
    return theirs[theirs["name"].isin(values.index[values.between(2, MOST_VALUES)])]


def by_attribute(
    table: pd.DataFrame, attributes: pd.DataFrame
) -> Iterator[tuple[Subset, pd.DataFrame]]:
    """Yield the rows of every value of every attribute, all of them and of each range.

    Parameters
    ----------
    table : DataFrame with ``image_id`` and ``range``
    attributes : DataFrame of :func:`telling`
    """
    for (name, value), images in attributes.groupby(["name", "value"], sort=True):
        rows = table[table["image_id"].isin(set(images["image_id"]))]
        for subset, its in by_range(rows) if len(rows) else ():
            yield subset._replace(attribute=str(name), attribute_value=str(value)), its


@dataclass(frozen=True)
class Draws:
    """One fold's part of the bootstrap draws of its dataset, the same for every model and subset.

    Attributes
    ----------
    subjects : sorted test subjects, S of them
    weights : (R, S) float
    """

    subjects: list[str]
    weights: Floats

    def columns(self, subjects: Any) -> Integers:
        """Return the column of ``weights`` of each subject."""
        return np.asarray(pd.Index(self.subjects).get_indexer(subjects))

    @classmethod
    def of_fold(cls, test: pd.DataFrame, images: pd.DataFrame, settings: Settings) -> "Draws":
        """Draw subjects of the dataset; every fold, model and step that asks gets the same draws.

        Folds share people. Drawn apart, they would vary independently and their mean far too
        little; so everyone is drawn once, and a fold takes its test subjects' columns.

        Parameters
        ----------
        test : DataFrame
            Test images of the fold.
        images : DataFrame
            All images of the dataset, or at least one of every subject.
        settings : Settings
        """
        everyone = sorted(images["subject_id"].unique())
        weights = subject_weights(len(everyone), replicates=settings.replicates, seed=settings.seed)
        tested = np.isin(everyone, test["subject_id"].unique())
        return cls(list(np.array(everyone)[tested]), weights[:, tested])

    def nmse(self, errors: pd.DataFrame) -> Floats:
        """Return the replicates of the NMSE of rows of :func:`errors_of`."""
        columns = self.columns(errors["subject_id"])
        return nmse_replicates(errors["error"].to_numpy(), columns, self.weights)

    def ratio(self, over: Floats, under: Floats, subjects: pd.Series) -> Floats:
        """Return the replicates of the ratio of two sums over images of ``subjects``."""
        return ratio_replicates(over, under, self.columns(subjects), self.weights)
