"""One look of a detector at a face, as other runtimes can compute it.

A host goes from a face box to points in the steps of :class:`Portable`, of which only the network
needs more than a warp and a fit of a similarity.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from thermalign.landmarks.normalise import normalise


@dataclass(frozen=True)
class Portable:
    """What a detector's ``portable(state, settings)`` returns.

    1. Points of the start: ``start`` times the mean of the box's sides, around the box's middle.
    2. The similarity that brings them nearest to ``goal``; the image warped by it is the crop.
    3. The network's points in the crop, brought back, are the points; ``passes`` times from 2.

    Attributes
    ----------
    network : nn.Module
        From crops (N, 1, size, size) in any unit and levels (N, 2) in that unit, which become -1
        and 1, to points (N, L, 2), pixels of the crop, and their raw covariance (N, L, 2, 2).
    size : int, pixels
        Side of a crop.
    start : (L, 2) float32, mean sides of the box
    goal : (L, 2) float32, pixels of the crop
    passes : int
        Looks at a face.
    """

    network: nn.Module
    size: int
    start: Tensor
    goal: Tensor
    passes: int


class Normalised(nn.Module):
    """One look with a network, behind the normalisation of what it is shown.

    Parameters
    ----------
    model : nn.Module
    look : function
        From the model and normalised crops (N, 1, size, size) to points and covariances.
    """

    def __init__(
        self, model: nn.Module, look: Callable[[Any, Tensor], tuple[Tensor, Tensor]]
    ) -> None:
        super().__init__()
        self.model, self.look = model, look

    def forward(self, crops: Tensor, levels: Tensor) -> tuple[Tensor, Tensor]:
        """Return points and covariances of crops (N, 1, size, size) with levels (N, 2)."""
        return self.look(self.model, normalise(crops, levels))
