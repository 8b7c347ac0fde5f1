"""Rows of tables as arrays, and back."""

import numpy as np
import pandas as pd

from thermalign.geometry import LANDMARKS
from thermalign.records import Located, points_of, rows_of_points
from thermalign.schemas.predictions import UNCERTAINTY

KEY = {"protocol": "p", "fold": 0, "model": "m"}
POINTS = np.arange(20.0).reshape(2, 5, 2)


def table():
    return rows_of_points(["a", "b"], Located.unknown(POINTS), KEY)


def test_points_come_back_in_the_order_asked_for():
    np.testing.assert_array_equal(points_of(table(), ["b", "a"]), POINTS[::-1])


def test_the_order_of_the_rows_does_not_matter():
    np.testing.assert_array_equal(points_of(table()[::-1], ["a", "b"]), POINTS)


def test_what_a_table_lacks_is_nan():
    rows = table()
    rows = rows[(rows["image_id"] != "a") | (rows["landmark"] != LANDMARKS[1])]
    found = points_of(rows, ["a", "c"])
    assert np.isnan(found[0, 1]).all()
    assert np.isnan(found[1]).all()
    np.testing.assert_array_equal(found[0, [0, 2, 3, 4]], POINTS[0, [0, 2, 3, 4]])


def test_no_images_have_no_points():
    empty = pd.DataFrame(columns=["image_id", "landmark", "x", "y"])
    for rows in (table(), empty):
        assert points_of(rows, []).shape == (0, 5, 2)


def test_rows_say_how_errors_are_spread_and_nothing_of_lost_faces():
    scale = np.arange(40.0).reshape(2, 5, 2, 2)
    located = Located(POINTS, scale, np.full((2, 5), 7.0), np.full((2, 5), 0.1))
    rows = rows_of_points(["a", "b"], located.without(np.array([True, False])), KEY)
    lost, found = rows[rows["image_id"] == "a"], rows[rows["image_id"] == "b"]
    assert lost[["x", "y", *UNCERTAINTY]].isna().all(axis=None)
    told = found[["scale_xx", "scale_xy", "scale_yy"]].to_numpy()
    np.testing.assert_array_equal(told, scale[1].reshape(5, 4)[:, [0, 1, 3]])
    assert (found[["tail", "expected_error"]] == [7.0, 0.1]).all(axis=None)
