"""Boxes and recordings that the detectors did not train for."""

from dataclasses import replace

import numpy as np
import pytest
from fake_study import configured
from fake_view import titled

from thermalign.report.chapters.variants import chapter
from thermalign.report.inputs import read_setup
from thermalign.report.page import render
from thermalign.schemas.keys import VARIANT


@pytest.fixture
def blocks(study):
    return blocks_of(study)


def blocks_of(study):
    (part,) = chapter(study).parts
    assert part.title == "Protocol 1"
    return part.blocks


def tables(blocks):
    return [block for block in blocks if block.kind == "table"]


def panels(blocks):
    return next(block for block in blocks if block.kind == "panels").panels


def texts(row):
    return [cell.text for cell in row.cells]


def test_levels_rise_whatever_the_order_of_the_configuration():
    blocks = {"b": {"shift": 0.3}, "a": {"scale": 2}, "c": {"shift": 0.05}}
    assert [c.level for c in read_setup({"variants": blocks}).moved] == [0.05, 0.3]


def test_recordings_that_change_one_setting_stand_side_by_side_by_its_value():
    settings = {
        "own": {"ambient_mean": 22.5},
        "hot": {"ambient_mean": 30.0},
        "cold": {"ambient_mean": 12.5},
        "both": {"ambient_mean": 30.0, "netd": 0.2},
    }
    config = {
        "datasets": {name: {"settings": block} for name, block in settings.items()},
        "protocols": {"p": {"dataset": "own"}},
        "variants": {name: {"dataset": name} for name in ("both", "hot", "cold")},
    }
    found = [(c.name, c.group, c.title) for c in read_setup(config).recordings["p"]]
    assert found == [
        ("cold", "Room, °C", "12.5"),
        ("hot", "Room, °C", "30.0"),
        ("both", "", "both"),
    ]


def test_moved_and_resized_boxes_are_drawn_with_every_model_and_the_box_trained_for(blocks):
    assert [panel.title for panel in panels(blocks)] == [
        "Boxes moved: NMSE",
        "Boxes resized: NMSE",
        "Boxes moved: EER",
        "Boxes resized: EER",
    ]
    figure = next(block for block in blocks if block.kind == "panels")
    assert [look.label for look in figure.legend] == ["MTCNN", "PBC", "DAN", "mean shape"]
    assert "DAN .050, .060, .105" in panels(blocks)[0].alt  # as trained, x 1.2, x 2.1


@pytest.mark.parametrize(
    ("words", "group", "lines"),
    [
        (
            "moved",
            "Box moved, of its side",
            ([".050", ".060", ".105"], ["", "× 1.20", "× 2.10"], ["15.2", "16.0", "19.4"]),
        ),
        (
            "resized",
            "Box resized, times",
            ([".050", ".095", ".070"], ["", "× 1.90", "× 1.40"], ["15.2", "18.6", "16.7"]),
        ),
    ],
)
def test_every_nmse_stands_over_its_ratio_and_the_equal_error_rate(blocks, words, group, lines):
    shown = titled(tables(blocks), f"NMSE and equal error rate in {words} boxes")
    assert shown.groups == [("", 1), (group, 2)]
    rows = shown.bodies[0].rows
    dan = next(i for i, row in enumerate(rows) if row.head == "DAN")
    figures, ratios, rates = lines
    assert [texts(row) for row in rows[dan : dan + 2]] == [figures, ratios]
    assert texts(rows[dan + 2]) == [f"{rate}\u202f%" for rate in rates]
    assert [cell.tone for cell in rows[dan].cells] == ["best"] * 3


def test_detections_are_told_by_range_with_failures_to_acquire(blocks):
    shown = titled(tables(blocks), "Faces that MTCNN finds")
    heads = [row.head for row in shown.bodies[0].rows]
    assert heads == ["All images", "Range 1", "Range 2", "Range 3"]
    recall, precision, alarms, lost, n = texts(shown.bodies[0].rows[2])
    assert (recall[:4], precision[:4], alarms, lost[:3], n) == (
        "97.0",
        "93.0",
        "0.10",
        "2.0",
        "480",
    )


def test_other_recordings_have_a_column_each(blocks):
    shown = titled(tables(blocks), "no training image showed")
    assert shown.columns == ["as\N{NO-BREAK SPACE}trained", "0.4", "12.5"]
    assert [group for group, _ in shown.groups] == ["", "Defocus, m", "Room, °C"]


def test_normalisations_are_named_where_models_differ_by_them(study):
    config = {**study.config, "models": {"dan": {"normalisation": "window"}}}
    shown = titled(tables(blocks_of(configured(study, config))), "no training image showed")
    assert shown.columns[0] == "Normalisation"
    assert all(len(row.cells) == len(shown.columns) for row in shown.bodies[0].rows)


def test_pictures_share_one_grey_scale_and_show_the_boxes(study, blocks):
    shown = blocks[0]
    assert shown.kind == "gallery"
    assert [face.title for face in shown.faces] == ["boxes moved", "as trained", "Room, °C: 12.5"]
    assert [len(face.varied) + bool(face.given) for face in shown.faces] == [3, 0, 0]
    warm, cold = (picture.pixels for picture in study.pictures[1:])
    low, high = np.percentile(cold, 1), np.percentile(warm, 99.5)
    assert f"from {low:.0f} (black) to {high:.0f} (white)" in shown.caption


def test_variants_without_verification_show_landmark_error_alone(study):
    kept = study.summary[study.summary["metric"] != "eer"]
    found = blocks_of(replace(study, summary=kept))
    titles = ["Boxes moved: NMSE", "Boxes resized: NMSE"]
    assert [panel.title for panel in panels(found)] == titles
    captions = " ".join(table.caption for table in tables(found))
    assert "NMSE in moved boxes" in captions
    assert "qual error rate" not in captions


def test_found_boxes_are_carried_to_the_equal_error_rate(blocks):
    shown = titled(tables(blocks), "in the box that MTCNN finds")
    assert shown.groups == [("NMSE", 3), ("Equal error rate", 2)]
    dan = next(row for row in shown.bodies[0].rows if row.head == "DAN")
    assert texts(dan)[3:] == ["15.2\u202f%", "15.4\u202f%"]


def test_rows_from_files_are_named_that_have_no_variants(study):
    setup = replace(study.setup, imported={"dan": "points from a file"})
    told = chapter(replace(study, setup=setup)).blocks[0].text
    assert told.startswith("What is read from a file runs on no image")
    assert told.endswith("DAN (points from a file).")
    assert not chapter(study).blocks


def test_a_study_without_variants_has_no_chapter(study):
    summary = study.summary[study.summary["experiment"] != VARIANT]
    assert chapter(replace(study, summary=summary)) is None


def test_variants_stay_out_of_the_other_tables(page, read_page):
    shown = read_page(page).text().partition("Configuration")[0]
    assert not [word for word in ("variant", "Variant", "shift_10") if word in shown]


def test_the_page_has_no_section_without_variants(study, read_page):
    summary = study.summary[study.summary["experiment"] != VARIANT]
    assert "did not train for" not in read_page(render(replace(study, summary=summary))).text()
