"""Training images as detectors see them: cut to the face box and what lies around it."""

import pandas as pd
import torch

from thermalign.cut import cut_images
from thermalign.landmarks.contract import Faces, make_faces
from thermalign.landmarks.uncertainty import room
from thermalign.records import boxes_of, pictures_of, points_of


def cut_faces(
    rows: pd.DataFrame,
    annotations: pd.DataFrame,
    boxes: pd.DataFrame,
    reach: float,
    *,
    calibrating: bool = False,
) -> Faces:
    """Cut the annotated images of a fold, mirrored copies included, for training.

    Parameters
    ----------
    rows : DataFrame of IMAGES, with ``flipped`` of FOLDS
        An image that is used as stored and mirrored has two rows.
    annotations : DataFrame of ANNOTATIONS
    boxes : DataFrame of BOXES
    reach : float
        As for :func:`thermalign.cut.cut_images`.
    calibrating : bool
        Whether what :func:`thermalign.landmarks.uncertainty.examples_of` looks at is kept as well.

    Returns
    -------
    Faces

    Raises
    ------
    ValueError
        If there is no row.
    """
    if rows.empty:
        raise ValueError(
            "no annotated training or validation image of the probe modality in this fold; "
            "annotate images, or choose another probe modality or more training subjects"
        )
    unique = rows.drop_duplicates("image_id").reset_index(drop=True)
    where = boxes_of(unique, boxes)
    further = room(where, reach, calibrating=True) if calibrating else 0.0
    cut = cut_images(pictures_of(unique), where, reach, further)
    on = cut.stack.device
    places = unique.reset_index().set_index("image_id")["index"].loc[rows["image_id"]]
    index = torch.tensor(places.to_numpy()).to(on)
    flipped = torch.tensor(rows["flipped"].to_numpy()).to(on)
    points = torch.tensor(points_of(annotations, list(unique["image_id"])), dtype=torch.float32)
    points = points.to(on) - cut.origins[:, None]
    return make_faces(cut.stack, index, flipped, cut.boxes[index], points[index])
