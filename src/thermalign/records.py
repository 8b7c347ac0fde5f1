"""Rows of the tables as arrays, and back: points, boxes, images, folds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from thermalign import tables
from thermalign.geometry import LANDMARKS, Floats
from thermalign.images import Pictures
from thermalign.schemas.dataset import FOLDS, IMAGES
from thermalign.schemas.predictions import UNCERTAINTY

BOX = ["x", "y", "width", "height"]
"""Columns of a face box, pixels."""


def read_fold(images: Path, folds: Path) -> pd.DataFrame:
    """Return the images of a fold with their ``role``, without the flipped copies."""
    return with_roles(tables.read(images, IMAGES), tables.read(folds, FOLDS))


def with_roles(images: pd.DataFrame, folds: pd.DataFrame) -> pd.DataFrame:
    """Return those of IMAGES that FOLDS name, with their ``role``, without the flipped copies."""
    plain = folds.loc[~folds["flipped"], ["image_id", "role"]]
    return images.merge(plain, on="image_id")


def points_of(table: pd.DataFrame, image_ids: Sequence[str]) -> Floats:
    """Return the points of images, in the order asked for.

    Parameters
    ----------
    table : DataFrame of ANNOTATIONS or PREDICTIONS
        One row at most per image and landmark.
    image_ids : N str

    Returns
    -------
    (N, L, 2) float64, pixels, (x, y)
        Landmarks in scheme order; NaN where the table has no row.
    """
    keys = pd.MultiIndex.from_product([image_ids, LANDMARKS])
    indexed = table.set_index(["image_id", "landmark"])[["x", "y"]].reindex(keys)
    return indexed.to_numpy(np.float64).reshape(len(image_ids), len(LANDMARKS), 2)


@dataclass(frozen=True)
class Located:
    """The landmarks of N faces, and how their errors are spread: see :mod:`thermalign.student`.

    All but the points are NaN where nothing is known of the error.

    Attributes
    ----------
    points : (N, L, 2) float64, pixels, (x, y)
        NaN where no face was found.
    scale : (N, L, 2, 2) float64, square pixels
        Scale matrix of a landmark's error.
    tail : (N, L) float64
        Its degrees of freedom.
    expected_error : (N, L) float64, interocular distances
        The mean distance of the point from the true one. A face's is the mean over its landmarks.
    """

    points: Floats
    scale: Floats
    tail: Floats
    expected_error: Floats

    @classmethod
    def unknown(cls, points: Floats) -> "Located":
        """Return points (N, L, 2) of whose errors nothing is known."""
        points = np.asarray(points, np.float64)
        nothing = np.full(points.shape[:2], np.nan)
        return cls(points, np.full((*points.shape, 2), np.nan), nothing, nothing)

    @classmethod
    def joined(cls, parts: Sequence["Located"]) -> "Located":
        """Return the faces of several parts, one behind the other."""
        names = [its.name for its in fields(cls)]
        return cls(*(np.concatenate([getattr(part, n) for part in parts]) for n in names))

    def without(self, lost: npt.NDArray[np.bool_]) -> "Located":
        """Return the same with NaN for the faces ``lost`` (N,) bool."""
        parts = (self.points, self.scale, self.tail, self.expected_error)
        return Located(*(np.where(lost.reshape(-1, *[1] * (p.ndim - 1)), np.nan, p) for p in parts))


def rows_of_points(
    image_ids: Sequence[str], located: Located, key: Mapping[str, Any]
) -> pd.DataFrame:
    """Return PREDICTIONS of the landmarks of N images."""
    n = len(LANDMARKS)
    flat = located.points.reshape(-1, 2)
    xx, xy, _, yy = located.scale.reshape(-1, 4).T
    told = (located.expected_error.ravel(), xx, xy, yy, located.tail.ravel())
    return pd.DataFrame(
        {
            "image_id": np.repeat(np.asarray(image_ids, object), n),
            "landmark": list(LANDMARKS) * len(image_ids),
            "x": flat[:, 0],
            "y": flat[:, 1],
            **dict(zip(UNCERTAINTY, told, strict=True)),
        }
    ).assign(**key)


def pictures_of(rows: pd.DataFrame) -> Pictures:
    """Return the images of IMAGES, to be read one by one in the bits of their files."""
    needed = ["path", "scale", "offset", "width", "height", "bit_depth"]
    return Pictures(rows[needed].to_dict("records"))


def boxes_of(rows: pd.DataFrame, boxes: pd.DataFrame) -> Floats:
    """Return the box of each image of IMAGES, (N, 4) float64."""
    return boxes.set_index("image_id").loc[rows["image_id"], BOX].to_numpy(np.float64)
