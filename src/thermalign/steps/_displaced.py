"""Probes of one modality whose landmarks are displaced, and what verifies them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from thermalign.displacements import displace
from thermalign.geometry import Floats
from thermalign.metrics.landmarks import normalized_errors
from thermalign.steps._aligned import align_stack, alignable
from thermalign.steps._descriptors import describe
from thermalign.steps._inputs import points_of
from thermalign.steps._matcher import Matcher
from thermalign.steps._measures import comparisons_of
from thermalign.steps._readings import headline_of
from thermalign.steps._scores import score_probes
from thermalign.steps._stack import cut_images, read_images
from thermalign.warp import ImageStack

REACH = 2.0  # sides of the box around the landmarks that are kept beyond it


@dataclass(frozen=True)
class Side:
    """Probes of one modality, and what verifies them.

    Attributes
    ----------
    probes : DataFrame of IMAGES, N rows of one modality
    points : (N, L, 2) float64, pixels of the parts
        Annotated.
    stack : ImageStack of N parts of the probes, around their faces
    matcher : Matcher
    settings, alignment : the ``matcher:`` and ``alignment:`` blocks
    """

    probes: pd.DataFrame
    points: Floats
    stack: ImageStack
    matcher: Matcher
    settings: dict[str, Any]
    alignment: dict[str, Any]

    @classmethod
    def of(
        cls,
        probes: pd.DataFrame,
        annotations: pd.DataFrame,
        matcher: Matcher,
        *,
        settings: dict[str, Any],
        alignment: dict[str, Any],
    ) -> "Side":
        """Read probes, all annotated and of one modality."""
        points = points_of(annotations, list(probes["image_id"]))
        boxes = np.concatenate([points.min(axis=1), np.ptp(points, axis=1)], axis=1)
        cut = cut_images(read_images(probes), boxes, REACH)
        inside = points - cut.origins.cpu().numpy()[:, None]
        return cls(probes, inside, cut.stack, matcher, settings, alignment)

    @property
    def modality(self) -> str:
        """What the probes were recorded in."""
        return str(self.probes["modality"].iloc[0])

    @property
    def moments(self) -> pd.Series:
        """The pair of each probe, or its own name without one: what decides its draw."""
        paired = self.probes["pair_id"] != ""
        return self.probes["pair_id"].where(paired, self.probes["image_id"])

    def displaced(self, kind: str, level: float, *, seed: int) -> pd.DataFrame:
        """Return SCORES of the displaced probes with what is known of them, moment and error.

        Parameters
        ----------
        kind, level, seed : as for :func:`thermalign.displacements.displace`
        """
        points = displace(self.points, list(self.moments), kind=kind, level=level, seed=seed)
        usable = alignable(points, self.alignment)

        def described() -> Tensor:
            which = np.flatnonzero(usable)
            faces = align_stack(self.stack, which, points[which], self.alignment)
            return describe(faces, self.settings)

        readings = [headline_of(self.settings)]
        scores = score_probes(self.matcher, self.probes, usable, described, readings=readings)
        error = normalized_errors(points, self.points).mean(axis=1)
        known = pd.DataFrame(
            {"image_id": self.probes["image_id"], "moment": self.moments, "error": error}
        )
        table = comparisons_of(scores, self.probes)
        return table.merge(known, on="image_id")
