"""Studies that say only how they differ from another: files merged key by key.

A file with ``base: config.yaml`` is merged over that file, which lies in the folder of the project
and may itself have a base; any other file stands alone. Files named after it, and what the command
line says, are merged over the result in the same way. A list replaces a list; null takes an entry
out.
"""

import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from thermalign.config.faults import nearest
from thermalign.config.yaml_files import read_yaml

PROJECT = Path(__file__).parents[3]
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
        As :func:`thermalign.config.yaml_files.read_yaml` does; if a base is none, or named by
        another file than the first; or null is to take out what is not there.
    """
    if BASE in changes:
        raise ValueError("the command line: base: is named by a file alone; name that file")
    (_, merged), *others = _layers(files)
    for file, layer in others:
        merged = merge(merged, layer, str(file))
    return merge(merged, changes, "the command line")


def config_files(files: Sequence[Path]) -> list[Path]:
    """Return the files that a study is read from, the bases of the first before it.

    Raises
    ------
    ValueError
        As :func:`read_merged`.
    """
    return [file for file, _ in _layers(files)]


def over_base(config: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return a configuration merged over the base that it names, if it names one.

    Raises
    ------
    ValueError
        As :func:`read_merged`.
    """
    (_, merged), *others = [*_bases(config, where), (Path(where), _own(config))]
    for file, layer in others:
        merged = merge(merged, layer, str(file))
    return merged


def _layers(files: Sequence[Path]) -> list[tuple[Path, dict[str, Any]]]:
    layers = []
    for number, file in enumerate(files):
        layer = read_yaml(Path(file))
        if BASE in layer:
            if number:
                raise ValueError(
                    f"{file}: base: cannot be merged over {files[0]}; name this file first"
                )
            layers += _bases(layer, str(file))
        elif not number:
            _check_spelling(layer, str(file))
        layers.append((Path(file), _own(layer)))
    return layers


def _is_file(place: Path) -> bool:
    try:
        return place.is_file()
    except OSError:  # too long a name, for example
        return False


def _check_spelling(layer: Mapping[str, Any], where: str) -> None:
    """Refuse a key that is nearly ``base`` by itself: without a base all else would be missing."""
    for key in layer:
        if get_close_matches(key.casefold(), [BASE], cutoff=0.75):
            raise ValueError(f"{where}: {key!a}: no such key; did you mean {BASE}?")


def _own(layer: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a file says itself."""
    return {key: its for key, its in layer.items() if key != BASE}


def _bases(
    layer: Mapping[str, Any], where: str, above: Sequence[Path] = ()
) -> list[tuple[Path, dict[str, Any]]]:
    """Return the files that a layer is to be merged over, and what they hold, the lowest first."""
    if BASE not in layer:
        return []
    name = layer[BASE]
    place = Path(os.path.normpath(PROJECT / str(name)))
    if not isinstance(name, str) or not place.is_relative_to(PROJECT) or not _is_file(place):
        raise ValueError(f"{where}: base: no file {place}; give a path within {PROJECT}")
    if place in above:
        raise ValueError(f"{where}: base: {name} is merged over this file itself; name another")
    below = read_yaml(place)
    return [*_bases(below, str(place), [*above, place]), (place, _own(below))]


def merge(below: Mapping[str, Any], above: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return a mapping changed by another, key by key at every depth.

    A new key comes behind the key that stands before it in ``above``, or last.

    Raises
    ------
    ValueError
        If null is to take out what is not there.
    """
    order, merged, before = list(below), dict(below), None
    for key, value in above.items():
        if key not in merged:
            if value is None:
                near = nearest(key, order)
                raise ValueError(f"{where}: {key}: null takes out what is not there; {near}")
            order.insert(len(order) if before is None else order.index(before) + 1, key)
        old, before = merged.get(key), key
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            merged[key] = merge(old, value, f"{where}: {key}")
        else:
            merged[key] = value
    return {key: merged[key] for key in order if merged[key] is not None or key not in above}
