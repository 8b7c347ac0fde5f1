"""The one optimisation loop: seeds, precision, learning rate, early stopping, resuming.

A training is a `Session` of one or more stages; `Stage` holds what one in progress consists of.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import nn

from thermalign.settings import check_choices, check_ranges
from thermalign.states import CurvePoint, State
from thermalign.training.checkpoint import Checkpoint
from thermalign.training.meter import Meter
from thermalign.training.precision import PRECISIONS, compile_networks, is_low, set_low
from thermalign.training.stage import SCHEDULES, Loss, Optimisation, Stage

M = TypeVar("M", bound=nn.Module)


_LOOK_EVERY = 16  # steps between looks at the losses on a GPU, which waits at each


def check(settings: Optimisation) -> None:
    """Refuse settings of the optimisation that are out of range.

    Raises
    ------
    ValueError
        Naming the setting.
    """
    check_ranges(settings, batch_size=(2, 65536), learning_rate=(1e-8, 1))
    check_ranges(settings, validate_every=(1, 10**8), patience=(0, 10**6))
    check_choices(settings, schedule=SCHEDULES, precision=PRECISIONS)


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
        part = Stage(stage, trained, self.generator, settings, l2=l2)
        trained.train()
        snapshot = checkpoint.stages.get(stage) if checkpoint else None
        if snapshot is not None:
            self._began = time.process_time() - part.restore(snapshot)
            if self._run.progress and not part.finished:
                print(f"{name}: goes on from step {part.step}", file=sys.stderr, flush=True)
        set_low(trained, is_low(settings.precision))
        if settings.compile:
            compile_networks(trained)
        look_every = 1 if self.generator.device.type == "cpu" else _LOOK_EVERY
        meter = Meter(
            name, steps, begin=part.step, batch_size=settings.batch_size, show=self._run.progress
        )
        with meter:
            while not part.ends(steps):
                part.advance(loss, steps)
                if part.step % look_every and not part.pauses(steps):
                    continue
                part.look(name)
                meter.update(part.step, part.losses[-1])
                if part.pauses(steps):
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


@contextmanager
def session(model: str, seed: int, device: torch.device, run: Run) -> Iterator[Session]:
    """Seed initialisation, dropout and draws, leaving the caller's random state as it was."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield Session(model, torch.Generator(device).manual_seed(seed), run)


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
    set_low(module, is_low(settings.precision))
    return module.to(device).eval()
