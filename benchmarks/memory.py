"""Memory and time of the steps that match and measure, on a fold as large as asked for.

Usage: python benchmarks/memory.py [--people 20] [--moments 10] [--thermal 1] [STEP ...]

Writes the tables of a made-up dataset (frames of 640 x 480, one for each person and modality, that
all their rows name; landmarks move from row to row), then runs the steps as the rules do, each a
process of its own on one thread, at the settings of config.yaml, and prints what their cost lines
say. A moment has one visible image and ``--thermal`` thermal ones, the first of them its pair.
Three quarters of the people train. The detector is the mean shape. What ``compare`` joins is the
one fold, ``--copies`` times over. Named steps alone are run: name those that they need, too.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import pandas as pd
import yaml

from thermalign import tables
from thermalign.geometry import LANDMARKS
from thermalign.records import Located, rows_of_points
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES, BOXES, FOLDS, IMAGES
from thermalign.schemas.matching import SCORES
from thermalign.schemas.measures import METRICS, REPLICATES
from thermalign.schemas.predictions import PREDICTIONS

CONFIG = Path(__file__).parents[1] / "config.yaml"
FRAME = 640, 480
KEY = {"protocol": "p", "fold": 0}
MODEL = "other"
FACE = np.array([[-23.0, -20], [23, -20], [0, 8], [-18, 26], [18, 26]]) * 2
"""Landmarks around the middle of a face, pixels."""
STEPS = (
    *("align", "train_matcher", "score", "sweep", "ablate", "displace"),
    *("measure", "compare", "train", "stress", "score_variants", "train_network"),
)
VARIANTS = {"near": {"shift": 0.1}, "far": {"shift": 0.2}, "large": {"scale": 1.2}}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("steps", nargs="*", default=STEPS)
    for name, usual in (("people", 20), ("moments", 10), ("thermal", 1), ("copies", 4)):
        asked.add_argument(f"--{name}", type=int, default=usual)
    args = asked.parse_args()
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    with TemporaryDirectory() as name:
        folder = Path(name)
        rows = write_dataset(folder, args)
        roles = rows.groupby(["role", "modality"]).size().to_dict()
        print("images:", {" ".join(key): int(count) for key, count in roles.items()})
        for step in args.steps:
            cost = run(folder, step, arguments(folder, step, config))
            if step == "measure":
                copy(folder, args.copies)
            print(f"{step:14} {cost['memory']:8.0f} MB {cost['cpu']:8.1f} core-s", flush=True)


def write_dataset(folder: Path, args: argparse.Namespace) -> pd.DataFrame:
    """Write the tables and pictures of a fold; return its IMAGES with their roles."""
    rng, made = np.random.default_rng(0), []
    for person in range(args.people):
        role = "train" if 4 * person < 3 * args.people else "test"
        for modality in ("visible", "thermal"):
            noise = cv2.GaussianBlur(rng.normal(size=FRAME[::-1]).astype(np.float32), (0, 0), 3)
            counts = 30000 + 9000 * noise / noise.std()
            cv2.imwrite(str(folder / f"{person}_{modality}.png"), counts.astype(np.uint16))
            for moment in range(args.moments):
                for k in range(1 if modality == "visible" else args.thermal):
                    made.append((person, moment, modality, k, role))
    frame = pd.DataFrame(made, columns=["person", "moment", "modality", "k", "role"])
    rows = images_of(frame, folder)
    tables.write(folder / "images.parquet", rows.drop(columns="role"), IMAGES)
    roles = rows[["image_id", "role"]].assign(flipped=False, **KEY)
    tables.write(folder / "folds.parquet", roles, FOLDS)
    centres = np.array(FRAME) / 2 + rng.normal(0, 12, (len(rows), 1, 2))
    truth = rows_of_points(list(rows["image_id"]), Located.unknown(FACE + centres), {})
    annotations = truth[["image_id", "landmark", "x", "y"]].assign(visible=True)
    tables.write(folder / "annotations.parquet", annotations, ANNOTATIONS)
    low = (FACE + centres).min(axis=1) - 30
    boxes = pd.DataFrame({"image_id": rows["image_id"], "source": "given"})
    boxes = boxes.assign(x=low[:, 0], y=low[:, 1], width=150.0, height=160.0)
    tables.write(folder / "boxes.parquet", boxes, BOXES)
    tables.write(folder / "attributes.parquet", ATTRIBUTES.empty_table().to_pandas(), ATTRIBUTES)
    tables.write(folder / "annotated.parquet", truth.assign(model="annotated", **KEY), PREDICTIONS)
    asked = ((rows["role"] == "test") & (rows["modality"] == "thermal")).to_numpy()
    found = (FACE + centres)[asked] + rng.normal(0, 3, (asked.sum(), len(LANDMARKS), 2))
    key = {**KEY, "model": MODEL}
    predicted = rows_of_points(list(rows["image_id"][asked]), Located.unknown(found), key)
    tables.write(folder / "predictions.parquet", predicted, PREDICTIONS)
    return rows


def images_of(frame: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Return IMAGES with ``role``."""
    person = frame["person"].map("s{:04}".format)
    moment = person + frame["moment"].map("_{:04}".format)
    pair = moment.where(frame["k"] == 0, "")
    names = moment + frame["k"].map("_{:02}_".format) + frame["modality"]
    files = frame["person"].astype(str) + "_" + frame["modality"] + ".png"
    fixed = {"session": "1", "volume": 1, "range": 1, "bit_depth": 16, "scale": 0.01}
    return pd.DataFrame(
        {
            "image_id": names,
            "subject_id": person,
            "condition": np.where(frame["moment"] % 2, "expression", "baseline"),
            "modality": frame["modality"],
            "pair_id": pair,
            "moment": moment,
            "path": [str(folder / file) for file in files],
            "role": frame["role"],
        }
    ).assign(width=FRAME[0], height=FRAME[1], offset=0.0, sha256="0", **fixed)


def arguments(folder: Path, step: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a rule would give a step."""
    table = {path.stem: path for path in folder.glob("*.parquet")}
    protocol, measuring = config["protocols"]["p1"], config["evaluation"]
    block = {key: protocol[key] for key in ("gallery", "probe", "same_moment")}
    fold = {"images": table["images"], "folds": table["folds"]}
    marked = {**fold, "annotations": table["annotations"]}
    figures = {name: folder / f"{step}.{name}.parquet" for name in ("metrics", "replicates")}
    figures |= {"dataset": "d"}
    judged = figures | {"evaluation": measuring}
    faces = {"faces": folder / "faces.parquet", "settings": config["matcher"] | block}
    matcher = {"matcher": folder / "matcher.safetensors"}
    upper, mine = {**KEY, "model": "annotated"}, {**KEY, "model": MODEL}
    found = {"predictions": folder / "predictions.parquet"}
    scores, seed = {"scores": folder / "scores.parquet"}, {"seed": config["training_seed"]}
    alignment = {"alignment": config["alignment"]}
    rates = {"evaluation": {"tar_at_far": measuring["tar_at_far"]}}
    trained = {"state": folder / "state.safetensors", "detector": "mean_shape"}
    trained |= {"modality": "thermal", "settings": {}, **mine}
    varied = {"variants": VARIANTS, "predictions": folder / "stress.parquet"}
    listed = {name: [table[name]] for name in ("images", "annotations", "boxes")}
    described = {name: config["matcher"][name] for name in ("dog", "features")}
    joined = {
        name: sorted(folder.glob(f"copy*.{name}.parquet"))
        for name in ("folds", "predictions", "scores", "metrics", "replicates")
    }
    given: dict[str, dict[str, Any]] = {
        "align": {
            **upper,
            "images": table["images"],
            "predictions": table["annotated"],
            "settings": config["alignment"],
            "faces": faces["faces"],
        },
        "train_matcher": {**fold, **faces, **matcher, **rates, **seed, "fold": 0},
        "score": {**fold, **faces, **matcher, **mine, **found, **scores},
        "sweep": {**fold, **faces, **judged, **upper, **seed, "sweep": {"pls": {"components": 5}}},
        "ablate": {
            **{**fold, **faces, **matcher, **judged, **upper, **seed},
            "ablation": config["ablation"],
        },
        "displace": {
            **{**marked, **faces, **matcher, **judged, **upper, **seed, **alignment},
            "displacements": config["displacements"],
        },
        "measure": {
            **{**marked, **mine, **found, **scores, **figures, "settings": measuring},
            **{name: table[name] for name in ("boxes", "attributes")},
            **{"headline": "exclude", "reject": protocol["reject"]},
        },
        "compare": {
            **joined,
            **{name: listed[name] for name in ("images", "annotations")},
            **{"joined_metrics": [], "joined_replicates": [], "dataset": ["d"]},
            **{"datasets": {"p": "d"}, "headlines": {"p": "exclude"}, "displacements": {}},
            **{name: folder / f"{name}.parquet" for name in ("summary", "differences")},
            "settings": measuring,
        },
        "train": {
            **{**marked, **trained, **seed, "boxes": table["boxes"], "init": [], "initial": []},
            **{"curve": folder / "curve.parquet", "checkpoint": folder / "checkpoint"},
        },
        "stress": {**listed, **trained, **judged, **varied, "detections": []}
        | {"folds": table["folds"]},
        "score_variants": {
            **{**matcher, **judged, **mine, **alignment, **varied},
            **{"images": listed["images"], "folds": table["folds"]},
            "settings": faces["settings"],
        },
        "train_network": {
            **{name: table[name] for name in ("images", "annotations")},
            **{"network": "n", "dataset": "d", "adapter": "table", "matcher": described, **seed},
            **{"settings": {"validation_people": 5, "steps": 50}, **alignment},
            **{"state": folder / "network.safetensors", "checkpoint": folder / "checkpoint"},
        },
    }
    return given[step]


def copy(folder: Path, count: int) -> None:
    """Write what ``measure`` made of the fold under the names of two models and further folds."""
    kinds = {"predictions": PREDICTIONS, "scores": SCORES}
    sources = {name: folder / f"{name}.parquet" for name in kinds}
    kinds |= {"metrics": METRICS, "replicates": REPLICATES}
    sources |= {name: folder / f"measure.{name}.parquet" for name in ("metrics", "replicates")}
    for name, schema in kinds.items():
        table = tables.read(sources[name], schema)
        for n in range(count):
            its = table.assign(fold=n // 2, model="ab"[n % 2])
            tables.write(folder / f"copy{n:03}.{name}.parquet", its, schema)
    folds = tables.read(folder / "folds.parquet", FOLDS)
    for n in range((count + 1) // 2):
        tables.write(folder / f"copy{n:03}.folds.parquet", folds.assign(fold=n), FOLDS)


def run(folder: Path, step: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Run a step as a rule does; return its cost line."""
    log = folder / f"{step}.log"
    command = [sys.executable, "-m", "thermalign", step, "--log", str(log), "--job", "p/0"]
    for name, value in {**given, "code": "x"}.items():
        listed = value if isinstance(value, list) else [value]
        written = [json.dumps(v) if isinstance(v, dict) else str(v) for v in listed]
        command += [f"--{name}", *written]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    around = {**os.environ, **threads}
    done = subprocess.run(command, env=around, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(log.read_text(encoding="utf-8").splitlines()[-1])


if __name__ == "__main__":
    main()
