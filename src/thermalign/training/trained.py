"""A trained module as a state, and back."""

from typing import TypeVar

import torch
from torch import nn

from thermalign.states import CurvePoint, State
from thermalign.training.loop import Optimisation
from thermalign.training.precision import set_precision

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
