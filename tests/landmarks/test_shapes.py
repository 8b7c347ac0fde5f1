"""Shapes in boxes, in inputs and perturbed, against values by hand."""

import math
from collections.abc import Callable

import pytest
import torch

from thermalign.geometry import interocular_distance
from thermalign.landmarks.contract import Faces
from thermalign.landmarks.shapes import canonical, mean_shape, perturb, place, restarted, spread


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


@pytest.mark.parametrize("extent", [None, (30.0, 50.0)])
def test_shifts_are_shares_of_each_shape_or_of_a_given_extent(
    toy_faces: Callable[..., Faces], extent: tuple[float, float] | None
) -> None:
    shape = toy_faces(1).points.expand(20_000, 5, 2)
    moved = perturb(
        shape,
        torch.Generator().manual_seed(0),
        shift_sd=0.2,
        rotation_sd=0.0,
        scale_sd=0.0,
        extent=torch.tensor(extent) if extent else None,
    )
    unit = torch.tensor(extent) if extent else spread(shape[0])
    shift = (moved - shape)[:, 0].std(0) / unit
    assert shift.tolist() == pytest.approx([0.2, 0.2], rel=0.05)


def test_no_perturbation_changes_nothing(toy_faces: Callable[..., Faces]) -> None:
    shapes = toy_faces(3).points
    generator = torch.Generator().manual_seed(0)
    same = perturb(shapes, generator, shift_sd=0.0, rotation_sd=0.0, scale_sd=0.0)
    torch.testing.assert_close(same, shapes)


def test_a_shape_that_is_none_starts_again() -> None:
    shapes = torch.tensor([[40.0, 40], [80, 40], [60, 60], [45, 80], [75, 80]]).repeat(4, 1, 1)
    start = shapes[0] + 5
    shapes[1], shapes[2, 3, 0], shapes[3, 0, 1] = 33.3, torch.nan, torch.inf
    usable, lost = restarted(shapes, start)
    assert lost.tolist() == [False, True, True, True]
    assert torch.equal(usable[0], shapes[0])
    assert torch.equal(usable[1:], start.expand(3, 5, 2))
