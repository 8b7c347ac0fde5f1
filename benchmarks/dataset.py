"""Speed of writing a whole dataset on several cores against one.

Usage: python benchmarks/dataset.py [--cores 2] [--share 1.0] [--frames]

Writes the paper's 4,461 samples (60 subjects with 48, 51 with 31), each a pair of a thermal and a
visible image, in chunks as the workflow's jobs do, and says how long it took, PNG files and tables
included, and how large a pair is. --share renders the first part of the subjects only. The first of
those chunks is then written alone, for the ratio. Each process takes its own time, once its modules
are loaded.
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
    """Write one chunk and print the seconds it took."""
    settings = plan(arguments.share, frames=arguments.frames)
    part = {"chunk": arguments.chunk, "chunks": arguments.cores}
    start = time.perf_counter()
    write_chunk(arguments.folder, settings, seed=SEED, progress=False, **part)
    print(time.perf_counter() - start)


def measure(arguments: argparse.Namespace, chunks: int) -> float:
    """Return seconds per pair and core of as many processes as chunks, all at once."""
    command = [sys.executable, __file__, f"--cores={arguments.cores}", f"--share={arguments.share}"]
    command += ["--frames"] if arguments.frames else []
    with tempfile.TemporaryDirectory() as folder:
        jobs = [
            subprocess.Popen(
                [*command, f"--chunk={k}", f"--folder={Path(folder, str(k))}"],
                stdout=subprocess.PIPE,
                text=True,
            )
            for k in range(chunks)
        ]
        printed = [job.communicate()[0] for job in jobs]
        failed = [job for job in jobs if job.returncode]
        if failed:
            sys.exit(f"{len(failed)} of {chunks} processes failed")
        files = list(Path(folder).rglob("*.png"))
        pairs, size = len(files) // 2, sum(file.stat().st_size for file in files)
    took = [float(text) for text in printed]
    print(
        f"{chunks} at once: {pairs} pairs in {max(took):.1f} s, "
        f"{pairs / sum(took):.1f} pairs/s/core, {size / pairs / 1000:.0f} kB a pair"
    )
    return sum(took) / pairs


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
    several, one = measure(arguments, arguments.cores), measure(arguments, 1)
    print(f"dataset: {arguments.cores * one / several:.2f} x on {arguments.cores} cores vs one")


if __name__ == "__main__":
    main()
