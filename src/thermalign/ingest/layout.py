"""Where faces lie over a whole manifest: what no single image can tell.

One face may lie anywhere. Of many, positions in the pixels of another picture, boxes by their
edges or centres, and cells that were copied down show.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from thermalign.geometry import LANDMARKS, Floats
from thermalign.ingest.found import Found

FEWEST = 3  # boxes that can show what their numbers are
ASIDE = 0.1  # shares of the sides, between the middle of boxes and of their landmarks
BEYOND = 0.05  # shares of the image's sides
MANY = 10  # faces that do not all lie in one quarter of their images
ALIKE = 5  # people who do not share the places of all landmarks


def check_layout(found: Found, file: str) -> None:
    """Refuse landmarks and boxes that, taken together, are not what they should be.

    Raises
    ------
    ValueError
        If five people share the places of all landmarks; boxes fit as edges but not as sizes, or
        most of them end far outside their images; or all of ten or more faces lie in the upper
        left quarter, as those of a picture of half the size would.
    """
    points, boxes = dense(found)
    _check_alike(points, found.images["subject_id"], file)
    sizes = found.images[["width", "height"]].to_numpy(np.float64)
    marked, boxed = np.isfinite(points[:, 0, 0]), np.isfinite(boxes[:, 0])
    ends = np.where(marked[:, None], points.max(axis=1), boxes[:, :2] + boxes[:, 2:])
    modalities = found.images["modality"].to_numpy(str)
    for modality in sorted(set(modalities)):
        its, where = modalities == modality, f"{file}: {modality} images"
        both, bare = its & boxed & marked, its & boxed & ~marked
        _check_edges(boxes[both], points[both].mean(axis=1), where)
        _check_beyond(boxes[bare], sizes[bare], where)
        faces = its & (boxed | marked)
        _check_quarter(ends[faces] / sizes[faces], where)


def dense(found: Found) -> tuple[Floats, Floats]:
    """Return the points (N, L, 2) and the given boxes (N, 4) of every image; NaN where none is."""
    ids = found.images["image_id"]
    points = np.full((len(ids), len(LANDMARKS), 2), np.nan)
    at, landmark = (
        _places(found.annotations[name], among)
        for name, among in (("image_id", ids), ("landmark", pd.Series(LANDMARKS)))
    )
    points[at, landmark] = found.annotations[["x", "y"]].to_numpy(np.float64)
    boxes = np.full((len(ids), 4), np.nan)
    given = found.boxes[["x", "y", "width", "height"]].to_numpy(np.float64)
    boxes[_places(found.boxes["image_id"], ids)] = given
    return points, boxes


def _places(names: "pd.Series[str]", among: "pd.Series[str]") -> npt.NDArray[np.intp]:
    """Return where names stand among others; Arrow does it without an object for each."""
    these, of = (pa.array(each, pa.string(), from_pandas=True) for each in (names, among))
    return np.asarray(pc.index_in(these, value_set=of).fill_null(-1), np.intp)


def _check_alike(points: Floats, subjects: "pd.Series[str]", file: str) -> None:
    marked = np.isfinite(points).all(axis=(1, 2))
    places = points[marked].reshape(marked.sum(), 2 * len(LANDMARKS))
    _, place = np.unique(places, axis=0, return_inverse=True)
    who = pd.factorize(subjects)[0][marked]
    both = np.unique(np.stack([place.ravel(), who]), axis=1)
    people = np.bincount(both[0]).max(initial=0)
    if people >= ALIKE:
        raise ValueError(
            f"{file}: {people} people have every landmark in the same place, as "
            "cells that were copied down do; mark each image"
        )


def _check_edges(boxes: Floats, faces: Floats, where: str) -> None:
    """Refuse boxes that hold their landmarks better where width and height are read as edges."""
    start, size = boxes[:, :2], boxes[:, 2:]
    if len(boxes) < FEWEST or not (size > start).all():
        return
    as_sizes = np.median(np.abs(faces - start - size / 2 + 0.5) / size, axis=0).max()
    as_edges = np.median(np.abs(faces - (start + size) / 2) / (size - start), axis=0).max()
    if as_sizes > ASIDE and as_edges < as_sizes / 2:
        raise ValueError(
            f"{where}: box_width and box_height hold the landmarks in their middle if they are "
            "right and lower edges, but not as sizes; subtract box_x and box_y from them"
        )


def _check_beyond(boxes: Floats, sizes: Floats, where: str) -> None:
    """Refuse boxes of which most end far outside their images, while none begins there."""
    beyond = (boxes[:, :2] + boxes[:, 2:] > (1 + BEYOND) * sizes).any(axis=1)
    before = (boxes[:, :2] < -BEYOND * sizes).any(axis=1)
    if len(boxes) >= FEWEST and 2 * beyond.sum() > len(boxes) and not before.any():
        raise ValueError(
            f"{where}: {beyond.sum()} of {len(boxes)} face boxes end far outside their images on "
            "the right or below, and none begins outside; box_x and box_y are the top-left pixel "
            "(no centre), box_width and box_height are sizes (no edges)"
        )


def _check_quarter(shares: Floats, where: str) -> None:
    """Refuse faces that all lie in the upper left quarter of their images."""
    if len(shares) >= MANY and (shares < 0.5).all():
        raise ValueError(
            f"{where}: all {len(shares)} faces lie in the upper left quarter of their images, as "
            "places in a picture of half the size do; give pixels of these images, or crop them "
            "if the faces are there"
        )
