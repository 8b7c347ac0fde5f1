from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from thermalign.geometry import LANDMARKS
from thermalign.landmarks import pbc
from thermalign.landmarks._data import Faces
from thermalign.landmarks._faces import unannotated
from thermalign.landmarks._loop import Run
from thermalign.landmarks._normalise import prepare
from thermalign.warp import ImageStack, stack_images

WINDOW = pbc.Settings(normalisation="window", window=(0.0, 2.0))


class Spots(nn.Module):
    """Class k answers to a pixel of brightness k + 1 in the exact middle of the patch."""

    def __init__(self, margin: int) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        # The 2 x 2 pixels around a patch's centre (29.5, 29.5); cells before the corner's patch.
        start = 29 - 8 * self.margin
        middle = nn.functional.avg_pool2d(crops[:, :, start:, start:], 2, stride=8)
        level = torch.arange(len(LANDMARKS) + 1, device=crops.device)[:, None, None] + 1
        return -(middle - level / 3 + 1).abs() * 50


def spotted(centres: list[tuple[int, int]]) -> ImageStack:
    """Draw an image with 2 x 2 spots of brightness (k + 1) / 3 whose first pixels are given."""
    image = np.zeros((150, 140), np.float32)
    for k, (x, y) in enumerate(centres):
        image[y : y + 2, x : x + 2] = (k + 1) / 3
    return stack_images([image], torch.device("cpu"))


@pytest.mark.parametrize("margin", [0, 2])
def test_cells_map_back_to_the_centres_of_their_patches(margin: int) -> None:
    # The box is 100 x 108 pixels: patches cover 100 x 108 (60 + 8 * 5 by 60 + 8 * 6) from (20, 30).
    cells = [(0, 0), (5, 0), (2, 3), (0, 6), (5, 6)]
    stack = spotted([(20 + 8 * a + 29, 30 + 8 * b + 29) for a, b in cells])
    data = prepare(unannotated(stack, torch.tensor([[20.0, 30.0, 100.0, 108.0]])), WINDOW)
    points, confidence = pbc.locate(Spots(margin), data)  # type: ignore[arg-type]
    expected = torch.tensor([[20 + 8 * a + 29.5, 30 + 8 * b + 29.5] for a, b in cells])
    assert torch.equal(points[0], expected)
    assert bool((confidence > 0.9).all())


def test_the_part_no_patch_covers_is_split_evenly() -> None:
    cells = [(0, 0), (1, 0), (0, 1), (1, 1), (1, 2)]
    # 73 x 81 pixels hold 68 x 76; of the 5 left over 2 lie before and 3 behind.
    stack = spotted([(22 + 8 * a + 29, 12 + 8 * b + 29) for a, b in cells])
    data = prepare(unannotated(stack, torch.tensor([[20.0, 10.0, 73.0, 81.0]])), WINDOW)
    points, _ = pbc.locate(Spots(0), data)  # type: ignore[arg-type]
    expected = torch.tensor([[22 + 8 * a + 29.5, 12 + 8 * b + 29.5] for a, b in cells])
    assert torch.equal(points[0], expected)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_one_more_stride_of_crop_gives_one_more_cell(padding: str) -> None:
    model = pbc.Network(pbc.Settings(padding=padding, width=0.05))
    extra = 4 if padding == "same" else 0
    for a, b in [(0, 0), (1, 0), (0, 3), (7, 5)]:
        logits = model(torch.zeros(1, 1, 60 + 8 * a, 60 + 8 * b))
        assert logits.shape == (1, 6, 1 + a + extra, 1 + b + extra)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_a_crop_moved_by_a_stride_moves_the_inner_cells_by_one(padding: str) -> None:
    torch.manual_seed(0)
    model = pbc.Network(pbc.Settings(padding=padding, width=0.1)).eval()
    image = torch.randn(1, 1, 164 + 8, 164 + 8)
    with torch.no_grad():
        first, second = model(image[:, :, :164, :164]), model(image[:, :, 8:, 8:])
    inner = slice(6, -6)
    assert first[0, 0, inner, inner].numel() > 0
    torch.testing.assert_close(
        second[:, :, 5:-7, 5:-7], first[:, :, inner, inner], rtol=0, atol=1e-5
    )


def test_a_patch_is_classified_as_the_crop_of_its_size_is_searched() -> None:
    torch.manual_seed(0)
    for padding in ("valid", "same"):
        model = pbc.Network(pbc.Settings(padding=padding, width=0.1)).eval()
        patch = torch.randn(2, 1, 60, 60)
        logits = model(patch)
        cell = model.margin
        assert logits.shape[2] == 2 * cell + 1
        torch.testing.assert_close(model.classify(patch), logits[:, :, cell, cell])


def test_the_choice_is_by_the_raw_logit_and_confidence_by_softmax() -> None:
    class Two(nn.Module):
        margin = 0

        def forward(self, crops: torch.Tensor) -> torch.Tensor:
            # Two cells. The second has the higher logit of every landmark, but background beats it.
            logits = torch.zeros(len(crops), len(LANDMARKS) + 1, 1, 2)
            logits[:, :-1, :, 0], logits[:, :-1, :, 1] = 1, 2
            logits[:, -1, :, 1] = 9
            return logits

    stack = stack_images([np.zeros((80, 80))], torch.device("cpu"))
    data = prepare(unannotated(stack, torch.tensor([[0.0, 0.0, 68.0, 60.0]])), WINDOW)
    points, confidence = pbc.locate(Two(), data)  # type: ignore[arg-type]
    assert points[0].tolist() == [[37.5, 29.5]] * 5
    softmax = np.exp(2) / (5 * np.exp(2) + np.exp(9))
    assert confidence[0].tolist() == pytest.approx([softmax] * 5)


def test_a_tiny_box_still_gives_points(toy_faces: Callable[..., Faces]) -> None:
    settings = pbc.Settings(width=0.05, steps=2, batch_size=8)
    faces = toy_faces(2)
    state = pbc.fit(faces, faces, settings, seed=0, run=Run(progress=False))
    boxes = torch.tensor([[40.0, 50.0, 20.0, 20.0], [100.0, 110.0, 30.0, 30.0]])
    points, _ = pbc.predict(state, faces.stack, boxes, settings)
    centre = boxes[:, :2] + (boxes[:, 2:] - 1) / 2
    torch.testing.assert_close(points, centre[:, None].expand(2, 5, 2), rtol=0, atol=0.5)


class Correlation(nn.Module):
    """Score every 60 x 60 patch, 8 pixels apart, by its likeness to a pattern."""

    margin = 0

    def __init__(self, pattern: torch.Tensor) -> None:
        super().__init__()
        self.pattern = (pattern - pattern.mean())[None, None]

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        likeness = nn.functional.conv2d(crops, self.pattern, stride=pbc.STRIDE)
        return torch.cat([likeness] * len(LANDMARKS) + [-likeness], dim=1)


@pytest.mark.parametrize(("column", "row"), [(0, 0), (3, 5), (10, 13)])
def test_a_known_pattern_is_found_where_it_was_placed(column: int, row: int) -> None:
    rng = np.random.default_rng(0)
    pattern = rng.normal(0, 3, (60, 60))
    image = rng.normal(30, 0.3, (260, 230))
    x, y = 31 + 8 * column, 42 + 8 * row  # a box of 140 x 164 pixels is covered without rest
    image[y : y + 60, x : x + 60] += pattern
    stack = stack_images([image], torch.device("cpu"))
    box = torch.tensor([[31.0, 42.0, 140.0, 164.0]])
    data = prepare(unannotated(stack, box), pbc.Settings(normalisation="window"))
    model = Correlation(torch.tensor(pattern, dtype=torch.float32))
    points, _ = pbc.locate(model, data)  # type: ignore[arg-type]
    assert points[0].tolist() == [[x + 29.5, y + 29.5]] * 5


def test_every_face_has_its_own_score_map(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(5)
    boxes = faces.boxes.clone()
    boxes[1::2, 2] -= 16
    data = prepare(unannotated(faces.stack, boxes), WINDOW)
    model = pbc.Network(pbc.Settings(width=0.05)).eval()
    maps = list(pbc.score_maps(model, data))
    assert sorted(int(n) for m in maps for n in m.rows) == [0, 1, 2, 3, 4]
    sizes = {int(n): tuple(m.logits.shape[1:]) for m in maps for n in m.rows}
    assert sizes == {n: (6, 7, 4 - 2 * (n % 2)) for n in range(5)}
    for m in maps:
        torch.testing.assert_close(m.confidence.sum(1), torch.ones_like(m.logits[:, 0]))
