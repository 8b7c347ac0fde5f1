"""Faces brought to canonical coordinates, in memory."""

from pathlib import Path

import numpy as np
import yaml

from thermalign.deploy.aligned import ALIGNMENT, align_faces
from thermalign.geometry import LANDMARKS

CONFIG = Path(__file__).parents[2] / "config.yaml"
CANONICAL = np.array([ALIGNMENT["points"][name] for name in LANDMARKS], float)


def test_faces_are_aligned_as_the_default_study_aligns_them():
    assert yaml.safe_load(CONFIG.read_text())["alignment"] == ALIGNMENT


def test_faces_are_aligned_where_their_landmarks_allow_it():
    ramp = np.add.outer(3 * np.arange(160), np.arange(140)).astype(np.float32)
    points = np.stack([CANONICAL + np.array([10, 20]), np.full((5, 2), np.nan)])
    faces = align_faces([ramp, ramp], points)
    np.testing.assert_allclose(faces[0], ramp[20:148, 10:122], atol=1e-3)
    assert np.isnan(faces[1]).all()
    assert np.isnan(align_faces([ramp], points[1:])).all()


def test_several_faces_may_be_in_one_image():
    images = [np.full((150, 150), 7, np.float32), np.add.outer(np.arange(160), np.arange(140))]
    images[1] = images[1].astype(np.float32)
    moves = np.array([[10, 20], [3, 4], [12, 6]])
    points = CANONICAL + moves[:, None]
    faces = align_faces(images, points, index=np.array([1, 0, 1]))
    for n in (0, 2):
        x, y = moves[n]
        np.testing.assert_allclose(faces[n], images[1][y : y + 128, x : x + 112], atol=1e-3)
    assert (faces[1] == 7).all()
