"""How well the full MTCNN finds faces in whole simulated frames, and how fast.

Usage: python benchmarks/detection.py [--train 24] [--test 12] [--pnet-steps 2000]
       [--rnet-steps 1500] [--steps 1200] [--min-face 40] [--folder FOLDER]
       [--set 'losses="weighted_sum"' ...] [--real IMAGE ... --picture found.png]

Renders whole 640 x 480 thermal frames of other subjects for training and for testing, trains the
cascade on the one and prints, per range of the other, recall and precision at IoU 0.5 with the face
box and the NMSE of the landmarks, both of detected faces and inside given boxes. Real images, which
nothing is tuned on, are drawn with the faces found in them. With --folder frames are kept there.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from thermalign import tables
from thermalign.boxes import Settings as BoxSettings
from thermalign.boxes import derive
from thermalign.images import read_image
from thermalign.landmarks import mtcnn
from thermalign.landmarks.contract import Detections, Faces, make_faces
from thermalign.metrics import detection
from thermalign.metrics.landmarks import normalized_errors
from thermalign.records import points_of
from thermalign.schemas.dataset import ANNOTATIONS, IMAGES
from thermalign.settings import parse
from thermalign.simulator.dataset import Settings, Volume, write_chunk
from thermalign.states import State
from thermalign.training.loop import Run
from thermalign.warp import stack_images

SEEDS = {"train": 5, "test": 6}


def render(folder: Path, subjects: int, seed: int) -> None:
    plan = Volume(subjects, baseline=2, expression=2, visible_ranges=())
    settings = Settings((plan,), frames=True)
    write_chunk(folder, settings, seed=seed, chunk=0, chunks=1, progress=True)


def read_faces(folder: Path, *, flips: bool, device: torch.device) -> tuple[pd.DataFrame, Faces]:
    """Return the images of a folder and its faces, with mirrored copies behind them."""
    annotations = tables.read(folder / "annotations.parquet", ANNOTATIONS)
    ids = sorted(annotations["image_id"].unique())
    points = points_of(annotations, ids)
    images = tables.read(folder / "images.parquet", IMAGES).set_index("image_id").loc[ids]
    images["path"] = [str(folder / Path(path).name) for path in images["path"]]
    rows = images.reset_index().to_dict("records")
    stack = stack_images([read_image(row) for row in rows], device)
    boxes = derive(points, ids, BoxSettings())
    once = torch.arange(len(ids), device=device)
    index = torch.cat([once, once]) if flips else once
    return images, make_faces(
        stack,
        index,
        torch.arange(len(index), device=device) >= len(ids),
        torch.tensor(boxes, dtype=torch.float32, device=device)[index],
        torch.tensor(points, dtype=torch.float32, device=device)[index],
    )


def report(
    images: pd.DataFrame, faces: Faces, found: Detections, given: torch.Tensor
) -> pd.DataFrame:
    """Return recall, precision and NMSE in found and in given boxes, a row per range."""
    index, truth = found.index.cpu().numpy(), faces.points.cpu().double().numpy()
    boxes = (b.cpu().double().numpy() for b in (found.boxes, faces.boxes))
    true = detection.true_detections(index, *boxes)
    every, right = (np.bincount(i, minlength=len(truth)) for i in (index, index[true]))
    error_found = np.full(len(truth), np.nan)
    points = found.points.cpu().double().numpy()[true]
    error_found[index[true]] = normalized_errors(points, truth[index[true]]).mean(axis=1)
    error_given = normalized_errors(given.cpu().double().numpy(), truth).mean(axis=1)
    ranges = images["range"].to_numpy()
    rows = []
    for distance in (*np.unique(ranges), "all"):
        of = np.ones_like(ranges, bool) if distance == "all" else ranges == distance
        rows.append(
            {
                "range": str(distance),
                "images": int(of.sum()),
                "recall": detection.recall(right[of]),
                "precision": detection.precision(right[of], every[of]),
                "nmse, found box": pd.Series(error_found[of]).mean(),
                "nmse, given box": error_given[of].mean(),
            }
        )
    return pd.DataFrame(rows)


def draw(paths: list[Path], state: State, settings: mtcnn.Settings, picture: Path) -> None:
    """Draw what is found in real images."""
    grey = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE).astype(np.float32) for path in paths]
    found = mtcnn.detect(state, stack_images(grey, torch.device("cpu")), settings)
    figure = Figure(figsize=(5 * len(grey), 4.2), layout="constrained")
    for n, (path, image) in enumerate(zip(paths, grey, strict=True)):
        axes = figure.add_subplot(1, len(grey), n + 1)
        axes.imshow(image, cmap="gray")
        axes.set_title(path.name, fontsize=9)
        axes.set_axis_off()
        for k in (found.index == n).nonzero()[:, 0].tolist():
            x, y, width, height = found.boxes[k].tolist()
            axes.add_patch(
                Rectangle((x - 0.5, y - 0.5), width, height, fill=False, color="#e69f00", lw=1.5)
            )
            axes.text(x, y - 4, f"{float(found.scores[k]):.2f}", color="#e69f00", fontsize=9)
            axes.plot(*found.points[k].T.numpy(), ".", color="#56b4e9", markersize=5)
    figure.savefig(picture, dpi=110)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="full MTCNN on whole simulated frames")
    parser.add_argument("--train", type=int, default=24, help="subjects")
    parser.add_argument("--test", type=int, default=12, help="subjects")
    parser.add_argument("--pnet-steps", type=int, default=2000)
    parser.add_argument("--rnet-steps", type=int, default=1500)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--min-face", type=float, default=40, help="pixels")
    parser.add_argument("--set", nargs="*", default=[], help="other settings, NAME=JSON")
    parser.add_argument("--folder", type=Path, help="where frames are kept; default: nowhere")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--real", nargs="*", type=Path, default=[], help="images to draw on")
    parser.add_argument("--picture", type=Path, default=Path("found.png"))
    return parser.parse_args()


def study(args: argparse.Namespace, folder: Path) -> None:
    for name, seed in SEEDS.items():
        if not (folder / name).exists():
            render(folder / name, getattr(args, name), seed)
    settings = parse(
        mtcnn.Settings,
        {
            "batch_size": 64,
            "schedule": "one_cycle",
            "learning_rate": 0.002,
            "init": "default",
            "l2": 0.0,
            "patience": 0,
            "pnet_steps": args.pnet_steps,
            "rnet_steps": args.rnet_steps,
            "steps": args.steps,
            "min_face": args.min_face,
            **{k: json.loads(v) for k, v in (item.split("=", 1) for item in args.set)},
        },
        "mtcnn",
    )
    device = torch.device(args.device)
    _, train = read_faces(folder / "train", flips=True, device=device)
    images, test = read_faces(folder / "test", flips=False, device=device)
    state = mtcnn.fit(train, train.first(0), settings, seed=1, run=Run(progress=False))
    for row in state.curve:
        if row.step == getattr(settings, f"{row.stage}_steps", settings.steps):
            print(f"{row.stage}: loss {row.loss:.4f}, {row.core_seconds:.0f} core-seconds so far")
    given, _ = mtcnn.predict(state, test.stack, test.boxes, settings)
    start = time.perf_counter()
    found = mtcnn.detect(state, test.stack, settings)
    speed = len(test) / (time.perf_counter() - start)
    print(report(images, test, found, given).round(4).to_string(index=False))
    width, height = test.stack.sizes[0, 0].tolist()
    print(f"{speed:.1f} images/s of {width} x {height} on {args.device}, {args.threads} threads")
    if args.real:
        draw(args.real, State(state.tensors), settings, args.picture)
        print(args.picture)


def main() -> None:
    args = options()
    torch.set_num_threads(args.threads)
    if args.folder:
        study(args, args.folder)
        return
    with tempfile.TemporaryDirectory() as folder:
        study(args, Path(folder))


if __name__ == "__main__":
    main()
