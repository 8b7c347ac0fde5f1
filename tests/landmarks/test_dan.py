"""DAN's stages, connection layers and shapes against values by hand."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from thermalign.geometry import apply_matrix, mirror_points
from thermalign.landmarks import dan
from thermalign.landmarks.contract import Faces, chunks, point_error
from thermalign.landmarks.dan import heatmap
from thermalign.landmarks.normalise import prepare
from thermalign.landmarks.shapes import canonical, mean_shape, place
from thermalign.states import State
from thermalign.training.checkpoint import Checkpoint
from thermalign.training.loop import Run, restore
from thermalign.warp import stack_images

SMALL = {
    "learning_rate": 0.004,
    "schedule": "one_cycle",
    "validate_every": 50,
    "batch_size": 16,
    "steps": 150,
    "later_steps": 50,
    "input_size": 32,
    "width": 0.1,
    "hidden": 32,
    "dropout": 0.0,
    "shift_sd": 0.05,
    "rotation_sd": 2.0,
    "scale_sd": 0.05,
}
SHARE_OF_MEAN_SHAPE = 0.6
SETTINGS = dan.Settings(input_size=64, width=0.05, hidden=4, heatmap_window=16)
BRIEF = dan.Settings(
    n_stages=2,
    input_size=32,
    width=0.05,
    hidden=4,
    dropout=0.0,
    batch_size=4,
    steps=3,
    later_steps=3,
)
QUIET = Run(progress=False)


class Fixed(nn.Module):
    """A stage that always gives the same update and hidden units, and remembers its input."""

    def __init__(self, update: Any, hidden: Any = (0.0, 0.0, 0.0, 0.0)) -> None:
        super().__init__()
        self.update, self.hidden = torch.as_tensor(update), torch.tensor(hidden)
        self.image = torch.empty(0)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        self.image = image
        count = len(image)
        return self.update.expand(count, 5, 2), self.hidden.expand(count, -1)


def run(faces: Faces, stages: list[nn.Module], start: torch.Tensor) -> torch.Tensor:
    model = dan.Dan(replace(SETTINGS, n_stages=len(stages))).eval()
    model.mean_shape = mean_shape(faces)
    model.stages = nn.ModuleList(stages)
    data = prepare(faces, SETTINGS)
    rows = torch.arange(len(faces))
    with torch.no_grad():
        return dan.run_stages(model, data, rows, start, settings=SETTINGS, last=len(stages) - 1)


@pytest.fixture
def turned(toy_faces: Callable[..., Faces]) -> tuple[Faces, torch.Tensor]:
    """Faces, and starting shapes that are shifted, scaled and turned by 0.2 rad."""
    faces = toy_faces(3)
    turn = 1.2 * torch.tensor([[0.9801, -0.1987, 8.0], [0.1987, 0.9801, -9.0]])
    return faces, apply_matrix(turn, place(mean_shape(faces), faces.boxes))


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_stages_without_update_leave_the_start(
    stages: int, turned: tuple[Faces, torch.Tensor]
) -> None:
    faces, start = turned
    found = run(faces, [Fixed(torch.zeros(5, 2)) for _ in range(stages)], start)
    torch.testing.assert_close(found, start, rtol=0, atol=1e-3)


def test_an_update_is_turned_and_scaled_back_to_the_image(
    turned: tuple[Faces, torch.Tensor],
) -> None:
    faces, start = turned
    goal = canonical(mean_shape(faces), size=64, margin=0.25)
    found = run(faces, [Fixed(torch.tensor([[3.0, 0.0]]).expand(5, 2))], start)
    # Three pixels of the input along the canonical shape's x axis are as many parts of its height
    # along the starting shape's own x axis, which is turned by 0.2 rad.
    span = goal[:, 1].max() - goal[:, 1].min()
    shape = mean_shape(faces)
    unit = (shape[:, 1].max() - shape[:, 1].min()) * faces.boxes[:, 2:].mean(1) * 1.2
    length = 3 / span * unit
    along = torch.tensor([0.9801, 0.1987])
    expected = start + (length[:, None] * along)[:, None]
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-3)


def test_the_second_stage_sees_the_face_straightened_by_the_first(
    toy_faces: Callable[..., Faces],
) -> None:
    faces = toy_faces(1)
    first, second = Fixed(torch.zeros(5, 2)), Fixed(torch.zeros(5, 2))
    # Started from the truth, the canonical frame must show the landmarks at their places.
    run(faces, [first, second], faces.points)
    goal = canonical(mean_shape(faces), size=64, margin=0.25)
    x, y = goal[2].round().long().tolist()  # the nose is a bright blob
    image = second.image[0, 0]
    torch.testing.assert_close(first.image[0, 0], image, rtol=0, atol=2e-3)
    around = image[y - 6 : y + 7, x - 6 : x + 7]
    peak = int(around.argmax())
    assert abs(peak % 13 - 6) <= 1
    assert abs(peak // 13 - 6) <= 1
    torch.testing.assert_close(
        second.image[:, 1:2], heatmap(goal[None], size=64, window=16), rtol=0, atol=2e-3
    )


def test_the_second_stages_heatmap_is_at_the_canonical_shape_moved_by_the_update(
    turned: tuple[Faces, torch.Tensor],
) -> None:
    faces, start = turned
    # An update that is itself a similarity is undone by the transform to the canonical shape.
    second = Fixed(torch.zeros(5, 2))
    run(faces, [Fixed(torch.full((5, 2), 4.0)), second], start)
    goal = canonical(mean_shape(faces), size=64, margin=0.25)
    expected = heatmap(goal[None].expand(3, 5, 2), size=64, window=16)
    torch.testing.assert_close(second.image[:, 1:2], expected, rtol=0, atol=2e-3)


def test_features_become_an_image_of_half_the_size_upscaled_twice() -> None:
    model = dan.Dan(SETTINGS)
    layer = model.features[0]
    nn.init.zeros_(layer.weight)
    with torch.no_grad():
        layer.bias.copy_(torch.arange(32 * 32) - 5.0)
    shape = canonical(torch.rand(5, 2), size=64, margin=0.25)[None]
    with torch.no_grad():
        _, image = dan.connect(model, 1, shape, torch.zeros(1, 4), SETTINGS)
    assert image.shape == (1, 1, 64, 64)
    assert float(image[0, 0, 0, 0]) == 0  # -5 before the ReLU
    assert image[0, 0, 2:4, 6:8].tolist() == [[32 + 3 - 5.0] * 2] * 2
    assert float(image[0, 0, 63, 63]) == 32 * 32 - 1 - 5


def test_later_stages_train_without_touching_earlier_ones(
    toy_faces: Callable[..., Faces],
) -> None:
    faces = toy_faces(4, flips=True)
    model = dan.Dan(SETTINGS)
    model.mean_shape = mean_shape(faces)
    generator = torch.Generator().manual_seed(0)
    dan._loss(model, prepare(faces, SETTINGS), SETTINGS, 1, generator).backward()
    assert all(p.grad is None for p in model.stages[0].parameters())
    touched = [*model.part(1).parameters()]
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in touched)
    assert len(touched) + len([*model.stages[0].parameters()]) == len([*model.parameters()])


def test_a_frozen_stage_keeps_its_tensors_through_the_next_ones_training(
    toy_faces: Callable[..., Faces],
) -> None:
    faces = toy_faces(4)
    # Without dropout the first stage draws the same numbers whatever follows it.
    alone = dan.fit(faces, faces, replace(BRIEF, n_stages=1), seed=0, run=QUIET)
    for mode in ("eval", "train"):
        both = dan.fit(faces, faces, replace(BRIEF, earlier_stages=mode), seed=0, run=QUIET)
        kept = [k for k in alone.tensors if k.startswith("stages.0.")]
        assert len(kept) == len([k for k in both.tensors if k.startswith("stages.0.")])
        assert all(torch.equal(alone.tensors[k], both.tensors[k]) for k in kept)
        assert [row.stage for row in both.curve] == ["stage 1", "stage 2"]


@pytest.mark.parametrize(("mode", "alike"), [("eval", True), ("train", False)])
def test_earlier_stages_use_running_or_batch_statistics_as_set(
    toy_faces: Callable[..., Faces], mode: str, alike: bool
) -> None:
    faces = toy_faces(6)
    settings = replace(BRIEF, earlier_stages=mode, dropout=0.5)
    torch.manual_seed(0)
    model = dan.Dan(settings).eval()
    model.mean_shape = mean_shape(faces)
    model.stages[1] = Fixed(torch.zeros(5, 2))
    before = {k: v.clone() for k, v in model.state_dict().items()}
    seen = []
    for draw in (1, 2):  # the same batch, other dropped units
        torch.manual_seed(draw)
        generator = torch.Generator().manual_seed(0)
        dan._loss(model, prepare(faces, settings), settings, 1, generator)
        seen.append(model.stages[1].image[:, :1].clone())
    assert torch.equal(*seen) == alike
    after = model.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)  # running statistics too
    assert not model.stages[0].training


def rig(monkeypatch: pytest.MonkeyPatch, errors: list[float]) -> None:
    """Let the stages reach these validation errors."""
    monkeypatch.setattr(dan, "_error", lambda *given: torch.tensor(errors[given[-1]]))


@pytest.mark.parametrize(
    ("errors", "used"),
    [
        ([0.05, 0.04], 2),
        ([0.04, 0.05], 1),
        ([0.04, 0.04], 1),
        ([0.05, 0.06, 0.04], 3),
        ([0.05, 0.04, 0.06], 2),
    ],
)
def test_as_many_stages_predict_as_have_the_lowest_validation_error(
    toy_faces: Callable[..., Faces],
    monkeypatch: pytest.MonkeyPatch,
    errors: list[float],
    used: int,
) -> None:
    faces = toy_faces(4)
    settings = replace(BRIEF, n_stages=len(errors))
    rig(monkeypatch, errors)
    state = dan.fit(faces, faces, settings, seed=0, run=QUIET)
    assert state.notes == {"precision": "float32", "stages_used": used}
    points, _ = dan.predict(state, faces.stack, faces.boxes, settings)
    model = restore(dan.Dan(settings), state, faces.stack.device, settings)
    data = prepare(faces, settings)
    expected = dan._predict(model, data, settings, last=used - 1)
    other = dan._predict(model, data, settings, last=used % len(errors))
    assert torch.equal(points, expected)
    assert not torch.equal(points, other)


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("die_at", [2, 5])
def test_a_training_killed_in_either_stage_ends_in_the_same_state(
    toy_faces: Callable[..., Faces],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    mode: str,
    die_at: int,
) -> None:
    faces = toy_faces(4)
    settings = replace(BRIEF, earlier_stages=mode, dropout=0.5)
    monkeypatch.setattr(Checkpoint, "due", lambda _: True)
    rig(monkeypatch, [0.04, 0.05])

    def fit(run: Run) -> State:
        return dan.fit(faces, faces, settings, seed=0, run=run)

    whole = fit(QUIET)
    loss, taken = dan._loss, [0]

    def deadly(*given: Any) -> torch.Tensor:
        taken[0] += 1
        if taken[0] == die_at:
            raise KilledError
        return loss(*given)

    monkeypatch.setattr(dan, "_loss", deadly)
    with pytest.raises(KilledError):
        fit(Run(progress=False, checkpoint=Checkpoint(tmp_path / "c.pt", "key")))
    again = fit(Run(progress=False, checkpoint=Checkpoint(tmp_path / "c.pt", "key")))
    assert taken[0] == 7  # six steps, one of them begun twice
    assert all(torch.equal(whole.tensors[k], again.tensors[k]) for k in whole.tensors)
    assert again.notes == whole.notes == {"precision": "float32", "stages_used": 1}


def test_without_validation_people_every_stage_predicts(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(4)
    state = dan.fit(faces, faces.first(0), BRIEF, seed=0, run=QUIET)
    assert state.notes["stages_used"] == int(state.tensors["stages_used"]) == 2


def test_the_number_of_stages_used_is_in_the_tensors_not_in_the_notes(
    toy_faces: Callable[..., Faces],
) -> None:
    faces = toy_faces(4)
    state = dan.fit(faces, faces.first(0), BRIEF, seed=0, run=QUIET)
    read = State({**state.tensors, "stages_used": torch.tensor(1)})
    both, _ = dan.predict(state, faces.stack, faces.boxes, BRIEF)
    first, _ = dan.predict(read, faces.stack, faces.boxes, BRIEF)
    assert not torch.equal(both, first)


@pytest.fixture(scope="module")
def taught(toy_faces: Callable[..., Faces]) -> tuple[State, dan.Settings]:
    """DAN trained on 40 toy faces for a few seconds."""
    settings = dan.Settings(**{**SMALL, "shift_sd": 0.1, "steps": 300})
    faces = toy_faces(40, flips=True)
    return dan.fit(faces, toy_faces(8, seed=1), settings, seed=0, run=QUIET), settings


def found(
    taught: tuple[State, dan.Settings], faces: Faces, boxes: torch.Tensor, **changed: Any
) -> torch.Tensor:
    state, settings = taught
    return dan.predict(state, faces.stack, boxes, replace(settings, **changed))[0]


def test_a_second_pass_starts_from_the_shape_of_the_first(
    taught: tuple[State, dan.Settings], toy_faces: Callable[..., Faces]
) -> None:
    faces = toy_faces(12, seed=2)
    boxes = faces.boxes + torch.tensor([0.18, -0.15, 0, 0]) * faces.boxes[:, [2, 3, 2, 3]]
    once, twice = (found(taught, faces, boxes, passes=n) for n in (1, 2))
    rows = torch.arange(12)
    errors = [float(point_error(points, faces, rows)) for points in (once, twice)]
    assert errors[1] < 0.8 * errors[0]
    state, settings = taught
    model = restore(dan.Dan(settings), state, faces.stack.device, settings)
    data = prepare(replace(faces, boxes=boxes), settings)
    last = int(model.stages_used) - 1
    with torch.no_grad():
        again = dan.run_stages(model, data, rows, once, settings=settings, last=last)
    assert torch.equal(again, twice)


def test_an_image_that_is_not_finite_leaves_the_others_of_its_batch_as_they_are(
    taught: tuple[State, dan.Settings], toy_faces: Callable[..., Faces]
) -> None:
    faces = toy_faces(3, seed=2)
    images = [faces.stack.image(n).numpy().copy() for n in range(3)]
    images[1][:] = np.nan
    broken = replace(faces, stack=stack_images(images, faces.stack.device))
    points = found(taught, broken, faces.boxes, passes=2)
    assert bool(points[1].isnan().all())
    whole = found(taught, faces, faces.boxes, passes=2)
    torch.testing.assert_close(points[[0, 2]], whole[[0, 2]], rtol=0, atol=1e-3)


def test_a_mirrored_prediction_is_the_mean_of_the_faces_and_the_mirrored_faces(
    taught: tuple[State, dan.Settings], toy_faces: Callable[..., Faces]
) -> None:
    faces = toy_faces(4, seed=3)
    width = faces.sizes[:, 0]
    images = [faces.stack.image(n).flip(1).numpy() for n in range(4)]
    other = replace(faces.mirrored(), stack=stack_images(images, faces.stack.device))
    here, there = (found(taught, its, its.boxes) for its in (faces, other))
    both = found(taught, faces, faces.boxes, mirrored=True)
    expected = (here + mirror_points(there, width)) / 2
    torch.testing.assert_close(both, expected, rtol=0, atol=1e-3)
    assert float((both - here).abs().max()) > 0.05


def test_training_goes_on_from_a_trained_state(
    taught: tuple[State, dan.Settings], toy_faces: Callable[..., Faces]
) -> None:
    state, settings = taught
    brief = replace(settings, steps=5, later_steps=5, validate_every=5, learning_rate=1e-4)
    faces, others = toy_faces(4, flips=True), toy_faces(12, seed=2)
    anew = dan.fit(faces, others, brief, seed=0, run=QUIET)
    on = dan.fit(faces, others, brief, seed=0, run=QUIET, initial=state)
    assert on.curve[-1].validation_nmse < 0.7 * anew.curve[-1].validation_nmse
    torch.testing.assert_close(on.tensors["mean_shape"], mean_shape(faces))
    wider = replace(brief, width=0.2)
    with pytest.raises(ValueError, match="the trained state does not fit the settings"):
        dan.fit(faces, others, wider, seed=0, run=QUIET, initial=state)


def starts(faces: Faces, settings: dan.Settings, monkeypatch: pytest.MonkeyPatch) -> torch.Tensor:
    """Return how far the starts of a training are moved from where predicting starts, pixels."""
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []

    def note(*given: Any, **_: Any) -> torch.Tensor:
        _, data, rows, start = given
        seen.append((rows, start - place(given[0].mean_shape, data.faces.boxes[rows])))
        return start

    monkeypatch.setattr(dan, "run_stages", note)
    model = dan.Dan(settings)
    model.mean_shape = mean_shape(faces)
    dan._loss(model, prepare(faces, settings), settings, 0, torch.Generator().manual_seed(0))
    return seen[0][1][:, 0]


@pytest.mark.parametrize("size", [1.0, 0.5])
def test_shifts_are_shares_of_the_face_or_of_the_mean_shape_in_the_input(
    toy_faces: Callable[..., Faces], monkeypatch: pytest.MonkeyPatch, size: float
) -> None:
    faces = toy_faces(1)
    faces = replace(faces, boxes=faces.boxes * size, points=faces.points * size)
    settings = replace(BRIEF, input_size=112, batch_size=20_000, rotation_sd=0.0, scale_sd=0.0)
    shape = mean_shape(faces)
    wide, high = (shape.amax(0) - shape.amin(0)).tolist()
    assert high > wide
    face = starts(faces, replace(settings, shift_unit="face"), monkeypatch).std(0)
    side = float(faces.boxes[0, 2:].mean())
    assert face.tolist() == pytest.approx([0.2 * wide * side, 0.2 * high * side], rel=0.03)
    # The mean shape is as high as half of 112 pixels: .2 x 56 = 11.2, whatever the face's size.
    pixel = starts(faces, replace(settings, shift_unit="pixel"), monkeypatch).std(0)
    assert pixel.tolist() == pytest.approx([11.2 * wide / high, 11.2], rel=0.03)


def test_an_image_is_kept_as_far_as_shifts_in_pixels_move_a_start() -> None:
    still = dan.Settings(shift_sd=0.0)
    face, pixel = dan.Settings(), dan.Settings(shift_unit="pixel")
    assert dan.reach(face) - dan.reach(still) == pytest.approx(3 * 0.2 / 2)
    # 3 x 11.2 pixels of boxes of 64.
    assert dan.reach(pixel) - dan.reach(still) == pytest.approx(33.6 / 64)


@pytest.mark.parametrize(("width", "size", "most"), [(0.125, 64, 256), (1.0, 112, 128)])
def test_faces_are_looked_at_together_as_long_as_their_maps_are_small(
    width: float, size: int, most: int, toy_faces: Callable[..., Faces]
) -> None:
    face = toy_faces(1).subset(torch.zeros(300, dtype=torch.long))
    rows = chunks(face, each=dan.maps_of(dan.Settings(width=width, input_size=size)))
    assert [len(some) for some in rows] == [most] * (300 // most) + [300 % most]
    assert torch.equal(torch.cat(rows), torch.arange(300))


def test_a_window_that_does_not_fit_the_input_is_refused() -> None:
    with pytest.raises(ValueError, match="heatmap_window is 17; give 1 to 16"):
        dan.Settings(input_size=16)


def test_the_heatmap_falls_with_distance_and_ends_at_its_window() -> None:
    found = heatmap(torch.tensor([[[20.0, 30.0]]]), size=64, window=16)[0, 0]
    assert float(found[30, 20]) == pytest.approx(1 / (1 + 1e-3))
    assert float(found[30, 23]) == pytest.approx(1 / 4, abs=1e-6)
    assert float(found[34, 23]) == pytest.approx(1 / 6, abs=1e-6)
    assert int((found > 0).sum()) == 16 * 16
    assert float(found[30, 13]) > 0
    assert float(found[30, 12]) == 0
    assert float(found[30, 28]) > 0
    assert float(found[30, 29]) == 0


def test_the_nearest_landmark_counts_in_the_heatmap() -> None:
    both = heatmap(torch.tensor([[[20.0, 30.0], [26.0, 30.0]]]), size=64, window=16)
    left = heatmap(torch.tensor([[[20.0, 30.0]]]), size=64, window=16)
    right = heatmap(torch.tensor([[[26.0, 30.0]]]), size=64, window=16)
    torch.testing.assert_close(both, torch.maximum(left, right))


def test_an_odd_window_is_drawn_by_hand_around_the_nearest_pixel() -> None:
    found = heatmap(torch.tensor([[[3.75, 2.0]]]), size=7, window=3)[0, 0]
    # Columns 3, 4, 5 around the nearest pixel 4, at distances .75, .25 and 1.25; rows 1, 2, 3.
    near, side = (1 / (1 + math.hypot(d, 0)) for d in (0.25, 0.75))
    far = 1 / (1 + 1.25)
    edge = [1 / (1 + math.hypot(d, 1)) for d in (0.75, 0.25, 1.25)]
    expected = torch.zeros(7, 7)
    expected[1, 3:6] = expected[3, 3:6] = torch.tensor(edge)
    expected[2, 3:6] = torch.tensor([side, near, far])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("window", [1, 2, 3, 16, 17, 63, 64])
@pytest.mark.parametrize("place", [(31.2, 17.9), (31.7, 0.4), (63.0, 63.0), (-90.0, 500.0)])
def test_a_window_has_as_many_pixels_as_are_asked_for_wherever_the_landmark_is(
    window: int, place: tuple[float, float]
) -> None:
    found = heatmap(torch.tensor([[place]]), size=64, window=window)[0, 0]
    assert (found > 0).sum(0).unique().tolist() in ([0, window], [window])
    assert (found > 0).sum(1).unique().tolist() in ([0, window], [window])


def test_a_landmark_near_the_border_is_drawn_where_its_window_fits() -> None:
    found = heatmap(torch.tensor([[[-100.0, 500.0]]]), size=64, window=17)
    torch.testing.assert_close(found, heatmap(torch.tensor([[[8.0, 55.0]]]), size=64, window=17))
    assert float(found[0, 0, 55, 8]) == pytest.approx(1 / (1 + 1e-3))
    assert float(found[0, 0, 63, 16]) > 0
    inside = heatmap(torch.tensor([[[8.3, 54.6]]]), size=64, window=17)
    assert not torch.equal(inside, found)


@pytest.mark.parametrize("window", [16, 17])
def test_mirroring_commutes_with_drawing(window: int) -> None:
    points = torch.rand((4, 5, 2), generator=torch.Generator().manual_seed(0)) * 63
    mirrored = heatmap(mirror_points(points, 64), size=64, window=window)
    torch.testing.assert_close(mirrored, heatmap(points, size=64, window=window).flip(3))
