from itertools import pairwise

import pytest
import torch

from thermalign.geometry import box_iou
from thermalign.landmarks.mtcnn.boxes import box_offsets, calibrate, pyramid, squared, suppress

TEN = torch.tensor([[0.0, 0.0, 10.0, 10.0]])


def random_boxes(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return boxes that overlap often, scores with ties, and three groups."""
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand((count, 2), generator=generator) * 60
    size = 10 + torch.rand((count, 2), generator=generator) * 30
    scores = torch.randint(8, (count,), generator=generator) / 8
    return torch.cat([corner, size], 1), scores, torch.randint(3, (count,), generator=generator)


def one_by_one(
    boxes: torch.Tensor, scores: torch.Tensor, *, threshold: float, smaller: bool
) -> list[int]:
    """Suppress as the textbook says: take the best, drop what overlaps it, go on."""
    left = sorted(range(len(boxes)), key=lambda n: -float(scores[n]))
    kept = []
    while left:
        best, *rest = left
        kept.append(best)
        left = []
        for n in rest:
            (x, y, w, h), (u, v, a, b) = boxes[best].tolist(), boxes[n].tolist()
            wide = min(x + w, u + a) - max(x, u)
            high = min(y + h, v + b) - max(y, v)
            common = max(wide, 0) * max(high, 0)
            whole = min(w * h, a * b) if smaller else w * h + a * b - common
            if common / whole <= threshold:
                left.append(n)
    return kept


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
    assert float(box_iou(torch.tensor([other]), TEN)) == pytest.approx(expected)


def test_squaring_keeps_the_centre_and_the_longer_side() -> None:
    boxes = torch.tensor([[10.0, 20.0, 40.0, 60.0], [0.0, 0.0, 7.0, 7.0]])
    expected = torch.tensor([[0.0, 20.0, 60.0, 60.0], [0.0, 0.0, 7.0, 7.0]])
    assert torch.equal(squared(boxes), expected)


def test_offsets_are_corner_moves_in_sides_of_the_crop() -> None:
    crop, face = torch.tensor([[10.0, 20.0, 40.0, 40.0]]), torch.tensor([[14.0, 18.0, 32.0, 46.0]])
    # Left edge 10 to 14, top 20 to 18, right 50 to 46, bottom 60 to 64.
    expected = torch.tensor([[0.1, -0.05, -0.1, 0.1]])
    torch.testing.assert_close(box_offsets(crop, face), expected)
    torch.testing.assert_close(calibrate(crop, expected), face)


def test_a_calibration_never_turns_a_box_over() -> None:
    assert float(calibrate(TEN, torch.tensor([[0.9, 0.9, -0.9, -0.9]]))[0, 2:].min()) > 0


@pytest.mark.parametrize("smaller", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_suppression_equals_going_through_the_boxes_one_by_one(seed: int, smaller: bool) -> None:
    boxes, scores, groups = random_boxes(120, seed)
    found = suppress(boxes, scores, groups, threshold=0.3, smaller=smaller)
    expected = []
    for group in range(3):
        mine = (groups == group).nonzero()[:, 0]
        kept = one_by_one(boxes[mine], scores[mine], threshold=0.3, smaller=smaller)
        expected += mine[kept].tolist()
    assert found.tolist() == expected
    assert 3 < len(expected) < 110


def test_suppression_in_slices_equals_suppression_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes, scores, groups = random_boxes(60, 9)
    at_once = suppress(boxes, scores, groups, threshold=0.5)
    monkeypatch.setattr("thermalign.landmarks.mtcnn.boxes._PAIRS", 1)
    assert torch.equal(suppress(boxes, scores, groups, threshold=0.5), at_once)


def test_a_box_dropped_by_a_dropped_box_is_kept() -> None:
    # The first drops the second, which alone would have dropped the third.
    boxes = torch.tensor([[0.0, 0, 10, 10], [4.0, 0, 10, 10], [8.0, 0, 10, 10]])
    scores = torch.tensor([0.9, 0.8, 0.7])
    kept = suppress(boxes, scores, torch.zeros(3, dtype=torch.long), threshold=0.4)
    assert kept.tolist() == [0, 2]


def test_boxes_of_other_images_never_compete() -> None:
    boxes = TEN.expand(4, 4)
    scores = torch.tensor([0.1, 0.9, 0.5, 0.7])
    kept = suppress(boxes, scores, torch.tensor([7, 2, 7, 5]), threshold=0.5)
    assert kept.tolist() == [1, 3, 2]


def test_the_best_boxes_of_each_image_are_kept_up_to_a_number() -> None:
    boxes = torch.tensor([[20.0 * n, 0, 10, 10] for n in range(6)])
    scores = torch.tensor([0.1, 0.9, 0.5, 0.7, 0.2, 0.3])
    groups = torch.tensor([0, 0, 0, 0, 1, 1])
    kept = suppress(boxes, scores, groups, threshold=0.5, most=2)
    assert kept.tolist() == [1, 3, 5, 4]


def test_no_boxes_give_no_boxes() -> None:
    none = torch.zeros((0, 4))
    assert len(suppress(none, none[:, 0], none[:, 0].long(), threshold=0.5)) == 0


def test_the_pyramid_goes_from_the_smallest_face_to_the_whole_image() -> None:
    sizes = pyramid(640, 480, cell=12, min_face=20, factor=0.709)
    assert sizes[0] == (384, 288)
    assert sizes[1] == (273, 205)  # times .709, rounded up
    assert 12 <= min(sizes[-1]) < 12 / 0.709
    for (wide, _), (narrow, _) in pairwise(sizes):
        assert narrow == pytest.approx(0.709 * wide, abs=1)


def test_an_image_below_the_smallest_face_has_no_pyramid() -> None:
    assert pyramid(60, 39, cell=12, min_face=40, factor=0.709) == []
    assert pyramid(60, 40, cell=12, min_face=40, factor=0.709) == [(18, 12)]
