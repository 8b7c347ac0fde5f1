"""``python -m thermalign STEP --name value ...`` calls ``steps.STEP.run(name=value, ...)``.

Rules call steps through here. Errors of the user are one line on the terminal (the traceback goes
to the log) and exit status 1; the last line of the log is the step's cost as JSON.
"""

import argparse
import importlib
import inspect
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import psutil

READERS: dict[Any, Callable[[str], Any]] = {
    str: str,
    int: int,
    Path: Path,
    dict[str, Any]: json.loads,
    list[str]: str,
    list[Path]: Path,
}
PARENT_POLL = 2.0  # seconds between looks at whether the parent still lives


class Tee:
    """Standard error and a log file in one; never a terminal, so progress comes in lines."""

    def __init__(self, *streams: TextIO) -> None:
        self.streams = streams

    def write(self, text: str) -> int:
        """Write to every stream."""
        for stream in self.streams:
            stream.write(text)
            stream.flush()
        return len(text)

    def flush(self) -> None:
        """Do nothing: every write is flushed."""

    def isatty(self) -> bool:
        """Return false: two jobs share the terminal."""
        return False


def main(argv: list[str]) -> int:
    """Run one step; return its exit status."""
    began = psutil.Process().create_time()
    end_with_parent()
    name, *rest = argv
    try:
        run = importlib.import_module(f"thermalign.steps.{name}").run
    except ModuleNotFoundError as error:
        if error.name != f"thermalign.steps.{name}":
            raise
        print(f"thermalign: no step {name}", file=sys.stderr)
        return 2
    log, job, keywords = parse(run, name, rest)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as file:
        sys.stderr = Tee(sys.__stderr__ or file, file)
        start_up = time.time() - began
        try:
            run(**keywords)
        except (ValueError, FileNotFoundError) as error:
            traceback.print_exc(file=file)
            print(f"thermalign {name} {job}: {error}".replace("\n", " "), file=sys.stderr)
            return 1
        print(json.dumps(cost(name, job, began, start_up)), file=file)
    return 0


def parse(run: Any, name: str, argv: list[str]) -> tuple[Path, str, dict[str, Any]]:
    """Read ``--log``, ``--job`` and one option per keyword of ``run`` from its signature."""
    parser = argparse.ArgumentParser(f"thermalign {name}", description=inspect.getdoc(run))
    parser.add_argument("--log", required=True, type=Path, help="log file of this job")
    parser.add_argument("--job", required=True, help="what the job's wildcards are, for people")
    for keyword in inspect.signature(run, eval_str=True).parameters.values():
        kind = keyword.annotation
        nargs = "*" if kind in (list[Path], list[str]) else None
        parser.add_argument(f"--{keyword.name}", required=True, type=READERS[kind], nargs=nargs)
    keywords = vars(parser.parse_args(argv))
    return keywords.pop("log"), keywords.pop("job"), keywords


def cost(name: str, job: str, began: float, start_up: float) -> dict[str, Any]:
    """Return the row of COSTS for this process, children included."""
    import resource

    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    torch = sys.modules.get("torch")
    on_gpu = torch is not None and torch.cuda.is_available()
    return {
        "rule": name,
        "job": job,
        "wall": round(time.time() - began, 3),
        "cpu": round(sum(u.ru_utime + u.ru_stime for u in used), 3),
        "start_up": round(start_up, 3),
        "memory": round(max(u.ru_maxrss for u in used) / 1024, 1),
        "device": torch.cuda.get_device_name() if torch is not None and on_gpu else "cpu",
    }


def end_with_parent() -> None:
    """Terminate this process when the shell that started it, or that shell's parent, is gone."""
    before = ancestors()

    def watch() -> None:
        while ancestors() == before:
            time.sleep(PARENT_POLL)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def ancestors() -> tuple[int, int]:
    """Return the process numbers of the parent and the grandparent; 0 for one that is gone."""
    try:
        return os.getppid(), psutil.Process(os.getppid()).ppid()
    except psutil.NoSuchProcess:
        return os.getppid(), 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
