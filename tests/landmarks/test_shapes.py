import math
from collections.abc import Callable

import pytest
import torch

from thermalign.geometry import interocular_distance, mirror_points
from thermalign.landmarks.contract import Faces
from thermalign.landmarks.shapes import canonical, heatmap, mean_shape, perturb, place


def spread(shape: torch.Tensor) -> torch.Tensor:
    return shape.amax(-2) - shape.amin(-2)


def test_one_faces_mean_shape_comes_back_in_its_box(toy_faces: Callable[..., Faces]) -> None:
    face = toy_faces(1)
    torch.testing.assert_close(place(mean_shape(face), face.boxes), face.points)


def test_a_shape_keeps_its_proportions_in_boxes_of_any_proportion() -> None:
    shape = torch.tensor([[-0.2, -0.1], [0.2, -0.1], [0.0, 0.1], [-0.1, 0.2], [0.1, 0.2]])
    boxes = torch.tensor([[10.0, 20.0, 100.0, 100.0], [10.0, 20.0, 50.0, 150.0]])
    wide, tall = place(shape, boxes)
    torch.testing.assert_close(spread(wide), torch.tensor([40.0, 30.0]))
    torch.testing.assert_close(spread(tall), torch.tensor([40.0, 30.0]))
    torch.testing.assert_close(wide[0], torch.tensor([59.5 - 20, 69.5 - 10]))


def test_the_canonical_shape_spans_half_the_input_around_its_centre() -> None:
    shape = torch.tensor([[1.0, 2.0], [5.0, 2.0], [3.0, 5.0], [2.0, 7.0], [4.0, 7.0]])
    found = canonical(shape, size=112, margin=0.25)
    torch.testing.assert_close(spread(found), torch.tensor([56 * 4 / 5, 56.0]))
    torch.testing.assert_close(found.amax(0) + found.amin(0), torch.tensor([111.0, 111.0]))


def test_perturbed_shapes_have_the_stated_deviations(toy_faces: Callable[..., Faces]) -> None:
    shape = toy_faces(1).points.expand(20_000, 5, 2)
    moved = perturb(
        shape,
        torch.Generator().manual_seed(0),
        shift_sd=0.2,
        rotation_sd=20.0,
        scale_sd=0.1,
    )
    size = interocular_distance(moved) / interocular_distance(shape)
    across = moved[:, 1] - moved[:, 0]
    before = shape[:, 1] - shape[:, 0]
    turn = torch.atan2(across[:, 1], across[:, 0]) - torch.atan2(before[:, 1], before[:, 0])
    assert float(size.std()) == pytest.approx(0.1, rel=0.05)
    assert float(size.mean()) == pytest.approx(1, rel=0.01)
    assert math.degrees(turn.std()) == pytest.approx(20, rel=0.05)
    no_turn = perturb(
        shape, torch.Generator().manual_seed(0), shift_sd=0.2, rotation_sd=0.0, scale_sd=0.0
    )
    shift = (no_turn - shape)[:, 0].std(0) / spread(shape[0])
    assert shift.tolist() == pytest.approx([0.2, 0.2], rel=0.05)


def test_no_perturbation_changes_nothing(toy_faces: Callable[..., Faces]) -> None:
    shapes = toy_faces(3).points
    generator = torch.Generator().manual_seed(0)
    same = perturb(shapes, generator, shift_sd=0.0, rotation_sd=0.0, scale_sd=0.0)
    torch.testing.assert_close(same, shapes)


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
