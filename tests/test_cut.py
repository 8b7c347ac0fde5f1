import numpy as np
import pytest
import torch

from thermalign.cut import cut_images
from thermalign.geometry import box_to_crop
from thermalign.warp import warp


def test_images_are_cut_to_the_box_and_what_a_model_looks_at():
    image = np.arange(400 * 500, dtype=np.float32).reshape(400, 500)
    box = np.array([[200.0, 150.0, 100.0, 120.0]])
    cut = cut_images([image], box, 0.5)
    part = cut.stack.image(0).numpy()
    x, y = (int(v) for v in cut.origins[0])
    assert (x, y) == (200 - 50 - 32, 150 - 60 - 32)
    assert part.shape == (2 * (60 + 32) + 120, 2 * (50 + 32) + 100)
    np.testing.assert_array_equal(part, image[y : y + part.shape[0], x : x + part.shape[1]])
    np.testing.assert_allclose(cut.boxes[0].numpy(), [200 - x, 150 - y, 100, 120])


@pytest.mark.parametrize("box", [[-80.0, -90.0, 60.0, 60.0], [480.0, 390.0, 90.0, 90.0]])
def test_boxes_at_and_beyond_the_border_leave_part_of_the_image(box):
    image = np.zeros((400, 500), np.float32)
    cut = cut_images([image], np.array([box]), 0.0)
    assert min(cut.stack.image(0).shape) >= 1
    x, y = (float(v) for v in cut.origins[0])
    assert (x >= 0, y >= 0) == (True, True)
    np.testing.assert_allclose(cut.boxes[0, :2].numpy() + np.array([x, y]), box[:2])


@pytest.mark.parametrize("at", [(200.0, 150.0), (3.0, 41.5), (430.0, 350.0)])
def test_a_wider_part_holds_the_same_mip_levels(at):
    image = np.random.default_rng(0).normal(size=(400, 500)).astype(np.float32)
    box = np.array([[*at, 60.0, 50.0]])
    narrow, wide = (cut_images([image], box, 0.1, more) for more in (0.0, np.array([[21.0, 9.0]])))
    grown = narrow.origins[0] - wide.origins[0]
    assert (grown % 8 == 0).all()
    for axis, least in enumerate((21, 9)):
        assert grown[axis] >= least or wide.origins[0, axis] < 8
    crops = []
    for cut in (narrow, wide):
        matrix = box_to_crop(cut.boxes, 8, 8)  # shrinks: samples a coarser level
        crops.append(warp(cut.stack, torch.zeros(1, dtype=torch.long), matrix, width=8, height=8))
    torch.testing.assert_close(*crops, rtol=0, atol=1e-5)


def test_an_infinite_reach_keeps_whole_images():
    image = np.zeros((400, 500), np.float32)
    cut = cut_images([image], np.array([[200.0, 150.0, 100.0, 120.0]]), float("inf"))
    assert cut.stack.image(0).shape == (400, 500)
    assert cut.origins.tolist() == [[0, 0]]


def test_a_box_that_is_not_finite_is_refused_by_number():
    boxes = np.array([[1.0, 2, 30, 40], [1, np.nan, 30, 40]])
    with pytest.raises(ValueError, match=r"the face box of image 1 is \[1.0, nan, 30.0, 40.0\]"):
        cut_images([np.zeros((50, 60))] * 2, boxes, 0.0)
