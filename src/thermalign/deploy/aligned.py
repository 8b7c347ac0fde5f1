"""Aligned faces: of images and landmarks in memory, and out of a finished study."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from thermalign import tables
from thermalign.deploy.outputs import check_output
from thermalign.geometry import Floats, Integers
from thermalign.records import read_fold
from thermalign.schemas.matching import FACES
from thermalign.settings import parse
from thermalign.tables import replace_file
from thermalign.verification import alignment
from thermalign.verification.stored import faces_of
from thermalign.warp import stack_images

ALIGNMENT: Mapping[str, Any] = {
    "width": 112,
    "height": 128,
    "method": "similarity",
    "points": {
        "right_eye": [33, 42],
        "left_eye": [79, 42],
        "nose_base": [56, 75.5],
        "right_mouth_corner": [37.5, 94],
        "left_mouth_corner": [74.5, 94],
    },
}
"""The ``alignment:`` block of the default study, ``config.yaml``."""


def align_faces(
    images: Sequence[Floats],
    points: Floats,
    block: Mapping[str, Any] = ALIGNMENT,
    index: Integers | None = None,
) -> Floats:
    """Bring faces to canonical coordinates by their landmarks, as the study does.

    Parameters
    ----------
    images : arrays (height, width) float32, at least 1
    points : (N, L, 2) float, pixels, (x, y)
    block : the ``alignment:`` block of a configuration; by default the default study's
    index : (N,) int
        Which image each face is in; by default there are N, of one face each.

    Returns
    -------
    (N, height, width) float32
        NaN where the landmarks of a face do not allow it.
    """
    settings = parse(alignment.Settings, block, "alignment")
    usable = np.flatnonzero(alignment.alignable(points, settings))
    where = np.arange(len(points)) if index is None else index
    aligned = np.full((len(points), settings.height, settings.width), np.nan, np.float32)
    if len(usable):
        stack = stack_images(list(images), torch.device("cpu"))
        faces = alignment.align_stack(stack, where[usable], points[usable], settings)
        aligned[usable] = faces.numpy()
    return aligned


def export_faces(faces: Path, images: Path, folds: Path, output: Path) -> int:
    """Write aligned faces of a fold as NumPy arrays, with who they show.

    Parameters
    ----------
    faces, images, folds : Path of the tables
    output : Path of an ``.npz`` file
        ``images`` (N, height, width) float32 in physical units, and of the same order ``image_id``,
        ``subject_id``, ``modality`` and ``role`` (train, validation or test), (N,) text.

    Returns
    -------
    int
        Number of faces.

    Raises
    ------
    ValueError
        If there is no face, a table is missing, or ``output`` is a table or somebody else's file.
    """
    for path in (faces, images, folds):
        if not path.is_file():
            raise ValueError(f"{path}: no such table; run the study, or correct what names it")
    inputs = {"a table of the study": (faces, images, folds)}
    target = check_output(output, inputs, ours=_holds_faces)
    aligned = tables.read(faces, FACES)
    rows = read_fold(images, folds)
    rows = rows[rows["image_id"].isin(aligned["image_id"])]
    if rows.empty:
        raise ValueError(f"{faces}: holds no aligned face of the fold; nothing to export")

    def fill(path: Path) -> None:
        with path.open("wb") as file:  # NumPy would add .npz to a path
            np.savez(
                file,
                images=faces_of(aligned, list(rows["image_id"])),
                image_id=rows["image_id"].to_numpy(str),
                subject_id=rows["subject_id"].to_numpy(str),
                modality=rows["modality"].to_numpy(str),
                role=rows["role"].to_numpy(str),
            )

    replace_file(target, fill)
    return len(rows)


def _holds_faces(path: Path) -> bool:
    """Return whether a file is an ``.npz`` file of aligned faces."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return {"images.npy", "image_id.npy", "role.npy"} <= set(archive.namelist())
