import numpy as np

from thermalign.verification.stored import dequantise, quantise


def test_quantising_loses_less_than_half_a_count():
    image = np.random.default_rng(0).normal(30, 3, (7, 5)).astype(np.float32)
    pixels, scale, offset = quantise(image)
    row = {"pixels": pixels, "scale": scale, "offset": offset, "width": 5, "height": 7}
    assert np.abs(dequantise(row) - image).max() < 0.51 * scale + 1e-5


def test_a_constant_image_survives_quantising():
    pixels, scale, offset = quantise(np.full((2, 3), 4.5))
    row = {"pixels": pixels, "scale": scale, "offset": offset, "width": 3, "height": 2}
    np.testing.assert_array_equal(dequantise(row), np.full((2, 3), 4.5))
