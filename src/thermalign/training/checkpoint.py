"""A training in progress on disk, so that a killed one goes on where it was."""

import hashlib
import json
import pickle
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from thermalign.tables import replace_file

Snapshot = dict[str, Any]
"""Tensors, numbers, text and lists of these: what ``torch.load(weights_only=True)`` reads."""

_DAMAGED = (OSError, RuntimeError, EOFError, LookupError, TypeError, pickle.UnpicklingError)
_LEAST = 2.0  # seconds between two writes
_COST = 0.02  # share of the time that writing may take


class Checkpoint:
    """The finished stages of a training and the one in progress, in one file.

    Attributes
    ----------
    path : Path
    key : str
        Of everything that decides the result: code, settings, seed and data. A file with another
        key is of another training and is not used.
    stages : mapping of the stage's name to Snapshot
        As read when training began, and finished since.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path, self.key = path, key
        self.stages: dict[str, Snapshot] = self._read()
        self._written, self._took = time.monotonic(), 0.0

    def due(self) -> bool:
        """Say whether it is time to write again: often, but never for much of the time."""
        return time.monotonic() - self._written > max(_LEAST, self._took / _COST)

    def write(self, name: str, snapshot: Snapshot) -> None:
        """Write every finished stage and this one, atomically."""
        start = time.monotonic()
        content = {"key": self.key, "stages": {**self.stages, name: snapshot}}
        replace_file(self.path, lambda temporary: torch.save(content, temporary))
        self._written = time.monotonic()
        self._took = self._written - start

    def remove(self) -> None:
        """Delete the file: the training's result is safe elsewhere."""
        self.path.unlink(missing_ok=True)
        self._remove_unfinished()

    def _remove_unfinished(self) -> None:
        """Delete what a kill in the middle of a write left."""
        for left in self.path.parent.glob(f".{self.path.name}.*.tmp"):
            left.unlink()

    def _read(self) -> dict[str, Snapshot]:
        self._remove_unfinished()
        if not self.path.is_file():
            return {}
        try:
            content = torch.load(self.path, map_location="cpu", weights_only=True)
            if not isinstance(content, dict):
                raise TypeError(f"it holds a {type(content).__name__}")
            key, stages = content["key"], content["stages"]
        except _DAMAGED as error:
            print(
                f"{self.path}: not a readable checkpoint ({error}): starting anew", file=sys.stderr
            )
            return {}
        return dict(stages) if key == self.key else {}


def checkpoint_key(
    inputs: Iterable[Path], code: str, decides: Mapping[str, Any], device: torch.device
) -> str:
    """Return a digest of all that decides a training's result, to the last bit.

    Parameters
    ----------
    inputs : Paths of what is read
    code : str
        Fingerprint of the code.
    decides : mapping
        Settings, seed, fold and whatever else.
    device : torch.device
        What it runs on; PyTorch's version and number of threads count too.
    """
    machine = [torch.__version__, device.type, torch.get_num_threads()]
    digest = hashlib.sha256(json.dumps([code, decides, machine]).encode())
    for path in inputs:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def random_state(device: torch.device) -> list[Tensor]:
    """Return what dropout draws from, on the CPU and on the device."""
    states = [torch.get_rng_state()]
    return [*states, torch.cuda.get_rng_state(device)] if device.type == "cuda" else states


def set_random_state(device: torch.device, states: list[Tensor]) -> None:
    """Let dropout draw on from what `random_state` returned."""
    torch.set_rng_state(states[0])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states[1], device)
