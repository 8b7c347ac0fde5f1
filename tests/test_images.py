import cv2
import numpy as np
import pytest

from thermalign import images


def test_sixteen_bits_stay_sixteen_bits(tmp_path):
    counts = np.array([[0, 255, 256], [30000, 65534, 65535]], np.uint16)
    cv2.imwrite(str(tmp_path / "t.png"), counts)
    np.testing.assert_array_equal(images.read_counts(tmp_path / "t.png"), counts)


def test_scale_and_offset_give_degrees(tmp_path):
    cv2.imwrite(str(tmp_path / "t.png"), np.full((2, 2), 30815, np.uint16))
    row = {"path": tmp_path / "t.png", "scale": 0.01, "offset": -273.15}
    assert images.read_image(row) == pytest.approx(35.0, abs=1e-3)


def test_colour_becomes_luma(tmp_path):
    blue_green_red = np.array([[[0, 0, 200], [0, 200, 0], [200, 0, 0]]], np.uint8)
    cv2.imwrite(str(tmp_path / "c.png"), blue_green_red)
    np.testing.assert_array_equal(images.read_counts(tmp_path / "c.png"), [[60, 117, 23]])
    np.testing.assert_array_equal(images.read_channels(tmp_path / "c.png"), blue_green_red)


def test_a_missing_and_a_broken_file_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"gone\.png: no such image"):
        images.read_counts(tmp_path / "gone.png")
    (tmp_path / "broken.png").write_text("no image")
    with pytest.raises(ValueError, match=r"broken\.png: does not open"):
        images.read_counts(tmp_path / "broken.png")


def test_thermal_counts_without_a_stated_scale_are_not_called_degrees():
    stated = {"modality": "thermal", "bit_depth": 16, "scale": 0.01, "offset": -273.15}
    assert images.unit_of(stated) == "degree Celsius"
    assert images.unit_of(stated | {"scale": 1.0, "offset": 0.0}) == "count"
    assert images.unit_of(stated | {"scale": 1.0}) == "as scaled"  # an offset alone


def test_thermal_floats_are_degrees_and_eight_bits_never_are():
    plain = {"modality": "thermal", "scale": 1.0, "offset": 0.0}
    assert images.unit_of(plain | {"bit_depth": 32}) == "degree Celsius"
    assert images.unit_of(plain | {"bit_depth": 32, "modality": "visible"}) == "count"
    assert images.unit_of(plain | {"bit_depth": 8, "scale": 1 / 255}) == "full scale"
    assert images.unit_of(plain | {"bit_depth": 8, "scale": 0.1, "offset": 15.0}) == "as scaled"
