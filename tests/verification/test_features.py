import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from skimage.feature import hog

from thermalign.settings import parse
from thermalign.verification.dog import blur
from thermalign.verification.features import Settings, as_vectors, describe

ANY = Settings()
K = ANY.orientations


@pytest.fixture(scope="module")
def texture():
    noise = torch.randn((2, 64, 48), generator=torch.Generator().manual_seed(1))
    return blur(noise, 2.0)


def ramp(degrees, size=48):
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    angle = np.deg2rad(degrees)
    return (np.cos(angle) * x + np.sin(angle) * y).float()[None]


def bins_of(descriptors, orientations):
    """Return the mean orientation histogram of the inner blocks, over the four cells."""
    return descriptors[0, 1:-1, 1:-1].reshape(-1, 4, orientations).mean((0, 1))


@pytest.mark.parametrize(("degrees", "expected"), [(0, 0), (45, 1), (90, 2), (180, 4), (270, 6)])
def test_a_ramp_falls_into_the_bin_of_its_direction(degrees, expected):
    shares = bins_of(describe(ramp(degrees), ANY), K)
    assert int(shares.argmax()) == expected
    assert float(shares[expected] / shares.sum()) > 0.999


def test_a_ramp_between_two_bins_is_shared_by_angle():
    shares = bins_of(describe(ramp(45 * 1.25), ANY), K)
    assert float(shares[2] / shares[1]) == pytest.approx(0.25 / 0.75, rel=1e-3)


def test_inverted_contrast_turns_signed_bins_by_half_a_turn(texture):
    plain, inverted = (describe(t, ANY).unflatten(-1, (4, K)) for t in (texture, -texture))
    torch.testing.assert_close(inverted, plain.roll(K // 2, dims=-1), atol=1e-5, rtol=0)


def test_inverted_contrast_changes_nothing_for_unsigned_gradients(texture):
    unsigned = Settings(signed=False)
    torch.testing.assert_close(
        describe(-texture, unsigned), describe(texture, unsigned), atol=1e-5, rtol=0
    )


def test_gain_and_offset_change_nothing(texture):
    torch.testing.assert_close(
        describe(texture * 7 + 3, ANY), describe(texture, ANY), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize("width", [48, 45])
def test_a_mirrored_image_has_the_mirrored_descriptors(texture, width):
    image = texture[..., :width]
    plain, mirrored = (describe(t, ANY).unflatten(-1, (4, K)) for t in (image, image.flip(2)))
    direction = [(K // 2 - k) % K for k in range(K)]  # an angle a becomes 180 degrees - a
    cells = [2, 3, 0, 1]  # left and right change sides
    expected = plain.flip(2)[..., cells, :][..., direction]
    torch.testing.assert_close(mirrored, expected, atol=1e-5, rtol=0)


def test_unsigned_cells_agree_with_those_of_scikit_image():
    """Its bins of one degree at every pixel, shared and pooled as said, are the cells here."""
    settings = Settings(cell=7, signed=False)
    image = blur(torch.randn((1, 63, 49), generator=torch.Generator().manual_seed(1)), 3.0)
    pixels = image[0].double().numpy()
    single = {"pixels_per_cell": (1, 1), "cells_per_block": (1, 1), "feature_vector": False}
    which = hog(pixels, orientations=180, block_norm="L2", **single)[:, :, 0, 0] > 0.5
    strength = np.hypot(*np.gradient(pixels))
    away = np.abs(np.arange(180)[:, None] + 0.5 - np.arange(K) * 180 / K)
    share = np.clip(1 - np.minimum(away, 180 - away) * K / 180, 0, 1)
    planes = (which @ share) * strength[..., None]
    theirs = gaussian_filter(planes, (3.5, 3.5, 0), mode="nearest", truncate=4)[3::7, 3::7]
    ours = describe(image, settings)[0].unflatten(-1, (4, K))[:, :, 0].numpy()
    ours, theirs = ours[1:, 1:], theirs[1:-1, 1:-1]  # it has no gradients at the border
    cosines = (ours * theirs).sum(-1) / np.linalg.norm(ours, axis=-1)
    assert (cosines / np.linalg.norm(theirs, axis=-1)).min() > 0.995


def test_no_descriptor_is_longer_than_one(texture):
    assert describe(texture, ANY).norm(dim=-1).max() <= 1


def test_an_image_without_gradients_has_zero_descriptors():
    out = describe(torch.zeros(1, 32, 32), ANY)
    assert torch.equal(out, torch.zeros(1, 3, 3, 4 * K))


def test_the_grid_has_one_block_less_than_cells():
    assert describe(torch.zeros(2, 128, 112), ANY).shape == (2, 15, 13, 32)


def test_images_do_not_influence_each_other(texture):
    torch.testing.assert_close(describe(texture, ANY)[1:], describe(texture[1:], ANY))


def test_a_face_smaller_than_a_block_is_refused():
    with pytest.raises(ValueError, match="lower features"):
        describe(torch.zeros(1, 15, 40), ANY)


@pytest.mark.parametrize("wrong", [{"cell": 1}, {"orientations": 1}, {"floor": 0.0}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=r"matcher\.features: "):
        parse(Settings, wrong, "matcher.features")


def test_vectors_hold_a_face_each():
    descriptors = torch.arange(24.0).view(2, 2, 3, 2)
    vectors = as_vectors(descriptors)
    assert vectors.dtype == np.float64
    np.testing.assert_array_equal(vectors, np.arange(24.0).reshape(2, 12))
