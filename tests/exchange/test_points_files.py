"""Files of points: what is written is read back, and what is wrong is refused in a line."""

import numpy as np
import pandas as pd
import pytest

from thermalign import tables
from thermalign.exchange.points import as_file, points_for, read_points
from thermalign.geometry import LANDMARKS
from thermalign.records import Located, rows_of_points
from thermalign.schemas.predictions import UNCERTAINTY

FACE = np.array([[40.0, 50], [80, 51], [60, 75], [45, 95], [75, 96]])
IDS = ["a/1", "a/2", "b/1"]
IMAGES = pd.DataFrame({"image_id": IDS, "path": [f"faces/{name}.png" for name in IDS]})
KEY = {"protocol": "p", "fold": 0, "model": "m"}


def predictions():
    """PREDICTIONS of three images with digits to the last; no face was found in the second."""
    drawn = np.random.default_rng(3)
    points = FACE + drawn.normal(size=(3, 5, 2)) / 3
    scale = drawn.uniform(1, 2, (3, 5, 1, 1)) * np.array([[2.0, 0.1], [0.1, 1.0]])
    spread = drawn.uniform(0, 1, (2, 3, 5)) / 3
    located = Located(points, scale, 3 + spread[0], spread[1])
    return rows_of_points(IDS, located.without(np.array([False, True, False])), KEY)


def plain(**changed):
    """The rows of a file with what has to be there alone."""
    rows = as_file(predictions())
    rows = rows[[c for c in rows if c in ("image_id", "found") or c.endswith(("_x", "_y"))]]
    return rows.assign(**changed)


def written(folder, rows, name="points.csv"):
    path = folder / name
    rows.to_parquet(path) if path.suffix == ".parquet" else rows.to_csv(path, index=False)
    return path


def read_for(path, wanted=IDS):
    return points_for(read_points(path), IMAGES, wanted, dataset="d", whose="test images of p")


@pytest.mark.parametrize("name", ["points.csv", "points.parquet"])
def test_what_is_written_is_read_back_to_the_last_bit(tmp_path, name):
    path = written(tmp_path, as_file(predictions()), name)
    pd.testing.assert_frame_equal(
        rows_of_points(IDS, read_for(path), KEY), predictions(), check_exact=True
    )


def test_points_alone_are_enough_and_their_errors_are_unknown(tmp_path):
    made = rows_of_points(IDS, read_for(written(tmp_path, plain())), KEY)
    pd.testing.assert_frame_equal(made[["x", "y"]], predictions()[["x", "y"]], check_exact=True)
    assert made[list(UNCERTAINTY)].isna().all(axis=None)


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("image_id", ["a/1", "a/2", "b/1"]),
        ("path", ["faces/a/1.png", "./faces/a/2.png", "faces/b/../b/1.png"]),
        ("image", ["a/1.png", "2.png", "b/1.png"]),
    ],
)
def test_an_image_is_named_by_its_id_its_path_or_the_end_of_its_path(tmp_path, column, cells):
    rows = plain().drop(columns="image_id").assign(**{column: cells})
    expected = read_for(written(tmp_path, plain(), "by_id.csv"))
    np.testing.assert_array_equal(read_for(written(tmp_path, rows)).points, expected.points)


def test_rows_of_other_folds_stand_beside_those_asked_for_in_any_order(tmp_path):
    path = written(tmp_path, plain().iloc[::-1])
    made = read_for(path, ["b/1"])
    np.testing.assert_array_equal(made.points, read_for(path).points[2:])


def test_one_expected_error_of_a_face_is_that_of_every_landmark(tmp_path):
    made = read_for(written(tmp_path, plain(expected_error=[0.1, 0.2, 0.3], nose_base_error=0.5)))
    np.testing.assert_array_equal(made.expected_error[0], [0.1, 0.1, 0.5, 0.1, 0.1])
    assert np.isnan(made.expected_error[1]).all()


def test_what_thermalign_predict_writes_is_such_a_file(tmp_path):
    rows = plain().rename(columns={"image_id": "image", "found": "status"})
    rows["status"] = ["ok", "no face", "ok"]
    made = read_for(written(tmp_path, rows.assign(face=1, score=0.5)))
    assert np.isnan(made.points[1]).all()
    assert np.isfinite(made.points[[0, 2]]).all()


def test_metadata_of_a_parquet_file_are_carried_on(tmp_path):
    rows = as_file(predictions())
    schema = tables.pa.Schema.from_pandas(rows, preserve_index=False)
    said = {"grid": "{}", "constant": "[1]", "commit": "abc"}
    tables.write(tmp_path / "points.parquet", rows, schema, said)
    assert read_points(tmp_path / "points.parquet").metadata == {"grid": "{}", "constant": "[1]"}


WRONG = {
    "an unknown image": ({"image_id": ["a/1", "x", "b/1"]}, r"row 3: 'x' is no image of d; "),
    "several": ({"image_id": ["x", "y", "b/1"]}, r"row 2: 'x' .*\(and 1 rows more\)"),
    "an end of two paths": (
        {"image_id": ["1.png", "a/2", "b/1"]},
        r"row 2: '1.png' is no image",
    ),
    "no name": ({"image_id": ["a/1", "", "b/1"]}, r"row 3: image_id is empty"),
    "two rows": ({"image_id": ["a/1", "a/2", "a/1"]}, r"row 4: image a/1 stands in row 2 already"),
    "a missing point": ({"left_eye_y": [1, 1, np.nan]}, r"row 4 \(image b/1\): left_eye_y is emp"),
    "an infinite point": ({"nose_base_x": [1, 1, np.inf]}, r"row 4 .*: nose_base_x is empty or no"),
    "no number": ({"left_eye_x": ["1,5", "", "2"]}, r"row 2: left_eye_x is '1,5'; write a plain"),
    "found of neither": ({"found": ["yes", "no", "perhaps"]}, r"row 4: found is 'perhaps'"),
    "a point not found that is not said": ({"found": "yes"}, r"row 3 \(image a/2\): right_eye_x"),
    "an error below 0": ({"expected_error": [0.1, 0.1, -1]}, r"row 4: an expected error is -1"),
    "shares of the image": (
        {f"{n}_{axis}": 0.1 * k for k, n in enumerate(LANDMARKS, 1) for axis in "xy"},
        r"all points lie from 0.1 to 0.5, as shares of the image do; give pixels",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_file_is_refused_in_a_line_that_names_row_and_cure(tmp_path, what):
    changed, told = WRONG[what]
    with pytest.raises(ValueError, match=told) as refused:
        read_for(written(tmp_path, plain(**changed)))
    assert str(refused.value).startswith(str(tmp_path / "points.csv"))
    assert "\n" not in str(refused.value)


def test_the_images_left_and_right_are_refused_where_most_faces_have_them(tmp_path):
    rows = plain().rename(columns=lambda name: name.replace("left", "LEFT"))
    rows = rows.rename(columns=lambda name: name.replace("right", "left").replace("LEFT", "right"))
    with pytest.raises(ValueError, match=r"eyes are swapped in 2 of 2 faces; left and right are"):
        read_for(written(tmp_path, rows))


def test_images_without_a_row_are_counted_and_the_first_named(tmp_path):
    wanted = [*IDS, "c/1", "c/2", "c/3", "c/4"]
    more = pd.DataFrame({"image_id": wanted, "path": wanted})
    points = read_points(written(tmp_path, plain()))
    told = r"no row for 4 of 7 test images of p: c/1, c/2, c/3 and 1 more; .* found: no where"
    with pytest.raises(ValueError, match=told):
        points_for(points, more, wanted, dataset="d", whose="test images of p")


def test_a_file_that_lacks_a_column_names_it(tmp_path):
    rows = plain().drop(columns="nose_base_y")
    with pytest.raises(ValueError, match=r"no column 'nose_base_y' \(there are image_id, found"):
        read_for(written(tmp_path, rows))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("none.csv", None, "no such file; correct the path"),
        ("empty.csv", b"", "is empty; give a header and rows"),
        ("binary.csv", b"a,b\n\xff\xfe,1\n", "is no text in UTF-8; save it as CSV"),
        ("short.csv", b"a,b\n1,2\n3\n", "is no whole CSV file"),
        ("twice.csv", b"a,b,a\n1,2,3\n", "column 'a' is there twice"),
        ("nameless.csv", b"a,,b\n1,2,3\n", "column 2 has no name"),
        ("torn.parquet", b"PAR1", "is no whole Parquet table"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, name, content, told):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=told) as refused:
        read_points(tmp_path / name)
    assert "\n" not in str(refused.value)
