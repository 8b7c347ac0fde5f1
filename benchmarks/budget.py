"""NMSE over core-seconds: each detector of the default study, trained for less and for longer.

Usage: python benchmarks/budget.py [--factors 0.25 0.5 1 2] [--models dan pbc mtcnn] [--threads 1]

Every point is a training of its own on the first fold of Protocol 1, with the steps of config.yaml
times a factor and a schedule of that length, tested on the fold's test subjects. The dataset and
the fold are made by the workflow where they do not lie in the results folder yet.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import yaml

from thermalign import tables
from thermalign.evaluation.draws import errors_of
from thermalign.records import read_fold
from thermalign.schemas.dataset import ANNOTATIONS
from thermalign.schemas.predictions import CURVES, PREDICTIONS
from thermalign.steps import predict, train

ROOT = Path(__file__).parents[1]
STEPS = ("steps", "later_steps", "pnet_steps", "rnet_steps")


def inputs(config: dict[str, Any]) -> dict[str, Path]:
    """Return the tables of the first fold of Protocol 1, made where they are missing."""
    results = ROOT / config["results"]
    data = results / "data" / config["protocols"]["p1"]["dataset"]
    found = {name: data / f"{name}.parquet" for name in ("images", "annotations", "boxes")}
    found["folds"] = results / "p1" / "fold0" / "folds.parquet"
    targets = [str(path.relative_to(ROOT)) for path in found.values()]
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all", "--", *targets]
    subprocess.run(command, cwd=ROOT, check=True)
    return found


def longer(settings: dict[str, Any], factor: float) -> dict[str, Any]:
    """Return settings whose trainings are ``factor`` times as long."""
    steps = {k: max(1, round(v * factor)) for k, v in settings.items() if k in STEPS}
    return {**settings, **steps}


def point(
    found: dict[str, Path], name: str, settings: dict[str, Any], seed: int
) -> tuple[float, float]:
    """Train and test once; return core-seconds of the training and NMSE of the test subjects."""
    detector = settings.pop("model", name)
    common = {"protocol": "p1", "fold": 0, "model": name, "detector": detector, "code": "benchmark"}
    with TemporaryDirectory() as folder:
        state, curve, out = (Path(folder, n) for n in ("state", "curve", "predictions"))
        train.run(
            **found,
            **common,
            settings=settings,
            seed=seed,
            modality="thermal",
            state=state,
            curve=curve,
            checkpoint=Path(folder, "checkpoint"),
        )
        asked = {k: found[k] for k in ("images", "boxes", "folds")}
        predict.run(
            **asked, **common, settings=settings, modality="thermal", state=state, predictions=out
        )
        seconds = tables.read(curve, CURVES)["core_seconds"].max()
        errors = errors_of(
            tables.read(out, PREDICTIONS),
            tables.read(found["annotations"], ANNOTATIONS),
            read_fold(found["images"], found["folds"]),
        )
    return float(seconds), float(errors["error"].mean())


def main() -> None:
    parser = argparse.ArgumentParser(description="NMSE over core-seconds of training")
    parser.add_argument("--factors", type=float, nargs="*", default=[0.25, 0.5, 1, 2])
    parser.add_argument("--models", nargs="*", default=["dan", "pbc", "mtcnn"])
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    found = inputs(config)
    print("model, steps x, core-seconds, NMSE of the test subjects")
    for name in args.models:
        for factor in args.factors:
            settings = longer(config["models"][name], factor)
            seconds, nmse = point(found, name, settings, config["training_seed"])
            print(f"{name}, {factor:g}, {seconds:.1f}, {nmse:.4f}", flush=True)


if __name__ == "__main__":
    main()
