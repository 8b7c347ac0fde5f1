"""Training of the two-branch network: settings, the people it sees, loss, validation.

A step draws people, and of each a visible and a thermal image. Every thermal vector must find the
visible one of its person among those of all, and the other way round.
"""

from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from thermalign.metrics.verification import eer
from thermalign.networks.copies import Jitter
from thermalign.settings import check, setting
from thermalign.states import State
from thermalign.training import loop
from thermalign.training.loop import UNKEPT, Run, keep
from thermalign.verification import features
from thermalign.verification.contract import THERMAL, VISIBLE
from thermalign.verification.features import mirror
from thermalign.verification.two_branch import CHUNK, TwoBranch


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters of the network and its training. ASSUME: chosen on validation people.

    Attributes
    ----------
    channels : tuple of int
        Of the first convolution, and of those at a half and a quarter of the places.
    embedding : int
        Numbers that a face becomes.
    dropout : float
        Of what the last layer is given, in training.
    temperature : float
        That cosines are divided by in the loss.
    margin : float
        That the cosine with one's own image must be above the others'.
    mirrored : float
        Share of people whose both images are mirrored: they count as somebody else.
    copies : int
        Displaced copies of each face beside the exact one; 0 trains on exact alignment alone.
    jitter : Jitter
        Of the copies.
    validation_people : int
        Held out: the state with the lowest equal error rate among them is kept; 0 keeps the last.
    batch_size : int
        People per step.
    steps : int
        Of the training.
    learning_rate : float
        Of Adam, the highest one.
    l2 : float
        Times half the squared kernels of the convolutions, in the loss.
    schedule : str
        Of the learning rate; see ``training/loop.py``.
    validate_every : int
        Steps between validations.
    patience : int
        Validations without a lower error before training stops; 0 never stops.
    precision : str
        In which the convolutions compute.
    compile : bool
        Whether the network is compiled for training by torch.compile.
    """

    channels: tuple[int, int, int] = setting((48, 64, 128), low=1, high=4096)
    embedding: int = setting(256, low=2, high=65536)
    dropout: float = setting(0.2, low=0, high=0.9)
    temperature: float = setting(0.06, low=1e-3, high=10)
    margin: float = setting(0.1, low=0, high=1)
    mirrored: float = setting(0.5, low=0, high=1)
    copies: int = setting(2, low=0, high=100)
    jitter: Jitter = field(default_factory=Jitter)
    validation_people: int = setting(100, low=0)
    batch_size: int = setting(128, low=2, high=65536)
    steps: int = setting(1500, low=1, high=100_000_000)
    learning_rate: float = setting(2e-3, low=1e-8, high=1)
    l2: float = setting(1e-4, low=0, high=1)
    schedule: str = setting("one_cycle", choices=("constant", "cosine", "one_cycle"))
    validate_every: int = setting(250, low=1, high=100_000_000, unit="steps")
    patience: int = setting(0, low=0, high=1_000_000)
    precision: str = setting("float32", choices=("float32",))
    compile: bool = setting(False)

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        check(self)


@dataclass(frozen=True)
class Side:
    """Faces of one modality.

    Attributes
    ----------
    descriptors : (N, copies, rows, columns, D) float16
    people : (N,) int64, rising
        Who is on each, from 0, each at least once; the same numbers in both modalities.
    """

    descriptors: Tensor
    people: Tensor

    def draw(self, people: Tensor, generator: torch.Generator) -> Tensor:
        """Return descriptors (K, rows, columns, D) of a drawn image and copy of people (K,)."""
        count = torch.bincount(self.people)
        first = count.cumsum(0) - count
        shape = (2, len(people))
        drawn = torch.rand(shape, generator=generator, device=people.device)
        row = first[people] + (drawn[0] * count[people]).long()
        copy = (drawn[1] * self.descriptors.shape[1]).long()
        return self.descriptors[row, copy].float()

    def of(self, people: Tensor) -> "Side":
        """Return the faces of some people (P,), numbered anew in their order."""
        new = torch.full((int(self.people.max()) + 1,), -1, device=people.device)
        new[people] = torch.arange(len(people), device=people.device)
        kept = new[self.people] >= 0
        numbers, order = new[self.people[kept]].sort(stable=True)
        return Side(self.descriptors[kept][order], numbers)


Sides = dict[str, Side]
"""By modality."""


def fit(
    sides: Sides,
    settings: Settings,
    described: features.Settings,
    *,
    seed: int,
    run: Run = UNKEPT,
) -> State:
    """Train the network on people who are in both modalities.

    Parameters
    ----------
    sides : Sides
    settings : Settings
    described : settings of the descriptors, which say what a mirrored one is
    seed : int
    run : Run

    Returns
    -------
    State
        Its curve has the equal error rate of validation people in place of an NMSE.

    Raises
    ------
    ValueError
        If there are too few people.

    Source
    ------
    Layers of each modality's own before shared ones: de Freitas Pereira, Anjos and Marcel, IEEE
    TIFS 14(7), 2019. Loss: Sohn, NIPS 2016 (one's pair among those of everybody in the batch), on
    cosines with a margin as Wang et al., CVPR 2018. Differs from them in: dense gradient
    descriptors instead of pixels, a small network trained from nothing, mirrored people as others.
    """
    count = int(sides[VISIBLE].people.max()) + 1
    if count - settings.validation_people < 2:
        raise ValueError(
            f"two_branch: {count} people are in both modalities, of whom validation_people: "
            f"{settings.validation_people} are held out; two at least must be left to train on"
        )
    on = sides[VISIBLE].people.device
    with loop.session("two_branch", seed, on, run) as session:
        order = torch.randperm(count, generator=session.generator, device=on)
        held_out, trained = order[: settings.validation_people], order[settings.validation_people :]
        train = {m: side.of(trained) for m, side in sides.items()}
        others = {m: side.of(held_out) for m, side in sides.items()} if len(held_out) else {}
        shape = train[VISIBLE].descriptors.shape[2:]
        network = TwoBranch((shape[0], shape[1]), shape[2], settings.channels, settings.embedding)
        network.to(on)
        loss = partial(_loss, network, train, settings, described, session.generator)
        validate = partial(_error, network, others) if len(held_out) else None
        given = {"loss": loss, "validate": validate, "l2": settings.l2}
        session.optimise(network, "vectors", settings.steps, settings, **given)
    return keep(network, session.curve, settings)


def _loss(
    network: TwoBranch,
    sides: Sides,
    settings: Settings,
    described: features.Settings,
    generator: torch.Generator,
) -> Tensor:
    """Return the mean cross-entropy of a drawn batch's own pairs, both ways."""
    people = sides[VISIBLE].people
    count, size = int(people[-1]) + 1, settings.batch_size
    drawn = torch.randperm(count, generator=generator, device=people.device)[:size]
    turned = torch.rand(len(drawn), generator=generator, device=people.device) < settings.mirrored
    entered = []
    for modality, side in sides.items():
        given = side.draw(drawn, generator)
        if settings.mirrored:
            given = torch.where(turned[:, None, None, None], mirror(given, described), given)
        entered.append(network.enter(given, modality))
    vectors = network.together(torch.cat(entered), dropout=settings.dropout)
    first, second = vectors.split(len(drawn))
    own = torch.eye(len(drawn), device=people.device)
    logits = (first @ second.T - settings.margin * own) / settings.temperature
    truth = torch.arange(len(drawn), device=people.device)
    return (cross_entropy(logits, truth) + cross_entropy(logits.T, truth)) / 2


def _error(network: TwoBranch, sides: Sides) -> Tensor:
    """Return the equal error rate of people, enrolled by the mean of their visible vectors."""
    vectors = {m: exact_vectors(network, side, m) for m, side in sides.items()}
    people = sides[VISIBLE].people
    templates = vectors[VISIBLE].new_zeros(int(people[-1]) + 1, vectors[VISIBLE].shape[1])
    templates.index_add_(0, people, vectors[VISIBLE])
    templates /= torch.bincount(people)[:, None]
    scores = vectors[THERMAL] @ templates.T
    genuine = sides[THERMAL].people[:, None] == torch.arange(len(templates), device=people.device)
    return torch.tensor(eer(scores.cpu().numpy().ravel(), genuine.cpu().numpy().ravel()))


def exact_vectors(network: TwoBranch, side: Side, modality: str) -> Tensor:
    """Return the vectors (N, E) of faces aligned by their annotated points."""
    parts = torch.split(side.descriptors[:, 0], CHUNK)
    return torch.cat([network(part.float(), modality) for part in parts])
