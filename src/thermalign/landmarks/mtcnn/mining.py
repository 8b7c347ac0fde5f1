"""Hard examples: what the networks before find in training images, right and wrong."""

from typing import Protocol

import numpy as np
import torch

from thermalign.landmarks.contract import Faces
from thermalign.landmarks.mtcnn import cascade, crops
from thermalign.landmarks.mtcnn.cascade import Detecting
from thermalign.landmarks.mtcnn.crops import Pools, Sampling
from thermalign.landmarks.mtcnn.networks import PNet, RNet


class Mining(Detecting, Sampling, Protocol):
    """The settings of MTCNN that say how it mines; see `mtcnn.Settings`."""

    @property
    def mined_faces(self) -> int: ...
    @property
    def mining_thresholds(self) -> tuple[float, float]: ...


def mine(
    train: Faces,
    settings: Mining,
    generator: torch.Generator,
    *,
    pnet: PNet,
    rnet: RNet | None = None,
) -> Pools:
    """Sort what trained networks find in training images by overlap, topped up with random crops.

    Parameters
    ----------
    train : Faces
        Of many, ``mined_faces`` are drawn; mirrored copies count as faces of their own.
    settings : Mining
    generator : torch.Generator
        Of this stage alone (`generator`), so that a training that goes on after a kill mines the
        same.
    pnet : PNet
    rnet : RNet, optional
        Refines what P-Net finds.

    Returns
    -------
    Pools
        Of the examples of ``train``.

    Raises
    ------
    ValueError
        If there are no crops of one kind, neither mined nor random ones.
    """
    device = train.stack.device
    rows = torch.randperm(len(train), generator=generator, device=device)[: settings.mined_faces]
    rows = rows.sort().values
    some = train.subset(rows)
    first, second = settings.mining_thresholds
    found = cascade.propose(pnet, some, settings, threshold=first)
    if rnet is not None:
        found = cascade.refine(rnet, some, found, settings, threshold=second)
    mined = crops.mined_pools(some, found.crops, settings)
    return crops.top_up(mined, some, settings, generator).of(rows)


def generator(train: Faces, seed: int, stage: int) -> torch.Generator:
    """Return the draws of a stage's crops: they depend on the seed and the stage (from 0) alone."""
    mixed = np.random.SeedSequence([seed, stage]).generate_state(1)
    return torch.Generator(train.stack.device).manual_seed(int(mixed[0]))
