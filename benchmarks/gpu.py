"""Trainings, prediction, memory and utilisation of every detector, in one call on a bare machine.

Usage: python benchmarks/gpu.py [--device cuda] [--models dan pbc mtcnn heatmap finder]
       [--seconds 15] [--images 512] [--tiny]

It needs PyTorch, OpenCV, pandas, pyarrow, safetensors and this repository's `src` on PYTHONPATH,
neither Snakemake nor pydantic. Detectors train with their modules' defaults on noise in frames of
640 x 480 pixels, 16 bits, faces of 200 x 250; ``--tiny`` makes all of it small, for a look at
whether it runs. A training is stopped after so many seconds, so five detectors take less than five
minutes.

Columns: steps and examples a second of a training's main stage, after the first steps; images a
second of `predict`; the highest memory of the device, GB (of the process, on a CPU); and the share
of the time that the device was busy by nvidia-smi, sampled twice a second in the training.
"""

import argparse
import importlib
import resource
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch

from thermalign.images import Picture
from thermalign.landmarks.contract import Faces, make_faces
from thermalign.training.loop import Run, Stage
from thermalign.warp import stack_pictures

MODELS = ("dan", "pbc", "mtcnn", "heatmap", "finder")
CHOSEN = {"mtcnn": {"stages": "onet", "losses": "weighted_sum"}}  # O-Net with all its losses
TINY = {"width": 0.1, "batch_size": 4, "hidden": 8}
FRAME = (640, 480)
SHAPE = np.array([[56, 105], [144, 105], [100, 155], [67, 200], [133, 200]], np.float32)
FIRST = 3  # steps that are not timed


class TimeIsOverError(Exception):
    """The time of a training is over."""


class Clock:
    """Stops a training after some seconds, and times its steps."""

    def __init__(self, device: torch.device, seconds: float) -> None:
        self.device, self.seconds = device, seconds
        self.steps, self.began = 0, 0.0
        self._advance = Stage.advance

    def rate(self) -> float:
        """Return steps a second."""
        settle(self.device)
        return (self.steps - FIRST) / (time.perf_counter() - self.began)

    def __enter__(self) -> "Clock":
        def advance(stage: Stage, loss: Any) -> None:
            self._advance(stage, loss)
            self.steps += 1
            if self.steps == FIRST:
                settle(self.device)
                self.began = time.perf_counter()
            if self.steps > FIRST and time.perf_counter() - self.began > self.seconds:
                raise TimeIsOverError

        Stage.advance = advance  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        Stage.advance = self._advance  # type: ignore[method-assign]


class Busy:
    """Samples how busy the GPU is."""

    def __init__(self, device: torch.device) -> None:
        self._on, self._done, self._seen = device.type == "cuda", threading.Event(), [0.0][:0]

    def __enter__(self) -> "Busy":
        if self._on:
            threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()

    @property
    def share(self) -> float:
        """Mean share of the time, NaN where nobody measures it."""
        return float(np.mean(self._seen)) / 100 if self._seen else float("nan")

    def _watch(self) -> None:
        command = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
        while not self._done.wait(0.5):
            with suppress(OSError, ValueError, IndexError):
                said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
                self._seen.append(float(said.splitlines()[0]))


def settle(device: torch.device) -> None:
    """Wait for what a device still does."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def memory(device: torch.device) -> float:
    """Return the highest memory so far, GB."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def faces(count: int, device: torch.device) -> Faces:
    """Return noise in frames of 16 bits, with a face's box and points anywhere in each."""
    draws = np.random.default_rng(0)
    counts = (draws.integers(29000, 31000, FRAME[::-1], np.uint16) for _ in range(count))
    pictures = (Picture(each, 0.01, -273.15) for each in counts)
    stack = stack_pictures(pictures, np.tile(FRAME, (count, 1)), np.dtype(np.uint16), device)
    corners = draws.uniform([30, 20], [400, 200], (count, 2)).astype(np.float32)
    boxes = np.concatenate([corners, np.tile(np.float32([200, 250]), (count, 1))], axis=1)
    points = SHAPE + corners[:, None] + draws.normal(0, 4, (count, 1, 2)).astype(np.float32)
    index = torch.arange(count, device=device).repeat(2)
    flipped = torch.arange(2 * count, device=device) >= count
    given = (torch.tensor(each, device=device)[index] for each in (boxes, points))
    return make_faces(stack, index, flipped, *given)


def settings_of(module: Any, name: str, *, tiny: bool) -> Any:
    """Return the settings that are measured."""
    chosen = dict(CHOSEN.get(name, {}))
    if tiny:
        names = {field.name for field in fields(module.Settings)}
        chosen |= {key: value for key, value in TINY.items() if key in names}
    return replace(module.Settings(), **chosen)


def measure(name: str, given: Faces, seconds: float, *, tiny: bool) -> str:
    """Train and predict with one detector; return its row."""
    module = importlib.import_module(f"thermalign.landmarks.{name}")
    settings, on = settings_of(module, name, tiny=tiny), given.stack.device
    if on.type == "cuda":
        torch.cuda.reset_peak_memory_stats(on)
    with Clock(on, seconds) as clock, Busy(on) as busy:
        try:
            module.fit(given, given.first(0), settings, seed=1, run=Run(progress=False))
        except TimeIsOverError:
            rate = clock.rate()
        else:
            rate = float("nan")  # it was over before it could be timed
    short = {"steps": 1, "later_steps": 1, "spread_steps": 1, "spread_faces": 64}
    names = {field.name for field in fields(settings)}
    brief = replace(settings, **{key: n for key, n in short.items() if key in names})
    state = module.fit(given, given.first(0), brief, seed=1, run=Run(progress=False))
    boxes = given.boxes[: len(given.stack)]
    with torch.inference_mode():
        module.predict(state, given.stack, boxes, settings)
        settle(on)
        start = time.perf_counter()
        module.predict(state, given.stack, boxes, settings)
        settle(on)
    looked = len(boxes) / (time.perf_counter() - start)
    return (
        f"{name:10} {rate:8.2f} {rate * settings.batch_size:11.0f} {looked:10.0f} "
        f"{memory(on):8.2f} {busy.share:6.2f}"
    )


def main() -> None:
    """Print a row for every detector."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--tiny", action="store_true")
    asked = parser.parse_args()
    on = torch.device(asked.device)
    what = torch.cuda.get_device_name(on) if on.type == "cuda" else "CPU"
    print(f"{what}, PyTorch {torch.__version__}, Python {sys.version.split()[0]}")
    given = faces(asked.images, on)
    print(f"{'':10} {'steps/s':>8} {'examples/s':>11} {'predict/s':>10} {'GB':>8} {'busy':>6}")
    for name in asked.models:
        print(measure(name, given, asked.seconds, tiny=asked.tiny), flush=True)


if __name__ == "__main__":
    main()
