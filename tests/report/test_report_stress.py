import re
from dataclasses import replace

import numpy as np
import pytest

from thermalign.report.chapters.variants import stress_chapter
from thermalign.report.names import looks
from thermalign.report.page import render
from thermalign.report.summary import View
from thermalign.report.variants import moved_boxes, recordings


@pytest.fixture
def chapter(study):
    return stress_chapter(view_of(study), study.config)


def view_of(study, protocol="protocol1"):
    return View(study.summary, protocol, looks=looks(study.summary["model"]))


def table(chapter, words):
    return next(t for t in chapter.tables if words in t.caption)


def texts(row):
    return [cell.text for cell in row.cells]


def test_levels_rise_whatever_the_order_of_the_configuration():
    blocks = {"b": {"shift": 0.3}, "a": {"scale": 2}, "c": {"shift": 0.05}}
    assert [c.level for c in moved_boxes({"variants": blocks}, "shift")] == [0.05, 0.3]


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
    found = [(c.name, c.group, c.title) for c in recordings(config, "p")]
    assert found == [
        ("cold", "Room, °C", "12.5"),
        ("hot", "Room, °C", "30.0"),
        ("both", "", "both"),
    ]


def test_moved_and_resized_boxes_are_drawn_with_every_model_and_the_box_trained_for(chapter):
    assert [panel.title for panel in chapter.panels] == [
        "Boxes moved: NMSE",
        "Boxes resized: NMSE",
        "Boxes moved: EER",
        "Boxes resized: EER",
    ]
    assert [look.label for look in chapter.legend] == ["MTCNN", "PBC", "DAN", "mean shape"]
    shown = re.search(r'aria-label="([^"]+)"', chapter.panels[0].svg)[1]
    assert "DAN .050, .060, .105" in shown  # as trained, x 1.2, x 2.1


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
def test_every_nmse_stands_over_its_ratio_and_the_equal_error_rate(chapter, words, group, lines):
    shown = table(chapter, f"NMSE and equal error rate in {words} boxes")
    assert shown.groups == [("", 1), (group, 2)]
    rows = shown.bodies[0].rows
    dan = next(i for i, row in enumerate(rows) if row.head == "DAN")
    figures, ratios, rates = lines
    assert [texts(row) for row in rows[dan : dan + 2]] == [figures, ratios]
    assert texts(rows[dan + 2]) == [f"{rate}\u202f%" for rate in rates]
    assert [cell.tone for cell in rows[dan].cells] == ["best"] * 3


def test_detections_are_told_by_range_with_failures_to_acquire(chapter):
    shown = table(chapter, "Faces that MTCNN finds")
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


def test_other_recordings_have_a_column_each(chapter):
    shown = table(chapter, "no training image showed")
    assert shown.columns == ["as\N{NO-BREAK SPACE}trained", "0.4", "12.5"]
    assert [group for group, _ in shown.groups] == ["", "Defocus, m", "Room, °C"]


def test_normalisations_are_named_where_models_differ_by_them(study):
    config = {**study.config, "models": {"dan": {"normalisation": "window"}}}
    shown = table(stress_chapter(view_of(study), config), "no training image showed")
    assert shown.columns[0] == "Normalisation"
    assert all(len(row.cells) == len(shown.columns) for row in shown.bodies[0].rows)


def test_pictures_share_one_grey_scale_and_show_the_boxes(study):
    shown = stress_chapter(view_of(study), study.config, study.pictures).gallery
    assert [face.title for face in shown.faces] == ["boxes moved", "as trained", "Room, °C: 12.5"]
    assert [face.svg.count("<rect") for face in shown.faces] == [3, 0, 0]
    warm, cold = (picture.pixels for picture in study.pictures[1:])
    assert abs(float(shown.high) - np.percentile(warm, 99.5)) <= 0.5
    assert abs(float(shown.low) - np.percentile(cold, 1)) <= 0.5


def test_variants_without_verification_show_landmark_error_alone(study):
    kept = study.summary[study.summary["metric"] != "eer"]
    view = View(kept, "protocol1", looks=looks(kept["model"]))
    chapter = stress_chapter(view, study.config)
    assert [panel.title for panel in chapter.panels] == ["Boxes moved: NMSE", "Boxes resized: NMSE"]
    captions = " ".join(table.caption for table in chapter.tables)
    assert "NMSE in moved boxes" in captions
    assert "qual error rate" not in captions


def test_found_boxes_are_carried_to_the_equal_error_rate(chapter):
    shown = table(chapter, "in the box that MTCNN finds")
    assert shown.groups == [("NMSE", 3), ("Equal error rate", 2)]
    dan = next(row for row in shown.bodies[0].rows if row.head == "DAN")
    assert texts(dan)[3:] == ["15.2\u202f%", "15.4\u202f%"]


def test_a_protocol_without_variants_has_no_chapter(study, read_page):
    assert stress_chapter(view_of(study, "protocol2"), study.config) is None
    summary = study.summary[~study.summary["subset"].str.contains("variant=")]
    assert "did not train for" not in read_page(render(replace(study, summary=summary))).text()


def test_variants_stay_out_of_the_other_tables(page, read_page):
    shown = read_page(page).text().partition("Configuration")[0]
    assert not [word for word in ("variant", "Variant", "shift_10") if word in shown]
