"""DAN's stages and connection layers against values by hand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from thermalign.geometry import apply_matrix
from thermalign.landmarks import dan
from thermalign.landmarks._data import Faces
from thermalign.landmarks._loop import Run
from thermalign.landmarks._normalise import prepare
from thermalign.landmarks._shapes import canonical, heatmap, mean_shape, place

SETTINGS = dan.Settings(input_size=64, width=0.05, hidden=4, heatmap_window=16)


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
    one = dan.Settings(
        n_stages=1, input_size=32, width=0.05, hidden=4, dropout=0.0, batch_size=4, steps=3
    )
    two = replace(one, n_stages=2, later_steps=3)
    alone = dan.fit(faces, faces, one, seed=0, run=Run(progress=False))
    both = dan.fit(faces, faces, two, seed=0, run=Run(progress=False))
    assert all(torch.equal(tensor, both.tensors[k]) for k, tensor in alone.tensors.items())
    assert [row.stage for row in both.curve] == ["stage 1", "stage 2"]
