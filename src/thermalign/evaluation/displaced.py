"""Probes whose annotated points are displaced: who they are, what verifies them, how they fare."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from torch import Tensor

from thermalign.cut import cut_images
from thermalign.evaluation import displacement
from thermalign.evaluation.displacement import displace, measure_curve, measure_difference
from thermalign.evaluation.draws import Draws, comparisons_of
from thermalign.evaluation.measured import Measured
from thermalign.geometry import Floats
from thermalign.metrics.landmarks import normalized_errors
from thermalign.records import pictures_of, points_of
from thermalign.schemas.keys import DISPLACEMENT, Subset
from thermalign.verification import alignment
from thermalign.verification.descriptors import Descriptors
from thermalign.verification.enrolment import NONE, WHOLE, probes_of, select
from thermalign.verification.matcher import NO_MAPPING, Matcher, Settings, enrol, score_probes
from thermalign.verification.parts import within_one
from thermalign.verification.stored import AlignedFaces
from thermalign.warp import ImageStack

REACH = 2.0  # sides of the box around the landmarks that are kept beyond it


@dataclass(frozen=True)
class Side:
    """Probes of one modality, and what verifies them.

    Attributes
    ----------
    probes : DataFrame of IMAGES, N rows of one modality
    points : (N, L, 2) float64, pixels
        Annotated.
    matcher : Matcher
    settings : Settings
    aligned : settings of the alignment
    """

    probes: pd.DataFrame
    points: Floats
    matcher: Matcher
    settings: Settings
    aligned: alignment.Settings

    @classmethod
    def of(
        cls,
        probes: pd.DataFrame,
        annotations: pd.DataFrame,
        matcher: Matcher,
        *,
        settings: Settings,
        aligned: alignment.Settings,
    ) -> "Side":
        """Take probes, all annotated and of one modality."""
        points = points_of(annotations, list(probes["image_id"]))
        return cls(probes, points, matcher, settings, aligned)

    @property
    def modality(self) -> str:
        """What the probes were recorded in."""
        return str(self.probes["modality"].iloc[0])

    @property
    def moments(self) -> pd.Series:
        """The pair of each probe, or its own name without one: what decides its draw."""
        paired = self.probes["pair_id"] != ""
        return self.probes["pair_id"].where(paired, self.probes["image_id"])

    def scores(self, kind: str, levels: Sequence[float], *, seed: int) -> dict[float, pd.DataFrame]:
        """Return SCORES of the displaced probes with what is known of them, moment and error.

        Some images are in memory at a time, each read once for all levels.

        Parameters
        ----------
        kind, levels, seed : as for :func:`thermalign.evaluation.displacement.displace`
        """
        made: dict[float, list[pd.DataFrame]] = {level: [] for level in levels}
        for some in pictures_of(self.probes).parts():
            part = replace(self, probes=self.probes.iloc[some], points=self.points[some])
            for level, table in part.scores_of_part(kind, levels, seed=seed):
                made[level].append(table)
        return {level: pd.concat(tables, ignore_index=True) for level, tables in made.items()}

    def scores_of_part(
        self, kind: str, levels: Sequence[float], *, seed: int
    ) -> Iterator[tuple[float, pd.DataFrame]]:
        """Yield the scores of every level of probes that are in memory together."""
        stack, points = self.cut()
        for level in levels:
            moved = displace(points, list(self.moments), kind=kind, level=level, seed=seed)
            yield level, self.scores_at(stack, moved, points)

    def cut(self) -> tuple[ImageStack, Floats]:
        """Return the parts of the probes around their faces, and the points in pixels of these."""
        boxes = np.concatenate([self.points.min(axis=1), np.ptp(self.points, axis=1)], axis=1)
        cut = cut_images(pictures_of(self.probes), boxes, REACH)
        return cut.stack, self.points - cut.origins.cpu().numpy()[:, None]

    def scores_at(self, stack: ImageStack, moved: Floats, points: Floats) -> pd.DataFrame:
        """Return the scores of probes as :meth:`Side.cut` has them, by ``moved`` points."""
        usable = np.flatnonzero(alignment.alignable(moved, self.aligned))
        names = list(self.probes["image_id"].iloc[usable])
        place = dict(zip(names, usable, strict=True))

        def read(some: Sequence[str]) -> Tensor:
            its = np.array([place[name] for name in some])
            return alignment.align_stack(stack, its, moved[its], self.aligned)

        described = Descriptors(names, read, self.settings.descriptors)
        headline = [self.settings.headline]
        scores = score_probes(self.matcher, self.probes, described, readings=headline)
        error = normalized_errors(moved, points).mean(axis=1)
        known = self.probes[["image_id"]].assign(moment=self.moments, error=error)
        return comparisons_of(scores, self.probes).merge(known, on="image_id")


def sides_of(
    rows: pd.DataFrame,
    annotations: pd.DataFrame,
    faces: AlignedFaces,
    matcher: Matcher,
    *,
    at_range: int,
    settings: Settings,
    aligned: alignment.Settings,
    seed: list[int],
) -> list[Side]:
    """Return the probes of a range, and the control where the gallery's modality is another.

    The control's probes are the images of the gallery's modality of the same moments, verified by
    the same classifiers with cross-examples of their own modality, and without mapping, unless it
    is one for images of one modality, too. Both sides are of the same moments: under ``exclude`` of
    all, since a probe meets a gallery without its own moment, and so without itself; under ``keep``
    of those that are not enrolled.

    Parameters
    ----------
    rows : DataFrame of IMAGES of the fold with ``role``
    annotations : DataFrame of ANNOTATIONS
    faces : AlignedFaces
        By annotated points.
    matcher : Matcher
    at_range : int
    settings : Settings
        Of one reading of ``same_moment``.
    aligned : settings of the alignment
    seed : list of int
        Of the control's cross-examples.

    Raises
    ------
    ValueError
        If no probe of the range is annotated.
    """
    known = rows[rows["image_id"].isin(faces.image_ids)]
    probes = probes_of(rows, settings.probe, matcher.enrolment.images)
    chosen = probes["image_id"].isin(known["image_id"]) & (probes["range"] == at_range)
    probes = probes[chosen].reset_index(drop=True)
    if probes.empty:
        raise ValueError(
            f"displacements: range {at_range} has no annotated probe; "
            "name a range that the protocol's test images have"
        )
    sides = [Side.of(probes, annotations, matcher, settings=settings, aligned=aligned)]
    others = control(known, probes, matcher, settings)
    if len(others):
        probe = replace(settings.probe, modality=settings.gallery.modality)
        own = replace(settings, probe=probe)
        described = Descriptors.of_aligned(faces, own.descriptors)
        mapping = matcher.mapping if within_one(matcher.mapping.name) else NO_MAPPING
        theirs = enrol(rows, described, mapping, own, seed=seed, probes=others)
        sides.append(Side.of(others, annotations, theirs, settings=settings, aligned=aligned))
    return sides


def control(
    rows: pd.DataFrame, probes: pd.DataFrame, matcher: Matcher, settings: Settings
) -> pd.DataFrame:
    """Return test images of the gallery's modality, of probes' moments, that meet other images.

    Parameters
    ----------
    rows : DataFrame of IMAGES with ``role``, those with an aligned face
    probes : DataFrame of IMAGES
    matcher : Matcher
    settings : Settings
        None where gallery and probes are of one modality.
    """
    modality = settings.gallery.modality
    if modality == settings.probe.modality:
        return rows[:0]
    test = rows[rows["role"] == "test"]
    others = select(test, replace(settings.probe, modality=modality))
    moments = set(probes["pair_id"]) - {""}
    others = others[others["pair_id"].isin(moments)].reset_index(drop=True)
    met = matcher.enrolment.met_by(others, settings.headline)
    meets_itself = (met == WHOLE) & others["image_id"].isin(matcher.enrolment.images)
    return others[~meets_itself & (met != NONE)].reset_index(drop=True)


def readings_of(
    settings: Settings, matcher: Matcher, displacements: displacement.Settings
) -> dict[str, Settings]:
    """Return the settings of every reading to measure, by its mark: none for the headline.

    Where no probe's moment is enrolled all readings are the same, and the headline stands for all.
    """
    apart = displacements.readings == displacement.EVERY and matcher.enrolment.partial
    others = settings.same_moment[1:] if apart else ()
    return {"": settings.headline_only(), **{its: settings.under(its) for its in others}}


def measure(
    sides: Sequence[Side],
    draws: Draws,
    displacements: displacement.Settings,
    *,
    seed: int,
    same_moment: str = "",
) -> Iterator[Measured]:
    """Yield the curve of every kind of displacement; with a control its own, and the difference.

    Without ``modality``: all probes. With it: those of moments that both sides have, displaced by
    the same draws.

    Parameters
    ----------
    sides : of :func:`sides_of`
    draws : Draws
    displacements : Settings
    seed : int
        Of the displacements.
    same_moment : str
        Mark of the reading.
    """
    levels, linear = displacements.levels, displacements.linear_up_to
    both = set.intersection(*(set(side.moments) for side in sides))
    for kind in displacements.kinds:
        reach = str(displacements.range)
        subset = Subset(DISPLACEMENT, kind, same_moment=same_moment, range=reach)
        scores = [side.scores(kind, levels, seed=seed) for side in sides]
        yield from measure_curve(subset, scores[0], draws, linear_up_to=linear)
        pair = []
        for side, its in zip(sides, scores, strict=True) if len(sides) > 1 else ():
            paired = {at: table[table["moment"].isin(both)] for at, table in its.items()}
            own = subset._replace(modality=side.modality)
            pair.append(list(measure_curve(own, paired, draws, linear_up_to=linear)))
            yield from pair[-1]
        if pair:
            yield from measure_difference(subset, *pair)
