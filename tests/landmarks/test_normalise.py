import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch

from thermalign.geometry import box_to_crop
from thermalign.landmarks.contract import Faces, constant, make_faces
from thermalign.landmarks.normalise import normalise, prepare

METHODS = ("percentile", "window", "histogram")


@dataclass(frozen=True)
class Chosen:
    normalisation: str
    window: tuple[float, float] = (20.0, 40.0)


def changed(faces: Faces, change: Callable[[torch.Tensor], torch.Tensor]) -> Faces:
    parts = {name: change(getattr(faces.stack, name)) for name in ("pixels", "coarse")}
    stack = dataclasses.replace(faces.stack, **parts)
    return dataclasses.replace(faces, stack=stack)


def crops(faces: Faces, method: str) -> torch.Tensor:
    rows = torch.arange(len(faces))
    data = prepare(faces, Chosen(method))
    return data.crops(rows, box_to_crop(faces.boxes, 40, 40), width=40, height=40)


@pytest.mark.parametrize("method", ["percentile", "histogram"])
def test_gain_and_offset_of_the_camera_do_not_matter(
    method: str, toy_faces: Callable[..., Faces]
) -> None:
    faces = toy_faces(3)
    other = changed(faces, lambda pixels: 2.5 * pixels - 40)
    torch.testing.assert_close(crops(other, method), crops(faces, method), rtol=0, atol=1e-3)


def test_a_fixed_window_keeps_temperature(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(2)
    warmer = changed(faces, lambda pixels: pixels + 1)
    # One degree of the twenty between the ends, which are two apart.
    difference = crops(warmer, "window") - crops(faces, "window")
    torch.testing.assert_close(difference, torch.full_like(difference, 0.1), rtol=0, atol=1e-5)


def test_two_levels_become_minus_one_and_one() -> None:
    crop = torch.tensor([[[[20.0, 30.0, 40.0, 42.0, 100.0, -100.0]]]])
    found = normalise(crop, torch.tensor([[20.0, 40.0]]))
    assert found.flatten().tolist() == pytest.approx([-1, 0, 1, 1.2, 1.4, -1.4])


def test_many_levels_are_joined_by_straight_lines() -> None:
    crop = torch.tensor([[[[0.0, 1.0, 2.0, 6.0, 10.0]]]])
    found = normalise(crop, torch.tensor([[0.0, 2.0, 10.0]]))
    assert found.flatten().tolist() == pytest.approx([-1, -0.5, 0, 0.5, 1])


def test_a_histogram_makes_values_of_the_box_equally_frequent(
    toy_faces: Callable[..., Faces],
) -> None:
    values = crops(toy_faces(2), "histogram")[0].flatten()
    quartiles = torch.quantile(values, torch.tensor([0.25, 0.5, 0.75]))
    assert quartiles.tolist() == pytest.approx([-0.5, 0, 0.5], abs=0.03)


@pytest.mark.parametrize("method", METHODS)
def test_an_image_without_contrast_stays_finite(
    method: str, toy_faces: Callable[..., Faces]
) -> None:
    flat = changed(toy_faces(2), lambda pixels: torch.full_like(pixels, 30.0))
    assert bool(crops(flat, method).isfinite().all())


@pytest.mark.parametrize("method", METHODS)
def test_levels_are_the_boxes_whatever_the_crop_shows(
    method: str, toy_faces: Callable[..., Faces]
) -> None:
    faces = toy_faces(2)
    data = prepare(faces, Chosen(method))
    rows = torch.arange(2)
    whole = torch.eye(2, 3).repeat(2, 1, 1)
    image = data.crops(rows, whole, width=110, height=120)
    shift = torch.tensor([[1.0, 0, -20], [0, 1, -30]]).repeat(2, 1, 1)
    patch = data.crops(rows, shift, width=16, height=16)
    torch.testing.assert_close(patch, image[:, :, 30:46, 20:36])


def test_mirrored_faces_are_those_that_are_made_mirrored(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(2)
    flipped = torch.ones(2, dtype=torch.bool)
    made = make_faces(faces.stack, faces.index, flipped, faces.boxes, faces.points)
    data = prepare(faces, Chosen("percentile"))
    for found, expected in ((data.mirrored(), made), (data.mirrored().mirrored(), faces)):
        for name in ("frame", "boxes", "points"):
            torch.testing.assert_close(getattr(found.faces, name), getattr(expected, name))
    rows, whole = torch.arange(2), torch.eye(2, 3).repeat(2, 1, 1)
    size = {"width": 110, "height": 120}
    torch.testing.assert_close(
        data.mirrored().crops(rows, whole, **size), data.crops(rows, whole, **size).flip(-1)
    )


def test_whole_numbers_are_told_from_others_whichever_came_first():
    cpu = torch.device("cpu")
    for kinds in ((torch.int64, torch.float32), (torch.float32, torch.int64)):
        constant.cache_clear()
        assert [constant((20, 381), cpu, kind).dtype for kind in kinds] == list(kinds)
        assert constant((20.0, 381.0), cpu).dtype == torch.float32
