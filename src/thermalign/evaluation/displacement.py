"""Landmarks displaced by a known amount, and the dose-response curve of what that costs."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from thermalign.evaluation.compared import Compared
from thermalign.evaluation.draws import Draws
from thermalign.evaluation.landmarks import nmse
from thermalign.evaluation.measured import Measured, difference
from thermalign.evaluation.verification import d_prime, equal_error_rate
from thermalign.geometry import LANDMARKS, Floats, interocular_distance
from thermalign.metrics.dose import probit, slope
from thermalign.metrics.intervals import DIFFERENCE, LEVEL
from thermalign.schemas.keys import Subset
from thermalign.settings import check, setting

TOGETHER = ("isotropic", "shift", "rotation", "scale")

KINDS = (*TOGETHER, *LANDMARKS)
"""All landmarks each its own way, or together in one; or one landmark alone."""

EVERY = "every"
"""Of ``readings``."""


@dataclass(frozen=True)
class Settings:
    """How annotated points of probes are displaced.

    Attributes
    ----------
    range : int
        Range of the probes.
    kinds : tuple of str
        What moves; see ``docs/methods/displacements.md``.
    levels : tuple of float
        Mean way of the landmarks that move, rising from 0.
    linear_up_to : float
        Level up to which slopes are fitted.
    readings : str
        Of ``same_moment`` under which displaced probes are verified: a protocol's headline alone,
        or every one that it has.
    """

    range: int = setting(1, low=1)
    kinds: tuple[str, ...] = setting(("isotropic",), choices=KINDS)
    levels: tuple[float, ...] = setting(
        (0.0, 0.02, 0.04, 0.06, 0.08, 0.12, 0.16, 0.24, 0.32),
        low=0.0,
        high=2.0,
        unit="interocular distances",
    )
    linear_up_to: float = setting(0.12, low=0.0, unit="interocular distances")
    readings: str = setting("headline", choices=("headline", "every"))

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        check(self)


RAYLEIGH_MEAN = np.sqrt(np.pi / 2)  # mean length of a vector of two standard normal numbers


def displace(
    points: Floats, names: Sequence[str], *, kind: str, level: float, seed: int = 0
) -> Floats:
    """Displace the landmarks of faces by ``level`` interocular distances on the mean.

    ``isotropic``: every landmark by normal noise; ``shift``: all by one way in a random direction;
    ``rotation`` and ``scale``: about their centre, one way or the other; the name of a landmark:
    that one alone, by normal noise. ``level`` is the mean distance that moved landmarks go: over
    draws for noise, in every face for the others.

    A face's draw depends on the seed, the kind and its name only: not on its neighbours, and not on
    the level, so that several levels lie on a line and two pictures of one moment move alike.

    Parameters
    ----------
    points : (N, L, 2) float, pixels, (x, y)
    names : N str
    kind : one of ``KINDS``
    level : float, interocular distances
    seed : int

    Returns
    -------
    (N, L, 2) float, pixels

    Raises
    ------
    ValueError
        If the kind is unknown, or the level negative.
    """
    if kind not in KINDS or level < 0:
        raise ValueError(
            f"a displacement of kind {kind!r} and level {level} is not defined; use one of "
            f"{list(KINDS)} and a level from 0"
        )
    draws = np.array([_normal(name, kind, seed) for name in names]).reshape(-1, len(LANDMARKS), 2)
    way = level * interocular_distance(points)[:, None, None]  # pixels
    if kind == "isotropic":
        return np.asarray(points + way * draws / RAYLEIGH_MEAN)
    if kind in LANDMARKS:
        alone = (np.array(LANDMARKS) == kind)[:, None]
        return np.asarray(points + way * draws / RAYLEIGH_MEAN * alone)
    if kind == "shift":
        first = draws[:, :1]
        return np.asarray(points + way * first / np.linalg.norm(first, axis=-1, keepdims=True))
    return _about_centre(points, way, np.sign(draws[:, :1, :1]), kind=kind)


def _about_centre(points: Floats, way: Floats, sign: Floats, *, kind: str) -> Floats:
    """Turn or resize faces so that their landmarks go ``way`` pixels on the mean."""
    centre = points.mean(axis=1, keepdims=True)
    arm = points - centre
    share = way / np.linalg.norm(arm, axis=-1).mean(axis=1)[:, None, None]
    if kind == "scale":
        return np.asarray(centre + arm * (1 + sign * share))
    turn = sign * 2 * np.arcsin(np.minimum(share / 2, 1))  # a chord of share x arm
    x, y = arm[..., :1], arm[..., 1:]
    cos, sin = np.cos(turn), np.sin(turn)
    return np.asarray(centre + np.concatenate([cos * x - sin * y, sin * x + cos * y], axis=-1))


def _normal(name: str, kind: str, seed: int) -> Floats:
    digest = hashlib.sha256(f"{seed}/{kind}/{name}".encode()).digest()
    return np.random.default_rng(list(digest)).standard_normal((len(LANDMARKS), 2))


SLOPES = ("d_prime_slope", "eer_slope", "probit_slope")
"""The first is the headline: d' has no floor that hides a loss, and no clip that makes one up."""


def measure_curve(
    subset: Subset, scores: Mapping[float, pd.DataFrame], draws: Draws, *, linear_up_to: float
) -> Iterator[Measured]:
    """Yield ``nmse``, ``d_prime`` and ``eer`` at every level, how the EER rises, and slopes.

    ``eer_rise``, at a level: EER minus the EER of the level before. ``d_prime_slope``:
    least-squares slope of d' over the NMSE up to the level ``linear_up_to``, per interocular
    distance. ``eer_slope``: the same of the EER. ``probit_slope``: of the EER's normal deviate, NaN
    where a fitted EER is 0 or 1, draw by draw: see :func:`_whole`. Nothing without genuine or
    without impostor comparisons.

    Parameters
    ----------
    subset : Subset
        Of the curve, level 0; each level's figures have that level.
    scores : DataFrame by level, interocular distances, rising from 0
        Of the same probes: rows of :func:`thermalign.evaluation.draws.comparisons_of` with
        ``error``, the normalised error of the probe's displaced points.
    draws : Draws
    linear_up_to : float, interocular distances
    """
    parts = [Compared.of(rows, draws) for rows in scores.values()]
    if not parts[0].measurable:
        return
    at = [subset._replace(level=level) for level in scores]
    probes = [rows.drop_duplicates("image_id") for rows in scores.values()]
    doses = [nmse(its, rows, draws) for its, rows in zip(at, probes, strict=True)]
    ease = [d_prime(its, part) for its, part in zip(at, parts, strict=True)]
    rates = [equal_error_rate(its, part) for its, part in zip(at, parts, strict=True)]
    yield from (*doses, *ease, *rates)
    for before, after in pairwise(rates):
        yield difference("eer_rise", after, before)
    low = np.array([level <= linear_up_to for level in scores])
    dose = np.array([d.value for d in doses])[low]
    for metric, figures in zip(SLOPES, (ease, rates, rates), strict=True):
        value = np.array([figure.value for figure in figures])[low]
        drawn = np.stack([figure.replicates for figure in figures], axis=-1)[:, low]
        if metric == "probit_slope":
            value, drawn = probit(value), probit(drawn)
        steep, replicates = float(slope(dose, value)), _whole(slope(dose, drawn))
        first = replace(figures[0], metric=metric, scale=DIFFERENCE)
        yield replace(first, value=steep, replicates=replicates)


def measure_difference(
    subset: Subset, minuend: Sequence[Measured], subtrahend: Sequence[Measured]
) -> Iterator[Measured]:
    """Yield by how much the slopes of one curve are above those of another, on the same draws."""
    for metric in SLOPES:
        above, below = ([m for m in side if m.metric == metric] for side in (minuend, subtrahend))
        for first, second in zip(above, below, strict=False):  # none, where one has no rates
            yield replace(difference(f"{metric}_difference", first, second), subset=subset)


def _whole(slopes: Floats) -> Floats:
    """Return the slopes of draws (R,), all NaN where more than 5 % are.

    A draw is clipped where it went far: without those draws an interval would be too narrow.
    """
    clipped = np.isnan(slopes).mean() > 1 - LEVEL
    return np.full(len(slopes), np.nan) if clipped else slopes
