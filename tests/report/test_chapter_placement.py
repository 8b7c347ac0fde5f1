"""Detectors placed on the curve of displaced points."""

import math

import pytest
from fake_matching import DISPLACEMENTS
from fake_study import NAN, Rows
from fake_view import study_of, texts

from thermalign.report.chapters.placement import chapter
from thermalign.schemas.keys import ALL, ANNOTATED, DISPLACEMENT, PLACEMENT, Subset

CONFIG = {"displacements": DISPLACEMENTS}


def with_curve(*kinds):
    rows = Rows()
    for kind in kinds or ("isotropic",):
        for level in (0.0, 0.1, 0.2):
            key = ("own", ANNOTATED, Subset(DISPLACEMENT, kind, level, range="1"))
            rows.add(key, "nmse", level)
            rows.add(key, "eer", 0.1 + level)
    return rows


def placed(rows, model, *, nmse=0.05, excess=0.02, ends=(0.01, 0.03), kind="isotropic"):
    key = ("own", model, Subset(PLACEMENT, kind, range="1"))
    rows.add(key, "nmse", nmse, low=nmse - 0.01, high=nmse + 0.01)
    rows.add(key, "eer", 0.17, low=0.12, high=0.2)
    rows.add(key, "eer_predicted", 0.15 if math.isfinite(excess) else NAN)
    rows.add(key, "eer_excess", excess, low=ends[0], high=ends[1])


def blocks_of(rows, seeds=None):
    return chapter(study_of(rows, config=CONFIG, seeds=seeds or {})).parts[0].blocks


def legend(panel):
    return [(look.label, words) for look, words in panel.legend]


def test_no_detector_on_the_curve_no_chapter():
    assert chapter(study_of(with_curve(), config=CONFIG)) is None
    rows = Rows()
    rows.add(("own", ANNOTATED, ALL), "eer", 0.1)
    assert chapter(study_of(rows)) is None


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [
        ((0.01, 0.03), "worse than its NMSE"),
        ((-0.03, -0.01), "better than its NMSE"),
        ((-0.01, 0.03), "as predicted"),
        ((0.0, 0.03), "as predicted"),
        ((NAN, NAN), "no interval"),
    ],
)
def test_a_detector_leaves_the_curve_only_with_its_interval(ends, verdict):
    rows = with_curve()
    placed(rows, "dan", ends=ends)
    _, table = blocks_of(rows)
    assert texts(table) == [["DAN", ".050", "17.0\u202f%", "15.0\u202f%", "+2.0", verdict]]


def test_a_detector_beyond_the_curve_has_no_prediction_and_stands_at_the_edge():
    rows = with_curve()
    placed(rows, "pbc", nmse=0.6, excess=NAN, ends=(NAN, NAN))
    figure, table = blocks_of(rows)
    assert texts(table)[0][3:] == ["–", "–", "beyond the curve"]
    assert legend(figure.panels[0])[1] == ("PBC", "NMSE .600, EER 17.0\u202f%")
    assert "a triangle at the edge stands for an NMSE beyond the axis" in figure.caption


def test_detectors_are_named_in_the_legend_each_once_over_its_seeds():
    rows, seeds = with_curve(), {f"dan_seed{k}": ("dan", k) for k in (1, 2)}
    for model, nmse in (("dan_seed1", 0.04), ("dan_seed2", 0.05), ("mean_shape", 0.05)):
        placed(rows, model, nmse=nmse)
    figure, _ = blocks_of(rows, seeds)
    assert legend(figure.panels[0])[1:] == [
        ("DAN", "NMSE .040 to .050, EER 17.0\u202f%"),
        ("mean shape", "NMSE .050, EER 17.0\u202f%"),
    ]
    assert "mean shape NMSE .050, EER 17.0" in figure.panels[0].alt


def test_detectors_that_crowd_the_curve_are_drawn_close_up():
    rows = with_curve()
    for model, nmse in (("dan", 0.03), ("pbc", 0.035), ("mean_shape", 0.15)):
        placed(rows, model, nmse=nmse)
    figure, _ = blocks_of(rows)
    whole, close = figure.panels
    assert close.title == "Close up"
    assert legend(close) == [
        ("PBC", "NMSE .035, EER 17.0\u202f%"),
        ("DAN", "NMSE .030, EER 17.0\u202f%"),
    ]
    assert [label for label, _ in legend(whole)] == ["annotated points", "PBC", "DAN", "mean shape"]
    assert "dotted frame" in figure.caption


def test_trainings_of_one_model_alone_are_not_a_crowd():
    rows, seeds = with_curve(), {"dan_seed1": ("dan", 1), "dan_seed2": ("dan", 2)}
    for model in seeds:
        placed(rows, model, nmse=0.03)
    figure, _ = blocks_of(rows, seeds)
    assert len(figure.panels) == 1
    assert "dotted frame" not in figure.caption


def test_every_training_has_a_verdict_of_its_own():
    rows, seeds = with_curve(), {"dan_seed1": ("dan", 1), "dan_seed2": ("dan", 2)}
    placed(rows, "dan_seed1", ends=(-0.01, 0.05))
    placed(rows, "dan_seed2")
    _, table = blocks_of(rows, seeds)
    assert [(row[0], row[-1]) for row in texts(table)] == [
        ("DAN, seed 1", "as predicted"),
        ("DAN, seed 2", "worse than its NMSE"),
    ]


def test_every_kind_predicts_an_equal_error_rate_of_its_own():
    rows = with_curve("isotropic", "shift")
    placed(rows, "dan")
    key = ("own", "dan", Subset(PLACEMENT, "shift", range="1"))
    for metric, value in (("nmse", 0.05), ("eer", 0.17), ("eer_predicted", 0.18)):
        rows.add(key, metric, value)
    _, table = blocks_of(rows)
    titles = ["By isotropic displacement", "By shift displacement"]
    assert [body.title for body in table.bodies] == titles
    assert texts(table, 1)[0][3] == "18.0\u202f%"
