"""A two-branch network: each modality enters by layers of its own, and the last is shared.

It is trained on people of other datasets (:mod:`thermalign.networks.two_branch`), once for all
folds, and compares faces by the cosine of their vectors. Here it is read and applied.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from thermalign.settings import setting
from thermalign.states import read_metadata, read_state
from thermalign.verification.contract import THERMAL, VISIBLE, Examples, State

WITHIN = True
"""Images of one modality are brought together alike, so that a control may compare them."""

CHUNK = 256  # faces at a time


@dataclass(frozen=True)
class Settings:
    """Which trained network is applied.

    Attributes
    ----------
    network : str
        Name under networks; a job is given the path of its state.
    """

    network: str = setting()


def fit(examples: Examples, settings: Settings, *, seed: int) -> State:
    """Return the trained network; no image of the fold is looked at, its own people are told.

    Raises
    ------
    ValueError
        If the file is no such network.
    """
    path = Path(settings.network)
    described = read_metadata(path).get("people")
    if not isinstance(described, list):
        raise ValueError(f"{path}: is no network of a matcher; name one under networks:")
    examples.add_strangers(described)
    return read_state(path).tensors


def apply(state: State, descriptors: Tensor, modality: str) -> Tensor:
    """Return the vectors (N, C) of descriptors (N, rows, columns, D) of a modality, of length 1.

    Raises
    ------
    ValueError
        If the network was trained for other descriptors.
    """
    network = TwoBranch.like(state)
    wanted, given = len(state["projection"]), descriptors[0].numel()
    if given != wanted:
        raise ValueError(
            f"matcher: mapping: two_branch was trained for {wanted} numbers a face and is given "
            f"{given}; leave features and alignment as they were then"
        )
    network.load_state_dict(state)
    network.eval()
    with torch.inference_mode():
        parts = [
            network(network.project(part, modality), modality)
            for part in torch.split(descriptors.float(), CHUNK)
        ]
    return torch.cat(parts).to(descriptors.dtype)


class TwoBranch(nn.Module):
    """The network: a fixed projection, a residual layer of each modality's own, a shared layer.

        x = P'(d - mean of its modality),   y = x + B relu(A x + a) + b,   z = W y / |W y|

    A, a, B, b are of the modality. P and the means are those of WCCN, so that the untrained network
    (B = 0, W = 1) compares faces as that does.

    Parameters
    ----------
    numbers : int
        In the descriptors of a face.
    components : int
        Of the projection, and in a vector.
    hidden : int
        Units of a modality's own layer.
    dropout : float
        Share of x that is left out in training.

    Source
    ------
    Layers of each modality's own before shared ones: de Freitas Pereira, Anjos and Marcel, IEEE
    TIFS 14(7), 2019. Differs from it in: dense gradient descriptors, projected by WCCN, instead of
    pixels, and size.
    """

    projection: Tensor  # (numbers, components) float32

    def __init__(self, numbers: int, components: int, hidden: int, dropout: float = 0.0) -> None:
        super().__init__()
        both = (VISIBLE, THERMAL)
        self.dropout = dropout
        self.register_buffer("projection", torch.zeros(numbers, components))
        for modality in both:
            self.register_buffer(f"mean_{modality}", torch.zeros(numbers))
        self.enter = nn.ModuleDict({m: nn.Linear(components, hidden) for m in both})
        self.leave = nn.ModuleDict({m: nn.Linear(hidden, components) for m in both})
        self.last = nn.Linear(components, components, bias=False)
        for layer in self.leave.values():
            for parameter in layer.parameters():
                nn.init.zeros_(parameter)
        nn.init.eye_(self.last.weight)

    @classmethod
    def like(cls, state: Mapping[str, Tensor]) -> "TwoBranch":
        """Return an untrained network of the sizes of a state."""
        numbers, components = state["projection"].shape
        return cls(numbers, components, len(state[f"enter.{VISIBLE}.bias"]))

    def project(self, descriptors: Tensor, modality: str) -> Tensor:
        """Return x (N, C) of descriptors (N, rows, columns, D) of a modality."""
        mean: Tensor = getattr(self, f"mean_{modality}")
        return (descriptors.flatten(1) - mean) @ self.projection

    def forward(self, projected: Tensor, modality: str) -> Tensor:
        """Return z (N, C) of x (N, C) of a modality."""
        x = functional.dropout(projected, self.dropout, self.training)
        own: Tensor = self.leave[modality](torch.relu(self.enter[modality](x)))
        return functional.normalize(self.last(x + own))
