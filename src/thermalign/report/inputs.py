"""What the report is made from: configuration resolved, counts, costs, sizes, faces."""

import contextlib
import json
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any

import pandas as pd

from thermalign.report import pictures
from thermalign.report.exhibits import DatasetCard, Example
from thermalign.report.setup import (
    Block,
    Condition,
    Displacements,
    Elsewhere,
    Protocol,
    Selection,
    Setup,
)
from thermalign.schemas.descriptions import COSTS
from thermalign.tables import Key

Tables = Mapping[str, pd.DataFrame]
"""Dataset to a table of it."""

PACKAGES = ("snakemake", "torch", "numpy", "opencv-python-headless", "pandas", "pyarrow")

SETTINGS = {
    "ambient_mean": "Room, °C",
    "netd": "NETD, K",
    "defocus": "Defocus, m",
    "sensor": "Camera",
}
"""Settings of the simulator to how a table spells them, with their units."""

BESIDE_SERIES = ("train_subjects", "paper")
"""Keys in which the protocols of a series may differ."""


def read_setup(config: Block) -> Setup:
    """Resolve the whole configuration.

    Parameters
    ----------
    config : mapping
        As checked before the study; blocks that it lacks are empty.
    """
    datasets, variants = config.get("datasets", {}), config.get("variants", {})
    displaced = config.get("displacements", {})
    protocols = _protocols(config.get("protocols", {}))
    recorded = {name: b["dataset"] for name, b in variants.items() if "dataset" in b}
    models, evaluation = config.get("models", {}).items(), config.get("evaluation", {})
    return Setup(
        protocols=protocols,
        normalisation={m: str(b["normalisation"]) for m, b in models if "normalisation" in b},
        moved=_boxes(variants, "shift", "Box moved, of its side"),
        resized=_boxes(variants, "scale", "Box resized, times"),
        detectors={name: str(b["detector"]) for name, b in variants.items() if "detector" in b},
        recordings={p.name: _recordings(p, recorded, datasets) for p in protocols.values()},
        variant_datasets=recorded,
        elsewhere={
            name: Elsewhere(name, str(b["dataset"]), str(b["probe"]["modality"]))
            for name, b in config.get("evaluate_on", {}).items()
        },
        matcher=config.get("matcher", {}),
        ablation=config.get("ablation", {}),
        sweep=config.get("sweep", {}),
        displacements=Displacements(
            range=str(displaced.get("range", "")),
            kinds=tuple(map(str, displaced.get("kinds", ()))),
            linear_up_to=displaced.get("linear_up_to"),
        ),
        metrics=tuple(map(str, evaluation.get("metrics", ()))),
        seed=int(evaluation.get("seed", 0)),
        simulated=any(
            "simulator" in (b.get("adapter"), b.get("source")) for b in datasets.values()
        ),
        imported=_imported(config),
    )


def _imported(config: Block) -> dict[str, str]:
    """Return what of a row is read from files, by its name."""
    told = {"models": "points from a file", "matchers": "scores from a file"}
    return {
        name: words
        for group, words in told.items()
        for name, block in config.get(group, {}).items()
        if "from" in block
    }


def _protocols(blocks: Block) -> dict[str, Protocol]:
    papers = [int(block.get("paper", 0)) for block in blocks.values()]
    found = {}
    for (name, block), paper in zip(blocks.items(), papers, strict=True):
        shared = {key: value for key, value in block.items() if key not in BESIDE_SERIES}
        found[name] = Protocol(
            name,
            label=f"Protocol {paper}" if paper and papers.count(paper) == 1 else name,
            paper=paper,
            dataset=str(block.get("dataset", "")),
            readings=tuple(map(str, block.get("same_moment", ()))),
            series=json.dumps(shared, sort_keys=True),
            probe=_selection(block.get("probe", {})),
            gallery=_selection(block.get("gallery", {})),
            matcher=block.get("matcher", {}),
        )
    return found


def _selection(block: Block) -> Selection:
    narrowed = (tuple(map(str, block.get(n) or ())) for n in ("conditions", "ranges", "sessions"))
    return Selection(str(block.get("modality", "")), *narrowed)


def _boxes(variants: Block, kind: str, group: str) -> list[Condition]:
    found = [
        Condition(name, group, f"{block[kind]:.2f}".removeprefix("0"), float(block[kind]))
        for name, block in variants.items()
        if kind in block
    ]
    return sorted(found, key=lambda c: (c.level, c.name))


def _recordings(protocol: Protocol, named: Mapping[str, str], datasets: Block) -> list[Condition]:
    own = _flat(datasets.get(protocol.dataset, {}))
    found = []
    for name, dataset in named.items():
        other = _flat(datasets[dataset])
        changed = [key for key in {*own, *other} if own.get(key) != other.get(key)]
        found.append(_recording(name, {key: other.get(key) for key in changed}))
    return sorted(found, key=lambda c: (c.group == "", c.group, c.level, c.name))


def _recording(name: str, changed: Block) -> Condition:
    if len(changed) != 1:
        return Condition(name, "", name)
    key, value = next(iter(changed.items()))
    number = float(value) if isinstance(value, int | float) else 0.0
    return Condition(name, SETTINGS.get(key, key), f"{value}", number)


def _flat(block: Block) -> dict[str, Any]:
    return {**block, "settings": None, **block.get("settings", {})}


def costs(logs: Iterable[str]) -> pd.DataFrame:
    """Return COSTS from the last line of every finished job's log; a line cut off is none."""
    last = [log.rstrip().rpartition("\n")[2] for log in logs]
    rows = [json.loads(line) for line in last if line.startswith('{"rule"') and line.endswith("}")]
    table = pd.DataFrame(rows, columns=COSTS.names)
    return table.fillna({"precision": ""})  # lines of earlier versions have none


def counts(images: Tables) -> pd.DataFrame:
    """Count subjects and images of every dataset.

    Returns
    -------
    DataFrame
        dataset, volume, range, condition, modality, subjects, images.
    """
    found = []
    for name, table in images.items():
        grouped = table.groupby(["volume", "range", "condition", "modality"])
        counted = grouped.agg(subjects=("subject_id", "nunique"), images=("image_id", "count"))
        found.append(counted.reset_index().assign(dataset=name))
    return pd.concat(found, ignore_index=True)


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


def parameters(models: Block, stamps: Iterable[Mapping[str, str]], seeds: Block) -> pd.DataFrame:
    """Return how many parameters models have, as their trainings state it.

    Parameters
    ----------
    models : mapping
        Their blocks of the configuration.
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
        (
            model,
            str(block.get("model", model)),
            counted[model]["configured"],
            counted[model]["paper"],
        )
        for model, block in models.items()
        if model in counted
    ]
    return pd.DataFrame(rows, columns=["model", "detector", "configured", "paper"])


def shown_predictions(
    predictions: Mapping[Key, pd.DataFrame], seeds: Block
) -> Iterable[pd.DataFrame]:
    """Yield the PREDICTIONS that faces are chosen among, a job's at a time: of the first fold.

    Of a model with several trainings they are of the one with the lowest seed.

    Parameters
    ----------
    predictions : mapping of protocol, fold and model to PREDICTIONS
    seeds : mapping
        Name of a training to that under ``models:`` and its seed, where a model has several.
    """
    lowest = {model: min(s for m, s in seeds.values() if m == model) for model, _ in seeds.values()}
    later = {training for training, (model, seed) in seeds.items() if seed > lowest[model]}
    for protocol, fold, model in predictions:
        if fold == 0 and model not in later:
            yield predictions[protocol, fold, model]


def cards(
    names: Iterable[str],
    cards: Iterable[pd.DataFrame],
    likenesses: Iterable[pd.DataFrame],
    contacts: Iterable[bytes],
    marked: Iterable[bytes],
) -> list[DatasetCard]:
    """Return what ``describe`` found of datasets: CARD, LIKENESS and two PNG files of each."""
    found = zip(names, cards, likenesses, contacts, marked, strict=True)
    return [DatasetCard(*its) for its in found]


def examples(
    setup: Setup,
    predictions: Iterable[pd.DataFrame],
    annotations: Tables,
    images: Tables,
    boxes: Tables,
) -> list[Example]:
    """Choose and cut faces of every dataset.

    A dataset has the predictions of its own protocols alone: datasets may name images alike.

    Parameters
    ----------
    setup : Setup
    predictions : of :func:`shown_predictions`
    annotations, images, boxes : tables by dataset
    """
    found: dict[str, list[Example]] = {name: [] for name in images}
    for table in predictions:
        name = setup.protocols[str(table["protocol"].iloc[0])].dataset
        found[name] += pictures.examples(table, annotations[name], images[name], boxes[name])
    return [example for its in found.values() for example in its]


def versions(code: str) -> dict[str, Any]:
    """Return what the report names as software, by name: of packages, those of this environment.

    In one of conda's there is neither Snakemake nor PyTorch beside the report.
    """
    packages = {}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            packages[name] = metadata.version(name)
    return {"python": platform.python_version(), "code": code, **packages}
