"""Speed of the batched warp against a loop over OpenCV's warpAffine, on the same inputs.

Usage: python benchmarks/warp.py [--faces 256] [--size 112] [--threads 1] [--device cpu]

Both turn faces of 200 x 250 pixels into upright crops by random similarities, bilinear, with the
border repeated. Timed is everything from images in memory to crops in memory; the stack of the
batched warp is built before, as a fold's images are stacked once and warped at every step.
"""

import argparse
import time
from collections.abc import Callable

import cv2
import numpy as np
import torch

from thermalign.warp import stack_images, warp


def matrices(count: int, size: int, rng: np.random.Generator) -> np.ndarray:
    angle, zoom = rng.normal(0, 0.2, count), size / 200 * np.exp(rng.normal(0, 0.1, count))
    a, b = zoom * np.cos(angle), zoom * np.sin(angle)
    turn = np.stack([np.stack([a, -b], -1), np.stack([b, a], -1)], -2)
    centre = np.array([99.5, 124.5]) + rng.normal(0, 5, (count, 2))
    shift = (size - 1) / 2 - (turn @ centre[..., None])[..., 0]
    return np.concatenate([turn, shift[..., None]], -1).astype(np.float32)


def best_of(run: Callable[[], object], repeats: int) -> float:
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description="batched warp against cv2.warpAffine")
    parser.add_argument("--faces", type=int, default=256)
    parser.add_argument("--size", type=int, default=112, help="side of the crops, pixels")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    rng = np.random.default_rng(0)
    images = [
        cv2.GaussianBlur(rng.normal(30, 4, (250, 200)).astype(np.float32), (0, 0), 2)
        for _ in range(args.faces)
    ]
    to_crop = matrices(args.faces, args.size, rng)
    device = torch.device(args.device)
    stack = stack_images(images, device)
    index = torch.arange(args.faces, device=device)
    on_device = torch.as_tensor(to_crop, device=device)

    def batched() -> torch.Tensor:
        crops = warp(stack, index, on_device, width=args.size, height=args.size)
        if device.type == "cuda":
            torch.cuda.synchronize()
        return crops

    def loop() -> np.ndarray:
        return np.stack(
            [
                cv2.warpAffine(
                    image,
                    matrix,
                    (args.size, args.size),
                    flags=cv2.INTER_LINEAR,
                    borderMode=cv2.BORDER_REPLICATE,
                )
                for image, matrix in zip(images, to_crop, strict=True)
            ]
        )

    difference = np.abs(batched()[:, 0].cpu().numpy() - loop())
    ours, theirs = best_of(batched, args.repeats), best_of(loop, args.repeats)
    print(f"{args.faces} crops of {args.size} x {args.size}, {args.threads} thread(s), {device}")
    print(f"difference: mean {difference.mean():.5f}, largest {difference.max():.5f} degrees")
    print(f"batched: {1e3 * ours:.1f} ms, {args.faces / ours:.0f} crops/s")
    print(f"cv2.warpAffine loop: {1e3 * theirs:.1f} ms, {args.faces / theirs:.0f} crops/s")
    print(f"warp: {theirs / ours:.2f} x vs cv2.warpAffine loop")


if __name__ == "__main__":
    main()
