"""Landmark models by contract: their module, their settings, their trained state on disk."""

import importlib
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from thermalign.geometry import LANDMARKS
from thermalign.landmarks._data import State
from thermalign.landmarks._settings import parse
from thermalign.tables import replace_file


def load_model(detector: str, settings: dict[str, Any], name: str) -> tuple[ModuleType, Any]:
    """Return the module of a detector and its checked settings.

    Raises
    ------
    ValueError
        If a setting is unknown or of another type, or the detector's optional dependency (its
        ``EXTRA``, if it has one) is not installed.
    """
    module = importlib.import_module(f"thermalign.landmarks.{detector}")
    extra = getattr(module, "EXTRA", None)
    if extra and importlib.util.find_spec(extra) is None:
        raise ValueError(
            f"models: {name}: {extra} is not installed; pip install 'thermalign[{extra}]', "
            "or take the model out of the configuration"
        )
    return module, parse(module.Settings, settings, f"models: {name}")


def device() -> torch.device:
    """Return the GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def save_state(path: Path, state: State, metadata: dict[str, str]) -> None:
    """Write trained tensors as safetensors, atomically, with settings and scheme beside them."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.tensors.items()}
    described = {**metadata, "landmarks": json.dumps(LANDMARKS)}
    replace_file(path, lambda temporary: save_file(tensors, temporary, described))


def read_state(path: Path) -> State:
    """Read what :func:`save_state` wrote.

    Raises
    ------
    ValueError
        If the model was trained for another landmark scheme.
    """
    with safe_open(path, framework="pt") as file:
        trained_for = json.loads((file.metadata() or {}).get("landmarks", "null"))
        if trained_for != list(LANDMARKS):
            raise ValueError(f"{path}: trained for landmarks {trained_for}, not {list(LANDMARKS)}")
        tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return State(tensors)
