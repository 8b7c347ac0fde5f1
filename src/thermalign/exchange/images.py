"""Which image of a dataset another program means: by its name, its path, or the end of its path."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePath

import numpy as np
import pandas as pd

from thermalign.exchange.files import Sheet
from thermalign.geometry import Integers

NOBODY = -1
"""Number of an image that a dataset does not have."""


def numbers_of(names: Sequence[str], images: pd.DataFrame) -> Integers:
    """Return which row of IMAGES each name means, (N,) int; ``NOBODY`` where none, or several.

    A name is an ``image_id``; else a path as IMAGES have it, or one that leads to the same file;
    else the last folders and the file name of one path alone.
    """
    ids = pd.Index(images["image_id"])
    found = np.asarray(ids.get_indexer(np.array(names, object)))
    lost = np.flatnonzero(found == NOBODY).tolist()
    if lost:
        paths = [PurePath(os.path.normpath(path)).parts for path in images["path"]]
        here = Path.cwd().parts
        whole = {_absolute(parts, here): k for k, parts in enumerate(paths)}
        ends: dict[int, dict[tuple[str, ...], int]] = {}
        for k in lost:
            parts = PurePath(os.path.normpath(names[k])).parts
            found[k] = whole.get(_absolute(parts, here), NOBODY)
            if found[k] == NOBODY and parts:
                if len(parts) not in ends:
                    ends[len(parts)] = _ends(paths, len(parts))
                found[k] = ends[len(parts)].get(parts, NOBODY)
    return found


def known_rows(names: pd.Series, images: pd.DataFrame, sheet: Sheet, dataset: str) -> Integers:
    """Return which row of IMAGES each row of a file means, (N,) int.

    Raises
    ------
    ValueError
        Naming the first row whose image the dataset does not have, and how many more there are.
    """
    codes, values = pd.factorize(names)
    found = numbers_of(list(values), images)[codes]
    if (found == NOBODY).any():
        lost = np.flatnonzero(found == NOBODY)
        more = f" (and {len(lost) - 1} rows more)" if len(lost) > 1 else ""
        raise ValueError(
            f"{sheet.where(int(lost[0]))}: {names[lost[0]]!r} is no image of {dataset}{more}; "
            "correct it, delete the row, or write {dataset} in from: where each has its own file"
        )
    return found


def _absolute(parts: tuple[str, ...], here: tuple[str, ...]) -> tuple[str, ...]:
    return parts if parts[:1] == ("/",) else (*here, *parts)


def _ends(paths: Sequence[tuple[str, ...]], length: int) -> dict[tuple[str, ...], int]:
    """Return the last parts of each path that no other ends in, with its number."""
    ends: dict[tuple[str, ...], int] = {}
    several = set()
    for k, parts in enumerate(paths):
        end = parts[-length:]
        if end in ends:
            several.add(end)
        ends[end] = k
    return {end: k for end, k in ends.items() if end not in several}
