"""Training faces as other cameras and other poses would show them: the same for every detector.

`augmented` is called once per batch. Shape and light are apart: `augment/distortion.py` gives faces
other proportions, their points with them; `augment/camera.py` changes what is normalised.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from thermalign.landmarks.augment.camera import Camera, draw_camera
from thermalign.landmarks.augment.distortion import distorted
from thermalign.landmarks.augment.settings import Augmentation
from thermalign.landmarks.normalise import NormalisedFaces

__all__ = ["Augmentation", "RecordedFaces", "augmented"]


@dataclass(frozen=True)
class RecordedFaces(NormalisedFaces):
    """Normalised faces as a camera of each shows them."""

    camera: Camera

    def crops(self, rows: Tensor, matrices: Tensor, *, width: int, height: int) -> Tensor:
        """Warp, normalise and record, (K, 1, height, width); every call sees the same cameras."""
        crops = super().crops(rows, matrices, width=width, height=height)
        return self.camera.record(crops, rows, matrices)


def augmented(
    data: NormalisedFaces, rows: Tensor, settings: Augmentation, generator: torch.Generator
) -> NormalisedFaces:
    """Draw a distortion and a camera for each of some examples.

    Parameters
    ----------
    data : NormalisedFaces
    rows : (K,) int64
    settings : Augmentation
        With everything off the examples are given as they are, and nothing is drawn.
    generator : torch.Generator

    Returns
    -------
    NormalisedFaces
        The K examples, rows 0 to K - 1: points of the distorted faces, their boxes and crops.
    """
    faces = distorted(data.faces, rows, settings, generator)
    camera = draw_camera(faces, settings, generator)
    if camera is None:
        return NormalisedFaces(faces, data.levels[rows])
    return RecordedFaces(faces, data.levels[rows], camera)
