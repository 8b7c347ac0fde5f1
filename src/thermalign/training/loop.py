"""The one optimisation loop: seeds, learning rate, early stopping, resuming.

A training is a `Session` of one or more stages; `Stage` is one in progress, of which a snapshot in
the checkpoint is enough to go on. `thermalign.training.precision` says how networks compute.
"""

import copy
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from thermalign.states import CurvePoint, State
from thermalign.training.checkpoint import Checkpoint, Snapshot, random_state, set_random_state
from thermalign.training.precision import compile_networks, set_precision

Loss = Callable[[], Tensor]

_LOOK_EVERY = 16  # steps between looks at the losses on a GPU, which waits at each

_LINE_EVERY = 10.0  # seconds between lines of progress where there is no terminal

_WARM_UP = 0.25  # share of the steps in which one_cycle rises


class Optimisation(Protocol):
    """The settings of a model that say how it is optimised."""

    @property
    def batch_size(self) -> int:
        """Examples per step."""

    @property
    def learning_rate(self) -> float:
        """The highest one that the schedule reaches."""

    @property
    def schedule(self) -> str:
        """Of the learning rate.

        ``constant``; ``cosine``: down to zero over the steps; ``one_cycle``: up over the first
        quarter, then down to zero, each half a cosine.
        """

    @property
    def validate_every(self) -> int:
        """Steps between validations."""

    @property
    def patience(self) -> int:
        """Validations in a row without a lower error before stopping early; 0 never stops."""

    @property
    def precision(self) -> str:
        """``float32`` or ``bfloat16``."""

    @property
    def compile(self) -> bool:
        """Whether networks are compiled for training."""


@dataclass(frozen=True)
class Run:
    """What accompanies a training without changing its result.

    Attributes
    ----------
    progress : bool
        Whether to report on stderr: a bar on a terminal, else a line every 10 s.
    checkpoint : Checkpoint or None
        Where the training is kept, to go on after a kill.
    """

    progress: bool = True
    checkpoint: Checkpoint | None = None


UNKEPT = Run()
"""With progress, without a checkpoint."""


def derived_seed(seed: int, place: int) -> int:
    """Return the seed of one of several trainings or stages, by its place from 0."""
    return int(np.random.SeedSequence([seed, place]).generate_state(1)[0])


def drawn_number(below: int, generator: torch.Generator) -> int:
    """Draw a whole number from 0 on that decides what the host does next, without a wait.

    From the generator, if it is the CPU's; else from PyTorch's own, which a session seeds and a
    checkpoint keeps.
    """
    its = generator if generator.device.type == "cpu" else None
    return int(torch.randint(below, (1,), generator=its))


def sent(values: Tensor, device: torch.device) -> Tensor:
    """Return values of the host on a device; a GPU fetches them while the host goes on."""
    if device.type == "cuda":
        values = values.pin_memory()
    return values.to(device, non_blocking=True)


@contextmanager
def session(model: str, seed: int, device: torch.device, run: Run) -> Iterator["Session"]:
    """Seed initialisation, dropout and draws, leaving the caller's random state as it was."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield Session(model, torch.Generator(device).manual_seed(seed), run)


class Session:
    """One training: its random draws, its stages so far and their curve.

    Attributes
    ----------
    generator : torch.Generator
        On the device of the data, for batches and perturbations.
    curve : list of CurvePoint
    """

    def __init__(self, model: str, generator: torch.Generator, run: Run) -> None:
        self.generator = generator
        self.curve: list[CurvePoint] = []
        self._model, self._run = model, run
        self._began = time.process_time()

    def optimise(
        self,
        trained: nn.Module,
        stage: str,
        steps: int,
        settings: Optimisation,
        *,
        loss: Loss,
        validate: Loss | None,
        l2: float = 0.0,
    ) -> float:
        """Minimise a loss with Adam and leave the module in its best validated state.

        Parameters
        ----------
        trained : nn.Module
            What is trained, put in training mode here; frozen parts of a model stay outside.
        stage : str
            Its name for messages, the curve and the checkpoint.
        steps : int
        settings : Optimisation
        loss : callable
            Draws a batch and returns its loss.
        validate : callable or None
            Returns the validation NMSE, interocular distances. Without it the last state is kept.
        l2 : float
            Of half the squared kernels of convolutions in the loss; see `Stage`.

        Returns
        -------
        float
            The validation NMSE of the state kept; infinite without validation.

        Raises
        ------
        ValueError
            If a loss is not finite, naming model, stage and step.
        """
        name = f"{self._model}, {stage}"
        checkpoint = self._run.checkpoint
        part = Stage(stage, trained, self.generator, settings, steps=steps, l2=l2)
        trained.train()
        snapshot = checkpoint.stages.get(stage) if checkpoint else None
        if snapshot is not None:
            self._began = time.process_time() - part.restore(snapshot)
            if self._run.progress and not part.finished:
                print(f"{name}: goes on from step {part.step}", file=sys.stderr, flush=True)
        set_precision(trained, settings.precision)
        if settings.compile:
            compile_networks(trained)
        look_every = 1 if self.generator.device.type == "cpu" else _LOOK_EVERY
        with Meter(name, part, show=self._run.progress) as meter:
            while not part.ends:
                part.advance(loss)
                if part.step % look_every and not part.pauses:
                    continue
                part.look(name)
                meter.update(part.step, part.losses[-1])
                if part.pauses:
                    part.assess(validate, self._seconds())
                if checkpoint and checkpoint.due():
                    checkpoint.write(stage, part.snapshot(self._seconds()))
        part.finish()
        if checkpoint:
            checkpoint.stages[stage] = part.snapshot(self._seconds())
        self.curve += part.curve
        return part.best.error

    def _seconds(self) -> float:
        return time.process_time() - self._began


class Stage:
    """All that a stage in progress consists of.

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
        steps: int,
        l2: float,
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
        self.step, self.steps, self.finished = 0, steps, False
        self._unseen: list[Tensor] = []

    @property
    def ends(self) -> bool:
        """Whether there is nothing left to do."""
        stalls = 0 < self.settings.patience <= self.best.age
        return self.finished or self.step >= self.steps or stalls

    @property
    def pauses(self) -> bool:
        """Whether a row of the curve is due."""
        return self.step % self.settings.validate_every == 0 or self.step == self.steps

    def advance(self, loss: Loss) -> None:
        """Take one step of the optimiser."""
        rate = rate_at(self.settings.schedule, self.steps, self.step)
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
            If one is not finite, naming the model and the step.
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
        error = math.nan
        if validate is not None:
            self.trained.eval()
            with torch.no_grad():
                error = float(validate())
            self.trained.train()
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
            "random": random_state(self.generator.device),
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
        set_random_state(self.generator.device, snapshot["random"])
        return float(snapshot["seconds"])


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


def rate_at(schedule: str, steps: int, step: int) -> float:
    """Return the learning rate of a step, from 0, as a share of the highest."""
    if schedule == "constant":
        return 1.0
    rise = _WARM_UP * steps if schedule == "one_cycle" else 0.0
    if step < rise:
        return 0.5 * (1 - math.cos(math.pi * (step + 1) / (rise + 1)))
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rise) / (steps - rise))))


class Meter:
    """Report loss and speed on stderr: a bar on a terminal, else a line now and then."""

    def __init__(self, name: str, stage: Stage, *, show: bool) -> None:
        self._name, self._steps, self._begin = name, stage.steps, stage.step
        self._batch_size = stage.settings.batch_size
        terminal = sys.stderr.isatty()
        self._lines, bar = show and not terminal, show and terminal
        self._bar = tqdm(
            total=stage.steps, initial=stage.step, desc=name, unit="step", disable=not bar
        )
        self._start = self._last = time.monotonic()

    def __enter__(self) -> "Meter":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def update(self, step: int, loss: float) -> None:
        """Show the loss after ``step`` steps and the examples trained on per second."""
        now = time.monotonic()
        speed = (step - self._begin) * self._batch_size / max(now - self._start, 1e-9)
        status = f"loss {loss:.4f}, {speed:.0f} images/s"
        self._bar.set_postfix_str(status, refresh=False)
        self._bar.update(step - self._bar.n)
        if self._lines and now - self._last >= _LINE_EVERY:
            self._last = now
            print(
                f"{self._name}: step {step} of {self._steps}, {status}", file=sys.stderr, flush=True
            )


M = TypeVar("M", bound=nn.Module)


def keep(
    module: nn.Module, curve: list[CurvePoint], settings: Optimisation, **notes: str | int
) -> State:
    """Return the state of a trained module, its tensors on the CPU, and what is noted of it."""
    tensors = {
        k: v.detach().cpu().clone(memory_format=torch.contiguous_format)
        for k, v in module.state_dict().items()
    }
    return State(tensors, curve, {"precision": settings.precision, **notes})


def restore(module: M, state: State, device: torch.device, settings: Optimisation) -> M:
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
    set_precision(module, settings.precision)
    return module.to(device).eval()
