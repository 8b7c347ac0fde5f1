"""Displaced probes, and the figures of a dose-response curve."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from thermalign.evaluation.compared import Compared
from thermalign.evaluation.displacements import displace
from thermalign.evaluation.draws import Draws, comparisons_of
from thermalign.evaluation.measured import Measured
from thermalign.evaluation.rates import difference_of, eer_of, measurable
from thermalign.geometry import Floats
from thermalign.landmarks.cut import cut_images
from thermalign.metrics.dose import probit, slope
from thermalign.metrics.intervals import LEVEL
from thermalign.metrics.landmarks import normalized_errors
from thermalign.metrics.verification import d_prime
from thermalign.records import points_of, read_images
from thermalign.verification.aligned import align_stack, alignable
from thermalign.verification.descriptors import describe
from thermalign.verification.matcher import Matcher, score_probes
from thermalign.verification.readings import headline_of
from thermalign.warp import ImageStack

REACH = 2.0  # sides of the box around the landmarks that are kept beyond it


@dataclass(frozen=True)
class Side:
    """Probes of one modality, and what verifies them.

    Attributes
    ----------
    probes : DataFrame of IMAGES, N rows of one modality
    points : (N, L, 2) float64, pixels of the parts
        Annotated.
    stack : ImageStack of N parts of the probes, around their faces
    matcher : Matcher
    settings, alignment : the ``matcher:`` and ``alignment:`` blocks
    """

    probes: pd.DataFrame
    points: Floats
    stack: ImageStack
    matcher: Matcher
    settings: dict[str, Any]
    alignment: dict[str, Any]

    @classmethod
    def of(
        cls,
        probes: pd.DataFrame,
        annotations: pd.DataFrame,
        matcher: Matcher,
        *,
        settings: dict[str, Any],
        alignment: dict[str, Any],
    ) -> "Side":
        """Read probes, all annotated and of one modality."""
        points = points_of(annotations, list(probes["image_id"]))
        boxes = np.concatenate([points.min(axis=1), np.ptp(points, axis=1)], axis=1)
        cut = cut_images(read_images(probes), boxes, REACH)
        inside = points - cut.origins.cpu().numpy()[:, None]
        return cls(probes, inside, cut.stack, matcher, settings, alignment)

    @property
    def modality(self) -> str:
        """What the probes were recorded in."""
        return str(self.probes["modality"].iloc[0])

    @property
    def moments(self) -> pd.Series:
        """The pair of each probe, or its own name without one: what decides its draw."""
        paired = self.probes["pair_id"] != ""
        return self.probes["pair_id"].where(paired, self.probes["image_id"])

    def displaced(self, kind: str, level: float, *, seed: int) -> pd.DataFrame:
        """Return SCORES of the displaced probes with what is known of them, moment and error.

        Parameters
        ----------
        kind, level, seed : as for :func:`thermalign.evaluation.displacements.displace`
        """
        points = displace(self.points, list(self.moments), kind=kind, level=level, seed=seed)
        usable = alignable(points, self.alignment)

        def described() -> Tensor:
            which = np.flatnonzero(usable)
            faces = align_stack(self.stack, which, points[which], self.alignment)
            return describe(faces, self.settings)

        readings = [headline_of(self.settings)]
        scores = score_probes(self.matcher, self.probes, usable, described, readings=readings)
        error = normalized_errors(points, self.points).mean(axis=1)
        known = pd.DataFrame(
            {"image_id": self.probes["image_id"], "moment": self.moments, "error": error}
        )
        table = comparisons_of(scores, self.probes)
        return table.merge(known, on="image_id")


SLOPES = ("d_prime_slope", "eer_slope", "probit_slope")
"""The first is the headline: d' has no floor that hides a loss, and no clip that makes one up."""


@dataclass(frozen=True)
class Curve:
    """Scores of the same probes at every level of a displacement.

    Attributes
    ----------
    subset : str
        As in METRICS.
    levels : T floats, interocular distances, rising from 0
    scores : T DataFrames
        Rows of :func:`thermalign.evaluation.draws.comparisons_of` with ``error``, the normalised
        error of the probe's displaced points.
    """

    subset: str
    levels: Sequence[float]
    scores: Sequence[pd.DataFrame]


def measure_curve(curve: Curve, draws: Draws, *, linear_up_to: float) -> Iterator[Measured]:
    """Yield ``nmse``, ``d_prime`` and ``eer`` at every level, how the EER rises, and slopes.

    ``eer_rise``, at a level: EER minus the EER of the level before. ``d_prime_slope``:
    least-squares slope of d' over the NMSE up to the level ``linear_up_to``, per interocular
    distance. ``eer_slope``: the same of the EER. ``probit_slope``: of the EER's normal deviate, NaN
    where a fitted EER is 0 or 1, draw by draw: see :func:`_whole`. Nothing without genuine or
    without impostor comparisons.
    """
    if not measurable(curve.scores[0]):
        return
    levels = list(zip(curve.levels, curve.scores, strict=True))
    doses = [_dose_of(curve.subset, rows, draws, at=level) for level, rows in levels]
    ease = [d_prime_of(curve.subset, rows, draws, at=level) for level, rows in levels]
    rates = [eer_of(curve.subset, rows, draws, at=level) for level, rows in levels]
    yield from (*doses, *ease, *rates)
    for before, after in pairwise(rates):
        yield difference_of("eer_rise", after, before)
    low = np.asarray(curve.levels) <= linear_up_to
    dose = np.array([d.value for d in doses])[low]
    for metric, figures in zip(SLOPES, (ease, rates, rates), strict=True):
        value = np.array([figure.value for figure in figures])[low]
        drawn = np.stack([figure.replicates for figure in figures], axis=-1)[:, low]
        if metric == "probit_slope":
            value, drawn = probit(value), probit(drawn)
        at, replicates = float(slope(dose, value)), _whole(slope(dose, drawn))
        yield replace(figures[0], metric=metric, value=at, replicates=replicates)


def _whole(slopes: Floats) -> Floats:
    """Return the slopes of draws (R,), all NaN where more than 5 % are.

    A draw is clipped where it went far: without those draws an interval would be too narrow.
    """
    clipped = np.isnan(slopes).mean() > 1 - LEVEL
    return np.full(len(slopes), np.nan) if clipped else slopes


def d_prime_of(subset: str, comparisons: pd.DataFrame, draws: Draws, *, at: float) -> Measured:
    """Return d' of rows of :func:`thermalign.evaluation.draws.comparisons_of`, failures left out.

    NaN at a level at which nobody's face can be aligned any more.
    """
    found = Compared.of(comparisons, draws).found()
    value, people = d_prime(found.score, found.genuine), max(found.subjects, 1)
    return Measured(subset, "d_prime", value, len(found), found.d_prime(), people, at)


def _dose_of(subset: str, comparisons: pd.DataFrame, draws: Draws, *, at: float) -> Measured:
    rows = comparisons.drop_duplicates("image_id")
    value, people = float(rows["error"].mean()), rows["subject_id"].nunique()
    return Measured(subset, "nmse", value, len(rows), draws.nmse(rows), people, at)


def measure_difference(
    subset: str, minuend: Sequence[Measured], subtrahend: Sequence[Measured]
) -> Iterator[Measured]:
    """Yield by how much the slopes of one curve are above those of another, on the same draws."""
    for metric in SLOPES:
        above, below = ([m for m in side if m.metric == metric] for side in (minuend, subtrahend))
        for first, second in zip(above, below, strict=False):  # none, where one has no rates
            yield replace(difference_of(f"{metric}_difference", first, second), subset=subset)
