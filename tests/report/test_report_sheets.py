import base64
import re

import cv2
import numpy as np
import pytest
from thermalign.report.montage import (
    PAPER,
    Grid,
    Tile,
    Window,
    contact_sheet,
    marked_sheet,
    paint,
    resize,
)
from thermalign.report.sheet import MOST_BYTES, sheet

DEGREES = Window(20.0, 36.0, "°C")
TITLES = [("Thermal", "Range 1", "baseline"), ("Thermal", "Range 2", "baseline")]


def flat(colour, size=(40, 30)):
    return Tile(np.full((*size, 3), colour, np.uint8))


def decoded(png):
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)


def where(png, colour):
    """Return (y, x) of the pixels of a colour given as red, green, blue."""
    return np.argwhere((decoded(png) == colour[::-1]).all(axis=-1))


def test_every_picture_stands_at_its_corner_unchanged():
    red, green = (200, 10, 20), (10, 200, 20)
    png = contact_sheet(
        [("a", [flat(red), None]), ("b", [None, flat(green)])], TITLES, width=90, window=None
    )
    for colour in (red, green):
        at = where(png, colour)
        assert len(at) == 40 * 30
        np.testing.assert_array_equal(at.max(0) - at.min(0), [39, 29])
    assert len(where(png, (PAPER,) * 3)) >= 2 * 40 * 30
    assert (where(png, red).min(0) < where(png, green).min(0)).all()


def test_a_sheet_without_any_picture_is_refused():
    with pytest.raises(ValueError, match="no picture for a contact sheet"):
        contact_sheet([("a", [None, None])], TITLES, width=90, window=None)


def test_rows_go_into_as_many_blocks_as_fit():
    rows = [(f"s{k}", [flat((200, 10, 20)), None]) for k in range(6)]
    narrow, wide = (
        decoded(contact_sheet(rows, TITLES, width=width, window=None)).shape for width in (100, 400)
    )
    assert wide[0] < narrow[0] / 1.5
    assert narrow[1] < wide[1] <= 400


def test_blocks_of_a_grid_do_not_overlap():
    grid = Grid(left=20, top=50, size=(30, 40), columns=2, rows=3)
    corners = {grid.corner(row, column) for row in range(6) for column in range(2)}
    assert len(corners) == 12
    assert grid.corner(3, 0)[0] > grid.corner(0, 1)[0] + 30
    assert grid.corner(3, 0)[1] == grid.corner(0, 0)[1]


def test_a_bar_says_what_the_colours_stand_for():
    rows = [("a", [flat((9, 9, 9)), None])]
    plain, barred = (
        decoded(contact_sheet(rows, TITLES, width=90, window=w)) for w in (None, DEGREES)
    )
    assert barred.shape[0] > plain.shape[0]
    assert len(np.unique(barred[plain.shape[0] :].reshape(-1, 3), axis=0)) > 100


def test_a_landmark_is_marked_at_its_own_pixel():
    tile = Tile(np.zeros((60, 80, 3), np.uint8), ["a"], points=np.array([[20.0, 30], [60, 45]]))
    bright = where(marked_sheet([tile], across=1, window=None), (0, 229, 255))
    corner = where(marked_sheet([flat((1, 2, 3), (60, 80))], across=1, window=None), (1, 2, 3))
    top, left = corner.min(0) + np.array([14, 0])  # one line of words more
    for x, y in tile.points:
        near = bright[(np.abs(bright - (top + y, left + x)) < 8).all(axis=1)]
        np.testing.assert_allclose(near.mean(0), (top + y, left + x), atol=0.6)


def test_a_box_is_drawn_along_the_edges_of_its_pixels():
    box = np.array([10.0, 5, 40, 30])
    tile = Tile(np.zeros((60, 80, 3), np.uint8), [], box=box)
    png = marked_sheet([tile], across=1, window=None)
    drawn = np.argwhere(decoded(png)[..., 1] > 100)
    corner = where(marked_sheet([flat((1, 2, 3), (60, 80))], across=1, window=None), (1, 2, 3))
    inside = drawn[(drawn >= corner.min(0)).all(1) & (drawn <= corner.max(0)).all(1)]
    top, left = inside.min(0) - corner.min(0)
    bottom, right = inside.max(0) - corner.min(0)
    np.testing.assert_allclose((left, top, right, bottom), (10, 5, 50, 35), atol=1)


def test_degrees_are_painted_from_cold_to_hot_and_clipped():
    values = np.array([[10.0, 20, 28, 36, 50, np.nan]])
    painted = paint(values, DEGREES)[0].astype(int)
    np.testing.assert_array_equal(painted[0], painted[1])
    np.testing.assert_array_equal(painted[3], painted[4])
    assert painted[1].sum() < painted[2].sum() < painted[3].sum()
    np.testing.assert_array_equal(painted[5], [PAPER] * 3)


def test_values_without_a_unit_are_painted_grey():
    painted = paint(np.array([[0.0, 0.5, 1.0]]), Window(0, 1, ""))
    np.testing.assert_array_equal(painted[0], [[0] * 3, [128] * 3, [255] * 3])


def test_a_smaller_picture_keeps_the_mean_of_a_larger_one():
    fine = np.indices((64, 64)).sum(0) % 2 * 255.0
    np.testing.assert_allclose(resize(fine, (16, 16)), 127.5)


def test_a_large_sheet_is_embedded_small_and_at_its_own_size():
    noise = np.random.default_rng(0).integers(0, 255, (900, 900, 3)).astype(np.uint8)
    made = sheet(cv2.imencode(".png", noise)[1].tobytes(), title="A <b>", caption="c")
    data = base64.b64decode(re.search(r"base64,([^\"]+)", made.svg)[1])
    assert len(data) <= MOST_BYTES
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape == (900, 900, 3)
    assert 'width="900" viewBox="0 0 900 900"' in made.svg
    assert 'aria-label="A &lt;b&gt;"' in made.svg


def test_what_is_no_image_is_refused():
    with pytest.raises(ValueError, match="does not open as an image"):
        sheet(b"text", title="Contact sheet", caption="")
