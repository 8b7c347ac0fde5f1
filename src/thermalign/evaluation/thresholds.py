"""Thresholds of the score, set on training subjects, so that they can be applied to the test."""

import sys
from collections.abc import Sequence

import pandas as pd

from thermalign.evaluation.halves import FEWEST, halves
from thermalign.metrics.thresholds import at_equal_errors, at_false_match_rate
from thermalign.verification.contract import Described
from thermalign.verification.matcher import Settings, fit_mapping, verify

EQUAL = "0"
"""Name of the threshold at which both error rates are the same."""


def training_thresholds(
    rows: pd.DataFrame,
    described: Described,
    settings: Settings,
    *,
    rates: Sequence[float],
    seed: list[int],
) -> dict[str, float]:
    """Return the score of each false match rate, and of equal error rates under ``"0"``.

    Half of the training subjects is enrolled and verified by a matcher of the other half, the same
    the other way round, under the headline reading of ``same_moment``; the comparisons of both are
    taken together. A rate below one of the ordered pairs of people so compared cannot be read off
    and is left out. Empty, with the reason in the log, where that cannot be done.

    ASSUME: a score means the same in a gallery of half as many people: one-vs-all PLS then has
    fewer negatives.

    Parameters
    ----------
    rows : DataFrame
        The fold's images with ``role``.
    described : Described
    settings : Settings
    rates : false match rates
    seed : training seed and fold
    """
    folds, settings = halves(rows, seed=seed), settings.headline_only()
    if not folds:
        return _none(f"there are fewer than {FEWEST} training subjects")
    try:
        made = [_compare(inner, described, settings, seed=seed) for inner in folds]
    except ValueError as error:  # what the test subjects can do, half of the others may not
        return _none(str(error))
    scores = pd.concat(made, ignore_index=True)
    score, genuine = scores["score"].to_numpy(), scores["genuine"].to_numpy()
    if genuine.all() or not genuine.any():
        return _none("they have no genuine or no impostor comparisons")
    pairs = len(scores[~genuine].drop_duplicates(["subject_id", "gallery_id"]))
    read = {str(rate): at_false_match_rate(score, genuine, rate) for rate in rates}
    kept = {name: value for name, value in read.items() if float(name) >= 1 / pairs}
    return {EQUAL: at_equal_errors(score, genuine), **kept}


def _compare(
    rows: pd.DataFrame, described: Described, settings: Settings, *, seed: list[int]
) -> pd.DataFrame:
    """Return the SCORES of a fold inside the fold, with the probe's subject."""
    mapping = fit_mapping(rows, described, settings.mapping, seed=seed[0])
    _, scores = verify(rows, described, mapping, settings, seed=seed)
    subjects = rows.set_index("image_id")["subject_id"]
    return scores.assign(subject_id=scores["probe_id"].map(subjects))


def _none(reason: str) -> dict[str, float]:
    print(f"no thresholds from training subjects: {reason}", file=sys.stderr)
    return {}
