"""Kill a study again and again, and hold what it makes against an undisturbed run.

``python tests/system/kills.py FOLDER --kills 100 --seed 1`` runs tiny studies one after the other
in ``FOLDER/killed``, and sends a SIGKILL every 3 to 30 s: to the whole group of processes, to
Snakemake alone or to one step alone; half of them as soon as a temporary file is made. Whenever a
study is whole, its tables, states and images are held against those of a run that nobody killed
(``FOLDER/undisturbed``), byte for byte but for seconds taken. Prints a line a kill, then a summary.
Linux only (inotify).
"""

import argparse
import ctypes
import hashlib
import json
import os
import random
import select
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import yaml

ROOT = Path(__file__).parents[2]
LEAST, MOST = 3.0, 30.0  # s between two kills
SEEDS = (2019, 2020)
"""Of the dataset, in turn: another one makes every job due."""
KINDS = ("group", "snakemake", "step")
IN_CREATE, IN_ISDIR = 0x100, 0x40000000
EVENT = struct.Struct("iIII")
COSTS = (
    "results/report/tables/cost",
    "results/report/figures/training/protocol-1/training-accuracy-over-cost",
)
"""How the names of what the page shows of seconds taken begin."""


def config(seed):
    """Return a study of every stage, of 9 people and two models."""
    study = yaml.safe_load((ROOT / "config.yaml").read_text())
    volume = {"subjects": 9, "ranges": [1], "baseline": 2, "expression": 2}
    its = {"chunks": 2, "seed": seed, "settings": {"volumes": [volume]}}
    study["datasets"]["simulated"] |= its
    split = {"train_subjects": 5, "test_subjects": 4, "folds": 1, "validation_share": 0.2}
    study["protocols"] = {"p1": study["protocols"]["p1"] | split}
    study["matcher"] |= {"mapping": "none"}
    study["evaluation"]["replicates"] = 50
    dan = {"input_size": 32, "width": 0.0625, "hidden": 32, "steps": 300, "later_steps": 50}
    study |= {"models": {"mean_shape": {}, "dan": dan}, "ablation": {}, "results": "results"}
    study["variants"] = {"shift_20": {"shift": 0.2}}
    for key in ("displacements", "detector"):
        study.pop(key, None)
    return study


def project(folder):
    """Copy the project, so that nobody's edits reach the runs."""
    folder.mkdir(parents=True)
    for name in ("Snakefile", "workflow", "src", "envs"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    return folder


class Runs:
    """Runs of studies, one at a time; where the block is left, nothing of the last one goes on."""

    def __init__(self, log):
        self.log = log
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def start(self, folder, seed):
        """Start a study as a user does, in a group of processes of its own."""
        (folder / "study.yaml").write_text(yaml.safe_dump(config(seed)))
        command = [sys.executable, "-c", "from thermalign.cli import main; main()", "run"]
        command += ["--cores", "2", "--configfile", "study.yaml"]
        environment = os.environ | {"PYTHONPATH": str(folder / "src"), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=self.log,
            stderr=self.log,
            env=environment,
            start_new_session=True,
        )


def digests(folder):
    """Return what each result holds, without the seconds that were taken."""
    found = {}
    for path in sorted((folder / "results").rglob("*")):
        name = str(path.relative_to(folder))
        if name.startswith(COSTS):
            continue
        if path.name in {"curve.parquet", "training.parquet"}:
            table = pq.read_table(path).drop_columns("core_seconds")
            found[name] = repr((table.to_pydict(), table.schema.metadata))
        elif path.suffix in {".parquet", ".safetensors", ".png"}:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def temporary_files(folder):
    """Return the temporary files and folders among the results."""
    return [p for p in (folder / "results").rglob(".*") if p.suffix in {".tmp", ".new"}]


class Writes:
    """Tell of temporary files as they are made in a folder and in what is below it."""

    def __init__(self, folder):
        self.libc = ctypes.CDLL(None)
        self.queue = self.libc.inotify_init1(os.O_NONBLOCK)
        self.folders = {}
        self.watch(folder)

    def watch(self, folder):
        """Watch a folder and those below it."""
        for path in [folder, *(p for p in folder.rglob("*") if p.is_dir())]:
            number = self.libc.inotify_add_watch(self.queue, os.fsencode(path), IN_CREATE)
            self.folders[number] = path

    def wait(self, seconds):
        """Wait for a temporary file, at most for so long; return whether one was made."""
        latest, made = time.monotonic() + seconds, False
        while not made and (left := latest - time.monotonic()) > 0:
            if select.select([self.queue], [], [], left)[0]:
                made = any(name.endswith(".tmp") for name in self.names())
        return made

    def names(self):
        """Return the names that were made since the last call."""
        with suppress(BlockingIOError):
            data = os.read(self.queue, 1 << 16)
            names = []
            while data:
                number, mask, _, length = EVENT.unpack_from(data)
                name = data[EVENT.size : EVENT.size + length].rstrip(b"\0").decode()
                if mask & IN_ISDIR and number in self.folders:
                    self.watch(self.folders[number] / name)
                names.append(name)
                data = data[EVENT.size + length :]
            return names
        return []


@dataclass
class Kill:
    """One kill, and what it hit."""

    kind: str
    after: float
    rules: list = field(default_factory=list)
    writes: list = field(default_factory=list)


def is_step(process):
    """Say whether a process is a step."""
    return process.info["cmdline"][1:3] == ["-m", "thermalign"]


def strike(folder, group, kinds, after):
    """Freeze a run, note what it was at, and kill the first of some kinds that is alive.

    The rest goes on.

    Returns nothing where the run has just ended by itself.
    """
    try:
        os.killpg(group, signal.SIGSTOP)
    except ProcessLookupError:
        return None
    alive = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        with suppress(ProcessLookupError):
            if process.info["cmdline"] and os.getpgid(process.pid) == group:
                alive.append(process)
    steps = [p for p in alive if is_step(p)]
    snakemakes = [p for p in alive if "snakemake" in p.info["cmdline"][:4]]
    writers = {
        p: [t.name for t in temporary_files(folder) if f".{p.pid}." in t.name] for p in steps
    }
    targets = {"snakemake": snakemakes, "step": sorted(steps, key=lambda p: not writers[p])[:1]}
    kind = next(k for k in [*kinds, "group"] if k == "group" or targets[k])
    chosen = targets.get(kind, [])
    hit = Kill(kind, round(after, 1), sorted(p.info["cmdline"][3] for p in steps))
    hit.writes = sorted(n for p in steps if p in chosen or hit.kind != "step" for n in writers[p])
    for process in chosen:
        process.kill()
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGCONT if chosen else signal.SIGKILL)
    return hit


def undisturbed(runs, folder):
    """Run each study once, with nobody in its way; return seed -> digests."""
    found = {}
    for seed in SEEDS:
        runs.start(folder, seed)
        if runs.process.wait():
            raise RuntimeError(f"{runs.log.name}: the undisturbed study failed")
        found[seed] = digests(folder)
    return found


def due(process, writes, last, draw):
    """Wait for a drawn moment, half of the times for a write from a third of the wait on.

    Returns
    -------
    bool
        False where the run ended by itself before.
    """
    after, in_write = draw.uniform(LEAST, MOST), draw.random() < 0.5
    while process.poll() is None:
        writes.names()
        waited = time.monotonic() - last
        if waited >= after:
            return True
        if in_write and waited > max(LEAST, after / 3):
            if writes.wait(after - waited):
                return True
        else:
            time.sleep(0.05)
    return False


def torment(runs, folder, kills, seed):
    """Kill studies until it was done so often, then let the last one end.

    Returns
    -------
    list of Kill
    int
        Studies that became whole, each as undisturbed.
    """
    # Copied together: an edit between the two would show in every file's fingerprint.
    calm, here = project(folder / "undisturbed"), project(folder / "killed")
    expected, draw = undisturbed(runs, calm), random.Random(seed)
    (here / "results").mkdir()
    writes, done, whole, excused = Writes(here / "results"), [], 0, False
    runs.start(here, SEEDS[0])
    last, had = time.monotonic(), Counter()
    while True:
        if len(done) < kills and due(runs.process, writes, last, draw):
            kinds = sorted(KINDS, key=lambda kind: (had[kind], draw.random()))
            hit = strike(here, runs.process.pid, kinds, time.monotonic() - last)
            if hit:
                last, excused = time.monotonic(), True
                done.append(hit)
                had[hit.kind] += 1
                print(len(done), json.dumps(vars(hit)), flush=True)
                if hit.kind == "step":
                    continue  # Snakemake lives on, says so, and ends
        status = runs.process.wait()
        if status and not excused:
            raise RuntimeError(f"{runs.log.name}: a run ended with status {status} and no kill")
        if status == 0:
            check(here, expected[SEEDS[whole % len(SEEDS)]], whole)
            whole += 1
            if len(done) >= kills:
                return done, whole
        excused = False
        runs.start(here, SEEDS[whole % len(SEEDS)])


def check(folder, expected, number):
    """Hold a whole study against the undisturbed one, and its folder against left-overs."""
    found = digests(folder)
    differ = sorted(k for k in expected.keys() | found.keys() if expected.get(k) != found.get(k))
    left = temporary_files(folder)
    locks = list((folder / ".snakemake/locks").glob("*"))
    if differ or left or locks:
        raise RuntimeError(f"study {number}: differ {differ}, left {left}, locks {locks}")
    print(f"study {number}: {len(found)} files as undisturbed, nothing left over", flush=True)


def main(arguments=None):
    """Kill, compare, and say how the kills were spread."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="empty or new; about 50 MB")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    asked.folder.mkdir(parents=True, exist_ok=True)
    with (asked.folder / "runs.log").open("w") as log, Runs(log) as runs:
        done, whole = torment(runs, asked.folder, asked.kills, asked.seed)
    spread = {
        "kills": len(done),
        "studies": whole,
        "kinds": Counter(kill.kind for kill in done),
        "rules": Counter(rule for kill in done for rule in set(kill.rules)),
        "in_writes": sum(bool(kill.writes) for kill in done),
    }
    print(json.dumps(spread), flush=True)
    return spread


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # ends its runs, too
    main()
