"""Variants of the test condition: how test images or their boxes differ from those of training."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from thermalign.geometry import Floats
from thermalign.images import Pictures
from thermalign.records import BOX, boxes_of, pictures_of
from thermalign.schemas.keys import UNDISTURBED
from thermalign.settings import check, parse, setting

SAME = ["subject_id", "volume", "range", "condition", "modality"]
"""Columns of IMAGES in which an image recorded differently is the one of the protocol."""


@dataclass(frozen=True)
class Variant:
    """One variant: exactly one of its settings differs from the condition of training.

    Attributes
    ----------
    shift : float
        Way of the box in a random direction, in means of its two sides.
    scale : float
        Size of the box, over its given size.
    detector : str
        Model whose best detection in the whole image replaces the given box; empty for none.
    dataset : str
        Dataset that the test images are read from, under the same names; empty for the protocol's.
    """

    shift: float = setting(0.0, low=0.0, high=2.0)
    scale: float = setting(1.0, low=0.1, high=10.0)
    detector: str = setting("")
    dataset: str = setting("")

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        check(self)


def read_variants(blocks: Mapping[str, Any]) -> dict[str, Variant]:
    """Return the variants of the configuration by name, the undisturbed condition first.

    Raises
    ------
    ValueError
        If a block has an unknown key or a value out of range.
    """
    its = {name: parse(Variant, block, f"variants.{name}") for name, block in blocks.items()}
    return {UNDISTURBED: Variant(), **its}


def named(variants: Mapping[str, Variant], key: str) -> list[str]:
    """Return the detectors or the datasets (``key``) that variants name, each once.

    By name, as the rules list their files: a job is given its variants sorted.
    """
    return sorted({getattr(variant, key) for variant in variants.values()} - {""})


@dataclass(frozen=True)
class Recording:
    """The test images as one dataset has them, in the order of the fold.

    Attributes
    ----------
    images : DataFrame of IMAGES, N rows
    annotations : DataFrame of ANNOTATIONS
    boxes : (N, 4) float64, pixels, (x, y, width, height)
    """

    images: pd.DataFrame
    annotations: pd.DataFrame
    boxes: Floats

    @classmethod
    def of(
        cls,
        test: pd.DataFrame,
        images: pd.DataFrame,
        annotations: pd.DataFrame,
        boxes: pd.DataFrame,
        *,
        dataset: str,
    ) -> "Recording":
        """Take the test images out of the tables of a dataset.

        Parameters
        ----------
        test : DataFrame of IMAGES, N rows
            The fold's test images, as the protocol's own dataset has them.
        images, annotations, boxes : DataFrame of IMAGES, ANNOTATIONS, BOXES
        dataset : str
            Its name, for messages.

        Raises
        ------
        ValueError
            If the dataset lacks an image, or has another moment under its name.
        """
        table = images.set_index("image_id", drop=False)
        missing = test.loc[~test["image_id"].isin(table.index), "image_id"]
        if len(missing):
            raise ValueError(
                f"variants: dataset {dataset} lacks image {missing.iloc[0]} and "
                f"{len(missing) - 1} more of the protocol's test images; give it the same "
                "subjects and samples, or take the variant out"
            )
        its = table.loc[test["image_id"]].reset_index(drop=True)
        other = (its[SAME] != test[SAME]).any(axis=1)
        if other.any():
            raise ValueError(
                f"variants: image {its.loc[other, 'image_id'].iloc[0]} of dataset {dataset} shows "
                "another subject, range, condition or modality than the test image of that name; "
                "give the same moments recorded differently, or take the variant out"
            )
        return cls(its, annotations, boxes_of(test, boxes))

    def part(self, some: slice) -> "Recording":
        """Return some of the images."""
        return Recording(self.images.iloc[some], self.annotations, self.boxes[some])


@dataclass(frozen=True)
class Condition:
    """What a detector is shown of some test images under one variant.

    Attributes
    ----------
    variant : str
        Its name.
    pictures : N Pictures
    boxes : (N, 4) float64, pixels, (x, y, width, height)
        Where no face was found, the given box stands in.
    lost : (N,) bool
        In which images no face was found.
    """

    variant: str
    pictures: Pictures
    boxes: Floats
    lost: npt.NDArray[np.bool_]


def conditions(
    variants: Mapping[str, Variant],
    recordings: Mapping[str, Recording],
    found: Mapping[str, Floats],
    *,
    seed: int,
) -> Iterator[Condition]:
    """Yield what every variant shows, some images of a recording at a time, each read once.

    A part's images are in memory, in the bits of their files, until its last condition is let go.

    Parameters
    ----------
    variants : variant by name
    recordings : Recording by dataset; "" is the protocol's own
    found : :func:`best_boxes` by detector
    seed : int
        Of the directions in which boxes are moved.
    """
    for dataset, recording in recordings.items():
        its = {name: variant for name, variant in variants.items() if variant.dataset == dataset}
        for some in pictures_of(recording.images).parts():
            there = {name: boxes[some] for name, boxes in found.items()}
            yield from _shown(its, recording.part(some), there, seed)


def _shown(
    variants: Mapping[str, Variant], part: Recording, found: Mapping[str, Floats], seed: int
) -> Iterator[Condition]:
    """Yield what the variants of one recording show of a part of its images."""
    pictures, ids = pictures_of(part.images).read(), list(part.images["image_id"])
    for name, its in variants.items():
        if its.detector:
            where = found[its.detector]
        else:
            where = disturb(part.boxes, ids, shift=its.shift, scale=its.scale, seed=seed)
        lost = np.isnan(where[:, 0])
        yield Condition(name, pictures, np.where(lost[:, None], part.boxes, where), lost)


def best_boxes(detections: pd.DataFrame, test: pd.DataFrame) -> Floats:
    """Return the best of DETECTIONS in every test image, (N, 4) pixels; NaN where there is none."""
    best = detections.query("rank == 0").set_index("image_id")
    return best.reindex(test["image_id"])[BOX].to_numpy(np.float64)


def disturb(
    boxes: Floats, image_ids: list[str], *, shift: float = 0, scale: float = 1, seed: int = 0
) -> Floats:
    """Resize boxes around their centres, and move them in a random direction.

    The direction of an image depends on the seed and its name only: not on its neighbours, and not
    on how far its box is moved, so that several shifts of one box lie on a line.

    Parameters
    ----------
    boxes : (N, 4) float, pixels, (x, y, width, height)
    image_ids : N str
    shift : float
        Way of the centre, in means of the given box's two sides.
    scale : float
        New size over given size.
    seed : int

    Returns
    -------
    (N, 4) float, pixels, (x, y, width, height)
    """
    turn = np.array([_direction(image_id, seed) for image_id in image_ids])
    size = scale * boxes[:, 2:]
    way = shift * boxes[:, 2:].mean(axis=1)[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1)
    return np.concatenate([boxes[:, :2] + (boxes[:, 2:] - size) / 2 + way, size], axis=1)


def _direction(image_id: str, seed: int) -> float:
    """Return an angle, radians; its stream is not that of a derived box's jitter."""
    name = int.from_bytes(hashlib.sha256(image_id.encode()).digest()[:8], "little")
    return float(np.random.default_rng([seed, name, 1]).uniform(0, 2 * np.pi))
