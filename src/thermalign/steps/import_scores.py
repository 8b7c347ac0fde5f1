"""Take the scores of a fold's comparisons from a file of another matcher."""

import json
import sys
from pathlib import Path
from typing import Any

from thermalign import tables
from thermalign.exchange.scores import read_scores, scores_for, told
from thermalign.provenance import stamp
from thermalign.records import with_roles
from thermalign.schemas.dataset import FOLDS, IMAGES
from thermalign.schemas.matching import FACES, SCORES
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.settings import parse
from thermalign.verification.enrolment import Selection
from thermalign.verification.trials import Trials


def run(
    *,
    images: Path,
    folds: Path,
    faces: Path,
    source: Path,
    dataset: str,
    protocol: str,
    fold: int,
    model: str,
    roles: dict[str, Any],
    thresholds: dict[str, Any],
    content: str,
    scores: Path,
    predictions: Path,
    code: str,
) -> None:
    """Write the SCORES of every probe against every enrolled subject, and PREDICTIONS of no image.

    Whoever is enrolled in the study is enrolled here, and a probe meets the same gallery.

    Parameters
    ----------
    images, folds : Path of the tables
    faces : Path of the FACES that annotated points align: those can be enrolled
    source : Path of the file: see :mod:`thermalign.exchange.scores`
    dataset : the protocol's
    protocol, fold, model : wildcards
    roles : ``gallery``, ``probe`` and ``same_moment`` of the protocol
    thresholds : score by false match rate; empty: those that a Parquet file carries
    content : digest of the file when the jobs were planned
    scores, predictions : Path
    code : str
    """
    known = tables.read(images, IMAGES)
    rows = with_roles(known, tables.read(folds, FOLDS))
    seen = set(tables.read(faces, FACES, only=["image_id"])["image_id"])
    gallery, probe = (parse(Selection, roles[key], key) for key in ("gallery", "probe"))
    trials = Trials.of(rows, seen, gallery, probe, roles["same_moment"])
    given, whose = read_scores(source), f"{protocol}, fold {fold},"
    table = scores_for(given, trials, known, dataset=dataset, whose=whose)
    for line in [*trials.enrolment.told(trials.probes, trials.readings), *told(table)]:
        print(line, file=sys.stderr)
    metadata = stamp(code, {"model": model, "from": str(source), "sha256": content, **roles})
    metadata["thresholds"] = json.dumps(thresholds or given.thresholds)
    table = table.assign(protocol=protocol, fold=fold, model=model)
    tables.write(scores, table, SCORES, metadata)
    none = PREDICTIONS.empty_table().to_pandas()
    tables.write(predictions, none, PREDICTIONS, metadata)
