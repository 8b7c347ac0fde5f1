from pathlib import Path

import cv2
import numpy as np
import pytest

from thermalign import tables
from thermalign.ingest.table import Settings, read
from thermalign.schemas.dataset import IMAGES

POINTS = {
    "right_eye_x": 10, "right_eye_y": 12, "left_eye_x": 22, "left_eye_y": 12,
    "nose_base_x": 16, "nose_base_y": 20, "right_mouth_corner_x": 11, "right_mouth_corner_y": 27,
    "left_mouth_corner_x": 21, "left_mouth_corner_y": 27,
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), np.full((40, 32), 1000, np.uint16))
    return tmp_path


def write(folder, rows):
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [",".join(columns)] + [",".join(str(r.get(c, "")) for c in columns) for r in rows]
    (folder / "faces.csv").write_text("\n".join(lines) + "\n")
    return Settings(folder=folder, manifest=Path("faces.csv"), defaults={"modality": "thermal"})


def row(name="a.png", **changes):
    return {"path": name, "subject_id": "s1", **POINTS, **changes}


def test_a_moment_is_the_pair_s_or_the_image_s_own_unless_it_is_named(folder):
    rows = [row("a.png", pair_id="p1"), row("b.png", image_id="c"), row("a.png", image_id="d")]
    rows[2]["moment"] = "m7"
    assert list(read(write(folder, rows))[0]["moment"]) == ["p1", "c", "m7"]


def test_two_columns_are_enough(folder):
    images, annotations, boxes = read(write(folder, [{"path": "a.png", "subject_id": "s1"}]))
    tables.write(folder / "i.parquet", images, IMAGES)
    assert images.loc[0, ["image_id", "width", "height", "bit_depth", "scale"]].tolist() == [
        "a", 32, 40, 16, 1.0,
    ]  # fmt: skip
    assert annotations.empty
    assert boxes.empty


def test_landmarks_boxes_and_scale_are_read(folder):
    given = row(box_x=4, box_y=3, box_width=20, box_height=30, scale=0.01, offset=-273.15)
    images, annotations, boxes = read(write(folder, [given, {"path": "b.png", "subject_id": "s2"}]))
    assert images["scale"].tolist() == [0.01, 1.0]
    assert annotations.set_index("landmark").loc["nose_base", ["x", "y"]].tolist() == [16, 20]
    assert boxes.iloc[0].tolist() == ["a", 4, 3, 20, 30]


def test_columns_of_other_names_are_read(folder):
    (folder / "faces.csv").write_text("file,subject_id,kind\na.png,s1,visible\n")
    named = {"path": "file", "modality": "kind"}
    images, _, _ = read(Settings(folder=folder, manifest=Path("faces.csv"), columns=named))
    assert images["modality"].tolist() == ["visible"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"path": "a.png"}], "no column 'subject_id'"),
        ([row(), row()], "row 3: image_id a is there twice"),
        ([row("gone.png")], r"row 2: .*gone\.png: no such image file"),
        ([row("faces.csv")], r"row 2: .*faces\.csv: does not open"),
        ([row(left_eye_x="")], "row 2 .*left_eye_x is empty; give all 5 landmarks or none"),
        ([row(left_eye_x="nan")], r"row 2 .*left_eye is \(nan, 12.0\)"),
        ([row(left_eye_x="far")], "left_eye_x is 'far'"),
        ([row(nose_base_y=40)], r"nose_base at \(16, 40\) lies outside the image of 32 x 40"),
        ([row(left_eye_x=10)], "right_eye and left_eye coincide"),
        ([row(right_eye_x=22, left_eye_x=10)], "left and right eyes are swapped"),
        (
            [row(right_mouth_corner_x=21, left_mouth_corner_x=11)],
            "left and right mouth corners are swapped",
        ),
        ([row(box_x=1)], "gives .'box_x'. only"),
        ([row(box_x=40, box_y=1, box_width=9, box_height=9)], "outside the image"),
        ([row(volume="one")], "volume is 'one'"),
        ([row(modality="infrared")], "modality is 'infrared'"),
        ([row(subject_id="")], "subject_id is empty"),
    ],
)
def test_bad_rows_are_refused_by_name(folder, rows, message):
    with pytest.raises(ValueError, match=message):
        read(write(folder, rows))


def test_a_missing_manifest_says_where_to_name_it(folder):
    with pytest.raises(ValueError, match=r"none\.csv: no such manifest; set data:"):
        read(Settings(folder=folder, manifest=Path("none.csv")))
