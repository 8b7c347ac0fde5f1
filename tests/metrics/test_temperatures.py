import numpy as np
import pytest

from thermalign.metrics.temperatures import COVERED, HOTTEST, REGIONS, region_temperatures

# Eyes 100 px apart: a pixel is a hundredth of an interocular distance.
POINTS = np.array([[150.0, 200], [250, 200], [200, 270], [165, 307], [235, 307]])
SHAPE = (400, 400)
ORIGIN = np.array([200.0, 200])


def pixel(region):
    """Return row and column of the middle of a region."""
    return round(200 + 100 * region.down), round(200 + 100 * region.along)


def painted(name, value, *, half=1, ground=34.0):
    image = np.full(SHAPE, ground, np.float32)
    row, column = pixel(REGIONS[name])
    image[row - half : row + half + 1, column - half : column + half + 1] = value
    return image


def turned(points, degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return (points - ORIGIN) @ np.array([[c, s], [-s, c]]) + ORIGIN


def test_an_even_face_reads_the_same_everywhere():
    found = region_temperatures(np.full(SHAPE, 34.5, np.float32), POINTS)
    assert found == pytest.approx(dict.fromkeys(REGIONS, 34.5))


@pytest.mark.parametrize("name", [n for n, r in REGIONS.items() if not r.hottest])
def test_a_point_reads_the_skin_at_its_place(name):
    half = round(100 * REGIONS[name].half_width) + 2
    found = region_temperatures(painted(name, 36.0, half=half), POINTS)
    assert found[name] == pytest.approx(36.0)


def test_a_maximum_is_that_of_its_region_alone():
    found = region_temperatures(painted("right_canthus", 36.5, half=3), POINTS)
    hot = {name for name, value in found.items() if value == pytest.approx(36.5)}
    assert hot == {"right_canthus_max", "right_canthus", "face_max"}


def test_right_is_the_subjects_right_in_a_leaning_head():
    points = turned(POINTS, 30)
    image = np.full(SHAPE, 34.0, np.float32)
    x, y = (turned(ORIGIN + 100 * np.array([[-0.255, 0.024]]), 30)[0]).round().astype(int)
    image[y - 4 : y + 5, x - 4 : x + 5] = 36.0
    found = region_temperatures(image, points)
    assert found["right_canthus"] == pytest.approx(36.0)
    assert found["left_canthus_max"] == pytest.approx(34.0)


def test_a_dead_pixel_is_no_maximum():
    image = painted("forehead_centre", 45.0, half=0)
    assert region_temperatures(image, POINTS)["forehead_max"] == pytest.approx(34.0)


def test_a_maximum_is_the_mean_of_the_hottest_pixels():
    image = np.full(SHAPE, 34.0, np.float32)
    row, column = pixel(REGIONS["mouth_max"])
    image[row : row + 3, column : column + 3] = 36.0  # its median loses the corners
    assert region_temperatures(image, POINTS)["mouth_max"] == pytest.approx(36.0)
    image[row, column + 10 : column + 40] = 50.0  # a line one pixel high
    assert region_temperatures(image, POINTS)["mouth_max"] == pytest.approx(36.0)
    assert HOTTEST == 4


def test_hair_on_the_forehead_is_no_skin():
    found = region_temperatures(painted("forehead_top", 34.0 - COVERED - 0.1, half=6), POINTS)
    assert np.isnan(found["forehead_top"])
    assert found["forehead_centre"] == pytest.approx(34.0)
    cool = region_temperatures(painted("forehead_top", 34.0 - COVERED + 0.1, half=6), POINTS)
    assert np.isfinite(cool["forehead_top"])


def test_a_region_outside_the_image_has_no_temperature():
    found = region_temperatures(np.full((300, 400), 34.0, np.float32), POINTS - [0, 160])
    assert np.isnan(found["forehead_centre"])
    assert found["mouth_max"] == pytest.approx(34.0)
