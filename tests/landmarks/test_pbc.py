from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from thermalign.cut import cut_images
from thermalign.geometry import LANDMARKS
from thermalign.landmarks import pbc
from thermalign.landmarks.contract import Faces, point_error, unannotated
from thermalign.landmarks.normalise import prepare
from thermalign.landmarks.pbc.patches import NEITHER
from thermalign.metrics.reach import best_cells
from thermalign.training.loop import Run
from thermalign.warp import ImageStack, stack_images

SMALL = {
    "learning_rate": 0.004,
    "schedule": "one_cycle",
    "validate_every": 50,
    "batch_size": 32,
    "steps": 250,
    "width": 0.12,
    "padding": "same",  # unpadded, no patch of these crops is centred on an eye or a mouth corner
}
SHARE_OF_MEAN_SHAPE = 0.8
WINDOW = pbc.Settings(normalisation="window", window=(0.0, 2.0))


class Patchwise(nn.Module):
    """Looks at patches alone, not around them."""

    before, around = 0, 0

    def __init__(self, margin: int = 0) -> None:
        super().__init__()
        self.margin = margin


class Spots(Patchwise):
    """Class k answers to brightness (k + 1) / 3 in the exact middle of the patch."""

    def forward(self, crops: torch.Tensor, *, surrounded: bool) -> torch.Tensor:
        # The 2 x 2 pixels around a patch's centre (29.5, 29.5).
        middle = nn.functional.avg_pool2d(crops[:, :, 29:-29, 29:-29], 2, stride=8)
        level = torch.tensor([1, 2, 3, 4, 5, 0])[:, None, None]  # background is dark
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
    points, covariance = pbc.locate(Spots(margin), data, WINDOW)  # type: ignore[arg-type]
    expected = torch.tensor([[20 + 8 * a + 29.5, 30 + 8 * b + 29.5] for a, b in cells])
    assert torch.equal(points[0], expected)
    # One sharp peak each. Without a margin four lie at the map's corners: 4.5 px from the middle
    # half of the box on the left, 5.5 on the right, 2.5 at the top, 3.5 at the bottom.
    ways = [(4.5, 2.5), (5.5, 2.5), (0, 0), (4.5, 3.5), (5.5, 3.5)]
    squared = torch.tensor(ways, dtype=torch.float32) ** 2 * (margin == 0)
    torch.testing.assert_close(covariance[0], torch.diag_embed(squared), atol=0.1, rtol=0)


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


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_the_printed_layers_see_zeros_only_at_the_border(padding: str) -> None:
    torch.manual_seed(0)
    model = pbc.Network(pbc.Settings(padding=padding, width=0.1)).eval()
    crop = torch.randn(1, 1, 60 + 8 * 12, 60 + 8 * 10)
    first, last = 16 - model.before, model.around - model.before
    with torch.no_grad():
        printed = model(crop)
        # The cells from (2, 2) on, by their own surroundings.
        inner = model(crop[:, :, first : -24 + last, first : -24 + last], surrounded=True)
    begin = 2 + model.margin
    assert inner.shape[2:] == (13 - 2 - 3, 11 - 2 - 3)
    expected = printed[:, :, begin : begin + 8, begin : begin + 6]
    torch.testing.assert_close(inner, expected, rtol=0, atol=1e-5)


def noise(height: int, width: int) -> ImageStack:
    rng = np.random.default_rng(0)
    return stack_images([rng.normal(1, 0.4, (height, width))], torch.device("cpu"))


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("box", "where"),
    [
        ([50.0, 40.0, 100.0, 116.0], "inside the image"),
        ([0.0, 0.0, 180.0, 196.0], "over the whole image"),
        ([-20.0, 150.0, 76.0, 84.0], "beyond the image"),
        ([60.0, 70.0, 30.0, 40.0], "smaller than a patch"),
    ],
)
def test_a_patch_alone_is_classified_as_in_the_map(
    padding: str, box: list[float], where: str
) -> None:
    torch.manual_seed(0)
    settings = replace(WINDOW, padding=padding, width=0.1)
    model = pbc.Network(settings).eval()
    data = prepare(unannotated(noise(196, 180), torch.tensor([box])), settings)
    (maps,) = pbc.score_maps(model, data)
    rows, columns = maps.logits.shape[2:]
    at = torch.cartesian_prod(torch.arange(columns), torch.arange(rows))
    corners = maps.first - 29.5 + 8 * at
    none = torch.zeros(len(at), dtype=torch.long)
    with torch.no_grad():
        patches = pbc._surrounded(model, data, none, corners, width=60, height=60)
        alone = model(patches, surrounded=True)[:, :, 0, 0]
    together = maps.logits[0][:, at[:, 1], at[:, 0]].T
    torch.testing.assert_close(alone, together, rtol=0, atol=1e-5)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("side", [10.0, 55.0, 90.0])
def test_what_a_study_cuts_is_all_that_pbc_sees(padding: str, side: float) -> None:
    torch.manual_seed(0)
    settings = replace(WINDOW, padding=padding, width=0.05)
    model = pbc.Network(settings).eval()
    whole = noise(330, 310)
    boxes = np.array([[150.0 - side / 2, 161.0 - side / 2, side, side + 0.5]])
    cut = cut_images([whole.image(0).numpy()], boxes, pbc.reach(settings))
    assert len(cut.stack.pixels) < len(whole.pixels)
    (seen,) = pbc.score_maps(model, prepare(unannotated(cut.stack, cut.boxes), settings))
    (every,) = pbc.score_maps(model, prepare(unannotated(whole, torch.tensor(boxes)), settings))
    assert torch.equal(seen.first + cut.origins, every.first)
    torch.testing.assert_close(seen.logits, every.logits, rtol=0, atol=1e-5)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_the_grid_told_to_the_metrics_is_the_maps(padding: str) -> None:
    settings = replace(WINDOW, padding=padding, width=0.05)
    model = pbc.Network(settings).eval()
    rng = np.random.default_rng(1)
    boxes = np.concatenate([rng.uniform(-5, 40, (30, 2)), rng.uniform(20, 130, (30, 2))], axis=1)
    boxes[::3] = (2 * boxes[::3]).round() / 2  # halves are rounded alike
    points = rng.uniform(-20, 190, (30, len(LANDMARKS), 2))
    stack = stack_images([np.zeros((9, 9))] * 30, torch.device("cpu"))
    faces = unannotated(stack, torch.tensor(boxes, dtype=torch.float32))
    best = best_cells(points, boxes, **pbc.grid(settings))
    for maps in pbc.score_maps(model, prepare(faces, settings)):
        rows, columns = maps.logits.shape[2:]
        at = torch.cartesian_prod(torch.arange(columns), torch.arange(rows))
        for n, first in zip(maps.rows.tolist(), maps.first.double().numpy(), strict=True):
            centres = first + 8 * at.double().numpy()
            distance = np.linalg.norm(points[n][:, None] - centres, axis=-1)
            np.testing.assert_array_equal(best[n], centres[distance.argmin(axis=1)])


class Two(Patchwise):
    """Two cells. The second has the higher logit of every landmark, but background beats it."""

    def __init__(self, constant: float = 0.0) -> None:
        super().__init__()
        self.constant = constant  # added to all logits of the second cell

    def forward(self, crops: torch.Tensor, *, surrounded: bool) -> torch.Tensor:
        logits = torch.zeros(len(crops), len(LANDMARKS) + 1, 1, 2)
        logits[:, :-1, :, 0], logits[:, :-1, :, 1] = 1, 2
        logits[:, -1, :, 1] = 9
        return logits + self.constant * torch.tensor([0.0, 1.0])


@pytest.mark.parametrize(
    ("choice", "constant", "x"),
    [
        ("probability", 0, 29.5),
        ("probability", 50, 29.5),
        ("probability", -50, 29.5),
        ("logit", 0, 37.5),
        ("logit", 50, 37.5),
        ("logit", -50, 29.5),
    ],
)
def test_a_constant_at_a_position_moves_the_raw_choice_only(
    choice: str, constant: float, x: float
) -> None:
    settings = replace(WINDOW, choice=choice)
    stack = stack_images([np.zeros((80, 80))], torch.device("cpu"))
    data = prepare(unannotated(stack, torch.tensor([[0.0, 0.0, 68.0, 60.0]])), settings)
    points, covariance = pbc.locate(Two(constant), data, settings)  # type: ignore[arg-type]
    assert points[0].tolist() == [[x, 29.5]] * 5
    # Second moments around the chosen cell, of the odds, whatever it was chosen by; and the way
    # from it to the middle half of the box, 17 to 51 by 15 to 45.
    first, second = np.e / (4 * np.e + 1), np.exp(2) / (4 * np.exp(2) + np.exp(9))
    other = (second if x < 30 else first) / (first + second)
    way = 29.5 - 17 if x < 30 else 51 - 37.5
    assert covariance[0, :, 0, 0].tolist() == pytest.approx([8**2 * other + way**2] * 5)
    assert covariance[0, :, 1, 1].tolist() == pytest.approx([14.5**2 + 15.5**2] * 5)
    assert covariance[0, :, 1, 0].abs().max() == 0


@pytest.mark.parametrize(("choice", "distance"), [("probability", 8.0), ("logit", 0.0)])
def test_validation_chooses_as_prediction_does(choice: str, distance: float) -> None:
    settings = replace(WINDOW, choice=choice)
    stack = stack_images([np.zeros((80, 80))], torch.device("cpu"))
    faces = unannotated(stack, torch.tensor([[0.0, 0.0, 68.0, 60.0]]))
    # Every landmark lies in the second cell but the left eye, ten pixels beside it.
    points = torch.tensor([37.5, 29.5]).repeat(1, 5, 1)
    points[0, 1, 0] += 10
    data = prepare(replace(faces, points=points), settings)
    error = pbc._error(Two(), data, settings)  # type: ignore[arg-type]
    assert float(error) == pytest.approx((4 * distance + distance + 10) / 5 / 10)


def test_a_tiny_box_still_gives_points(toy_faces: Callable[..., Faces]) -> None:
    settings = pbc.Settings(width=0.05, steps=2, batch_size=8)
    faces = toy_faces(2)
    state = pbc.fit(faces, faces, settings, seed=0, run=Run(progress=False))
    boxes = torch.tensor([[40.0, 50.0, 20.0, 20.0], [100.0, 110.0, 30.0, 30.0]])
    points, _ = pbc.predict(state, faces.stack, boxes, settings)
    centre = boxes[:, :2] + (boxes[:, 2:] - 1) / 2
    torch.testing.assert_close(points, centre[:, None].expand(2, 5, 2), rtol=0, atol=0.5)


@pytest.mark.parametrize("choice", ["probability", "logit"])
def test_either_choice_trains_and_predicts(choice: str, toy_faces: Callable[..., Faces]) -> None:
    settings = pbc.Settings(width=0.05, steps=2, batch_size=8, choice=choice)
    faces = toy_faces(2)
    state = pbc.fit(faces, faces, settings, seed=0, run=Run(progress=False))
    points, _ = pbc.predict(state, faces.stack, faces.boxes, settings)
    model = pbc.Network(settings)
    model.load_state_dict(state.tensors)
    for maps in pbc.score_maps(model.eval(), prepare(faces, settings)):
        logits = maps.logits if choice == "logit" else maps.logits.log_softmax(1)
        best = logits[:, :-1].flatten(2).argmax(2)
        columns = logits.shape[3]
        chosen = torch.stack([best % columns, best // columns], dim=-1) * 8
        torch.testing.assert_close(points[maps.rows], maps.first[:, None] + chosen)
    # The last row of the curve is the error of the points that would be predicted then.
    assert state.curve[-1].validation_nmse == pytest.approx(nmse_of(points, faces))


def nmse_of(points: torch.Tensor, faces: Faces) -> float:
    return float(point_error(points, faces, torch.arange(len(faces))))


def test_the_loss_weighs_background_by_its_share() -> None:
    logits = torch.zeros(1, 6, 2, 3)
    logits[0, 5, 0] = 1.0  # background patches: log(5 + e) - 1 each; the others log 6
    classes = torch.tensor([[[5, 5, 5], [0, NEITHER, 3]]])
    loss = pbc.balanced_loss(logits, classes, 0.75)
    expected = 0.75 * (np.log(5 + np.e) - 1) + 0.25 * np.log(6)
    assert float(loss) == pytest.approx(expected)
    nothing = pbc.balanced_loss(logits[:, :, 1:], classes[:, 1:], 0.75)
    assert float(nothing) == pytest.approx(0.25 * np.log(6))


def test_neighbours_are_classified_as_if_they_were_drawn(toy_faces: Callable[..., Faces]) -> None:
    torch.manual_seed(0)
    settings = replace(WINDOW, width=0.1, batch_size=4, neighbours=1)
    model = pbc.Network(settings).eval()
    data = prepare(toy_faces(3), settings)
    seen: dict[str, torch.Tensor] = {}

    def note(_: object, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        seen.update(patches=inputs[0], logits=output)

    model.register_forward_hook(note)
    with torch.no_grad():
        pbc._loss(model, data, settings, torch.Generator().manual_seed(0))
        wide, logits = seen["patches"], seen["logits"]
        assert logits.shape[2:] == (3, 3)
        corner = model(wide[:, :, 16:, 8:-8], surrounded=True)  # two cells down, one to the right
    torch.testing.assert_close(corner[:, :, 0, 0], logits[:, :, 2, 1], rtol=0, atol=1e-5)


def test_a_choice_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="choice is 'rank'; give one of probability, logit"):
        pbc.Settings(choice="rank")


class Correlation(Patchwise):
    """Score every 60 x 60 patch, 8 pixels apart, by its likeness to a pattern."""

    def __init__(self, pattern: torch.Tensor) -> None:
        super().__init__()
        self.pattern = (pattern - pattern.mean())[None, None]

    def forward(self, crops: torch.Tensor, *, surrounded: bool) -> torch.Tensor:
        likeness = nn.functional.conv2d(crops, self.pattern, stride=pbc.STRIDE) / 1000
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
    settings = pbc.Settings(normalisation="window")
    data = prepare(unannotated(stack, box), settings)
    model = Correlation(torch.tensor(pattern, dtype=torch.float32))
    points, _ = pbc.locate(model, data, settings)  # type: ignore[arg-type]
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
