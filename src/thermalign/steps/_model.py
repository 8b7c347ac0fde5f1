"""Landmark models by contract: their module, their settings, their trained state on disk."""

import importlib
import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from thermalign.geometry import LANDMARKS
from thermalign.landmarks._data import State
from thermalign.landmarks._settings import parse
from thermalign.tables import replace_file

_KEY = "thermalign"


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


def save_state(path: Path, state: State, metadata: Mapping[str, Any]) -> None:
    """Write trained tensors as safetensors, atomically, with settings and scheme beside them.

    The same state gives the same bytes: several keys of metadata would be written in an order of
    their own each time, so they are the text of one.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.tensors.items()}
    described = json.dumps({**metadata, "landmarks": LANDMARKS}, sort_keys=True)
    replace_file(path, lambda temporary: save_file(tensors, temporary, {_KEY: described}))


def read_metadata(path: Path) -> dict[str, Any]:
    """Return the metadata of a state: ``landmarks``, and ``settings`` read from their text.

    Raises
    ------
    ValueError
        If the file is no state that :func:`save_state` wrote.
    """
    try:
        with safe_open(path, framework="pt") as file:
            described = json.loads((file.metadata() or {})[_KEY])
        return {**described, "settings": json.loads(described["settings"])}
    except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{path}: is not a trained model of this package, or not whole; "
            "name a state.safetensors that a study wrote, or train it again"
        ) from error


def read_state(path: Path) -> State:
    """Read what :func:`save_state` wrote.

    Raises
    ------
    ValueError
        If the model was trained for another landmark scheme, or the file is no trained model.
    """
    trained_for = read_metadata(path).get("landmarks")
    if trained_for != list(LANDMARKS):
        raise ValueError(f"{path}: trained for landmarks {trained_for}, not {list(LANDMARKS)}")
    return State(load_file(path))
