from collections.abc import Callable

import torch

from thermalign.geometry import apply_matrix, box_to_crop
from thermalign.landmarks.contract import Faces, from_box_units, point_error, to_box_units

BOXES = torch.tensor([[10.0, 20.0, 40.0, 80.0], [0.0, 0.0, 5.0, 5.0]])


def test_corners_of_a_box_are_zero_and_one() -> None:
    corners = torch.tensor([[[9.5, 19.5], [49.5, 99.5]], [[-0.5, -0.5], [4.5, 4.5]]])
    expected = torch.tensor([[0.0, 0.0], [1.0, 1.0]]).expand(2, 2, 2)
    torch.testing.assert_close(to_box_units(corners, BOXES), expected)


def test_box_units_come_back() -> None:
    points = torch.randn(2, 5, 2, generator=torch.Generator().manual_seed(0)) * 30
    torch.testing.assert_close(from_box_units(to_box_units(points, BOXES), BOXES), points)


def test_box_units_are_fractions_of_the_crop() -> None:
    points = torch.tensor([[[12.0, 30.0]], [[1.0, 3.0]]])
    crop = apply_matrix(box_to_crop(BOXES, 48, 48), points)
    torch.testing.assert_close((crop + 0.5) / 48, to_box_units(points, BOXES))


def test_the_error_watched_is_in_interocular_distances(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(3)
    rows = torch.tensor([2])
    eyes = faces.points[2, 1] - faces.points[2, 0]
    moved = faces.points[rows] + 0.1 * eyes
    torch.testing.assert_close(point_error(moved, faces, rows), torch.tensor(0.1))
