"""What a finished study took: its configuration as its outputs state it, cost lines, files."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thermalign import tables
from thermalign.config.imported import DATASET, KEY, POINTS, SCORES
from thermalign.plan.jobs import Job, jobs_of
from thermalign.schemas.measures import METRICS

FILES = {
    "simulate": "data/{0}/chunks/{1}/*",
    "adapt": "data/{0}/*.csv",
    "ingest": "data/{0}/*.parquet",
    "fold": "{0}/{1}/folds.parquet",
    "train": "{0}/{1}/{2}/state.safetensors",
    "train_network": "networks/{0}/state.safetensors",
    "train_matcher": "{0}/{1}/matcher.safetensors",
    "predict": "{0}/{1}/{2}/predictions.parquet",
    "stress": "{0}/{1}/{2}/stress/*.parquet",
    "annotated": "{0}/{1}/annotated/predictions.parquet",
    "import_points_across": "{0}/{1}/{2}/predict_across/{3}/*.parquet",
    "predict_across": "{0}/{1}/{2}/predict_across/{3}/*.parquet",
    "enrol_across": "{0}/{1}/annotated/enrol_across/{2}/*",
    "score_across": "{0}/{1}/{2}/score_across/{3}/*.parquet",
    "align": "{0}/{1}/{2}/faces.parquet",
    "score": "{0}/{1}/{2}/scores.parquet",
    "score_variants": "{0}/{1}/{2}/score_variants/*.parquet",
    "measure": "{0}/{1}/{2}/*[sc]s.parquet",
    "ablate": "{0}/{1}/annotated/ablate/*.parquet",
    "displace": "{0}/{1}/annotated/displace/*.parquet",
    "compare": "compare/[ds][iu]*.parquet",
    "report": "report/*",
}
"""What a rule writes below the results, by the parts of its job's name; the rest is small."""


@dataclass(frozen=True)
class Cost:
    """A job that ran.

    Attributes
    ----------
    job : Job
    line : mapping
        Its row of COSTS.
    disk : int
        Bytes that it wrote.
    """

    job: Job
    line: Mapping[str, Any]
    disk: int


def costs_of(results: Path) -> list[Cost]:
    """Return the jobs of a study that have ended.

    Raises
    ------
    ValueError
        If the folder has no finished study.
    """
    lines = {(line["rule"], line["job"]): line for line in _lines(results / "logs")}
    if not lines:
        raise ValueError(
            f"{results}: no cost lines below logs/; give the results of a finished study"
        )
    jobs = {(job.rule, job.name): job for job in jobs_of(configuration_of(results))}
    return [
        Cost(job, lines[key], _written(results, job)) for key, job in jobs.items() if key in lines
    ]


def _lines(logs: Path) -> Iterator[Mapping[str, Any]]:
    for log in sorted(logs.glob("*/*.log")):
        last = log.read_text(encoding="utf-8", errors="replace").rstrip().rpartition("\n")[2]
        if last.startswith('{"rule"') and last.endswith("}"):  # not cut off
            yield json.loads(last)


def _written(results: Path, job: Job) -> int:
    pattern = FILES.get(job.rule, "")
    if not pattern:
        return 0
    found = results.glob(pattern.format(*job.name.split("/")))
    return sum(path.stat().st_size for path in found if path.is_file())


def configuration_of(results: Path) -> dict[str, Any]:
    """Return of a finished study's configuration what decides its jobs and their work.

    Raises
    ------
    ValueError
        If no dataset, or no fold that was measured, lies there.
    """
    study: dict[str, Any] = {"data": ".", "datasets": {}, "protocols": {}, "models": {}}
    for images in sorted(results.glob("data/*/images.parquet")):
        study["datasets"][images.parent.name] = _settings(images)
    for folds in sorted(results.glob("*/fold*/folds.parquet")):
        annotated = folds.parent / "annotated"
        metrics, scores = annotated / "metrics.parquet", annotated / "scores.parquet"
        if metrics.is_file() and scores.is_file():
            _add_fold(study, folds, metrics, scores)
    if (packed := results / "detector/metrics.parquet").is_file():
        study["detector"] = {part: _settings(packed)[part] for part in ("landmarks", "finder")}
    if not study["datasets"] or not study["protocols"]:
        raise ValueError(f"{results}: no fold has been measured there; give a finished study")
    return study


def _add_fold(study: dict[str, Any], folds: Path, metrics: Path, scores: Path) -> None:
    folder = folds.parent
    roles = {key: _settings(scores)[key] for key in ("gallery", "probe", "same_moment")}
    named = str(tables.read(metrics, METRICS)["dataset"].iloc[0])
    block = _settings(folds) | roles | {"dataset": named}
    known = study["protocols"].setdefault(folder.parent.name, block | {"folds": 0})
    known["folds"] += 1
    study["evaluation"] = _settings(metrics)
    study["training_seed"] = 1
    for curve in folder.glob("*/curve.parquet"):
        settings = _settings(curve)
        own = {k: its for k, its in settings.items() if k not in ("detector", "model", "seed")}
        study["models"][curve.parent.name] = own | {"model": settings["detector"]}
    for group, name in ((SCORES, "scores"), (POINTS, "predictions")):
        for path in folder.glob(f"*/{name}.parquet"):
            its, row = _settings(path), path.parent.name
            if KEY in its and row not in study.get(SCORES, {}):  # those write both tables
                study.setdefault(group, {})[row] = {KEY: its[KEY]}
    for key, pattern in (
        ("variants", "*/stress/metrics.parquet"),
        ("ablation", "annotated/ablate/metrics.parquet"),
        ("sweep", "annotated/sweep/metrics.parquet"),
        ("displacements", "annotated/displace/metrics.parquet"),
    ):
        for path in folder.glob(pattern):
            study[key] = _settings(path)[key]
    _add_across(study, folder)


def _add_across(study: dict[str, Any], folder: Path) -> None:
    """Add the other datasets that a fold's models were tested on."""
    for path in folder.glob("*/predict_across/*/metrics.parquet"):
        told, name = _settings(path), path.parent.name
        if KEY in told:
            study[POINTS][path.parents[2].name] = {KEY: f"{{{DATASET}}}"}  # the one file is gone
        its = told["across"]
        block = {"dataset": its["visited"], "probe": {"modality": its["modality"]}, "protocols": []}
        known = study.setdefault("evaluate_on", {}).setdefault(name, block)
        known["protocols"] = sorted({*known["protocols"], folder.parent.name})
        enrolled = folder / "annotated/enrol_across" / name / "metrics.parquet"
        if enrolled.is_file():
            known |= {role: _settings(enrolled)[role] for role in ("gallery", "probe")}


def _settings(path: Path) -> dict[str, Any]:
    return dict(json.loads(tables.read_metadata(path)["settings"]))
