"""ARL Polarimetric, ARL-VTF, SF-TL54, TFW and SpeakingFaces: drawn trees in their layouts."""

import csv
import importlib
import json

import cv2
import numpy as np
import pytest

from thermalign import tables
from thermalign.catalogue import trees
from thermalign.geometry import LANDMARKS
from thermalign.ingest import table
from thermalign.ingest.arl_polarimetric import EYES
from thermalign.ingest.lines import Records
from thermalign.ingest.tree import landmark_cells, write_tree
from thermalign.records import points_of
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES, BOXES, IMAGES
from trees import FACE, draw, ingested, labelme, made

GIVEN = {"source": "given"}
FIVE = [list(FACE[name]) for name in LANDMARKS]


def read(found):
    """Return images, annotations, boxes and attributes of an ingested tree."""
    schemas = {"images": IMAGES, "annotations": ANNOTATIONS, "boxes": BOXES}
    schemas["attributes"] = ATTRIBUTES
    return [tables.read(found[name], schema) for name, schema in schemas.items()]


def write_csv(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("adapter", trees())
def test_an_adapter_says_of_every_landmark_what_stands_for_it(adapter):
    points = importlib.import_module(f"thermalign.ingest.{adapter}").POINTS
    assert tuple(points) == LANDMARKS
    assert all(mark.meaning for mark in points.values())


@pytest.mark.parametrize("adapter", trees())
def test_a_folder_that_is_not_there_or_is_empty_is_refused_in_a_line(adapter, tmp_path):
    keys = {"nose": "none"} if adapter in ("carl", "eurecom_vis_th", "tfw") else {}
    for folder, told in ((tmp_path / "none", "no such folder; correct"), (tmp_path, str(tmp_path))):
        with pytest.raises(ValueError, match=told) as refused:
            made(adapter, folder, **keys)
        assert "\n" not in str(refused.value)


# --- TFW ---

INDOOR = [f"{n}_1_1_5_{n}_1.png" for n in (1, 2)]


def tfw_row(name, **changes):
    points = {f"p{n}{a}": v for n, p in enumerate(FIVE, 1) for a, v in zip("xy", p, strict=True)}
    return {"name": name, "xs": 8, "ys": 8, "xe": 52, "ye": 64, **points, **changes}


@pytest.fixture
def tfw(tmp_path):
    """One face a part in the room, and one outside."""
    names = (*INDOOR, "3_2_1_5_3_1.png")
    for seed, (part, name) in enumerate(zip(("train", "test", "val"), names, strict=True)):
        for place, image in (("indoor", name), ("outdoor", f"{seed + 7}.png")):
            number = seed + (10 if place == "outdoor" else 0)
            draw(tmp_path / part / f"{place}_gray" / image, number, channels=3)
            write_csv(tmp_path / part / f"{place}.csv", [tfw_row(image)])
    return tmp_path


def test_tfw_is_read_with_the_tip_for_the_nose(tfw, tmp_path):
    keys = {"nose": "tip", "attributes": ["split"], "box": GIVEN}
    images, marked, boxes, attributes = read(ingested("tfw", tfw, tmp_path / "out", **keys))
    assert images["subject_id"].tolist() == ["2", "1", "3"]
    assert images["session"].tolist() == ["1", "1", "2"]
    assert images["condition"].unique().tolist() == ["position 5"]
    assert (points_of(marked, images["image_id"])[0] == FIVE).all()
    assert boxes.iloc[0, 2:].tolist() == [8, 8, 44, 56]
    assert attributes["value"].tolist() == ["test", "train", "val"]


def test_tfw_s_nose_is_estimated_or_left_away_where_that_is_asked_for(tfw):
    row = made("tfw", tfw, nose="estimated").rows[0]
    assert (row["nose_base_y"], row["nose_base_visible"]) == ("39.86", "false")
    assert "right_eye_x" not in made("tfw", tfw, nose="none").rows[0]


def test_outside_nobody_is_told_apart_and_images_of_several_faces_are_left_out(tfw):
    name = "7.png"
    write_csv(tfw / "train/outdoor.csv", [tfw_row(name), tfw_row(name, xs=1)])
    tree = made("tfw", tfw, nose="tip", environment="outdoor")
    assert {row["subject_id"] for row in tree.rows} == {"outdoor"}
    assert [(its.image, its.row) for its in tree.left_out] == [("train/outdoor_gray/7.png", 2)]
    assert tree.left_out[0].reason == "shows 2 faces, and one is meant"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: (f / "train/indoor.csv").unlink(), r"indoor\.csv: no such file, which hold"),
        (lambda f: (f / "train/indoor.csv").write_text("name,xs\na,1\n"), "no column 'ys'; TFW's"),
        (lambda f: write_csv(f / "train/indoor.csv", [tfw_row(INDOOR[0], p3x="left")]),
         r"indoor\.csv row 2 .*: p3x is 'left'"),
        (lambda f: (f / "train/indoor_gray" / INDOOR[0]).unlink(),
         r"indoor\.csv row 2 .*1_1_1_5_1_1\.png\): is annotated, but there is no such image"),
        (lambda f: draw(f / "train/indoor_gray/me.png", 1), "me.png .*does not parse as 1_1_1_1"),
    ],
)  # fmt: skip
def test_tfw_that_is_spoilt_is_refused(tfw, spoil, message):
    spoil(tfw)
    with pytest.raises(ValueError, match=message):
        made("tfw", tfw, nose="tip")


# --- SF-TL54 ---


def fifty_four():
    """Return points of a face: eyes as rings around FACE's, the others where FACE has them."""
    points = [(30, 20 + n) for n in range(54)]
    for first, name in ((36, "right_eye"), (42, "left_eye")):
        x, y = FACE[name]
        ring = [(-4, 0), (-2, -2), (2, -2), (4, 0), (2, 2), (-2, 2)]
        points[first : first + 6] = [(x + a, y + b) for a, b in ring]
    for at, name in ((33, "nose_base"), (48, "right_mouth_corner"), (50, "left_mouth_corner")):
        points[at] = FACE[name]
    return points


@pytest.fixture
def sf(tmp_path):
    stems = {"train": "100_1_2_1_1134_36_1", "val": "2_1_2_9_1_1_1", "test": "3_2_2_1_7_36_1"}
    for seed, (part, stem) in enumerate(stems.items()):
        draw(tmp_path / f"gray/{part}/images/{stem}.png", seed)
        labelme(tmp_path / f"gray/{part}/json/{stem}.json", fifty_four())
    head = "Sub_ID,Split,Age,Gender,Ethnicity,Acc_Trial_1\n"
    (tmp_path / "metadata.csv").write_text(head + "100,Train,31,Female,Kazakh,1\n")
    return tmp_path


def test_sf_tl54_is_read_with_eyes_as_means_and_the_nose_base(sf, tmp_path):
    keys = {"attributes": ["gender", "split"], "people": "metadata.csv", "box": GIVEN}
    images, marked, boxes, attributes = read(ingested("sf_tl54", sf, tmp_path / "out", **keys))
    assert images["subject_id"].tolist() == ["3", "100", "2"]
    assert images["session"].tolist() == ["2", "1", "1"]
    assert np.allclose(points_of(marked, images["image_id"])[1], FIVE)
    assert marked["visible"].all()
    assert boxes.iloc[0, 2:].tolist() == [8, 8, 44, 56]
    assert attributes["value"].tolist() == ["test", "Female", "Train", "val"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda file: labelme(file, fifty_four() * 2), "108 points, of another scheme than the 54"),
        (lambda file: file.write_text('{"shapes": 3}'), r"\.json: is no file of labelme's \(Type"),
        (lambda file: file.write_text("{"), r"\.json: is no file of labelme's \(JSONDecodeError"),
        (lambda file: file.unlink(), r"100_1_2_1_1134_36_1\.png\): has no annotation"),
    ],
)  # fmt: skip
def test_a_spoilt_file_of_sf_tl54_is_refused(sf, spoil, message):
    spoil(sf / "gray/train/json/100_1_2_1_1134_36_1.json")
    with pytest.raises(ValueError, match=message):
        made("sf_tl54", sf)


def test_a_face_of_sf_tl54_without_all_points_is_left_out_by_name(sf):
    file = sf / "gray/train/json/100_1_2_1_1134_36_1.json"
    labelme(file, fifty_four()[:50])
    left = made("sf_tl54", sf).left_out
    assert [(its.file, its.reason) for its in left] == [
        (str(file), "has 50 of 54 points and 2 of a box's 2 corners")
    ]
    shapes = json.loads(file.read_text())["shapes"]
    file.write_text(json.dumps({"shapes": shapes[1:]}))
    assert made("sf_tl54", sf).left_out[0].reason.endswith("and 0 of a box's 2 corners")


# --- SpeakingFaces ---


@pytest.fixture
def speaking(tmp_path):
    seed = 0
    for person, folder, stream in (
        (n, f, s) for n in (1, 2) for f, s in (("thr_image", 1), ("rgb_image_aligned", 3))
    ):
        for frame in (1, 2, 101):
            name = f"{person}_1_1_5_{frame}_{stream}.png"
            draw(tmp_path / f"sub_{person}/trial_1/{folder}/{name}", seed)
            seed += 1
    return tmp_path


def test_speakingfaces_is_read_in_pairs_and_films(speaking, tmp_path):
    images, marked, _, attributes = read(
        ingested("speakingfaces", speaking, tmp_path / "out", attributes=["speaking"])
    )
    assert len(images) == 8  # two people, frames 1 and 101, both modalities
    assert images.groupby("pair_id")["modality"].nunique().tolist() == [2, 2, 2, 2]
    assert images.groupby("moment").size().tolist() == [4, 4]
    assert marked.empty
    assert set(attributes["value"]) == {"no"}


def test_thermal_images_alone_and_every_frame_are_read_where_asked_for(speaking):
    rows = made("speakingfaces", speaking, visible="none", every=1).rows
    assert {row["modality"] for row in rows} == {"thermal"}
    assert len(rows) == 6


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"silent": False}, "no source showed where aligned images of the spoken session lie"),
        ({"visible": "raw"}, "rgb_image: no such folder, which holds raw images"),
        ({"people": "subjects.csv"}, r"subjects\.csv: no such file, which holds the table"),
    ],
)  # fmt: skip
def test_what_speakingfaces_lacks_is_told(speaking, keys, message):
    with pytest.raises(ValueError, match=message):
        made("speakingfaces", speaking, **keys)


def test_an_image_of_another_person_is_refused(speaking):
    draw(speaking / "sub_1/trial_1/thr_image/2_1_1_5_1_1.png", 50)
    with pytest.raises(ValueError, match="is of another person, trial, session or stream"):
        made("speakingfaces", speaking)


# --- ARL-VTF ---

COLUMNS = {f"{name}_{a}": f"lm_{k}_{a}" for k, name in enumerate(LANDMARKS) for a in "xy"}


def vtf_row(camera, subject, frame, **changes):
    points = {f"lm_{k}_{a}": v for k, p in enumerate(FIVE) for a, v in zip("xy", p, strict=True)}
    row = {"": frame, "timestamp": "2019-11-04 10:00", "camera": camera, "condition": "baseline"}
    row |= {"eyewear": "none", "subid": subject, "top_leftX": 8, "top_leftY": 8}
    row |= {"filepath": f"dev/{subject}/seq/{camera}_{frame}.png", "bottom_rightX": 52}
    return {**row, "bottom_rightY": 64, **points, **changes}


@pytest.fixture
def vtf(tmp_path):
    rows = [
        vtf_row(camera, subject, frame)
        for frame, (subject, camera) in enumerate(
            (s, c) for s in ("11", "12") for c in ("FLIR_USB", "BAS_RGB2")
        )
    ]
    for row in rows:  # the frames of a pair have one name behind the camera's
        row["filepath"] = row["filepath"].rsplit("_", 1)[0] + "_0000.png"
    rows.append(vtf_row("BAS_MONO", "11", 4))
    write_csv(tmp_path / "metadata.csv", rows)
    for seed, row in enumerate(rows[:4]):
        draw(tmp_path / "images" / row["filepath"], seed, kind=np.uint8)
    return tmp_path


def test_arl_vtf_is_read_in_pairs_with_landmarks_of_the_columns_that_are_named(vtf, tmp_path):
    keys = {"landmarks": COLUMNS, "attributes": ["eyewear", "split"], "box": GIVEN}
    images, marked, boxes, attributes = read(ingested("arl_vtf", vtf, tmp_path / "out", **keys))
    assert sorted(images["subject_id"]) == ["11", "11", "12", "12"]
    assert images.groupby("pair_id")["modality"].nunique().tolist() == [2, 2]
    assert (points_of(marked, images["image_id"])[0] == FIVE).all()
    assert boxes.iloc[0, 2:].tolist() == [8, 8, 44, 56]
    assert set(attributes["value"]) == {"none", "dev"}


def test_arl_vtf_has_boxes_alone_where_no_landmarks_are_asked_for(vtf):
    rows = made("arl_vtf", vtf, points="none").rows
    assert len(rows) == 4
    assert not [name for name in rows[0] if "eye_x" in name]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, r"metadata\.csv: which column is right_eye_x is told by no source; name all ten under "
             r"landmarks: \(columns that it may be: lm_0_x, .*lm_4_y\), or set points: none"),
        ({"landmarks": COLUMNS | {"left_eye_x": "lex"}}, "no column 'lex', which landmarks: names"),
        ({"landmarks": COLUMNS | {"chin_x": "lm_0_x"}}, "no landmark 'chin_x', which landmarks:"),
        ({"points": "none", "images": "crops"}, "crops: no such folder, which holds the images"),
    ],
)  # fmt: skip
def test_what_no_source_showed_of_arl_vtf_must_be_said(vtf, keys, message):
    with pytest.raises(ValueError, match=message):
        made("arl_vtf", vtf, **keys)


def test_rows_and_images_of_arl_vtf_that_lack_each_other_are_refused_by_name(vtf):
    (vtf / "images/dev/11/seq/FLIR_USB_0000.png").unlink()
    with pytest.raises(ValueError, match=r"metadata\.csv row 2 \(image images/dev/11/seq/FLIR"):
        made("arl_vtf", vtf, points="none")
    draw(vtf / "images/dev/11/seq/FLIR_USB_0009.png", 9)
    left = made("arl_vtf", vtf, points="none", misfits="leave_out").left_out
    assert [its.row for its in left] == [2, 0]


def test_a_row_of_arl_vtf_without_all_landmarks_is_left_out_and_poses_are_not_read(vtf):
    rows = list(csv.DictReader((vtf / "metadata.csv").open()))
    rows[0]["lm_2_x"] = ""
    rows.append(vtf_row("FLIR_USB", "11", 5) | {"filepath": "dev/11/pose/FLIR_USB_0005.png"})
    draw(vtf / "images/dev/11/pose/FLIR_USB_0005.png", 5)
    write_csv(vtf / "metadata.csv", rows)
    tree = made("arl_vtf", vtf, landmarks=COLUMNS)
    assert [its.told().split(": ")[-1] for its in tree.left_out] == ["nose_base_x is not marked"]
    assert len(tree.rows) == 3
    assert len(made("arl_vtf", vtf, landmarks=COLUMNS, poses=True).rows) == 4


# --- ARL Polarimetric ---


@pytest.fixture
def polarimetric(tmp_path):
    seed = 0
    for person in ("A01", "A02", "A03", "A04", "A05"):
        names = [f"Visible/IOD87_{c}/{person}_IOD87_{c}_VI_f01" for c in "BE"]
        names += [f"Polarimetric/{person}_R{r}_B_{s}_f01" for r in (1, 3) for s in ("S0", "DP")]
        for name in names:
            draw(tmp_path / f"Registered/{name}.png", seed, kind=np.uint16)
            seed += 1
    return tmp_path


def test_arl_polarimetric_is_read_with_ranges_and_moments_and_no_landmarks(polarimetric, tmp_path):
    images, marked, boxes, _ = read(ingested("arl_polarimetric", polarimetric, tmp_path / "out"))
    assert len(images) == 5 * (2 + 2)  # S0 alone
    thermal = images[images["modality"] == "thermal"]
    assert sorted(set(thermal["range"])) == [1, 3]
    assert set(images["bit_depth"]) == {16}
    assert set(images["condition"]) == {"baseline", "expression"}
    baseline = images[images["condition"] == "baseline"]
    assert baseline.groupby("moment")["modality"].nunique().tolist() == [2] * 5
    assert marked.empty
    assert set(boxes["source"]) == {"fixed"}


def test_one_stokes_image_is_the_thermal_one(polarimetric):
    rows = made("arl_polarimetric", polarimetric, stokes="DP").rows
    paths = [row["path"] for row in rows if row["modality"] == "thermal"]
    assert len(paths) == 10
    assert all("_DP_" in path for path in paths)


def test_registered_eyes_are_refused_as_landmarks_of_a_study(polarimetric, tmp_path):
    """Whoever writes them into a manifest is told that everybody's are in one place."""
    folder = tmp_path / "registered"
    tree = made("arl_polarimetric", polarimetric)
    points = {**{n: np.array(p) for n, p in EYES.items()}, "nose_base": (102, 150)}
    points |= {"right_mouth_corner": (75, 185), "left_mouth_corner": (130, 185)}
    tree = tree._replace(rows=Records(row | landmark_cells(points) for row in tree.rows))
    for seed, row in enumerate(tree.rows):
        rng = np.random.default_rng(seed)
        (folder / row["path"]).parent.mkdir(parents=True, exist_ok=True)
        picture = rng.integers(20000, 30000, (250, 200)).astype(np.uint16)
        cv2.imwrite(str(folder / row["path"]), picture)
    write_tree(tree, folder / "m.csv", folder / "left.csv")
    with pytest.raises(ValueError, match="5 people have every landmark in the same place"):
        table.read(table.Settings(folder, folder / "m.csv"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: (f / "Registered").rename(f / "Raw"), "no folder Registered; .* by no source"),
        (lambda f: (f / "Registered/Polarimetric").rename(f / "P"), "Polarimetric: no such folder"),
        (lambda f: draw(f / "Registered/Polarimetric/A01_R4_B_S0_f01.png", 1), "A01_R4_B_S0"),
    ],
)  # fmt: skip
def test_a_spoilt_tree_of_arl_polarimetric_is_refused(polarimetric, spoil, message):
    spoil(polarimetric)
    with pytest.raises(ValueError, match=message):
        made("arl_polarimetric", polarimetric)
