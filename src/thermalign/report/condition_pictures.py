"""One face under every variant, for the report."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from thermalign.evaluation.variants import disturb
from thermalign.geometry import Floats
from thermalign.images import read_image
from thermalign.records import BOX
from thermalign.report.gallery import Picture
from thermalign.report.variants import moved_boxes, recordings

MARGIN = 0.45  # of the box, shown around it: holds a shift of .3 of the mean side


def pictures(
    config: Mapping[str, Any], images: Mapping[str, pd.DataFrame], boxes: Mapping[str, pd.DataFrame]
) -> list[Picture]:
    """Cut one face of every protocol as it is, with the boxes of variants, and as recorded.

    The face is not picked by result: the first image by name, at the nearest range.

    Parameters
    ----------
    config : the whole configuration
    images : dataset -> IMAGES, those of variants too
    boxes : dataset -> BOXES, of the protocols' datasets
    """
    return [
        picture
        for protocol in config["protocols"]
        for picture in _of_protocol(config, protocol, images, boxes)
    ]


def _of_protocol(
    config: Mapping[str, Any],
    protocol: str,
    images: Mapping[str, pd.DataFrame],
    boxes: Mapping[str, pd.DataFrame],
) -> list[Picture]:
    block = config["protocols"][protocol]
    own = block["dataset"]
    image_id = _nearest(images[own], block["probe"]["modality"])
    given = boxes[own].set_index("image_id").loc[[image_id], BOX].to_numpy(np.float64)
    made = []
    for kind, words in (("shift", "boxes moved"), ("scale", "boxes resized")):
        levels = [condition.level for condition in moved_boxes(config, kind)]
        seed = config["evaluation"]["seed"]
        moved = [disturb(given, [image_id], seed=seed, **{kind: level})[0] for level in levels]
        if moved:
            made.append(_cut(images[own], image_id, given[0], (protocol, words), moved))
    others = recordings(config, protocol)
    named = {"as trained": own} if others else {}
    for condition in others:
        words = f"{condition.group}: {condition.title}" if condition.group else condition.title
        named[words] = config["variants"][condition.name]["dataset"]
    made += [_cut(images[d], image_id, given[0], (protocol, words)) for words, d in named.items()]
    return made


def _nearest(images: pd.DataFrame, modality: str) -> str:
    probes = images[images["modality"] == modality]
    return str(probes.loc[probes["range"] == probes["range"].min(), "image_id"].min())


def _cut(
    images: pd.DataFrame,
    image_id: str,
    given: Floats,
    named: tuple[str, str],
    boxes: Sequence[Floats] = (),
) -> Picture:
    """Cut an image around its box, and bring the boxes into the crop."""
    image = read_image(images.set_index("image_id").loc[image_id].to_dict())
    x, y, width, height = given
    left, top = (max(0, int(v)) for v in (x - MARGIN * width, y - MARGIN * height))
    right, bottom = int(x + (1 + MARGIN) * width), int(y + (1 + MARGIN) * height)
    origin = np.array([left, top, 0, 0])
    pixels = image[top:bottom, left:right]
    return Picture(*named, pixels, given - origin, [box - origin for box in boxes])
