"""Speed and memory of `thermalign predict`, beside other face detectors on the same images.

Usage: python benchmarks/predict.py [--model STATE] [--finder STATE] [--images 1000] [--people 8]
       [--threads 2] [--folder FOLDER] [--facenet FOLDER] [--mediapipe PYTHON]

Simulated frames of 640 x 480 (copied until there are as many as asked for) are read, searched and
written as a table: `found`; then `given`, in the simulator's boxes. --facenet names a folder with
facenet-pytorch (pip install --no-deps --target FOLDER facenet-pytorch pillow), whose MTCNN is timed
on the same frames as 8-bit pictures, with our suppression for torchvision's; --mediapipe the Python
of a virtual environment with mediapipe 0.10, whose full-range detector is. Each runs in a process
of its own, so that peak memory is its own; a second round shows how much times scatter.
"""

import argparse
import importlib
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch

import thermalign
from thermalign import tables
from thermalign.boxes import Settings as BoxSettings
from thermalign.boxes import derive
from thermalign.deploy import predict_images
from thermalign.images import read_image
from thermalign.landmarks.mtcnn.boxes import suppress
from thermalign.records import points_of
from thermalign.schemas.dataset import ANNOTATIONS, IMAGES
from thermalign.simulator.dataset import Settings, Volume, write_chunk

MEDIAPIPE = """
import json, resource, sys, time
import cv2, mediapipe
paths, threads = json.load(open(sys.argv[1])), int(sys.argv[2])
cv2.setNumThreads(threads)
found = 0
with mediapipe.solutions.face_detection.FaceDetection(model_selection=1) as detector:
    start, cores = time.perf_counter(), time.process_time()
    for path in paths:
        found += bool(detector.process(cv2.imread(path)).detections)
    took, cores = time.perf_counter() - start, time.process_time() - cores
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": took, "core": cores, "with a face": found, "MiB": peak}))
"""


def render(folder: Path, people: int, count: int) -> None:
    """Write ``count`` frames, 16 and 8 bits, and a manifest with their boxes."""
    plan = Volume(people, baseline=1, expression=1, visible_ranges=())
    made = folder / "made"
    write_chunk(made, Settings((plan,), frames=True), seed=8, chunk=0, chunks=1, progress=True)
    rows = tables.read(made / "images.parquet", IMAGES)
    ids = list(rows["image_id"])
    points = points_of(tables.read(made / "annotations.parquet", ANNOTATIONS), ids)
    boxes = derive(points, ids, BoxSettings())
    for kind in ("frames", "grey"):
        (folder / kind).mkdir()
    listed = []
    for n in range(count):
        k = n % len(rows)
        name, path = f"{n:05d}.png", made / Path(rows["path"][k]).name
        shutil.copy(path, folder / "frames" / name)
        if n < len(rows):
            degrees = read_image({**rows.loc[k].to_dict(), "path": str(path)})
            low, high = np.percentile(degrees, [1, 99.8])
            grey = np.clip((degrees - low) / (high - low) * 255, 0, 255).astype(np.uint8)
            cv2.imwrite(str(folder / "grey" / name), np.repeat(grey[..., None], 3, axis=2))
        else:
            shutil.copy(folder / "grey" / f"{k:05d}.png", folder / "grey" / name)
        listed.append([f"frames/{name}", f"s{n}", *boxes[k]])
    header = ["path", "subject_id", "box_x", "box_y", "box_width", "box_height"]
    pd.DataFrame(listed, columns=header).to_csv(folder / "faces.csv", index=False)


def ours(args: argparse.Namespace, boxes: str) -> dict[str, float]:
    folder = args.folder
    given = folder / ("faces.csv" if boxes == "given" else "frames")
    detector = thermalign.load(args.model, finder=args.finder)
    start, cores = time.perf_counter(), time.process_time()
    done = predict_images([given], detector, folder / f"{boxes}.csv", boxes=boxes)
    took, cores = time.perf_counter() - start, time.process_time() - cores
    table = pd.read_csv(folder / f"{boxes}.csv")
    faces = table.loc[table["status"] == "ok", "image"].nunique()
    return {"seconds": took, "core": cores, "images": done.images, "with a face": faces}


def facenet(args: argparse.Namespace) -> dict[str, float]:
    sys.path.insert(0, str(args.facenet))
    for name in (
        "torchvision",
        "torchvision.transforms",
        "torchvision.ops",
        "torchvision.ops.boxes",
    ):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["torchvision.transforms"].functional = None
    sys.modules["torchvision.ops.boxes"].batched_nms = lambda boxes, scores, images, threshold: (
        suppress(boxes, scores, images, threshold=threshold)
    )
    made = importlib.import_module("facenet_pytorch").MTCNN(keep_all=True, device="cpu")
    paths = sorted((args.folder / "grey").iterdir())
    start, cores = time.perf_counter(), time.process_time()
    found = 0
    for path in paths:
        boxes, _ = made.detect(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB))
        found += boxes is not None
    took, cores = time.perf_counter() - start, time.process_time() - cores
    return {"seconds": took, "core": cores, "images": len(paths), "with a face": found}


def mediapipe(args: argparse.Namespace) -> dict[str, float]:
    paths = [str(path) for path in sorted((args.folder / "grey").iterdir())]
    listed = args.folder / "grey.json"
    listed.write_text(json.dumps(paths))
    command = [args.mediapipe, "-c", MEDIAPIPE, str(listed), str(args.threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {"images": len(paths), **json.loads(done.stdout.splitlines()[-1])}


RUNS: dict[str, Callable[[argparse.Namespace], dict[str, float]]] = {
    "found": lambda args: ours(args, "found"),
    "given": lambda args: ours(args, "given"),
    "facenet": facenet,
    "mediapipe": mediapipe,
}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="speed of predict")
    parser.add_argument("--model", type=Path, help="default: the package's own")
    parser.add_argument("--finder", type=Path, help="default: the package's own")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where frames are kept; default: nowhere")
    parser.add_argument("--facenet", type=Path, help="folder with facenet-pytorch")
    parser.add_argument("--mediapipe", help="Python of an environment with mediapipe")
    parser.add_argument("--run", choices=[*RUNS], help=argparse.SUPPRESS)
    return parser.parse_args()


def compare(args: argparse.Namespace) -> None:
    if not (args.folder / "faces.csv").exists():
        render(args.folder, args.people, args.images)
    named = [name for name in RUNS if name in ("found", "given") or getattr(args, name)]
    for name in named * 2:
        command = [sys.executable, __file__, *sys.argv[1:], "--run", name]
        command += ["--folder", str(args.folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{name}: {done.stderr.strip().splitlines()[-1]}")
            continue
        told = json.loads(done.stdout.splitlines()[-1])
        count = told["images"]
        print(
            f"{name:<10}{count / told['seconds']:7.1f} images/s, "
            f"{1000 * told['core'] / count:6.1f} core-ms an image, "
            f"a face in {told['with a face']:.0f} of {count:.0f}, {told['MiB']:.0f} MiB"
        )


def main() -> None:
    args = options()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    if args.run:
        told = RUNS[args.run](args)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"MiB": peak, **told}))
    elif args.folder:
        args.folder.mkdir(parents=True, exist_ok=True)
        compare(args)
    else:
        with tempfile.TemporaryDirectory() as folder:
            args.folder = Path(folder)
            compare(args)


if __name__ == "__main__":
    main()
