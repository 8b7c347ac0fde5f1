"""Variations of a fold's matcher, scored on the same probes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from thermalign.evaluation.draws import Draws, comparisons_of
from thermalign.evaluation.measured import Measured
from thermalign.evaluation.rates import difference_of, eers_by_range
from thermalign.verification.descriptors import Descriptors
from thermalign.verification.enrolment import probes_of
from thermalign.verification.matcher import Mapping as Bridge
from thermalign.verification.matcher import Matcher, enrol, fit_mapping, score_probes
from thermalign.verification.readings import headline_of

STUDY = "study"
"""Name of the matcher as it is configured."""


DESCRIBES = ("dog", "features")


MAPS = (*DESCRIBES, "mapping", "dpm")


PERMUTATIONS = "permutations"


class Variations:
    """Matchers of one fold that share descriptors and mappings where their settings let them.

    Parameters
    ----------
    rows : DataFrame
        Images of the fold with ``role``.
    faces : DataFrame of FACES aligned by annotated points
    settings : the ``matcher:`` block with the protocol's ``gallery``, ``probe`` and
        ``same_moment``, of which the first reading alone is followed
    seed : training seed and fold
    """

    def __init__(
        self, rows: pd.DataFrame, faces: pd.DataFrame, settings: dict[str, Any], *, seed: list[int]
    ) -> None:
        self.every, self.rows = rows, rows[rows["image_id"].isin(faces["image_id"])]
        self.settings = {**settings, "same_moment": [headline_of(settings)]}
        self.faces, self.seed = faces, seed
        self._described: dict[str, Descriptors] = {}
        self._mappings: dict[str, Bridge] = {}

    def take(self, matcher: Matcher) -> None:
        """Take the configured mapping from a matcher that another step trained."""
        self._mappings[_key(self.settings, MAPS)] = matcher.mapping

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
            If no probe is annotated.
        """
        its = {**self.settings, **changes}
        described = self._described.setdefault(_key(its, DESCRIBES), Descriptors(self.faces, its))
        key = _key(its, MAPS)
        if key not in self._mappings:
            self._mappings[key] = fit_mapping(self.rows, described, its, seed=self.seed[0])
        matcher = enrol(
            self.every, described, self._mappings[key], its, seed=self.seed, permutation=permutation
        )
        probes = probes_of(self.every, its, matcher.enrolment.images)
        probes = probes[described.have(probes["image_id"])]
        if probes.empty:
            raise ValueError(
                f"no annotated image is a probe ({its['probe']}), so that matchers cannot be "
                "compared on annotated points: take ablation: and sweep: out, or annotate probes"
            )
        names, usable = list(probes["image_id"]), np.ones(len(probes), bool)
        scores = score_probes(
            matcher, probes, usable, lambda: described.of(names), readings=its["same_moment"]
        )
        return matcher, scores


def measure_variations(
    made: Variations, blocks: Mapping[str, Any], draws: Draws, *, prefix: str
) -> Iterator[Measured]:
    """Yield the figures of the configured matcher and of every variation of it.

    As subset ``PREFIX=NAME``, all ranges and each: ``eer``; ``eer_above_study``, its difference to
    the configured matcher's on the same draws; and ``shared_subjects``: how many test subjects
    something was fitted to, which must be none, of the ``n`` subjects it was fitted to. With
    permutations, the EER is their mean: a single one may leave more images with their own people
    than chance does on the mean.

    Parameters
    ----------
    made : Variations
    blocks : name -> keys of the ``matcher:`` block that differ, or ``permutations``, how many times
        who is on the gallery's images is shuffled
    draws : Draws
    prefix : str
    """
    test = made.rows[made.rows["role"] == "test"]
    study: dict[str, Measured] = {}
    for name, block in {STUDY: {}, **blocks}.items():
        changes = {key: value for key, value in block.items() if key != PERMUTATIONS}
        shuffles = range(1, block[PERMUTATIONS] + 1) if PERMUTATIONS in block else [0]
        runs = []
        for shuffle in shuffles:
            matcher, scores = made.compare(changes, permutation=shuffle)
            comparisons = comparisons_of(scores, test)
            runs.append(dict(eers_by_range(f"{prefix}={name}", comparisons, draws)))
        fitted = matcher.fitted_on()
        shared = len(fitted & set(test["subject_id"]))
        yield Measured(f"{prefix}={name}", "shared_subjects", shared, len(fitted))
        rates = {
            part: mean_of_shuffles([run[part] for run in runs], seed=made.seed) for part in runs[0]
        }
        yield from rates.values()
        study = study or rates
        if name != STUDY:
            for part, own in rates.items():
                yield difference_of("eer_above_study", own, study[part])


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


def _key(settings: dict[str, Any], names: tuple[str, ...]) -> str:
    return json.dumps([settings[name] for name in names], sort_keys=True)
