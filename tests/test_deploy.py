"""A trained detector and aligned faces, used from Python."""

import json

import numpy as np
import pytest
import torch

from thermalign.deploy import align_faces, load_detector
from thermalign.geometry import LANDMARKS
from thermalign.states import State, save_state

CANONICAL = np.array([[33.0, 42], [79, 42], [56, 75.5], [37.5, 94], [74.5, 94]])
ALIGNMENT = {
    "width": 112,
    "height": 128,
    "method": "similarity",
    "points": dict(zip(LANDMARKS, CANONICAL.tolist(), strict=True)),
}


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


def test_faces_are_aligned_where_their_landmarks_allow_it():
    ramp = np.add.outer(3 * np.arange(160), np.arange(140)).astype(np.float32)
    points = np.stack([CANONICAL + np.array([10, 20]), np.full((5, 2), np.nan)])
    faces = align_faces([ramp, ramp], points, ALIGNMENT)
    np.testing.assert_allclose(faces[0], ramp[20:148, 10:122], atol=1e-3)
    assert np.isnan(faces[1]).all()
    assert np.isnan(align_faces([ramp], points[1:], ALIGNMENT)).all()


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"gone\.safetensors: no such trained model"):
        load_detector(tmp_path / "gone.safetensors")
