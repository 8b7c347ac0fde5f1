from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from thermalign.geometry import box_iou, mirror_points
from thermalign.landmarks import mtcnn
from thermalign.landmarks.contract import Faces, make_faces
from thermalign.landmarks.mtcnn import cascade
from thermalign.landmarks.mtcnn.boxes import squared
from thermalign.landmarks.mtcnn.crops import Crops
from thermalign.states import State
from thermalign.training.checkpoint import Checkpoint
from thermalign.training.loop import Run, Session, Stage, restore
from thermalign.warp import stack_images

SMALL = {
    "learning_rate": 0.004,
    "schedule": "one_cycle",
    "validate_every": 50,
    "batch_size": 16,
    "steps": 300,
    "pnet_steps": 40,
    "rnet_steps": 40,
    "width": 0.5,
    "shift": 0.05,
    "scale": [0.95, 1.05],
    "losses": "weighted_sum",
    "min_face": 60,
}
SHARE_OF_MEAN_SHAPE = 0.6
QUIET = Run(progress=False)
QUICK = mtcnn.Settings(
    width=0.5,
    losses="weighted_sum",
    batch_size=32,
    learning_rate=0.004,
    schedule="one_cycle",
    pnet_steps=150,
    rnet_steps=100,
    steps=150,
    min_face=50,
    validate_every=50,
)
BRIEF = replace(QUICK, width=0.1, pnet_steps=4, rnet_steps=4, steps=4, validate_every=2)


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.fixture(scope="module")
def frames(toy_faces: Callable[..., Faces]) -> Faces:
    """Return toy faces somewhere in images of 200 x 170 and 180 x 190 pixels, some tilted warm."""
    crops = toy_faces(8)
    rng = np.random.default_rng(0)
    images, moves = [], []
    for n in range(len(crops)):
        width, height = ((200, 170), (180, 190))[n % 2]
        image = rng.normal(20, 0.3, (height, width)) + np.linspace(0, 2, width)
        x, y = (int(rng.integers(0, room)) for room in (width - 110, height - 120))
        image[y : y + 120, x : x + 110] = crops.stack.image(n).numpy()
        images.append(image)
        moves.append((x, y))
    move = torch.tensor(moves, dtype=torch.float32)
    boxes = torch.cat([crops.boxes[:, :2] + move, crops.boxes[:, 2:]], 1)
    points = crops.points + move[:, None]
    stack = stack_images(images, torch.device("cpu"))
    return make_faces(stack, crops.index, torch.zeros(len(crops), dtype=torch.bool), boxes, points)


@pytest.fixture(scope="module")
def trained(frames: Faces) -> State:
    return mtcnn.fit(frames, frames.first(0), QUICK, seed=0, run=QUIET)


def test_the_cascade_finds_the_faces_it_was_trained_on(trained: State, frames: Faces) -> None:
    found = mtcnn.detect(trained, frames.stack, QUICK)
    overlap = box_iou(found.boxes, frames.boxes[found.index])
    assert set(found.index[overlap > 0.5].tolist()) == set(range(len(frames)))
    assert len(found) <= 1.5 * len(frames)
    assert bool(((found.scores > QUICK.thresholds[2]) & (found.scores <= 1)).all())
    best = overlap > 0.5
    error = (found.points - frames.points[found.index]).norm(dim=-1).mean(1)
    assert float(error[best].median()) < 0.2 * 36  # interocular distances of 36 pixels


def test_faces_found_come_by_image_then_by_falling_score(trained: State, frames: Faces) -> None:
    loose = replace(QUICK, thresholds=(0.0, 0.0, 0.0))
    found = mtcnn.detect(trained, frames.stack, loose)
    assert len(found) > 2 * len(frames)
    order = sorted(range(len(found)), key=lambda n: (int(found.index[n]), -float(found.scores[n])))
    assert order == list(range(len(found)))


def test_what_is_found_does_not_depend_on_the_other_images(trained: State, frames: Faces) -> None:
    together = mtcnn.detect(trained, frames.stack, QUICK)
    one = stack_images([frames.stack.image(5).numpy()], torch.device("cpu"))
    alone = mtcnn.detect(trained, one, QUICK)
    mine = together.index == 5
    torch.testing.assert_close(together.boxes[mine], alone.boxes, rtol=0, atol=0.01)
    torch.testing.assert_close(together.points[mine], alone.points, rtol=0, atol=0.01)


def test_each_stage_has_a_curve_of_its_own(trained: State) -> None:
    assert list(dict.fromkeys(row.stage for row in trained.curve)) == ["pnet", "rnet", "onet"]


def scores(state: State, frames: Faces, boxes: torch.Tensor) -> torch.Tensor:
    """Return O-Net's probability (N,) of a face in the square around each box."""
    networks = restore(mtcnn.Mtcnn(QUICK), state, torch.device("cpu"), QUICK)
    crops = Crops(torch.arange(len(frames)), squared(boxes))
    with torch.inference_mode():
        return cascade.look(networks.onet, frames, crops, QUICK, mirrored=False)[0]


def test_a_face_scores_higher_than_the_wall(trained: State, frames: Faces) -> None:
    corner = torch.tensor([[0.0, 0.0, 30.0, 37.0]]).expand(len(frames), 4)
    assert float(scores(trained, frames, frames.boxes).min()) > 0.6
    assert float(scores(trained, frames, corner).median()) < 0.2


@pytest.fixture
def written_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Checkpoint, "due", lambda _: True)


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Return what makes a training die before a step, counted over all stages."""
    advance = Stage.advance

    def die_at(step: int) -> None:
        taken = [0]

        def counted(*arguments: object) -> None:
            taken[0] += 1
            if taken[0] == step:
                raise KilledError
            advance(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(Stage, "advance", counted)

    yield die_at
    monkeypatch.setattr(Stage, "advance", advance)


@pytest.mark.usefixtures("written_always")
@pytest.mark.parametrize("step", [4, 5, 7, 9, 12])
def test_a_training_killed_in_any_stage_ends_in_the_same_state(
    frames: Faces, tmp_path: Path, killed: Callable[[int], None], step: int
) -> None:
    whole = mtcnn.fit(frames, frames, BRIEF, seed=4, run=QUIET)
    path = tmp_path / "checkpoint.pt"
    killed(step)
    with pytest.raises(KilledError):
        mtcnn.fit(frames, frames, BRIEF, seed=4, run=Run(False, Checkpoint(path, "key")))
    killed(0)
    again = mtcnn.fit(frames, frames, BRIEF, seed=4, run=Run(False, Checkpoint(path, "key")))
    assert all(torch.equal(whole.tensors[k], again.tensors[k]) for k in whole.tensors)


def test_the_last_network_alone_has_no_others_and_finds_no_faces(frames: Faces) -> None:
    alone = replace(BRIEF, stages="onet", losses="landmarks")
    state = mtcnn.fit(frames, frames, alone, seed=0, run=QUIET)
    assert {name.split(".")[0] for name in state.tensors} == {"onet"}
    points, covariance = mtcnn.predict(state, frames.stack, frames.boxes, alone)
    assert bool(points.isfinite().all() & covariance.isnan().all())
    with pytest.raises(ValueError, match="stages is onet, which finds no faces"):
        mtcnn.detect(state, frames.stack, alone)


def test_landmarks_alone_cannot_train_a_cascade() -> None:
    with pytest.raises(ValueError, match="losses is landmarks, which finds no faces"):
        mtcnn.Settings(losses="landmarks")


@pytest.mark.parametrize(
    ("given_box", "expected"), [("as_is", [9.5, 19.5]), ("squared", [-0.5, 19.5])]
)
def test_the_given_box_is_squared_or_resized_as_it_is(
    frames: Faces, given_box: str, expected: list[float]
) -> None:
    settings = replace(BRIEF, stages="onet", given_box=given_box)
    networks = mtcnn.Mtcnn(settings)
    torch.nn.init.zeros_(networks.onet.landmarks.weight)
    torch.nn.init.zeros_(networks.onet.landmarks.bias)
    boxes = torch.tensor([[10.0, 20.0, 40.0, 60.0]]).expand(len(frames), 4)
    points, _ = mtcnn.predict(State(networks.state_dict()), frames.stack, boxes, settings)
    # The corner of what the network sees: the box's, or that of the square of 60 pixels.
    torch.testing.assert_close(points[0, 0], torch.tensor(expected))


def test_mirrored_averaging_makes_predictions_mirror_exactly(trained: State, frames: Faces) -> None:
    boxes, width = frames.boxes, frames.stack.widths
    turned = torch.cat([(width - boxes[:, 0] - boxes[:, 2])[:, None], boxes[:, 1:]], 1)
    images = [frames.stack.image(n).flip(1).numpy() for n in range(len(frames))]
    other = stack_images(images, torch.device("cpu"))
    apart = {}
    for mirrored in (False, True):
        settings = replace(QUICK, mirrored=mirrored)
        points, _ = mtcnn.predict(trained, frames.stack, boxes, settings)
        seen, _ = mtcnn.predict(trained, other, turned, settings)
        apart[mirrored] = float((mirror_points(seen, width) - points).abs().max())
    assert apart[True] < 1e-3
    assert apart[False] > 0.1


def test_detection_averages_too_where_that_is_asked_for(trained: State, frames: Faces) -> None:
    plain = mtcnn.detect(trained, frames.stack, QUICK)
    mean = mtcnn.detect(trained, frames.stack, replace(QUICK, mirrored=True))
    assert torch.equal(plain.boxes, mean.boxes)
    assert torch.equal(plain.scores, mean.scores)
    assert not torch.equal(plain.points, mean.points)


def test_weights_begin_as_the_port_has_them_or_as_pytorch_does() -> None:
    torch.manual_seed(0)
    xavier = mtcnn.network(mtcnn.Settings())
    torch.manual_seed(0)
    default = mtcnn.network(mtcnn.Settings(init="default"))
    for net in (xavier, default):
        assert net.onet.trunk[2].weight.unique().tolist() == [0.25]  # of PReLU, as in the port
    # Uniform up to sqrt(6 / (inputs + outputs)): 64 channels of 3 x 3 to 64 of 3 x 3.
    kernel = xavier.onet.trunk[6].weight.detach()
    assert float(kernel.abs().max()) == pytest.approx((6 / (9 * 128)) ** 0.5, rel=0.01)
    assert not xavier.rnet.landmarks.bias.any()
    # Uniform up to 1 / sqrt(inputs).
    kernel = default.onet.trunk[6].weight.detach()
    assert float(kernel.abs().max()) == pytest.approx(1 / 24, rel=0.01)
    assert default.rnet.landmarks.bias.all()


def test_l2_reaches_every_network_of_the_cascade(
    frames: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    optimise = Session.optimise

    def note(self: Session, *given: Any, **named: Any) -> float:
        seen.append((given[1], named["l2"]))
        return optimise(self, *given, **named)

    monkeypatch.setattr(Session, "optimise", note)
    mtcnn.fit(frames, frames, replace(BRIEF, l2=0.01), seed=0, run=QUIET)
    assert seen == [("pnet", 0.01), ("rnet", 0.01), ("onet", 0.01)]


def test_a_cascade_that_is_given_boxes_as_they_are_trains_on_squares_too(frames: Faces) -> None:
    crops = mtcnn._landmark_boxes(frames, replace(BRIEF, given_box="as_is"))
    shape = crops.boxes[:, 2] / crops.boxes[:, 3]
    assert int((shape == 1).sum()) == len(frames)
    assert len(crops) == 2 * len(frames)


@pytest.mark.parametrize("given_box", ["squared", "as_is"])
def test_nothing_that_training_sees_is_cut_off(frames: Faces, given_box: str) -> None:
    settings = replace(BRIEF, stages="onet", given_box=given_box, scale=(0.8, 1.25), shift=0.2)
    reach = mtcnn.reach(settings)
    base = mtcnn._given(frames.boxes, settings)
    side, box = base[:, 2:], frames.boxes
    most = base[:, :2] - (0.2 + 0.125) * side
    assert bool((box[:, :2] - most <= reach * box[:, 2:]).all())
    assert mtcnn.reach(BRIEF) == float("inf")


def test_bands_of_overlap_that_are_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match=r"part_iou and positive_iou are 0\.5, 0\.4 and"):
        mtcnn.Settings(negative_iou=0.5)
