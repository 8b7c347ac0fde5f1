"""Speed and memory of the landmark detectors, at the papers' sizes.

Usage: python benchmarks/detectors.py [--threads 2] [--device cpu] [--models dan pbc mtcnn]
       [--precisions float32 bfloat16] [--images 128]

Training is timed through `fit` as studies call it: two trainings of different length, whose
difference leaves out what happens once. Images are warped, augmented and normalised in it.
Inference is `predict` on images that are on the device. DAN's arithmetic is compared with the
matrix products of the same machine, in the same precision and process, measured before and after.
Peak memory is that of a process of its own.
"""

import argparse
import importlib
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from thermalign.landmarks.contract import Faces, make_faces
from thermalign.training.loop import Run
from thermalign.warp import stack_images

MATRIX = 2048  # rows and columns of the matrices multiplied
STEPS = {"dan": (1, 4), "pbc": (4, 24), "mtcnn": (2, 12)}  # of the two trainings
CHOSEN = {"mtcnn": {"stages": "onet", "losses": "weighted_sum"}}  # O-Net with all its losses
QUIET = Run(progress=False)


def faces(count: int, device: torch.device) -> Faces:
    """Return noise with boxes of 200 x 250 px in images of 250 x 300 px, as at Range 1."""
    rng = np.random.default_rng(0)
    images = [rng.normal(30, 2, (300, 250)).astype(np.float32) for _ in range(count)]
    shape = np.array([[81, 130], [169, 130], [125, 180], [92, 225], [158, 225]], np.float32)
    points = shape + rng.normal(0, 4, (count, 1, 2)).astype(np.float32)
    stack = stack_images(images, device)
    index = torch.arange(count, device=device)
    boxes = torch.tensor([25.0, 25, 200, 250], device=device).repeat(count, 1)
    flipped = torch.zeros(count, dtype=torch.bool, device=device)
    return make_faces(stack, index, flipped, boxes, torch.tensor(points, device=device))


def seconds(run: Callable[[], object], device: torch.device, repeats: int = 3) -> float:
    """Return the shortest time of several runs after one that is not counted."""
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times[1:])


def product_rate(precision: str, device: torch.device) -> float:
    """Return the floating-point operations per second of a product of two matrices."""
    kind = getattr(torch, precision)
    a, b = (torch.randn(MATRIX, MATRIX, device=device).to(kind) for _ in range(2))
    return 2 * MATRIX**3 / seconds(lambda: a @ b, device, 5)


def operations(settings: object) -> int:
    """Return the floating-point operations of DAN's stages for one image, forwards."""
    dan = importlib.import_module("thermalign.landmarks.dan")
    with torch.device("meta"):
        model = dan.Dan(settings).eval()
    total = 0
    for n, stage in enumerate(model.stages):
        with FlopCounterMode(display=False) as counter:
            stage(torch.zeros(1, 3 if n else 1, 112, 112, device="meta"))
        total += counter.get_total_flops()
    return total


def measure(name: str, precision: str, device: torch.device, count: int) -> dict[str, float]:
    """Return images per second in training and inference, and the step's share of products."""
    module = importlib.import_module(f"thermalign.landmarks.{name}")
    settings = module.Settings(precision=precision, validate_every=10**6, **CHOSEN.get(name, {}))
    data, none = faces(count, device), faces(1, device).first(0)
    short, long = STEPS[name]

    def train(steps: int) -> object:
        named = {k: steps for k in ("steps", "later_steps") if hasattr(settings, k)}
        return module.fit(data, none, replace(settings, **named), seed=0, run=QUIET)

    before = product_rate(precision, device)
    state = train(short)
    times = {n: seconds(lambda n=n: train(n), device, 1) for n in (short, long)}
    a_step = (times[long] - times[short]) / (long - short)
    boxes = data.boxes
    with torch.inference_mode():
        infer = seconds(lambda: module.predict(state, data.stack, boxes, settings), device)
    rates = {"training": settings.batch_size / a_step, "inference": count / infer}
    if name == "dan":
        # The first stage is trained alone and runs once more, forwards only, under the second.
        n_stages, once = settings.n_stages, operations(settings)
        work = 3 * once + once / n_stages * sum(range(n_stages))
        products = max(before, product_rate(precision, device))
        rates["training_share"] = work * settings.batch_size / a_step / products
        rates["inference_share"] = once * rates["inference"] / products
        rates["products"] = products
    return rates


def alone(arguments: list[str]) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description="speed and memory of the detectors")
    parser.add_argument("--models", nargs="*", default=list(STEPS))
    parser.add_argument("--precisions", nargs="*", default=["float32", "bfloat16"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        torch.set_num_threads(args.threads)
        device = torch.device(args.device)
        rates = measure(args.models[0], args.precisions[0], device, args.images)
        rates["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        if device.type == "cuda":
            rates["peak_gpu_mib"] = torch.cuda.max_memory_allocated() / 2**20
        print(json.dumps(rates))
        return
    print(f"{args.device}, {args.threads} thread(s), images per second at the papers' sizes")
    common = ["--threads", args.threads, "--device", args.device, "--images", args.images, "--one"]
    for name in args.models:
        for precision in args.precisions:
            options = ["--models", name, "--precisions", precision, *common]
            rates = alone([str(option) for option in options])
            text = ", ".join(f"{k} {v:.4g}" for k, v in rates.items())
            print(f"{name} {precision}: {text}", flush=True)


if __name__ == "__main__":
    main()
