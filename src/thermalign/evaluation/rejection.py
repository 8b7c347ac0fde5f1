"""What it brings to reject the probes that a detector is least sure of, and what it costs.

A rejected probe is a failure to acquire (ISO/IEC 19795-1): another image is asked for, or its owner
is turned away. So errors among accepted probes fall and ``fta`` rises; ``eer``, of all attempts,
has both. Beside it stand rejection at random, which has the price without the gain, and by the true
landmark error, which no detector knows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from thermalign.evaluation.compared import Compared
from thermalign.evaluation.draws import Draws, by_range
from thermalign.evaluation.measured import NONE, Measured, difference
from thermalign.geometry import Floats, Integers
from thermalign.metrics.bootstrap import rejection_replicates
from thermalign.metrics.failures import acquired
from thermalign.metrics.intervals import POSITIVE, RATE
from thermalign.metrics.selective import kept
from thermalign.schemas.keys import CONFIDENCE, RANDOM, REJECTION, TRUE_ERROR, Subset

COMPARED = ("eer_found", "nmse")
"""Figures of accepted probes, told beside those of random rejection."""


@dataclass(frozen=True)
class Probes:
    """P probes of a fold, their M comparisons, and how likely each probe is kept.

    Attributes
    ----------
    table : DataFrame
        ``subject_id``, ``range``, and ``error``: NaN where it is not known.
    compared : Compared
    row : (M,) int, the probe of each comparison
    keep : (P,) float
    draws : Draws
    """

    table: pd.DataFrame
    compared: Compared
    row: Integers
    keep: Floats
    draws: Draws

    def figures(self, subset: Subset) -> dict[str, Measured]:
        """Return what is measured of them, by metric."""
        made = [
            self.fta(subset, np.arange(len(self.table))),
            self.nmse(subset),
            *self.rates(subset),
        ]
        return {figure.metric: figure for figure in made}

    def fta(self, subset: Subset, rows: Integers) -> Measured:
        """Return the share of some probes that are rejected, or had no aligned face before.

        Of one chance for all of them there is no interval: it is who is asked that varies, not it.
        """
        lost, people = 1 - self.keep[rows], self.table["subject_id"].iloc[rows]
        varies = np.ptp(lost) > 0
        drawn = self.draws.ratio(lost, np.ones(len(rows)), people) if varies else NONE
        value = float(lost.mean())
        return Measured(subset, "fta", value, len(rows), drawn, people.nunique(), scale=RATE)

    def nmse(self, subset: Subset) -> Measured:
        """Return the mean error of accepted probes that are annotated; NaN without any."""
        each = self.table["error"].to_numpy()
        keep = np.where(np.isnan(each), 0, self.keep)
        if not keep.any():
            return Measured(subset, "nmse", float("nan"), 0)
        people, over = self.table["subject_id"], keep * np.nan_to_num(each)
        value, n = float(over.sum() / keep.sum()), round(keep.sum())
        drawn, rest = self.draws.ratio(over, keep, people), people[keep > 0].nunique()
        return Measured(subset, "nmse", value, n, drawn, rest, scale=POSITIVE)

    def rates(self, subset: Subset) -> Iterator[Measured]:
        """Yield ``eer`` of all attempts and ``eer_found`` of accepted probes; NaN of no class."""
        keep, its = self.keep[self.row], self._accepted
        counts = len(self.compared), round(keep.sum())
        found = np.full((2, 1), np.nan)
        if its.measurable:
            weights = np.vstack([np.ones((1, self.draws.weights.shape[1])), self.draws.weights])
            four = self.compared.score, self.compared.genuine, self.compared.probe
            found = np.array(
                rejection_replicates(*four, self.compared.gallery, weights=weights, kept=keep)
            )
        people = self.compared.subjects, its.subjects
        for metric, n, rates, rest in zip(("eer", "eer_found"), counts, found, people, strict=True):
            drawn = rates[1:] if len(rates) > 1 else NONE
            yield Measured(subset, metric, float(rates[0]), n, drawn, rest, scale=RATE)

    @cached_property
    def _accepted(self) -> Compared:
        return self.compared.take(self.keep[self.row] > 0)


def evaluate(
    comparisons: pd.DataFrame,
    predictions: pd.DataFrame,
    errors: pd.DataFrame,
    draws: Draws,
    shares: Sequence[float],
) -> Iterator[Measured]:
    """Yield what becomes of a fold's probes when some are rejected.

    By setting (``confidence``, ``random``, ``true_error``) and share (the level): ``fta``, rejected
    probes included; ``eer`` of all attempts; ``eer_found`` and ``nmse`` of accepted probes, and how
    far the two lie above random rejection (``eer_found_above_random``, ``nmse_above_random``). By
    range ``fta`` alone: whom it hits.

    A share is one of the acquired probes at hand, so that they set its threshold themselves; that
    threshold stays when subjects are drawn again. Probes that are equally sure, and the last one
    where the share is no whole number of them, are rejected in part. Rejection at random is the
    expectation over all ways of it, without drawing. An acquired probe of which the model states
    no error is less sure than all others. Nothing is yielded where it states none of any; nothing
    by the true error where one is not annotated.

    Parameters
    ----------
    comparisons : DataFrame of :func:`thermalign.evaluation.draws.comparisons_of`
        Of one reading of ``same_moment``.
    predictions : DataFrame of PREDICTIONS
    errors : DataFrame of :func:`thermalign.evaluation.draws.errors_of`
    draws : Draws
    shares : between 0 and 1
    """
    row, ids = pd.factorize(comparisons["probe_id"])
    table = comparisons.drop_duplicates("probe_id")[["subject_id", "range"]].reset_index(drop=True)
    stated = predictions.groupby("image_id")["expected_error"]
    table["error"] = errors.set_index("image_id")["error"].reindex(ids).to_numpy()
    found = np.zeros(len(ids), bool)
    found[row[acquired(comparisons["score"].to_numpy())]] = True
    expected = stated.agg(lambda its: its.mean(skipna=False)).reindex(ids).to_numpy(float)
    if np.isnan(expected[found]).all():
        return
    by = {
        RANDOM: np.zeros(len(ids)),
        CONFIDENCE: _unknown_last(expected, found),
        TRUE_ERROR: table["error"].to_numpy(),
    }
    every = Probes(table, Compared.of(comparisons, draws), row, found.astype(float), draws)
    for share in shares:
        beside: dict[str, Measured] = {}
        for setting, uncertain in by.items():
            if np.isnan(uncertain[found]).any():
                continue
            keep = np.zeros(len(ids))
            keep[found] = kept(uncertain[found], share)
            its = replace(every, keep=keep)
            subset = Subset(experiment=REJECTION, setting=setting, level=share)
            made = its.figures(subset)
            yield from made.values()
            beside = beside or made
            if setting != RANDOM:
                for metric in COMPARED:
                    if np.isfinite(made[metric].value):
                        yield difference(f"{metric}_above_random", made[metric], beside[metric])
                for part, rows in by_range(table):
                    if part.range:
                        yield its.fta(subset._replace(range=part.range), rows.index.to_numpy())


def _unknown_last(expected: Floats, found: npt.NDArray[np.bool_]) -> Floats:
    """Put what is not known above all that is known of found probes; the unknown are alike."""
    return np.where(np.isnan(expected), np.nanmax(expected[found]) + 1, expected)
