"""Time to match one Protocol-2 fold of the paper's size, from aligned faces to scores.

Usage: python benchmarks/matching.py

Runs the steps train_matcher (descriptors, DPM, PLS enrolment) and score (all probes of one model)
through their files, on one thread as the rules do, at the settings of config.yaml: 60 subjects of
Volume 1 at three ranges and 51 of Volume 2, 85 of them to train and 26 to test. Volume 1 has 8
thermal images a subject and range and 8 visible ones at Range 1; Volume 2 has 16 of each. Aligned
faces are smooth noise, not people, which only the DPM's early stopping could notice: it is off, so
that every epoch runs, as many as real pairs can need.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy reads it

import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from tempfile import TemporaryDirectory  # noqa: E402

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import torch  # noqa: E402
import yaml  # noqa: E402

from thermalign import tables  # noqa: E402
from thermalign.geometry import LANDMARKS  # noqa: E402
from thermalign.schemas.dataset import FOLDS, IMAGES  # noqa: E402
from thermalign.schemas.matching import FACES, SCORES  # noqa: E402
from thermalign.schemas.predictions import PREDICTIONS  # noqa: E402
from thermalign.steps import fold, score, train_matcher  # noqa: E402
from thermalign.verification import dpm  # noqa: E402
from thermalign.verification.stored import quantise  # noqa: E402

CONFIG = Path(__file__).parents[1] / "config.yaml"
KEY = {"protocol": "p2", "fold": 0}
SPLIT = {"train_subjects": 85, "test_subjects": 26}
LIMIT = 60  # seconds of wall time


def main() -> None:
    torch.set_num_threads(1)
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    with TemporaryDirectory() as folder:
        stages = match(Path(folder), config)
        scores = tables.read(Path(folder) / "scores.parquet", SCORES)
        rows = tables.read(Path(folder) / "images.parquet", IMAGES)
    print(f"{len(rows)} aligned faces: {rows['modality'].value_counts().to_dict()}")
    probes, enrolled = scores["probe_id"].nunique(), scores["gallery_id"].nunique()
    print(f"{probes} probes against {enrolled} enrolled subjects")
    for name, (wall, core) in stages.items():
        print(f"  {name}: {wall:.1f} s wall, {core:.1f} core-seconds")
    wall, core = (sum(column) for column in zip(*stages.values(), strict=True))
    print(f"matching: {wall:.1f} s of at most {LIMIT}, {core:.1f} core-seconds, 1 thread")


def match(folder: Path, config: dict) -> dict[str, tuple[float, float]]:
    """Write a study's tables, then return wall and core seconds of each step that matches."""
    protocol = config["protocols"]["p2"]
    images, folds, faces, predictions, matcher = (
        folder / name
        for name in (
            "images.parquet",
            "folds.parquet",
            "faces.parquet",
            "predictions.parquet",
            "matcher.safetensors",
        )
    )
    rows = moments()
    tables.write(images, rows, IMAGES)
    keys = ("volumes", "validation_share", "seed")
    split = {key: protocol[key] for key in keys} | SPLIT
    fold.run(images=images, folds=folds, settings=split, code="", **KEY)
    tables.write(faces, aligned(rows, config["alignment"]), FACES)
    tables.write(predictions, asked(rows, tables.read(folds, FOLDS)), PREDICTIONS)
    settings = config["matcher"] | {key: protocol[key] for key in ("gallery", "probe")}
    settings["same_moment"] = ["exclude", "keep"]
    settings["dpm"] = settings["dpm"] | {"patience": dpm.Settings().epochs}
    tables_ = {"images": images, "folds": folds, "faces": faces, "matcher": matcher}
    common = {**tables_, "settings": settings, "code": ""}

    def train() -> None:
        rates = {"tar_at_far": config["evaluation"]["tar_at_far"]}
        seed = config["training_seed"]
        train_matcher.run(networks=[], fold=KEY["fold"], seed=seed, evaluation=rates, **common)

    def compare() -> None:
        scores = folder / "scores.parquet"
        score.run(predictions=predictions, model="noise", scores=scores, **KEY, **common)

    return {"train_matcher": timed(train), "score": timed(compare)}


def moments() -> pd.DataFrame:
    """Return IMAGES of both volumes; thermal and visible ones of a moment share a pair_id."""
    samples = [(f"v1s{n:03}", 1, reach, 4, 4) for n in range(60) for reach in (1, 2, 3)] + [
        (f"v2s{n:03}", 2, 1, 4, 12) for n in range(51)
    ]
    made = []
    for subject, volume, reach, baseline, expression in samples:
        for k in range(baseline + expression):
            moment = f"{subject}_r{reach}_{k:02}"
            for modality in ("thermal", "visible")[: 2 if reach == 1 else 1]:
                condition = "baseline" if k < baseline else "expression"
                made.append((f"{moment}_{modality}", subject, volume, reach, condition, modality))
    rows = pd.DataFrame(
        made, columns=["image_id", "subject_id", "volume", "range", "condition", "modality"]
    )
    pair = rows["image_id"].str.rsplit("_", n=1).str[0]
    fixed = {"session": "1", "path": "none", "width": 1, "height": 1, "bit_depth": 16}
    return rows.assign(
        pair_id=pair.where(rows["range"] == 1, ""),
        moment=pair,
        scale=1.0,
        offset=0.0,
        sha256="0",
        **fixed,
    )


def aligned(rows: pd.DataFrame, alignment: dict) -> pd.DataFrame:
    """Return FACES of smooth noise: a field of the subject and one of the image."""
    rng = np.random.default_rng(0)
    shape = alignment["height"], alignment["width"]
    own = {name: smooth(rng, shape) for name in rows["subject_id"].unique()}
    stored = [quantise(30 + 3 * own[name] + smooth(rng, shape)) for name in rows["subject_id"]]
    faces = pd.DataFrame(stored, columns=["pixels", "scale", "offset"])
    size = {"width": shape[1], "height": shape[0]}
    return faces.assign(image_id=rows["image_id"], model="noise", **size, **KEY)


def smooth(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    field = cv2.GaussianBlur(rng.normal(size=shape).astype(np.float32), (0, 0), 3)
    return field / field.std()


def asked(rows: pd.DataFrame, folds: pd.DataFrame) -> pd.DataFrame:
    """Return PREDICTIONS that name every thermal test image."""
    tested = folds.loc[folds["role"] == "test", "image_id"]
    ids = rows.loc[(rows["modality"] == "thermal") & rows["image_id"].isin(tested), "image_id"]
    table = pd.MultiIndex.from_product([ids, LANDMARKS], names=["image_id", "landmark"])
    return table.to_frame(index=False).assign(x=1.0, y=1.0, confidence=1.0, model="noise", **KEY)


def timed(run: Callable[[], None]) -> tuple[float, float]:
    wall, core = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - core


if __name__ == "__main__":
    main()
