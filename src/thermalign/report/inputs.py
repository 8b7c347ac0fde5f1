"""What the page shows beside tables of metrics: counts, costs, sizes, versions."""

import json
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any

import pandas as pd

from thermalign.report.setup import Block, Setup
from thermalign.schemas.descriptions import COSTS

TITLE = "Landmark detectors on thermal faces, and what their error costs verification"
PACKAGES = ("snakemake", "torch", "numpy", "opencv-python-headless", "pandas", "pyarrow")


def costs(logs: Iterable[str]) -> pd.DataFrame:
    """Return COSTS from the last line of every finished job's log."""
    last = [log.rstrip().rpartition("\n")[2] for log in logs]
    rows = [json.loads(line) for line in last if line.startswith('{"rule"')]
    return pd.DataFrame(rows, columns=COSTS.names)


def counts(name: str, images: pd.DataFrame) -> pd.DataFrame:
    """Count subjects and images of a dataset.

    Returns
    -------
    DataFrame
        dataset, volume, range, condition, modality, subjects, images.
    """
    grouped = images.groupby(["volume", "range", "condition", "modality"])
    table = grouped.agg(subjects=("subject_id", "nunique"), images=("image_id", "count"))
    return table.reset_index().assign(dataset=name)


def box_sentence(name: str, box: Block, table: pd.DataFrame) -> str:
    """Say which face boxes a dataset has.

    Parameters
    ----------
    name : str
    box : mapping
        Its block of the configuration.
    table : DataFrame of BOXES
    """
    shares = ", ".join(f"{n} {source}" for source, n in table["source"].value_counts().items())
    sentence = f"{name}: face boxes of {len(table)} images: {shares}."
    if box["source"] == "derived":
        sentence += (
            f" Derived boxes are {box['width']} x {box['height']} interocular distances around "
            f"the annotated points, with seeded jitter of {box['shift']} interocular distances "
            f"in place and {box['scale']:.0%} in size, the same for every model."
        )
    return sentence


def parameters(setup: Setup, stamps: Iterable[Mapping[str, str]], seeds: Block) -> pd.DataFrame:
    """Return how many parameters models have, as their trainings state it.

    Parameters
    ----------
    setup : Setup
    stamps : iterable of mapping
        Metadata of CURVES: ``settings``, which name the ``model``, and ``parameters``, both JSON.
    seeds : mapping
        Name of a training to that under ``models:`` and its seed, where a model has several.

    Returns
    -------
    DataFrame
        model, detector, configured, paper.
    """
    counted = {}
    for stamp in stamps:
        training = json.loads(stamp["settings"])["model"]
        model = seeds[training][0] if training in seeds else training
        counted[model] = json.loads(stamp["parameters"])
    rows = [
        (model, detector, counted[model]["configured"], counted[model]["paper"])
        for model, detector in setup.models.items()
    ]
    return pd.DataFrame(rows, columns=["model", "detector", "configured", "paper"])


def first_trainings(predictions: pd.DataFrame, seeds: Block) -> pd.DataFrame:
    """Return the PREDICTIONS of the training with the lowest seed, where a model has several."""
    lowest = {model: min(s for m, s in seeds.values() if m == model) for model, _ in seeds.values()}
    later = [training for training, (model, seed) in seeds.items() if seed > lowest[model]]
    return predictions[~predictions["model"].isin(later)]


def versions(code: str) -> dict[str, Any]:
    """Return what the report names as software, by name."""
    packages = {name: metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "code": code, **packages}
