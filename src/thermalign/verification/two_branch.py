"""A two-branch network: each modality enters by layers of its own, and the rest is shared.

It is trained on people of other datasets (:mod:`thermalign.networks.two_branch`), once for all
folds, and compares faces by the cosine of their vectors. Here it is read and applied.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.functional import normalize

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
    """Return the vectors (N, E) of descriptors (N, rows, columns, D) of a modality, of length 1.

    Raises
    ------
    ValueError
        If the network was trained for other descriptors.
    """
    network = TwoBranch.like(state, tuple(descriptors.shape[1:]))
    network.load_state_dict(state)
    network.eval()
    parts = torch.split(descriptors.float(), CHUNK)
    with torch.inference_mode():
        return torch.cat([network(part, modality) for part in parts]).to(descriptors.dtype)


class TwoBranch(nn.Module):
    """The network: one convolution of each modality's own, three and a linear layer for both.

    Parameters
    ----------
    places : rows and columns of the descriptors
    width : int
        Numbers in a descriptor.
    channels : of the first convolution, and of those at a half and a quarter of the places
    embedding : int
        Numbers that a face becomes.

    Source
    ------
    Layers of each modality's own before shared ones: de Freitas Pereira, Anjos and Marcel, IEEE
    TIFS 14(7), 2019. Differs from it in: dense gradient descriptors instead of pixels, and size.
    """

    def __init__(
        self, places: tuple[int, int], width: int, channels: tuple[int, int, int], embedding: int
    ) -> None:
        super().__init__()
        first, half, quarter = channels
        self.own = nn.ModuleDict({m: _convolution(width, first) for m in (VISIBLE, THERMAL)})
        self.shared = nn.Sequential(
            _convolution(first, half, stride=2),
            _convolution(half, half),
            _convolution(half, quarter, stride=2),
        )
        self.last = nn.Linear(quarter * _quarter(places[0]) * _quarter(places[1]), embedding)

    @classmethod
    def like(cls, state: Mapping[str, Tensor], shape: tuple[int, ...]) -> "TwoBranch":
        """Return an untrained network of the sizes of a state, for descriptors of a shape.

        Raises
        ------
        ValueError
            If the state is for others.
        """
        first, width = state[f"own.{VISIBLE}.0.weight"].shape[:2]
        half, quarter = (len(state[f"shared.{k}.0.weight"]) for k in (0, 2))
        embedding, cells = state["last.weight"].shape
        rows, columns, given = shape
        if given != width or quarter * _quarter(rows) * _quarter(columns) != cells:
            raise ValueError(
                f"matcher: mapping: two_branch was trained for other descriptors than {rows} x "
                f"{columns} of {given} numbers; leave dog, features and alignment as they were then"
            )
        return cls((rows, columns), width, (first, half, quarter), embedding)

    def forward(self, descriptors: Tensor, modality: str) -> Tensor:
        """Return vectors of length 1 (N, E) of descriptors (N, rows, columns, D)."""
        return self.together(self.enter(descriptors, modality))

    def enter(self, descriptors: Tensor, modality: str) -> Tensor:
        """Return what a modality's own layer makes of descriptors, (N, C, rows, columns)."""
        entered: Tensor = self.own[modality](descriptors.permute(0, 3, 1, 2))
        return entered

    def together(self, entered: Tensor, dropout: float = 0.0) -> Tensor:
        """Return vectors of length 1 (N, E) of what branches made, whichever they were.

        ``dropout`` is the share of what the last layer is given that is left out, in training.
        """
        seen = self.shared(entered).flatten(1)
        return normalize(self.last(functional.dropout(seen, dropout, self.training)))


def _convolution(before: int, after: int, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


def _quarter(places: int) -> int:
    """Return how many places two convolutions of stride 2 leave."""
    return (places + 3) // 4
