import re
from dataclasses import replace

import pytest

from thermalign.report.names import looks
from thermalign.report.page import render
from thermalign.report.stress import stress_chapter
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
    assert [panel.title for panel in chapter.panels] == ["Boxes moved", "Boxes resized"]
    assert [look.label for look in chapter.legend] == ["MTCNN", "PBC", "DAN", "mean shape"]
    shown = re.search(r'aria-label="([^"]+)"', chapter.panels[0].svg)[1]
    assert "DAN .050, .060, .105" in shown  # as trained, x 1.2, x 2.1


def test_every_nmse_stands_over_its_ratio_to_the_condition_trained_for(chapter):
    shown = table(chapter, "moved and resized")
    assert shown.groups == [("", 1), ("Box moved, of its side", 2), ("Box resized, times", 2)]
    dan = next(i for i, row in enumerate(shown.bodies[0].rows) if row.head == "DAN")
    assert texts(shown.bodies[0].rows[dan]) == [".050", ".060", ".105", ".095", ".070"]
    assert texts(shown.bodies[0].rows[dan + 1]) == ["", "× 1.20", "× 2.10", "× 1.90", "× 1.40"]
    assert shown.bodies[0].rows[dan].cells[1].tone == "best"


def test_detections_are_told_by_range_with_failures_to_acquire(chapter):
    shown = table(chapter, "Faces that MTCNN finds")
    heads = [row.head for row in shown.bodies[0].rows]
    assert heads == ["All images", "Range 1", "Range 2", "Range 3"]
    recall, precision, alarms, lost, n = texts(shown.bodies[0].rows[2])
    assert (recall[:4], precision[:4], alarms, lost[:3], n) == ("97.0", "93.0", ".10", "4.0", "480")


def test_other_recordings_have_a_column_each(chapter):
    shown = table(chapter, "no training image showed")
    assert shown.columns == ["as trained", "0.4", "12.5"]
    assert [group for group, _ in shown.groups] == ["", "Defocus, m", "Room, °C"]


def test_normalisations_are_named_where_models_differ_by_them(study):
    config = {**study.config, "models": {"dan": {"normalisation": "window"}}}
    shown = table(stress_chapter(view_of(study), config), "no training image showed")
    assert shown.columns[0] == "Normalisation"
    assert all(len(row.cells) == len(shown.columns) for row in shown.bodies[0].rows)


def test_a_protocol_without_variants_has_no_chapter(study, read_page):
    assert stress_chapter(view_of(study, "protocol2"), study.config) is None
    summary = study.summary[~study.summary["subset"].str.contains("variant=")]
    assert "did not train for" not in read_page(render(replace(study, summary=summary))).text()


def test_variants_stay_out_of_the_other_tables(page, read_page):
    shown = read_page(page).text().partition("Configuration")[0]
    assert not [word for word in ("variant", "Variant", "shift_10") if word in shown]
