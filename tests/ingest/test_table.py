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
    for seed, name in enumerate(("a.png", "b.png", "c.png")):
        counts = np.random.default_rng(seed).integers(29000, 31000, (40, 32), np.uint16)
        cv2.imwrite(str(tmp_path / name), counts)
    return tmp_path


def write(folder, rows):
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [",".join(columns)] + [",".join(str(r.get(c, "")) for c in columns) for r in rows]
    (folder / "faces.csv").write_text("\n".join(lines) + "\n")
    return Settings(folder=folder, manifest=Path("faces.csv"), defaults={"modality": "thermal"})


def row(name="a.png", **changes):
    return {"path": name, "subject_id": "s1", **POINTS, **changes}


def test_a_moment_is_the_pair_s_or_the_image_s_own_unless_it_is_named(folder):
    rows = [row("a.png", pair_id="p1"), row("b.png", image_id="c"), row("c.png", image_id="d")]
    rows[2]["moment"] = "m7"
    assert list(read(write(folder, rows)).images["moment"]) == ["p1", "c", "m7"]


def test_two_columns_are_enough(folder):
    found = read(write(folder, [{"path": "a.png", "subject_id": "s1"}]))
    images = found.images
    tables.write(folder / "i.parquet", images, IMAGES)
    assert images.loc[0, ["image_id", "width", "height", "bit_depth", "scale"]].tolist() == [
        "a", 32, 40, 16, 1.0,
    ]  # fmt: skip
    assert found.annotations.empty
    assert found.boxes.empty
    assert found.attributes.empty


def test_landmarks_boxes_and_scale_are_read(folder):
    given = row(box_x=4, box_y=3, box_width=20, box_height=30, scale=0.01, offset=-273.15)
    visible = {"path": "b.png", "subject_id": "s2", "modality": "visible"}
    found = read(write(folder, [{**given, "modality": "thermal"}, visible]))
    assert found.images["scale"].tolist() == [0.01, 1.0]
    assert found.annotations.set_index("landmark").loc["nose_base", ["x", "y"]].tolist() == [16, 20]
    assert found.boxes.iloc[0].tolist() == ["a", 4, 3, 20, 30]


def test_columns_of_other_names_are_read(folder):
    (folder / "faces.csv").write_text("file,subject_id,kind\na.png,s1,visible\n")
    named = {"path": "file", "modality": "kind"}
    found = read(Settings(folder=folder, manifest=Path("faces.csv"), columns=named))
    assert found.images["modality"].tolist() == ["visible"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"path": "a.png"}], "no column 'subject_id'"),
        ([row(), row()], "row 3: image_id a is there twice"),
        ([row("gone.png")], r"row 2: .*gone\.png: no such image file"),
        ([row("faces.csv")], r"row 2: .*faces\.csv: does not open"),
        ([row(left_eye_x="")], "row 2 .*left_eye_x is empty; give all 5 landmarks or none"),
        ([row(left_eye_x="nan")], "row 2 .*left_eye_x is 'nan'; give a finite number"),
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
