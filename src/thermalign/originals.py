"""The files that a dataset was read from, so that one replaced or deleted later is noticed.

``ingest`` records size, time of last change and SHA-256 of every file it read, and the
``fingerprint`` that it was started with. The Snakefile compares at each start: if every file is as
recorded, the fingerprint is the recorded one and nothing runs; else it is another, and ``ingest``
runs again, which reads the new file or refuses. Only where size or time differ a file is read, so
``touch``, copying or moving a folder run nothing. Standard library only.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from thermalign.left_overs import remove_left_overs

NEW = "new"
"""Fingerprint of files of which there is no record."""

DOUBT = 0
"""Recorded time of a file that changed so late that its time alone proves nothing."""

_LATE = 2 * 10**9  # ns; the coarsest clock of a file system in use
_WHEN_LOADED = time.time_ns()

Entry = tuple[int, int, str]
"""Size in bytes, time of last change in ns, SHA-256."""


def fingerprint(record: Path) -> str:
    """Return what a dataset's files are called as they are now.

    Parameters
    ----------
    record : Path of what :func:`write_record` wrote

    Returns
    -------
    str
        ``NEW`` without a record, the recorded one if no file differs, else sixteen hexadecimal
        digits of what the files are now.
    """
    try:
        name, entries = _recorded(record)
    except FileNotFoundError:
        return NEW
    except ValueError:
        return _digest(str(record).encode(), str(time.time_ns()).encode())  # not to be trusted
    now = {path: _now(path, entry) for path, entry in entries.items()}
    if _others(entries, now):
        return _digest(json.dumps(now, sort_keys=True).encode())
    if now != entries:
        _refresh(record, name, {path: entry for path, entry in now.items() if entry})
    return name


def replaced(record: Path) -> list[str]:
    """Return the files that are not as a record has them: gone, or of another content.

    Parameters
    ----------
    record : Path of what :func:`write_record` wrote; none of its files is told where it cannot be
        read
    """
    try:
        _, entries = _recorded(record)
    except (FileNotFoundError, ValueError):
        return []
    return _others(entries, {path: _now(path, entry) for path, entry in entries.items()})


def write_record(
    record: Path, fingerprint: str, sources: Iterable[Path], images: Mapping[str, str]
) -> None:
    """Record the files of a dataset as they are.

    Parameters
    ----------
    record : Path
        JSON file to write: ``fingerprint``, and of each file size, time and digest.
    fingerprint : str
        What :func:`fingerprint` said as the job was planned.
    sources : list of Path
        Manifests, or folders whose tables are read.
    images : path -> SHA-256 of what was read

    Raises
    ------
    ValueError
        If an image is not the one that its digest belongs to.
    """
    tables = [
        file
        for path in sources
        for file in ([path] if path.is_file() else sorted(path.glob("*.parquet")))
    ]
    files = {str(path): _entry(str(path), _digest_of(path)) for path in tables}
    for path, sha256 in images.items():
        files[path] = _entry(path, sha256)
    _replace(record, fingerprint, files)


def write_tree_record(record: Path, fingerprint: str, paths: Iterable[Path]) -> None:
    """Record files and folders that a manifest was made of, as they are.

    What counts of a folder is the names in it.
    """
    _replace(record, fingerprint, {str(p): _entry(str(p), _digest_of(p)) for p in paths})


def check_images(images: Mapping[str, str]) -> None:
    """Refuse images that are no longer those that a simulated dataset's chunks list.

    Parameters
    ----------
    images : path -> SHA-256 as the chunk has it

    Raises
    ------
    ValueError
        Naming the first such image, and the chunk to delete.
    """
    for path, sha256 in images.items():
        file = Path(path)
        if not file.is_file() or _digest_of(file) != sha256:
            what = "was replaced or damaged" if file.is_file() else "is gone"
            raise ValueError(
                f"{path}: {what} since it was rendered; delete the folder {file.parent} "
                "and run again, which renders it anew"
            )


def _recorded(record: Path) -> tuple[str, dict[str, Entry]]:
    """Return fingerprint and files of a record.

    Raises
    ------
    FileNotFoundError
    ValueError
        If it cannot be read, or is none.
    """
    try:
        told = json.loads(record.read_text(encoding="utf-8"))
        files = {path: (int(e[0]), int(e[1]), str(e[2])) for path, e in told["files"].items()}
        return str(told["fingerprint"]), files
    except FileNotFoundError:
        raise
    except (OSError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"{record}: is no record of files: {error}") from error


def _others(recorded: Mapping[str, Entry], now: Mapping[str, Entry | None]) -> list[str]:
    """Return the files whose content is another now, or that are gone."""
    return [path for path, its in now.items() if its is None or its[2] != recorded[path][2]]


def _now(path: str, entry: Entry) -> Entry | None:
    """Return a file's entry as it is now, read only if size or time differ; None where none is."""
    try:
        found = os.stat(path)  # noqa: PTH116  # twice as fast as Path.stat, for each image
        if (found.st_size, found.st_mtime_ns) == entry[:2]:
            return entry
        return found.st_size, found.st_mtime_ns, _digest_of(Path(path))
    except OSError:
        return None


def _entry(path: str, sha256: str) -> Entry:
    found = Path(path).stat()
    late = found.st_mtime_ns > _WHEN_LOADED - _LATE
    return found.st_size, DOUBT if late else found.st_mtime_ns, sha256


def _refresh(record: Path, fingerprint: str, files: Mapping[str, Entry]) -> None:
    """Note new times of files that are the same, so that they are read no more."""
    try:
        before = record.stat()
        _replace(record, fingerprint, files)
        os.utime(record, ns=(before.st_atime_ns, before.st_mtime_ns))
    except OSError:  # somebody else's results: the next start reads the files once more
        return


def _replace(record: Path, fingerprint: str, files: Mapping[str, Entry]) -> None:
    record.parent.mkdir(parents=True, exist_ok=True)
    remove_left_overs([record])  # of a Snakemake that was killed here, whose jobs do not do it
    temporary = record.with_name(f".{record.name}.{os.getpid()}.tmp")
    try:
        text = json.dumps({"fingerprint": fingerprint, "files": files}, sort_keys=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(record)
    except OSError as error:
        error.add_note(f"while writing {record}")
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _digest_of(path: Path) -> str:
    if path.is_dir():
        return _digest(*(os.fsencode(name) for name in sorted(os.listdir(path))))  # noqa: PTH208
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\n".join(parts)).hexdigest()[:16]
