"""Score the probes of a fold, aligned by one model, against its gallery."""

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from thermalign import tables
from thermalign.provenance import stamp
from thermalign.records import read_fold
from thermalign.schemas.matching import FACES, SCORES
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.verification.descriptors import Descriptors
from thermalign.verification.enrolment import NONE, Enrolment, probes_of
from thermalign.verification.matcher import read_matcher, read_thresholds, score_probes
from thermalign.verification.readings import EXCLUDE


def run(
    *,
    images: Path,
    folds: Path,
    predictions: Path,
    faces: Path,
    matcher: Path,
    protocol: str,
    fold: int,
    model: str,
    settings: dict[str, Any],
    scores: Path,
    code: str,
) -> None:
    """Write the SCORES of every probe against every enrolled subject, under every reading.

    Their metadata has the matcher's ``thresholds``: see :mod:`thermalign.evaluation.thresholds`. A
    probe without an aligned face scores -inf. A probe that the model was not asked about (an image
    without annotation, for ``annotated``) is no probe.

    Parameters
    ----------
    images, folds, predictions, faces : Path of the tables
    matcher : Path of what ``train_matcher`` wrote
    protocol, fold, model : wildcards
    settings : as in :func:`thermalign.steps.train_matcher.run`
    scores : Path
    code : str
    """
    enrolled = read_matcher(matcher)
    described = Descriptors(tables.read(faces, FACES), settings)
    asked = tables.read(predictions, PREDICTIONS)["image_id"].unique()
    probes = probes_of(read_fold(images, folds), settings, enrolled.enrolment.images)
    probes = probes[probes["image_id"].isin(asked)].reset_index(drop=True)
    readings = settings["same_moment"]
    _report(probes, enrolled.enrolment, readings)
    found = described.have(probes["image_id"])
    table = score_probes(
        enrolled,
        probes,
        found,
        lambda: described.of(list(probes["image_id"][found])),
        readings=readings,
    )
    table = table.assign(protocol=protocol, fold=fold, model=model)
    metadata = stamp(code, settings) | {"thresholds": json.dumps(read_thresholds(matcher))}
    tables.write(scores, table, SCORES, metadata)


def _report(probes: pd.DataFrame, enrolment: Enrolment, readings: list[str]) -> None:
    """Say how many probes have their own moment enrolled, and how many meet no gallery without."""
    own = int((enrolment.groups_of(probes)[0] >= 0).sum())
    lost = int((enrolment.met_by(probes, EXCLUDE) == NONE).sum())
    print(f"{own} of {len(probes)} probes have their own moment enrolled", file=sys.stderr)
    if lost and EXCLUDE in readings:
        print(
            f"{lost} of them are no probes under exclude: it is all their person is enrolled with",
            file=sys.stderr,
        )
