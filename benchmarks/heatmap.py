"""What each part of the heatmaps is worth, on validation subjects alone.

Usage: python benchmarks/heatmap.py --results results [--config config.yaml]
       [--protocols p1 p2] [--fold 0] [--trials base near_0 dan ...] [--seeds 1] [--share 1.0]
       [--out trials.jsonl] [--states FOLDER] [--list]

A study must have rendered its datasets and drawn its folds: `snakemake --cores 2
results/p1/fold0/folds.parquet results/p2/fold0/folds.parquet` is enough. Every trial is the
configuration's model of that name with some settings changed, trained on a fold's training subjects
and looked at on its validation subjects in ways that need no training: looks, mirrored or not, in
the given boxes and in boxes moved by .20 of their side. No state is chosen by them: the last one
counts. Test subjects are never read. A line per trial, as JSON: NMSE, and core-seconds of training.
"""

import argparse
import json
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from thermalign import tables
from thermalign.config.models import read_study
from thermalign.landmarks.contract import Faces, point_error
from thermalign.landmarks.examples import cut_faces
from thermalign.landmarks.models import load_model
from thermalign.schemas.dataset import ANNOTATIONS, BOXES, FOLDS, IMAGES
from thermalign.states import save_state
from thermalign.training.loop import Run, derived_seed

MOVED = 0.2  # of a box's mean side
LOOKS = {"one": (1, False), "one_mirrored": (1, True), "two": (2, False)}
LOOKS |= {"two_mirrored": (2, True), "three_mirrored": (3, True)}
CAMERA = {"blur": 0.06, "low_resolution": 0.06, "noise": 0.15, "curve": 0.3, "local_contrast": 1.0}
SHAPE = {"aspect": 0.1, "shear": 0.05, "bend": 0.06}
STILL = {"gain": 0.0, "offset": 0.0}

TRIALS: dict[str, dict[str, Any]] = {
    "base": {},
    "prior_0": {"prior": 0.0},
    "prior_20": {"prior": 0.2},
    "sigma_05": {"sigma": 0.5},
    "sigma_10": {"sigma": 1.0},
    "sigma_15": {"sigma": 1.5},
    "near_0": {"near": 0.0},
    "near_60": {"near": 0.6},
    "shift_20": {"shift_sd": 0.2},
    "blocks_0": {"blocks": 0},
    "width_07": {"width": 0.7},
    "width_14": {"width": 1.4},
    "input_96": {"input_size": 96},
    "half_steps": {"steps": 0.5},
    "twice_steps": {"steps": 2.0},
    "no_gain": {"augment": STILL},
    "camera": {"augment": CAMERA},
    "shape": {"augment": SHAPE},
    "camera_shape": {"augment": CAMERA | SHAPE},
    "bfloat16": {"precision": "bfloat16"},
    "dan": {"model": "dan"},
    "dan_twice": {"model": "dan", "steps": 2.0, "later_steps": 2.0},
}
"""Name to what differs from the configuration; steps are shares of the configured ones."""


def changed(
    block: dict[str, Any], trial: dict[str, Any], detector: str, share: float
) -> dict[str, Any]:
    """Return a model's block with the changes of a trial, trained for a share of its steps."""
    made = {k: v for k, v in block.items() if k not in ("model", "seeds", "init")}
    usual = load_model(detector, made, detector)[1]
    for key in ("steps", "later_steps"):
        if hasattr(usual, key):
            made[key] = round(getattr(usual, key) * trial.get(key, 1.0) * share)
    for key in trial.keys() - {"model", "steps", "later_steps"}:
        within = made.get(key, {}) | trial[key] if key == "augment" else trial[key]
        made[key] = within
    return made


def people(args: argparse.Namespace, protocol: str, dataset: str, reach: float) -> list[Faces]:
    """Return the training and the validation faces of a fold."""
    folder, fold = args.results / "data" / dataset, args.results / protocol / f"fold{args.fold}"
    images = tables.read(folder / "images.parquet", IMAGES)
    points = tables.read(folder / "annotations.parquet", ANNOTATIONS)
    boxes = tables.read(folder / "boxes.parquet", BOXES)
    rows = tables.read(fold / "folds.parquet", FOLDS).merge(images, on="image_id")
    rows = rows[rows["image_id"].isin(points["image_id"]) & (rows["modality"] == "thermal")]
    return [
        cut_faces(rows[rows["role"] == role], points, boxes, reach)
        for role in ("train", "validation")
    ]


def moved(boxes: Tensor) -> Tensor:
    """Move boxes (N, 4) by a share of their side in seeded random directions."""
    angle = 2 * math.pi * torch.rand(len(boxes), generator=torch.Generator().manual_seed(0))
    way = MOVED * boxes[:, 2:].mean(1)[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
    return torch.cat([boxes[:, :2] + way, boxes[:, 2:]], dim=1)


def measure(
    args: argparse.Namespace, study: dict[str, Any], protocol: str, name: str, seed: int
) -> dict[str, Any]:
    """Train a trial and look at the validation subjects in every way."""
    trial = TRIALS[name]
    model = trial.get("model", "heatmap")
    detector = study["models"][model].get("model", model)
    block = changed(study["models"][model], trial, detector, args.share)
    module, settings = load_model(detector, block, name)
    settings = replace(settings, validate_every=10**8)
    reach = module.reach(settings) + MOVED
    train, held_out = people(args, protocol, study["protocols"][protocol]["dataset"], reach)
    began = time.process_time()
    run = Run(progress=args.progress)
    state = module.fit(train, held_out, settings, seed=derived_seed(seed, args.fold), run=run)
    seconds = time.process_time() - began
    if args.states:
        told = {"model": name, "detector": detector, "seed": seed, **block}
        path = args.states / f"{name}_{protocol}_{seed}.safetensors"
        save_state(path, state, {"settings": json.dumps(told)})
    found: dict[str, Any] = {"trial": name, "protocol": protocol, "seed": seed}
    found |= {"share": args.share}
    found |= {"core_seconds": round(seconds, 1), "images": len(held_out)}
    stack, rows = held_out.stack, torch.arange(len(held_out))
    for where, boxes in (("given", held_out.boxes), ("moved", moved(held_out.boxes))):
        for look, (passes, mirrored) in LOOKS.items():
            its = replace(settings, passes=passes, mirrored=mirrored)
            with torch.inference_mode():
                points, _ = module.predict(state, stack, boxes, its)
            error = float(point_error(points, held_out, rows))
            found[f"{where}_{look}"] = round(error, 5)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="what each part of the heatmaps is worth")
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--config", type=Path, default=Path("config.yaml"))
    parser.add_argument("--protocols", nargs="*", default=["p1", "p2"])
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--trials", nargs="*", default=list(TRIALS), choices=list(TRIALS))
    parser.add_argument("--seeds", nargs="*", type=int, default=[1])
    parser.add_argument("--share", type=float, default=1.0, help="of every trial's steps")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="file that lines are added to")
    parser.add_argument("--states", type=Path, help="folder that trained states are kept in")
    parser.add_argument("--list", action="store_true", help="name the trials and end")
    parser.add_argument("--progress", action="store_true")
    args = parser.parse_args()
    if args.list:
        print("\n".join(f"{name}: {changes}" for name, changes in TRIALS.items()))
        return
    torch.set_num_threads(args.threads)
    study = read_study([args.config], {})
    for name in args.trials:
        for protocol in args.protocols:
            for seed in args.seeds:
                line = json.dumps(measure(args, study, protocol, name, seed))
                print(line, flush=True)
                if args.out:
                    with args.out.open("a", encoding="utf-8") as file:
                        file.write(f"{line}\n")


if __name__ == "__main__":
    main()
