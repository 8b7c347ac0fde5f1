"""Seconds, core-seconds and peak memory of reading a manifest of many small images.

Usage: python benchmarks/ingest.py [--rows 200000] [--cores 1] [--folder DIR] [--profile]

Makes a manifest of pairs with landmarks and given boxes, and a small PNG for each row (40 x 48 px,
thermal ones of 16 bits), then reads it by the step that the rule ``ingest`` runs, in a process of
its own. A folder that is named is kept, and used again if it holds as many rows.
"""

import argparse
import cProfile
import os
import pstats
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from thermalign.ingest.columns import BOX, POINTS
from thermalign.ingest.parts import THREADS
from thermalign.steps import ingest

WIDTH, HEIGHT = 40, 48
FACE = np.array([(12, 16), (27, 16), (19.5, 24), (14, 31), (25, 31)])
OF_PERSON, IN_FOLDER = 20, 1000
COLUMNS = ("path", "subject_id", "modality", "condition", "pair_id", *POINTS, *BOX)


def make(folder: Path, rows: int) -> None:
    """Write the images and ``faces.csv``, where they are not there yet."""
    manifest = folder / "faces.csv"
    if manifest.is_file() and manifest.read_bytes().count(b"\n") == rows + 1:
        return
    rng = np.random.default_rng(0)
    lines = [",".join(COLUMNS)]
    for k in range(rows):
        place = Path("images", str(k // IN_FOLDER), f"{k}.png")
        thermal = k % 2 == 0
        kind, low, high = (np.uint16, 7000, 9000) if thermal else (np.uint8, 40, 220)
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        counts = rng.integers(low, high, (HEIGHT, WIDTH), kind)
        if not ((folder / place).is_file() and (folder / place).stat().st_size):
            cv2.imwrite(str(folder / place), counts)
        points = FACE + rng.normal(0, 0.4, FACE.shape)
        person = k // 2 // OF_PERSON  # numbers that count up are spelt alike by nobody
        cells = (place, f"person {person}", "thermal" if thermal else "visible", "baseline")
        numbers = (f"{v:.2f}" for v in (*points.ravel(), 5, 4, 30, 38))
        lines.append(",".join([*map(str, cells), f"pair {k // 2}", *numbers]))
    manifest.write_text("\n".join(lines) + "\n")


def read(folder: Path, out: Path, *, cores: int) -> None:
    """Run the step of the rule ``ingest`` as Snakemake does, which tells it its cores."""
    os.environ[THREADS] = str(cores)
    block = {
        "adapter": "table",
        "folder": str(folder),
        "manifest": "faces.csv",
        "box": {"source": "given"},
    }
    names = ("images", "annotations", "boxes", "attributes")
    tables = {name: out / f"{name}.parquet" for name in names}
    ingest.run(
        settings=block,
        sources=[folder / "faces.csv"],
        **tables,
        files=out / "files.json",
        findings=out / "findings.parquet",
        audit=out / "audit.html",
        fingerprint="new",
        code="benchmark",
    )


def measure(folder: Path, arguments: argparse.Namespace) -> None:
    """Read in a process of its own and print what it took."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, __file__, "--read", out, f"--folder={folder}"]
        command += [f"--cores={arguments.cores}"]
        began = time.perf_counter()
        subprocess.run(command, check=True)
        took = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"ingest: {arguments.rows:,} rows, {arguments.cores} cores: {took:.1f} s, "
        f"{used.ru_utime + used.ru_stime:.1f} core-s, {used.ru_maxrss / 1024:.0f} MiB in the "
        "largest process"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--profile", action="store_true", help="where the time goes")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read:
        read(arguments.folder, arguments.read, cores=arguments.cores)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        make(folder, arguments.rows)
        if arguments.profile:
            with cProfile.Profile(time.process_time) as profile:
                read(folder, Path(temporary), cores=1)
            pstats.Stats(profile).sort_stats("cumulative").print_stats(60)
        else:
            measure(folder, arguments)


if __name__ == "__main__":
    main()
