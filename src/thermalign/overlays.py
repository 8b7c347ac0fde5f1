"""Studies that say only how they differ from another: files merged key by key.

A file with ``base: config.yaml`` is merged over that file, which lies in the folder of the project;
any other file stands alone. Files named after it, and what the command line says, are merged over
the result in the same way. A list replaces a list; null takes an entry out.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from thermalign.yaml_files import read_yaml

PROJECT = Path(__file__).parents[2]
"""Folder that ``base:`` is relative to."""

BASE = "base"


def read_merged(files: Sequence[Path], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Read configuration files and merge them, in order.

    Parameters
    ----------
    files : at least one Path
        The first may name a base.
    changes : mapping
        Of the command line; they win.

    Raises
    ------
    ValueError
        As :func:`thermalign.yaml_files.read_yaml` does; if a base is none, or named by another file
        than the first; or null is to take out what is not there.
    """
    merged: dict[str, Any] = {}
    for number, file in enumerate(config_files(files)):
        layer = read_yaml(file)
        layer.pop(BASE, None)
        merged = merge(merged, layer, str(file)) if number else layer
    return merge(merged, changes, "the command line")


def config_files(files: Sequence[Path]) -> list[Path]:
    """Return the files that a study is read from, the base of the first before it.

    Raises
    ------
    ValueError
        As :func:`read_merged`.
    """
    found = []
    for number, file in enumerate(files):
        base = read_yaml(file).get(BASE)
        if base is None:
            found.append(Path(file))
            continue
        place = PROJECT / str(base)
        if number:
            raise ValueError(f"{file}: base: cannot be merged over {files[0]}; name {file} first")
        if not isinstance(base, str) or not place.is_file():
            raise ValueError(f"{file}: base: no file {place}; give a path within {PROJECT}")
        if BASE in read_yaml(place):
            raise ValueError(f"{file}: base: {base} has a base, too; name a whole configuration")
        found += [place, Path(file)]
    return found


def merge(below: Mapping[str, Any], above: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return a mapping changed by another, key by key at every depth.

    A new key comes behind the key that stands before it in ``above``, or last.

    Raises
    ------
    ValueError
        If null is to take out what is not there.
    """
    merged, before = dict(below), None
    for key, value in above.items():
        if value is None:
            _take_out(merged, key, where)
            continue
        old = merged.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            value = merge(old, value, f"{where}: {key}")  # noqa: PLW2901
        if key in merged or before is None:
            merged[key] = value
        else:
            items = list(merged.items())
            at = list(merged).index(before) + 1
            merged = dict([*items[:at], (key, value), *items[at:]])
        before = key
    return merged


def _take_out(merged: dict[str, Any], key: str, where: str) -> None:
    if key not in merged:
        near = get_close_matches(key, merged, 1)
        cure = f"did you mean {near[0]}?" if near else f"there are {', '.join(merged) or 'none'}"
        raise ValueError(f"{where}: {key}: null takes out nothing, since it is not there; {cure}")
    del merged[key]
