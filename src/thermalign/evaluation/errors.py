"""Failures, support, and errors at thresholds from training people, as Measured."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from thermalign.evaluation.compared import Compared, Probes
from thermalign.evaluation.measured import Measured
from thermalign.metrics import failures, support
from thermalign.metrics.bootstrap import ratio_replicates

NAN, NONE = float("nan"), np.empty(0)


def enrolment_of(whole: Compared, people: Sequence[str]) -> Measured:
    """Return ``fte``: the share of people that no probe could be compared with.

    Parameters
    ----------
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
    return Measured("all", "fte", value, n, drawn, n)


def acquisition_of(name: str, probes: Probes) -> Measured:
    """Return ``fta``: the share of probes without a usable aligned face."""
    found = probes.acquired
    value = failures.failure_to_acquire(found)
    return Measured(name, "fta", value, len(probes), probes.share(~found), probes.people)


def support_of(name: str, part: Compared, settings: Mapping[str, Any]) -> Iterator[Measured]:
    """Yield how many people and person pairs there are, and how many pairs each FAR takes.

    ``least_far`` is the lowest FAR that the pairs carry. The ``n`` of ``people`` and
    ``person_pairs`` are the genuine and the impostor comparisons, else the pairs that there are.
    """
    genuine, pairs = int(np.count_nonzero(part.genuine)), part.pairs
    yield Measured(name, "people", part.people, genuine)
    yield Measured(name, "person_pairs", pairs, len(part) - genuine)
    for far in settings["tar_at_far"]:
        yield Measured(name, "person_pairs_needed", support.pairs_needed(far), pairs, at=far)
    yield Measured(name, "least_far", support.least_rate(pairs), pairs)


def at_thresholds(
    name: str, part: Compared, thresholds: Mapping[float, float]
) -> Iterator[Measured]:
    """Yield ``fmr``, ``far``, ``fnmr``, ``frr`` and ``fmr_bound`` at each threshold.

    Parameters
    ----------
    name : subset
    part : Compared
    thresholds : false match rate on training people (0: their equal error rate) -> score
        ``fmr`` and ``far`` are NaN where fewer person pairs stand behind that rate than the rule
        of 30 asks for. ``fmr_bound`` is the rule of 3's: NaN unless no false match was seen.
        All rows have that rate as their abscissa; subset ``all`` has the ``threshold`` too.
    """
    pairs, found = part.pairs, part.found()
    for at, threshold in thresholds.items():
        if name == "all":
            yield Measured(name, "threshold", threshold, len(part), at=at)
        errors = failures.error_rates(part.score, part.genuine, threshold)
        yield from _errors(name, part, found, errors, threshold, at=at)
        bound = support.bound_of_none(pairs) if errors.fmr == 0 else NAN
        yield Measured(name, "fmr_bound", bound, pairs, at=at)


def _errors(
    name: str,
    part: Compared,
    found: Compared,
    errors: failures.ErrorRates,
    threshold: float,
    *,
    at: float,
) -> Iterator[Measured]:
    """Yield the four rates of :class:`thermalign.metrics.failures.ErrorRates`."""
    enough = at == 0 or support.supported(at, part.pairs)
    for comparisons, false_match, false_reject in (
        (found, ("fmr", errors.fmr), ("fnmr", errors.fnmr)),
        (part, ("far", errors.far), ("frr", errors.frr)),
    ):
        genuine, impostor = comparisons.accepted(threshold)
        n = int(np.count_nonzero(comparisons.genuine))
        sides = comparisons.sides if comparisons.varies else 1
        for (metric, value), count, drawn, people, known in (
            (false_match, len(comparisons) - n, impostor, sides, enough),
            (false_reject, n, 1 - genuine, comparisons.people, True),
        ):
            shown = value if known else NAN
            replicates = drawn if np.isfinite(shown) else NONE
            yield Measured(name, metric, shown, count, replicates, people, at)
