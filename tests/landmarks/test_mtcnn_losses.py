from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from thermalign.geometry import to_box_units
from thermalign.landmarks.contract import Faces
from thermalign.landmarks.mtcnn import Settings, crops, losses
from thermalign.landmarks.mtcnn.boxes import box_offsets, squared
from thermalign.landmarks.mtcnn.cascade import image_levels
from thermalign.landmarks.mtcnn.crops import Crops, Pools
from thermalign.landmarks.mtcnn.losses import Lesson
from thermalign.landmarks.mtcnn.networks import ONet, PNet

SETTINGS = Settings(width=0.1, batch_size=14, min_face=20, losses="weighted_sum", rotation=0.0)
STILL = replace(SETTINGS, shift=0.0, scale=(1.0, 1.0))


def lesson(faces: Faces, *, weights: losses.Weights = (1.0, 0.5, 0.5)) -> Lesson:
    pools = crops.random_pools(faces, SETTINGS, torch.Generator().manual_seed(0))
    given = Crops(torch.arange(len(faces)), squared(faces.boxes))
    return Lesson(faces, pools, given, None, weights)


def draw() -> torch.Generator:
    return torch.Generator().manual_seed(1)


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("all", (30, 10, 10, 20)),
        ("face", (52, 18, 0, 0)),
        ("box", (0, 35, 35, 0)),
        ("landmarks", (0, 0, 0, 70)),
    ],
)
def test_a_batch_of_70_by_hand(task: str, expected: tuple[int, ...]) -> None:
    assert losses.batch_counts(replace(SETTINGS, batch_size=70), task) == expected


def test_the_smallest_batch_still_holds_every_kind() -> None:
    assert min(losses.batch_counts(replace(SETTINGS, batch_size=2), "all")) == 1


def test_only_the_hardest_face_losses_count() -> None:
    # Cross-entropies log(1 + e^-m) of margins 0, 1, 2, 3: the first two are the hardest half.
    logits = torch.tensor([[0.0, 0.0], [0.0, 1.0], [2.0, 0.0], [0.0, 3.0]])
    is_face = torch.tensor([1, 1, 0, 1])
    found = losses.hard_face_loss(logits, is_face, 0.5)
    assert float(found) == pytest.approx((0.693147 + 0.313262) / 2, abs=1e-5)
    every = losses.hard_face_loss(logits, is_face, 1.0)
    torch.testing.assert_close(every, torch.nn.functional.cross_entropy(logits, is_face))


def test_an_alternating_batch_trains_one_head(toy_faces: Callable[..., Faces]) -> None:
    settings = replace(SETTINGS, losses="alternating")
    seen = []
    generator = draw()
    for _ in range(60):
        net = ONet(0.1)
        losses.loss(net, lesson(toy_faces(2)), settings, generator).backward()
        heads = {name.split(".")[0] for name, p in net.named_parameters() if p.grad is not None}
        seen.append(heads - {"trunk"})
    assert all(len(heads) == 1 for heads in seen)
    for head in ("face", "box", "landmarks"):
        assert 10 <= seen.count({head}) <= 30


def test_a_weighted_batch_trains_all_heads(toy_faces: Callable[..., Faces]) -> None:
    net = ONet(0.1)
    losses.loss(net, lesson(toy_faces(2)), SETTINGS, draw()).backward()
    assert all(p.grad is not None for p in net.parameters())


def test_landmarks_alone_need_no_pools(toy_faces: Callable[..., Faces]) -> None:
    net = ONet(0.1)
    alone = replace(lesson(toy_faces(2)), pools=None)
    losses.loss(net, alone, replace(SETTINGS, stages="onet", losses="landmarks"), draw()).backward()
    untouched = {name for name, p in net.named_parameters() if p.grad is None}
    assert untouched == {"face.weight", "face.bias", "box.weight", "box.bias"}


def test_losses_by_hand_where_a_network_says_a_constant(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(1)
    square = squared(faces.boxes)
    one = Crops(torch.tensor([0]), square)
    pools = Pools(one, one, one)
    net = ONet(0.1)
    for head, value in ((net.face, 0.0), (net.box, 0.1), (net.landmarks, 0.5)):
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.constant_(head.bias, value)
    weighed = Lesson(faces, pools, one, None, (1.0, 10.0, 100.0))
    found = float(losses.loss(net, weighed, STILL, draw()).detach())
    box = float((0.1 - box_offsets(square, faces.boxes)).square().sum())
    landmarks = float((0.5 - to_box_units(faces.points, square)).square().sum())
    assert found == pytest.approx(0.693147 + 10 * box + 100 * landmarks, rel=1e-4)


def test_levels_are_widened_at_either_end_up_to_their_share_of_the_span() -> None:
    levels = torch.tensor([[10.0, 15.0, 30.0]]).expand(4000, 3)
    found = losses.widen_levels(levels, 0.5, draw())
    low, middle, high = found.unbind(1)
    assert float(low.min()) == pytest.approx(0, abs=0.05)  # 10 less half of 20
    assert float(low.max()) == pytest.approx(10, abs=0.05)
    assert float(high.min()) == pytest.approx(30, abs=0.05)
    assert float(high.max()) == pytest.approx(40, abs=0.05)
    torch.testing.assert_close((middle - low) / (high - low), torch.full((4000,), 0.25))
    assert torch.equal(losses.widen_levels(levels, 0.0, draw()), levels)


@pytest.mark.parametrize("proposing", [True, False])
def test_targets_can_be_learnt(toy_faces: Callable[..., Faces], proposing: bool) -> None:
    faces = toy_faces(4, flips=True)
    net = PNet(1.0) if proposing else ONet(0.25)
    levels = image_levels(faces, SETTINGS) if proposing else None
    taught = replace(lesson(faces), levels=levels)
    settings = replace(SETTINGS, batch_size=32)
    torch.manual_seed(0)
    optimiser = torch.optim.Adam(net.parameters(), lr=0.005)
    generator = draw()
    seen = []
    for _ in range(80):
        optimiser.zero_grad()
        value = losses.loss(net, taught, settings, generator)
        value.backward()
        optimiser.step()
        seen.append(float(value.detach()))
    assert sum(seen[-10:]) < 0.5 * sum(seen[:10])
