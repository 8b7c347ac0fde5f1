"""Where faces lie over a whole manifest: what no single image can tell.

One face may lie anywhere. Of many, positions in the pixels of another picture, boxes by their
edges or centres, and cells that were copied down show.
"""

import numpy as np
import pandas as pd

from thermalign.geometry import Floats
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
    _check_alike(found, file)
    means = found.annotations.groupby("image_id")[["x", "y"]].mean()
    ends = found.annotations.groupby("image_id")[["x", "y"]].max()
    sizes = found.images.set_index("image_id")[["width", "height"]]
    for modality, images in found.images.groupby("modality"):
        boxes = found.boxes[found.boxes["image_id"].isin(images["image_id"])]
        boxes = boxes.set_index("image_id")
        marked = boxes.index.isin(means.index)
        where = f"{file}: {modality} images"
        _check_edges(boxes[marked], means, where)
        _check_beyond(boxes[~marked], sizes, where)
        bare = boxes.loc[~marked, ["x", "y"]] + boxes.loc[~marked, ["width", "height"]].to_numpy()
        its = pd.concat([ends[ends.index.isin(images["image_id"])], bare])
        _check_quarter(its, sizes, where)


def _check_alike(found: Found, file: str) -> None:
    table = found.annotations.sort_values(["image_id", "landmark"])
    places = table.groupby("image_id")[["x", "y"]].agg(tuple)
    who = found.images.set_index("image_id")["subject_id"]
    people = who.reindex(places.index).groupby([places["x"], places["y"]]).agg(["nunique"])
    if len(people) and people["nunique"].max() >= ALIKE:
        raise ValueError(
            f"{file}: {people['nunique'].max()} people have every landmark in the same place, as "
            "cells that were copied down do; mark each image"
        )


def _check_edges(boxes: pd.DataFrame, means: pd.DataFrame, where: str) -> None:
    """Refuse boxes that hold their landmarks better where width and height are read as edges."""
    start, size = _pair(boxes, "x", "y"), _pair(boxes, "width", "height")
    if len(boxes) < FEWEST or not (size > start).all():
        return
    faces = means.loc[boxes.index].to_numpy()
    as_sizes = np.median(np.abs(faces - start - size / 2 + 0.5) / size, axis=0).max()
    as_edges = np.median(np.abs(faces - (start + size) / 2) / (size - start), axis=0).max()
    if as_sizes > ASIDE and as_edges < as_sizes / 2:
        raise ValueError(
            f"{where}: box_width and box_height hold the landmarks in their middle if they are "
            "right and lower edges, but not as sizes; subtract box_x and box_y from them"
        )


def _check_beyond(boxes: pd.DataFrame, sizes: pd.DataFrame, where: str) -> None:
    """Refuse boxes of which most end far outside their images, while none begins there."""
    start, size = _pair(boxes, "x", "y"), _pair(boxes, "width", "height")
    whole = sizes.loc[boxes.index].to_numpy(float)
    beyond = (start + size > (1 + BEYOND) * whole).any(axis=1)
    before = (start < -BEYOND * whole).any(axis=1)
    if len(boxes) >= FEWEST and 2 * beyond.sum() > len(boxes) and not before.any():
        raise ValueError(
            f"{where}: {beyond.sum()} of {len(boxes)} face boxes end far outside their images on "
            "the right or below, and none begins outside; box_x and box_y are the top-left pixel "
            "(no centre), box_width and box_height are sizes (no edges)"
        )


def _check_quarter(ends: pd.DataFrame, sizes: pd.DataFrame, where: str) -> None:
    """Refuse faces that all lie in the upper left quarter of their images."""
    shares = ends.to_numpy(float) / sizes.loc[ends.index].to_numpy(float)
    if len(shares) >= MANY and (shares < 0.5).all():
        raise ValueError(
            f"{where}: all {len(shares)} faces lie in the upper left quarter of their images, as "
            "places in a picture of half the size do; give pixels of these images, or crop them "
            "if the faces are there"
        )


def _pair(table: pd.DataFrame, *names: str) -> Floats:
    return table[list(names)].to_numpy(np.float64)
