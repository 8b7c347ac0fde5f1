"""Training of the two-branch network: settings, the people it sees, loss, validation.

It begins as WCCN of its training people. A step draws people, and of each a visible and a thermal
image: every thermal vector must find the visible one of its person among those of all, and the
other way round.
"""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from thermalign import room
from thermalign.metrics.verification import eer
from thermalign.networks.copies import Jitter
from thermalign.settings import check, setting
from thermalign.states import State
from thermalign.training import loop
from thermalign.training.loop import UNKEPT, Run, keep
from thermalign.verification import features, wccn
from thermalign.verification.contract import THERMAL, VISIBLE
from thermalign.verification.features import mirror
from thermalign.verification.two_branch import CHUNK, TwoBranch


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters of the network and its training. ASSUME: chosen on validation people.

    Attributes
    ----------
    components : int
        Of the projection, and in a vector.
    shrinkage : float
        Of the WCCN that it begins as.
    whitened_by : int
        Images of each person and modality that this WCCN is fitted to, at most.
    hidden : int
        Units of each modality's own layer.
    dropout : float
        Share of the components that are left out, in training.
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
    schedule : str
        Of the learning rate; see ``training/loop.py``.
    validate_every : int
        Steps between validations.
    patience : int
        Validations without a lower error before training stops; 0 never stops.
    precision : str
        In which it computes.
    compile : bool
        Whether the network is compiled for training by torch.compile.
    """

    components: int = setting(400, low=2, high=65536)
    shrinkage: float = setting(0.3, low=1e-6, high=1)
    whitened_by: int = setting(2, low=1)
    hidden: int = setting(512, low=1, high=65536)
    dropout: float = setting(0.3, low=0, high=0.9)
    temperature: float = setting(0.06, low=1e-3, high=10)
    margin: float = setting(0.1, low=0, high=1)
    mirrored: float = setting(0.5, low=0, high=1)
    copies: int = setting(1, low=0, high=100)
    jitter: Jitter = field(default_factory=Jitter)
    validation_people: int = setting(100, low=0)
    batch_size: int = setting(128, low=2, high=65536)
    steps: int = setting(1500, low=1, high=100_000_000)
    learning_rate: float = setting(1e-3, low=1e-8, high=1)
    schedule: str = setting("one_cycle", choices=("constant", "cosine", "one_cycle"))
    validate_every: int = setting(250, low=1, high=100_000_000, unit="steps")
    patience: int = setting(0, low=0, high=1_000_000)
    precision: str = setting("float32", choices=("float32",))
    compile: bool = setting(False)

    RELATIONS = (
        (
            "validation_people != 1",
            "validation_people is 1, who is nobody to be taken for; give 0, or 2 or more",
        ),
    )

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        check(self)


@dataclass(frozen=True)
class Side:
    """Faces of one modality.

    Attributes
    ----------
    faces : (F, copies, ...) float
        Descriptors, (rows, columns, D), float16; or what the network projects them to, that of the
        mirrored face second, (2, C). Those of some people share them with those of all.
    people : (N,) int64, rising
        Who is on each, from 0, each at least once; the same numbers in both modalities.
    rows : (N,) int64
        Which of ``faces`` each is.
    files : tuple of mmap
        What the faces lie in, where they are too many for memory.
    """

    faces: Tensor
    people: Tensor
    rows: Tensor
    files: tuple[mmap.mmap, ...] = ()

    @classmethod
    def of_all(cls, faces: Tensor, people: Tensor, files: tuple[mmap.mmap, ...] = ()) -> "Side":
        """Return faces in the order in which they are held."""
        return cls(faces, people, torch.arange(len(faces), device=faces.device), files)

    @property
    def first(self) -> Tensor:
        """The first row of everybody, (P,) int64."""
        count = torch.bincount(self.people)
        return count.cumsum(0) - count

    def draw(self, people: Tensor, generator: torch.Generator) -> Tensor:
        """Return a drawn copy of a drawn image of each of some people (K,), (K, ...)."""
        count, shape = torch.bincount(self.people)[people], (2, len(people))
        drawn = torch.rand(shape, generator=generator, device=people.device)
        row = self.first[people] + (drawn[0] * count).long()
        return self.faces[self.rows[row], (drawn[1] * self.faces.shape[1]).long()]

    def few(self, most: int) -> tuple[Tensor, list[str]]:
        """Return exact faces (M, ...) float32, at most so many of everybody, and who is on each."""
        place = torch.arange(len(self.people), device=self.people.device) - self.first[self.people]
        kept = place < most
        exact = self.faces[self.rows[kept], 0].float()
        room.give_back(self.files)
        return exact, [str(n) for n in self.people[kept].tolist()]

    def of(self, people: Tensor) -> "Side":
        """Return the faces of some people (P,), numbered anew in their order."""
        new = torch.full((int(self.people.max()) + 1,), -1, device=people.device)
        new[people] = torch.arange(len(people), device=people.device)
        kept = new[self.people] >= 0
        numbers, order = new[self.people[kept]].sort(stable=True)
        return replace(self, people=numbers, rows=self.rows[kept][order])

    def parts(self, count: int) -> Iterator[Tensor]:
        """Go through the faces (K, copies, ...), so many at a time."""
        for some in torch.split(self.rows, count):
            yield self.faces[some]
            room.give_back(self.files)


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
        Of descriptors.
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
    Loss: Sohn, NIPS 2016 (one's pair among those of everybody in the batch), on cosines with a
    margin as Wang et al., CVPR 2018. Differs from them in: negatives of the other modality alone,
    mirrored people as others.
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
        exact = {m: side.of(trained) for m, side in sides.items()}
        network = begin(exact, settings)
        train = {m: projected(network, side, m, described) for m, side in exact.items()}
        others = {m: side.of(held_out) for m, side in sides.items()} if len(held_out) else {}
        others = {m: projected(network, side, m, described) for m, side in others.items()}
        loss = partial(_loss, network, train, settings, session.generator)
        validate = partial(_error, network, others) if others else None
        session.optimise(network, "vectors", settings.steps, settings, loss=loss, validate=validate)
    return keep(network, session.curve, settings)


def begin(sides: Sides, settings: Settings) -> TwoBranch:
    """Return the untrained network of people, on their device: WCCN, scaled to unit variance."""
    few = [sides[m].few(settings.whitened_by) for m in (VISIBLE, THERMAL)]
    its = wccn.Settings(components=settings.components, shrinkage=settings.shrinkage)
    state = wccn.fit_people(few[0], few[1], its)
    projection = state["projection"]
    numbers, components = projection.shape
    network = TwoBranch(numbers, components, settings.hidden, settings.dropout)
    network.to(projection.device)
    for modality in (VISIBLE, THERMAL):
        getattr(network, f"mean_{modality}").copy_(state[modality].flatten())
    spread = wccn.apply(state, few[1][0], THERMAL).std()
    network.projection.copy_(projection / spread)
    return network


def projected(network: TwoBranch, side: Side, modality: str, described: features.Settings) -> Side:
    """Return faces of descriptors as the network projects them, mirrored ones second."""
    parts = []
    for some in side.parts(CHUNK):
        flat = some.flatten(0, 1).float()
        both = [network.project(x, modality) for x in (flat, mirror(flat, described))]
        parts.append(torch.stack(both, dim=1).view(*some.shape[:2], 2, -1))
    return Side.of_all(torch.cat(parts), side.people)


def _loss(
    network: TwoBranch, sides: Sides, settings: Settings, generator: torch.Generator
) -> Tensor:
    """Return the mean cross-entropy of a drawn batch's own pairs, both ways."""
    people = sides[VISIBLE].people
    every = torch.randperm(int(people[-1]) + 1, generator=generator, device=people.device)
    drawn, on = every[: settings.batch_size], people.device
    turned = torch.rand(len(drawn), generator=generator, device=on) < settings.mirrored
    row = torch.arange(len(drawn), device=on)
    visible, thermal = (
        network(sides[m].draw(drawn, generator)[row, turned.long()], m) for m in (VISIBLE, THERMAL)
    )
    own = settings.margin * torch.eye(len(drawn), device=on)
    logits = (thermal @ visible.T - own) / settings.temperature
    return (cross_entropy(logits, row) + cross_entropy(logits.T, row)) / 2


def _error(network: TwoBranch, sides: Sides) -> Tensor:
    """Return the equal error rate of people, enrolled by the mean of their visible vectors."""
    vectors = {m: network(side.faces[:, 0, 0], m) for m, side in sides.items()}
    people = sides[VISIBLE].people
    templates = vectors[VISIBLE].new_zeros(int(people[-1]) + 1, vectors[VISIBLE].shape[1])
    templates.index_add_(0, people, vectors[VISIBLE])
    templates /= torch.bincount(people)[:, None]
    scores = vectors[THERMAL] @ templates.T
    genuine = sides[THERMAL].people[:, None] == torch.arange(len(templates), device=people.device)
    return torch.tensor(eer(scores.cpu().numpy().ravel(), genuine.cpu().numpy().ravel()))
