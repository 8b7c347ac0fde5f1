"""Verification and identification of a model on a fold: every figure of SCORES, and which it gets.

Figures of all comparisons count a failure to acquire as a rejection; those with ``_found`` leave it
out. A rate of an empty class is NaN.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from thermalign.evaluation import further
from thermalign.evaluation.compared import Compared, Probes
from thermalign.evaluation.draws import Draws, by_attribute, by_range, subsets
from thermalign.evaluation.measured import NONE, Measured
from thermalign.evaluation.settings import Settings
from thermalign.geometry import Floats
from thermalign.metrics import failures, identification, support, verification
from thermalign.metrics.bootstrap import ratio_replicates
from thermalign.metrics.intervals import DIFFERENCE, RATE
from thermalign.schemas.keys import ALL, Subset
from thermalign.verification.readings import by_reading

CMC_RANKS = (1, 2, 3, 5, 10, 20)
"""Ranks of the cumulative match characteristic, as far as so many are enrolled."""

NAN = float("nan")


def evaluate(
    comparisons: pd.DataFrame,
    draws: Draws,
    settings: Settings,
    *,
    headline: str,
    thresholds: Mapping[float, float],
    attributes: pd.DataFrame,
) -> Iterator[Measured]:
    """Yield what a model's scores show under every reading of ``same_moment``.

    Parameters
    ----------
    comparisons : DataFrame of :func:`thermalign.evaluation.draws.comparisons_of`
        Without any, nothing is yielded: who was enrolled is not known either.
    draws : Draws
        Their subjects are the people who should be enrolled: all test subjects of the fold.
    settings : Settings
    headline : str
        The reading that has every subset, attributes too, with bands around the curves of all
        images and of each range; another has all images and each range, and no curve but the ROC.
    thresholds : false match rate on training people (0: their equal error rate) -> score
        Set under the headline reading, so that they are applied to it alone.
    attributes : DataFrame of :func:`thermalign.evaluation.draws.telling`
    """
    for reading, rows in by_reading(comparisons, headline):
        table, its_own = rows.reset_index(drop=True), Subset(same_moment=reading)
        whole, everything = Compared.of(table, draws), dict[bool, list[Measured]]()
        yield enrolment_of(its_own, whole, draws.subjects)
        if reading:
            for subset, part in by_range(table):
                its = whole.take(part.index.to_numpy())
                about = its_own._replace(range=subset.range)
                yield from _of_part(about, its, settings, whole, everything, curves=False)
            continue
        for subset, part in subsets(table):
            its, curves = whole.take(part.index.to_numpy()), subset == Subset(range=subset.range)
            yield from _of_part(subset, its, settings, whole, everything, curves=curves)
            if curves:
                yield from at_thresholds(subset, its, thresholds)
                yield from further.of_scores(settings.metrics, subset, its)
        its, before = whole, table.index
        for subset, part in by_attribute(table, attributes):
            if not part.index.equals(before):  # of one range, it is the part before
                its, before = whole.take(part.index.to_numpy()), part.index
            yield acquisition_of(subset, its.by_probe())
            if its.measurable:
                yield equal_error_rate(subset, its)


def _of_part(
    subset: Subset,
    part: Compared,
    settings: Settings,
    whole: Compared,
    everything: dict[bool, list[Measured]],
    *,
    curves: bool,
) -> Iterable[Measured]:
    """Return the figures of part of the comparisons; those of all are made once and kept.

    Where there is one range, one volume or one condition, its subset is everything once more.
    """
    if part is not whole:
        return _of_subset(subset, part, settings, enrolled=whole, curves=curves)
    if curves not in everything:
        everything[curves] = [*_of_subset(subset, part, settings, enrolled=whole, curves=curves)]
    return [replace(figure, subset=subset) for figure in everything[curves]]


def _of_subset(
    subset: Subset, part: Compared, settings: Settings, *, enrolled: Compared, curves: bool
) -> Iterator[Measured]:
    """Yield failures, support, rates and ranks of part of the comparisons of a reading."""
    probes, people = part.by_probe(), len(np.unique(enrolled.gallery))
    yield acquisition_of(subset, probes)
    yield from support_of(subset, part, settings.tar_at_far)
    yield from rates_of(subset, part, settings, bands=curves)
    yield identified(subset, probes, enrolled=people)
    for rank in CMC_RANKS if curves else ():
        if rank <= people:
            yield identified(subset, probes, enrolled=people, rank=rank, metric="cmc", at=rank)
    found = probes.take(probes.acquired & probes.genuine.any(axis=1))  # of enrolled people
    yield identified(subset, found, enrolled=people, metric="rank1_found")


def enrolment_of(subset: Subset, whole: Compared, people: Sequence[str]) -> Measured:
    """Return ``fte``: the share of people that no probe could be compared with.

    Parameters
    ----------
    subset : Subset
    whole : Compared
        All comparisons of a reading.
    people : S people, by column of the weights
        Who should be enrolled: every test subject of the fold, with images of whatever kind.
    """
    n, enrolled = len(people), np.unique(whole.gallery)
    value = failures.failure_to_enrol(people, {people[column] for column in enrolled})
    missing = np.ones(n)
    missing[enrolled] = 0
    drawn = ratio_replicates(missing, np.ones(n), np.arange(n), whole.weights)
    return Measured(subset, "fte", value, n, drawn, n, scale=RATE)


def acquisition_of(subset: Subset, probes: Probes) -> Measured:
    """Return ``fta``: the share of probes without a usable aligned face."""
    found = probes.acquired
    value = failures.failure_to_acquire(found)
    share = probes.share(~found)
    return Measured(subset, "fta", value, len(probes), share, probes.people, scale=RATE)


def support_of(subset: Subset, part: Compared, fars: Sequence[float]) -> Iterator[Measured]:
    """Yield how many people and person pairs there are, and how many pairs each FAR takes.

    ``least_far`` is the lowest FAR that the pairs carry. The ``n`` of ``people`` and
    ``person_pairs`` are the genuine and the impostor comparisons, else the pairs that there are.
    """
    genuine, pairs = int(np.count_nonzero(part.genuine)), part.pairs
    yield Measured(subset, "people", part.people, genuine)
    yield Measured(subset, "person_pairs", pairs, len(part) - genuine)
    for far in fars:
        yield Measured(subset, "person_pairs_needed", support.pairs_needed(far), pairs, at=far)
    yield Measured(subset, "least_far", support.least_rate(pairs), pairs)


def rates_of(
    subset: Subset, part: Compared, settings: Settings, *, bands: bool
) -> Iterator[Measured]:
    """Yield ``eer``, ``auc``, ``eer_found``, ``auc_found``, ``d_prime``, ``tar_at_far``, ``roc``.

    With ``bands`` the ROC has replicates and ``roc_found`` stands beside it.
    """
    fars = settings.tar_at_far
    at = np.geomspace(settings.false_match_rates.start, 1, settings.false_match_rates.count)
    asked = np.append(fars, at if bands else NONE)
    found, (errors, accepted) = part.found(), part.rates(asked)
    again = (errors, accepted) if found is part else found.rates(asked)
    yield equal_error_rate(subset, part, drawn=errors)
    yield area(subset, part)
    yield equal_error_rate(subset, found, suffix="_found", drawn=again[0])
    yield area(subset, found, suffix="_found")
    yield d_prime(subset, part)
    yield from accept_rates(subset, part, fars, drawn=accepted)
    yield from curve(subset, "roc", part, at, drawn=accepted[:, len(fars) :])
    if bands:
        yield from curve(subset, "roc_found", found, at, drawn=again[1][:, len(fars) :])


def equal_error_rate(
    subset: Subset,
    part: Compared,
    *,
    suffix: str = "",
    drawn: Floats | None = None,
) -> Measured:
    """Return the EER of comparisons, failures to acquire included.

    Parameters
    ----------
    subset : Subset
    part : Compared
        Every comparison counts in ``n``.
    suffix : str
        After ``eer`` in the figure's name.
    drawn : (R,) float, optional
        Replicates that were made with others.
    """
    value = verification.eer(part.score, part.genuine) if part.measurable else NAN
    replicates = part.rates(NONE)[0] if drawn is None else drawn
    metric, people = "eer" + suffix, part.subjects
    return Measured(subset, metric, value, len(part), replicates, people, scale=RATE)


def eers_by_range(
    subset: Subset, comparisons: pd.DataFrame, draws: Draws
) -> Iterator[tuple[Subset, Measured]]:
    """Yield the EER of all comparisons and of each range that has one, by part of the subset.

    The part is ``ALL``, measured as ``subset`` itself, or a range, measured as the subset's.
    """
    for part, rows in by_range(comparisons):
        compared = Compared.of(rows, draws)
        if compared.measurable:
            yield part, equal_error_rate(subset._replace(range=part.range), compared)


def area(subset: Subset, part: Compared, *, suffix: str = "") -> Measured:
    """Return ``auc``, the area under the ROC of comparisons."""
    value = verification.auc(part.score, part.genuine) if part.measurable else NAN
    metric = "auc" + suffix
    return Measured(subset, metric, value, len(part), part.auc(), part.subjects, scale=RATE)


def d_prime(subset: Subset, part: Compared) -> Measured:
    """Return d' of acquired comparisons; NaN, as are its replicates, of an empty class."""
    found = part.found()
    value, people = verification.d_prime(found.score, found.genuine), max(found.subjects, 1)
    drawn = found.d_prime()
    return Measured(subset, "d_prime", value, len(found), drawn, people, scale=DIFFERENCE)


def accept_rates(
    subset: Subset, part: Compared, fars: Sequence[float], *, drawn: Floats
) -> Iterator[Measured]:
    """Yield ``tar_at_far``; NaN and without replicates where too few people carry it.

    Parameters
    ----------
    subset : Subset
    part : Compared
    fars : T false match rates
    drawn : (R, T or more) float
        Replicates of the true accept rates at ``fars``, and at what else was asked for.
    """
    for k, far in enumerate(fars):
        value = NAN
        if part.measurable:
            value = verification.tar_at_far(part.score, part.genuine, far, pairs=part.pairs)
        replicates = drawn[:, k] if np.isfinite(value) else NONE
        n, people = len(part), part.subjects
        yield Measured(subset, "tar_at_far", value, n, replicates, people, float(far), RATE)


def curve(
    subset: Subset, metric: str, part: Compared, at: Floats, *, drawn: Floats
) -> Iterator[Measured]:
    """Yield a ROC at every abscissa (T,); none of an empty class.

    ``drawn`` are its replicates (R, T), or (R, 0) for a curve without a band.
    """
    rates = verification.roc(part.score, part.genuine, at) if part.measurable else ()
    for k, value in enumerate(rates):
        replicates = drawn[:, k] if drawn.shape[1] else NONE
        n, people = len(part), part.subjects
        yield Measured(subset, metric, float(value), n, replicates, people, float(at[k]), RATE)


def identified(
    subset: Subset,
    probes: Probes,
    *,
    enrolled: int,
    rank: int = 1,
    metric: str = "rank1",
    at: float = 0.0,
) -> Measured:
    """Return the share of probes whose own person is among the first ``rank`` of ``enrolled``.

    A stranger to all who are enrolled is a miss. NaN without probes.
    """
    if not len(probes):
        return Measured(subset, metric, NAN, 0, at=at)
    value = identification.cmc(probes.scores, probes.genuine, np.array([rank]))[0]
    hits = probes.share(identification.own_ranks(probes.scores, probes.genuine) <= rank)
    people = min(probes.people, enrolled)
    return Measured(subset, metric, float(value), len(probes), hits, people, float(at), RATE)


def at_thresholds(
    subset: Subset, part: Compared, thresholds: Mapping[float, float]
) -> Iterator[Measured]:
    """Yield ``fmr``, ``far``, ``fnmr``, ``frr`` and ``fmr_bound`` at each threshold.

    Parameters
    ----------
    subset : Subset
    part : Compared
    thresholds : false match rate on training people (0: their equal error rate) -> score
        ``fmr`` and ``far`` are NaN where fewer person pairs stand behind that rate than the rule
        of 30 asks for. ``fmr_bound`` is the rule of 3's: NaN unless no false match was seen.
        All rows have that rate as their abscissa; all comparisons have the ``threshold`` too.
    """
    pairs, found = part.pairs, part.found()
    for at, threshold in thresholds.items():
        if subset == ALL:
            yield Measured(subset, "threshold", threshold, len(part), at=at)
        errors = failures.error_rates(part.score, part.genuine, threshold)
        enough = at == 0 or support.supported(at, pairs)
        for its, false_match, false_reject in (
            (found, ("fmr", errors.fmr if enough else NAN), ("fnmr", errors.fnmr)),
            (part, ("far", errors.far if enough else NAN), ("frr", errors.frr)),
        ):
            yield from _errors(subset, its, false_match, false_reject, threshold, at=at)
        bound = support.bound_of_none(pairs) if errors.fmr == 0 else NAN
        yield Measured(subset, "fmr_bound", bound, pairs, at=at)


def _errors(
    subset: Subset,
    part: Compared,
    false_match: tuple[str, float],
    false_reject: tuple[str, float],
    threshold: float,
    *,
    at: float,
) -> Iterator[Measured]:
    """Yield the two named error rates of comparisons at a threshold."""
    genuine, impostor = part.accepted(threshold)
    n, sides = int(np.count_nonzero(part.genuine)), part.sides if part.varies else 1
    for (metric, value), count, drawn, people in (
        (false_match, len(part) - n, impostor, sides),
        (false_reject, n, 1 - genuine, part.people),
    ):
        replicates = drawn if np.isfinite(value) else NONE
        yield Measured(subset, metric, value, count, replicates, people, at, RATE)
