"""Trained on one dataset, tested on another: rows trained on, columns tested on, by model."""

from fake_study import Rows
from fake_view import study_of, texts, titled

from thermalign.geometry import LANDMARKS
from thermalign.report.chapters.across import chapter
from thermalign.report.page import render
from thermalign.schemas.keys import ACROSS, ALL, ANNOTATED, Subset

THERMAL = {"probe": {"modality": "thermal"}}
CONFIG = {
    "protocols": {"warm": THERMAL | {"dataset": "camera"}, "cold": THERMAL | {"dataset": "other"}},
    "evaluate_on": {
        "camera": THERMAL | {"dataset": "camera"},
        "other_camera": THERMAL | {"dataset": "other"},
    },
}


def add(rows, protocol, name, metric, value, *, model="dan", landmark="", **more):
    key = (protocol, model, Subset(experiment=ACROSS, setting=name, landmark=landmark))
    rows.add(key, metric, value, **more)


def matrix_of(*, nose=True, lost=0.0):
    """Two protocols by two datasets; the mean shape is known of one pair alone."""
    rows = Rows()
    for i, protocol in enumerate(CONFIG["protocols"]):
        for j, name in enumerate(CONFIG["evaluate_on"]):
            value = 0.02 + 0.05 * (i != j)
            add(rows, protocol, name, "nmse", value, low=value - 0.01, high=value + 0.01)
            add(rows, protocol, name, "failure_at", 0.3, at=0.08)
            add(rows, protocol, name, "failure_at", 0.1 + 0.3 * (i != j), at=0.1)
            add(rows, protocol, name, "failure_rate", lost)
            add(rows, protocol, name, "tested_people", 9.0, n=72)
            for landmark in LANDMARKS:
                if nose or name == "camera" or landmark != "nose_base":
                    add(rows, protocol, name, "nmse", value, landmark=landmark)
    add(rows, "warm", "other_camera", "nmse", 0.11, model="mean_shape")
    add(rows, "warm", "camera", "eer", 0.12, model=ANNOTATED)
    add(rows, "warm", "camera", "eer", 0.2)
    return rows


def tables_of(rows, config=CONFIG):
    found = chapter(study_of(rows, config=config))
    return [block for block in found.blocks if block.kind == "table"] if found else []


def test_no_other_dataset_no_chapter():
    rows = Rows()
    rows.add(("warm", "dan", ALL), "nmse", 0.1)
    assert tables_of(rows) == []


def test_what_was_trained_on_are_rows_and_what_was_tested_on_columns_of_every_model():
    nmse = titled(tables_of(matrix_of()), "NMSE")
    assert nmse.columns == ["camera", "other camera"]
    assert [body.title for body in nmse.bodies] == ["DAN", "mean shape", "People tested"]
    assert texts(nmse) == [["warm", ".020", ".070"], ["cold", ".070", ".020"]]
    assert texts(nmse, 1) == [["warm", "–", ".110"]]
    assert texts(nmse, 2) == [["warm", "9", "9"], ["cold", "9", "9"]]
    assert nmse.bodies[2].rows[0].cells[0].detail == "72 images"


def test_the_dataset_trained_on_is_shaded():
    nmse = titled(tables_of(matrix_of()), "NMSE")
    tones = [[cell.tone for cell in row.cells] for row in nmse.bodies[0].rows]
    assert tones == [["own", ""], ["", "own"]]


def test_images_of_another_kind_of_the_dataset_trained_on_are_not_shaded():
    visible = {"dataset": "camera", "probe": {"modality": "visible"}}
    evaluated = {"camera": visible, "other_camera": CONFIG["evaluate_on"]["camera"]}
    nmse = titled(tables_of(matrix_of(), CONFIG | {"evaluate_on": evaluated}), "NMSE")
    assert nmse.columns == ["other camera", "camera"]  # of one kind side by side
    assert [cell.tone for cell in nmse.bodies[0].rows[0].cells] == ["own", ""]


def test_failures_are_those_of_a_tenth_and_equal_error_rates_have_the_datasets_that_have_one():
    tables = tables_of(matrix_of())
    assert [table.caption.partition(", by ")[0] for table in tables] == [
        "NMSE",
        "Failures at .1",
        "Equal error rate",
    ]
    assert texts(tables[1])[0] == ["warm", "10.0\u202f%", "40.0\u202f%"]
    rates = tables[2]
    assert rates.columns == ["camera"]
    assert [body.title for body in rates.bodies] == ["annotated points", "DAN"]


def test_failures_to_acquire_are_told_where_a_face_was_not_found():
    assert titled(tables_of(matrix_of(lost=0.01)), "Failure to acquire")


def test_landmarks_that_could_not_be_compared_are_named():
    (told,) = titled(tables_of(matrix_of(nose=False)), "NMSE").notes
    assert told.startswith("Landmarks left out: other camera without nose base. ")
    (told,) = titled(tables_of(matrix_of()), "NMSE").notes
    assert "left out" not in told


def test_that_people_are_too_few_for_an_interval_is_said_where_they_are():
    tables = tables_of(matrix_of())
    assert "too few people" in titled(tables, "Failures").notes[0]
    rows = Rows()
    add(rows, "warm", "camera", "nmse", 0.1, low=0.09, high=0.11)
    assert "too few people" not in tables_of(rows)[0].notes[0]


def test_images_of_another_kind_are_named_beside_rows_and_above_columns(read_page):
    config = {
        "protocols": CONFIG["protocols"]
        | {"cold": {"dataset": "b", "probe": {"modality": "visible"}}},
        "evaluate_on": CONFIG["evaluate_on"]
        | {"other_camera": {"dataset": "b", "probe": {"modality": "visible"}}},
    }
    rows = matrix_of()
    nmse = titled(tables_of(rows, config), "NMSE")
    assert nmse.groups == [("Thermal", 1), ("Visible", 1)]
    assert [row.head for row in nmse.bodies[0].rows] == ["warm (thermal)", "cold (visible)"]
    page = read_page(render(study_of(rows, config=config)))
    assert any(attrs.get("id") == "across" for _, attrs in page.tags)


def test_rows_from_files_that_have_nothing_of_other_datasets_are_named():
    files = {"models": {"mine": {"from": "a.csv"}, "there": {"from": "{dataset}.csv"}}}
    rows = matrix_of()
    for model in ("mine", "there"):
        rows.add(("warm", model, ALL), "nmse", 0.1)
    add(rows, "warm", "other_camera", "nmse", 0.11, model="there")
    found = chapter(study_of(rows, config=CONFIG | files))
    told = "Tested at home alone: mine (points from a file)."
    assert found.blocks[0].text.endswith(told)
    assert "Tested at home" not in chapter(study_of(matrix_of(), config=CONFIG)).blocks[0].text
