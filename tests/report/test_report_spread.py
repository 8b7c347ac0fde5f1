import re
from dataclasses import replace

import pandas as pd
import pytest
from fake_study import NAN, SIZES, empty, full_study, visible_only_study

from thermalign.report.chapters.spread import spread_chapter
from thermalign.report.names import looks
from thermalign.report.page import render
from thermalign.schemas.measures import SPREAD


def chapter(study):
    drawn = looks([*study.summary["model"], *study.spread["model"]], study.seeds)
    protocols = study.config["protocols"]
    return spread_chapter(study.spread, study.summary, protocols, looks=drawn, seeds=study.seeds)


def heads(table):
    return [body.title for body in table.bodies]


def test_protocols_that_differ_in_training_subjects_alone_are_one_curve(study):
    found = chapter(study)
    assert len(found.panels) == 1
    assert "NMSE with 10 → 20 → 40 training subjects" in found.sentences[0]
    assert "DAN\u00a0.090 → .070 → .060" in found.sentences[0]  # .05 x (1 + 8 / size)
    assert heads(found.table) == [f"n{n}, {n} training subjects" for n in SIZES]


def test_protocols_with_other_test_subjects_are_no_curve(study):
    protocols = study.config["protocols"] | {
        f"n{n}": {"seed": n, "train_subjects": n} for n in SIZES
    }
    found = chapter(replace(study, config={"protocols": protocols}))
    assert found.panels == []
    assert found.legend == []
    assert heads(found.table) == [f"n{n}, {n} training subjects" for n in SIZES]  # for its seeds


def test_every_training_is_a_ring_of_its_own(study):
    (panel,) = chapter(study).panels
    (without,) = chapter(replace(study, seeds={})).panels
    drawn = [len(re.findall(r"<use", p.svg)) for p in (panel, without)]
    assert drawn[0] - drawn[1] == len(SIZES) * 3


def test_the_drawing_is_spoken_in_figures(study):
    (panel,) = chapter(study).panels
    assert "DAN .090 at 10 .070 at 20 .060 at 40" in panel.svg


def test_what_seeds_and_subjects_move_is_said_of_models_with_several_seeds(study):
    said = chapter(study).sentences[1]
    assert "In n40, with 40 training subjects" in said
    assert said.endswith("DAN\u00a0.0011 and .0031.")
    assert "MTCNN" not in said


def test_what_one_seed_cannot_tell_is_a_dash(study):
    rows = {row.head: row.cells for row in chapter(study).table.bodies[0].rows}
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


def test_the_section_is_there_only_with_something_to_show(study, page, read_page):
    assert "How much training data" in page
    single = study.spread[study.spread["protocol"].isin(["protocol1", "protocol2"])]
    for other in (replace(study, spread=single), visible_only_study()):
        assert "How much training data" not in render(other)
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


def test_the_lowest_error_is_that_of_a_model_and_not_of_its_luckiest_seed(study, read_page):
    text = read_page(render(study)).text("main")
    assert "Lowest NMSE: DAN in 5 of 5 protocols." in text
    assert "seed 1 in" not in text


def test_the_lowest_error_of_a_lone_protocol_is_a_mean_over_seeds(study, read_page):
    lone = replace(study, summary=study.summary[study.summary["protocol"] == "n10"])
    text = read_page(render(replace(lone, curves=lone.curves.head(0), examples=[]))).text("main")
    assert "DAN has the lowest NMSE: .090" in text  # its first seed alone has .086
    assert "over 480 test images of all folds, mean over training seeds." in text
    assert "DAN (over 3 training seeds): NMSE\N{NO-BREAK SPACE}.086 to .095." in text


def test_trainings_of_one_model_share_an_entry_of_the_legend(study, page):
    curves = study.summary[study.summary["metric"] == "ced"]
    one = curves[(curves["protocol"] == "protocol1") & (curves["model"] == "dan")]
    several = [one.assign(protocol="n10", model=name) for name in study.seeds]
    more = replace(study, summary=pd.concat([study.summary, *several], ignore_index=True))
    entry = re.compile(r"<li><svg[^>]*>.*?</svg>DAN</li>", re.DOTALL)
    assert len(entry.findall(render(more))) == len(entry.findall(page)) + 1


def test_the_same_study_gives_the_same_section():
    assert chapter(full_study()) == chapter(full_study())
