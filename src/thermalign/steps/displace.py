"""Displace the annotated landmarks of probes by known amounts, and verify the faces so aligned."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from thermalign import tables
from thermalign.displacements import displace
from thermalign.geometry import Floats
from thermalign.metrics.landmarks import normalized_errors
from thermalign.provenance import stamp
from thermalign.schemas.dataset import ANNOTATIONS, IMAGES
from thermalign.schemas.matching import FACES
from thermalign.steps._aligned import align_stack, alignable
from thermalign.steps._descriptors import Descriptors, describe
from thermalign.steps._dose import Curve, measure_curve, measure_difference
from thermalign.steps._inputs import points_of, read_fold, select
from thermalign.steps._matcher import Mapping, Matcher, enrol, read_matcher
from thermalign.steps._measured import Measured, write_measured
from thermalign.steps._measures import Draws, comparisons_of
from thermalign.steps._scores import probes_of, table_of
from thermalign.steps._stack import read_images
from thermalign.warp import ImageStack, stack_images


def run(
    *,
    images: Path,
    annotations: Path,
    folds: Path,
    faces: Path,
    matcher: Path,
    protocol: str,
    fold: int,
    model: str,
    settings: dict[str, Any],
    alignment: dict[str, Any],
    displacements: dict[str, Any],
    seed: int,
    evaluation: dict[str, Any],
    metrics: Path,
    replicates: Path,
    code: str,
) -> None:
    """Write the METRICS of every kind and level of displacement: see :mod:`thermalign.steps._dose`.

    Subset ``displacement=KIND``: all probes of the range. Subsets with ``&modality=``: the control,
    where the gallery's modality is another. Its probes are the images of the gallery's modality of
    the same moments, displaced by the same draws, verified by the same classifiers without mapping
    and with cross-examples of their own modality; moments whose image is enrolled are left out, on
    both sides.

    Parameters
    ----------
    images, annotations, folds : Path of the tables
    faces : Path of FACES aligned by annotated points
    matcher : Path of what ``train_matcher`` wrote
    protocol, fold, model : wildcards
    settings : as in :func:`thermalign.steps.train_matcher.run`
    alignment : the ``alignment:`` block
    displacements : the ``displacements:`` block: range, kinds, levels, linear_up_to
    seed : int
    evaluation : the ``evaluation:`` block
    metrics, replicates : Path of METRICS, REPLICATES
    code : str
    """
    rows = read_fold(images, folds)
    rows = rows[rows["image_id"].isin(tables.read(faces, FACES)["image_id"])]
    truth = tables.read(annotations, ANNOTATIONS)
    shown = [
        _Side.of(probes_of(rows, settings), truth, read_matcher(matcher), settings, displacements)
    ]
    control = _control(rows, settings)
    if len(control):
        enrolled = _enrol_control(rows, tables.read(faces, FACES), settings, seed=[seed, fold])
        shown.append(_Side.of(control, truth, enrolled, settings, displacements))
    draws = Draws.of_fold(
        rows[rows["role"] == "test"], tables.read(images, IMAGES), evaluation
    )
    measured = [
        figure
        for kind in displacements["kinds"]
        for figure in _measure(kind, shown, settings, alignment, displacements, draws, evaluation)
    ]
    key = {"protocol": protocol, "fold": fold, "model": model}
    described = {**settings, "alignment": alignment, "displacements": displacements}
    metadata = stamp(code, {**described, "evaluation": evaluation})
    write_measured(measured, key, metadata, metrics=metrics, replicates=replicates)


@dataclass(frozen=True)
class _Side:
    """Probes of one modality, and what verifies them.

    Attributes
    ----------
    probes : DataFrame of IMAGES, N rows of one modality
    points : (N, L, 2) float64, pixels
        Annotated.
    stack : ImageStack of the probes
    matcher : Matcher
    """

    probes: pd.DataFrame
    points: Floats
    stack: ImageStack
    matcher: Matcher

    @classmethod
    def of(
        cls,
        probes: pd.DataFrame,
        truth: pd.DataFrame,
        matcher: Matcher,
        settings: dict[str, Any],
        displacements: dict[str, Any],
    ) -> "_Side":
        """Read the probes of the configured range."""
        probes = probes[probes["range"] == displacements["range"]].reset_index(drop=True)
        if probes.empty:
            raise ValueError(
                f"displacements: range {displacements['range']} has no annotated probe; "
                "name a range that the protocol's test images have"
            )
        stack = stack_images(list(read_images(probes)), torch.device("cpu"))
        return cls(probes, points_of(truth, list(probes["image_id"])), stack, matcher)

    @property
    def modality(self) -> str:
        """What the probes were recorded in."""
        return str(self.probes["modality"].iloc[0])

    @property
    def moments(self) -> pd.Series:
        """The pair of each probe, or its own name without one: what decides its draw."""
        paired = self.probes["pair_id"] != ""
        return self.probes["pair_id"].where(paired, self.probes["image_id"])

    def displaced(
        self, kind: str, level: float, settings: dict[str, Any], alignment: dict[str, Any], seed: int
    ) -> pd.DataFrame:
        """Return SCORES of the displaced probes with what is known of them, moment and error."""
        points = displace(self.points, list(self.moments), kind=kind, level=level, seed=seed)
        scores = np.full((len(points), len(self.matcher.subjects)), -np.inf)
        usable = alignable(points, alignment)
        aligned = align_stack(self.stack, np.flatnonzero(usable), points[usable], alignment)
        scores[usable] = self.matcher.score(describe(aligned, settings), self.modality)
        error = normalized_errors(points, self.points).mean(axis=1)
        known = self.probes.assign(moment=self.moments, error=error)
        table = comparisons_of(table_of(self.probes, self.matcher.subjects, scores), self.probes)
        return table.merge(known[["image_id", "moment", "error"]], on="image_id")


def _control(rows: pd.DataFrame, settings: dict[str, Any]) -> pd.DataFrame:
    """Return test images of the gallery's modality that are not enrolled, of probes' moments."""
    gallery, probe = settings["gallery"], settings["probe"]
    if gallery["modality"] == probe["modality"]:
        return rows[:0]
    test = rows[rows["role"] == "test"]
    moments = set(probes_of(rows, settings)["pair_id"]) - {""}
    others = select(test, {**probe, "modality": gallery["modality"]})
    enrolled = select(test, gallery)["image_id"]
    return others[others["pair_id"].isin(moments) & ~others["image_id"].isin(enrolled)]


def _enrol_control(
    rows: pd.DataFrame, faces: pd.DataFrame, settings: dict[str, Any], *, seed: list[int]
) -> Matcher:
    own = {**settings["probe"], "modality": settings["gallery"]["modality"]}
    its = {**settings, "mapping": "none", "probe": own}
    return enrol(rows, Descriptors(faces, its), Mapping("none", {}), its, seed=seed)


def _measure(
    kind: str,
    shown: list[_Side],
    settings: dict[str, Any],
    alignment: dict[str, Any],
    displacements: dict[str, Any],
    draws: Draws,
    evaluation: dict[str, Any],
) -> Iterator[Measured]:
    levels, name = displacements["levels"], f"displacement={kind}"
    per_side = [
        [side.displaced(kind, at, settings, alignment, evaluation["seed"]) for at in levels]
        for side in shown
    ]
    linear = displacements["linear_up_to"]
    yield from measure_curve(Curve(name, levels, per_side[0]), draws, linear_up_to=linear)
    if len(shown) == 1:
        return
    both = set(per_side[0][0]["moment"]) & set(per_side[1][0]["moment"])
    pair = []
    for side, found in zip(shown, per_side, strict=True):
        paired = [table[table["moment"].isin(both)] for table in found]
        curve = Curve(f"{name}&modality={side.modality}", levels, paired)
        pair.append(list(measure_curve(curve, draws, linear_up_to=linear)))
        yield from pair[-1]
    yield from measure_difference(name, *pair)
