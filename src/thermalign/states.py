"""Trained states: tensors with how training went, on disk as safetensors.

PyTorch is loaded where there are tensors: metadata is read without it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from thermalign.geometry import LANDMARKS
from thermalign.tables import replace_file

if TYPE_CHECKING:
    from torch import Tensor

_KEY = "thermalign"

_CALIBRATION = "calibration."  # begins the names of its tensors in the file


@dataclass(frozen=True)
class CurvePoint:
    """One row of a training curve: mean loss since the row before, and validation NMSE.

    Processor seconds, of all cores together, count from the beginning of the training.
    """

    stage: str
    step: int
    loss: float
    validation_nmse: float
    core_seconds: float


@dataclass(frozen=True)
class State:
    """A trained model: its tensors on the CPU by name, and how training went.

    Attributes
    ----------
    tensors : name -> Tensor
    curve : list of CurvePoint
    calibration : name -> Tensor
        Of its errors, as :mod:`thermalign.landmarks.calibration` has it; empty without one. No
        detector sees it.
    notes : name -> text or number
        For the metadata of its file: ``precision``, that it was trained in (``float32`` or
        ``bfloat16``), and what else a model has to say.
    """

    tensors: "dict[str, Tensor]"
    curve: list[CurvePoint] = field(default_factory=list)
    notes: dict[str, str | int] = field(default_factory=dict)
    calibration: "dict[str, Tensor]" = field(default_factory=dict)


def save_state(path: Path, state: State, metadata: Mapping[str, Any]) -> None:
    """Write trained tensors as safetensors, atomically, with settings and scheme beside them.

    The same state gives the same bytes: several keys of metadata would be written in an order of
    their own each time, so they are the text of one.
    """
    from safetensors.torch import save_file  # noqa: PLC0415  # loads PyTorch

    calibration = {_CALIBRATION + name: tensor for name, tensor in state.calibration.items()}
    tensors = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in {**state.tensors, **calibration}.items()
    }
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
        with safe_open(path, framework="numpy") as file:
            described = json.loads((file.metadata() or {})[_KEY])
        return {**described, "settings": json.loads(described["settings"])}
    except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{path}: is not a trained model of this package, or not whole; "
            "delete it and run the study again, or name a state.safetensors that a study wrote"
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
    with safe_open(path, framework="pt") as file:
        found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    ours = {name for name in found if name.startswith(_CALIBRATION)}
    return State(
        {name: tensor for name, tensor in found.items() if name not in ours},
        calibration={name.removeprefix(_CALIBRATION): found[name] for name in ours},
    )
