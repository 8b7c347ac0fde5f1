"""Trainings of several stages, or of scenes drawn anew: killed in any step, they end the same."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from thermalign.landmarks import finder, heatmap
from thermalign.landmarks.contract import Faces
from thermalign.states import State
from thermalign.training.checkpoint import Checkpoint
from thermalign.training.loop import Run, Stage

MAPS = heatmap.Settings(
    input_size=32, width=0.1, blocks=0, batch_size=4, steps=4, validate_every=2,
    passes=1, spread_faces=64, spread_steps=3,
)  # fmt: skip
CELLS = finder.Settings(width=0.05, scene=80, batch_size=2, steps=3)


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize(
    "case",
    [(heatmap, MAPS, 3, 7), (heatmap, MAPS, 5, 7), (heatmap, MAPS, 6, 7), (finder, CELLS, 2, 3)],
    ids=["maps", "spread begins", "spread", "cells"],
)
def test_a_killed_training_ends_in_the_same_state(
    toy_faces: Callable[..., Faces],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    case: tuple[ModuleType, Any, int, int],
) -> None:
    module, settings, step, last = case
    faces, taken, advance = toy_faces(4, flips=True), [0], Stage.advance

    def fit(checkpoint: Checkpoint | None = None) -> State:
        state: State = module.fit(faces, faces, settings, seed=4, run=Run(False, checkpoint))
        return state

    def deadly(*arguments: Any) -> None:
        taken[0] += 1
        if taken[0] == step:
            raise KilledError
        advance(*arguments)

    whole, path = fit(), tmp_path / "checkpoint.pt"
    monkeypatch.setattr(Checkpoint, "due", lambda _: True)
    monkeypatch.setattr(Stage, "advance", deadly)
    with pytest.raises(KilledError):
        fit(Checkpoint(path, "key"))
    again = fit(Checkpoint(path, "key"))
    assert taken[0] == last + 1  # one step was begun twice
    assert again.tensors.keys() == whole.tensors.keys()
    for name, tensor in whole.tensors.items():
        assert torch.equal(again.tensors[name], tensor), name
    assert [(r.stage, r.step, r.loss) for r in again.curve] == [
        (r.stage, r.step, r.loss) for r in whole.curve
    ]
