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


class PictureFolder:
    """A folder of PNG files and ``index.csv``, which says which file shows what.

    Parameters
    ----------
    folder : Path
        Absent or empty, or an earlier one of the same kind.
    columns : names of the index after ``path``
    inputs : files that are read, none of which may lie in the folder

    Raises
    ------
    ValueError
        If the folder holds anything else, or cannot be made.
    """

    def __init__(self, folder: Path, columns: Iterable[str], inputs: Iterable[Path]) -> None:
        self.folder = folder
        self.columns = ["path", *columns]
        self.rows: list[Mapping[str, object]] = []
        self.names: set[str] = set()
        self._check(inputs)
        folder.mkdir(parents=True, exist_ok=True)
        self.finish()  # an interrupted run may be repeated

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
            begins = f"{','.join(self.columns)}\n"
            if not (index.is_file() and index.read_text(encoding="utf-8").startswith(begins)):
                raise ValueError(
                    f"{folder}: holds files that this command did not write; empty it or name "
                    "another folder"
                )

    def add(self, name: str, picture: npt.NDArray[Any], **told: object) -> None:
        """Write a picture under a name like ``name``, and keep what is ``told`` of it."""
        plain = re.sub(r"[^\w.-]+", "_", name).strip("_.") or "image"
        stem, number = plain, 1
        while stem in self.names:
            number += 1
            stem = f"{plain}_{number}"
        self.names.add(stem)
        done, data = cv2.imencode(".png", np.ascontiguousarray(picture))
        if not done:
            raise ValueError(f"{self.folder}: {stem}.png could not be encoded")
        replace_file(self.folder / f"{stem}.png", lambda path: path.write_bytes(data.tobytes()))
        self.rows.append({"path": f"{stem}.png", **told})

    def finish(self) -> None:
        """Write the index."""
        table = pd.DataFrame(self.rows, columns=self.columns)
        replace_file(self.folder / INDEX, lambda path: table.to_csv(path, index=False))
