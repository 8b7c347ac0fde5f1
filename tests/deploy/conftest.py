"""Small faces of which everything is known, and states that find them."""

import json
from types import SimpleNamespace

import pytest
from bright import SETTINGS, bright, state_of

from thermalign.deploy import faces
from thermalign.deploy.detector import TrainedDetector
from thermalign.deploy.faces import FaceDetector
from thermalign.landmarks import mean_shape
from thermalign.states import State, save_state


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """An installation that brings no weights."""
    monkeypatch.setattr(faces, "WEIGHTS", tmp_path / "none")


@pytest.fixture
def landmarks(tmp_path):
    """Return the path of a state that places the same shape in every box."""
    path = tmp_path / "states" / "landmarks.safetensors"
    save_state(path, state_of(), {"settings": json.dumps(SETTINGS)})
    return path


@pytest.fixture
def finder(tmp_path):
    """A finder of bright rectangles."""
    module = SimpleNamespace(detect=lambda state, stack, settings: bright(stack))
    return TrainedDetector(tmp_path / "finder", module, None, State({}))


@pytest.fixture
def detector(finder):
    """A detector of bright rectangles, unchecked: they do not look thermal."""
    its = TrainedDetector(finder.path, mean_shape, mean_shape.Settings(), state_of())
    return FaceDetector(its, finder, check=False)
