import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch

from thermalign.geometry import box_iou
from thermalign.landmarks.contract import Faces, unannotated
from thermalign.landmarks.mtcnn import Settings, crops
from thermalign.landmarks.mtcnn.boxes import squared
from thermalign.landmarks.mtcnn.crops import Crops
from thermalign.warp import stack_images

SETTINGS = Settings(min_face=20)


def wide_faces() -> Faces:
    """Return one face in an empty image of 500 x 400 pixels."""
    stack = stack_images([np.zeros((400, 500))], torch.device("cpu"))
    return unannotated(stack, torch.tensor([[100.0, 100.0, 60.0, 75.0]]))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def overlap(faces: Faces, crops: Crops) -> torch.Tensor:
    return box_iou(crops.boxes, faces.boxes[crops.rows])


def outside(faces: Faces, crops: Crops) -> float:
    """Return by how many pixels the crops stick out of their images at most."""
    low, high = crops.boxes[:, :2], crops.boxes[:, :2] + crops.boxes[:, 2:]
    return max(float((-low).max()), float((high - faces.sizes[crops.rows]).max()))


def smaller_boxes(faces: Faces) -> Faces:
    """Return faces whose boxes are 40 x 50 of the 110 x 120 pixels."""
    boxes = torch.tensor([[35.0, 35.0, 40.0, 50.0]]).expand(len(faces), 4)
    return dataclasses.replace(faces, boxes=boxes)


@pytest.mark.parametrize("change", [lambda faces: faces, smaller_boxes], ids=["crop", "frame"])
def test_random_crops_lie_in_their_bands(
    toy_faces: Callable[..., Faces], change: Callable[[Faces], Faces]
) -> None:
    faces = change(toy_faces(6, flips=True))
    pools = crops.random_pools(faces, SETTINGS, generator())
    assert float(overlap(faces, pools.negatives).max()) < 0.3
    assert float(overlap(faces, pools.parts).min()) >= 0.4
    assert float(overlap(faces, pools.parts).max()) <= 0.65
    assert float(overlap(faces, pools.positives).min()) > 0.65
    for pool in (pools.negatives, pools.parts, pools.positives):
        assert torch.equal(pool.boxes[:, 2], pool.boxes[:, 3])
        assert len(pool.rows.unique()) == len(faces)
    assert outside(faces, pools.negatives) <= 1e-4
    # All of 55 windows a face that overlap little enough.
    assert 30 * len(faces) < len(pools.negatives) <= 55 * len(faces)


def test_negatives_are_as_large_as_faces_may_be() -> None:
    faces = wide_faces()
    sides = crops._windows(faces, 2000, SETTINGS, generator(), near=False).boxes[:, 2]
    assert float(sides.min()) >= 20
    assert float(sides.max()) <= 200
    # Even on a logarithmic scale: the median is the geometric mean of the limits.
    assert float(sides.median()) == pytest.approx((20 * 200) ** 0.5, rel=0.05)


def test_negatives_beside_a_face_touch_it() -> None:
    faces = wide_faces()
    near = crops._windows(faces, 500, SETTINGS, generator(), near=True)
    assert float(overlap(faces, near).min()) > 0
    assert outside(faces, near) <= 1e-4


def test_mined_crops_are_sorted_and_only_the_hardest_negatives_stay(
    toy_faces: Callable[..., Faces],
) -> None:
    faces = smaller_boxes(toy_faces(2))
    far = torch.tensor([0.0, 0.0, 20.0, 20.0])
    square = squared(faces.boxes[0])
    half = square + torch.tensor([12.0, 0.0, 0.0, 0.0])
    found = Crops(torch.tensor([0, 0, 0, 0, 1, 1]), torch.stack([far, square, far, half, far, far]))
    found.boxes[2, 0] = 5
    few = dataclasses.replace(SETTINGS, most_negatives=1)
    pools = crops.mined_pools(faces, found, few)
    assert pools.negatives.rows.tolist() == [0, 1]
    assert torch.equal(pools.negatives.boxes[0], far)
    assert torch.equal(pools.positives.boxes, square[None])
    assert torch.equal(pools.parts.boxes, half[None])


def test_where_mining_finds_too_little_random_crops_fill_up(
    toy_faces: Callable[..., Faces],
) -> None:
    faces = toy_faces(4)
    square = squared(faces.boxes)
    mined = crops.mined_pools(faces, Crops(torch.arange(4), square), SETTINGS)
    pools = crops.top_up(mined, faces, SETTINGS, generator())
    assert torch.equal(pools.positives.boxes[:4], square)
    assert [len(p) for p in (pools.negatives, pools.parts, pools.positives)] == [60, 20, 20]
    assert float(overlap(faces, pools.negatives).max()) < 0.3
    again = crops.top_up(mined, faces, SETTINGS, generator())
    assert torch.equal(again.negatives.boxes, pools.negatives.boxes)


def test_where_mining_finds_enough_nothing_is_added(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(1)
    few = dataclasses.replace(SETTINGS, least_crops=1)
    plenty = crops.random_pools(faces, few, generator(1))
    pools = crops.top_up(plenty, faces, few, generator())
    assert torch.equal(pools.negatives.boxes, plenty.negatives.boxes)
    assert torch.equal(pools.positives.boxes, plenty.positives.boxes)


def test_a_pool_that_stays_empty_is_refused(toy_faces: Callable[..., Faces]) -> None:
    # No square overlaps a line by .4.
    faces = toy_faces(2)
    faces = dataclasses.replace(faces, boxes=torch.tensor([[5.0, 50.0, 100.0, 4.0]]).expand(2, 4))
    none = crops.mined_pools(faces, Crops(faces.index[:0], faces.boxes[:0]), SETTINGS)
    with pytest.raises(ValueError, match="none of the crops drawn are parts"):
        crops.top_up(none, faces, SETTINGS, generator())


def test_pools_of_a_subset_point_at_the_whole_set() -> None:
    three = Crops(torch.tensor([0, 1, 1]), torch.zeros(3, 4))
    pools = crops.Pools(three, three, three).of(torch.tensor([4, 9]))
    assert pools.parts.rows.tolist() == [4, 9, 9]


def test_disturbed_boxes_keep_their_overlap_and_move() -> None:
    boxes = torch.tensor([[10.0, 20.0, 90.0, 110.0]]).expand(2000, 4)
    settings = Settings(shift=0.2, scale=(0.7, 1.4), least_iou=0.65)
    found = crops.disturb_boxes(boxes, settings, generator())
    assert float(box_iou(found, boxes).min()) >= 0.65
    assert int((found == boxes).all(1).sum()) < 100
    ratio = found[:, 2:] / boxes[:, 2:]
    torch.testing.assert_close(ratio[:, 0], ratio[:, 1])
    assert float(ratio.min()) >= 0.7
    assert float(ratio.max()) <= 1.4
    shift = (found[:, :2] + found[:, 2:] / 2) - (boxes[:, :2] + boxes[:, 2:] / 2)
    assert float(shift.mean(0).abs().max()) < 2


def test_rotations_keep_the_boxes_centre() -> None:
    boxes = torch.tensor([[10.0, 20.0, 90.0, 110.0]]).expand(50, 4)
    found = crops.rotations(boxes, 5.0, generator())
    centre = torch.tensor([54.5, 74.5, 1.0])
    torch.testing.assert_close(found @ centre, centre[:2].expand(50, 2), rtol=0, atol=1e-4)
    angles = torch.rad2deg(torch.atan2(found[:, 1, 0], found[:, 0, 0]))
    assert float(angles.abs().max()) <= 5
    assert float(angles.min()) < -2
    assert float(angles.max()) > 2
