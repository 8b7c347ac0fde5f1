"""Folders and files that a configuration names: what Snakemake would misread, what is not there."""

from collections.abc import Callable, Iterator
from pathlib import Path

LONGEST_NAME = 255  # bytes of a file's or a folder's name


def place_faults(
    key: str, path: Path, is_right: Callable[[], bool], what: str = "manifest"
) -> Iterator[str]:
    """Yield that a place is not what it should be, or cannot be looked at."""
    try:
        if is_right():
            return
    except OSError as error:
        yield f"{key}: {path}: {error.strerror}; correct it, or its rights"
        return
    if key == "results":
        yield f"results: {path} is a file; name a folder"
    else:
        keys = "data: or folder:" if what == "folder" else "data:, folder: or manifest:"
        yield f"{key}: {path}: no such {what}; correct {keys}"


def path_faults(key: str, path: str) -> Iterator[str]:
    """Yield what Snakemake or a command would take a path for instead.

    Braces are wildcards, a leading - is an option, nothing expands ~. Blanks, quotes and every
    other character of a shell are no trouble: rules quote them.
    """
    wrong = None
    if not path:
        wrong = "is empty"
    elif not path.isprintable():
        wrong = "has a line break or another character that does not print"
    elif "{" in path or "}" in path:
        wrong = "has braces, which Snakemake takes for wildcards"
    elif path.startswith(("-", "~")):
        wrong = f"begins with {path[0]}; write ./{path} or the whole path"
    elif path != path.strip():
        wrong = "begins or ends with a blank"
    elif any(len(part.encode()) > LONGEST_NAME for part in Path(path).parts):
        wrong = f"has a name of more than {LONGEST_NAME} bytes"
    if wrong:
        yield f"{key}: {path!r} {wrong}; name another folder or file"
