"""Score the probes of a fold, aligned by one model, against its gallery."""

import json
import sys
from pathlib import Path
from typing import Any

from thermalign import tables
from thermalign.provenance import stamp
from thermalign.records import read_fold
from thermalign.schemas.matching import SCORES
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.verification.descriptors import Descriptors
from thermalign.verification.enrolment import probes_of
from thermalign.verification.matcher import Settings, score_probes
from thermalign.verification.matcher_state import read_matcher, read_thresholds
from thermalign.verification.stored import AlignedFaces


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
    enrolled, asked = read_matcher(matcher), Settings.of(settings)
    described = Descriptors.of_aligned(AlignedFaces.read(faces), asked.descriptors)
    wanted = tables.read(predictions, PREDICTIONS)["image_id"].unique()
    probes = probes_of(read_fold(images, folds), asked.probe, enrolled.enrolment.images)
    probes = probes[probes["image_id"].isin(wanted)].reset_index(drop=True)
    for line in enrolled.enrolment.told(probes, asked.same_moment):
        print(line, file=sys.stderr)
    table = score_probes(enrolled, probes, described, readings=asked.same_moment)
    metadata = stamp(code, settings) | {"thresholds": json.dumps(read_thresholds(matcher))}
    table = table.assign(protocol=protocol, fold=fold, model=model)
    tables.write(scores, table, SCORES, metadata)
