"""How many people and images a dataset has before it exists, and how large they are.

A rendered one tells it by its settings, any other by the lines of its manifest; of a tree whose
manifest is not made yet, all files are counted. No image is opened, so that a dry run stays cheap.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thermalign.catalogue import settings_of
from thermalign.config.checks import Study, manifest_of, tree_of
from thermalign.config.recordings import plans_of

FRAME = 640 * 480
"""Pixels of a rendered image that is no crop, and (ASSUME) of one whose header nobody has read."""


@dataclass(frozen=True)
class Size:
    """How large a dataset is, or some volumes of one.

    Attributes
    ----------
    people : int
        0 where nobody knows.
    thermal, visible : int
        Images; of a manifest, whose rows are not read, all of them as either.
    images : int
        Of both.
    pixels : int
        Of an image.
    crop : bool
        Images are faces already, so that all of them is kept.
    """

    people: int
    thermal: int
    visible: int
    images: int
    pixels: int = FRAME
    crop: bool = False


def sizes_of(study: Study, dataset: str) -> list[Size]:
    """Return the sizes of a dataset's volumes, known before it exists.

    Parameters
    ----------
    study : mapping
    dataset : str
        Rendered, or read from a manifest, whose lines are counted, or from a tree.
    """
    if manifest := manifest_of(study, dataset):
        lines = manifest.read_bytes().count(b"\n") if manifest.is_file() else 0
        if not lines and (tree := tree_of(study, dataset)):
            lines = sum(len(files) for _, _, files in os.walk(tree, followlinks=True))
        return [Size(people=0, thermal=lines, visible=lines, images=lines)]
    block = study["datasets"][dataset]
    declared = settings_of("thermalign.simulator.settings").settings
    settings = {its.name: its.default for its in declared} | dict(block["settings"])
    crop = not settings["frames"]
    pixels = settings["crop_height"] * settings["crop_width"] if crop else FRAME
    return [_rendered(plan, pixels, crop=crop) for plan in plans_of(block)]


def _rendered(plan: Mapping[str, Any], pixels: int, *, crop: bool) -> Size:
    """Return the size of a rendered volume."""
    samples = plan["baseline"] + plan["expression"]
    sessions = plan["subjects"] * plan["sessions"]
    thermal = sessions * (plan["thermal_images"] or len(plan["ranges"]) * samples)
    visible = sessions * len(plan["visible_ranges"]) * samples
    return Size(plan["subjects"], thermal, visible, thermal + visible, pixels, crop)


def joined(sizes: Sequence[Size]) -> Size:
    """Return the size of several volumes together."""
    people, thermal, visible, images = (
        sum(getattr(size, key) for size in sizes)
        for key in ("people", "thermal", "visible", "images")
    )
    pixels, crop = max(size.pixels for size in sizes), all(size.crop for size in sizes)
    return Size(people, thermal, visible, images, pixels, crop)
