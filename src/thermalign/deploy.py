"""The public Python API: a trained detector on one's own images, aligned faces as arrays.

>>> from pathlib import Path
>>> from thermalign.deploy import align_faces, export_faces, load_detector, predict_manifest
>>> detector = load_detector(Path("results/p1/fold0/dan/state.safetensors"))
>>> located = detector.predict(images, boxes)
>>> faces = align_faces(images, located.points, config["alignment"])

``images`` are N arrays (height, width) of any sizes, in the units that the detector was trained in;
``boxes`` is (N, 4), pixels, (x, y, width, height). What is ``located``
(:class:`thermalign.records.Located`) has ``points`` (N, L, 2), pixels, (x, y), in the order of
:data:`thermalign.geometry.LANDMARKS`, and how sure each is: ``expected_error`` (N, L),
interocular distances.

:func:`predict_manifest` does the first from a CSV to a CSV; :func:`export_faces` takes out of a
finished study the faces that it aligned. Neither replaces a file that it has not written.
"""

import os
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from thermalign import tables
from thermalign.catalogue import check_detector
from thermalign.cut import cut_images
from thermalign.failures import is_explained, one_line
from thermalign.geometry import LANDMARKS, Floats
from thermalign.ingest.table import Settings, read
from thermalign.landmarks.models import Detector, load_model, predict_cut
from thermalign.records import Located, boxes_of, read_fold, read_images
from thermalign.schemas.matching import FACES
from thermalign.settings import parse
from thermalign.states import State, read_metadata, read_state
from thermalign.tables import replace_file
from thermalign.verification import alignment
from thermalign.verification.stored import faces_of
from thermalign.warp import stack_images


@dataclass(frozen=True)
class TrainedDetector:
    """A detector with what it learnt: see :func:`load_detector`.

    Attributes
    ----------
    path : Path of the state that it was read from
    module : its module of :mod:`thermalign.landmarks`
    settings : the module's Settings
    state : State
    """

    path: Path
    module: Detector
    settings: Any
    state: State

    def predict(self, images: Iterable[Floats], boxes: Floats) -> Located:
        """Find the landmarks of one face in each image.

        Parameters
        ----------
        images : N arrays (height, width) float32
            In the units that it was trained in; each may go once it was looked at.
        boxes : (N, 4) float, pixels, (x, y, width, height)

        Returns
        -------
        Located
            What is known of errors is calibrated on validation faces; NaN without any in training.

        Raises
        ------
        ValueError
            If a box is not finite, or the state does not fit its settings.
        """
        cut = cut_images(images, boxes, self.module.reach(self.settings))
        try:
            return predict_cut(self.module, self.state, cut, self.settings)
        except (RuntimeError, KeyError) as error:
            if is_explained(error):  # out of memory, say
                raise
            raise ValueError(
                f"{self.path}: its tensors are not those of its settings "
                f"({one_line(str(error))}); train it again with this version"
            ) from error


def load_detector(state: Path) -> TrainedDetector:
    """Load a trained detector.

    Parameters
    ----------
    state : Path of a ``state.safetensors`` that a study wrote

    Raises
    ------
    ValueError
        If the file is none, or this version lacks its detector or one of its settings.
    """
    if not state.is_file():
        raise ValueError(f"{state}: no such trained model; run a study first")
    described = read_metadata(state)["settings"]
    if not isinstance(described, dict) or not {"detector", "model", "seed"} <= described.keys():
        raise ValueError(f"{state}: is not a trained landmark model; name a state.safetensors")
    name, detector = described.pop("model"), described.pop("detector")
    described.pop("seed")
    check_detector(f"{state} (of another version?)", detector)
    try:
        module, settings = load_model(detector, described, name)
    except ValueError as error:
        raise ValueError(f"{state}: {error}; if another version trained it, train again") from error
    return TrainedDetector(state, module, settings, read_state(state))


def align_faces(images: Sequence[Floats], points: Floats, block: Mapping[str, Any]) -> Floats:
    """Bring faces to canonical coordinates by their landmarks, as the study does.

    Parameters
    ----------
    images : N arrays (height, width) float32, N at least 1
    points : (N, L, 2) float, pixels, (x, y)
    block : the ``alignment:`` block of a configuration

    Returns
    -------
    (N, height, width) float32
        NaN where the landmarks of a face do not allow it.
    """
    settings = parse(alignment.Settings, block, "alignment")
    usable = np.flatnonzero(alignment.alignable(points, settings))
    aligned = np.full((len(images), settings.height, settings.width), np.nan, np.float32)
    if len(usable):
        stack = stack_images(list(images), torch.device("cpu"))
        faces = alignment.align_stack(stack, usable, points[usable], settings)
        aligned[usable] = faces.numpy()
    return aligned


def predict_manifest(
    state: Path, manifest: Path, output: Path, *, modality: str, thermal_colour: str = "refuse"
) -> None:
    """Predict the landmarks of a manifest's images, which need face boxes, into a CSV file.

    Parameters
    ----------
    state : Path of a trained model
    manifest : Path of a CSV as :mod:`thermalign.ingest.table` describes
    output : Path of a CSV with image_id and x, y, expected_error of every landmark
    modality : of images that do not say theirs
    thermal_colour : refuse or luma, as in :class:`thermalign.ingest.table.Settings`

    Raises
    ------
    ValueError
        If an image has no face box, the state is no trained model that this version can use, or
        ``output`` is something that must not be replaced.
    """
    inputs = {"the trained model": [state], "the manifest": [manifest]}
    check_output(output, inputs, ours=Path.is_file)  # the rest once the images are known
    detector = load_detector(state)
    where, usual = (manifest.parent, Path(manifest.name)), {"modality": modality}
    found = read(Settings(*where, defaults=usual, thermal_colour=thermal_colour))
    images, boxes = found.images, found.boxes
    inputs["an image of the manifest"] = [Path(path) for path in images["path"]]
    target = check_output(output, inputs, ours=_holds_landmarks)
    bare = images.loc[~images["image_id"].isin(boxes["image_id"]), "image_id"]
    if len(bare):
        raise ValueError(
            f"{manifest}: image {bare.iloc[0]} has no face box; give box_x, box_y, "
            "box_width and box_height"
        )
    located = detector.predict(read_images(images), boxes_of(images, boxes))
    table = pd.DataFrame({"image_id": images["image_id"]})
    for n, landmark in enumerate(LANDMARKS):
        table[f"{landmark}_x"], table[f"{landmark}_y"] = located.points[:, n].T
        table[f"{landmark}_expected_error"] = located.expected_error[:, n]
    replace_file(target, lambda path: table.to_csv(path, index=False))


def _holds_landmarks(path: Path) -> bool:
    """Return whether a file begins as what :func:`predict_manifest` writes."""
    begins = f"image_id,{LANDMARKS[0]}_x,{LANDMARKS[0]}_y,".encode()
    with path.open("rb") as file:
        return file.read(len(begins)) == begins


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
