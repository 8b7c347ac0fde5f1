"""Looking again: what is asked of a detector, and what its scatter is."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from thermalign.cut import cut_images
from thermalign.geometry import Floats, from_box_units, interocular_distance
from thermalign.landmarks.calibration import Calibration, calibrated
from thermalign.landmarks.contract import Faces, make_faces, untold
from thermalign.landmarks.uncertainty import (
    PASSES,
    Look,
    Pass,
    disturbed,
    examples_of,
    look_again,
    moved,
    room,
)
from thermalign.warp import ImageStack

UNITS = torch.tensor([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.75], [0.65, 0.75]])
NAMES = [f"s{n}" for n in range(40)]
Looked = tuple[torch.Tensor, torch.Tensor]


def calibrate(look: Look, faces: Faces, people: Sequence[str]) -> Calibration | None:
    return calibrated(examples_of(look, faces, people))


def follows(stack: ImageStack, boxes: torch.Tensor) -> Looked:
    """Return points that lie where the box says."""
    points = from_box_units(UNITS, boxes)
    return points, untold(points)


def sees(faces: Faces, spread: torch.Tensor) -> Callable[[ImageStack, torch.Tensor], Looked]:
    """Return what knows every face by its first pixel, and errs by ``spread`` (N,) px at random."""
    first = {round(float(faces.stack.image(n)[0, 0]), 4): n for n in range(len(faces))}
    last = {round(float(faces.stack.image(n)[0, -1]), 4): n for n in range(len(faces))}
    draws = torch.Generator().manual_seed(0)

    def look(stack: ImageStack, boxes: torch.Tensor) -> Looked:
        points = []
        for n in range(len(stack)):
            corner = round(float(stack.image(n)[0, 0]), 4)
            k = first.get(corner, last.get(corner))
            assert k is not None
            face = faces.points[k]
            if corner not in first:
                face = torch.stack([stack.widths[n] - 1 - face[:, 0], face[:, 1]], 1)
                face = face[[1, 0, 2, 4, 3]]
            points.append(face + spread[k] * torch.randn((5, 2), generator=draws))
        found = torch.stack(points)
        return found, untold(found)

    return look


def test_points_are_those_of_the_given_boxes(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(3)
    points, _ = look_again(follows, faces.stack, faces.boxes)
    assert torch.equal(points, follows(faces.stack, faces.boxes)[0])


def test_a_detector_that_follows_its_box_scatters_as_boxes_do(
    toy_faces: Callable[..., Faces],
) -> None:
    faces = toy_faces(2)
    points, covariance = look_again(follows, faces.stack, faces.boxes)
    # Its points are symmetric in the box, so that the mirrored look finds the same.
    asked = [moved(faces.boxes, its) for its in PASSES]
    away = torch.stack([from_box_units(UNITS, boxes) - points for boxes in asked])
    expected = (away[..., None] * away[..., None, :]).mean(0)
    torch.testing.assert_close(covariance, expected, rtol=1e-4, atol=1e-3)
    larger = look_again(follows, faces.stack, faces.boxes * torch.tensor([1.0, 1, 2, 2]))[1]
    torch.testing.assert_close(larger, 4 * covariance, rtol=1e-3, atol=1e-3)


def test_a_mirrored_look_comes_back_to_the_image_as_it_is(
    toy_faces: Callable[..., Faces],
) -> None:
    faces = toy_faces(3)
    points, covariance = look_again(sees(faces, torch.zeros(3)), faces.stack, faces.boxes)
    torch.testing.assert_close(points, faces.points)
    assert float(covariance.abs().max()) < 1e-6


def test_what_one_landmark_errs_by_is_that_landmarks_in_mirrored_looks_too(
    toy_faces: Callable[..., Faces],
) -> None:
    faces = toy_faces(6)

    def unsteady(stack: ImageStack, boxes: Tensor) -> Looked:
        """Place the right eye lower in further looks; a mirrored image shows it as the left."""
        points, covariance = follows(stack, boxes)
        is_mirror = torch.tensor(
            [float(stack.image(n)[0, 0]) not in corners for n in range(len(stack))]
        )
        points[~is_mirror, 0, 1] += 9 * (boxes[~is_mirror, 2] > 91)
        points[is_mirror, 1, 1] += 9
        return points, covariance

    corners = {float(faces.stack.image(n)[0, 0]) for n in range(6)}
    _, covariance = look_again(unsteady, faces.stack, faces.boxes)
    down = covariance[..., 1, 1].mean(0)
    still = look_again(follows, faces.stack, faces.boxes)[1][..., 1, 1].mean(0)
    assert float(down[0] - still[0]) > 20
    torch.testing.assert_close(down[1:], still[1:], rtol=1e-3, atol=1e-2)


def test_scatter_is_of_each_face_alone(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(4)
    look = sees(faces, torch.tensor([0.0, 1.0, 0.0, 4.0]))
    _, covariance = look_again(look, faces.stack, faces.boxes)
    size = covariance.diagonal(dim1=2, dim2=3).mean((1, 2))
    assert float(size[0]) == pytest.approx(0, abs=1e-6)
    assert float(size[3]) > 4 * float(size[1]) > 0


def test_what_a_detector_tells_itself_is_kept_and_asked_no_further(
    toy_faces: Callable[..., Faces],
) -> None:
    faces, asked = toy_faces(3), []

    def tells(stack: ImageStack, boxes: torch.Tensor) -> Looked:
        asked.append(len(stack))
        points, covariance = follows(stack, boxes)
        covariance[:2] = torch.eye(2)  # of the third face it knows nothing
        return points, covariance

    _, covariance = look_again(tells, faces.stack, faces.boxes)
    assert torch.equal(covariance[:2], torch.eye(2).expand(2, 5, 2, 2))
    assert bool(covariance[2].isfinite().all())
    assert sum(asked) == 3 + len(PASSES)


def test_looking_again_costs_a_look_a_pass(toy_faces: Callable[..., Faces]) -> None:
    faces, asked = toy_faces(3), []

    def counted(stack: ImageStack, boxes: torch.Tensor) -> Looked:
        asked.append(len(stack))
        return follows(stack, boxes)

    look_again(counted, faces.stack, faces.boxes)
    assert sum(asked) == 3 * (1 + len(PASSES))
    assert len(PASSES) == 3


def test_a_face_that_is_not_found_has_no_covariance(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(2)

    def blind(stack: ImageStack, boxes: torch.Tensor) -> Looked:
        points = torch.full((len(stack), 5, 2), torch.nan)
        return points, untold(points)

    _, covariance = look_again(blind, faces.stack, faces.boxes)
    assert bool(covariance.isnan().all())
    with torch.inference_mode():
        assert calibrate(blind, faces, ["a", "b"]) is None


def test_a_pass_that_finds_nothing_is_left_out(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(2)

    def shy(stack: ImageStack, boxes: torch.Tensor) -> Looked:
        points, covariance = follows(stack, boxes)
        points[boxes[:, 2] > faces.boxes[0, 2] + 1] = torch.nan  # of larger boxes
        return points, covariance

    points, covariance = look_again(shy, faces.stack, faces.boxes)
    (only,) = [its for its in PASSES if its.scale == 1]
    away = from_box_units(UNITS, moved(faces.boxes, only)) - points
    expected = away[..., None] * away[..., None, :]
    torch.testing.assert_close(covariance, expected, rtol=1e-4, atol=1e-3)


def test_a_box_moves_by_its_mean_side_and_grows_around_its_centre() -> None:
    its = Pass(0.1, -0.2, 1.5, mirrored=False)
    torch.testing.assert_close(
        moved(torch.tensor([[10.0, 20, 40, 60]]), its), torch.tensor([[5.0, -5, 60, 90]])
    )


def wide_faces() -> tuple[Floats, Floats]:
    """Return noise (2, 420, 400) and boxes in it whose sides are not alike."""
    noise = np.random.default_rng(0).normal(30, 3, (2, 420, 400))
    return noise, np.array([[171.3, 160.2, 61.0, 74.0], [150.9, 168.4, 88.0, 52.0]])


@pytest.mark.parametrize("calibrating", [False, True])
def test_every_look_sees_in_a_part_what_it_sees_in_the_image(calibrating: bool) -> None:
    images, boxes = wide_faces()
    beyond, margin = 0.4, 31  # px: what every part keeps around what is asked for, less rounding
    seen: list[Tensor] = []

    def watches(stack: ImageStack, asked: Tensor) -> Looked:
        middle, half = asked[:, :2] + asked[:, 2:] / 2, (0.5 + beyond) * asked[:, 2:] + margin
        for n in range(len(stack)):
            for way in (-1, 1):
                x, y = (middle[n] + way * half[n]).round().long().tolist()
                image = stack.image(n)
                last = image.shape[0] - 1, image.shape[1] - 1
                seen.append(image[min(max(y, 0), last[0]), min(max(x, 0), last[1])])
        return follows(stack, asked)

    def look(further: Floats | float, reach: float) -> Tensor:
        seen.clear()
        cut = cut_images(images, boxes, reach, further)
        if calibrating:
            every = torch.arange(2)
            points = from_box_units(UNITS, cut.boxes)
            faces = make_faces(cut.stack, every, every > 2, cut.boxes, points)
            examples_of(watches, faces, ["a", "b"])
        else:
            look_again(watches, cut.stack, cut.boxes)
        return torch.stack(seen)

    whole = look(0.0, float("inf"))
    assert torch.equal(look(room(boxes, beyond, calibrating=calibrating), beyond), whole)
    assert not torch.equal(look(0.0, beyond), whole)


def test_looks_need_no_room_where_all_of_an_image_is_seen() -> None:
    _, boxes = wide_faces()
    assert room(boxes, float("inf")).tolist() == [[0, 0], [0, 0]]
    # 8 % of the whole box for the larger one, 6 % of the mean side for the moved one.
    np.testing.assert_allclose(room(boxes, 0.5)[0], [0.08 * 61 + 4.05, 0.08 * 74 + 4.05])


def test_boxes_are_disturbed_moderately_and_all_about() -> None:
    boxes = torch.tensor([[10.0, 20.0, 40.0, 60.0]]).expand(2000, 4)
    other = disturbed(boxes, torch.Generator().manual_seed(1))
    way = other[:, :2] + other[:, 2:] / 2 - torch.tensor([30.0, 50.0])
    assert float(way.norm(dim=1).max()) <= 10.001  # a fifth of the mean side
    assert float(way.mean(0).abs().max()) < 0.4
    growth = other[:, 2] / 40
    torch.testing.assert_close(growth, other[:, 3] / 60)
    assert float(growth.min()) == pytest.approx(1 / 1.4, abs=0.01)
    assert float(growth.max()) == pytest.approx(1.4, abs=0.01)


def test_validation_faces_tell_how_far_a_detector_errs(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(40)
    small, large = (calibrate(sees(faces, torch.full((40,), s)), faces, NAMES) for s in (0.5, 2.0))
    assert small is not None
    assert large is not None
    points = faces.points.double().numpy()
    raw = untold(faces.points).double().numpy()
    errors = []
    for its, spread in ((small, 0.5), (large, 2.0)):
        raw[:] = 2 * spread**2 * torch.eye(2).numpy()  # of two points that both err
        errors.append(its.located(points, raw).expected_error.mean())
    size = float(interocular_distance(faces.points).mean())
    expected = [(torch.pi / 2) ** 0.5 * s / size for s in (0.5, 2.0)]
    assert errors == pytest.approx(expected, rel=0.15)


def test_calibration_is_the_same_every_time(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(5)
    first, again = (calibrate(sees(faces, torch.ones(5)), faces, NAMES[:5]) for _ in range(2))
    assert first is not None
    assert again is not None
    assert (first.gain == again.gain).all()
