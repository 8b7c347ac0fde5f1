"""Gather what the study measured and write the report."""

import json
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from thermalign import tables
from thermalign.landmarks.models import parameter_counts
from thermalign.provenance import commit
from thermalign.report.condition_pictures import pictures
from thermalign.report.examples import examples
from thermalign.report.page import DatasetCard, Study, render
from thermalign.schemas.dataset import ANNOTATIONS, BOXES, IMAGES
from thermalign.schemas.descriptions import CARD, COSTS, LIKENESS
from thermalign.schemas.measures import DIFFERENCES, SPREAD, SUMMARY
from thermalign.schemas.predictions import CURVES, PREDICTIONS

PACKAGES = ("snakemake", "torch", "numpy", "opencv-python-headless", "pandas", "pyarrow")


def run(
    *,
    images: list[Path],
    annotations: list[Path],
    boxes: list[Path],
    summary: Path,
    differences: Path,
    spread: Path,
    seeds: dict[str, Any],
    curves: list[Path],
    predictions: list[Path],
    cards: list[Path],
    likenesses: list[Path],
    contacts: list[Path],
    marked: list[Path],
    recordings: list[Path],
    logs: Path,
    config: dict[str, Any],
    page: Path,
    code: str,
) -> None:
    """Write the report, one self-contained HTML page.

    Parameters
    ----------
    images, annotations, boxes, curves, predictions : lists of Path of the tables
    summary, differences : Path of the tables of ``compare``
    spread : Path of SPREAD
    seeds : model -> (name under ``models:``, training seed), where a model lists seeds
    cards, likenesses, contacts, marked : lists of Path of the outputs of ``describe``
    recordings : list of Path of the IMAGES of variants
    logs : folder of the jobs' logs
    config : the whole configuration
    page : Path
    code : str
    """
    known = _by_dataset(images, IMAGES)
    truth = _by_dataset(annotations, ANNOTATIONS)
    where = _by_dataset(boxes, BOXES)
    joined = tables.read(summary, SUMMARY)
    study = Study(
        title="Landmark detectors on thermal faces, and what their error costs verification",
        config=config,
        summary=joined,
        differences=tables.read(differences, DIFFERENCES),
        spread=tables.read(spread, SPREAD),
        seeds={training: (model, seed) for training, (model, seed) in seeds.items()},
        costs=read_costs(logs),
        curves=tables.read_many(curves, CURVES),
        parameters=parameter_counts(config["models"]),
        examples=[
            example
            for name in known
            for example in examples(
                _predicted(predictions, config, dataset=name, seeds=seeds),
                truth[name],
                known[name],
                where[name],
            )
        ],
        notes=notes(config, joined),
        dataset=pd.concat([_counts(*item) for item in known.items()], ignore_index=True),
        boxes=[_box_sentence(n, config["datasets"][n]["box"], where[n]) for n in known],
        cards=[_card(*paths) for paths in zip(cards, likenesses, contacts, marked, strict=True)],
        pictures=pictures(config, known | _by_dataset(recordings, IMAGES), where),
        commit=commit(),
        versions={"python": platform.python_version(), "code": code, **_versions()},
    )
    tables.replace_file(page, lambda path: path.write_text(render(study), encoding="utf-8"))


def _by_dataset(paths: list[Path], schema: Any) -> dict[str, pd.DataFrame]:
    """Return tables by dataset, which is the name of their folder."""
    return {path.parent.name: tables.read(path, schema) for path in paths}


def _predicted(
    predictions: list[Path], config: dict[str, Any], *, dataset: str, seeds: dict[str, Any]
) -> pd.DataFrame:
    """Return the PREDICTIONS of the protocols on a dataset; datasets may name images alike.

    Of a model with several training seeds only those of the lowest.
    """
    table = tables.read_many(predictions, PREDICTIONS)
    theirs = [p for p, block in config["protocols"].items() if block["dataset"] == dataset]
    lowest = {model: min(s for m, s in seeds.values() if m == model) for model, _ in seeds.values()}
    later = [training for training, (model, seed) in seeds.items() if seed > lowest[model]]
    return table[table["protocol"].isin(theirs) & ~table["model"].isin(later)]


def read_costs(logs: Path) -> pd.DataFrame:
    """Return COSTS from the last line of every finished job's log."""
    rows = []
    for log in sorted(logs.rglob("*.log")):
        lines = log.read_text(encoding="utf-8").splitlines()
        if lines and lines[-1].startswith('{"rule"'):
            rows.append(json.loads(lines[-1]))
    return pd.DataFrame(rows, columns=COSTS.names)


def notes(config: dict[str, Any], summary: pd.DataFrame) -> list[str]:
    """Return what each protocol left out, and why."""
    lines = []
    measured = summary[summary["metric"] == "eer"].groupby("protocol")["model"].unique().to_dict()
    for name, protocol in config["protocols"].items():
        models = measured.get(name, [])
        modality = protocol["probe"]["modality"]
        if modality == protocol["gallery"]["modality"] and len(models):
            lines.append(f"{name}: {_one_modality(modality, config['matcher'])}")
        if not len(models):
            sides = [f"{side} ({_selection(protocol[side])})" for side in ("probe", "gallery")]
            lines.append(
                f"{name}: nothing was verified: the {' and the '.join(sides)} of its test subjects "
                "give no genuine or no impostor comparison."
            )
        elif "annotated" not in models:
            lines.append(
                f"{name}: probes ({_selection(protocol['probe'])}) have no annotated points: "
                "verification uses predicted points only, without the ceiling that annotated "
                "points would give."
            )
    return lines


def _one_modality(modality: str, matcher: dict[str, Any]) -> str:
    """Say what a mapping between modalities does where both sides have the same."""
    done = {
        "none": "the classifier works on the descriptors themselves.",
        "centring": "both sides are taken relative to the same mean of training images.",
        "dpm": (
            "both sides pass the same DPM, made to turn visible descriptors into thermal ones."
            if modality == "visible"
            else "DPM, which maps visible descriptors, maps none; both sides are taken relative to "
            "the same mean."
        ),
    }[matcher["mapping"]]
    return (
        f"probes and gallery are both {modality} images, so there is no second modality to map "
        f"to (mapping: {matcher['mapping']}): {done}"
    )


def _selection(block: dict[str, Any]) -> str:
    """Spell which images a protocol takes: modality and what narrows it."""
    narrowed = [
        f"{key} {', '.join(map(str, block[key]))}"
        for key in ("conditions", "ranges", "sessions")
        if block.get(key)
    ]
    return "; ".join([str(block["modality"]), *narrowed])


def _counts(name: str, images: pd.DataFrame) -> pd.DataFrame:
    grouped = images.groupby(["volume", "range", "condition", "modality"])
    table = grouped.agg(subjects=("subject_id", "nunique"), images=("image_id", "count"))
    return table.reset_index().assign(dataset=name)


def _card(card: Path, likeness: Path, contact: Path, marked: Path) -> DatasetCard:
    return DatasetCard(
        name=card.parent.name,
        card=tables.read(card, CARD),
        likeness=tables.read(likeness, LIKENESS),
        contact=contact.read_bytes(),
        marked=marked.read_bytes(),
    )


def _box_sentence(name: str, box: dict[str, Any], table: pd.DataFrame) -> str:
    shares = ", ".join(f"{n} {source}" for source, n in table["source"].value_counts().items())
    sentence = f"{name}: face boxes of {len(table)} images: {shares}."
    if box["source"] == "derived":
        sentence += (
            f" Derived boxes are {box['width']} x {box['height']} interocular distances around "
            f"the annotated points, with seeded jitter of {box['shift']} interocular distances "
            f"in place and {box['scale']:.0%} in size, the same for every model."
        )
    return sentence


def _versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in PACKAGES}
