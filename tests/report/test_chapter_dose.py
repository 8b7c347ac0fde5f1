"""What landmark error costs: curves, visible control, slopes, levels."""

import re
from dataclasses import replace

import pytest
from fake_matching import DISPLACEMENTS, KINDS
from fake_study import NAN, Rows, configured
from fake_view import study_of, texts, titled

from thermalign.report.chapters.dose import chapter, kind_panels
from thermalign.report.page import render
from thermalign.schemas.keys import ALL, ANNOTATED, DISPLACEMENT, PLACEMENT, Subset

CONFIG = {"displacements": DISPLACEMENTS}
ISOTROPIC = Subset(DISPLACEMENT, "isotropic", range="1")
CONTROL = (("", 0.1), ("thermal", 0.1), ("visible", 0.0))
"""Modality to the EER at which its curve starts."""


def key(subset=ISOTROPIC, level=0.0):
    return "own", ANNOTATED, subset._replace(level=level)


def curve(rows, subset=ISOTROPIC, start=0.1, **more):
    for level in (0.0, 0.1, 0.2):
        rows.add(key(subset, level), "nmse", level)
        rows.add(key(subset, level), "eer", start + level, **more)


def slopes(rows, *, difference=(0.5, 0.2, 0.8), probit=(-2.0, -5.0, 1.0)):
    for modality, rise in (("thermal", 0.9), ("visible", 0.4)):
        rows.add(key(ISOTROPIC._replace(modality=modality)), "eer_slope", rise)
    for metric, (value, low, high) in (("eer_slope", difference), ("probit_slope", probit)):
        rows.add(key(), f"{metric}_difference", value, low=low, high=high)


def with_control():
    rows = Rows()
    for modality, start in CONTROL:
        curve(rows, ISOTROPIC._replace(modality=modality), start=start)
    slopes(rows, probit=(NAN, NAN, NAN))
    for modality, slope in (("", -6.0), ("thermal", -7.0), ("visible", -13.0)):
        subset = ISOTROPIC._replace(modality=modality)
        rows.add(key(subset), "d_prime_slope", slope, low=slope - 1, high=slope + 1)
        for level in (0.0, 0.1, 0.2):
            rows.add(key(subset, level), "d_prime", 2.0 + slope * level)
    rows.add(key(), "d_prime_slope_difference", 6.0, low=2.0, high=10.0)
    return rows


def blocks_of(rows, readings=(), config=CONFIG):
    protocols = {"own": {"same_moment": list(readings)}}
    found = chapter(study_of(rows, config=config | {"protocols": protocols}))
    return found.parts[0].blocks


def tables_of(rows):
    return [block for block in blocks_of(rows) if block.kind == "table"]


def test_no_displaced_points_no_chapter(study, read_page):
    rows = Rows()
    rows.add(("own", ANNOTATED, ALL), "eer", 0.1)
    assert chapter(study_of(rows)) is None
    kept = study.summary[~study.summary["experiment"].isin([DISPLACEMENT, PLACEMENT])]
    page = read_page(render(replace(study, summary=kept)))
    assert "What landmark error costs" not in page.text()
    assert not {"dose", "placement"} & {attrs.get("id") for _, attrs in page.tags}


def test_slopes_of_both_modalities_stand_beside_their_difference():
    rows = Rows()
    curve(rows)
    slopes(rows)
    table = titled(tables_of(rows), "How steeply")
    assert table.columns == ["All thermal probes", "Thermal", "Visible", "Difference"]
    assert texts(table, 0) == [["isotropic", "–", ".90", ".40", ".50"]]
    assert table.bodies[0].rows[0].cells[3].detail == "[.20,\u00a0.80]"
    assert texts(table, 1) == [["isotropic", "–", "–", "–", "−2.00"]]
    assert table.bodies[1].rows[0].cells[3].detail == "[−5.00,\u00a01.00]"
    assert table.notes[0].startswith("Fitted up to a displacement of .12. Difference: thermal")


def test_sensitivity_is_told_by_d_prime_first():
    table = titled(tables_of(with_control()), "How steeply")
    assert table.bodies[0].title.startswith("d′")
    assert texts(table, 0) == [["isotropic", "−6.00", "−7.00", "−13.00", "6.00"]]
    assert "d′ comes first because it has no floor" in table.notes[0]
    assert "near 0, the rate cannot show what they lose" in table.notes[0]


def test_a_slope_that_is_not_a_number_is_missing_and_said_why():
    rows = with_control()
    for modality, slope in (("thermal", 3.0), ("visible", NAN)):
        rows.add(key(ISOTROPIC._replace(modality=modality)), "probit_slope", slope)
    steep = titled(tables_of(rows), "How steeply")
    assert [body.title.partition(" ")[0] for body in steep.bodies] == ["d′", "Percentage", "Normal"]
    assert texts(steep, 2) == [["isotropic", "–", "3.00", "–", "–"]]
    assert steep.notes[1].startswith("A missing slope in normal deviates")
    assert len(titled(tables_of(with_control()), "How steeply").notes) == 1


def test_every_level_has_its_figures_in_a_table():
    rows = Rows()
    curve(rows)
    curve(rows, ISOTROPIC._replace(modality="visible"), start=0.0)
    table = titled(tables_of(rows), "in numbers")
    assert [row[0] for row in texts(table)] == [".00", ".10", ".20"]
    assert texts(table)[1][1:] == [".100", "20.0\u202f%", "–", "10.0\u202f%"]


def test_a_fall_of_the_curve_shows_as_a_rise_below_zero_with_its_interval():
    rows = Rows()
    curve(rows)
    for level, high in ((0.1, 0.05), (0.2, -0.01)):
        rows.add(key(level=level), "eer_rise", high - 0.02, low=high - 0.04, high=high)
    table = titled(tables_of(rows), "in numbers")
    assert table.groups[-1] == ("Rise", 1)
    found = [(row.cells[-1].text, row.cells[-1].detail) for row in table.bodies[0].rows]
    assert found == [("–", ""), ("+3.0", "[1.0,\u00a05.0]"), ("−3.0", "[−5.0,\u00a0−1.0]")]
    assert "EER of all thermal probes minus that of the level before" in table.notes[-1]


def test_without_a_visible_control_only_the_thermal_curve_is_drawn():
    rows = Rows()
    curve(rows)
    figure = blocks_of(rows)[0]
    assert [panel.title for panel in figure.panels] == ["Thermal probes"]
    assert "Visible control" not in figure.caption
    assert "10.0\u202f% at .000" in figure.panels[0].alt


def test_the_control_is_drawn_by_d_prime_and_by_rate():
    panels = blocks_of(with_control())[0].panels
    assert [panel.title for panel in panels[1:]] == [
        "Visible control, the same moments: d′",
        "Visible control, the same moments: EER",
    ]
    assert "visible probes 2.00 at .000, .70 at .100" in panels[1].alt
    assert [text for _, text in panels[1].legend] == ["2.00 to .60", "2.00 to −.60"]


def test_the_caption_says_how_many_comparisons_a_level_has():
    rows = Rows()
    curve(rows, n=14400)
    for modality in ("thermal", "visible"):
        curve(rows, ISOTROPIC._replace(modality=modality), n=10800)
    caption = blocks_of(rows)[0].caption
    assert "probes of Range 1" in caption
    assert "n = 14,400 comparisons per level" in caption
    assert "thermal 10,800, visible 10,800" in caption


@pytest.mark.parametrize(
    ("readings", "said"),
    [
        (("exclude", "keep"), "thermal and visible probes of the same moments, none meeting its"),
        (("keep",), "only the moments whose visible image is not enrolled"),
        ((), "only the moments whose visible image is not enrolled"),
    ],
)
def test_the_caption_says_which_moments_the_control_is_of(readings, said):
    assert said in blocks_of(with_control(), readings)[0].caption


def test_the_paper_is_answered_only_where_there_is_a_control():
    rows = Rows()
    curve(rows)
    for study, told in ((study_of(rows), False), (study_of(with_control()), True)):
        (introduction,) = chapter(study).blocks
        assert ("shows no visible control" in introduction.text) == told


def test_kinds_follow_the_configuration_and_share_axes(study):
    view = study.views[0]
    assert study.kinds(view) == list(KINDS)
    config = study.config | {"displacements": {"kinds": ["shift", "absent"]}}
    assert configured(study, config).kinds(view)[:2] == ["shift", "isotropic"]
    panels = kind_panels(view, study.kinds(view))
    titles = ["Isotropic", "Shift", "Scale", "Rotation", "Right eye"]
    assert [panel.title for panel in panels] == titles
    ticks = {tuple(re.findall(r">([\d.]+)\u202f%</text>", panel.svg)) for panel in panels}
    assert len(ticks) == 1
