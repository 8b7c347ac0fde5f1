"""Speed of writing a whole dataset on several cores against one.

Usage: python benchmarks/dataset.py [--cores 2] [--share 1.0] [--frames]

Writes the paper's 4,461 samples (60 subjects with 48, 51 with 31), each a pair of a thermal and a
visible image, in chunks as the workflow's jobs do, and says how long it took, PNG files and tables
included, and how large a pair is. --share renders the first part of the subjects only. A tenth of
the subjects is then written on one core, for the ratio.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from thermalign.simulator.dataset import Settings, Volume, write_chunk

SEED = 2019


def plan(share: float, *, frames: bool) -> Settings:
    """Return the paper's two volumes with a share of their subjects."""
    first = Volume(round(60 * share), baseline=8, expression=8, visible_ranges=(1, 2, 3))
    second = Volume(round(51 * share), ranges=(1,), baseline=15, expression=16)
    return Settings((first, second), frames=frames)


def chunk(arguments: argparse.Namespace) -> None:
    settings = plan(arguments.share, frames=arguments.frames)
    part = {"chunk": arguments.chunk, "chunks": arguments.cores}
    write_chunk(arguments.folder, settings, seed=SEED, progress=False, **part)


def seconds(cores: int, share: float, folder: Path, *, frames: bool) -> float:
    """Return how long ``cores`` processes took to write the dataset into ``folder``."""
    command = [sys.executable, __file__, f"--cores={cores}", f"--share={share}"]
    command += ["--frames"] if frames else []
    start = time.perf_counter()
    jobs = [
        subprocess.Popen([*command, f"--chunk={k}", f"--folder={folder / str(k)}"])
        for k in range(cores)
    ]
    failed = [job for job in jobs if job.wait()]
    if failed:
        sys.exit(f"{len(failed)} of {cores} processes failed")
    return time.perf_counter() - start


def measure(cores: int, share: float, *, frames: bool) -> tuple[float, int, int]:
    """Return seconds per pair and core, pairs, and bytes of all images."""
    with tempfile.TemporaryDirectory() as name:
        took = seconds(cores, share, Path(name), frames=frames)
        files = list(Path(name).rglob("*.png"))
        pairs, size = len(files) // 2, sum(file.stat().st_size for file in files)
    print(
        f"{cores} cores: {pairs} pairs in {took:.1f} s, {pairs / took / cores:.1f} pairs/s/core, "
        f"{size / pairs / 1000:.0f} kB a pair"
    )
    return took * cores / pairs, pairs, size


def main() -> None:
    parser = argparse.ArgumentParser(description="whole datasets on several cores")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--frames", action="store_true")
    parser.add_argument("--chunk", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.chunk is not None:
        chunk(arguments)
        return
    several, *_ = measure(arguments.cores, arguments.share, frames=arguments.frames)
    one, *_ = measure(1, max(arguments.share / 10, 1 / 51), frames=arguments.frames)
    print(f"dataset: {arguments.cores * one / several:.2f} x on {arguments.cores} cores vs one")


if __name__ == "__main__":
    main()
