"""Faces in images: found, their landmarks placed, and what cannot be trusted said.

>>> import thermalign
>>> detector = thermalign.load()
>>> faces = detector(image)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from thermalign.cut import device
from thermalign.deploy.detector import TrainedDetector, load_detector
from thermalign.deploy.looks import LOOK, is_thermal
from thermalign.geometry import Floats, Integers, interocular_distance
from thermalign.images import BIT_DEPTHS, DEFAULT_SCALES
from thermalign.ingest.pictures import check_picture, read_picture
from thermalign.ingest.table import MODALITIES
from thermalign.landmarks.uncertainty import room
from thermalign.warp import stack_images

SMALLEST = 8.0
"""Pixels between the eyes below which landmarks are not given: see ``docs/predict.md``."""

LARGEST_ERROR = 0.3
"""Expected error, interocular distances, mean over a face's landmarks, beyond which none of them is
given. ASSUME: nearly a third of the way from eye to eye, of no use for aligning a face."""

LARGEST_BOX = 1e12
"""Pixels: of a side and from the image. Larger numbers do not stay finite in 32 bits."""

WEIGHTS = Path(__file__).parents[1] / "weights"
"""Where the states of an installation lie."""

LANDMARKS_STATE, FINDER_STATE = "landmarks.safetensors", "finder.safetensors"

OWN = "thermal"
"""Modality of the states that an installation brings."""

OK, NO_FACE, TOO_SMALL, UNSURE, NOT_THERMAL, NOT_VISIBLE, UNREADABLE = STATUSES = (
    "ok",
    "no face",
    "too small",
    "unsure",
    "not thermal",
    "not visible",
    "unreadable",
)

_SEARCHED = 4_000_000  # px of an image that are searched; a larger one is shrunk first
_PIXELS = 8_000_000  # px of parts of images held at once
_FACES = 256  # parts held at once
_AROUND = 128  # px by which a part is at most wider than what is looked at


@dataclass(frozen=True)
class Face:
    """A face of an image.

    Attributes
    ----------
    points : (L, 2) float64, pixels, (x, y)
        In the order of :data:`thermalign.geometry.LANDMARKS`, (0, 0) at the centre of the top-left
        pixel; NaN unless ``status`` is ``ok``.
    expected_error : (L,) float64, interocular distances
        How far each point lies from the true one on average, as calibrated on validation subjects;
        NaN without points, and where the state was not calibrated.
    scale : (L, 2, 2) float64, square pixels
        Scale matrix of the bivariate Student t that the error of each point follows; else as above.
    tail : (L,) float64
        Its degrees of freedom.
    box : (4,) float64, pixels, (x, y, width, height)
    score : float
        The finder's, 0 to 1, higher is surer; NaN in a box that was given.
    status : str
        ``ok``, ``no face`` (in a given box), ``too small``, ``unsure`` or ``not thermal``.
    note : str
        Why it is not ``ok``.
    """

    points: Floats
    expected_error: Floats
    scale: Floats
    tail: Floats
    box: Floats
    score: float
    status: str
    note: str = ""


@dataclass(frozen=True)
class FaceDetector:
    """Finds faces and their landmarks: see :func:`load`.

    Attributes
    ----------
    landmarks : TrainedDetector
        Places landmarks in face boxes.
    finder : TrainedDetector or None
        Finds faces in whole images; without one, boxes must be given.
    modality : ``thermal`` or ``visible``
        What it was trained on and is shown.
    smallest : float, pixels
        Least distance between the eyes.
    check : bool
        Whether faces that do not look thermal are refused.
    largest_error : float, interocular distances
        Largest expected error, mean over the landmarks of a face: one of them may have a larger.
    """

    landmarks: TrainedDetector
    finder: TrainedDetector | None = None
    modality: str = "thermal"
    smallest: float = SMALLEST
    check: bool = True
    largest_error: float = LARGEST_ERROR

    def __call__(
        self, image: Path | str | npt.NDArray[Any], boxes: Floats | str | None = None
    ) -> list[Face]:
        """Find the faces of an image.

        Parameters
        ----------
        image : path, or array (height, width) or (height, width, 3) of any real type
            Thermal: white is hot, in any unit; grey may be stored as three equal channels.
        boxes : (K, 4) or (4,) float, pixels, (x, y, width, height); ``"whole"``; None
            Where the faces are; the image is one; or they are to be found.

        Returns
        -------
        list of Face
            By falling score, or in the order of the boxes; empty where none was found.

        Raises
        ------
        ValueError
            If the image is none, is thermal and in colour, or holds NaN; a box is none; or faces
            are to be found and there is no state for it.
        """
        return self.batch_of_values([to_values(image, self.modality)], [boxes])[0]

    def batch(
        self,
        images: Sequence[Path | str | npt.NDArray[Any]],
        boxes: Sequence[Floats | str | None] | None = None,
    ) -> list[list[Face]]:
        """Find the faces of several images at once.

        Parameters
        ----------
        images, boxes : N of what calling the detector takes; by default faces are found

        Returns
        -------
        N lists of Face

        Raises
        ------
        ValueError
            As calling the detector does, with the number of an array from 0.
        """
        values = [to_values(image, self.modality, f"image {n}") for n, image in enumerate(images)]
        return self.batch_of_values(values, [None] * len(values) if boxes is None else boxes)

    def batch_of_values(
        self, images: Sequence[Floats], boxes: Sequence[Floats | str | None]
    ) -> list[list[Face]]:
        """Find the faces of images that are checked already.

        Parameters
        ----------
        images : N arrays (height, width) float32, as :func:`to_values` returns
        boxes : N of what calling the detector takes

        Returns
        -------
        N lists of Face
        """
        index, where, scores = self._locate(images, boxes)
        faces: list[list[Face]] = [[] for _ in images]
        for n, face in zip(index, self._place(images, index, where, scores), strict=True):
            faces[n].append(face)
        return faces

    def _locate(
        self, images: Sequence[Floats], asked: Sequence[Floats | str | None]
    ) -> tuple[Integers, Floats, Floats]:
        """Return of M faces the image (M,), box (M, 4) and score (M,), by image."""
        searched = [n for n, given in enumerate(asked) if given is None]
        found = dict(zip(searched, self._find([images[n] for n in searched]), strict=True))
        index = [np.empty(0, int)]
        where: list[Floats] = [np.empty((0, 4))]
        scores: list[Floats] = [np.empty(0)]
        for n, (image, given) in enumerate(zip(images, asked, strict=True)):
            boxes, sure = found[n] if given is None else _given(given, image)
            index.append(np.full(len(boxes), n))
            where.append(boxes)
            scores.append(sure)
        return np.concatenate(index), np.concatenate(where), np.concatenate(scores)

    def _find(self, images: Sequence[Floats]) -> list[tuple[Floats, Floats]]:
        """Return of each image the boxes (K, 4) and scores (K,) of its faces."""
        if not images:
            return []
        small = [_shrink(image) for image in images]
        found = self.find_with().find(stack_images(small, device()))
        index = found.index.cpu().numpy()
        boxes, scores = (part.cpu().double().numpy() for part in (found.boxes, found.scores))
        ratios = [
            np.divide(image.shape[::-1], searched.shape[::-1])  # x, y
            for image, searched in zip(images, small, strict=True)
        ]
        return [
            (boxes[index == n] * np.tile(ratio, 2), scores[index == n])
            for n, ratio in enumerate(ratios)
        ]

    def find_with(self) -> TrainedDetector:
        """Return what finds faces.

        Raises
        ------
        ValueError
            If there is none.
        """
        if self.finder is None:
            raise ValueError(
                "there is no state that finds faces: name one (--finder, finder=), give boxes, or "
                "say that each image is one face (--boxes whole, boxes='whole')"
            )
        return self.finder

    def _place(
        self, images: Sequence[Floats], index: Integers, boxes: Floats, scores: Floats
    ) -> Iterator[Face]:
        """Yield the faces in M boxes, each with its landmarks where they can be trusted."""
        # Whether a face looks thermal shows in all of it, however little a detector looks at.
        reach = max(self.landmarks.module.reach(self.landmarks.settings), LOOK)
        sides = np.array([images[n].shape[::-1] for n in index]).reshape(-1, 2)
        wide = (1 + 2 * reach) * boxes[:, 2:] + 2 * room(boxes, reach) + _AROUND
        parts = np.minimum(sides, wide).prod(1)
        for rows in _chunks(parts):
            cut = self.landmarks.cut((images[n] for n in index[rows]), boxes[rows], least=LOOK)
            its = self.landmarks.predict_cut(cut)
            thermal = np.ones(len(its.points), bool)
            if self.check and self.modality == "thermal":
                surer = partial(self.landmarks.surer_than_of_inverse, cut, its.expected_error)
                thermal = is_thermal(cut, its.points, surer)
            seen = [images[n] for n in index[rows]], boxes[rows]
            told = zip(*seen, its.points, its.expected_error, thermal, strict=True)
            judged = [self._judge(*each) for each in told]
            its = its.without(np.array([status != OK for status, _ in judged]))
            for n, (status, note) in enumerate(judged):
                found = its.points[n], its.expected_error[n], its.scale[n], its.tail[n]
                yield Face(*found, boxes[rows][n], float(scores[rows][n]), status, note)

    def _judge(
        self, image: Floats, box: Floats, points: Floats, expected: Floats, thermal: bool
    ) -> tuple[str, str]:
        """Return status and note of a face: the worst of why landmarks cannot be given out."""
        apart, error = float(interocular_distance(points)), float(expected.mean())
        close = f"{apart:.1f} px between the eyes; at least {self.smallest:g} are needed"
        unsure = f"expected error {error:.2f}; at most {self.largest_error:g} is given out"
        reasons = (
            (not np.isfinite(points).all(), NO_FACE, "the landmark model found none in its box"),
            (not _shows(image, box), NO_FACE, "its box is of one value, or outside the image"),
            (not _holds(image, points), NO_FACE, "most of its landmarks lie outside the image"),
            (not apart > 0 or apart < self.smallest, TOO_SMALL, close),
            (not thermal, NOT_THERMAL, "looks visible, or white-cold: invert it, or --no-check"),
            (error > self.largest_error, UNSURE, unsure),
        )
        return next(((status, note) for applies, status, note in reasons if applies), (OK, ""))


def load(
    model: Path | str | None = None,
    *,
    finder: Path | str | None = None,
    modality: str = "thermal",
    smallest: float = SMALLEST,
    check: bool = True,
    largest_error: float = LARGEST_ERROR,
) -> FaceDetector:
    """Load a detector of faces and landmarks.

    Parameters
    ----------
    model : path of a ``state.safetensors`` of any landmark detector
        By default the one that the installation brings.
    finder : path of a state that finds faces in whole images
        By default the one that the installation brings; without one ``model``, if it can.
    modality, smallest, check, largest_error : as in :class:`FaceDetector`
        What the installation brings is of thermal faces, and is taken for no other modality.

    Raises
    ------
    ValueError
        If a file is none, this version cannot use it, its state says that it was trained on another
        modality, or there is none to use.
    """
    if modality not in MODALITIES:
        raise ValueError(f"modality is {modality!r}; use one of {list(MODALITIES)}")
    if not smallest >= 0:
        raise ValueError(f"smallest is {smallest}; give pixels between the eyes, 0 or more")
    if not largest_error > 0:
        raise ValueError(f"largest_error is {largest_error}; give interocular distances above 0")
    landmarks = load_detector(_own(LANDMARKS_STATE, modality) if model is None else Path(model))
    if finder is None:
        brought = WEIGHTS / FINDER_STATE
        own = modality == OWN and brought.is_file()
        finds = load_detector(brought) if own else landmarks if landmarks.finds_faces else None
    else:
        finds = load_detector(Path(finder))
    if finds is not None and not finds.finds_faces:
        raise ValueError(
            f"{finds.path}: finds no faces; name a state that was trained to, of an mtcnn with "
            "stages: full for example"
        )
    for its in (landmarks, finds):
        if its is not None and its.modality not in ("", modality):
            raise ValueError(
                f"{its.path}: was trained on {its.modality} images, and modality is {modality}; "
                f"use {its.modality}, or name another state"
            )
    return FaceDetector(landmarks, finds, modality, smallest, check, largest_error)


def _own(name: str, modality: str) -> Path:
    """Return the path of a state that the installation brings.

    Raises
    ------
    ValueError
        If it brings none, or none of this modality.
    """
    asked = (
        "name a trained landmark model, results/p1/fold0/dan/state.safetensors for example "
        "(--model, or thermalign.load(PATH))"
    )
    if not (WEIGHTS / name).is_file():
        raise ValueError(f"this installation brings no weights of its own; {asked}")
    if modality != OWN:
        raise ValueError(f"the weights that the package brings are of {OWN} faces; {asked}")
    return WEIGHTS / name


def to_values(
    image: Path | str | npt.NDArray[Any], modality: str = "thermal", name: str = "the image"
) -> Floats:
    """Read an image file, or take an array, as what detectors are shown.

    Parameters
    ----------
    image : path, or array (height, width) or (height, width, 3) of any real type
        Visible ones in colour with blue first, as OpenCV has them.
    modality : ``thermal`` or ``visible``
    name : str
        What messages call an array.

    Returns
    -------
    (height, width) float32
        8-bit samples from 0 to 1, others as they are.

    Raises
    ------
    ValueError
        If it is no image, is thermal and in colour, or holds NaN.
    """
    colour = modality == "visible"
    if isinstance(image, Path | str):
        counts = read_picture(Path(image), modality, colour=colour).counts
    else:
        stored = np.asarray(image)
        if stored.ndim == 3 and stored.shape[2] == 1:
            stored = stored[..., 0]
        if stored.dtype.kind not in "uif" or not (
            stored.ndim == 2 or (stored.ndim == 3 and stored.shape[2] in (3, 4))
        ):
            raise ValueError(
                f"{name} is an array {stored.shape} of {stored.dtype}; give (height, width) or "
                "(height, width, 3) numbers, or a path"
            )
        if stored.dtype not in BIT_DEPTHS:
            with np.errstate(over="ignore"):  # infinite, which is refused
                stored = stored.astype(np.float32)
        counts = check_picture(stored, Path(name), modality, colour=colour)
    return counts.astype(np.float32) * np.float32(DEFAULT_SCALES[BIT_DEPTHS[counts.dtype]])


def _given(boxes: Floats | str, image: Floats) -> tuple[Floats, Floats]:
    """Return boxes (K, 4) that are given, and their scores, which nobody knows."""
    if isinstance(boxes, str):
        if boxes != "whole":
            raise ValueError(f"boxes is {boxes!r}; give 'whole', or (x, y, width, height)")
        boxes = np.array([0.0, 0.0, *image.shape[::-1]])
    where = np.atleast_2d(np.asarray(boxes, np.float64))
    within = np.abs(where) <= LARGEST_BOX  # NaN is not
    if where.shape[1:] != (4,) or not within.all() or (where[:, 2:] <= 0).any():
        raise ValueError(
            f"boxes are {np.asarray(boxes).tolist()}; give (x, y, width, height), pixels, finite "
            f"and at most {LARGEST_BOX:g}"
        )
    return where, np.full(len(where), np.nan)


def _shows(image: Floats, box: Floats) -> bool:
    """Return whether a box holds more than one value of an image."""
    (left, top), (right, bottom) = (np.rint(at).clip(0) for at in (box[:2], box[:2] + box[2:]))
    height, width = image.shape
    rows = slice(int(min(top, height)), int(min(bottom, height)))
    inside = image[rows, int(min(left, width)) : int(min(right, width))]
    return bool(inside.size) and bool(inside.min() < inside.max())


def _holds(image: Floats, points: Floats) -> bool:
    """Return whether an image holds at least half of some points (L, 2)."""
    inside = (points >= -0.5) & (points < np.array(image.shape[::-1]) - 0.5)
    return bool(inside.all(1).mean() >= 0.5)


def _shrink(image: Floats) -> Floats:
    """Return an image with few enough pixels to be searched."""
    ratio = (_SEARCHED / image.size) ** 0.5
    if ratio >= 1:
        return image
    height, width = (max(1, round(side * ratio)) for side in image.shape)
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))


def _chunks(sizes: Floats) -> Iterator[slice]:
    """Split parts of images, whose pixels are given at most, so that memory stays bounded."""
    start, held = 0, 0
    for n, size in enumerate(sizes):
        if n > start and (held + size > _PIXELS or n - start == _FACES):
            yield slice(start, n)
            start, held = n, 0
        held += size
    if start < len(sizes):
        yield slice(start, len(sizes))
