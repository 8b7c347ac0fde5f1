"""Which faces the report shows: the same few for every model, and every model's worst."""

import numpy as np
import pandas as pd

from thermalign.geometry import Floats
from thermalign.images import read_image
from thermalign.metrics.landmarks import normalized_errors
from thermalign.records import points_of
from thermalign.report.page import Example

SHOWN = 3  # faces of each kind


MARGIN = 0.12  # of the box, shown around it


def examples(
    predictions: pd.DataFrame,
    annotations: pd.DataFrame,
    images: pd.DataFrame,
    boxes: pd.DataFrame,
) -> list[Example]:
    """Choose and cut faces of the first fold of every protocol.

    Typical faces are not picked by result: the first image at the nearest range of the first
    subjects by name. Worst faces are those with a model's highest NMSE, one per subject.

    Parameters
    ----------
    predictions, annotations, images, boxes : DataFrame of the tables

    Returns
    -------
    list of Example
    """
    known = images.set_index("image_id")
    place = boxes.set_index("image_id")
    made = []
    for (protocol, model), rows in predictions.query("fold == 0").groupby(
        ["protocol", "model"], sort=False
    ):
        asked = rows["image_id"].drop_duplicates()
        ids = list(asked[asked.isin(annotations["image_id"])])
        if not ids:
            continue
        predicted, annotated = points_of(rows, ids), points_of(annotations, ids)
        errors = normalized_errors(predicted, annotated).mean(axis=1)
        for kind, chosen in _choose(known.loc[ids], errors).items():
            made += [
                _cut(
                    known.loc[ids[n]].to_dict(),
                    place.loc[ids[n], ["x", "y", "width", "height"]].to_numpy(np.float64),
                    (annotated[n], predicted[n]),
                    {"protocol": str(protocol), "model": str(model), "nmse": float(errors[n])}
                    | {"kind": kind},
                )
                for n in chosen
            ]
    return made


def _choose(known: pd.DataFrame, errors: Floats) -> dict[str, list[int]]:
    order = known.reset_index().assign(error=errors)
    near = order[order["range"] == order["range"].min()].sort_values("image_id")
    typical = near.drop_duplicates("subject_id").index[:SHOWN]
    by_error = order.sort_values("error", ascending=False)
    worst = by_error.dropna(subset="error").drop_duplicates("subject_id").index[:SHOWN]
    return {"typical": list(typical), "worst": list(worst)}


def _cut(
    row: dict[str, object],
    box: Floats,
    points: tuple[Floats, Floats],
    described: dict[str, object],
) -> Example:
    image = read_image(row)
    x, y, width, height = box
    left, top = (max(0, int(v)) for v in (x - MARGIN * width, y - MARGIN * height))
    right, bottom = int(x + (1 + MARGIN) * width), int(y + (1 + MARGIN) * height)
    origin = np.array([left, top])
    annotated, predicted = (place - origin for place in points)
    return Example(
        pixels=image[top:bottom, left:right],
        annotated=annotated,
        predicted=predicted,
        subject_id=str(row["subject_id"]),
        range=int(str(row["range"])),
        **described,  # type: ignore[arg-type]
    )
