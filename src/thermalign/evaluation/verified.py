"""Verification and identification figures of one reading of a fold's SCORES, as Measured."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from thermalign.evaluation.attributes import by_attribute
from thermalign.evaluation.compared import Compared, Probes
from thermalign.evaluation.draws import Draws, by_range, subsets
from thermalign.evaluation.errors import acquisition_of, at_thresholds, enrolment_of, support_of
from thermalign.evaluation.measured import Measured
from thermalign.evaluation.roc import equal_error_rate_of, rates_of
from thermalign.metrics import identification

CMC_RANKS = (1, 2, 3, 5, 10, 20)
"""Ranks of the cumulative match characteristic, as far as so many are enrolled."""


def verified(
    comparisons: pd.DataFrame,
    draws: Draws,
    settings: Mapping[str, Any],
    *,
    thresholds: Mapping[float, float],
    attributes: pd.DataFrame,
    headline: bool,
) -> Iterator[Measured]:
    """Yield what one reading's scores show.

    Parameters
    ----------
    comparisons : DataFrame of :func:`thermalign.evaluation.draws.comparisons_of`
        Of one reading. Without any, nothing is yielded: who was enrolled is not known either.
    draws : Draws
        Their subjects are the people who should be enrolled: all test subjects of the fold.
    settings : the ``evaluation:`` block
    thresholds : false match rate on training people (0: their equal error rate) -> score
        Set under the headline reading, so that they are applied to it alone.
    attributes : DataFrame of :func:`thermalign.evaluation.attributes.telling`
    headline : bool
        Whether to measure every subset, attributes too, with bands around the curves of all images
        and of each range; else all images and each range alone, and no curve but the ROC.
    """
    if comparisons.empty:
        return
    comparisons = comparisons.reset_index(drop=True)
    whole = Compared.of(comparisons, draws)
    yield enrolment_of(whole, draws.subjects)
    with_curves = {name for name, _ in by_range(comparisons)}
    for name, rows in subsets(comparisons) if headline else by_range(comparisons):
        part, curves = whole.take(rows.index.to_numpy()), name in with_curves
        yield acquisition_of(name, part.by_probe())
        yield from support_of(name, part, settings)
        yield from rates_of(name, part, settings, bands=headline and curves)
        yield from _identification(name, part.by_probe(), enrolled=whole, cmc=headline and curves)
        if headline and curves:
            yield from at_thresholds(name, part, thresholds)
    for name, rows in by_attribute(comparisons, attributes) if headline else ():
        part = whole.take(rows.index.to_numpy())
        yield acquisition_of(name, part.by_probe())
        if part.measurable:
            yield equal_error_rate_of(name, part)


def _identification(
    name: str, probes: Probes, *, enrolled: Compared, cmc: bool
) -> Iterator[Measured]:
    """Yield rank 1 with and without failures, and the cumulative match characteristic.

    Without failures means over acquired probes of enrolled people; NaN if there is none.
    """
    people = len(np.unique(enrolled.gallery))
    found = probes.take(probes.acquired & probes.genuine.any(axis=1))
    ranks = [rank for rank in CMC_RANKS if cmc and rank <= people]
    for metric, at, rank, whole in (
        ("rank1", 0, 1, probes),
        *(("cmc", rank, rank, probes) for rank in ranks),
        ("rank1_found", 0, 1, found),
    ):
        if not len(whole):
            yield Measured(name, metric, float("nan"), 0, at=float(at))
            continue
        value = identification.cmc(whole.scores, whole.genuine, np.array([rank]))[0]
        hits = whole.share(identification.own_ranks(whole.scores, whole.genuine) <= rank)
        sides = min(whole.people, people)
        yield Measured(name, metric, float(value), len(whole), hits, sides, float(at))
