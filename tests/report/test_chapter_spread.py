"""How much training data, and how much chance."""

import re
from dataclasses import replace

import pandas as pd
import pytest
from fake_study import NAN, SIZES, configured, empty, full_study, visible_only_study

from thermalign.report.chapters.spread import chapter
from thermalign.report.looks import looks
from thermalign.report.page import render
from thermalign.schemas.measures import SPREAD


def heads(table):
    return [body.title for body in table.bodies]


def nmse(table, model):
    found = [{row.head: row.cells[0].text for row in body.rows} for body in table.bodies]
    return [rows[model] for rows in found]


def test_protocols_that_differ_in_training_subjects_alone_are_one_curve(study):
    figure, table = chapter(study).blocks
    assert len(figure.panels) == 1
    assert nmse(table, "DAN") == [".090", ".070", ".060"]  # .05 x (1 + 8 / size)
    assert heads(table) == [f"n{n}, {n} training subjects" for n in SIZES]


def test_protocols_with_other_test_subjects_are_no_curve(study):
    protocols = study.config["protocols"] | {
        f"n{n}": {"seed": n, "train_subjects": n} for n in SIZES
    }
    (table,) = chapter(configured(study, {"protocols": protocols})).blocks
    assert heads(table) == [f"n{n}, {n} training subjects" for n in SIZES]  # for its seeds


def test_every_training_is_a_ring_of_its_own(study):
    with_seeds, without = (
        chapter(s).blocks[0].panels[0] for s in (study, replace(study, seeds={}))
    )
    drawn = [len(re.findall(r"<use", panel.svg)) for panel in (with_seeds, without)]
    assert drawn[0] - drawn[1] == len(SIZES) * 3


def test_the_drawing_is_spoken_in_figures(study):
    (panel,) = chapter(study).blocks[0].panels
    assert "DAN .090 at 10 .070 at 20 .060 at 40" in panel.alt


def test_what_one_seed_cannot_tell_is_a_dash(study):
    rows = {row.head: row.cells for row in chapter(study).blocks[1].bodies[0].rows}
    assert [cell.text for cell in rows["DAN"][1:]] == [
        ".0011",
        ".0031",
        ".0018",
        ".0150",
        ".0025",
        "3",
        "26",
    ]
    assert [rows["PBC"][i].text for i in (1, 3, 5)] == ["–"] * 3


def test_the_section_is_there_only_with_something_to_show(study):
    assert chapter(study).contents == "How much training data"
    single = study.spread[study.spread["protocol"].isin(["protocol1", "protocol2"])]
    for other in (replace(study, spread=single), visible_only_study()):
        assert chapter(other) is None
    assert chapter(replace(study, spread=empty(SPREAD))) is None


def test_figures_that_are_not_numbers_are_left_out(study, read_page):
    lost = study.spread.assign(low=NAN, high=NAN)
    lost.loc[lost["model"] == "pbc", "nmse"] = NAN
    text = read_page(render(replace(study, spread=lost))).text("main")
    assert not re.search(r"\bnan\b", text.lower())


@pytest.mark.parametrize("name", ["mean_shape", "own"])
def test_trainings_stand_behind_their_model_in_its_line(name):
    seeds = {f"{name}_seed{k}": (name, k) for k in (10, 2)}
    found = looks([*seeds, "dan"], seeds)
    assert list(found) == ["dan", name, f"{name}_seed2", f"{name}_seed10"]
    assert found[f"{name}_seed2"].colour == found[name].colour
    assert found[f"{name}_seed2"].label == f"{found[name].label}, seed 2"


def test_trainings_of_one_model_share_an_entry_of_the_legend(study):
    curves = study.summary[study.summary["metric"] == "ced"]
    one = curves[(curves["protocol"] == "protocol1") & (curves["model"] == "dan")]
    several = [one.assign(protocol="n10", model=name) for name in study.seeds]
    more = replace(study, summary=pd.concat([study.summary, *several], ignore_index=True))
    view = next(view for view in more.views if view.label == "n10")
    assert more.bases(view.models("ced")) == ["dan"]


def test_the_same_study_gives_the_same_section():
    assert chapter(full_study()) == chapter(full_study())
