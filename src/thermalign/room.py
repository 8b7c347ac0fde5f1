"""Room for much of a kind: in memory, or in a temporary file that reads like memory."""

import errno
import mmap
import os
import tempfile
from contextlib import ExitStack

import torch
from torch import Tensor

IN_MEMORY = 8 << 30
"""Bytes of a stack of images that a CPU's memory takes; more of them lie in a file."""

_UNSUPPORTED = (errno.EOPNOTSUPP, errno.EINVAL)  # file systems that set nothing aside


def make_room(
    counts: dict[str, tuple[int, torch.dtype]],
    device: torch.device,
    *,
    in_memory: int | None = None,
    what: str = "pixels",
) -> tuple[dict[str, Tensor], tuple[mmap.mmap, ...]]:
    """Return empty tensors on a device, and the files that they lie in if there are any.

    Files have no name: they go when nothing refers to them, however the process ends. They lie in
    the folder that TMPDIR names.

    Parameters
    ----------
    counts : name -> number of elements and their dtype
    device : torch.device
    in_memory : int
        Bytes that a CPU's memory takes, if not IN_MEMORY.
    what : str
        What they will hold, for the message.

    Raises
    ------
    OSError
        If there is no room for a file: one line with its cure, without a number.
    """
    size = sum(count * kind.itemsize for count, kind in counts.values())
    if device.type != "cpu" or size <= (IN_MEMORY if in_memory is None else in_memory):
        return {
            name: torch.empty(n, dtype=kind, device=device) for name, (n, kind) in counts.items()
        }, ()
    files = {name: _mapped(n * kind.itemsize, what) for name, (n, kind) in counts.items()}
    made = {name: torch.frombuffer(files[name], dtype=kind) for name, (_, kind) in counts.items()}
    return made, tuple(files.values())


def give_back(files: tuple[mmap.mmap, ...]) -> None:
    """Let go of the memory that files were read and written through; they keep what they hold."""
    for file in files:
        file.madvise(mmap.MADV_DONTNEED)


def _mapped(size: int, what: str) -> mmap.mmap:
    """Map a file without a name; its room is set aside at once, since later a full disk kills."""
    with ExitStack() as opened:
        try:
            file = opened.enter_context(tempfile.TemporaryFile(prefix="thermalign-"))
            _set_aside(file.fileno(), size)
        except OSError as error:
            raise OSError(_told(error, size, what)) from None
        return mmap.mmap(file.fileno(), size)


def _set_aside(file: int, size: int) -> None:
    os.ftruncate(file, size)
    try:
        os.posix_fallocate(file, 0, size)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise


def _told(error: OSError, size: int, what: str) -> str:
    """Return the whole line, as :func:`thermalign.failures.explain` leaves it without a number."""
    folder = f"{tempfile.tempdir}: " if tempfile.tempdir else ""  # None: there is no usable one
    amount = f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{-(-size // 2**20)} MiB"
    why = "" if error.errno == errno.ENOSPC else f" ({error.strerror})"
    raised = "raise ulimit -f, or " if error.errno == errno.EFBIG else ""
    cure = f"{raised}let TMPDIR name a folder that has it"
    return f"{folder}no room for {amount} of {what}{why}; {cure}"
