"""Pictures that a command writes: a folder of its own, with a list of what is what."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from thermalign.tables import replace_file

INDEX = "index.csv"
LENGTH = 100
"""Bytes of a name that are kept, the last ones; file systems take 255."""


class PictureFolder:
    """A folder of PNG files and ``index.csv``, which says which file shows what.

    Nothing is made or changed before :meth:`PictureFolder.begin`. A row is in the index before its
    picture is there, below those of an earlier run: so after an interruption every picture of ours
    is listed, and of several rows of one path the last holds. Pictures of the earlier run stay
    until :meth:`PictureFolder.finish`.

    Parameters
    ----------
    folder : Path
        Absent or empty, or an earlier one of the same kind.
    columns : names of the index after ``path``
    inputs : files that are read, none of which may lie in the folder

    Raises
    ------
    ValueError
        If the folder holds anything else.
    """

    def __init__(self, folder: Path, columns: Iterable[str], inputs: Iterable[Path]) -> None:
        self.folder = folder
        self.columns = ["path", *columns]
        self.rows: list[Mapping[str, object]] = []
        self.names: set[str] = set()
        self.earlier: set[str] = set()
        self._check(inputs)

    def _check(self, inputs: Iterable[Path]) -> None:
        folder = self.folder
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"{folder}: is a file; name a folder")
        inside = folder.resolve()
        for path in inputs:
            if inside in path.resolve().parents:
                raise ValueError(f"{folder}: holds what is read ({path}); name a folder of its own")
        if folder.is_dir() and any(folder.iterdir()):
            index = folder / INDEX
            begins = f"{','.join(self.columns)}\n".encode()
            if not (index.is_file() and index.read_bytes().startswith(begins)):
                raise ValueError(
                    f"{folder}: holds files that this command did not write; empty it or name "
                    "another folder"
                )

    def begin(self) -> None:
        """Make the folder and its index where there is none, and see what an earlier run wrote.

        Raises
        ------
        ValueError
            If the earlier index cannot be read.
        """
        index = self.folder / INDEX
        if not index.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            self._write_index()
        try:
            listed = pd.read_csv(index, usecols=["path"], dtype=str, keep_default_na=False)["path"]
        except ValueError as error:
            raise ValueError(f"{index}: is damaged; remove it and its pictures") from error
        self.earlier = {path for path in listed if re.fullmatch(r"[\w.-]+\.png", path)}

    def add(self, name: str, picture: npt.NDArray[Any], **told: object) -> None:
        """Write a picture under a name like ``name``, and keep what is ``told`` of it."""
        file = self._free(name)
        done, data = cv2.imencode(".png", np.ascontiguousarray(picture))
        if not done:
            raise ValueError(f"{self.folder}: {file} could not be encoded")
        self.names.add(file)
        self.rows.append({"path": file, **told})
        row = pd.DataFrame(self.rows[-1:], columns=self.columns)
        row.to_csv(self.folder / INDEX, mode="a", header=False, index=False)
        replace_file(self.folder / file, lambda path: path.write_bytes(data.tobytes()))

    def _free(self, name: str) -> str:
        """Return a file's name that neither this run nor anybody else has taken."""
        short = re.sub(r"[^\w.-]+", "_", name).encode()[-LENGTH:].decode(errors="ignore")
        plain = short.strip("_.") or "image"
        file, number = f"{plain}.png", 1
        while file in self.names or (file not in self.earlier and (self.folder / file).exists()):
            number += 1
            file = f"{plain}_{number}.png"
        return file

    def finish(self) -> None:
        """Write the index, and remove pictures of an earlier run that were not written again."""
        self._write_index()
        for file in self.earlier - self.names:
            (self.folder / file).unlink(missing_ok=True)

    def _write_index(self) -> None:
        table = pd.DataFrame(self.rows, columns=self.columns)
        replace_file(self.folder / INDEX, lambda path: table.to_csv(path, index=False))


def stem_of(name: str, suffixes: Iterable[str]) -> str:
    """Return a name without its suffix if it is one of ``suffixes``: ``s1.2`` stays as it is."""
    start, dot, suffix = name.rpartition(".")
    return start if start and f"{dot}{suffix}".lower() in suffixes else name
