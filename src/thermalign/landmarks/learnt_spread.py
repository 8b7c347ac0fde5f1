"""How far a map's mean may be off, learnt from errors: a small network beside finished maps.

It sees what the maps were made of where each landmark was found, how wide the maps are, and where
the landmarks lie in the input; it changes nothing of them. Features and errors are of any network
that makes maps of features at several resolutions; :mod:`thermalign.landmarks.heatmap` is the one
that has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from thermalign.geometry import LANDMARKS
from thermalign.training.loop import Loss, Optimisation, Session

_HIDDEN = 32
_FAR = 5.0  # standard deviations beyond which a feature says no more: errors there were never seen
_LEAST = 0.01  # deviation of a feature that is the same wherever it was seen
_STRAIGHT = 0.95  # correlation of the two axes, at most
_USUAL_TAIL = 1.5  # logarithm of the degrees of freedom beyond 2
_OF_MAP = 5  # what `seen` has of a map itself

_BATCH, _RATE = 64, 6e-3  # looks a step; the highest learning rate

_N = len(LANDMARKS)


class LearntSpread(nn.Module):
    """From what is `seen` of each landmark to the covariance of its error.

    One hidden layer of 32 units, which is told the landmark, and three numbers of each landmark:
    the logarithms of the deviations along x and y, and the area tangent of their correlation.

    Parameters
    ----------
    channels : sequence of int
        Of the levels that are seen.
    """

    middle: Tensor  # (F,) float32: features' means where errors were learnt from
    scale: Tensor  # (F,) float32: their standard deviations there
    landmarks: Tensor  # (L, L) float32: which one it is

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        features = sum(channels) + _OF_MAP + 2 * _N
        self.register_buffer("middle", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))
        self.register_buffer("landmarks", torch.eye(_N), persistent=False)
        self.hidden = nn.Linear(features + _N, _HIDDEN)
        self.out = nn.Linear(_HIDDEN, 3 * _N)
        self.tail = nn.Parameter(torch.tensor(_USUAL_TAIL))

    @torch.no_grad()
    def begin(self, features: Tensor, errors: Tensor) -> None:
        """Take features as usual, and say of each landmark how far it is off in general.

        Parameters
        ----------
        features : (K, L, F) float32
            Of landmarks whose errors are known; they become 0 on average, of deviation 1.
        errors : (K, L, 2) float32
            In the unit in which covariances are to be told.
        """
        every = features.flatten(0, 1)
        self.middle, self.scale = every.mean(0), every.std(0).clamp(min=_LEAST)
        self.out.weight.zero_()
        size = errors.square().mean(0).clamp(min=_LEAST**2).log() / 2  # (L, 2)
        self.out.bias.copy_(torch.cat([size, size.new_zeros(_N, 1)], 1).flatten())
        self.tail.fill_(_USUAL_TAIL)

    def forward(self, features: Tensor) -> Tensor:
        """Return the three numbers (K, L, 3) of features (K, L, F)."""
        usual = ((features - self.middle) / self.scale).clamp(-_FAR, _FAR)
        landmarks = self.landmarks.expand(usual.shape[0], -1, -1)  # len() would fix the batch
        told = torch.cat([usual, landmarks], -1)
        every = self.out(torch.relu(self.hidden(told))).unflatten(-1, (_N, 3))  # (K, L, L, 3)
        return (every * self.landmarks[..., None]).sum(2)

    def covariance(self, features: Tensor) -> Tensor:
        """Return the covariances (K, L, 2, 2) of errors, in the square of their unit."""
        along, across, turn = self(features).unbind(-1)
        x, y = along.exp(), across.exp()
        xy = _STRAIGHT * torch.tanh(turn) * x * y
        return torch.stack([torch.stack([x * x, xy], -1), torch.stack([xy, y * y], -1)], -2)

    def surprise(self, features: Tensor, errors: Tensor) -> Tensor:
        """Return the mean negative log-likelihood () of errors (K, L, 2), but for a constant, nats.

        They are taken to be bivariate Student t, with one tail, learnt as well, for all: a lost
        face does not decide how wide the others are.
        """
        along, across, turn = self(features).unbind(-1)
        rho, tail = _STRAIGHT * torch.tanh(turn), 2 + self.tail.exp()
        x, y = errors[..., 0] * (-along).exp(), errors[..., 1] * (-across).exp()
        free = 1 - rho.square()
        squared = (x * x - 2 * rho * x * y + y * y) / free
        far = (tail / 2 + 1) * torch.log1p(squared / tail)
        return (along + across + free.log() / 2 + far).mean()


@dataclass(frozen=True)
class _Learning:
    """How it is learnt; points stay as they are, so that validation has nothing to choose."""

    validate_every: int
    precision: str
    batch_size: int = _BATCH
    learning_rate: float = _RATE
    schedule: str = "cosine"
    patience: int = 0
    compile: bool = False


def learn(
    head: LearntSpread,
    examples: tuple[Tensor, Tensor],
    settings: Optimisation,
    session: Session,
    *,
    steps: int,
    validate: Loss | None,
) -> None:
    """Learn how far points are off.

    Parameters
    ----------
    head : LearntSpread
    examples : features (K, L, F) and errors (K, L, 2)
    settings : Optimisation
        Of what gave the examples, whose precision is noted.
    session : Session
        Of its training; this is one more stage, ``spread``.
    steps : int
    validate : callable or None
        Of the points; done once, at the end, and the last state is kept. The points are those from
        before, but every stage ends with an error of its own: the last one of the curve is what
        the trained state errs by.
    """
    features, errors = examples
    head.begin(features, errors)
    draws, on = session.generator, features.device

    def loss() -> Tensor:
        rows = torch.randint(len(features), (_BATCH,), generator=draws, device=on)
        return head.surprise(features[rows], errors[rows])

    its = _Learning(validate_every=steps, precision=settings.precision)
    session.optimise(head, "spread", steps, its, loss=loss, validate=validate)


def seen(
    levels: Sequence[Tensor], chances: Tensor, means: Tensor, covariances: Tensor, size: int
) -> Tensor:
    """Return what is seen of each landmark, (K, L, F) float32.

    Parameters
    ----------
    levels : (K, C, S / 2^n, S / 2^n) float each
        Features, from those that the maps are made of on to ever coarser ones; of each the mean
        over the map.
    chances : (K, L, S, S) float32
        Maps whose cells sum to 1: their entropy and their highest cell.
    means : (K, L, 2), covariances : (K, L, 2, 2) float32, pixels of the input
        Of the maps: logarithms of both variances, their correlation, and where all landmarks lie.
    size : int
        Side of the input, pixels.
    """
    parts, maps = [], chances
    for n, level in enumerate(levels):
        maps = 4 * avg_pool2d(maps, 2) if n else maps
        parts.append(torch.einsum("klyx,kcyx->klc", maps, level.float()))
    tiny = torch.finfo(chances.dtype).tiny
    variances = covariances.diagonal(dim1=-2, dim2=-1).clamp(min=1e-6)
    together = covariances[..., 0, 1] / variances.prod(-1).sqrt()
    of_map = [
        -(chances * chances.clamp(min=tiny).log()).sum((-2, -1)),
        *variances.log().unbind(-1),
        together,
        chances.amax((-2, -1)).clamp(min=tiny).log(),
    ]
    where = (2 * means / size - 1).flatten(1)[:, None].expand(-1, _N, -1)
    return torch.cat([*parts, torch.stack(of_map, -1), where], -1)
