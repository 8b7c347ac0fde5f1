import numpy as np
import pytest
import torch
from scipy import ndimage

from thermalign.settings import parse
from thermalign.verification.dog import (
    Settings,
    blur,
    difference_of_gaussians,
    filter_faces,
    gaussian_matrix,
    median3,
)


@pytest.fixture
def faces():
    return torch.rand((3, 40, 30), generator=torch.Generator().manual_seed(0)) * 8 + 26


@pytest.mark.parametrize("level", [0.0, 33.3, 305.15, 65535.0])
def test_a_constant_face_becomes_exactly_zero(level):
    out = filter_faces(torch.full((2, 30, 20), level), Settings())
    assert torch.equal(out, torch.zeros(2, 30, 20))


@pytest.mark.parametrize(("gain", "offset"), [(100.0, 27315.0), (0.01, -5.0), (1.0, 273.15)])
def test_neither_gain_nor_offset_of_a_camera_changes_the_output(faces, gain, offset):
    expected = filter_faces(faces, Settings())
    changed = filter_faces((faces.double() * gain + offset).float(), Settings())
    torch.testing.assert_close(changed, expected, atol=2e-3, rtol=0)


def test_inverting_the_face_inverts_the_output(faces):
    torch.testing.assert_close(
        filter_faces(-faces, Settings()), -filter_faces(faces, Settings()), atol=1e-4, rtol=0
    )


def test_the_band_is_linear_before_it_is_normalised(faces):
    a, b = faces[:1].double(), faces[1:2].double()
    both = difference_of_gaussians(2 * a + 3 * b, inner=1, outer=3)
    parts = 2 * difference_of_gaussians(a, inner=1, outer=3) + 3 * difference_of_gaussians(
        b, inner=1, outer=3
    )
    torch.testing.assert_close(both, parts)


def test_a_mirrored_face_gives_the_mirrored_output(faces):
    torch.testing.assert_close(
        filter_faces(faces.flip(2), Settings()),
        filter_faces(faces, Settings()).flip(2),
        atol=1e-4,
        rtol=0,
    )


def test_faces_do_not_influence_each_other(faces):
    torch.testing.assert_close(
        filter_faces(faces, Settings())[1:2], filter_faces(faces[1:2], Settings())
    )


@pytest.mark.parametrize("sigma", [0.7, 1.0, 3.0, 14.0])
def test_the_blur_is_that_of_scipy(faces, sigma):
    expected = ndimage.gaussian_filter(faces.numpy(), (0, sigma, sigma), mode="nearest", truncate=4)
    np.testing.assert_allclose(blur(faces, sigma).numpy(), expected, rtol=1e-5)


def test_the_median_is_that_of_scipy(faces):
    expected = ndimage.median_filter(faces.numpy(), size=(1, 3, 3), mode="nearest")
    np.testing.assert_array_equal(median3(faces).numpy(), expected)


def test_a_dead_pixel_leaves_no_trace_with_the_median_and_one_without(faces):
    smooth = blur(faces, 3.0)
    dead = smooth.clone()
    dead[:, 20, 15] = 0.0
    with_median, without = Settings(median=True), Settings(median=False)
    kept = (filter_faces(dead, with_median) - filter_faces(smooth, with_median)).abs().max()
    lost = (filter_faces(dead, without) - filter_faces(smooth, without)).abs().max()
    assert kept < 0.2
    assert lost > 1


def test_gaussian_means_between_two_pixels_are_symmetric():
    row = gaussian_matrix(torch.tensor([9.5], dtype=torch.float64), 2.0, size=20)
    torch.testing.assert_close(row, row.flip(1))
    assert float(row.sum()) == pytest.approx(1)


def test_float32_comes_back_as_float32_within_one(faces):
    out = filter_faces(faces, Settings())
    assert out.dtype == torch.float32
    assert out.shape == faces.shape
    assert out.abs().max() <= 1


@pytest.mark.parametrize(
    "wrong", [{"inner": 3.0, "outer": 1.0}, {"inner": 0.0}, {"contrast": 0.0}, {"saturation": -1.0}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=r"matcher\.dog: "):
        parse(Settings, wrong, "matcher.dog")
