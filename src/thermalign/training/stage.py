"""One stage of a training in progress: weights, optimiser, draws, best state and curve."""

import copy
import math
from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from thermalign.states import CurvePoint
from thermalign.training.checkpoint import Snapshot

Loss = Callable[[], Tensor]


SCHEDULES = ("constant", "cosine", "one_cycle")


_WARM_UP = 0.25  # share of the steps in which one_cycle rises


class Optimisation(Protocol):
    """The settings of a model that say how it is optimised.

    Attributes
    ----------
    batch_size : int
        Examples per step.
    learning_rate : float
        The highest one that the schedule reaches.
    schedule : str
        ``constant``; ``cosine``: down to zero over the steps; ``one_cycle``: up over the first
        quarter, then down to zero, each half a cosine.
    validate_every : int
        Steps between validations.
    patience : int
        Validations in a row without a lower error before stopping early; 0 never stops.
    precision : str
        ``float32`` or ``bfloat16``; see `_precision`.
    compile : bool
        Whether the networks are compiled for training; see `_precision`.
    """

    @property
    def batch_size(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def schedule(self) -> str: ...
    @property
    def validate_every(self) -> int: ...
    @property
    def patience(self) -> int: ...
    @property
    def precision(self) -> str: ...
    @property
    def compile(self) -> bool: ...


@dataclass
class _Best:
    """The state with the lowest validation error, and how many validations ago that was."""

    state: dict[str, Tensor] | None = None
    error: float = math.inf
    age: int = 0

    def offer(self, trained: nn.Module, error: float) -> None:
        """Take the module's state if it is better; without validation (NaN) do nothing."""
        if error < self.error:
            self.state, self.error, self.age = copy.deepcopy(trained.state_dict()), error, 0
        elif not math.isnan(error):
            self.age += 1


class Stage:
    """All that a stage in progress consists of; a snapshot of it is enough to go on.

    The optimiser is Adam. ``l2`` times the kernels of convolutions is added to their gradients, as
    an L2 term in the loss would (not the decoupled decay of AdamW); other parameters have none.
    """

    def __init__(
        self,
        name: str,
        trained: nn.Module,
        generator: torch.Generator,
        settings: Optimisation,
        *,
        l2: float = 0.0,
    ) -> None:
        self.name, self.trained, self.generator, self.settings = name, trained, generator, settings
        kernels = [p for p in trained.parameters() if p.dim() == 4]
        others = [p for p in trained.parameters() if p.dim() != 4]
        groups: list[dict[str, Any]] = [
            {"params": kernels, "weight_decay": l2},
            {"params": others},
        ]
        self.optimiser = torch.optim.Adam(groups, lr=settings.learning_rate, fused=True)
        self.best = _Best()
        self.curve: list[CurvePoint] = []
        self.losses: list[float] = []
        self.step, self.finished = 0, False
        self._unseen: list[Tensor] = []

    def ends(self, steps: int) -> bool:
        """Say whether there is nothing left to do."""
        return self.finished or self.step >= steps or 0 < self.settings.patience <= self.best.age

    def pauses(self, steps: int) -> bool:
        """Say whether a row of the curve is due."""
        return self.step % self.settings.validate_every == 0 or self.step == steps

    def advance(self, loss: Loss, steps: int) -> None:
        """Take one step of the optimiser."""
        rate = rate_at(self.settings.schedule, steps, self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * rate
        self.optimiser.zero_grad(set_to_none=True)
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self._unseen.append(value.detach())
        self.step += 1

    def look(self, name: str) -> None:
        """Fetch the losses of the last steps.

        Raises
        ------
        ValueError
            If one is not finite.
        """
        values = torch.stack(self._unseen).tolist()
        self._unseen.clear()
        for step, value in enumerate(values, self.step - len(values) + 1):
            if not math.isfinite(value):
                raise ValueError(
                    f"{name}: the loss is {value} at step {step}; "
                    "lower learning_rate, or check the images and boxes for extreme values"
                )
        self.losses += values

    def assess(self, validate: Loss | None, seconds: float) -> None:
        """Validate, and add a row to the curve."""
        error = math.nan if validate is None else _evaluate(self.trained, validate)
        loss = sum(self.losses) / len(self.losses)
        self.curve.append(CurvePoint(self.name, self.step, loss, error, seconds))
        self.losses.clear()
        self.best.offer(self.trained, error)

    def finish(self) -> None:
        """Leave the module in its best state, ready to predict."""
        if self.best.state is not None:
            self.trained.load_state_dict(self.best.state)
        self.best.state = None
        self.trained.eval()
        self.finished = True

    def snapshot(self, seconds: float) -> Snapshot:
        """Return all of it, for the checkpoint; a finished stage needs no optimiser."""
        weights = self.trained.state_dict()
        return {
            "step": self.step,
            "finished": self.finished,
            "seconds": seconds,
            "weights": copy.deepcopy(weights) if self.finished else weights,
            "optimiser": {} if self.finished else self.optimiser.state_dict(),
            "best": [self.best.state, self.best.error, self.best.age],
            "curve": [list(astuple(point)) for point in self.curve],
            "losses": self.losses,
            "draws": self.generator.get_state(),
            "random": _random_state(self.generator.device),
        }

    def restore(self, snapshot: Snapshot) -> float:
        """Take up a snapshot; return the core-seconds that the training had used."""
        self.step, self.finished = snapshot["step"], snapshot["finished"]
        self.trained.load_state_dict(snapshot["weights"])
        if not self.finished:
            self.optimiser.load_state_dict(snapshot["optimiser"])
        self.best = _Best(*snapshot["best"])
        self.curve = [CurvePoint(*row) for row in snapshot["curve"]]
        self.losses = list(snapshot["losses"])
        self.generator.set_state(snapshot["draws"])
        _set_random_state(self.generator.device, snapshot["random"])
        return float(snapshot["seconds"])


def rate_at(schedule: str, steps: int, step: int) -> float:
    """Return the learning rate of a step, from 0, as a share of the highest."""
    if schedule == "constant":
        return 1.0
    rise = _WARM_UP * steps if schedule == "one_cycle" else 0.0
    if step < rise:
        return 0.5 * (1 - math.cos(math.pi * (step + 1) / (rise + 1)))
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rise) / (steps - rise))))


def _evaluate(trained: nn.Module, validate: Loss) -> float:
    trained.eval()
    with torch.no_grad():
        error = float(validate())
    trained.train()
    return error


def _random_state(device: torch.device) -> list[Tensor]:
    """Return what dropout draws from, on the CPU and on the device."""
    states = [torch.get_rng_state()]
    return [*states, torch.cuda.get_rng_state(device)] if device.type == "cuda" else states


def _set_random_state(device: torch.device, states: list[Tensor]) -> None:
    torch.set_rng_state(states[0])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states[1], device)
