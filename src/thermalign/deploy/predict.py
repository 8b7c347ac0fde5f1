"""The command ``predict``: images in, a table of landmarks out, whatever the images are."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from thermalign.deploy import points
from thermalign.deploy.aligned import align_faces
from thermalign.deploy.drawing import draw
from thermalign.deploy.faces import (
    NO_FACE,
    NOT_THERMAL,
    NOT_VISIBLE,
    OK,
    STATUSES,
    UNREADABLE,
    Face,
    FaceDetector,
)
from thermalign.deploy.folders import PictureFolder, stem_of
from thermalign.deploy.inputs import (
    SUFFIXES,
    Picture,
    Reading,
    Source,
    batches,
    check_manifests,
    list_sources,
)
from thermalign.deploy.outputs import check_output
from thermalign.geometry import Floats
from thermalign.verification.stored import quantise

BOXES = ("found", "given", "whole")


@dataclass
class Outcome:
    """What became of the images: see :func:`predict_images`.

    Attributes
    ----------
    images : int
    statuses : Counter
        How many rows of the table have which status.
    unreadable : list of str
        Why images could not be read, one line each.
    """

    images: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = [f"{self.statuses[s]:,} {s}" for s in STATUSES if self.statuses[s]]
        return f"{self.images:,} images: {', '.join(told)}"


def predict_images(
    inputs: Sequence[Path],
    detector: FaceDetector,
    out: Path,
    *,
    boxes: str | None = None,
    thermal_colour: str = "refuse",
    overlay: Path | None = None,
    aligned: Path | None = None,
) -> Outcome:
    """Predict the landmarks of every face in images, into a table.

    Memory is bounded by batches of images, but for the table and what manifests say. An
    image that cannot be read has a row that says so.

    Parameters
    ----------
    inputs : paths of images, of folders of them, and of manifests as
        :mod:`thermalign.ingest.table` describes
    detector : FaceDetector
    out : Path
        ``.csv`` or ``.parquet``; see :data:`thermalign.deploy.points.POINTS`.
    boxes : ``found``, ``given`` (by the manifest), ``whole`` (the image) or None
        By default the manifest's where it gives one, found elsewhere.
    thermal_colour : ``refuse``, or ``luma``: thermal images in colour are read as that
    overlay, aligned : Path of a folder, optional
        For images with what was found drawn on them; for aligned faces, 16 bits, as a study aligns
        them: physical value = ``scale`` x count + ``offset`` of the folder's ``index.csv``.

    Raises
    ------
    ValueError
        If an input or a state is none, no input gives the boxes that are asked for, or an output
        would replace what is not its own earlier version. Nothing is written then.
    """
    reading = Reading(detector.modality, thermal_colour)
    sources = list_sources(inputs, reading)
    _check_boxes(sources, boxes, detector)
    if boxes in ("found", "whole"):
        sources = [source.without_box() for source in sources]
    states = [its.path for its in (detector.landmarks, detector.finder) if its is not None]
    images = [source.path for source in sources]
    target = check_output(
        out,
        {
            "the trained model": states,
            "the manifest": [path for path in inputs if path.is_file() and path not in images],
            "an image": images,
        },
        ours=points.is_ours,
    )
    if out.suffix not in (".csv", ".parquet"):
        raise ValueError(f"{out}: is neither .csv nor .parquet; name such a file")
    read = [*states, *inputs, *images]
    drawn = PictureFolder(overlay, ["image"], read) if overlay else None
    cut = PictureFolder(aligned, ["image", "face", "scale", "offset"], read) if aligned else None
    folders = [folder for folder in (drawn, cut) if folder]
    _check_folders(out, target, folders)
    check_manifests(sources)
    for folder in folders:
        folder.begin()

    rows: list[dict[str, object]] = []
    outcome = Outcome(len(sources))
    with tqdm(total=len(sources), unit="image", disable=None, file=sys.stderr) as bar:
        for batch in batches(sources, reading):
            found = _predict(batch, detector, boxes)
            for picture, its in zip(batch, found, strict=True):
                outcome.unreadable += [picture.problem] if picture.problem else []
                _write_pictures(picture, its, drawn, cut)
                rows += points.rows_of_image(picture.source.name, *its)
            bar.update(len(batch))
    outcome.statuses.update(str(row["status"]) for row in rows)
    points.write(target, rows, _metadata(detector))
    for folder in folders:
        folder.finish()
    return outcome


def _check_folders(out: Path, target: Path, folders: Sequence[PictureFolder]) -> None:
    """Refuse folders of pictures that are one, or that the table would lie in."""
    places = [each.folder.resolve() for each in folders]
    if len(places) > len(set(places)):
        raise ValueError(
            f"{folders[0].folder}: is the folder of drawn images and of aligned faces; name two"
        )
    if target.parent in places:
        raise ValueError(
            f"{out}: lies in a folder of pictures, which has an index of its own; name a table "
            "elsewhere"
        )


def _check_boxes(sources: Sequence[Source], boxes: str | None, detector: FaceDetector) -> None:
    """Refuse what would show at an image in the middle."""
    if boxes not in (*BOXES, None):
        raise ValueError(f"boxes is {boxes!r}; use one of {', '.join(BOXES)}")
    bare = [source for source in sources if not source.has_box]
    if boxes == "given" and bare:
        raise ValueError(
            f"{bare[0].name}: has no face box; give box_x, box_y, box_width and box_height in a "
            "manifest, or let faces be found (--boxes found)"
        )
    if boxes == "found" or (boxes is None and bare):
        detector.find_with()


Found = tuple[list[Face], str, str]


def _predict(batch: Sequence[Picture], detector: FaceDetector, boxes: str | None) -> list[Found]:
    """Return faces, and the status and note of an image that has none."""
    found: list[Found] = [([], UNREADABLE, picture.problem) for picture in batch]
    able = [n for n, picture in enumerate(batch) if not picture.problem]
    status = NOT_THERMAL if detector.modality == "thermal" else NOT_VISIBLE
    for n in able:
        other = batch[n].read
        if other is not None and (its := other.image["modality"]) != detector.modality:
            found[n] = ([], status, f"its manifest says {its}; --modality {its} predicts it")
    able = [n for n in able if found[n][1] != status]
    values, asked = [batch[n].values for n in able], [_boxes(batch[n], boxes) for n in able]
    for n, faces in zip(able, detector.batch_of_values(values, asked), strict=True):
        found[n] = (faces, NO_FACE, "")
    return found


def _boxes(picture: Picture, boxes: str | None) -> Floats | str | None:
    return "whole" if boxes == "whole" else picture.box


def _write_pictures(
    picture: Picture, found: Found, drawn: PictureFolder | None, cut: PictureFolder | None
) -> None:
    """Write an image with what was found, and its aligned faces, where they are asked for."""
    (faces, status, _), name = found, picture.source.name
    if drawn and not picture.problem:
        shown = draw(picture.values, faces, f"{name}: {_said(faces, status)}")
        drawn.add(stem_of(name, SUFFIXES), shown, image=name)
    if cut:
        _align(cut, picture, faces)


def _align(folder: PictureFolder, picture: Picture, faces: Sequence[Face]) -> None:
    numbers = [n for n, face in enumerate(faces) if face.status == OK]
    if not numbers:
        return
    where = np.stack([faces[n].points for n in numbers])
    crops = align_faces([picture.values], where, index=np.zeros(len(numbers), int))
    for n, crop in zip(numbers, crops, strict=True):
        if np.isfinite(crop).all():
            counts, scale, offset = quantise(crop)
            picture16 = np.frombuffer(counts, "<u2").reshape(crop.shape)
            name = f"{stem_of(Path(picture.source.name).name, SUFFIXES)}_{n + 1}"
            told = {"image": picture.source.name, "face": n + 1, "scale": scale, "offset": offset}
            folder.add(name, picture16, **told)


def _said(faces: Sequence[Face], status: str) -> str:
    if not faces:
        return status
    counts = Counter(face.status for face in faces)
    return ", ".join(f"{counts[s]} {s}" for s in STATUSES if counts[s])


def _metadata(detector: FaceDetector) -> dict[str, str]:
    """Return what a Parquet table says of how it was made."""
    told = {"model": str(detector.landmarks.path), "modality": detector.modality}
    if detector.finder is not None:
        told["finder"] = str(detector.finder.path)
    limits = {"smallest": detector.smallest, "largest_error": detector.largest_error}
    told |= {name: f"{limit:g}" for name, limit in limits.items()}
    return {**told, "checked": str(detector.check)}
