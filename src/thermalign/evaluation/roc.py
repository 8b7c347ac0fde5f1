"""ROC, its area, EER, d' and TAR at FAR of comparisons, with and without failures to acquire."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from thermalign.evaluation.compared import Compared
from thermalign.evaluation.measured import Measured
from thermalign.geometry import Floats
from thermalign.metrics import verification

NAN, NONE = float("nan"), np.empty(0)


@dataclass(frozen=True)
class _Drawn:
    """Comparisons with the replicates of their rates; no replicates where a class is empty.

    Attributes
    ----------
    part : Compared
    eer, auc : (R,) float
    tar : (R, T) float
        True accept rates at the false match rates asked for.
    """

    part: Compared
    eer: Floats
    auc: Floats
    tar: Floats

    @classmethod
    def of(cls, part: Compared, at: Floats) -> "_Drawn":
        if not part.measurable:
            return cls(part, NONE, NONE, np.empty((0, len(at))))
        errors, accepted = part.rates(at)
        return cls(part, errors, part.auc(), accepted)


def equal_error_rate_of(name: str, part: Compared) -> Measured:
    """Return the EER of comparisons of both classes, failures to acquire included.

    Raises
    ------
    ValueError
        If a class is empty.
    """
    value = verification.eer(part.score, part.genuine)
    return Measured(name, "eer", value, len(part), part.rates(NONE)[0], part.subjects)


def rates_of(
    name: str, part: Compared, settings: Mapping[str, Any], *, bands: bool
) -> Iterator[Measured]:
    """Yield ``eer``, ``auc``, ``roc``, ``tar_at_far``, ``d_prime``, ``eer_found``, ``auc_found``.

    ``_found`` leaves failures to acquire out. A rate of an empty class is NaN. With ``bands`` the
    ROC has replicates and ``roc_found`` stands beside it.
    """
    grid, fars = settings["false_match_rates"], np.array(settings["tar_at_far"])
    at = np.geomspace(grid["start"], 1, grid["count"])
    asked = np.append(fars, at if bands else NONE)
    drawn, found = _Drawn.of(part, asked), part.found()
    again = drawn if found is part else _Drawn.of(found, asked)
    yield from _areas(name, "", drawn)
    yield from _areas(name, "_found", again)
    yield _d_prime(name, found)
    yield from _accepted(name, drawn, fars)
    yield from _curve(name, "roc", drawn, at, drawn.tar[:, len(fars) :].T if bands else ())
    if bands:
        yield from _curve(name, "roc_found", again, at, again.tar[:, len(fars) :].T)


def _areas(name: str, suffix: str, drawn: _Drawn) -> Iterator[Measured]:
    part = drawn.part
    for metric, measure, replicates in (
        ("eer", verification.eer, drawn.eer),
        ("auc", verification.auc, drawn.auc),
    ):
        value = measure(part.score, part.genuine) if part.measurable else NAN
        yield Measured(name, metric + suffix, value, len(part), replicates, part.subjects)


def _d_prime(name: str, found: Compared) -> Measured:
    value = verification.d_prime(found.score, found.genuine)
    replicates = found.d_prime() if np.isfinite(value) else NONE
    return Measured(name, "d_prime", value, len(found), replicates, found.subjects)


def _accepted(name: str, drawn: _Drawn, fars: Floats) -> Iterator[Measured]:
    """Yield the true accept rates at the first abscissas that were asked for."""
    part, pairs = drawn.part, drawn.part.pairs
    for k, far in enumerate(fars):
        value = NAN
        if part.measurable:
            value = verification.tar_at_far(part.score, part.genuine, far, pairs=pairs)
        replicates = drawn.tar[:, k] if np.isfinite(value) else NONE
        yield Measured(name, "tar_at_far", value, len(part), replicates, part.subjects, far)


def _curve(name: str, metric: str, drawn: _Drawn, at: Floats, bands: Any) -> Iterator[Measured]:
    """Yield a ROC at every abscissa, with its band where there is one; none of an empty class."""
    part = drawn.part
    if not part.measurable:
        return
    for k, value in enumerate(verification.roc(part.score, part.genuine, at)):
        replicates = bands[k] if len(bands) else NONE
        yield Measured(name, metric, float(value), len(part), replicates, part.subjects, at[k])
