"""Displace the annotated landmarks of probes by known amounts, and verify the faces so aligned."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from thermalign import tables
from thermalign.evaluation.displacement import Curve, Side, measure_curve, measure_difference
from thermalign.evaluation.draws import Draws
from thermalign.evaluation.measured import Measured, write_measured
from thermalign.provenance import stamp
from thermalign.records import read_fold
from thermalign.schemas.dataset import ANNOTATIONS, IMAGES
from thermalign.schemas.matching import FACES
from thermalign.verification.descriptors import Descriptors
from thermalign.verification.enrolment import NONE, WHOLE, probes_of, select
from thermalign.verification.matcher import Mapping, Matcher, enrol, read_matcher
from thermalign.verification.readings import headline_of


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
    """Write the METRICS of every kind and level of displacement: see :mod:`thermalign.evaluation.displacement`.

    Subset ``displacement=KIND``: all probes of the range, under the protocol's headline reading of
    ``same_moment``. Subsets with ``&modality=``: the control, where the gallery's modality is
    another. Its probes are the images of the gallery's modality of the same moments, displaced by
    the same draws, verified by the same classifiers without mapping and with cross-examples of
    their own modality. Both sides are of the same moments: under ``exclude`` of all, since a probe
    meets a gallery without its own moment, and so without itself; under ``keep`` of those that are
    not enrolled.

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
    aligned = tables.read(faces, FACES)
    known = rows[rows["image_id"].isin(aligned["image_id"])]
    settings = {**settings, "same_moment": [headline_of(settings)]}
    asked = {"settings": settings, "alignment": alignment}
    truth = tables.read(annotations, ANNOTATIONS)
    enrolled = read_matcher(matcher)
    probes = probes_of(rows, settings, enrolled.enrolment.images)
    probes = _of_range(probes[probes["image_id"].isin(known["image_id"])], displacements)
    sides = [Side.of(probes, truth, enrolled, **asked)]
    control = _control(known, probes, enrolled, settings)
    if len(control):
        own = _enrol_control(rows, aligned, control, settings, seed=[seed, fold])
        sides.append(Side.of(control, truth, own, **asked))
    draws = Draws.of_fold(known[known["role"] == "test"], tables.read(images, IMAGES), evaluation)
    measured = [
        figure
        for kind in displacements["kinds"]
        for figure in _measure(kind, sides, displacements, draws, seed=evaluation["seed"])
    ]
    key = {"protocol": protocol, "fold": fold, "model": model}
    described = {**settings, "alignment": alignment, "displacements": displacements}
    metadata = stamp(code, {**described, "evaluation": evaluation})
    write_measured(measured, key, metadata, metrics=metrics, replicates=replicates)


def _of_range(probes: pd.DataFrame, displacements: dict[str, Any]) -> pd.DataFrame:
    chosen = probes[probes["range"] == displacements["range"]].reset_index(drop=True)
    if chosen.empty:
        raise ValueError(
            f"displacements: range {displacements['range']} has no annotated probe; "
            "name a range that the protocol's test images have"
        )
    return chosen


def _control(
    rows: pd.DataFrame, probes: pd.DataFrame, matcher: Matcher, settings: dict[str, Any]
) -> pd.DataFrame:
    """Return test images of the gallery's modality, of probes' moments, that meet other images."""
    gallery, probe = settings["gallery"], settings["probe"]
    if gallery["modality"] == probe["modality"]:
        return rows[:0]
    test = rows[rows["role"] == "test"]
    others = select(test, {**probe, "modality": gallery["modality"]})
    moments = set(probes["pair_id"]) - {""}
    others = others[others["pair_id"].isin(moments)].reset_index(drop=True)
    met = matcher.enrolment.met_by(others, headline_of(settings))
    meets_itself = (met == WHOLE) & others["image_id"].isin(matcher.enrolment.images)
    return others[~meets_itself & (met != NONE)].reset_index(drop=True)


def _enrol_control(
    rows: pd.DataFrame,
    faces: pd.DataFrame,
    control: pd.DataFrame,
    settings: dict[str, Any],
    *,
    seed: list[int],
) -> Matcher:
    own = {**settings["probe"], "modality": settings["gallery"]["modality"]}
    its = {**settings, "mapping": "none", "probe": own}
    described = Descriptors(faces, its)
    return enrol(rows, described, Mapping("none", {}), its, seed=seed, probes=control)


def _measure(
    kind: str, sides: list[Side], displacements: dict[str, Any], draws: Draws, *, seed: int
) -> Iterator[Measured]:
    levels, name = displacements["levels"], f"displacement={kind}"
    linear = displacements["linear_up_to"]
    found = [[side.displaced(kind, at, seed=seed) for at in levels] for side in sides]
    yield from measure_curve(Curve(name, levels, found[0]), draws, linear_up_to=linear)
    if len(sides) == 1:
        return
    both = set(sides[0].moments) & set(sides[1].moments)
    pair = []
    for side, its in zip(sides, found, strict=True):
        paired = [table[table["moment"].isin(both)] for table in its]
        curve = Curve(f"{name}&modality={side.modality}", levels, paired)
        pair.append(list(measure_curve(curve, draws, linear_up_to=linear)))
        yield from pair[-1]
    yield from measure_difference(name, *pair)
