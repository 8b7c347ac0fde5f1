"""Work on many rows in parts: by several processes where the job has several cores."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import Protocol, TypeVar

T = TypeVar("T")
THREADS = "OMP_NUM_THREADS"
"""Environment variable by which Snakemake tells a job its ``threads:``."""

ROWS = 500  # of a part
REPORT_EVERY = 10.0  # seconds between lines of progress
AHEAD = 2  # parts a process that wait for it
PAYS = 4.0  # core-seconds of work from which further processes pay: each takes 1 to start


class Rows(Protocol):
    """What can be cut into parts."""

    def __len__(self) -> int: ...

    def __getitem__(self, some: slice) -> "Rows": ...


def in_parts(work: Callable[..., T], rows: Rows) -> Iterator[T]:
    """Yield what ``work`` makes of each part of the rows, in their order.

    The first part is worked on here; it tells whether others are worth further processes.

    Raises
    ------
    ValueError
        The first one, in the order of the rows, that ``work`` raises.
    """
    parts = [slice(k, k + ROWS) for k in range(0, len(rows), ROWS)]
    workers = min(_cores(), len(parts) - 1)
    reported = time.monotonic()
    for done, result in enumerate(_results(work, rows, parts, workers), 1):
        yield result
        if time.monotonic() - reported > REPORT_EVERY:
            reported = time.monotonic()
            print(f"{min(done * ROWS, len(rows)):,} of {len(rows):,} rows", file=sys.stderr)


def _cores() -> int:
    """Return how many cores the job has."""
    told = os.environ.get(THREADS, "")
    return max(1, int(told)) if told.isdecimal() else 1


def _results(work: Callable[..., T], rows: Rows, parts: list[slice], workers: int) -> Iterator[T]:
    first, rest = parts[:1], parts[1:]
    began = time.process_time()
    yield from (work(rows[part]) for part in first)
    if workers < 2 or (time.process_time() - began) * len(rest) < PAYS:
        yield from (work(rows[part]) for part in rest)
        return
    # A fork would copy locks that threads of this process hold.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_end_with_parent)
    try:
        waiting = iter(rest)
        ahead: list[Future[T]] = []
        for part in islice(waiting, workers * AHEAD):
            ahead.append(pool.submit(work, rows[part]))
        while ahead:
            result = ahead.pop(0).result()
            for part in islice(waiting, 1):
                ahead.append(pool.submit(work, rows[part]))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, and leave Ctrl-C to that one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
