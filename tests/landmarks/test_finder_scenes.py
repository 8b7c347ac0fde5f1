from collections.abc import Callable

import numpy as np
import pytest
import torch

from thermalign.geometry import Floats
from thermalign.landmarks.contract import Faces, make_faces
from thermalign.landmarks.finder import heads
from thermalign.landmarks.finder.bodies import Pose, blank_head, body
from thermalign.landmarks.finder.grounds import Rng, ground, make_textures
from thermalign.landmarks.finder.heads import Source, Stock, make_source
from thermalign.landmarks.finder.pictures import as_recorded, framed
from thermalign.landmarks.finder.scenes import make_scenes
from thermalign.landmarks.finder.settings import Settings
from thermalign.warp import stack_images

POINTS = np.array([[60, 70], [100, 70], [80, 95], [65, 115], [95, 115]], float)


def draws(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def stock(toy_faces: Callable[..., Faces]) -> Stock:
    return Stock(make_source(toy_faces(4, flips=True)), make_textures(draws()))


def dotted() -> Faces:
    """Return a face and its mirror image with a warm dot of 2 px at each landmark."""
    y, x = np.mgrid[:200, :160]
    image = np.full((200, 160), 20.0)
    for px, py in POINTS:
        image += 10 * np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 2.0**2))
    box = torch.tensor([[34.0, 25, 92, 115]]).repeat(2, 1)
    points = torch.tensor(POINTS, dtype=torch.float32)[None].repeat(2, 1, 1)
    stack = stack_images([image], torch.device("cpu"))
    return make_faces(stack, torch.tensor([0, 0]), torch.tensor([False, True]), box, points)


@pytest.mark.parametrize("m", [0, 1])
@pytest.mark.parametrize("width", [46.0, 92.0, 150.0])
def test_points_stay_on_what_they_mark_wherever_a_face_is_set(m: int, width: float) -> None:
    source = make_source(dotted())
    for seed in range(5):
        its = heads.pose(source, m, width, np.array([120.0, 118.0]), draws(seed))
        seen = heads.warped(source, m, its.matrix, its.scale, (256, 256)) - 20
        reach = width / 12
        for px, py in its.points:
            rows, columns = np.mgrid[:256, :256]
            near = seen * (np.hypot(columns - px, rows - py) < reach)
            centre = [(near * columns).sum() / near.sum(), (near * rows).sum() / near.sum()]
            assert centre == pytest.approx([px, py], abs=0.25)


def test_a_pose_has_the_width_and_the_centre_that_were_asked_for(stock: Stock) -> None:
    its = heads.pose(stock.source, 0, 30.0, np.array([50.0, 60.0]), draws())
    assert 2.3 * its.unit == pytest.approx(30, rel=0.25)  # stretched a little
    assert its.at(0, 0.25) == pytest.approx([50, 60], abs=2)


def test_a_head_covers_its_points_and_leaves_the_far_ground_alone(stock: Stock) -> None:
    for seed in range(8):
        canvas = np.full((128, 128), 5.0, np.float32)
        its = heads.pose(stock.source, 0, 28.0, np.array([64.0, 50.0]), draws(seed))
        heads.set_head(canvas, stock, 0, its, draws(seed), spoil=False)
        for x, y in its.points[:3]:
            assert abs(canvas[round(y), round(x)] - 5) > 1
        assert (canvas[:10] == 5).all()
        assert (canvas[:, -10:] == 5).all()


def test_a_spoilt_face_has_lost_its_features_and_nothing_else() -> None:
    rows, columns = np.mgrid[:128, :128]
    for seed in range(8):
        its = heads.pose(make_source(dotted()), 0, 60.0, np.array([64.0, 64.0]), draws(seed))
        warm = np.zeros((128, 128), np.float32)
        for x, y in its.points:
            warm += np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 2)
        spoilt = heads._spoilt(warm, its, draws(seed))
        at = tuple(np.round(its.points[:, ::-1]).astype(int).T)
        assert (spoilt[at] < 0.4 * warm[at]).all()
        far = np.hypot(columns - 64, rows - 64) > 2.2 * its.unit
        np.testing.assert_allclose(spoilt[far], warm[far], atol=1e-3)


def test_the_same_draws_make_the_same_scenes(stock: Stock) -> None:
    first, again = (make_scenes(stock, Settings(scene=80), 6, draws(3)) for _ in range(2))
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.points, again.points)
    assert bool(torch.isfinite(first.images).all())
    assert first.images.shape == (6, 1, 80, 80)


def test_blank_scenes_have_no_faces_and_others_have(stock: Stock) -> None:
    blank = make_scenes(stock, Settings(scene=80, crowds=0, blanks=1), 20, draws())
    assert blank.points.shape == (0, 5, 2)
    crowds = make_scenes(stock, Settings(scene=80, crowds=1, blanks=0), 20, draws())
    assert len(crowds.points) > 20
    assert set(crowds.scenes.tolist()) <= set(range(20))
    assert 0 < int(crowds.doubtful.sum()) < len(crowds.points)


def test_a_face_that_another_person_covers_is_doubtful(
    stock: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, middle = heads.pose, np.array([64.0, 64.0])

    def crowded(source: Source, m: int, width: float, _: Floats, rng: Rng) -> Pose:
        return free(source, m, width, middle, rng)

    monkeypatch.setattr(heads, "pose", crowded)  # everybody stands in one place
    scenes = make_scenes(stock, Settings(crowds=1, blanks=0), 16, draws())
    groups = [scenes.doubtful[scenes.scenes == n] for n in range(16)]
    covered = torch.cat([each[:-1] for each in groups])
    assert len(covered) > 8
    assert bool(covered.all())
    assert any(not bool(each[-1]) for each in groups if len(each) > 1)


def test_bodies_and_blank_heads_are_painted_where_they_are_set(stock: Stock) -> None:
    its = heads.pose(stock.source, 0, 25.0, np.array([64.0, 40.0]), draws())
    for paint, place in ((body, its.at(0, 6)), (blank_head, its.at(0, 0))):
        canvas = np.full((128, 128), 9.0, np.float32)
        paint(canvas, its, stock.textures, draws(1))
        x, y = np.round(place).astype(int)
        assert canvas[y, x] < 3
        assert (canvas[:5] == 9).all()


def test_grounds_differ_and_are_finite(stock: Stock) -> None:
    made = [ground(64, stock.textures, draws(seed)) for seed in range(12)]
    assert all(np.isfinite(each).all() for each in made)
    assert len({float(each.mean()) for each in made}) == 12


def test_textures_have_no_mean_and_unit_deviation() -> None:
    fields = make_textures(draws()).fields
    assert fields.mean((1, 2)) == pytest.approx(0, abs=1e-3)
    assert fields.std((1, 2)) == pytest.approx(1, abs=1e-3)


def test_a_recorded_picture_keeps_the_order_of_what_is_warm() -> None:
    steps = np.repeat(np.linspace(0, 1, 8), 16)[None].repeat(128, 0).astype(np.float32)
    for seed in range(10):
        columns = as_recorded(steps, draws(seed)).mean(0)
        edges = 16 * np.arange(1, 8)
        before = np.array([columns[e - 7 : e - 2].mean() for e in edges])
        rises = np.array([columns[e + 2 : e + 7].mean() for e in edges]) - before
        assert (rises > -0.02).all()  # noise, and what is saturated on both sides
        assert (rises > 0.02).sum() >= 4


@pytest.mark.parametrize("face", [None, np.array([20.0, 15, 40, 40])])
def test_a_frame_ends_where_its_border_repeats(face: np.ndarray | None) -> None:
    picture = np.arange(64.0 * 64).reshape(64, 64)
    kept, (left, top, right, bottom) = framed(picture, draws(2), face)
    np.testing.assert_array_equal(kept[top:bottom, left:right], picture[top:bottom, left:right])
    assert (kept[: top + 1, left] == kept[top, left]).all()
    assert (kept[top, right - 1 :] == kept[top, right - 1]).all()
    if face is not None:
        assert 30 - 13 <= left <= 30 - 6
        assert 27.5 + 7 <= bottom <= 27.5 + 17


def test_a_face_with_a_landmark_outside_the_frame_is_doubtful(stock: Stock) -> None:
    scenes = make_scenes(stock, Settings(scene=80, crowds=1, blanks=0), 60, draws(1))
    outside = ((scenes.points < 0) | (scenes.points > 79.5)).flatten(1).any(1)
    assert 0 < int(outside.sum()) < len(outside)
    assert bool(scenes.doubtful[outside].all())
