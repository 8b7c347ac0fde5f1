import dataclasses
import weakref
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from thermalign.geometry import box_iou
from thermalign.landmarks.contract import Faces, unannotated
from thermalign.landmarks.mtcnn import Settings, cascade
from thermalign.landmarks.mtcnn.cascade import Candidates
from thermalign.landmarks.mtcnn.crops import Crops
from thermalign.landmarks.mtcnn.networks import Heads, ONet, PNet, RNet
from thermalign.warp import stack_images

SETTINGS = Settings(min_face=24, normalisation="window", window=(0, 1))


def scene(*squares: tuple[int, int, int], width: int = 150, height: int = 120) -> np.ndarray:
    """Return an image of zeros with squares of ones, (left, top, side)."""
    image = np.zeros((height, width), np.float32)
    for x, y, side in squares:
        image[y : y + side, x : x + side] = 1
    return image


def whole(*images: np.ndarray) -> Faces:
    stack = stack_images(list(images), torch.device("cpu"))
    sizes = stack.sizes[:, 0]
    return unannotated(stack, torch.cat([torch.zeros_like(sizes), sizes], 1))


class BrightSquares(PNet):
    """Takes windows for faces that are bright up to their edges and dark around."""

    def __init__(self) -> None:
        super().__init__(0.1)

    def forward(self, images: Tensor) -> Heads:
        """Compare the mean of the window with that of the rim up to twice its side."""
        inside = avg_pool2d(images, 12, 2)
        around = avg_pool2d(pad(images, (6, 6, 6, 6), value=-1.0), 24, 2)
        rim = (4 * around - inside) / 3
        logit = 4 * (inside - rim - 1)
        rows, columns = inside.shape[2:]
        nothing = images.new_zeros((len(images), 14, rows, columns))
        return torch.cat([-logit, logit], 1), nothing[:, :4], nothing[:, 4:].unflatten(1, (5, 2))


class Always(RNet):
    """Takes everything for a face, with the same offsets and landmarks."""

    def __init__(self, offsets: tuple[float, ...], size: int) -> None:
        super().__init__(0.1)
        self.offsets, self.size = torch.tensor(offsets), size

    def forward(self, crops: Tensor) -> Heads:
        many = len(crops)
        sure = crops.mean((1, 2, 3))
        points = torch.full((many, 5, 2), 0.25)
        return torch.stack([-2 - sure, 2 + sure], 1), self.offsets.expand(many, 4), points


@pytest.mark.parametrize(("x", "y", "side"), [(30, 20, 48), (7, 61, 34), (100, 10, 30)])
def test_a_proposal_lies_where_the_pattern_lies(x: int, y: int, side: int) -> None:
    found = cascade.propose(BrightSquares(), whole(scene((x, y, side))), SETTINGS, threshold=0.5)
    truth = torch.tensor([[float(x), float(y), side, side]])
    best = found.crops.boxes[0]
    assert float(box_iou(best[None], truth)) > 0.5
    assert float((best[:2] + best[2:] / 2 - (truth[0, :2] + side / 2)).abs().max()) < 0.15 * side


def test_proposals_are_those_of_each_image_whatever_the_other_sizes() -> None:
    images = [
        scene((30, 20, 48)),
        scene((10, 10, 30), (60, 40, 40), width=110, height=90),
        scene(),
        scene((90, 50, 50)),
    ]
    together = cascade.propose(BrightSquares(), whole(*images), SETTINGS, threshold=0.3)
    assert together.crops.rows.tolist() == sorted(together.crops.rows.tolist())
    assert set(together.crops.rows.tolist()) == {0, 1, 3}
    for n, image in enumerate(images):
        alone = cascade.propose(BrightSquares(), whole(image), SETTINGS, threshold=0.3)
        mine = together.crops.rows == n
        torch.testing.assert_close(together.crops.boxes[mine], alone.crops.boxes)
        torch.testing.assert_close(together.scores[mine], alone.scores)
        assert bool((alone.scores.diff() <= 0).all())


@pytest.mark.parametrize("called", ["_scan", "look"])
def test_what_a_batch_found_is_copied_and_let_go(
    called: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small tensors kept between large ones pin a host's memory: 4 MB for every image of 640 x 480.
    known: list[weakref.ref[Tensor]] = []
    real, batches = getattr(cascade, called), 0

    def watched(*args: Any, **keywords: Any) -> tuple[Tensor, ...]:
        nonlocal batches
        assert not any(ref() is not None for ref in known)
        found, batches = real(*args, **keywords), batches + 1
        known.extend(weakref.ref(part) for part in found)
        return cast(tuple[Tensor, ...], found)

    monkeypatch.setattr(cascade, called, watched)
    monkeypatch.setattr(cascade, "_CROPS", 8)
    monkeypatch.setattr(cascade, "_PIXELS", 10_000)
    faces = whole(*[scene((30, 20, 48))] * 6)
    found = cascade.propose(BrightSquares(), faces, SETTINGS, threshold=0.2)
    cascade.output(ONet(0.1), faces, found, SETTINGS, threshold=0.0)
    assert batches > 2


def test_piled_rows_are_those_of_the_parts_behind_each_other() -> None:
    parts = [torch.arange(float(n * k)).view(n, k) for n, k in ((3, 2), (0, 2), (9000, 2), (1, 2))]
    pile = cascade.Piled(torch.zeros(0, 2), torch.zeros(0, dtype=torch.long))
    assert [len(rows) for rows in pile.rows()] == [0, 0]
    for part in parts:
        pile.put(part, part[:, 0].long())
    whole_rows = torch.cat(parts)
    assert torch.equal(pile.rows()[0], whole_rows)
    assert torch.equal(pile.rows()[1], whole_rows[:, 0].long())


def test_images_smaller_than_every_face_give_no_faces() -> None:
    faces = whole(scene(width=23, height=23))
    none = cascade.propose(BrightSquares(), faces, SETTINGS, threshold=0.0)
    assert len(none.scores) == 0
    none = cascade.refine(RNet(0.1), faces, none, SETTINGS, threshold=0.0)
    found = cascade.output(ONet(0.1), faces, none, SETTINGS, threshold=0.0)
    assert len(found) == 0
    assert found.points.shape == (0, 5, 2)


def test_refined_candidates_are_calibrated_and_square() -> None:
    faces = whole(scene())
    candidates = Candidates(
        Crops(torch.tensor([0]), torch.tensor([[10.0, 20.0, 40.0, 40.0]])), torch.tensor([0.9])
    )
    net = Always((0.1, 0.0, -0.1, 0.0), 24)
    found = cascade.refine(net, faces, candidates, SETTINGS, threshold=0.5)
    # 14 to 46 by 20 to 60, grown to a square of 40 around (30, 40).
    torch.testing.assert_close(found.crops.boxes, torch.tensor([[10.0, 20.0, 40.0, 40.0]]))
    again = cascade.refine(net, faces, candidates, SETTINGS, threshold=0.999)
    assert len(again.scores) == 0


def test_landmarks_are_fractions_of_the_square_and_boxes_are_calibrated() -> None:
    faces = whole(scene(), scene())
    candidates = Candidates(
        Crops(torch.tensor([1]), torch.tensor([[10.0, 20.0, 40.0, 40.0]])), torch.tensor([0.9])
    )
    net = Always((0.1, 0.0, -0.1, 0.0), 48)
    found = cascade.output(net, faces, candidates, SETTINGS, threshold=0.5)
    assert found.index.tolist() == [1]
    torch.testing.assert_close(found.boxes, torch.tensor([[14.0, 20.0, 32.0, 40.0]]))
    # A quarter of 40 pixels beyond the square's edges, which lie half a pixel before (10, 20).
    torch.testing.assert_close(found.points[0, 0], torch.tensor([19.5, 29.5]))


def test_landmarks_are_averaged_with_those_of_the_mirrored_crop() -> None:
    faces = whole(scene())
    crops = Crops(torch.tensor([0]), torch.tensor([[10.0, 20.0, 40.0, 40.0]]))
    net = Always((0.1, 0.0, -0.1, 0.0), 48)
    plain = cascade.look(net, faces, crops, SETTINGS, mirrored=False)
    mean = cascade.look(net, faces, crops, SETTINGS, mirrored=True)
    # (.25, .25) in either crop: back from the mirror it is (.75, .25), between them (.5, .25).
    assert plain[2].unique().tolist() == [0.25]
    torch.testing.assert_close(mean[2], torch.tensor([0.5, 0.25]).expand(1, 5, 2))
    assert torch.equal(plain[0], mean[0])
    assert torch.equal(plain[1], mean[1])


def test_the_mirrored_crops_eyes_and_mouth_corners_change_places() -> None:
    faces = whole(scene())
    crops = Crops(torch.tensor([0]), torch.tensor([[10.0, 20.0, 40.0, 40.0]]))
    net = Always((0.0, 0.0, 0.0, 0.0), 48)
    named = torch.tensor([[0.3, 0.1], [0.7, 0.2], [0.5, 0.3], [0.4, 0.4], [0.6, 0.5]])
    net.forward = lambda images: (images.new_zeros(1, 2), images.new_zeros(1, 4), named[None])
    _, _, found = cascade.look(net, faces, crops, SETTINGS, mirrored=True)
    expected = torch.tensor([[0.3, 0.15], [0.7, 0.15], [0.5, 0.3], [0.4, 0.45], [0.6, 0.45]])
    torch.testing.assert_close(found[0], expected)


def test_a_box_inside_a_better_one_is_dropped_at_the_end() -> None:
    faces = whole(scene((10, 10, 80)))
    boxes = torch.tensor([[0.0, 0, 100, 100], [15.0, 15, 30, 30], [110.0, 60, 30, 30]])
    candidates = Candidates(Crops(torch.zeros(3, dtype=torch.long), boxes), torch.ones(3))
    net = Always((0.0, 0.0, 0.0, 0.0), 48)
    found = cascade.output(net, faces, candidates, SETTINGS, threshold=0.5)
    # The small one shows the brightest crop, hence scores highest.
    assert found.boxes.tolist() == [boxes[1].tolist(), boxes[2].tolist()]


@pytest.mark.parametrize("normalisation", ["percentile", "histogram"])
def test_a_hot_lamp_elsewhere_does_not_change_what_later_networks_see(normalisation: str) -> None:
    settings = dataclasses.replace(SETTINGS, normalisation=normalisation)
    rng = np.random.default_rng(0)
    cool = rng.normal(30, 2, (120, 150)).astype(np.float32)
    lamp = cool.copy()
    lamp[:40, 110:] = 90
    crops = Crops(torch.arange(2), torch.tensor([[20.0, 30.0, 50.0, 50.0]]).expand(2, 4))
    seen = cascade.normalised_crops(whole(cool, lamp), crops, settings, size=24)
    assert torch.equal(seen[0], seen[1])
    levels = cascade.image_levels(whole(cool, lamp), settings)
    assert float((levels[0] - levels[1]).abs().max()) > 10
