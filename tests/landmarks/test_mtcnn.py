from collections.abc import Callable

import pytest
import torch

from thermalign.landmarks import mtcnn
from thermalign.landmarks._data import Faces
from thermalign.landmarks._normalise import prepare


def test_onet_gives_two_scores_four_offsets_and_the_landmarks() -> None:
    onet = mtcnn.ONet(mtcnn.Settings(width=0.1))
    face, box, landmarks = onet(torch.zeros(3, 1, 48, 48))
    assert face.shape == (3, 2)
    assert box.shape == (3, 4)
    assert landmarks.shape == (3, 5, 2)


def test_landmarks_are_fractions_of_the_box(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(2)
    settings = mtcnn.Settings(width=0.1)
    onet = mtcnn.ONet(settings).eval()
    torch.nn.init.zeros_(onet.landmarks.weight)
    torch.nn.init.constant_(onet.landmarks.bias, 0.5)
    points = mtcnn._predict(onet, prepare(faces, settings))
    centre = faces.boxes[:, :2] + (faces.boxes[:, 2:] - 1) / 2
    torch.testing.assert_close(points, centre[:, None].expand(2, 5, 2))


def test_disturbed_boxes_keep_their_overlap_and_move() -> None:
    boxes = torch.tensor([[10.0, 20.0, 90.0, 110.0]]).expand(2000, 4)
    generator = torch.Generator().manual_seed(0)
    settings = mtcnn.Settings(shift=0.2, scale=(0.7, 1.4), least_iou=0.65)
    found = mtcnn.disturb_boxes(boxes, settings, generator)
    assert float(mtcnn._iou(found, boxes).min()) >= 0.65
    assert int((found == boxes).all(1).sum()) < 100
    ratio = found[:, 2:] / boxes[:, 2:]
    torch.testing.assert_close(ratio[:, 0], ratio[:, 1])
    assert float(ratio.min()) >= 0.7
    assert float(ratio.max()) <= 1.4
    shift = (found[:, :2] + found[:, 2:] / 2) - (boxes[:, :2] + boxes[:, 2:] / 2)
    assert float(shift.mean(0).abs().max()) < 2


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ([0.0, 0.0, 10.0, 10.0], 1.0),
        ([5.0, 0.0, 10.0, 10.0], 50 / 150),
        ([2.0, 2.0, 5.0, 5.0], 0.25),
        ([20.0, 20.0, 5.0, 5.0], 0.0),
    ],
)
def test_overlaps_by_hand(other: list[float], expected: float) -> None:
    box = torch.tensor([[0.0, 0.0, 10.0, 10.0]])
    assert float(mtcnn._iou(torch.tensor([other]), box)) == pytest.approx(expected)


def test_rotations_keep_the_boxes_centre() -> None:
    boxes = torch.tensor([[10.0, 20.0, 90.0, 110.0]]).expand(50, 4)
    found = mtcnn._rotations(boxes, 5.0, torch.Generator().manual_seed(0))
    centre = torch.tensor([54.5, 74.5, 1.0])
    torch.testing.assert_close(found @ centre, centre[:2].expand(50, 2), rtol=0, atol=1e-4)
    angles = torch.rad2deg(torch.atan2(found[:, 1, 0], found[:, 0, 0]))
    assert float(angles.abs().max()) <= 5
    assert float(angles.min()) < -2
    assert float(angles.max()) > 2


def test_only_the_landmark_head_is_trained(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(4)
    settings = mtcnn.Settings(width=0.1, batch_size=4)
    onet = mtcnn.ONet(settings)
    data = prepare(faces, settings)
    mtcnn._loss(onet, data, settings, torch.Generator().manual_seed(0)).backward()
    untouched = {name for name, p in onet.named_parameters() if p.grad is None}
    assert untouched == {"face.weight", "face.bias", "box.weight", "box.bias"}
