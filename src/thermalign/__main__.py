"""``python -m thermalign STEP --name value ...`` calls ``steps.STEP.run(name=value, ...)``.

Rules call steps through here. Whatever goes wrong is one line on the terminal that names step, job,
cause and cure, with the traceback in the log and an exit status that is not 0; the last line of the
log of a step that went well is its cost as JSON.
"""

import argparse
import contextlib
import faulthandler
import importlib
import inspect
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn, TextIO, get_origin

import psutil

from thermalign import gpus
from thermalign.catalogue import takes_a_gpu
from thermalign.failures import Ended, end, explain, is_explained
from thermalign.left_overs import remove_left_overs

READERS: dict[Any, Callable[[str], Any]] = {
    str: str,
    int: int,
    Path: Path,
    dict[str, Any]: json.loads,
    list[str]: str,
    list[float]: float,
    list[Path]: Path,
}
STEPS = Path(__file__).parent / "steps"
NETWORKS = "thermalign.training.precision"
PARENT_POLL = 2.0  # seconds between looks at whether the parent still lives
GRACE = 5.0  # seconds that a step has to end by itself once it is told to
USAGE = 2  # exit status of arguments that are wrong


class Tee:
    """Standard error and a log file in one; never a terminal, so progress comes in lines."""

    def __init__(self, terminal: TextIO, log: TextIO) -> None:
        self.terminal: TextIO | None = terminal
        self.log = log

    def write(self, text: str) -> int:
        """Write to both, the terminal first, so that a log that cannot be written silences nothing.

        A terminal that is gone is left alone from then on.
        """
        if self.terminal is not None:
            try:
                self.terminal.write(text)
                self.terminal.flush()
            except OSError:
                self.terminal = None
        self.log.write(text)
        self.log.flush()
        return len(text)

    def flush(self) -> None:
        """Do nothing: every write is flushed."""

    def isatty(self) -> bool:
        """Return false: two jobs share the terminal."""
        return False


class Parser(argparse.ArgumentParser):
    """Refuses arguments by an exception, so that they end as every other error does."""

    def error(self, message: str) -> NoReturn:
        """Refuse with argparse's own words."""
        raise UsageError(message)


class UsageError(ValueError):
    """Arguments that the step does not take."""


def main(argv: list[str]) -> int:
    """Run one step; return its exit status."""
    began = psutil.Process().create_time()
    if not argv:
        return tell("thermalign: name a step", USAGE)
    name, *rest = argv
    if not name.isidentifier() or not (STEPS / f"{name}.py").is_file():
        return tell(f"thermalign: no step {name}", USAGE)
    end_with_parent()
    where = f"thermalign {name} {after(rest, '--job')}".rstrip()
    if "-h" in rest or "--help" in rest or "--log" not in rest:
        return without_log(name, rest, where)
    log = Path(after(rest, "--log"))
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w", encoding="utf-8") as file:
            return with_log(name, rest, where, began, file)
    except OSError as error:  # of the log alone: the step's own errors end in run_step
        return tell(f"{where}: the log {log} cannot be written: {explain(error)}", 1)


def with_log(name: str, argv: list[str], where: str, began: float, log: TextIO) -> int:
    """Run a step whose errors and progress also go to ``log``; return its exit status."""
    with contextlib.redirect_stderr(Tee(sys.stderr, log)), dumps_crashes(log), ends_in_time(where):
        try:
            job, start_up = run_step(name, argv, began)
        except BaseException as error:  # the outermost place: nothing may vanish
            return fail(error, where, log)
        print(json.dumps(cost(name, job, began, start_up)), file=log)
    return 0


def without_log(name: str, argv: list[str], where: str) -> int:
    """Show a step's help, or refuse arguments that do not even name a log."""
    try:
        parse(importlib.import_module(f"thermalign.steps.{name}").run, name, argv)
    except (UsageError, ImportError) as error:
        return tell(f"{where}: {explain(error)}", USAGE)
    return 0


def run_step(name: str, argv: list[str], began: float) -> tuple[str, float]:
    """Load a step and run it; return its job and the seconds until it began."""
    run = importlib.import_module(f"thermalign.steps.{name}").run
    _, job, keywords = parse(run, name, argv)
    remove_left_overs(value for value in keywords.values() if isinstance(value, Path))
    start_up = time.time() - began
    if "network" in keywords or takes_a_gpu(keywords.get("detector", "")):
        gpus.take()
    else:
        gpus.keep_off()
    run(**keywords)
    return job, start_up


def fail(error: BaseException, where: str, log: TextIO) -> int:
    """Put the traceback into the log and one line on the terminal; return the exit status."""
    see = "" if is_explained(error) else f" (traceback in {log.name})"
    line = f"{where}: {explain(error)}{see}"
    try:
        traceback.print_exception(error, file=log)
        print(line, file=log, flush=True)
    except OSError as of_log:  # a full disk, as a rule
        line += f"; the log {log.name} cannot be written either: {explain(of_log)}"
        with contextlib.suppress(OSError):
            log.close()
    terminal = sys.stderr.terminal if isinstance(sys.stderr, Tee) else sys.stderr
    if terminal is not None:
        with contextlib.suppress(OSError):
            print(line, file=terminal, flush=True)
    numbers = {KeyboardInterrupt: 128 + signal.SIGINT, Ended: 128 + signal.SIGTERM}
    return numbers.get(type(error), USAGE if isinstance(error, UsageError) else 1)


def tell(line: str, status: int) -> int:
    """Print one line to standard error and return ``status``."""
    print(line, file=sys.stderr)
    return status


def after(argv: list[str], option: str) -> str:
    """Return the argument behind an option; nothing where there is none."""
    at = argv.index(option) + 1 if option in argv else len(argv)
    return argv[at] if at < len(argv) else ""


def parse(run: Any, name: str, argv: list[str]) -> tuple[Path, str, dict[str, Any]]:
    """Read ``--log``, ``--job`` and one option per keyword of ``run`` from its signature.

    Raises
    ------
    UsageError
        If an argument is missing, unknown or not readable.
    """
    parser = Parser(f"thermalign {name}", description=inspect.getdoc(run), allow_abbrev=False)
    parser.add_argument("--log", required=True, type=Path, help="log file of this job")
    parser.add_argument("--job", required=True, help="what the job's wildcards are, for people")
    for keyword in inspect.signature(run, eval_str=True).parameters.values():
        kind = keyword.annotation
        nargs = "*" if get_origin(kind) is list else None
        parser.add_argument(f"--{keyword.name}", required=True, type=READERS[kind], nargs=nargs)
    keywords = vars(parser.parse_args(argv))
    return keywords.pop("log"), keywords.pop("job"), keywords


def cost(name: str, job: str, began: float, start_up: float) -> dict[str, Any]:
    """Return the row of COSTS for this process, children included."""
    import resource

    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    torch, networks = (sys.modules.get(name) for name in ("torch", NETWORKS))
    on_gpu = torch is not None and torch.cuda.is_available()
    return {
        "rule": name,
        "job": job,
        "wall": round(time.time() - began, 3),
        "cpu": round(sum(u.ru_utime + u.ru_stime for u in used), 3),
        "start_up": round(start_up, 3),
        "memory": round(max(u.ru_maxrss for u in used) / 1024, 1),
        "device": torch.cuda.get_device_name() if torch is not None and on_gpu else "cpu",
        "precision": networks.asked() if networks is not None else "",
    }


@contextlib.contextmanager
def dumps_crashes(log: TextIO) -> Iterator[None]:
    """Let a crash of compiled code write where it was into the log."""
    faulthandler.enable(log)
    try:
        yield
    finally:
        faulthandler.disable()


@contextlib.contextmanager
def ends_in_time(where: str) -> Iterator[None]:
    """Turn SIGTERM into :class:`Ended`, so that nothing half-written stays.

    Python hears of a signal between two of its own instructions only; a long call of compiled code
    that does not return within GRACE is cut off, and told of in a line that begins with ``where``.
    """
    heard, hear = os.pipe()
    os.set_blocking(hear, False)

    def watch() -> None:
        if number := os.read(heard, 1):
            time.sleep(GRACE)
            cut = f"{where}: cut off {GRACE:g} s after {signal.Signals(number[0]).name}"
            with contextlib.suppress(OSError, ValueError):  # a full disk, a log that is closed
                sys.stderr.write(f"{cut}; run the study again to go on\n")  # in one piece
            os._exit(128 + number[0])
        os.close(heard)

    before = signal.signal(signal.SIGTERM, end)
    wakeup = signal.set_wakeup_fd(hear)
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        signal.signal(signal.SIGTERM, before)
        os.close(hear)


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
