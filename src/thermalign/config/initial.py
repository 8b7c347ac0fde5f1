"""Trained states that a model starts from, looked at before any job starts.

A state is a safetensors file: the length of a header, the header as JSON, then the tensors. What is
told there needs neither PyTorch nor the library. Whether the tensors fit the model's settings is
for the training itself (``landmarks/fine_tuning.py``).
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from thermalign.catalogue import constant, takes_a_state

KEY = "init"
"""Of a model's block, where its detector can start from a state."""

_LENGTH = 8  # bytes that say how long the header is


def initial_of(block: Mapping[str, Any], detector: str) -> str:
    """Return the path of the state that a model starts from; empty for none.

    ``init`` is a setting of its own in a detector that starts from no state, such as MTCNN.
    """
    return str(block.get(KEY, "")) if takes_a_state(detector) else ""


def faults(where: str, path: Path, detector: str, results: Path) -> Iterator[str]:
    """Yield why a model cannot start from a file.

    Parameters
    ----------
    where : str
        Its key in the configuration.
    path : Path
    detector : str
    results : Path
        Folder of the study: what lies there is made, or made again, by the study itself.
    """
    if path.is_relative_to(results):
        return
    if not path.is_file():
        yield f"{where}: {path}: no such file; name a state.safetensors that a study wrote"
        return
    try:
        described = _described(path)
        trained, scheme = described["settings"]["detector"], described["landmarks"]
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        cure = "name a state.safetensors that a study wrote, or train it again"
        what = "is no trained landmark model of this package, or not whole"
        yield f"{where}: {path}: {what} ({type(error).__name__}); {cure}"
        return
    except OSError as error:
        yield f"{where}: {path}: {error.strerror}; correct it, or its rights"
        return
    wanted = list(constant("thermalign.geometry", "LANDMARKS"))
    if scheme != wanted:
        yield f"{where}: {path}: trained for landmarks {scheme}, not {wanted}; name another"
    if trained != detector:
        yield f"{where}: {path}: is of the detector {trained}, not {detector}; name one of its own"


def _described(path: Path) -> dict[str, Any]:
    """Return the metadata of a state, settings as a mapping.

    Raises
    ------
    ValueError, AttributeError, LookupError, TypeError
        If the file is no state, or not whole.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_LENGTH), "little")
        if length > size - _LENGTH:
            raise ValueError("its header is not whole")
        header = json.loads(file.read(length))
    told = json.loads(header.pop("__metadata__")["thermalign"])
    if any(tensor["data_offsets"][1] > size - _LENGTH - length for tensor in header.values()):
        raise ValueError("its tensors are not whole")
    return {**told, "settings": json.loads(told["settings"])}
