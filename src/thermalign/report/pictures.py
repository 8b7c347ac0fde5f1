"""Pictures of faces for the page: which are chosen, and how they are cut out of images."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from thermalign.evaluation.variants import disturb
from thermalign.geometry import Floats, interocular_distance
from thermalign.images import read_image
from thermalign.records import boxes_of, points_of
from thermalign.report.exhibits import Example, Picture
from thermalign.report.setup import Protocol, Setup

SHOWN = 3  # faces of each kind
MARGIN = 0.12  # of the box, shown around it
ROOM = 0.45  # of the box under variants: holds a shift of .3 of the mean side


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
    """
    asked = predictions[predictions["fold"] == 0]
    found: list[Example] = []
    for (protocol, model), rows in asked.groupby(["protocol", "model"], sort=False):
        ids = rows["image_id"].drop_duplicates()
        ids = ids[ids.isin(annotations["image_id"])]
        if ids.empty:
            continue
        known = images.set_index("image_id", drop=False).loc[ids]
        points = points_of(rows, list(ids)), points_of(annotations, list(ids))
        named = {"protocol": str(protocol), "model": str(model)}
        found += _examples(known, boxes_of(known, boxes), *points, named=named)
    return found


def _examples(
    images: pd.DataFrame,
    boxes: Floats,
    predicted: Floats,
    annotated: Floats,
    *,
    named: dict[str, Any],
) -> Iterator[Example]:
    """Yield the examples among a model's images, row for row with boxes and points."""
    unit = interocular_distance(annotated)
    errors = (np.linalg.norm(predicted - annotated, axis=-1) / unit[:, None]).mean(axis=1)
    for kind, chosen in _choose(images, errors).items():
        for n in chosen:
            row = images.iloc[n].to_dict()
            pixels, corner = crop(read_image(row), boxes[n], MARGIN)
            yield Example(
                subject_id=str(row["subject_id"]),
                range=int(row["range"]),
                pixels=pixels,
                annotated=annotated[n] - corner,
                predicted=predicted[n] - corner,
                nmse=float(errors[n]),
                kind=kind,
                **named,
            )


def _choose(images: pd.DataFrame, errors: Floats) -> dict[str, list[int]]:
    """Return the rows of typical and of worst faces."""
    order = images.reset_index(drop=True).assign(error=errors)
    near = order[order["range"] == order["range"].min()].sort_values("image_id")
    typical = near.drop_duplicates("subject_id").index[:SHOWN]
    by_error = order.sort_values("error", ascending=False)
    worst = by_error.dropna(subset="error").drop_duplicates("subject_id").index[:SHOWN]
    return {"typical": list(typical), "worst": list(worst)}


def pictures(
    setup: Setup, images: Mapping[str, pd.DataFrame], boxes: Mapping[str, pd.DataFrame]
) -> list[Picture]:
    """Cut one face of every protocol as it is, with the boxes of variants, and as recorded.

    The face is not picked by result: the first image by name, at the nearest range.

    Parameters
    ----------
    setup : Setup
    images : dataset -> IMAGES, those of variants too
    boxes : dataset -> BOXES, of the protocols' datasets
    """
    found: list[Picture] = []
    for protocol in setup.protocols.values():
        found += _of_protocol(protocol, setup, images, boxes[protocol.dataset])
    return found


def _of_protocol(
    protocol: Protocol, setup: Setup, images: Mapping[str, pd.DataFrame], boxes: pd.DataFrame
) -> Iterator[Picture]:
    own = images[protocol.dataset]
    probes = own[own["modality"] == protocol.probe.modality]
    image_id = str(probes.loc[probes["range"] == probes["range"].min(), "image_id"].min())
    given = boxes_of(own[own["image_id"] == image_id], boxes)
    for kind, conditions in (("shift", setup.moved), ("scale", setup.resized)):
        moved = [disturb(given, [image_id], seed=setup.seed, **{kind: c.level}) for c in conditions]
        if moved:
            words = "boxes moved" if kind == "shift" else "boxes resized"
            boxes_moved = [box for (box,) in moved]
            yield _cut(own, image_id, given[0], (protocol.name, words), boxes_moved)
    recordings = setup.recordings[protocol.name]
    if recordings:
        yield _cut(own, image_id, given[0], (protocol.name, "as trained"))
    for condition in recordings:
        words = f"{condition.group}: {condition.title}" if condition.group else condition.title
        other = images[setup.variant_datasets[condition.name]]
        yield _cut(other, image_id, given[0], (protocol.name, words))


def _cut(
    images: pd.DataFrame,
    image_id: str,
    given: Floats,
    named: tuple[str, str],
    boxes: Sequence[Floats] = (),
) -> Picture:
    """Cut an image around its box, and bring the boxes into the crop."""
    image = read_image(images.set_index("image_id").loc[image_id].to_dict())
    pixels, corner = crop(image, given, ROOM)
    origin = np.array([*corner, 0, 0])
    return Picture(*named, pixels, given - origin, [box - origin for box in boxes])


def crop(image: Floats, box: Floats, margin: float) -> tuple[Floats, Floats]:
    """Cut an image around a box, as far as the image goes.

    Parameters
    ----------
    image : (H, W) float
    box : (4,) float, pixels, (x, y, width, height)
    margin : float
        Share of the box's width and height that is shown around it on each side.

    Returns
    -------
    pixels : (h, w) float
    corner : (2,) float, pixels of the image, (x, y)
        Where the first pixel of the crop lies.
    """
    x, y, width, height = box
    left, top = (max(0, int(v)) for v in (x - margin * width, y - margin * height))
    right, bottom = int(x + (1 + margin) * width), int(y + (1 + margin) * height)
    return image[top:bottom, left:right], np.array([left, top], np.float64)
