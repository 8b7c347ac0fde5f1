"""Variants of the test condition: how test images or their boxes differ from those of training."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from thermalign.evaluation.draws import Draws, by_range
from thermalign.evaluation.measured import Measured
from thermalign.geometry import Floats
from thermalign.metrics.landmarks import failure_rate, nmse
from thermalign.settings import check, parse, setting

NONE = "none"
"""Name of the condition that the detectors were trained for."""


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
        check(self)


def read_variants(blocks: Mapping[str, Any]) -> dict[str, Variant]:
    """Return the variants of the configuration by name, the undisturbed condition first.

    Raises
    ------
    ValueError
        If a block has an unknown key or a value out of range.
    """
    its = {name: parse(Variant, block, f"variants.{name}") for name, block in blocks.items()}
    return {NONE: Variant(), **its}


def measure_variants(errors: Mapping[str, pd.DataFrame], draws: Draws) -> Iterator[Measured]:
    """Yield what became of a model under every variant, all ranges together and each.

    ``failure_rate``: share of images in which no face was found (failure to acquire). ``nmse``: of
    the images in which one was, NaN without any. ``nmse_ratio``: that NMSE over the one of the
    *same images* without a variant, so that images that were easy to find do not flatter it.

    Parameters
    ----------
    errors : mapping of variant to rows of :func:`thermalign.evaluation.draws.errors_of`
    draws : Draws
        The same for all variants and models: differences and ratios are paired by subject.
    """
    before = errors[NONE].set_index("image_id")["error"]
    for variant, table in errors.items():
        compared = table.assign(before=before.reindex(table["image_id"]).to_numpy())
        for name, rows in by_range(compared):
            subset = f"variant={variant}" if name == "all" else f"variant={variant}&{name}"
            yield from _subset(subset, rows, draws)
            if variant != NONE:
                yield from _ratio(subset, rows, draws)


def _subset(subset: str, rows: pd.DataFrame, draws: Draws) -> Iterator[Measured]:
    each = rows["error"].to_numpy()
    missed, ones = np.isnan(each).astype(float), np.ones(len(rows))
    lost = draws.ratio(missed, ones, rows["subject_id"])
    people = rows["subject_id"].nunique()
    yield Measured(subset, "failure_rate", failure_rate(each), len(rows), lost, people)
    found = rows[rows["error"].notna()]
    value = nmse(each) if len(found) else float("nan")
    people = found["subject_id"].nunique()
    yield Measured(subset, "nmse", value, len(found), draws.nmse(rows), people)


def _ratio(subset: str, rows: pd.DataFrame, draws: Draws) -> Iterator[Measured]:
    both = rows[rows[["error", "before"]].notna().all(axis=1)]
    after, before = both["error"].to_numpy(), both["before"].to_numpy()
    value = after.sum() / before.sum() if before.sum() > 0 else float("nan")
    ratios = draws.ratio(after, before, both["subject_id"])
    yield Measured(subset, "nmse_ratio", value, len(both), ratios, both["subject_id"].nunique())


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
