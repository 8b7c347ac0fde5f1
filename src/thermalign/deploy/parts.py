"""The two models of a detector to take home: copied, described for the card; other runs' costs."""

import json
import platform
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from thermalign import tables
from thermalign.deploy.card import Part, Run
from thermalign.deploy.trials import Model
from thermalign.evaluation.measured import Measured
from thermalign.schemas.keys import rows_of
from thermalign.schemas.measures import METRICS
from thermalign.states import read_metadata, read_state
from thermalign.tables import replace_file
from thermalign.versions import own_version


def copy_state(source: Path, target: Path) -> None:
    """Copy a trained state, byte by byte: it holds what loading needs and no path."""
    replace_file(target, lambda path: shutil.copyfile(source, path))


def describe(
    state: Path, model: Model, datasets: Mapping[str, Any], measured: Sequence[Measured]
) -> Part:
    """Return what a card tells of a model.

    Parameters
    ----------
    state : Path of the copy that is handed over
    model : Model
    datasets : name -> block of the configuration
    measured : on the test people
    """
    kept, curve = read_state(state), model.curve
    people = {
        str(role): (int(its["subject_id"].nunique()), len(its))
        for role, its in model.rows.groupby("role")
    }
    return Part(
        file=state.name,
        size=state.stat().st_size,
        metadata=read_metadata(state),
        values=sum(tensor.numel() for tensor in kept.tensors.values()),
        stages={str(s): int(its["step"].max()) for s, its in curve.groupby("stage", sort=False)},
        core_seconds=float(curve["core_seconds"].max()),
        data=datasets[model.key["dataset"]],
        people=people,
        measured=measured,
        **model.key,
    )


def told_of_training(parts: Sequence[Part]) -> dict[str, str]:
    """Return metadata that say what the trainings of both models cost, for :func:`read_run`."""
    told = [[its.dataset, its.stages, its.core_seconds] for its in parts]
    return {"training": json.dumps(told)}


def read_run(path: Path) -> Run:
    """Read what a run's METRICS tell, of all its test people and all recorded faces.

    Raises
    ------
    ValueError
        If the table is none that ``pack`` wrote.
    """
    try:
        trainings = json.loads(tables.read_metadata(path)["training"])
    except KeyError as error:
        raise ValueError(
            f"{path}: was not written by pack; name the folder detector of another run"
        ) from error
    told = [(str(dataset), dict(stages), float(cost)) for dataset, stages, cost in trainings]
    return Run(told, rows_of(tables.read(path, METRICS)))


def versions() -> dict[str, str]:
    """Return the versions of the package, of Python and of what its networks run on."""
    own = {"thermalign": own_version(), "Python": platform.python_version()}
    return {**own, "torch": torch.__version__, "numpy": np.__version__, "OpenCV": cv2.__version__}
