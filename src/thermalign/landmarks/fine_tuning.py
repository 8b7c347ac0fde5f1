"""Trainings that start from a trained state instead of random weights.

A detector whose ``fit`` takes ``initial``, a State, can start from one. Its tensors must be those
of the model's settings: what decides them is found by trying, so that no detector lists it.
"""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch

from thermalign.landmarks.models import Detector
from thermalign.settings import parse
from thermalign.states import State, read_metadata, read_state

Shapes = dict[str, tuple[int, ...]]


def fit_from(path: Path, module: Detector, detector: str, settings: Any) -> Callable[..., State]:
    """Return the ``fit`` of a detector, to start from a trained state.

    Parameters
    ----------
    path : Path of a ``state.safetensors`` that a study wrote
    module : the detector's module, whose ``fit`` takes ``initial``
    detector : str
        Its name.
    settings : its Settings

    Raises
    ------
    ValueError
        If the file is no trained model, is one of another detector or landmark scheme, or has
        tensors that these settings do not give.
    """
    told = read_metadata(path)["settings"]
    trained = told.get("detector") if isinstance(told, dict) else None
    if trained != detector:
        raise ValueError(
            f"{path}: is a state of {trained or 'no landmark model'}, not of the detector "
            f"{detector}; start from one of its own"
        )
    state = read_state(path)
    given = {name: tuple(tensor.shape) for name, tensor in state.tensors.items()}
    if given != _shapes(module, settings):
        others = "; ".join(_differing(told, module, settings)) or "it is of another version"
        raise ValueError(f"{path}: its tensors do not fit the model: {others}")
    return partial(cast(Any, module).fit, initial=state)


def _differing(told: dict[str, Any], module: Detector, settings: Any) -> Iterator[str]:
    """Yield the settings of a state that alone would give the model other tensors."""
    names = {its.name for its in fields(settings)}
    known = {key: value for key, value in told.items() if key in names}
    theirs: Any = parse(module.Settings, known, "its settings")
    ours = _shapes(module, settings)
    for name in sorted(names):
        its, own = getattr(theirs, name), getattr(settings, name)
        if its != own and _shapes(module, replace(settings, **{name: its})) != ours:
            yield f"{name} is {own}, and was {its} in its training"


def _shapes(module: Detector, settings: Any) -> Shapes:
    """Return the tensors that a model of some settings has, without memory for them."""
    with torch.device("meta"):
        network = cast(Any, module).network(settings)  # looked for by name
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
