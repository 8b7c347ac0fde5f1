"""A trained detector, used from Python."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from thermalign.deploy import load_detector
from thermalign.deploy.detector import CALIBRATION, LATER
from thermalign.landmarks.calibration import Calibration
from thermalign.states import State, save_state
from thermalign.warp import stack_images


def test_a_trained_detector_finds_a_face_in_images_of_any_size(tmp_path):
    settings = {"model": "floor", "detector": "mean_shape", "seed": 1}
    state = State({"mean_shape": torch.full((5, 2), 0.5)})
    save_state(tmp_path / "state.safetensors", state, {"settings": json.dumps(settings)})
    detector = load_detector(tmp_path / "state.safetensors")
    images = [np.zeros((40, 30), np.float32), np.ones((60, 80), np.float32)]
    located = detector.predict(images, np.array([[5.0, 5, 20, 20], [30, 10, 40, 40]]))
    assert located.points.shape == (2, 5, 2)
    assert np.isnan(located.expected_error).all()  # it was never calibrated
    np.testing.assert_allclose(located.points[:, 0], [[14.5, 14.5], [49.5, 29.5]])


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"gone\.safetensors: no such trained model"):
        load_detector(tmp_path / "gone.safetensors")


def test_a_detector_that_finds_no_faces_says_so(tmp_path):
    settings = {"model": "floor", "detector": "mean_shape", "seed": 1}
    state = State({"mean_shape": torch.full((5, 2), 0.5)})
    save_state(tmp_path / "state.safetensors", state, {"settings": json.dumps(settings)})
    detector = load_detector(tmp_path / "state.safetensors")
    assert not detector.finds_faces
    stack = stack_images([np.zeros((40, 30), np.float32)], torch.device("cpu"))
    with pytest.raises(ValueError, match=r"state\.safetensors: places landmarks in face boxes"):
        detector.find(stack)


def test_what_a_calibration_must_hold_is_what_it_is_made_of():
    known = dataclasses.fields(Calibration)
    assert set(CALIBRATION) == {its.name for its in known}
    assert set(LATER) == {i.name for i in known if i.default_factory is not dataclasses.MISSING}
