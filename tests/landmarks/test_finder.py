from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from thermalign.geometry import box_to_crop, interocular_distance
from thermalign.landmarks import finder
from thermalign.landmarks.contract import Faces
from thermalign.landmarks.finder import cells
from thermalign.landmarks.finder.cells import centres_and_sizes, make_goal, read
from thermalign.landmarks.finder.network import CELL, OUTPUTS, show
from thermalign.landmarks.finder.search import (
    bordered,
    copies,
    distinct,
    find_faces,
    measure,
    resized,
)
from thermalign.training.loop import Run
from thermalign.warp import stack_images, warp

SMALL = {
    "steps": 220,
    "batch_size": 8,
    "scene": 64,
    "sizes": (14.0, 32.0),
    "width": 0.5,
    "learning_rate": 0.006,
    "crowds": 0.1,
    "blanks": 0.1,
}
LARGEST_ERROR = 0.25  # interocular distances: it finds faces; its landmarks are coarse
SETTINGS = finder.Settings()
FACE = torch.tensor([[-0.5, -0.3], [0.5, -0.3], [0, 0.3], [-0.35, 0.75], [0.35, 0.75]])


def face(width: float, x: float, y: float) -> Tensor:
    """Return a face whose box has that width and its eyes' middle there, (1, L, 2)."""
    points = FACE * width / cells.BOX[0]
    return (points - points[:2].mean(0) + torch.tensor([x, y]))[None]


def goal_of(*faces: Tensor, doubtful: tuple[bool, ...] = ()) -> cells.Goal:
    """Return the goal of one scene of 128 px with these faces."""
    none = torch.zeros(0, 5, 2)
    points = torch.cat([none, *faces])
    sure = torch.tensor(doubtful or [False] * len(points), dtype=torch.bool)
    scenes = torch.zeros(len(points), dtype=torch.int64)
    return make_goal(scenes, points, sure, SETTINGS, count=1, side=128)


def as_said(goal: cells.Goal) -> Tensor:
    """Return cells that say what they are to say."""
    odds = torch.logit(goal.peaks.clamp(1e-4, 1 - 1e-4))
    return torch.cat([odds[:, None], goal.says], dim=1)


def test_what_cells_are_to_say_reads_as_the_faces_it_was_made_of() -> None:
    faces = torch.cat([face(16, 40, 60), face(33, 90.3, 50.8)])
    told = read(as_said(goal_of(faces)), SETTINGS, score=0.9)
    assert len(told.scores) == 2
    order = told.sizes.argsort()
    centres, widths = centres_and_sizes(faces)
    torch.testing.assert_close(told.points[order], faces, rtol=0, atol=1e-3)
    torch.testing.assert_close(told.centres[order], centres, rtol=0, atol=1e-3)
    torch.testing.assert_close(told.sizes[order], widths, rtol=1e-4, atol=0)


def test_the_box_of_a_face_is_the_studys_tight_one() -> None:
    points = torch.tensor([[[40.0, 50], [60, 50], [50, 62], [43, 71], [57, 71]]])
    centres, widths = centres_and_sizes(points)
    assert centres[0].tolist() == pytest.approx([50, 50 + 0.25 * 20])
    assert float(widths) == pytest.approx(2.3 * 20)


def test_faces_of_other_sizes_are_ground_or_not_judged() -> None:
    just_small, tiny, huge = face(12, 60, 60), face(6, 60, 60), face(90, 60, 60)
    assert not goal_of(just_small).peaks.any()
    assert not goal_of(just_small).judged[0, 15, 15]
    for other in (tiny, huge):
        assert not goal_of(other).peaks.any()
        assert goal_of(other).judged.all()


def test_a_doubtful_face_is_neither_found_nor_passed_over() -> None:
    goal = goal_of(face(24, 60, 60), doubtful=(True,))
    assert not goal.peaks.any()
    assert not goal.tells.any()
    assert 5 < int((~goal.judged).sum()) < 60


def test_a_face_before_a_doubtful_one_is_judged_all_the_same() -> None:
    goal = goal_of(face(24, 60, 60), face(24, 66, 60), doubtful=(True, False))
    assert int((goal.peaks == 1).sum()) == 1
    assert bool(goal.judged[goal.peaks == 1].all())
    assert not goal.judged.all()


def test_the_cell_of_a_centre_is_the_one_whose_pixels_hold_it() -> None:
    centre, _ = centres_and_sizes(face(24, 60, 60))
    for wanted, cell in ((63.4, 15), (63.7, 16), (64.4, 16)):  # cell 16 is of pixels 64 to 67
        moved = face(24, 60, 60) + torch.tensor([wanted - float(centre[0, 0]), 0.0])
        assert goal_of(moved).peaks[0].amax(0).argmax() == cell


def test_a_scene_without_faces_asks_for_no_face_anywhere() -> None:
    goal = goal_of()
    assert not goal.peaks.any()
    assert goal.judged.all()
    quiet, loud = torch.zeros(2, 1, OUTPUTS, 32, 32)
    quiet[:, 0], loud[:, 0] = -6, 2
    assert float(cells.loss(quiet, goal, SETTINGS)) < 0.01
    assert float(cells.loss(loud, goal, SETTINGS)) > 100


def test_the_loss_is_least_where_cells_say_what_they_are_to_say() -> None:
    goal = goal_of(face(24, 60, 60))
    said = as_said(goal)
    right = float(cells.loss(said, goal, SETTINGS))
    moved, silent = said.clone(), said.clone()
    moved[:, 1] += 0.2
    silent[:, 0] = -6
    assert right < 0.3
    assert float(cells.loss(moved, goal, SETTINGS)) > right + 0.1
    assert float(cells.loss(silent, goal, SETTINGS)) > right + 5


@pytest.mark.parametrize(("width", "height"), [(640, 480), (384, 288), (186, 186), (60, 300)])
def test_copies_cover_every_width_up_to_the_images_shorter_side(width: int, height: int) -> None:
    made = [copy.shape[3] for copy in copies(torch.zeros(1, 1, height, width), SETTINGS)]
    small, large = SETTINGS.sizes
    for face_width in np.linspace(small, min(width, height), 50):
        seen = [face_width * copy / width for copy in made]
        assert any(0.97 * small <= size <= large for size in seen)


@pytest.mark.parametrize(("width", "height"), [(90, 66), (50, 37), (31, 20)])
def test_images_are_shrunk_as_the_warp_shrinks_them(width: int, height: int) -> None:
    images = [np.random.default_rng(n).normal(0, 1, (96, 136)) for n in range(3)]
    stack = stack_images(images, torch.device("cpu"))
    rows = torch.tensor([2, 0])
    whole = torch.tensor([[0.0, 0, 136, 96]]).expand(2, 4)
    expected = warp(stack, rows, box_to_crop(whole, width, height), width=width, height=height)
    found = resized(stack, rows, width, height)
    inner = (slice(None), slice(None), slice(1, -1), slice(1, -1))
    torch.testing.assert_close(found[inner], expected[inner], rtol=0, atol=1e-4)


def test_a_bordered_copy_repeats_its_border_and_fits_the_network() -> None:
    image = torch.arange(30.0).view(1, 1, 5, 6)
    wide = bordered(image)
    assert [side % 16 for side in wide.shape[2:]] == [0, 0]
    torch.testing.assert_close(wide[:, :, 8:13, 8:14], image)
    assert float(wide[0, 0, 0, 0]) == 0
    assert float(wide[0, 0, -1, -1]) == 29


def test_what_is_shown_does_not_depend_on_gain_and_offset() -> None:
    image = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    levels = measure(image)
    torch.testing.assert_close(
        show(7 * image + 20, 7 * levels + 20), show(image, levels), rtol=0, atol=1e-3
    )


def test_what_is_shown_against_the_surround_does_not_depend_on_how_warm_that_is() -> None:
    image = 0.02 * torch.rand(1, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    warmer = image + torch.linspace(0, 0.5, 128)
    levels = torch.tensor([[-1.0, 1.0]])
    plain, other = (show(each, levels)[0, :, 48:80, 48:80] for each in (image, warmer))
    assert float((other[0] - plain[0]).abs().mean()) > 0.2
    assert float((other[1] - plain[1]).abs().mean()) < 0.1


class Bright(nn.Module):
    """Takes a bright cell for a face as wide as ``width``, its points all in its middle.

    In copies that are ``only`` pixels wide, or in all.
    """

    def __init__(self, width: float, only: int | None = None) -> None:
        super().__init__()
        self.settings, self.width, self.only = SETTINGS, width, only

    def forward(self, shown: Tensor) -> Tensor:
        bright = avg_pool2d(shown[:, :1], CELL)
        said = bright.new_zeros(len(bright), OUTPUTS, *bright.shape[2:])
        seen = self.only in {None, shown.shape[3]}
        said[:, :1] = 40 * (bright - 0.5) if seen else -20
        said[:, 3] = np.log(self.width / SETTINGS.unit)
        return said


def spot(width: int, height: int, x: int, y: int, side: int) -> np.ndarray:
    image = np.zeros((height, width), np.float32)
    image[y : y + side, x : x + side] = 1
    return image


def test_what_is_found_lies_where_it_is_in_the_image() -> None:
    # 768 px are looked at in 384: cells of 8 px, the first at 0 less the margin of 16.
    image = spot(768, 512, 208, 160, 8)
    stack = stack_images([np.zeros((90, 80), np.float32), image], torch.device("cpu"))
    found = find_faces(Bright(20.0), stack, replace(SETTINGS, longest=384), score=0.99)  # type: ignore[arg-type]
    assert found.index.tolist() == [1]
    x, y, wide, high = found.boxes[0].tolist()
    assert [x + wide / 2, y + high / 2] == pytest.approx([212, 164], abs=0.01)
    assert [wide, high] == pytest.approx([40, 40 * 2.87 / 2.3], rel=1e-3)
    torch.testing.assert_close(found.points[0, 2], torch.tensor([211.5, 163.5]), atol=0.01, rtol=0)


def test_a_face_in_a_later_copy_is_as_many_times_larger() -> None:
    stack = stack_images([spot(256, 192, 64, 64, 16)], torch.device("cpu"))
    third = Bright(20.0, only=64 + 2 * 8)  # in which the spot fills a cell
    found = find_faces(third, stack, SETTINGS, score=0.99)  # type: ignore[arg-type]
    assert len(found) == 1
    x, y, wide, high = found.boxes[0].tolist()
    assert wide == pytest.approx(80, rel=1e-3)
    assert [x + wide / 2, y + high / 2] == pytest.approx([72, 72], abs=0.1)


def test_of_overlapping_boxes_the_first_is_kept_and_neighbours_stay() -> None:
    boxes = np.array([[0.0, 0, 20, 25], [3, 2, 20, 25], [18, 0, 20, 25], [5, 5, 8, 10]])
    assert distinct(boxes).tolist() == [True, False, True, False]
    assert distinct(boxes[:0]).shape == (0,)


def test_what_a_hidden_box_would_have_hidden_stays() -> None:
    boxes = np.array([[0.0, 0, 20, 20], [10, 0, 20, 20], [20, 0, 20, 20]])
    assert distinct(boxes).tolist() == [True, True, True]
    nearer = np.array([[0.0, 0, 20, 20], [8, 0, 20, 20], [16, 0, 20, 20]])
    assert distinct(nearer).tolist() == [True, False, True]


def test_faces_of_two_images_hide_nothing_of_each_other_and_the_surest_come_first() -> None:
    bright = spot(128, 96, 64, 64, 8) + 0.8 * spot(128, 96, 32, 32, 8)
    dim = 0.9 * spot(128, 96, 64, 64, 8)
    stack = stack_images([dim, np.zeros((40, 40), np.float32), bright], torch.device("cpu"))
    first = Bright(14.0, only=128 + 2 * 8)
    found = find_faces(first, stack, SETTINGS, score=0.9)  # type: ignore[arg-type]
    assert found.index.tolist() == [0, 2, 2]
    torch.testing.assert_close(found.boxes[0], found.boxes[1])
    assert found.scores[1] > found.scores[2]


def test_sizes_that_leave_a_gap_between_copies_are_refused() -> None:
    with pytest.raises(ValueError, match="leave no gap"):
        finder.Settings(sizes=(14.0, 20.0))


def test_a_scene_too_small_for_the_largest_faces_is_refused() -> None:
    with pytest.raises(ValueError, match="scene is 64 and the last of sizes 36; give a scene of"):
        finder.Settings(scene=64)


def test_a_score_that_every_cell_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"give 0\.001 to 1"):
        finder.Settings(score=0.0)


def test_shares_of_scenes_above_one_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 1"):
        finder.Settings(crowds=0.7, blanks=0.5)


def test_a_face_is_found_in_an_image_five_times_as_wide(toy_faces: Callable[..., Faces]) -> None:
    settings = finder.Settings(**{**SMALL, "score": 0.2})  # type: ignore[arg-type]
    state = finder.fit(
        toy_faces(4), toy_faces(4).first(0), settings, seed=0, run=Run(progress=False)
    )
    fresh = toy_faces(1, seed=5)
    image = np.full((400, 520), 24.0, np.float32)
    image[150:270, 300:410] = fresh.stack.image(0).numpy()
    found = finder.detect(state, stack_images([image], torch.device("cpu")), settings)
    assert len(found) >= 1
    truth = fresh.points[0] + torch.tensor([300.0, 150.0])
    apart = (found.points[0] - truth).norm(dim=1).mean() / interocular_distance(truth[None])
    assert float(apart) < 0.4
