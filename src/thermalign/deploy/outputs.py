"""Files that commands write: nothing is replaced but their own earlier output."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path


def check_output(
    output: Path, inputs: Mapping[str, Iterable[Path]], *, ours: Callable[[Path], bool]
) -> Path:
    """Refuse an output that would destroy something; return the file to write.

    Parameters
    ----------
    output : Path as the user named it
    inputs : what the command reads, by what it is to the user
    ours : tells an earlier output of the same command, which may be replaced, from other files

    Returns
    -------
    Path
        Absolute, links followed.

    Raises
    ------
    ValueError
        If it is a folder, a device or an input (by whatever path or link), if a file is there that
        is no earlier output, or its folder cannot be written.
    """
    try:
        target = output.resolve()
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{output}: is a link that leads nowhere; name a file") from error
    if target.is_dir():
        raise ValueError(f"{output}: is a folder; name a file in it")
    if target.exists() and not target.is_file():
        raise ValueError(f"{output}: is a device or a pipe; name a file")
    its = _identity(target)
    for what, paths in inputs.items():
        for path in paths:
            if path.resolve() == target or (its is not None and _identity(path) == its):
                raise ValueError(f"{output}: is {what} ({path}); name another file to write")
    if its is not None and target.stat().st_size and not ours(target):
        raise ValueError(
            f"{output}: is there and was not written by this command; remove it or name another"
        )
    folder = next(parent for parent in target.parents if parent.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise ValueError(f"{output}: nothing can be written in {folder}; name another folder")
    return target


def _identity(path: Path) -> tuple[int, int] | None:
    """Return device and number of a file, the same for every hard link; None where none is."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
