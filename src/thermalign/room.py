"""Room for the pixels of many images: in memory, or in a temporary file that reads like memory."""

import errno
import mmap
import os
import tempfile

import torch
from torch import Tensor

IN_MEMORY = 8 << 30
"""Bytes of a stack of images that a CPU's memory takes; more of them lie in a file."""

_UNSUPPORTED = (errno.EOPNOTSUPP, errno.EINVAL)  # file systems that set nothing aside


def make_room(
    counts: dict[str, tuple[int, torch.dtype]], device: torch.device
) -> tuple[dict[str, Tensor], tuple[mmap.mmap, ...]]:
    """Return empty tensors on a device, and the files that they lie in if there are any.

    Files have no name: they go when nothing refers to them, however the process ends. They lie in
    the folder that TMPDIR names.

    Parameters
    ----------
    counts : name -> number of elements and their dtype
    device : torch.device

    Raises
    ------
    OSError
        If there is no room for a file.
    """
    size = sum(count * kind.itemsize for count, kind in counts.values())
    if device.type != "cpu" or size <= IN_MEMORY:
        return {
            name: torch.empty(n, dtype=kind, device=device) for name, (n, kind) in counts.items()
        }, ()
    files = {name: _mapped(n * kind.itemsize) for name, (n, kind) in counts.items()}
    made = {name: torch.frombuffer(files[name], dtype=kind) for name, (_, kind) in counts.items()}
    return made, tuple(files.values())


def give_back(files: tuple[mmap.mmap, ...]) -> None:
    """Let go of the memory that files were read and written through; they keep what they hold."""
    for file in files:
        file.madvise(mmap.MADV_DONTNEED)


def _mapped(size: int) -> mmap.mmap:
    """Map a file without a name; its room is set aside at once, since later a full disk kills."""
    try:
        with tempfile.TemporaryFile(prefix="thermalign-") as file:
            os.ftruncate(file.fileno(), size)
            try:
                os.posix_fallocate(file.fileno(), 0, size)
            except OSError as error:
                if error.errno not in _UNSUPPORTED:
                    raise
            return mmap.mmap(file.fileno(), size)
    except OSError as error:
        told = (
            f"{error.strerror}: no room for {size / 2**30:.3g} GiB of pixels; "
            "let TMPDIR name a folder that has it"
        )
        raise OSError(error.errno, told, tempfile.gettempdir()) from None
