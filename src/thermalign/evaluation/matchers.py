"""Matchers of one fold on annotated points: the configured one, and variations of it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from thermalign.evaluation.draws import Draws, comparisons_of
from thermalign.evaluation.measured import Measured, difference
from thermalign.evaluation.verification import eers_by_range
from thermalign.schemas.keys import STUDY, Subset
from thermalign.verification import descriptors
from thermalign.verification.descriptors import Descriptors
from thermalign.verification.matcher import FittedMapping, Matcher, Settings, fit_mapping, verify
from thermalign.verification.parts import Part
from thermalign.verification.stored import AlignedFaces

PERMUTATIONS = "permutations"


class Variations:
    """Matchers of one fold that share descriptors and mappings where their settings let them.

    Parameters
    ----------
    rows : DataFrame
        Images of the fold with ``role``.
    faces : AlignedFaces
        By annotated points.
    block : as for :meth:`thermalign.verification.matcher.Settings.of`
        The first reading of ``same_moment`` alone is followed.
    seed : training seed and fold
    """

    def __init__(
        self, rows: pd.DataFrame, faces: AlignedFaces, block: Mapping[str, Any], *, seed: list[int]
    ) -> None:
        self.rows, self.block, self.seed = rows, block, seed
        self._faces = faces
        self._described: dict[descriptors.Settings, Descriptors] = {}
        self._mappings: dict[tuple[descriptors.Settings, Part], FittedMapping] = {}

    @property
    def test(self) -> pd.DataFrame:
        """The annotated test images."""
        annotated = self.rows["image_id"].isin(self._faces.image_ids)
        return self.rows[annotated & (self.rows["role"] == "test")]

    def take(self, matcher: Matcher) -> None:
        """Take the configured mapping from a matcher that another step trained."""
        its = Settings.of(self.block)
        self._mappings[its.descriptors, its.mapping] = matcher.mapping

    def compare(
        self, changes: Mapping[str, Any], *, permutation: int = 0
    ) -> tuple[Matcher, pd.DataFrame]:
        """Return the matcher with changed settings, and its SCORES of the probes.

        Parameters
        ----------
        changes : keys of the ``matcher:`` block with other values
        permutation : int
            As in :func:`thermalign.verification.matcher.enrol`.

        Raises
        ------
        ValueError
            As :func:`verify`.
        """
        its = Settings.of({**self.block, **changes}).headline_only()
        if its.descriptors not in self._described:
            self._described[its.descriptors] = Descriptors.of_aligned(self._faces, its.descriptors)
        described = self._described[its.descriptors]
        decides = its.descriptors, its.mapping  # all that fit_mapping is given, in one fold
        if decides not in self._mappings:
            fitted = fit_mapping(self.rows, described, its.mapping, seed=self.seed[0])
            self._mappings[decides] = fitted
        mapping = self._mappings[decides]
        return verify(self.rows, described, mapping, its, seed=self.seed, permutation=permutation)


def measure_variations(
    made: Variations, blocks: Mapping[str, Any], draws: Draws, *, experiment: str
) -> Iterator[Measured]:
    """Yield the figures of the configured matcher and of every variation of it.

    All ranges and each: ``eer``; ``eer_above_study``, its difference to the configured matcher's on
    the same draws; and ``shared_subjects``: how many test subjects something was fitted to, which
    must be none, of the ``n`` subjects it was fitted to. With permutations, the EER is their mean:
    a single one may leave more images with their own people than chance does on the mean.

    Parameters
    ----------
    made : Variations
    blocks : name -> keys of the ``matcher:`` block that differ, or ``permutations``, how many times
        who is on the gallery's images is shuffled
    draws : Draws
    experiment : MATCHER or SWEEP; the setting is the variation's name
    """
    test = made.test
    study: dict[str, Measured] = {}
    for name, block in {STUDY: {}, **blocks}.items():
        subset = Subset(experiment=experiment, setting=name)
        changes = {key: value for key, value in block.items() if key != PERMUTATIONS}
        shuffles = range(1, block[PERMUTATIONS] + 1) if PERMUTATIONS in block else [0]
        runs = []
        for shuffle in shuffles:
            matcher, scores = made.compare(changes, permutation=shuffle)
            found = eers_by_range(subset, comparisons_of(scores, test), draws)
            runs.append({part.range: rate for part, rate in found})
        fitted = matcher.fitted_on()
        shared = len(fitted & set(test["subject_id"]))
        yield Measured(subset, "shared_subjects", shared, len(fitted))
        rates = {
            part: mean_of_shuffles([run[part] for run in runs], seed=made.seed) for part in runs[0]
        }
        yield from rates.values()
        study = study or rates
        if name != STUDY:
            for part, own in rates.items():
                yield difference("eer_above_study", own, study[part])


def mean_of_shuffles(figures: list[Measured], *, seed: list[int]) -> Measured:
    """Return the mean of one figure over P shuffles, which are drawn again as subjects are.

        draw = mean over shuffles + sqrt(P / (P - 1)) (mean over P drawn shuffles - that mean)

    So the interval holds how far other shuffles would have led; the factor takes back that P drawn
    out of P vary too little. One alone is returned as it is.

    Parameters
    ----------
    figures : P Measured of the same draws, R of them
    seed : list of int
        Draws shuffles.

    Source
    ------
    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 5.3, for the factor.
    """
    if len(figures) == 1:
        return figures[0]
    each = np.stack([figure.replicates for figure in figures])  # (P, R)
    shuffles, draws = each.shape
    picked = np.random.default_rng(seed).integers(shuffles, size=each.shape)
    away = each[picked, np.arange(draws)].mean(axis=0) - each.mean(axis=0)
    replicates = each.mean(axis=0) + np.sqrt(shuffles / (shuffles - 1)) * away
    value = float(np.mean([figure.value for figure in figures]))
    return replace(figures[0], value=value, replicates=replicates)
