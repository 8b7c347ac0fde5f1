"""Say how far other training seeds and other test subjects would move each model's NMSE."""

from pathlib import Path
from typing import Any

import pandas as pd

from thermalign import tables
from thermalign.evaluation.settings import Settings
from thermalign.evaluation.spread import spreads, trainings
from thermalign.provenance import stamp
from thermalign.schemas.dataset import ANNOTATIONS, FOLDS, IMAGES
from thermalign.schemas.measures import SPREAD
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.settings import parse


def run(
    *,
    images: list[Path],
    annotations: list[Path],
    folds: list[Path],
    predictions: list[Path],
    dataset: list[str],
    protocols: dict[str, Any],
    models: dict[str, Any],
    settings: dict[str, Any],
    spread: Path,
    code: str,
) -> None:
    """Write SPREAD.

    Parameters
    ----------
    images, annotations : Paths of the tables, one per dataset
    folds, predictions : lists of Path of the tables, one per training
    dataset : names of the datasets, in the order of ``images``
    protocols : protocol -> its block of the configuration
    models : model of PREDICTIONS -> (name under ``models:``, training seed)
    settings : the ``evaluation:`` block
    spread : Path
    code : str
    """
    made = trainings(
        (
            (tables.read(f, FOLDS), tables.read(p, PREDICTIONS))
            for f, p in zip(folds, predictions, strict=True)
        ),
        {name: tables.read(path, IMAGES) for name, path in zip(dataset, images, strict=True)},
        {n: tables.read(path, ANNOTATIONS) for n, path in zip(dataset, annotations, strict=True)},
        parse(Settings, settings, "evaluation"),
        datasets={name: block["dataset"] for name, block in protocols.items()},
        models=models,
    )
    people = {name: block["train_subjects"] for name, block in protocols.items()}
    rows = pd.DataFrame(spreads(made, people), columns=SPREAD.names)
    tables.write(spread, rows, SPREAD, stamp(code, settings))
