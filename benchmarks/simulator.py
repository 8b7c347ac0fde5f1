"""Speed of the simulator against the same simulator marching a ray through every pixel.

Usage: python benchmarks/simulator.py [--subjects 4] [--repeats 3]

Both render the same pairs of thermal and visible face crops of Range 1 (300 x 250 pixels each, the
default) on one core; processor time, best of the repeats, taken in turns. Building a person and a
session is excluded from the pairs and stated apart.
"""

import argparse
import time

import cv2

from thermalign.simulator.dataset import Settings, Volume, render_subject
from thermalign.simulator.person.face import build_face

SEED = 2019
PAIRS = 16  # of a subject


def seconds_per_pair(subjects: int, step: int | None) -> float:
    """Return the processor time of a pair after a subject's first image."""
    settings = Settings((Volume(subjects, ranges=(1,), baseline=4, expression=PAIRS - 4),))
    spent = 0.0
    for number in range(subjects):
        samples = render_subject(settings, seed=SEED, volume=1, number=number, step=step)
        next(samples)
        start = time.process_time()
        for _ in samples:
            pass
        spent += time.process_time() - start
    return spent / (subjects * (PAIRS - 0.5))


def seconds_per_person(subjects: int, repeats: int) -> float:
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        for number in range(subjects):
            build_face(SEED, (1, number), gap=1.3)
        best = min(best, (time.process_time() - start) / subjects)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description="coarse against full-resolution ray marching")
    parser.add_argument("--subjects", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    rounds = [
        [seconds_per_pair(args.subjects, step) for step in (None, 1)] for _ in range(args.repeats)
    ]
    coarse, full = (min(times) for times in zip(*rounds, strict=True))
    print(f"person: {1000 * seconds_per_person(args.subjects, args.repeats):.0f} ms")
    print(f"coarse rays: {1 / coarse:.0f} pairs/s on one core, {1000 * coarse:.1f} ms a pair")
    print(f"a ray a pixel: {1 / full:.0f} pairs/s on one core, {1000 * full:.1f} ms a pair")
    print(f"simulator: {full / coarse:.2f} x vs full-resolution ray marching")


if __name__ == "__main__":
    main()
