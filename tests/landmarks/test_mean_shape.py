from collections.abc import Callable

import torch

from thermalign.landmarks import mean_shape
from thermalign.landmarks.contract import Faces

SMALL: dict[str, float] = {}
SHARE_OF_MEAN_SHAPE = 1.001
NONE = mean_shape.Settings()


def test_one_face_comes_back_exactly(toy_faces: Callable[..., Faces]) -> None:
    face = toy_faces(1)
    state = mean_shape.fit(face, face, NONE, seed=0)
    points, _ = mean_shape.predict(state, face.stack, face.boxes, NONE)
    torch.testing.assert_close(points, face.points)


def test_the_mean_moves_and_scales_with_the_box(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(3)
    state = mean_shape.fit(faces, faces, NONE, seed=0)
    points, covariance = mean_shape.predict(state, faces.stack, faces.boxes, NONE)
    larger, _ = mean_shape.predict(state, faces.stack, 2 * faces.boxes, NONE)
    torch.testing.assert_close(larger, 2 * points + 0.5)
    assert bool(covariance.isnan().all())


def test_mirrored_training_faces_make_the_mean_symmetric(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(4, flips=True)
    shape = mean_shape.fit(faces, faces, NONE, seed=0).tensors["mean_shape"]
    torch.testing.assert_close(shape[0, 0] + shape[1, 0], torch.tensor(1.0))
    torch.testing.assert_close(shape[2, 0], torch.tensor(0.5))
    torch.testing.assert_close(shape[3, 1], shape[4, 1])
