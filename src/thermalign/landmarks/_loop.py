"""The one optimisation loop: seeds, learning rate, progress, early stopping, non-finite losses.

Everything that a run in progress consists of (network, optimiser, schedule, generator, best state,
curve) is held by `optimise`.
"""

import copy
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn
from tqdm import tqdm

from thermalign.landmarks._data import CurvePoint, State
from thermalign.landmarks._settings import check_choices, check_ranges

M = TypeVar("M", bound=nn.Module)

SCHEDULES = ("constant", "cosine", "one_cycle")

_LINE_EVERY = 10.0  # seconds between progress lines where there is no terminal
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


def check(settings: Optimisation) -> None:
    """Refuse settings of the optimisation that are out of range.

    Raises
    ------
    ValueError
        Naming the setting.
    """
    check_ranges(settings, batch_size=(2, 65536), learning_rate=(1e-8, 1))
    check_ranges(settings, validate_every=(1, 10**8), patience=(0, 10**6))
    check_choices(settings, schedule=SCHEDULES)


@dataclass(frozen=True)
class Stage:
    """What is optimised in one go: its names for messages and the curve, and its length."""

    model: str
    name: str
    steps: int


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[torch.Generator]:
    """Seed initialisation and dropout, leaving the caller's random state as it was.

    Yields
    ------
    torch.Generator on ``device``, for batches and perturbations
    """
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield torch.Generator(device).manual_seed(seed)


def optimise(
    trained: nn.Module,
    stage: Stage,
    settings: Optimisation,
    *,
    loss: Callable[[], Tensor],
    validate: Callable[[], Tensor] | None,
    progress: bool,
) -> list[CurvePoint]:
    """Minimise a loss with Adam and leave the module in its best validated state.

    Parameters
    ----------
    trained : nn.Module
        What is trained, put in training mode here; frozen parts of a model stay outside.
    stage : Stage
    settings : Optimisation
    loss : callable
        Draws a batch and returns its loss.
    validate : callable or None
        Returns the validation NMSE, interocular distances. Without it the last state is kept.
    progress : bool
        Whether to report on stderr: a bar on a terminal, else a line every 10 s.

    Returns
    -------
    list of CurvePoint

    Raises
    ------
    ValueError
        If a loss is not finite, naming model, stage and step.
    """
    optimiser = torch.optim.Adam(trained.parameters(), lr=settings.learning_rate)
    rate = partial(_rate, settings.schedule, stage.steps)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rate)
    curve: list[CurvePoint] = []
    best = _Best()
    losses: list[float] = []
    trained.train()
    with _Meter(stage, settings.batch_size, progress) as meter:
        for step in range(1, stage.steps + 1):
            losses.append(_step(loss, optimiser, stage, step))
            schedule.step()
            meter.update(step, losses[-1])
            if step % settings.validate_every and step < stage.steps:
                continue
            error = math.nan if validate is None else _evaluate(trained, validate)
            curve.append(CurvePoint(stage.name, step, sum(losses) / len(losses), error))
            losses.clear()
            best.offer(trained, error)
            if 0 < settings.patience <= best.age:
                break
    if best.state is not None:
        trained.load_state_dict(best.state)
    trained.eval()
    return curve


def keep(module: nn.Module, curve: list[CurvePoint]) -> State:
    """Return the state of a trained module, its tensors on the CPU."""
    tensors = {
        k: v.detach().cpu().clone(memory_format=torch.contiguous_format)
        for k, v in module.state_dict().items()
    }
    return State(tensors, curve)


def restore(module: M, state: State, device: torch.device) -> M:
    """Load a state into a fresh module, for prediction on a device.

    Raises
    ------
    ValueError
        If the state's tensors do not fit the module: it was trained with other settings.
    """
    try:
        module.load_state_dict(state.tensors)
    except RuntimeError as error:
        raise ValueError(
            f"the trained state does not fit the settings; predict with those it was trained "
            f"with ({str(error).splitlines()[1].strip()})"
        ) from error
    return module.to(device).eval()


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


def _rate(schedule: str, steps: int, step: int) -> float:
    if schedule == "constant":
        return 1.0
    rise = _WARM_UP * steps if schedule == "one_cycle" else 0.0
    if step < rise:
        return 0.5 * (1 - math.cos(math.pi * (step + 1) / (rise + 1)))
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rise) / (steps - rise))))


def _step(
    loss: Callable[[], Tensor], optimiser: torch.optim.Optimizer, stage: Stage, step: int
) -> float:
    optimiser.zero_grad(set_to_none=True)
    batch_loss = loss()
    value = batch_loss.item()
    if not math.isfinite(value):
        raise ValueError(
            f"{stage.model}, {stage.name}: the loss is {value} at step {step}; "
            "lower learning_rate, or check the images and boxes for extreme values"
        )
    batch_loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    return value


def _evaluate(trained: nn.Module, validate: Callable[[], Tensor]) -> float:
    trained.eval()
    with torch.no_grad():
        error = float(validate())
    trained.train()
    return error


class _Meter:
    """Report loss and speed on stderr: a bar on a terminal, else a line now and then."""

    def __init__(self, stage: Stage, batch_size: int, progress: bool) -> None:
        self._stage, self._batch_size = stage, batch_size
        terminal = sys.stderr.isatty()
        self._lines = progress and not terminal
        self._bar = tqdm(
            total=stage.steps,
            desc=f"{stage.model} {stage.name}",
            unit="step",
            disable=not (progress and terminal),
        )
        self._start = self._last = time.monotonic()

    def __enter__(self) -> "_Meter":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def update(self, step: int, loss: float) -> None:
        """Count a step."""
        now = time.monotonic()
        speed = step * self._batch_size / max(now - self._start, 1e-9)
        status = f"loss {loss:.4f}, {speed:.0f} images/s"
        self._bar.set_postfix_str(status, refresh=False)
        self._bar.update()
        if self._lines and now - self._last >= _LINE_EVERY:
            self._last = now
            name = f"{self._stage.model} {self._stage.name}"
            print(
                f"{name}: step {step} of {self._stage.steps}, {status}", file=sys.stderr, flush=True
            )
