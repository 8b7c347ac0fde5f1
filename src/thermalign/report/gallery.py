"""One face under every variant: the boxes laid around it, and the recordings of its moment."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pandas as pd

from thermalign.evaluation.variants import disturb
from thermalign.geometry import Floats
from thermalign.images import read_image
from thermalign.records import boxes_of
from thermalign.report.layout import MINUS
from thermalign.report.pictures import crop, grey_address
from thermalign.report.setup import Protocol, Setup
from thermalign.report.study import Picture, View

MARGIN = 0.45  # of the box, shown around it: holds a shift of .3 of the mean side

Box = tuple[float, float, float, float]
"""Pixels of the picture, (x, y, width, height)."""


@dataclass(frozen=True)
class Shown:
    """A picture ready for the page, and the boxes drawn over it.

    Attributes
    ----------
    address : str
    width, height : int, pixels
    title : str
    given : Box or None
    varied : list of Box
    """

    address: str
    width: int
    height: int
    title: str
    given: Box | None = None
    varied: list[Box] = field(default_factory=list)


@dataclass(frozen=True)
class Gallery:
    """A figure of one protocol's face under variants, on one grey scale."""

    kind: ClassVar[str] = "gallery"
    caption: str
    faces: list[Shown]


def gallery(pictures: Iterable[Picture], view: View) -> Gallery | None:
    """Arrange a protocol's pictures; None without any."""
    mine = [picture for picture in pictures if picture.protocol == view.protocol.name]
    if not mine:
        return None
    low = min(float(np.percentile(picture.pixels, 1)) for picture in mine)
    high = max(float(np.percentile(picture.pixels, 99.5)) for picture in mine)
    black, white = (f"{end:.0f}".replace("-", MINUS) for end in (low, high))
    return Gallery(
        f"One face in other boxes and recordings, {view.label}, not picked by result. Where boxes "
        "are drawn, white is the one that detectors trained for, yellow how it is moved, in a "
        "direction of this image’s own, or resized. All pictures have one grey scale, from "
        f"{black} (black) to {white} (white), in °C where the image is thermal.",
        [_shown(picture, (low, high)) for picture in mine],
    )


def _shown(picture: Picture, ends: tuple[float, float]) -> Shown:
    height, width = picture.pixels.shape
    return Shown(
        address=grey_address(picture.pixels, ends),
        width=width,
        height=height,
        title=picture.title,
        given=_box(picture.given) if picture.boxes else None,
        varied=[_box(box) for box in picture.boxes],
    )


def _box(box: Floats) -> Box:
    x, y, width, height = (float(v) for v in box)
    return x, y, width, height


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
    pixels, corner = crop(image, given, MARGIN)
    origin = np.array([*corner, 0, 0])
    return Picture(*named, pixels, given - origin, [box - origin for box in boxes])
