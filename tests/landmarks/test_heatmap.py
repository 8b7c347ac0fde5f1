"""Heatmaps: maps and their moments by hand, looks, starts, and what a short training must reach."""

import copy
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from thermalign.geometry import MIRRORED, interocular_distance, mirror_points
from thermalign.landmarks import heatmap
from thermalign.landmarks.contract import Faces
from thermalign.landmarks.heatmap import Heatmaps, Settings, locate, look, looks
from thermalign.landmarks.maps import (
    covariances_of,
    log_chances,
    loss_of_maps,
    means_of,
    normal_maps,
    sharpened,
)
from thermalign.landmarks.models import printed_parameters
from thermalign.landmarks.normalise import prepare
from thermalign.landmarks.shapes import canonical, mean_shape, place, spread
from thermalign.states import State
from thermalign.training.loop import Run, restore
from thermalign.warp import stack_images

SMALL = {
    "input_size": 32,
    "width": 0.25,
    "blocks": 0,
    "steps": 150,
    "validate_every": 50,
    "learning_rate": 0.01,
    "shift_sd": 0.05,
    "rotation_sd": 2.0,
    "scale_sd": 0.05,
}
SHARE_OF_MEAN_SHAPE = 0.6
TINY = Settings(input_size=32, width=0.25, blocks=0, spread_faces=256, spread_steps=50)
CELLS = torch.tensor([0.5, 2.5, 4.5, 6.5])
QUIET = Run(progress=False)


class Fixed(torch.nn.Module):
    """Stands for a network that gives every image the same maps."""

    def __init__(self, chances: Tensor, faces: Faces) -> None:
        super().__init__()
        self.chances = chances
        self.cells = 2 * torch.arange(chances.shape[-1]) + 0.5
        self.mean_shape = mean_shape(faces)
        self.maps, self.spread = torch.nn.Identity(), None

    def levels(self, image: Tensor) -> list[Tensor]:
        return [self.chances.log().expand(len(image), -1, -1, -1)]


def still(**changed: float) -> Settings:
    return replace(TINY, passes=1, mirrored=False, prior=0.0, spread="map", **changed)  # type: ignore[arg-type]


# --- maps ---


def test_moments_of_two_cells_are_those_by_hand() -> None:
    chances = torch.zeros(4, 4)
    chances[1, 3], chances[2, 0] = 0.75, 0.25  # (x, y): (6.5, 2.5) and (.5, 4.5)
    mean = means_of(chances, CELLS)
    torch.testing.assert_close(mean, torch.tensor([5.0, 3.0]))
    apart = torch.tensor([6.0, -2.0])
    expected = 0.75 * 0.25 * apart[:, None] * apart
    torch.testing.assert_close(covariances_of(chances, mean, CELLS), expected)


def test_a_single_cell_has_no_spread_and_an_even_map_that_of_the_square() -> None:
    one = torch.zeros(4, 4)
    one[2, 1] = 1
    assert covariances_of(one, means_of(one, CELLS), CELLS).abs().max() == 0
    even = torch.full((2, 3, 4, 4), 1 / 16)
    mean = means_of(even, CELLS)
    torch.testing.assert_close(mean, torch.full((2, 3, 2), 3.5))
    expected = (5 * torch.eye(2)).expand(2, 3, 2, 2)  # (3^2 + 1 + 1 + 3^2) / 4
    torch.testing.assert_close(covariances_of(even, mean, CELLS), expected)


def test_a_blur_is_taken_off_along_the_principal_axes() -> None:
    turn = torch.tensor([[0.8, -0.6], [0.6, 0.8]])
    axes = torch.tensor([[[7.0, 2.0], [7.0, 5.0], [2.0, 3.0], [4.5, 4.5]]])
    wide = turn @ torch.diag_embed(axes) @ turn.mT
    left = sharpened(wide, 4.0)
    expected = turn @ torch.diag_embed((axes - 4).clamp(min=0.04)) @ turn.mT
    torch.testing.assert_close(left, expected, rtol=0, atol=1e-5)


def test_maps_taught_to_be_normal_tell_what_is_beyond_that(
    toy_faces: Callable[..., Faces],
) -> None:
    faces = toy_faces(2)
    model = Fixed(blurred(faces, sharp=3.0, flat=5.0), faces)
    data = prepare(faces, TINY)
    wide, left = (
        locate(model, data, replace(still(), prior=prior, sigma=1.0))[1]  # type: ignore[arg-type]
        for prior in (0.0, 0.1)
    )
    scale = (spread(faces.points)[:, 1] / (32 * (1 - 2 * TINY.margin))).square()
    gone = (wide - left).diagonal(dim1=-2, dim2=-1)[:, 2]  # of the nose
    torch.testing.assert_close(gone, 4 * scale[:, None].expand(2, 2), rtol=0.2, atol=0)


def test_chances_sum_to_one_and_ignore_a_constant() -> None:
    logits = torch.randn((2, 5, 8, 8), generator=torch.Generator().manual_seed(0))
    chances = log_chances(logits)
    torch.testing.assert_close(chances.exp().sum((-2, -1)), torch.ones(2, 5))
    torch.testing.assert_close(chances, log_chances(logits + 7))


def test_a_normal_map_has_its_point_as_mean_and_its_deviation() -> None:
    cells = 2 * torch.arange(32) + 0.5
    point = torch.tensor([[20.3, 41.6]])
    drawn = normal_maps(point, cells, sigma=3.0)
    assert drawn.shape == (1, 32, 32)
    mean = means_of(drawn, cells)
    torch.testing.assert_close(mean, point, rtol=0, atol=1e-3)
    found = covariances_of(drawn, mean, cells)[0]
    torch.testing.assert_close(found, 9 * torch.eye(2), rtol=0, atol=0.05)


def test_a_normal_map_of_a_point_outside_lies_at_the_nearest_border() -> None:
    drawn = normal_maps(torch.tensor([-50.0, 3.5]), CELLS, sigma=1.0)
    torch.testing.assert_close(drawn.sum(), torch.tensor(1.0))
    torch.testing.assert_close(drawn.sum(-2), torch.tensor([1.0, 0, 0, 0]))


def test_the_loss_is_the_distance_over_that_of_the_eyes() -> None:
    truth = torch.tensor([[[0.5, 0.5], [6.5, 0.5], [2.5, 4.5], [0.5, 6.5], [6.5, 6.5]]])
    logits = torch.full((1, 5, 4, 4), -100.0)
    for n, (row, column) in enumerate([(0, 0), (0, 3), (2, 1), (3, 0), (3, 3)]):
        logits[0, n, row, column] = 0
    right = loss_of_maps(logits, truth, CELLS, prior=0.0, sigma=1.4)
    assert float(right) == pytest.approx(0, abs=1e-6)
    moved = loss_of_maps(logits, truth + torch.tensor([0.0, 1.5]), CELLS, prior=0.0, sigma=1.4)
    assert float(moved) == pytest.approx(1.5 / 6)


def test_the_prior_adds_the_cross_entropy_against_a_normal_map() -> None:
    truth = torch.tensor([[[0.5, 3.5], [6.5, 3.5], [3.5, 3.5], [3.5, 3.5], [3.5, 3.5]]])
    even = torch.zeros(1, 5, 4, 4)
    bare, more = (
        float(loss_of_maps(even, truth, CELLS, prior=weight, sigma=1.4)) for weight in (0.0, 0.2)
    )
    assert more - bare == pytest.approx(0.2 * math.log(16))  # whatever the normal map is
    maps = normal_maps(truth, CELLS, sigma=2.0).log()
    narrow, wide = (
        float(loss_of_maps(maps, truth, CELLS, prior=1.0, sigma=sigma)) - bare
        for sigma in (2.0, 6.0)
    )
    assert narrow < wide  # a map of one cell (2 pixels) of deviation is the one aimed at


# --- network ---


def test_the_small_network_has_the_stated_size_and_a_map_a_landmark() -> None:
    model = Heatmaps(Settings())
    assert printed_parameters(model) == 399_413 + (16 + 32 + 64 + 5 + 10 + 5) * 32 + 32 * 15
    assert printed_parameters(Heatmaps(Settings(spread="map"))) == 399_413
    assert model(torch.zeros(2, 1, 64, 64)).shape == (2, 5, 32, 32)
    assert model.cells[0] == 0.5
    assert model.cells[-1] == 62.5


@pytest.mark.parametrize("changed", [{"input_size": 96}, {"width": 1.5}, {"blocks": 2}])
def test_settings_make_it_larger(changed: dict[str, float]) -> None:
    settings = replace(TINY, **changed)  # type: ignore[arg-type]
    model = Heatmaps(settings).eval()
    half = settings.input_size // 2
    assert model(torch.zeros(1, 1, 2 * half, 2 * half)).shape == (1, 5, half, half)
    work = settings.input_size**2 * printed_parameters(model)
    assert work > TINY.input_size**2 * printed_parameters(Heatmaps(TINY))


def test_maps_are_float32_however_the_trunk_computes() -> None:
    torch.manual_seed(0)
    model = Heatmaps(TINY).eval()
    image = torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        exact = model(image)
        model.low = True
        coarse = model(image)
    assert coarse.dtype == torch.float32
    assert not torch.equal(exact, coarse)
    torch.testing.assert_close(exact, coarse, rtol=0, atol=0.05 * float(exact.abs().max()))


# --- looks ---


def test_a_mirrored_look_is_the_average_of_both_maps_and_widens_by_what_they_disagree_in() -> None:
    torch.manual_seed(0)
    model = Heatmaps(still()).eval()
    image = torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        points, covariance = look(model, image, replace(still(), mirrored=True))
        maps = log_chances(model(image)).exp()
        others = log_chances(model(image.flip(-1))).exp().flip(-1)[:, list(MIRRORED)]
    average = (maps + others) / 2
    torch.testing.assert_close(points, means_of(average, model.cells))
    expected = covariances_of(average, points, model.cells)
    torch.testing.assert_close(covariance, expected, rtol=1e-4, atol=1e-3)


def test_mirroring_the_image_mirrors_a_mirrored_look_exactly_and_no_other() -> None:
    torch.manual_seed(0)
    model = Heatmaps(TINY).eval()
    image = torch.rand(2, 1, 32, 32)
    for mirrored in (True, False):
        with torch.no_grad():
            here, _ = look(model, image, replace(TINY, mirrored=mirrored))
            there, _ = look(model, image.flip(-1), replace(TINY, mirrored=mirrored))
        off = float((mirror_points(there, 32) - here).abs().max())
        assert (off < 1e-4) == mirrored


def blurred(faces: Faces, *, sharp: float, flat: float) -> Tensor:
    """Return even maps (5, 16, 16) around the canonical shape, wider along x than along y."""
    goal = canonical(mean_shape(faces), size=32, margin=TINY.margin)
    cells = 2 * torch.arange(16) + 0.5
    along = [
        (-(((cells - goal[:, k : k + 1]) / sd) ** 2) / 2).softmax(-1)
        for k, sd in ((0, flat), (1, sharp))
    ]
    return along[1][:, :, None] * along[0][:, None, :]


def test_points_and_covariances_are_brought_to_the_image(
    toy_faces: Callable[..., Faces],
) -> None:
    faces = toy_faces(3)
    model = Fixed(blurred(faces, sharp=1.5, flat=3.0), faces)
    points, covariance = locate(model, prepare(faces, TINY), still())  # type: ignore[arg-type]
    start = place(model.mean_shape, faces.boxes)
    off = (points - start).abs().max() / interocular_distance(start).min()
    assert off < 0.02
    scale = (spread(start)[:, 1] / (32 * (1 - 2 * TINY.margin))).square()
    torch.testing.assert_close(covariance[:, 2, 0, 0], 9 * scale, rtol=0.1, atol=0)
    torch.testing.assert_close(covariance[:, 2, 1, 1], 2.25 * scale, rtol=0.1, atol=0)


def test_a_second_look_sees_the_face_turned_by_the_first(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(2)
    chances = blurred(faces, sharp=1.0, flat=2.0)
    turned = chances.transpose(-2, -1).flip(-1)  # by a quarter: points, and their spread
    model = Fixed(turned, faces)
    data = prepare(faces, TINY)
    _, once = locate(model, data, still())  # type: ignore[arg-type]
    points, twice = locate(model, data, replace(still(), passes=2))  # type: ignore[arg-type]
    assert bool((once[..., 0, 0] < once[..., 1, 1]).all())
    assert bool((twice[..., 0, 0] > twice[..., 1, 1]).all())
    # Two quarters are a half: eyes and mouth change places.
    assert bool((points[:, 0, 1] > points[:, 3, 1]).all())


def test_a_face_whose_means_lie_in_one_place_is_not_found_and_the_others_are(
    toy_faces: Callable[..., Faces],
) -> None:
    faces = toy_faces(2)

    class Some(Fixed):
        """Gives the second image maps all in one cell, of which it finds nothing."""

        def levels(self, image: Tensor) -> list[Tensor]:
            logits = super().levels(image)[0].clone()
            logits[1] = -torch.inf
            logits[1, :, 5, 7] = 0
            return [logits]

    data = prepare(faces, TINY)
    chances = blurred(faces, sharp=1.5, flat=3.0)
    settings = replace(still(), passes=3, mirrored=True)
    points, covariance = locate(Some(chances, faces), data, settings)  # type: ignore[arg-type]
    every, whole = locate(Fixed(chances, faces), data, settings)  # type: ignore[arg-type]
    assert torch.equal(points[0], every[0])
    assert torch.equal(covariance[0], whole[0])
    assert bool(points[1].isnan().all())
    assert bool(covariance[1].isnan().all())


# --- starts ---


def test_a_share_of_the_starts_lies_near_the_truth(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(1)
    truth = faces.points.expand(20_000, 5, 2) + 40.0  # far from the box
    model = Heatmaps(TINY)
    model.mean_shape = mean_shape(faces)
    settings = replace(TINY, shift_sd=0.12, rotation_sd=0.0, scale_sd=0.0, near=0.25)
    boxes = faces.boxes.expand(20_000, 4)
    generator = torch.Generator().manual_seed(0)
    starts = heatmap.starts(model, boxes, truth, settings, generator)
    size = spread(faces.points[0])
    near, far = starts[:5_000] - truth[:5_000], starts[5_000:] - place(model.mean_shape, boxes[:1])
    near_sd, far_sd = (moved[:, 0].std(0) / size for moved in (near, far))
    assert near_sd.tolist() == pytest.approx([0.04, 0.04], rel=0.05)
    assert far_sd.tolist() == pytest.approx([0.12, 0.12], rel=0.05)
    assert float(near.mean().abs()) < 0.1
    none = heatmap.starts(model, boxes, truth, replace(settings, near=0.0), generator)
    assert float((none - truth).mean()) == pytest.approx(-40, abs=0.5)


def test_reach_grows_with_margins_and_moved_starts() -> None:
    assert heatmap.reach(Settings(margin=0.0, shift_sd=0.0, scale_sd=0.0)) == 0
    wide = heatmap.reach(Settings(margin=0.3))
    assert wide > heatmap.reach(Settings()) > heatmap.reach(Settings(shift_sd=0.0)) > 0


# --- a short training ---


@pytest.fixture(scope="module")
def taught(toy_faces: Callable[..., Faces]) -> tuple[State, Settings]:
    """Heatmaps trained on 40 toy faces for a few seconds."""
    settings = replace(TINY, width=0.5, steps=400, validate_every=200, learning_rate=0.01)
    settings = replace(settings, spread_faces=512, spread_steps=200)
    faces = toy_faces(40, flips=True)
    return heatmap.fit(faces, toy_faces(8, seed=1), settings, seed=0, run=QUIET), settings


def nmse(points: Tensor, truth: Tensor) -> float:
    distance = (points - truth).norm(dim=-1).mean(-1)
    return float((distance / interocular_distance(truth)).mean())


def moved(faces: Faces, *, by: float) -> Tensor:
    """Return the boxes moved by a share of their sides, in turn in four directions."""
    ways = torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    way = ways[torch.arange(len(faces)) % 4]
    return torch.cat([faces.boxes[:, :2] + by * way * faces.boxes[:, 2:], faces.boxes[:, 2:]], 1)


def test_a_second_look_improves_what_a_bad_box_started(
    taught: tuple[State, Settings], toy_faces: Callable[..., Faces]
) -> None:
    state, settings = taught
    faces = toy_faces(16, seed=2)
    boxes = moved(faces, by=0.15)
    once, twice = (
        nmse(
            heatmap.predict(state, faces.stack, boxes, replace(settings, passes=n))[0], faces.points
        )
        for n in (1, 2)
    )
    assert twice < 0.6 * once


def test_maps_are_wider_where_there_is_less_to_see(
    taught: tuple[State, Settings], toy_faces: Callable[..., Faces]
) -> None:
    state, settings = taught
    faces = toy_faces(8, seed=3)
    model = restore(Heatmaps(settings), state, faces.stack.device, settings)
    noise = torch.Generator().manual_seed(0)
    images = [faces.stack.image(n) for n in range(8)]
    hidden = [(image + 4 * torch.randn(image.shape, generator=noise)).numpy() for image in images]
    unclear = replace(faces, stack=stack_images(hidden, faces.stack.device))
    clear, other = (
        locate(model, prepare(its, settings), settings)[1].diagonal(dim1=-2, dim2=-1).sum(-1)
        for its in (faces, unclear)
    )
    assert float(other.mean()) > 1.5 * float(clear.mean())


def test_learning_how_far_points_are_off_changes_none_of_them(
    toy_faces: Callable[..., Faces],
) -> None:
    faces = toy_faces(8, flips=True)
    brief = replace(TINY, steps=20, validate_every=10, learning_rate=0.01)
    learnt, bare = (
        heatmap.fit(faces, toy_faces(4, seed=1), its, seed=0, run=QUIET)
        for its in (brief, replace(brief, spread="map"))
    )
    for name, tensor in bare.tensors.items():
        assert torch.equal(tensor, learnt.tensors[name]), name
    assert {name.split(".")[0] for name in learnt.tensors.keys() - bare.tensors.keys()} == {
        "spread"
    }
    assert [row.stage for row in learnt.curve] == ["maps", "maps", "spread"]
    errors = [row.validation_nmse for row in learnt.curve]
    assert errors[2] == min(errors)  # that of the kept maps


def test_errors_of_faces_never_seen_are_likelier_by_what_was_learnt_than_by_what_is_usual(
    taught: tuple[State, Settings], toy_faces: Callable[..., Faces]
) -> None:
    state, settings = taught
    generator = torch.Generator().manual_seed(1)
    model = restore(Heatmaps(settings), state, torch.device("cpu"), settings)
    seen, fresh = (
        looks(model, prepare(toy_faces(40, seed=seed), settings), settings, generator)
        for seed in (0, 6)
    )
    learnt = model.spread
    assert learnt is not None
    usual = copy.deepcopy(learnt)
    usual.begin(*seen)
    with torch.no_grad():
        gain = float(usual.surprise(*fresh) - learnt.surprise(*fresh))
    assert gain > 0.1  # nats a landmark


def test_only_the_last_look_tells_what_was_learnt(
    taught: tuple[State, Settings], toy_faces: Callable[..., Faces]
) -> None:
    state, settings = taught
    faces = toy_faces(2, seed=5)
    model = restore(Heatmaps(settings), state, faces.stack.device, settings)
    image = torch.rand((2, 1, 32, 32), generator=torch.Generator().manual_seed(0))
    bare = replace(settings, spread="map", prior=0.0)
    with torch.no_grad():
        points, learnt = look(model, image, settings)
        same, before = look(model, image, settings, last=False)
        model.spread = None
        _, of_maps = look(model, image, bare)
    assert torch.equal(points, same)
    assert torch.equal(before, of_maps)
    assert not torch.equal(learnt, of_maps)


def test_a_mirrored_face_gives_mirrored_points_to_a_fraction_of_a_pixel(
    taught: tuple[State, Settings], toy_faces: Callable[..., Faces]
) -> None:
    state, settings = taught
    faces = toy_faces(4, seed=4)
    model = restore(Heatmaps(settings), state, faces.stack.device, settings)
    shape = model.mean_shape
    model.mean_shape = (shape + shape[list(MIRRORED)] * torch.tensor([-1.0, 1.0])) / 2
    data = prepare(faces, settings)
    here, spread_here = locate(model, data, settings)
    there, spread_there = locate(model, data.mirrored(), settings)
    torch.testing.assert_close(mirror_points(there, faces.sizes[:, 0]), here, rtol=0, atol=2e-3)
    swapped = spread_there[:, list(MIRRORED)] * torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    torch.testing.assert_close(swapped, spread_here, rtol=1e-2, atol=1e-3)


def test_training_goes_on_from_a_trained_state(
    taught: tuple[State, Settings], toy_faces: Callable[..., Faces]
) -> None:
    state, settings = taught
    brief = replace(settings, steps=5, validate_every=5, learning_rate=1e-4)
    faces, others = toy_faces(4, flips=True), toy_faces(16, seed=2)
    anew = heatmap.fit(faces, others, brief, seed=0, run=QUIET)
    on = heatmap.fit(faces, others, brief, seed=0, run=QUIET, initial=state)
    before, after = (
        nmse(heatmap.predict(its, others.stack, others.boxes, settings)[0], others.points)
        for its in (state, on)
    )
    assert after == pytest.approx(before, rel=0.2)
    assert anew.curve[-1].validation_nmse > 3 * on.curve[-1].validation_nmse
    # Boxes may be others than those that the state knew, so the mean shape is of the new faces.
    torch.testing.assert_close(on.tensors["mean_shape"], mean_shape(faces))
    assert not torch.equal(state.tensors["mean_shape"], on.tensors["mean_shape"])


@pytest.mark.parametrize(
    "changed", [{"input_size": 48}, {"width": 0.75}, {"blocks": 1}, {"spread": "map"}]
)
def test_a_state_of_other_settings_is_refused(
    taught: tuple[State, Settings],
    toy_faces: Callable[..., Faces],
    changed: dict[str, float],
) -> None:
    state, settings = taught
    other = replace(settings, **changed)  # type: ignore[arg-type]
    faces = toy_faces(2)
    with pytest.raises(ValueError, match="the trained state does not fit the settings"):
        heatmap.predict(state, faces.stack, faces.boxes, other)
    with pytest.raises(ValueError, match="the trained state does not fit the settings"):
        heatmap.fit(faces, faces, other, seed=0, run=QUIET, initial=state)


def test_bfloat16_learns_as_float32_does(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(8, flips=True)
    errors = []
    for precision in ("float32", "bfloat16"):
        settings = replace(TINY, steps=60, validate_every=60, learning_rate=0.01)
        settings = replace(settings, precision=precision)
        state = heatmap.fit(faces, faces, settings, seed=0, run=QUIET)
        assert state.notes["precision"] == precision
        errors.append(state.curve[-1].validation_nmse)
    assert errors[1] == pytest.approx(errors[0], rel=0.5)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"input_size": 40}, "input_size is 40; give a multiple of 16"),
        ({"input_size": 16}, "input_size is 16; give 32 to 1024"),
        ({"passes": 0}, "passes is 0; give 1 to 16"),
        ({"near": 1.5}, "near is 1.5; give 0 to 1"),
        ({"sigma": 0.0}, "sigma is 0.0; give 0.1 to 100"),
    ],
)
def test_settings_out_of_range_are_refused(changed: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Settings(**changed)  # type: ignore[arg-type]
