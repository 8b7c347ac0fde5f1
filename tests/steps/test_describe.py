"""The card and the sheets of small invented datasets: flat images with faces at known places."""

import struct

import cv2
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from thermalign import tables
from thermalign.evaluation import card
from thermalign.evaluation.card import WHOLE, Part
from thermalign.evaluation.warmth import temperatures
from thermalign.geometry import LANDMARKS
from thermalign.report import samples
from thermalign.report.sheets import COLOUR_MAP
from thermalign.schemas.dataset import ANNOTATIONS, BOXES, IMAGES
from thermalign.schemas.descriptions import CARD, FINDINGS, LIKENESS
from thermalign.steps import describe

FACE = np.array([[30.0, 40], [70, 40], [50, 64], [34, 80], [66, 80]])
SCALE, OFFSET = 0.01, -273.15  # degrees Celsius per count, at count 0
COLD, HOT = mpl.colormaps[COLOUR_MAP](np.array([0, 255]), bytes=True)[:, 2::-1]  # blue first


def image_row(folder, key, size):
    """Write one flat image and return its row of IMAGES; thermal faces are 34 °C on 20 °C."""
    subject, reach, condition, modality = key
    name = f"{subject}-{reach}-{condition}-{modality}"
    width, height = size
    if modality == "thermal":
        pixels = np.full((height, width), round((20 - OFFSET) / SCALE), np.uint16)
        pixels[20:100, 15:85] = round((34 - OFFSET) / SCALE)
        described = {"bit_depth": 16, "scale": SCALE, "offset": OFFSET}
    else:
        pixels = np.full((height, width, 3), (40, 60, 255), np.uint8)
        described = {"bit_depth": 8, "scale": 1 / 255, "offset": 0.0}
    path = folder / f"{name}.png"
    cv2.imwrite(str(path), pixels)
    return described | {
        "image_id": name,
        "subject_id": subject,
        "session": "1",
        "volume": 1,
        "range": reach,
        "condition": condition,
        "modality": modality,
        "pair_id": f"{subject}-{reach}-{condition}",
        "moment": f"{subject}-{reach}-{condition}",
        "path": str(path),
        "width": width,
        "height": height,
        "sha256": "0",
    }


def dataset(folder, modalities=("thermal", "visible"), size=(100, 120), subjects=4):
    """Return IMAGES, ANNOTATIONS and BOXES; visible images exist at Range 1 only."""
    keys = [
        (f"s{number}", reach, condition, modality)
        for number in range(subjects)
        for reach in (1, 2)
        for condition in ("baseline", "expression")
        for modality in modalities
        if modality == "thermal" or reach == 1
    ]
    images = pd.DataFrame([image_row(folder, key, size) for key in keys])
    rows = []
    for k, image_id in enumerate(images["image_id"]):
        points = FACE + np.array([0, 2 * (k % 3)])
        for name, (x, y) in zip(LANDMARKS, points, strict=True):
            rows.append((image_id, name, x, y, name != "nose_base" or k != 0))
    annotations = pd.DataFrame(rows, columns=ANNOTATIONS.names)
    boxes = pd.DataFrame({"image_id": images["image_id"], "source": "given"})
    return images, annotations, boxes.assign(x=10.0, y=10.0, width=80.0, height=100.0)


def described(folder, images, annotations, boxes, findings=()):
    """Run the step; return CARD, LIKENESS and both sheets as pixels."""
    folder.mkdir(exist_ok=True)
    suspicious = pd.DataFrame(findings, columns=FINDINGS.names)
    given = {"images": images, "annotations": annotations, "boxes": boxes, "findings": suspicious}
    schemas = (IMAGES, ANNOTATIONS, BOXES, FINDINGS)
    for (name, frame), schema in zip(given.items(), schemas, strict=True):
        tables.write(folder / f"{name}.parquet", frame[schema.names], schema)
    paths = {name: folder / f"{name}.parquet" for name in (*given, "card", "likeness")}
    paths |= {name: folder / f"{name}.png" for name in ("contact", "marked")}
    describe.run(**paths, dataset="faces", code="0")
    sheets = [cv2.imread(str(paths[name])) for name in ("contact", "marked")]
    card = tables.read(paths["card"], CARD)
    return card, tables.read(paths["likeness"], LIKENESS), *sheets


def get(card, part, statistic):
    its = (card["modality"] == part.modality) & (card["range"] == part.range)
    row = card[its & (card["statistic"] == statistic)]
    assert len(row) == 1, (part, statistic)
    return row.iloc[0]


def parts(card):
    return {Part(*key) for key in card[["modality", "range"]].itertuples(index=False)}


@pytest.fixture(scope="module")
def paired(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paired")
    return described(folder / "out", *dataset(folder))


def test_counts_are_those_of_every_modality_and_range(paired):
    card = paired[0]
    counts = {"subjects": 4, "images": 24, "annotated": 24, "pairs": 8}
    assert {name: get(card, WHOLE, name)["value"] for name in counts} == counts
    at = Part("thermal", "2")
    expected = {"subjects": 4, "images": 8, "annotated": 8, "pairs": 0}
    assert {name: get(card, at, name)["value"] for name in expected} == expected


def test_a_pair_takes_the_bytes_of_both_its_files(paired):
    card = paired[0]
    each = [get(card, Part(m, "1"), "bytes_per_image")["value"] for m in ("thermal", "visible")]
    assert get(card, WHOLE, "bytes_per_pair")["value"] == pytest.approx(sum(each))


def test_geometry_is_that_of_the_annotated_points(paired):
    card = paired[0]
    row = get(card, Part("thermal", "1"), "interocular_distance")
    assert (row["value"], row["sd"], row["unit"]) == (40, 0, "px")
    assert get(card, Part("thermal", "1"), "mouth_width")["value"] == pytest.approx(0.8)


def test_hidden_landmarks_are_a_share_of_all(paired):
    assert get(paired[0], Part("thermal", "1"), "not_visible")["value"] == pytest.approx(
        1 / (8 * 5)
    )


def test_the_shares_of_every_histogram_add_up_to_one(paired):
    bins = paired[0][paired[0]["statistic"].str.endswith("_histogram")]
    sums = bins.groupby(["modality", "range", "statistic"])["value"].sum()
    assert len(sums) == 3 * 6  # subsets, measures
    np.testing.assert_allclose(sums, 1)


def test_temperatures_are_in_degrees_and_grey_levels_in_full_scale(paired):
    card = paired[0]
    row = get(card, Part("thermal", "1"), "image_p99")
    assert (row["value"], row["unit"]) == (pytest.approx(34, abs=0.01), "degree Celsius")
    assert get(card, Part("thermal", "1"), "image_p01")["value"] == pytest.approx(20, abs=0.1)
    luma = 0.299 * 255 + 0.587 * 60 + 0.114 * 40
    row = get(card, Part("visible", "1"), "box_mean")
    assert (row["value"], row["unit"]) == (pytest.approx(luma / 255, abs=0.003), "full scale")


def test_the_mean_shape_is_off_by_how_much_faces_move_in_their_boxes(paired):
    # Faces stand 0, 2 or 4 px down in equal boxes: less than 4 px of 40 px apart.
    error = get(paired[0], Part("thermal", "1"), "mean_shape_nmse")["value"]
    assert 0 < error < 0.1


def test_real_faces_stand_beside_both_modalities(paired):
    likeness = paired[1]
    proportions = likeness[likeness["unit"] != "degree Celsius"]
    assert parts(proportions) == {Part("thermal"), Part("visible")}
    rows = likeness[(likeness["statistic"] == "mouth_width") & (likeness["source"] == "CARL")]
    assert list(rows["verdict"]) == ["too few", "too few"]


def test_temperatures_of_regions_stand_beside_real_ones_at_the_nearest_range(paired):
    card, likeness = paired[:2]
    for reach in ("1", "2"):
        row = get(card, Part("thermal", reach), "mouth_max")
        assert (row["value"], row["unit"]) == (pytest.approx(34, abs=0.01), "degree Celsius")
        assert row["n"] == 4  # people
    assert "mouth_max" not in set(card.loc[card["modality"] == "visible", "statistic"])
    warm = likeness[likeness["unit"] == "degree Celsius"]
    assert set(warm["source"]) == {"FDA, camera 1", "FDA, camera 2"}
    assert set(warm["range"]) == {"1"}
    assert set(warm["verdict"]) == {"too few"}
    row = warm[warm["statistic"] == "mouth_max"].iloc[0]
    assert row["difference"] * row["real_sd"] == pytest.approx(34 - 35.84, abs=0.01)
    assert row["near_mean"] * row["real_sd"] == pytest.approx(0.3)


def test_only_faces_that_show_all_their_landmarks_tell_temperatures(tmp_path):
    images, points, _ = dataset(tmp_path, ("thermal",))
    first = images.loc[images["subject_id"] == "s0", "image_id"]
    points.loc[points["image_id"].isin(first) & (points["landmark"] == "left_eye"), "visible"] = (
        False
    )
    people = temperatures(images, points)
    assert [len(its) for its in people.values()] == [3, 3]
    points["visible"] = False
    assert temperatures(images, points) == {}
    assert temperatures(images.assign(scale=1.0, offset=0.0), points.assign(visible=True)) == {}


def test_faces_of_enough_people_are_judged(tmp_path):
    images, annotations, boxes = dataset(tmp_path, ("visible",), subjects=10)
    rows = card.likeness(card.Annotated.of(images, annotations, boxes), {}, "faces")
    verdicts = dict(zip(rows["statistic"], rows["verdict"], strict=True))
    assert verdicts["mouth_width"] == "spread differs"  # all alike here
    assert verdicts["box_width"] == "box"


def test_the_contact_sheet_holds_every_subject_and_kind(paired):
    contact = paired[2]
    red = (contact == (40, 60, 255)).all(axis=-1)
    across, down = red.any(axis=0), red.any(axis=1)
    assert runs(across) == 2  # baseline and expression
    assert runs(down) == 4  # subjects


def test_the_card_says_what_the_sheets_show(paired):
    card = paired[0]
    expected = {
        "kinds": 6,
        "contact_kinds": 6,
        "contact_subjects": 4,
        "marked_kinds": 6,
        "marked_subjects": 4,
        "marked_images": 12,
    }
    assert {name: get(card, WHOLE, name)["value"] for name in expected} == expected
    assert get(card, WHOLE, "colour_low")["value"] < 34 <= get(card, WHOLE, "colour_high")["value"]


def test_boxes_and_landmarks_are_marked_in_bright_blue(paired):
    bright = (paired[3] == (255, 229, 0)).all(axis=-1)
    assert bright.sum() > 12 * 100


def test_the_same_dataset_gives_the_same_bytes(paired, tmp_path):
    tables_of = dataset(tmp_path)
    again = described(tmp_path / "a", *tables_of), described(tmp_path / "b", *tables_of)
    for name in ("contact.png", "marked.png", "card.parquet", "likeness.parquet"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    pd.testing.assert_frame_equal(again[0][1], paired[1])


def test_a_dataset_without_landmarks_still_has_its_card(tmp_path):
    images, annotations, boxes = dataset(tmp_path)
    card, likeness, contact, marked = described(tmp_path / "out", images, annotations[:0], boxes)
    assert get(card, WHOLE, "annotated")["value"] == 0
    assert get(card, Part("thermal", "1"), "image_p99")["value"] == pytest.approx(34, abs=0.1)
    assert "interocular_distance" not in set(card["statistic"])
    assert likeness.empty
    assert contact.size
    assert marked.size


def test_a_dataset_without_thermal_images_still_has_its_card(tmp_path):
    images, annotations, boxes = dataset(tmp_path, modalities=("visible",))
    card, likeness, *_ = described(tmp_path / "out", images, annotations, boxes)
    assert parts(likeness) == {Part("visible")}
    assert "degree Celsius" not in set(card["unit"])
    assert "bytes_per_pair" not in set(card["statistic"])


def test_one_subject_has_a_card_without_the_mean_shape_of_others(tmp_path):
    tables_of = dataset(tmp_path, subjects=1)
    statistics = set(described(tmp_path / "out", *tables_of)[0]["statistic"])
    assert "interocular_distance" in statistics
    assert "mean_shape_nmse" not in statistics


def test_images_of_several_units_have_no_pixel_rows(tmp_path):
    images, _, boxes = dataset(tmp_path)
    thermal = images.index[(images["modality"] == "thermal") & (images["range"] == 2)]
    images.loc[thermal[0], ["scale", "offset"]] = 1.0, 0.0
    assert {Part(*row[:2]) for row in card.pixel_rows(images, boxes)} == {
        Part("thermal", "1"),
        Part("visible", "1"),
    }


def test_saturation_is_counted_in_every_channel(paired):
    # Pixels are (40, 60, 255): one channel of three is full, their luma is not.
    row = get(paired[0], Part("visible", "1"), "high_saturated")
    assert row["value"] == pytest.approx(1 / 3)


def test_a_card_holds_the_whole_dataset_and_every_modality_and_range(paired):
    assert parts(paired[0]) == {
        WHOLE,
        Part("thermal", "1"),
        Part("thermal", "2"),
        Part("visible", "1"),
    }


@pytest.mark.parametrize(
    ("size", "area"),
    [((100, 120), 100 * 120), ((400, 300), (1.4 * 80) * (1.4 * 100))],
    ids=["a crop is shown whole", "a frame is cut around its box"],
)
def test_a_warm_face_fills_its_share_of_the_contact_sheet(tmp_path, size, area):
    contact = described(tmp_path / "out", *dataset(tmp_path, ("thermal",), size))[2]
    hot, cold = ((contact == colour).all(axis=-1).sum() for colour in (HOT, COLD))
    paper = (contact == 238).all(axis=-1).sum()
    assert hot / (hot + cold + paper) == pytest.approx(70 * 80 / area, rel=0.1)


def crossed(folder, pairs):
    """Return IMAGES, ANNOTATIONS and BOXES of visible images of (subject, condition)."""
    first = image_row(folder, ("s", 1, "c", "visible"), (100, 120))
    images = pd.DataFrame(
        [
            first
            | {"image_id": f"{s:02}-{c:02}", "subject_id": f"s{s:02}", "condition": f"c{c:02}"}
            for s, c in pairs
        ]
    )
    boxes = pd.DataFrame({"image_id": images["image_id"], "source": "given"})
    annotations = pd.DataFrame(columns=ANNOTATIONS.names)
    return images, annotations, boxes.assign(x=10.0, y=10.0, width=80.0, height=100.0)


@pytest.mark.parametrize(
    ("pairs", "rows", "faces"),
    [
        ([(s, c) for s in range(40) for c in range(40)], 20, 20 * 16),
        ([(k, k) for k in range(40)], 16, 16),
        ([(k, k % 20) for k in range(40)], 20, 20),
    ],
    ids=["40 conditions each", "a condition of one's own", "a condition that two share"],
)
def test_more_kinds_than_columns_are_shown_in_part(tmp_path, pairs, rows, faces):
    shown = samples.first_of_kinds(crossed(tmp_path, pairs)[0])
    assert len(samples.kinds_of(shown)) <= 16
    assert shown["subject_id"].nunique() == rows
    assert len(shown) == faces


def test_a_picture_is_shown_as_it_is_stored_whatever_way_the_camera_was_held(tmp_path):
    left_dark = np.repeat(np.repeat([[0, 255]], 32, axis=1), 48, axis=0).astype(np.uint8)
    stored = cv2.imencode(".jpg", left_dark)[1].tobytes()
    # TIFF header, then one entry: orientation (0x0112) of type short is 6, a quarter turn.
    entry = struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, 6, 0, 0)
    exif = b"Exif\0\0" + struct.pack("<2sHI", b"II", 42, 8) + entry
    path = tmp_path / "turned.jpg"
    path.write_bytes(
        stored[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + stored[2:]
    )
    assert cv2.imread(str(path)).shape == (64, 48, 3)  # the tag is in force
    row = {"modality": "visible", "bit_depth": 8, "path": str(path)}
    np.testing.assert_allclose(samples.picture_of(row), np.dstack([left_dark] * 3), atol=3)


def test_pixels_are_read_from_a_sample_of_stated_size(tmp_path, monkeypatch):
    monkeypatch.setattr(card, "SAMPLE", 3)
    images, _, boxes = dataset(tmp_path)
    rows = pd.DataFrame(list(card.pixel_rows(images, boxes)), columns=card.Row._fields)
    assert set(rows["n"]) == {3}


def runs(line):
    """Count the runs of true values, small gaps closed."""
    at = np.flatnonzero(line)
    return 1 + int((np.diff(at) > 2).sum())


def test_findings_of_the_audit_and_what_was_left_out_are_counted(tmp_path):
    told = ["warns", "", "", "", "thermal", 0, 0.1, 0.1]
    findings = [["outlier", *told, "a"], ["outlier", *told, "b"], ["quarantined", *told, "c"]]
    card, *_ = described(tmp_path / "out", *dataset(tmp_path), findings=findings)
    assert get(card, WHOLE, "found_outlier")["value"] == 2
    assert get(card, WHOLE, "found_quarantined")["value"] == 1
