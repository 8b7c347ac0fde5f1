"""How training went."""

import numpy as np
import pandas as pd
from fake_study import NAN, Rows, full_curves
from fake_view import study_of

from thermalign.report.chapters.training import MOST_POINTS, chapter, price_panel, training_panels


def panels_of(curves, draw, seeds=None):
    study = study_of(Rows(), curves=curves, seeds=seeds or {})
    return draw(study, study.views[0])


def test_training_curves_of_any_length_stay_small():
    steps = np.arange(100_000)
    frame = pd.DataFrame(
        {"protocol": "p1", "fold": 0, "model": "dan", "stage": "one", "step": steps}
    )
    frame = frame.assign(loss=np.exp(-steps / 3e4), validation_nmse=NAN)
    (panel,) = panels_of(frame, training_panels)
    assert len(panel.svg) < 100 * MOST_POINTS + 5000
    assert "not measured" in panel.svg


def test_stages_of_a_model_are_named_behind_each_other():
    panels = panels_of(full_curves(), training_panels)
    assert [panel.title for panel in panels] == ["MTCNN", "PBC", "DAN"]
    assert ">stage1<" in panels[2].svg
    assert ">stage2<" in panels[2].svg
    assert "mathdefault" not in panels[2].svg


def test_accuracy_is_drawn_over_processor_time_for_every_model_that_was_validated():
    curves = full_curves()
    lost = curves["model"] == "pbc"
    curves.loc[lost, "validation_nmse"] = float("nan")
    (panel,) = panels_of(curves, price_panel)
    assert "DAN .052 after " in panel.alt
    assert [look.label for look, _ in panel.legend] == ["MTCNN", "DAN"]
    assert "PBC" not in panel.alt
    assert panels_of(curves[lost], price_panel) == []


def test_trainings_of_one_model_share_a_panel():
    one = full_curves().query("model == 'pbc'")
    both = pd.concat([one.assign(model=f"pbc_seed{k}") for k in (1, 2)])
    seeds = {f"pbc_seed{k}": ("pbc", k) for k in (1, 2)}
    (alone,) = panels_of(one, training_panels)
    (panel,) = panels_of(both, training_panels, seeds)
    assert panel.title == "PBC"
    lines = 2 * 3  # loss and validation of three folds
    assert panel.svg.count("<path") == alone.svg.count("<path") + lines


def test_a_study_without_training_curves_says_so():
    (block,) = chapter(study_of(Rows())).blocks
    assert block.text == "No training curves were given."
