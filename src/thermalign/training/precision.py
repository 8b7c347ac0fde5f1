"""How a network computes: in bfloat16 where that is asked for, compiled where that is.

Which precision is faster depends on the machine (`benchmarks/detectors.py`), and a result must not,
so it is a setting and never chosen by a clock. torch.compile needs a C++ compiler and about a
minute. On a CPU it gained 3 % for DAN, whose time goes into convolutions that it does not change,
so it is off by default.
"""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

_asked: set[str] = set()


def asked() -> str:
    """Return the precision that this process's networks computed in; empty where it had none."""
    return " and ".join(sorted(_asked))


class Mixed(nn.Module):
    """A network whose trunk may compute in bfloat16.

    Weights, the outputs that are coordinates or logits, and losses stay float32: a coordinate of
    100 pixels has a resolution of half a pixel in bfloat16.
    """

    low = False

    def trunk_precision(self, image: Tensor) -> AbstractContextManager[object]:
        """Return the context in which the trunk computes."""
        return torch.autocast(image.device.type, torch.bfloat16) if self.low else nullcontext()


def set_precision(module: nn.Module, precision: str) -> None:
    """Let every network inside a module compute in ``float32`` or ``bfloat16``."""
    for part in module.modules():
        if isinstance(part, Mixed):
            part.low = precision == "bfloat16"
            _asked.add(precision)


def compile_networks(module: nn.Module) -> None:
    """Compile every network inside a module as it first runs; its tensors keep their names."""
    for part in module.modules():
        if isinstance(part, Mixed):
            part.compile()
