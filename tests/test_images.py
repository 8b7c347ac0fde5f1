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


def written(folder, *counts):
    rows = []
    for n, values in enumerate(counts):
        path = folder / f"{n}.{'tiff' if values.dtype == np.float32 else 'png'}"
        cv2.imwrite(str(path), values)
        depth, (height, width) = images.BIT_DEPTHS[values.dtype], values.shape
        its = {"path": path, "scale": 0.5, "offset": -3.0, "width": width, "height": height}
        rows.append({**its, "bit_depth": depth})
    return images.Pictures(rows)


@pytest.mark.parametrize(
    ("kinds", "held"),
    [
        (["uint8", "uint8"], "uint8"),
        (["uint8", "uint16"], "uint16"),
        (["uint16", "float32", "uint8"], "float32"),
    ],
)
def test_pictures_come_in_the_fewest_bits_that_hold_them_all(tmp_path, kinds, held):
    counts = [np.arange(6).reshape(2, 3).astype(kind) for kind in kinds]
    pictures = written(tmp_path, *counts)
    assert pictures.kind == np.dtype(held)
    for picture, row in zip(pictures, pictures.rows, strict=True):
        assert picture.counts.dtype == held
        assert np.array_equal(picture.physical(), images.read_image(row))
    for values, row in zip(pictures.values(), pictures.rows, strict=True):
        assert np.array_equal(values, images.read_image(row))


def test_pictures_are_split_into_whole_batches(tmp_path, monkeypatch):
    pictures = images.Pictures([{"width": 10, "height": 10}] * 7)
    monkeypatch.setattr(images, "BATCH", 2)
    monkeypatch.setattr(images, "AT_ONCE", 500)
    assert [len(pictures[some]) for some in pictures.parts()] == [4, 3]
    monkeypatch.setattr(images, "AT_ONCE", 1)
    assert [len(pictures[some]) for some in pictures.parts()] == [1] * 7


@pytest.mark.parametrize(
    ("width", "height", "step"),
    [(640, 480, 256), (724, 724, 256), (1024, 1024, 128), (1025, 1024, 64), (20000, 20000, 1)],
)
def test_no_part_has_more_pixels_than_are_held_at_once(width, height, step):
    parts = images.Pictures([{"width": width, "height": height}] * 1000).parts()
    assert parts[0] == slice(0, step)
    assert step * width * height <= images.AT_ONCE or step == 1
    assert max(step, images.BATCH) % min(step, images.BATCH) == 0


def test_a_picture_that_is_not_as_it_was_is_named(tmp_path):
    pictures = written(tmp_path, np.zeros((2, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "0.png"), np.zeros((3, 3), np.uint8))
    with pytest.raises(ValueError, match=r"0\.png: is not as it was when it was ingested"):
        list(pictures)
