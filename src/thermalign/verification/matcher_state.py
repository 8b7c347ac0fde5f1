"""A matcher as a trained state: safetensors, whatever its mapping and classifier are made of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from thermalign.states import State, read_metadata, read_state, save_state
from thermalign.verification.enrolment import Enrolment
from thermalign.verification.matcher import FittedMapping, Matcher
from thermalign.verification.parts import load


def save_matcher(path: Path, matcher: Matcher, metadata: Mapping[str, Any]) -> None:
    """Write a matcher as safetensors; ``metadata`` is kept beside what describes it.

    What several galleries share is written once, under the first of them.
    """
    first = {id(model): k for k, model in reversed(matcher.galleries.items())}
    written = {k: first[id(model)] for k, model in matcher.galleries.items()}
    tensors = {f"mapping.{name}": tensor for name, tensor in matcher.mapping.tensors.items()}
    for gallery in dict.fromkeys(written.values()):
        for name, array in matcher.galleries[gallery]._asdict().items():
            tensors[f"gallery{gallery}.{name}"] = torch.as_tensor(array)
    described = {
        "mapping": matcher.mapping.name,
        "mapping_subjects": matcher.mapping.subjects,
        "classifier": matcher.classifier,
        "galleries": list(written.items()),
        "subjects": matcher.subjects,
        "other_subjects": matcher.other_subjects,
        "enrolled": matcher.enrolment.rows.to_dict("list"),
        "partial": matcher.enrolment.partial,
    }
    save_state(path, State(tensors), {**metadata, "matcher": described})


def read_matcher(path: Path) -> Matcher:
    """Read what :func:`save_matcher` wrote."""
    tensors = read_state(path).tensors
    described = read_metadata(path)["matcher"]
    model = load(described["classifier"]).Model
    written = {
        k: model(**{name: array.numpy() for name, array in _below(f"gallery{k}", tensors).items()})
        for k in {first for _, first in described["galleries"]}
    }
    people = tuple(described["mapping_subjects"])
    return Matcher(
        FittedMapping(described["mapping"], _below("mapping", tensors), people),
        described["classifier"],
        {k: written[first] for k, first in described["galleries"]},
        Enrolment(pd.DataFrame(described["enrolled"]), described["partial"]),
        tuple(described["subjects"]),
        tuple(described["other_subjects"]),
    )


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose name begins with a prefix and a dot, without it."""
    start = f"{prefix}."
    return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}


def read_thresholds(path: Path) -> dict[str, float]:
    """Read the thresholds that were written with a matcher: score by false match rate."""
    return {name: float(value) for name, value in read_metadata(path)["thresholds"].items()}
