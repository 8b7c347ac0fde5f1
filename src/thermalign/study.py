"""Run a study by Snakemake, one run at a time in a folder, and go on after a run that was killed.

Snakemake locks its folder and leaves the lock behind when it is killed. A run from here holds a
lock of its own, which the operating system gives back with the process: who has it knows that no
other run from here is alive, and that a lock of Snakemake's is a left-over, unless somebody started
Snakemake by hand.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import psutil

LOCK = Path(".snakemake", "thermalign.lock")
LOCKS = Path(".snakemake", "locks")
"""Where Snakemake keeps its own locks."""

STEPS_END = 60.0  # s; that the steps of a killed run have to end by themselves

COMMAND = [sys.executable, "-m", "snakemake"]


def run_study(arguments: list[str]) -> int:
    """Run Snakemake in the working directory; return its exit status.

    Raises
    ------
    ValueError
        If there is no Snakefile, or a run is in progress here.
    """
    if not Path("Snakefile").is_file():
        raise ValueError(f"{Path.cwd()}: no Snakefile here; go to the folder of thermalign")
    if "--dry-run" in arguments:
        return wait(subprocess.Popen([*COMMAND, *arguments]))
    with hold(LOCK) as lock:
        if LOCKS.is_dir() and any(LOCKS.iterdir()):
            unlock(arguments)
        # Snakemake inherits the lock and keeps it, should this process be killed.
        return wait(subprocess.Popen([*COMMAND, *arguments], pass_fds=[lock.fileno()]))


@contextlib.contextmanager
def hold(path: Path) -> Iterator[IO[str]]:
    """Hold the lock on a file, which is made and stays.

    Raises
    ------
    ValueError
        If somebody else holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise ValueError(
                f"{Path.cwd()}: a run is in progress here ({file.read().strip()}); "
                "wait until it has ended, or end it"
            ) from None
        file.truncate(0)
        file.write(f"begun by process {os.getpid()}")
        file.flush()
        yield file


def unlock(arguments: list[str]) -> None:
    """Remove the lock that a killed Snakemake left behind in the working directory.

    Raises
    ------
    ValueError
        If a Snakemake is alive here.
    """
    if alive := at_work(is_snakemake):
        raise ValueError(
            f"{Path.cwd()}: Snakemake is at work here (process {alive[0]}); "
            "wait until it has ended, or end it"
        )
    # Steps notice within seconds that their Snakemake is gone, and write nothing after that.
    latest = time.monotonic() + STEPS_END
    while alive := at_work(is_step):
        if time.monotonic() > latest:
            raise ValueError(
                f"{Path.cwd()}: a step of a killed run is still at work (process {alive[0]}); "
                "end it, and run again"
            )
        time.sleep(0.2)
    print("A run here was killed: unlocking, and going on.", file=sys.stderr)
    command = [*COMMAND, *arguments, "--unlock"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = " ".join((done.stderr or done.stdout).split())[-300:]
        raise ValueError(f"{LOCKS}: Snakemake does not unlock: {last}")


def at_work(is_one: Callable[[list[str]], bool]) -> list[int]:
    """Return the numbers of the processes with this working directory and such a command."""
    here, every = str(Path.cwd()), psutil.process_iter(["pid", "cmdline", "cwd"])
    return [
        process.info["pid"]
        for process in every
        if process.info["cwd"] == here and is_one(process.info["cmdline"] or [])
    ]


def is_snakemake(command: list[str]) -> bool:
    """Return whether a command starts Snakemake, by its script or its module."""
    return "snakemake" in [Path(word).name for word in command[:4]]


def is_step(command: list[str]) -> bool:
    """Return whether a command is a step of a study."""
    return command[1:3] == ["-m", "thermalign"]


def check_writable(folder: Path) -> None:
    """Refuse a folder in which nothing can be written, or made.

    Raises
    ------
    ValueError
        Naming the folder that is in the way.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        raise ValueError(
            f"{there}: cannot be written (read-only, or not yours); correct its permissions, "
            "or write elsewhere (results: of the configuration)"
        )


def wait(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process to end, however long it takes to do so; return its exit status.

    Ctrl-C reaches it by itself, as it is of the same group; SIGTERM is handed on.
    """
    handlers = {
        signal.SIGINT: lambda *_: None,
        signal.SIGTERM: lambda *_: process.terminate(),
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        status = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return status if status >= 0 else 128 - status
