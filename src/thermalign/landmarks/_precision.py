"""How a network computes: in bfloat16 where that is asked for or measured to be faster, compiled.

torch.compile needs a C++ compiler and about a minute. On a CPU it gained 3 % for DAN, whose time
goes into convolutions that it does not change, so it is off by default.
"""

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

PRECISIONS = ("auto", "fastest", "float32", "bfloat16")
"""``fastest`` measures both on this machine as training begins; ``auto`` does so on a GPU, and is
float32 on a CPU, where the result then does not depend on a clock. Trained models predict in
bfloat16 only where it is named."""

_ROUNDS = 3  # measurements of each precision; the shortest counts
_GAIN = 1.1  # bfloat16 has to be so many times as fast


class Mixed(nn.Module):
    """A network whose trunk may compute in bfloat16.

    Weights, the outputs that are coordinates or logits, and losses stay float32: a coordinate of
    100 pixels has a resolution of half a pixel in bfloat16.
    """

    low = False

    def trunk_precision(self, image: Tensor) -> AbstractContextManager[object]:
        """Return the context in which the trunk computes."""
        return torch.autocast(image.device.type, torch.bfloat16) if self.low else nullcontext()


def set_low(module: nn.Module, low: bool) -> None:
    """Let every network inside a module compute in bfloat16, or not."""
    for part in module.modules():
        if isinstance(part, Mixed):
            part.low = low


def compile_networks(module: nn.Module) -> None:
    """Compile every network inside a module as it first runs; its tensors keep their names."""
    for part in module.modules():
        if isinstance(part, Mixed):
            part.compile()


def choose(
    precision: str, trained: nn.Module, loss: Callable[[], Tensor], generator: torch.Generator
) -> bool:
    """Decide whether to train in bfloat16, leaving weights, statistics and draws as they were.

    Parameters
    ----------
    precision : str
        One of ``PRECISIONS``.
    trained : nn.Module
        In training mode, set to either precision here.
    loss : callable
        Draws a batch and returns its loss.
    generator : torch.Generator
        Of the batches.

    Returns
    -------
    bool
    """
    device = generator.device
    if precision in ("float32", "bfloat16") or (precision == "auto" and device.type == "cpu"):
        return precision == "bfloat16"
    before = {k: v.detach().clone() for k, v in trained.state_dict().items()}
    drawn = generator.get_state()
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        seconds = {False: math.inf, True: math.inf}
        for _ in range(_ROUNDS):  # in turns, so that both meet the same load
            for low, best in seconds.items():
                generator.set_state(drawn)  # and the same batches
                seconds[low] = min(best, _seconds(trained, loss, low))
    generator.set_state(drawn)
    trained.load_state_dict(before)
    trained.zero_grad(set_to_none=True)
    return seconds[False] > _GAIN * seconds[True]


def _seconds(trained: nn.Module, loss: Callable[[], Tensor], low: bool) -> float:
    set_low(trained, low)
    loss().backward()  # type: ignore[no-untyped-call]
    _finish(trained)
    start = time.perf_counter()
    loss().backward()  # type: ignore[no-untyped-call]
    _finish(trained)
    return time.perf_counter() - start


def _finish(trained: nn.Module) -> None:
    device = next(trained.parameters()).device
    if device.type == "cuda":
        torch.cuda.synchronize(device)
