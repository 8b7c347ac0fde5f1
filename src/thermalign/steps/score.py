"""Score the probes of a fold, aligned by one model, against its gallery."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thermalign import tables
from thermalign.geometry import Floats
from thermalign.provenance import stamp
from thermalign.schemas.matching import FACES, SCORES
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.steps._inputs import read_fold, select
from thermalign.steps._matcher import descriptors, missing
from thermalign.steps._model import read_metadata, read_state
from thermalign.verification import dpm, pls


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
    classifiers, subjects = _read_matcher(matcher)
    aligned = tables.read(faces, FACES)
    asked = tables.read(predictions, PREDICTIONS)["image_id"].unique()
    probes = _probes(read_fold(images, folds), settings)
    probes = probes[probes["image_id"].isin(asked)]
    ids = list(probes["image_id"])
    values = np.full((len(ids), len(subjects)), -np.inf)
    found = ~missing(ids, aligned)
    if found.any():
        vectors = descriptors(aligned, list(probes["image_id"][found]), settings)
        values[found] = pls.score(classifiers, dpm.as_vectors(vectors))
    table = _long(probes, subjects, values).assign(protocol=protocol, fold=fold, model=model)
    tables.write(scores, table, SCORES, stamp(code, settings))


def _read_matcher(path: Path) -> tuple[pls.OneVsAll, list[str]]:
    tensors = read_state(path).tensors
    model = pls.OneVsAll(tensors["weights"].numpy(), tensors["intercepts"].numpy())
    return model, read_metadata(path)["settings"]["subjects"]


def _probes(rows: pd.DataFrame, settings: dict[str, Any]) -> pd.DataFrame:
    """Return the test images that are probes; an enrolled image never is."""
    test = rows[rows["role"] == "test"]
    enrolled = select(test, settings["gallery"])["image_id"]
    probes = select(test, settings["probe"])
    return probes[~probes["image_id"].isin(enrolled)].reset_index(drop=True)


def _long(probes: pd.DataFrame, subjects: list[str], values: Floats) -> pd.DataFrame:
    gallery = np.tile(np.asarray(subjects, object), len(probes))
    own = np.repeat(probes["subject_id"].to_numpy(object), len(subjects))
    return pd.DataFrame(
        {
            "probe_id": np.repeat(probes["image_id"].to_numpy(object), len(subjects)),
            "gallery_id": gallery,
            "genuine": gallery == own,
            "score": values.ravel(),
        }
    )
