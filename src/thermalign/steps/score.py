"""Score the probes of a fold, aligned by one model, against its gallery."""

from pathlib import Path
from typing import Any

import numpy as np

from thermalign import tables
from thermalign.provenance import stamp
from thermalign.schemas.matching import FACES, SCORES
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.steps._descriptors import Descriptors
from thermalign.steps._inputs import read_fold
from thermalign.steps._matcher import read_matcher
from thermalign.steps._scores import probes_of, table_of


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
    """Write the SCORES of every probe against every enrolled subject.

    A probe without an aligned face scores -inf. A probe that the model was not asked about (an
    image without annotation, for ``annotated``) is no probe.

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
    probes = probes_of(read_fold(images, folds), settings)
    probes = probes[probes["image_id"].isin(asked)]
    values = np.full((len(probes), len(enrolled.subjects)), -np.inf)
    found = described.have(probes["image_id"])
    if found.any():
        vectors = described.of(list(probes["image_id"][found]))
        values[found] = enrolled.score(vectors, settings["probe"]["modality"])
    table = table_of(probes, enrolled.subjects, values)
    table = table.assign(protocol=protocol, fold=fold, model=model)
    tables.write(scores, table, SCORES, stamp(code, settings))
