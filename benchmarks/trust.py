"""What `thermalign predict` trusts: faces that look thermal, and faces of how many pixels.

Usage: python benchmarks/trust.py [--model STATE] [--people 40] [--seed 90] [--warm 120]
       [--shared FOLDER] [--threads 1]

Does it look thermal: faces in derived boxes, as they are, white-cold (black and white exchanged)
and visible (as luma), and how many of each are refused as not thermal. Simulated faces are of
--people people at three ranges:
    default       the default simulation
    varied        glasses, caps, a microbolometer, rooms of 24 +- 4 degrees
    broad         the people, cameras and rooms of workflow/config/transfer.yaml
    hot           the default simulation in rooms of 33 +- 3 degrees; hot broad: of 32 +- 4
    warm ground   --warm faces of default and broad, cut out and set on clothes and before grounds
                  about as warm as skin or warmer, by the tools of the finder's training scenes
From --shared, skipped where it is not there: the recorded faces of real_thermal, those of whole
frames in boxes drawn by eye (benchmarks/recorded_frames.csv), and neutral visible photographs.

The smallest face: images of default, broad and recorded faces, shrunk until the eyes are so many
pixels apart, and the NMSE of the model, interocular distances. Faces that are smaller already stay
as they are.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch
import yaml

import thermalign
from thermalign.boxes import Settings as BoxSettings
from thermalign.boxes import derive
from thermalign.deploy.faces import NOT_THERMAL, FaceDetector, to_values
from thermalign.geometry import LANDMARKS, Floats, interocular_distance
from thermalign.images import to_luma
from thermalign.landmarks.contract import make_faces
from thermalign.landmarks.finder import bodies, grounds, heads, pictures
from thermalign.metrics.landmarks import normalized_errors
from thermalign.simulator.dataset import render_subject, settings_from
from thermalign.warp import stack_images

HERE = Path(__file__).parent
BROAD = HERE.parent / "workflow" / "config" / "transfer.yaml"
DRAWN = HERE / "recorded_frames.csv"
VARIED = {
    "glasses": True,
    "caps": True,
    "sensor": "uncooled",
    "ambient_mean": 24.0,
    "ambient_sd": 4.0,
}
SIZES = (4, 5, 6, 7, 8, 10, 12, 16, 24, 48)  # px between the eyes
SHRUNK = ("default", "broad", "recorded")
POINTS = [f"{name}_{axis}" for name in LANDMARKS for axis in "xy"]


@dataclass(frozen=True)
class Faces:
    """Images of N faces, their landmarks (N, L, 2) where known, and boxes (N, 4)."""

    images: list[Floats]
    points: Floats
    boxes: Floats

    @classmethod
    def of(cls, images: list[Floats], points: Floats) -> "Faces":
        """Return faces in derived boxes."""
        names = [str(n) for n in range(len(points))]
        return cls(images, points, derive(points, names, BoxSettings()))


def rules() -> dict[str, dict[str, Any]]:
    """Return the simulator's settings of every set."""
    its = yaml.safe_load(BROAD.read_text())["datasets"]["broad"]["settings"]
    broad = {name: value for name, value in its.items() if name not in ("frames", "volumes")}
    return {
        "default": {},
        "varied": VARIED,
        "broad": broad,
        "hot": {"ambient_mean": 33.0, "ambient_sd": 3.0},
        "hot broad": {**broad, "ambient_mean": 32.0, "ambient_sd": 4.0},
    }


def simulate(settings: dict[str, Any], people: int, seed: int) -> dict[str, Faces]:
    """Render thermal and visible faces."""
    volume = {"subjects": people, "baseline": 1, "expression": 0, "visible_ranges": [1]}
    its = settings_from({**settings, "volumes": [volume]})
    samples = [s for n in range(people) for s in render_subject(its, seed=seed, volume=1, number=n)]
    made = {}
    for modality in ("thermal", "visible"):
        seen = [sample for sample in samples if sample.modality == modality]
        images = [to_luma(sample.pixels).astype(np.float32) for sample in seen]
        made[modality] = Faces.of(images, np.stack([sample.points for sample in seen]))
    return made


def on_warm_ground(faces: Faces, count: int, seed: int) -> Faces:
    """Cut faces out and set them before warm grounds."""
    draws = np.random.default_rng(seed)
    every = torch.arange(len(faces.points))
    tensors = (torch.tensor(its, dtype=torch.float32) for its in (faces.boxes, faces.points))
    stack = stack_images(faces.images, torch.device("cpu"))
    source = heads.make_source(make_faces(stack, every, torch.zeros_like(every).bool(), *tensors))
    stock = heads.Stock(source, grounds.make_textures(draws))
    images, points = [], []
    for _ in range(count):
        m = int(draws.integers(len(every)))
        canvas = grounds.ground(220, stock.textures, draws)
        canvas += draws.uniform(0.7, 1.3) - np.median(canvas)  # skin is about .3 to 1.15
        centre = np.array([110.0, 100.0]) + draws.uniform(-10, 10, 2)
        its = heads.pose(source, m, float(draws.uniform(40, 110)), centre, draws)
        if draws.random() < 0.75:
            bodies.body(canvas, its, stock.textures, draws)
        heads.set_head(canvas, stock, m, its, draws, spoil=False)
        images.append(pictures.as_recorded(canvas, draws))
        points.append(its.points.astype(float))
    return Faces.of(images, np.array(points))


def annotated(folder: Path, modality: str) -> Faces:
    """Read the annotated images of a shared folder."""
    rows = pd.read_csv(folder / "landmarks.csv").dropna(subset=POINTS)
    paths = rows["path" if "path" in rows else "image"]
    points = rows[POINTS].to_numpy(float).reshape(-1, len(LANDMARKS), 2)
    return Faces.of([to_values(folder / path, modality) for path in paths], points)


def drawn(shared: Path) -> Faces:
    """Read the recorded frames, once a face whose box is drawn."""
    rows = pd.read_csv(DRAWN)
    boxes = rows[["box_x", "box_y", "box_width", "box_height"]].to_numpy(float)
    unknown = np.full((len(rows), len(LANDMARKS), 2), np.nan)
    return Faces([to_values(shared / path) for path in rows["path"]], unknown, boxes)


def refused(detector: FaceDetector, faces: Faces, sign: int = 1) -> str:
    images = [sign * image for image in faces.images]
    found = detector.batch_of_values(images, list(faces.boxes))
    count = sum(face.status == NOT_THERMAL for (face,) in found)
    return f"{count} of {len(found)}"


def row(detector: FaceDetector, thermal: Faces | None, visible: Faces | None) -> dict[str, str]:
    told = {"thermal": refused(detector, thermal) if thermal else "-"}
    told["white-cold"] = refused(detector, thermal, -1) if thermal else "-"
    return told | {"visible": refused(detector, visible) if visible else "-"}


def errors(detector: FaceDetector, faces: Faces) -> list[float]:
    """Return the NMSE at every size."""
    told = []
    for size in SIZES:
        images, points = [], []
        for image, its in zip(faces.images, faces.points, strict=True):
            ratio = min(1.0, size / float(interocular_distance(its)))
            height, width = (max(1, round(side * ratio)) for side in image.shape)
            images.append(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))
            shrunk = np.array([width, height]) / image.shape[::-1]
            points.append((its + 0.5) * shrunk - 0.5)
        small = Faces.of(images, np.array(points))
        found = detector.batch_of_values(images, list(small.boxes))
        placed = np.stack([face.points for (face,) in found])
        told.append(float(np.nanmean(normalized_errors(placed, small.points))))
    return told


def shared_faces(folder: Path) -> Iterator[tuple[str, str, Faces]]:
    """Yield name, modality and faces of what a shared folder has."""
    for name, modality, read in (
        ("recorded", "thermal", lambda: annotated(folder / "real_thermal", "thermal")),
        ("recorded frames, drawn boxes", "thermal", lambda: drawn(folder)),
        ("London photographs", "visible", lambda: annotated(folder / "london60", "visible")),
    ):
        try:
            yield name, modality, read()
        except (OSError, ValueError) as error:
            print(f"{name}: skipped, {folder} lacks it ({error})")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="what predict trusts")
    parser.add_argument("--model", type=Path, help="default: the package's own")
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--seed", type=int, default=90)
    parser.add_argument("--warm", type=int, default=120)
    parser.add_argument("--shared", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    args = options()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    limits = {"smallest": 0, "largest_error": float("inf")}
    strict = thermalign.load(args.model, **limits)
    free = thermalign.load(args.model, **limits, check=False)
    seen = []
    for name, settings in rules().items():
        made = simulate(settings, args.people, args.seed)
        seen.append((name, made["thermal"], made["visible"]))
        if name in ("default", "broad"):
            warm = on_warm_ground(made["thermal"], args.warm, args.seed)
            seen.append((f"{name}, warm ground", warm, None))
    for name, modality, faces in shared_faces(args.shared):
        seen.append((name, *(faces if modality == its else None for its in ("thermal", "visible"))))
    for name, thermal, visible in seen:
        told = row(strict, thermal, visible)
        print(
            f"{name:<30}" + "".join(f"{kind} {its:<14}" for kind, its in told.items()), flush=True
        )
    print(f"{'px':<10}" + "".join(f"{size:6d}" for size in SIZES))
    for name, thermal, _ in seen:
        if name in SHRUNK:
            print(f"{name:<10}" + "".join(f"{e:6.3f}" for e in errors(free, thermal)), flush=True)


if __name__ == "__main__":
    main()
