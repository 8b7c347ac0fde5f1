"""Descriptors of training faces, each aligned by its annotated points and by displaced ones."""

import math
import mmap
import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from thermalign import room
from thermalign.geometry import Floats, interocular_distance
from thermalign.images import read_image
from thermalign.settings import check, setting
from thermalign.verification import alignment, descriptors
from thermalign.verification.stored import IN_MEMORY
from thermalign.warp import stack_images

BATCH = 128  # faces whose displacements are drawn together


@dataclass(frozen=True)
class Jitter:
    """How far the points of a copy are from the annotated ones.

    Each copy has a strength of its own, even from 0 to 1, which these are times; all are standard
    deviations. ASSUME.

    Attributes
    ----------
    noise : float
        Of every coordinate of every landmark.
    shift : float
        Of both coordinates of all landmarks together.
    rotation : float
        Of all landmarks about their centre.
    scale : float
        Of their distances from it, as a share.
    """

    noise: float = setting(0.06, low=0, high=1, unit="interocular distances")
    shift: float = setting(0.03, low=0, high=1, unit="interocular distances")
    rotation: float = setting(4.0, low=0, high=90, unit="degrees")
    scale: float = setting(0.06, low=0, high=0.5)

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        check(self)


def displaced(points: Floats, jitter: Jitter, generator: np.random.Generator) -> Floats:
    """Return points (N, L, 2), pixels, each face displaced by draws of its own."""
    n, unit = len(points), interocular_distance(points)[:, None, None]
    strength = generator.uniform(size=(n, 1, 1))
    centre = points.mean(axis=1, keepdims=True)
    angle, larger = generator.standard_normal((2, n, 1, 1)) * strength
    angle = angle * math.radians(jitter.rotation)
    arm = (points - centre) * np.maximum(1 + jitter.scale * larger, 0.1)
    x, y = arm[..., :1], arm[..., 1:]
    cos, sin = np.cos(angle), np.sin(angle)
    turned = centre + np.concatenate([cos * x - sin * y, sin * x + cos * y], axis=-1)
    together = jitter.shift * generator.standard_normal((n, 1, 2))
    each = jitter.noise * generator.standard_normal(points.shape)
    return np.asarray(turned + unit * strength * (together + each))


def describe_copies(
    rows: pd.DataFrame,
    points: Floats,
    *,
    copies: int,
    jitter: Jitter,
    described: descriptors.Settings,
    aligned: alignment.Settings,
    seed: int,
) -> tuple[Tensor, tuple[mmap.mmap, ...]]:
    """Return the descriptors of faces, (N, 1 + copies, rows, columns, D) float16.

    With them come the files that they lie in where they are too many for memory. The first is
    aligned by the annotated points, as galleries are. A face that displaced points cannot align is
    aligned by the annotated ones.

    Parameters
    ----------
    rows : DataFrame of N IMAGES, N at least 1
    points : (N, L, 2) float, pixels, (x, y)
        Annotated; all :func:`thermalign.verification.alignment.alignable`.
    copies : int
        Beside the first.
    jitter : Jitter
    described : settings of the descriptors
    aligned : settings of the alignment
    seed : int
        Of the displacements.

    Raises
    ------
    OSError
        If there is no room for the file: see :mod:`thermalign.room`.
    """
    generator = np.random.default_rng(seed)
    found, files = torch.empty(0), tuple[mmap.mmap, ...]()
    for start in range(0, len(rows), BATCH):
        its, exact = rows.iloc[start : start + BATCH], points[start : start + BATCH]
        moved = [exact, *(displaced(exact, jitter, generator) for _ in range(copies))]
        usable = (alignment.alignable(each, aligned)[:, None, None] for each in moved)
        placed = [np.where(can, each, exact) for can, each in zip(usable, moved, strict=True)]
        for some in alignment.batches(its):
            images = [read_image(row) for row in its.iloc[some].to_dict("records")]
            stack, every = stack_images(images, torch.device("cpu")), np.arange(len(images))
            faces = (alignment.align_stack(stack, every, each[some], aligned) for each in placed)
            made = [descriptors.describe(each, described).half() for each in faces]
            if not len(found):
                found, files = _room((len(rows), len(made), *made[0].shape[1:]))
            found[start : start + BATCH][some] = torch.stack(made, dim=1)
            room.give_back(files)
        if (start // BATCH) % 16 == 0:
            print(f"faces described: {start + len(its)} of {len(rows)}", file=sys.stderr)
    return found, files


def _room(shape: tuple[int, ...]) -> tuple[Tensor, tuple[mmap.mmap, ...]]:
    """Return an empty float16 tensor, in a file if it is large."""
    held, files = room.make_room(
        {"descriptors": (math.prod(shape), torch.float16)},
        torch.device("cpu"),
        in_memory=IN_MEMORY,
        what="descriptors",
    )
    return held["descriptors"].view(shape), files
