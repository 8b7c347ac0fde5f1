"""CARL and EURECOM VIS-TH: drawn trees in their layouts, and every real annotation file."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from thermalign import tables
from thermalign.geometry import LANDMARKS
from thermalign.ingest.checks import check_points
from thermalign.ingest.dlib_xml import PARTS, points_of, read_records
from thermalign.records import points_of as points
from thermalign.schemas.dataset import ANNOTATIONS, BOXES, IMAGES
from trees import ANNOTATIONS as REAL
from trees import SIX, draw, ingested, made, xml

CARL = [f"0{n}/session_1/{f}/0{n}S1{c}NA1.bmp" for n in (1, 2) for f, c in
        (("thermal_bmp", "B"), ("classic", "C"))]  # fmt: skip
EURECOM = [f"00{n}/{m}/{m}_00{n}_1_01_NN.bmp" for n in (1, 2) for m in ("TH", "VIS")]
INCOMPLETE = {
    ("carl", "05/session_2/thermal_bmp/05S2BNA1.bmp"):
        "lefteye_outer is marked twice and mouthcorner_right is not marked",
    ("carl", "23/session_3/thermal_bmp/23S3BAR4.bmp"):
        "mouthcorner_right is not marked and mouthcorner_left is not marked",
    ("carl", "31/session_1/thermal_bmp/31S1BIR5.bmp"):
        "mouthcorner_right is not marked and mouthcorner_left is not marked",
    ("carl", "34/session_1/thermal_bmp/34S1BNA1.bmp"): "mouthcorner_left is not marked",
    ("eurecom_vis_th", "032/TH/TH_032_1_06_AEC.bmp"):
        "mouthcorner_right is not marked and mouthcorner_left is not marked",
    ("eurecom_vis_th", "050/VIS/VIS_050_1_17_LLU.bmp"):
        "mouthcorner_right is not marked and mouthcorner_left is not marked",
}  # fmt: skip
FOLDERS = {"carl": "Carl_annotations", "eurecom_vis_th": "Eurecom_annotations"}
RECORDS = {"carl": 4920, "eurecom_vis_th": 1200}
PEOPLE = {"carl": 41, "eurecom_vis_th": 50}


@pytest.fixture(params=["carl", "eurecom_vis_th"])
def drawn(request, tmp_path):
    """An adapter and a tree of two people, each with a pair of images."""
    images = CARL if request.param == "carl" else EURECOM
    for seed, image in enumerate(images):
        draw(tmp_path / image, seed)
    for person in sorted({image.split("/")[0] for image in images}):
        its = {image: SIX for image in images if image.startswith(person)}
        xml(tmp_path / FOLDERS[request.param] / f"{person}.xml", its)
    return request.param, tmp_path


def test_a_tree_is_read_as_far_as_tables(drawn, tmp_path):
    adapter, folder = drawn
    found = ingested(adapter, folder, tmp_path / "out", nose="estimated", box={"source": "given"})
    images = tables.read(found["images"], IMAGES)
    assert sorted(images["modality"]) == ["thermal", "thermal", "visible", "visible"]
    pairs = images.groupby("pair_id")["subject_id"].agg(["nunique", "count"])
    assert pairs.to_numpy().tolist() == [[1, 2], [1, 2]]
    assert tables.read(found["boxes"], BOXES).iloc[0, 2:].tolist() == [8, 8, 44, 56]
    marked = tables.read(found["annotations"], ANNOTATIONS)
    assert points(marked, [images["image_id"][0]])[0].tolist() == [
        [20, 26], [40, 26], [30, pytest.approx(26 + 0.63 * 22)], [23, 48], [37, 48],
    ]  # fmt: skip
    assert set(marked.loc[~marked["visible"], "landmark"]) == {"nose_base"}


def test_without_a_nose_an_image_has_a_box_and_no_landmarks(drawn, tmp_path):
    adapter, folder = drawn
    found = ingested(adapter, folder, tmp_path / "out", nose="none", box={"source": "given"})
    assert tables.read(found["annotations"], ANNOTATIONS).empty
    assert set(tables.read(found["boxes"], BOXES)["source"]) == {"given"}


def test_an_image_that_ingest_refuses_can_be_left_out_by_name(drawn, tmp_path):
    adapter, folder = drawn
    image = (CARL if adapter == "carl" else EURECOM)[0]
    exchanged = [(name, (60 - x, y)) for name, (x, y) in SIX]
    file = folder / FOLDERS[adapter] / f"{image.split('/')[0]}.xml"
    file.write_text(file.read_text().replace(f'file="{image}"', 'file="other"'))
    xml(folder / FOLDERS[adapter] / "wrong.xml", {image: exchanged})
    keys = {"nose": "estimated", "misfits": "leave_out", "box": {"source": "given"}}
    with pytest.raises(ValueError, match="left and right eyes are swapped"):
        ingested(adapter, folder, tmp_path / "out", **keys)
    keys["leave_out"] = {image: "eyes exchanged"}
    found = ingested(adapter, folder, tmp_path / "out", **keys)
    assert len(tables.read(found["images"], IMAGES)) == 3


def test_sessions_and_lights_of_carl_are_told_by_its_names(tmp_path):
    for seed, name in enumerate(("01S3BIR2", "01S3BAR5")):
        draw(tmp_path / f"01/session_3/thermal_bmp/{name}.bmp", seed)
        xml(tmp_path / "a" / f"{name}.xml", {f"01/session_3/thermal_bmp/{name}.bmp": SIX})
    rows = made("carl", tmp_path, annotations="a", nose="none").rows
    assert {(r["session"], r["condition"]) for r in rows} == {
        ("3", "infrared"),
        ("3", "artificial"),
    }


@pytest.fixture
def carl(tmp_path):
    draw(tmp_path / CARL[0], 0)
    xml(tmp_path / "Carl_annotations/01.xml", {CARL[0]: SIX})
    return tmp_path


def test_an_image_without_annotation_is_refused_or_left_out_by_name(carl):
    draw(carl / CARL[1], 1)
    with pytest.raises(ValueError, match=rf"{carl}: {CARL[1]} .*: has no annotation; .*misfits"):
        made("carl", carl, nose="none")
    left = made("carl", carl, nose="none", misfits="leave_out").left_out
    assert [(its.image, its.reason) for its in left] == [(CARL[1], "has no annotation")]


def test_an_annotation_without_image_is_refused_or_left_out_by_name(carl):
    xml(carl / "Carl_annotations/02.xml", {CARL[2]: SIX})
    with pytest.raises(ValueError, match=rf"02\.xml row 3 \(image {CARL[2]}\): .* no such image"):
        made("carl", carl, nose="none")
    assert len(made("carl", carl, nose="none", misfits="leave_out").rows) == 1


def test_a_name_that_does_not_parse_is_refused_and_others_are_counted(carl):
    for name in ("01S1BXX1", "whole group"):
        draw(carl / f"01/session_1/thermal_bmp/{name}.bmp", 9)
    with pytest.raises(ValueError, match=r"01S1BXX1.* does not parse as 01/.* \(and 1 more\); "):
        made("carl", carl, nose="none")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([*SIX, ("nose", (30, 39))], r"01\.xml row 3 .*: point 'nose' is of another scheme; "),
        ([*SIX[:5], ("mouthcorner_left", (37, "wide"))], "mouthcorner_left y is 'wide'; write"),
    ],
)
def test_points_of_another_scheme_or_that_are_no_numbers_are_refused(carl, parts, message):
    xml(carl / "Carl_annotations/01.xml", {CARL[0]: parts})
    with pytest.raises(ValueError, match=message):
        made("carl", carl, nose="none", misfits="leave_out")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<dataset><image file='a.bmp'>", r"01\.xml row 1: is no XML .*; get it again"),
        ("<dataset><image/></dataset>", r"01\.xml row 1: <image> has no 'file'; correct it"),
        ("<dataset><part name='a' x='1' y='2'/></dataset>", "<part> is of no image"),
    ],
)
def test_a_damaged_annotation_file_is_refused_by_its_line(carl, text, message):
    (carl / "Carl_annotations/01.xml").write_text(text)
    with pytest.raises(ValueError, match=message):
        made("carl", carl, nose="none")


def test_a_missing_folder_of_annotations_says_what_it_holds(carl):
    shutil.rmtree(carl / "Carl_annotations")
    with pytest.raises(ValueError, match=r"Carl_annotations: no such folder, which holds an annot"):
        made("carl", carl, nose="none")


def test_what_stands_for_the_nose_must_be_said(carl):
    with pytest.raises(ValueError, match="dataset: nose is missing"):
        made("carl", carl)


@pytest.fixture(scope="module", params=["carl", "eurecom_vis_th"])
def real(request, tmp_path_factory):
    """The tree that all real annotation files tell of, its images empty files."""
    if not REAL.is_dir():
        pytest.skip(f"{REAL} is not there: real annotation files of CARL and EURECOM VIS-TH")
    folder = tmp_path_factory.mktemp(request.param)
    its = FOLDERS[request.param]
    for file in sorted((REAL / its).glob("*.xml")):
        for record in read_records(file):
            (folder / record.image).parent.mkdir(parents=True, exist_ok=True)
            (folder / record.image).touch()
    keys = {"annotations": str(REAL / its), "nose": "estimated"}
    return request.param, made(request.param, folder, **keys)


def test_all_real_annotations_parse_and_incomplete_ones_are_left_out_by_name(real):
    adapter, tree = real
    left = {(adapter, its.image): its.reason for its in tree.left_out}
    assert left == {key: reason for key, reason in INCOMPLETE.items() if key[0] == adapter}
    assert len(tree.rows) == RECORDS[adapter] - len(left)
    assert len({row["subject_id"] for row in tree.rows}) == PEOPLE[adapter]
    for its in tree.left_out:
        line = Path(its.file).read_text().splitlines()[its.row - 1]
        assert f'file="{its.image}"' in line


def test_real_pairs_are_of_one_person_session_and_condition(real):
    _, tree = real
    pairs = {}
    for row in tree.rows:
        pairs.setdefault(row["pair_id"], []).append(row)
    whole = [its for its in pairs.values() if len(its) == 2]
    assert len(whole) >= len(pairs) - 6
    for its in whole:
        assert {row["modality"] for row in its} == {"thermal", "visible"}
        for key in ("subject_id", "session", "condition"):
            assert its[0][key] == its[1][key]


def test_right_points_of_every_real_record_lie_left_in_the_image(real):
    _, tree = real
    for part in ("eye", "mouth_corner"):
        right, left = (
            np.array([float(row[f"{side}_{part}_x"]) for row in tree.rows])
            for side in ("right", "left")
        )
        assert (right < left).mean() > 0.999


def test_one_real_record_more_exchanges_eyes_and_mouth_which_ingest_refuses(real):
    adapter, tree = real
    refused = []
    for row in tree.rows:
        points = np.array([[float(row[f"{name}_{a}"]) for a in "xy"] for name in LANDMARKS])
        try:
            check_points(points, row["path"], (4000, 4000))  # larger than any image
        except ValueError as error:
            refused.append(str(error).split(";")[0])
    wrong = "21/session_3/classic/21S3CIR4.bmp: left and right eyes are swapped"
    assert refused == ([wrong] if adapter == "carl" else [])


def test_the_points_that_are_known_are_all_that_the_real_files_have():
    if not REAL.is_dir():
        pytest.skip(f"{REAL} is not there: real annotation files of CARL and EURECOM VIS-TH")
    record = read_records(REAL / "Carl_annotations" / "01.xml")[0]
    assert {name for name, _, _ in record.parts} == set(PARTS)
    assert set(points_of(record, "")[0]) >= {"right_eye", "left_eye"}
