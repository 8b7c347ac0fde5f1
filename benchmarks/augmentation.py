"""What augmentation makes of simulated faces, to be looked at, and what it costs.

Usage: python benchmarks/augmentation.py [--study workflow/config/transfer.yaml] [--model dan]
       [--people 4] [--faces 3] [--side 96] [--picture augmented.png] [--points]

Renders people at the three ranges and draws a sheet: a row of faces as they are, a row per effect
that the model's block of the study switches on, used on every face, and rows of all of them as they
are drawn in training. Times `augmented` with its crops, and a step of DAN at the settings of the
study with and without it.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

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
from thermalign.landmarks import dan
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
REPEATS = 30


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
        matrices = box_to_crop(batch.faces.boxes, side, side)
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


def seconds(run: Callable[[], object]) -> float:
    """Return the shortest processor time of several runs."""
    times = []
    for _ in range(REPEATS):
        began = time.process_time()
        run()
        times.append(time.process_time() - began)
    return min(times)


def crops(data: NormalisedFaces, settings: dan.Settings, augment: Augmentation) -> torch.Tensor:
    """Draw a batch and cut it to the size of DAN's input."""
    rows = torch.arange(settings.batch_size) % len(data)
    batch = augmented(data, rows, augment, torch.Generator().manual_seed(0))
    matrices = box_to_crop(batch.faces.boxes, settings.input_size, settings.input_size)
    size = {"width": settings.input_size, "height": settings.input_size}
    return batch.crops(torch.arange(len(rows)), matrices, **size)


def step(data: NormalisedFaces, settings: dan.Settings) -> float:
    """Return the seconds of a step of DAN's first stage: of the difference of two trainings."""
    times = []
    for steps in (5, 45):
        few = replace(settings, n_stages=1, steps=steps)
        began = time.process_time()
        dan.fit(data.faces, data.faces.first(0), few, seed=0, run=Run(progress=False))
        times.append(time.process_time() - began)
    return (times[1] - times[0]) / 40


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
    plain = {k: v for k, v in models["dan"].items() if k not in ("seeds", "augment")}
    settings = parse(dan.Settings, plain, "models.dan")

    faces, ranges = faces_of(args.people)
    data = prepare(faces, settings)
    some = [np.flatnonzero(ranges == r)[: args.faces] for r in np.unique(ranges)]
    rows = torch.tensor(np.concatenate(some))
    picture = sheet(data, rows, augment, side=args.side, points=args.points)
    cv2.imwrite(args.picture, picture)
    print(f"{args.picture}: faces of ranges {ranges[rows.numpy()].tolist()}")

    without = seconds(partial(crops, data, settings, Augmentation()))
    with_it = seconds(partial(crops, data, settings, augment))
    whole = step(data, settings)
    print(f"crops of a batch: {1e3 * without:.1f} ms, augmented {1e3 * with_it:.1f} ms")
    print(
        f"a step of DAN: {1e3 * whole:.1f} ms; augmentation adds {(with_it - without) / whole:.0%}"
    )


if __name__ == "__main__":
    main()
