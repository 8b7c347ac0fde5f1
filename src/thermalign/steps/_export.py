"""Hand aligned faces to other matchers."""

import zipfile
from pathlib import Path

import numpy as np

from thermalign import tables
from thermalign.schemas.matching import FACES
from thermalign.steps._inputs import aligned_faces, read_fold
from thermalign.steps._outputs import check_output


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
                images=aligned_faces(aligned, list(rows["image_id"])),
                image_id=rows["image_id"].to_numpy(str),
                subject_id=rows["subject_id"].to_numpy(str),
                modality=rows["modality"].to_numpy(str),
                role=rows["role"].to_numpy(str),
            )

    tables.replace_file(target, fill)
    return len(rows)


def _holds_faces(path: Path) -> bool:
    """Return whether a file is an ``.npz`` file of aligned faces."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return {"images.npy", "image_id.npy", "role.npy"} <= set(archive.namelist())
