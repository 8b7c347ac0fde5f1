"""``python -m thermalign.killed STATUS LOG STEP JOB``: tell what became of a step that was killed.

A killed step cannot say so itself. Its shell calls this with its exit status, which is returned.
"""

import contextlib
import signal
import sys
from pathlib import Path

CURES = {
    signal.SIGKILL: "likely because memory ran out; let fewer jobs run side by side (--cores), "
    "or give it a machine or a request (mem_mb) of more memory, and run the study again to go on",
    signal.SIGXFSZ: "a file would be larger than ulimit -f allows; raise it, run the study again",
    signal.SIGXCPU: "it took more processor time than ulimit -t or the batch system allows; "
    "raise that, and run the study again to go on",
    signal.SIGBUS: "likely a file was cut off or the disk is full while it was in use; "
    "free some space, and run the study again",
}
CRASH = "compiled code crashed; its log says where; run the study again, and report it if it recurs"
CURES |= dict.fromkeys((signal.SIGSEGV, signal.SIGABRT, signal.SIGILL, signal.SIGFPE), CRASH)
TOLD = (signal.SIGINT, signal.SIGTERM)
"""Of these a step has said so itself."""


def main(argv: list[str]) -> int:
    """Print one line, to the terminal and the log, if a signal ended the step."""
    status, log, name, job = int(argv[0]), Path(argv[1]), argv[2], argv[3]
    line = explain_signal(status)
    if line:
        line = f"thermalign {name} {job}: {line}"
        print(line, file=sys.stderr)
        with contextlib.suppress(OSError), log.open("a", encoding="utf-8") as file:
            print(line, file=file)
    return status


def explain_signal(status: int) -> str:
    """Return cause and cure of a shell's exit status; nothing where the step said it itself."""
    try:
        number = signal.Signals(status - 128)
    except ValueError:
        return ""
    if number in TOLD:
        return ""
    if number not in CURES:
        return f"was ended from outside by {number.name}; run the study again to go on"
    return f"was killed (signal {number.value}, {number.name}): {CURES[number]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
