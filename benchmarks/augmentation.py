"""What augmentation makes of simulated faces, to be looked at, and what it costs.

Usage: python benchmarks/augmentation.py [--study workflow/config/transfer.yaml] [--model dan]
       [--people 4] [--faces 3] [--side 96] [--picture augmented.png] [--points]

Renders people at the three ranges and draws a sheet: a row of faces as they are, a row per effect
that the model's block of the study switches on, used on every face, and rows of all of them as they
are drawn in training. Times a step of DAN and of heatmap at the study's settings with it and
without.
"""

import argparse
import math
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from thermalign import tables
from thermalign.boxes import Settings as BoxSettings
from thermalign.boxes import derive
from thermalign.config.overlays import read_merged
from thermalign.geometry import apply_matrix, box_to_crop
from thermalign.images import read_image
from thermalign.landmarks import dan, heatmap
from thermalign.landmarks.augment import Augmentation, augmented
from thermalign.landmarks.contract import Faces, make_faces
from thermalign.landmarks.normalise import NormalisedFaces, prepare
from thermalign.records import points_of
from thermalign.schemas.dataset import ANNOTATIONS, IMAGES
from thermalign.settings import parse
from thermalign.simulator.dataset import Settings, Volume, write_chunk
from thermalign.training.loop import Run
from thermalign.warp import stack_images

ALL = 4  # rows of everything together
REPEATS = 2


def faces_of(people: int) -> tuple[Faces, npt.NDArray[np.int64]]:
    """Render people and return their thermal faces with the range of each."""
    plan = Volume(people, baseline=1, expression=1, visible_ranges=())
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "faces"
        write_chunk(folder, Settings((plan,)), seed=5, chunk=0, chunks=1, progress=True)
        annotations = tables.read(folder / "annotations.parquet", ANNOTATIONS)
        images = tables.read(folder / "images.parquet", IMAGES)
        images["path"] = [str(folder / Path(path).name) for path in images["path"]]
        stack = stack_images(
            [read_image(row) for row in images.to_dict("records")], torch.device("cpu")
        )
    ids = list(images["image_id"])
    points = points_of(annotations, ids)
    boxes = torch.tensor(derive(points, ids, BoxSettings()), dtype=torch.float32)
    once = torch.arange(len(ids))
    ground = torch.tensor(points, dtype=torch.float32)
    return make_faces(stack, once, once < 0, boxes, ground), images["range"].to_numpy()


def sheet(
    data: NormalisedFaces, rows: torch.Tensor, its: Augmentation, *, side: int, points: bool
) -> npt.NDArray[np.uint8]:
    """Return rows of faces: as they are, by each effect alone and by all of them."""
    effects = [name for name, value in asdict(its).items() if value and name != "share"]
    chosen: list[tuple[str, Augmentation]] = [("as they are", Augmentation())]
    for name in effects:
        every = 1.0 if name in ("occluders", "surround") else getattr(its, name)
        chosen.append((name, Augmentation(**{"share": 1.0, name: every})))
    chosen += [("all", its)] * ALL
    lines = []
    for n, (title, settings) in enumerate(chosen):
        batch = augmented(data, rows, settings, torch.Generator().manual_seed(n))
        matrices = squares(batch.faces.boxes, side)
        crops = batch.crops(torch.arange(len(rows)), matrices, width=side, height=side)[:, 0]
        grey = ((crops + 1.4) / 2.8 * 255).round().byte().numpy()
        tiles = [cv2.cvtColor(tile, cv2.COLOR_GRAY2BGR) for tile in grey]
        if points:
            for tile, shape in zip(tiles, apply_matrix(matrices, batch.faces.points), strict=True):
                for x, y in shape.round().int().tolist():
                    cv2.circle(tile, (x, y), 1, (0, 255, 0), -1)
        head = np.full((side, 150, 3), 255, np.uint8)
        cv2.putText(head, title, (4, side // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0))
        lines.append(np.concatenate([head, *tiles], axis=1))
    return np.concatenate(lines)


def squares(boxes: torch.Tensor, side: int) -> torch.Tensor:
    """Return matrices to square crops as large as boxes are, so that proportions stay."""
    centre, large = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:].prod(1, keepdim=True).sqrt()
    return box_to_crop(torch.cat([centre - large / 2, large, large], dim=1), side, side)


def step(module: Any, faces: Faces, settings: Any) -> float:
    """Return the seconds of a step: the difference of two trainings, the shortest of each."""
    times = {5: math.inf, 65: math.inf}
    for steps in (5, 65) * REPEATS:
        few = replace(settings, steps=steps)
        began = time.process_time()
        module.fit(faces, faces.first(0), few, seed=0, run=Run(progress=False))
        times[steps] = min(times[steps], time.process_time() - began)
    return (times[65] - times[5]) / 60


def main() -> None:
    parser = argparse.ArgumentParser(description="what augmentation makes of faces")
    parser.add_argument("--study", type=Path, default=Path("workflow/config/transfer.yaml"))
    parser.add_argument("--model", default="dan")
    parser.add_argument("--people", type=int, default=4)
    parser.add_argument("--faces", type=int, default=3, help="of each range")
    parser.add_argument("--side", type=int, default=96)
    parser.add_argument("--picture", default="augmented.png")
    parser.add_argument("--points", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    models = read_merged([args.study], {})["models"]
    augment = parse(Augmentation, models[args.model]["augment"], "augment")
    faces, ranges = faces_of(args.people)
    data = prepare(faces, dan.Settings())
    some = [np.flatnonzero(ranges == r)[: args.faces] for r in np.unique(ranges)]
    rows = torch.tensor(np.concatenate(some))
    picture = sheet(data, rows, augment, side=args.side, points=args.points)
    cv2.imwrite(args.picture, picture)
    print(f"{args.picture}: faces of ranges {ranges[rows.numpy()].tolist()}")

    for name, module in (("dan", dan), ("heatmap", heatmap)):
        plain = {k: v for k, v in models[name].items() if k not in ("seeds", "augment")}
        settings = parse(module.Settings, plain, f"models.{name}")
        if module is dan:
            settings = replace(settings, n_stages=1)
        without = step(module, faces, settings)
        with_it = step(module, faces, replace(settings, augment=augment))
        print(f"{name}: {1e3 * without:.1f} ms a step, augmented {1e3 * with_it:.1f} ms")


if __name__ == "__main__":
    main()
