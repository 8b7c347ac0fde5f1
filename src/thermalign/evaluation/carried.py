"""Variants of the test condition carried to verification: what moved boxes cost the matcher."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from torch import Tensor

from thermalign.evaluation.draws import Draws, comparisons_of
from thermalign.evaluation.measured import Measured
from thermalign.evaluation.verification import eers_by_range
from thermalign.geometry import Floats
from thermalign.records import points_of
from thermalign.schemas.keys import VARIANT, Subset
from thermalign.verification import alignment
from thermalign.verification.descriptors import Descriptors
from thermalign.verification.enrolment import probes_of
from thermalign.verification.matcher import Matcher, Settings, score_probes


def measure_carried(
    rows: pd.DataFrame,
    shown: Mapping[str, pd.DataFrame],
    found: Mapping[str, pd.DataFrame],
    matcher: Matcher,
    *,
    draws: Draws,
    settings: Settings,
    aligned: alignment.Settings,
    experiment: str = VARIANT,
) -> Iterator[Measured]:
    """Yield the EER of a model under every variant, all ranges together and each.

    A probe without points, or with points that cannot be aligned, matches nobody. Under the
    protocol's headline reading of ``same_moment`` alone.

    Parameters
    ----------
    rows : DataFrame of IMAGES of the fold with ``role``
    shown : variant -> IMAGES of the dataset that it is recorded in, by ``image_id``
    found : variant -> PREDICTIONS of the probes
    matcher : Matcher
    draws : Draws
    settings : Settings
    aligned : settings of the alignment
    experiment : str
        What the conditions that ``shown`` and ``found`` name belong to.
    """
    probes = probes_of(rows, settings.probe, matcher.enrolment.images)
    ids = list(probes["image_id"])
    for name, images in shown.items():
        its, points = images.loc[ids].reset_index(), points_of(found[name], ids)
        usable = alignment.alignable(points, aligned)
        described = describe_images(its[usable], points[usable], aligned, settings)
        scores = score_probes(matcher, its, described, readings=[settings.headline])
        subset = Subset(experiment=experiment, setting=name)
        for _, rate in eers_by_range(subset, comparisons_of(scores, probes), draws):
            yield rate


def describe_images(
    images: pd.DataFrame, points: Floats, aligned: alignment.Settings, settings: Settings
) -> Descriptors:
    """Return the descriptors of images, read and aligned when they are asked for.

    Parameters
    ----------
    images : DataFrame of N IMAGES
    points : (N, L, 2) float, pixels, (x, y)
        That can be aligned.
    aligned : settings of the alignment
    settings : Settings
    """
    placed = images.assign(points=list(points)).set_index("image_id")
    read = partial(_aligned, placed, aligned)
    return Descriptors(list(images["image_id"]), read, settings.descriptors)


def _aligned(images: pd.DataFrame, aligned: alignment.Settings, image_ids: Sequence[str]) -> Tensor:
    """Read some of IMAGES, which have names as index and ``points``; return their faces."""
    rows = images.loc[list(image_ids)]
    return alignment.align_images(rows, np.stack(list(rows["points"])), aligned)
