"""A training step asks a GPU for nothing: the host never waits for a value, count or condition.

Counted on a CPU that takes itself for another device: what it would wait for elsewhere is looked at
in no step of any detector. Validation between steps is not a step. What is composed on the host by
design, or drawn there to decide what the host does, is left out by name.
"""

import dataclasses
import importlib
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest
import torch
from test_contract import brief, small
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from thermalign import geometry
from thermalign.catalogue import detectors
from thermalign.landmarks.contract import Faces
from thermalign.landmarks.finder import search
from thermalign.training import loop
from thermalign.training.loop import Run, Stage
from thermalign.verification import dpm

T = torch.Tensor
CALLS = {
    getattr(T, name): name
    for name in (
        *("item", "tolist", "cpu", "numpy", "nonzero", "unique", "masked_select"),
        *("__bool__", "__int__", "__float__", "__index__", "new_tensor"),
    )
} | {torch.tensor: "tensor", torch.nonzero: "nonzero", torch.unique: "unique", torch.equal: "equal"}
OPS = {"_local_scalar_dense", "nonzero", "masked_select", "_unique2", "unique_consecutive", "equal"}
ON_HOST = {
    "thermalign.training.loop": ["drawn_number"],
    "thermalign.landmarks.finder": ["make_scenes"],
    "thermalign.landmarks.finder.cells": ["make_goal"],
}
AUGMENTED = {
    **{"aspect": 0.1, "shear": 0.1, "bend": 0.1, "share": 0.5, "occluders": 0.5, "surround": 0.5},
    **{"blur": 0.1, "low_resolution": 0.1, "noise": 0.1, "fixed_pattern": 0.1, "shading": 0.1},
    **{"local_contrast": 0.5, "curve": 0.5, "saturation": 0.2, "eight_bit": 2.0, "gain": 0.1},
    "offset": 0.1,
}


class Calls(TorchFunctionMode):
    def __init__(self, seen: Counter[str]) -> None:
        super().__init__()
        self.seen = seen

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func in CALLS:
            self.seen[CALLS[func]] += 1
        if func is T.__getitem__ and asks(args[1]):
            self.seen["index by a list or a mask"] += 1
        return func(*args, **(kwargs or {}))


class Ops(TorchDispatchMode):
    def __init__(self, seen: Counter[str]) -> None:
        super().__init__()
        self.seen = seen

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.__name__.split(".")[0]
        if name in OPS:
            self.seen[name] += 1
        return func(*args, **(kwargs or {}))


def asks(index: Any) -> bool:
    """Return whether an index is a mask, whose count is asked for, or a list, which is copied."""
    if isinstance(index, tuple):
        return any(asks(part) for part in index)
    return isinstance(index, list) or (isinstance(index, T) and index.dtype == torch.bool)


def counted(seen: Counter[str]) -> ExitStack:
    stack = ExitStack()
    stack.enter_context(Calls(seen))
    stack.enter_context(Ops(seen))
    return stack


@pytest.fixture
def elsewhere(monkeypatch):
    """Let the CPU be waited for, and leave out what happens on the host."""
    monkeypatch.setattr(geometry, "on_host", lambda values: False)
    for module, names in ON_HOST.items():
        its = importlib.import_module(module)
        for name in names:
            monkeypatch.setattr(its, name, uncounted(getattr(its, name)))


def uncounted(function: Callable[..., Any]) -> Callable[..., Any]:
    def on_host(*args: Any, **kwargs: Any) -> Any:
        with torch._C.DisableTorchFunction(), torch.utils._python_dispatch._disable_current_modes():
            return function(*args, **kwargs)

    return on_host


def waits_of_steps(monkeypatch, fit: Callable[[], Any]) -> tuple[Counter[str], int]:
    """Return what is asked for in steps of a training, and how many these are.

    All but the first of each stage.
    """
    seen: Counter[str] = Counter()
    steps = 0
    real = Stage.advance

    def advance(part: Stage, loss: Callable[[], T]) -> None:
        nonlocal steps
        if part.step == 0:  # constants are copied once
            return real(part, loss)
        steps += 1
        with counted(seen):
            return real(part, loss)

    monkeypatch.setattr(Stage, "advance", advance)
    fit()
    return seen, steps


@pytest.mark.parametrize("augmented", [False, True])
@pytest.mark.parametrize("name", detectors())
def test_no_training_step_waits_for_its_device(
    name, augmented, toy_faces: Callable[..., Faces], elsewhere, monkeypatch
):
    module, settings = small(name)
    settings = brief(settings)
    if not hasattr(module, "network"):
        pytest.skip("it has no network, and so asks for no GPU")
    names = {field.name for field in dataclasses.fields(settings)}
    if augmented:
        if "augment" not in names:
            pytest.skip("it has no augmentation")
        settings = dataclasses.replace(
            settings, augment=dataclasses.replace(settings.augment, **AUGMENTED)
        )
    faces = toy_faces(4, flips=True)
    run = Run(progress=False)
    fit = partial(module.fit, faces, faces.first(0), settings, seed=3, run=run)
    seen, steps = waits_of_steps(monkeypatch, fit)
    assert steps
    assert not seen


def test_what_a_step_asks_for_is_counted(toy_faces, elsewhere, monkeypatch):
    """The count itself: a wait of each kind in a step is seen."""
    session = loop.Session("toy", torch.Generator(), Run(progress=False))
    weight = torch.nn.Linear(1, 1)
    settings = importlib.import_module("thermalign.landmarks.dan").Settings()

    def loss() -> T:
        found = weight(torch.ones(3, 1)).square()
        if bool(found.sum() > 1e9) or found.sum().item() > 1e9:
            return found.sum() * 0
        some = found.detach()[found.detach()[:, 0] >= 0]
        return found.sum() + torch.tensor([0.0]).sum() + some.cpu().sum() + len(found.nonzero())

    def fit() -> None:
        session.optimise(weight, "s", 2, settings, loss=loss, validate=None)

    seen, steps = waits_of_steps(monkeypatch, fit)
    assert steps == 1
    names = {"__bool__", "item", "index by a list or a mask", "tensor", "cpu", "nonzero"}
    assert names <= set(seen)


def test_a_search_of_whole_images_waits_as_often_for_many_as_for_one(toy_faces, monkeypatch):
    module, settings = small("finder")
    model = module.network(settings).eval()

    def waits(count: int) -> Counter[str]:
        seen: Counter[str] = Counter()
        with counted(seen):
            found = search.find_faces(model, toy_faces(count).stack, settings, score=1e-6)
        assert len(found) > count
        return seen

    waits(1)  # constants are copied once
    assert waits(5) == waits(1)


def test_the_mapping_waits_once_an_epoch_at_most(monkeypatch):
    step = torch.optim.Adam.step  # it counts its steps on the host
    monkeypatch.setattr(torch.optim.Adam, "step", uncounted(step))
    draws = torch.Generator().manual_seed(0)
    pairs = torch.rand((2, 6, 3, 3, 8), generator=draws)

    def waits(batch: int) -> Counter[str]:
        settings = dpm.Settings(components=4, hidden=5, epochs=2, batch=batch)
        seen: Counter[str] = Counter()
        with counted(seen):
            dpm.fit_pairs(*pairs, tuple(pairs), settings, seed=1)
        return seen

    assert waits(4) == waits(54)
