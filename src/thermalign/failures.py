"""What went wrong, as one line that names the cause and, where it is known, the cure.

Errors of libraries are told by name and wording, so that nobody has to load a library to hear of
them. Standard library only.
"""

import errno
import signal
from types import FrameType
from typing import NoReturn

HINTS = {
    errno.ENOSPC: "free some space, or write elsewhere (results: of the configuration)",
    errno.EFBIG: "raise ulimit -f, or write to a disk that takes larger files",
    errno.EDQUOT: "your quota is used up: delete something, or write elsewhere",
    errno.EACCES: "correct the permissions, or name another file",
    errno.EPERM: "correct the permissions, or name another file",
    errno.EROFS: "the disk cannot be written; name another place",
    errno.EISDIR: "this is a folder; name a file",
    errno.ENOTDIR: "a part of this path is a file; name a folder",
    errno.ENOENT: "correct the path, or run what makes it",
    errno.EEXIST: "this is there already; remove it or name another",
    errno.ENAMETOOLONG: "name a shorter path",
    errno.EMFILE: "too many files are open; raise ulimit -n",
    errno.ENOMEM: "let fewer jobs run side by side (--cores)",
}
OUT_OF_MEMORY = "out of memory; let fewer jobs run side by side (--cores), or make batches smaller"
DISK_FULL = ("no space left on device", "os error 28", "errno 28")
TOO_LARGE = ("os error 27", "errno 27")
"""As systems, Rust and Arrow put it."""
CUT_OFF = "inline_container.cc"
"""In what the writer of PyTorch says of a file that it could not write whole; not why."""


class Ended(BaseException):
    """Somebody told this process to end by a signal, whose name this carries."""


def end(number: int, _: FrameType | None) -> NoReturn:
    """Handle a signal by raising :class:`Ended`, so that nothing half-written stays."""
    raise Ended(signal.Signals(number).name)


def explain(error: BaseException) -> str:
    """Return one line of cause and cure; notes that the error was given on its way follow.

    Returns
    -------
    str
        Without line breaks, never empty.
    """
    cause = _cause(error)
    notes = [note for note in getattr(error, "__notes__", []) if note not in cause]
    return one_line("; ".join([cause, *notes]))


def is_explained(error: BaseException) -> bool:
    """Return whether the error's one line is all that a user needs to see of it."""
    ours = ValueError | OSError | ImportError | MemoryError | KeyboardInterrupt | Ended
    known = isinstance(error, ours) or _library(error) in {"cv2", "pyarrow", "yaml", "safetensors"}
    of_disk = _is_full(error) or _is_too_large(error) or CUT_OFF in str(error)
    return known or of_disk or _is_out_of_memory(error)


def one_line(text: str) -> str:
    """Join lines and runs of blanks."""
    return " ".join(text.split())


def _cause(error: BaseException) -> str:
    text = one_line(str(error)) or type(error).__name__
    if isinstance(error, Ended | KeyboardInterrupt):
        how = text if isinstance(error, Ended) else "an interrupt (Ctrl-C)"
        cause = f"ended by {how}; run the study again to go on"
    elif _is_full(error):
        cause = f"{_place(error, text)}: {HINTS[errno.ENOSPC]}"
    elif _is_too_large(error):
        cause = f"{_place(error, text)}; {HINTS[errno.EFBIG]}"
    elif CUT_OFF in text:
        cause = f"PyTorch cannot write the file whole; free some space, or raise ulimit -f ({text})"
    elif _is_out_of_memory(error):
        cause = f"{OUT_OF_MEMORY} ({text})"
    elif isinstance(error, ModuleNotFoundError):
        cause = f"{text}; install it into this environment (pip install -e ., or envs/*.yaml)"
    elif isinstance(error, OSError) and not isinstance(error, ValueError):
        hint = HINTS.get(error.errno or 0)
        cause = _place(error, text) + (f"; {hint}" if hint else "")
    elif _library(error) == "cv2":
        cause = f"OpenCV: {text.rpartition('error: ')[2]}"
    elif is_explained(error):
        cause = text
    else:
        cause = (
            f"{type(error).__name__}: {text}; not foreseen, perhaps a fault of thermalign itself"
        )
    return cause


def _place(error: BaseException, text: str) -> str:
    """Return file and reason of an error of the operating system, without its number."""
    if not isinstance(error, OSError) or not error.strerror:
        return text
    files = [str(name) for name in (error.filename, error.filename2) if name is not None]
    return ": ".join([" -> ".join(files), error.strerror]) if files else error.strerror


def _library(error: BaseException) -> str:
    """Return the package that an error's class, or a class that it derives from, comes from."""
    origins = [kind.__module__.partition(".")[0].lstrip("_") for kind in type(error).__mro__]
    known = {"cv2", "pyarrow", "yaml", "safetensors", "safetensors_rust"}
    return next((name.removesuffix("_rust") for name in origins if name in known), "")


def _is_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return True
    return any(words in str(error).lower() for words in DISK_FULL)


def _is_too_large(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return True
    return any(words in str(error).lower() for words in TOO_LARGE)


def _is_out_of_memory(error: BaseException) -> bool:
    """Tell Python's, NumPy's, Arrow's, OpenCV's and PyTorch's ways of saying so."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    if _library(error) == "cv2":
        return "insufficient memory" in text
    words = ("can't allocate memory", "out of memory")
    return isinstance(error, RuntimeError | OSError) and any(w in text for w in words)
