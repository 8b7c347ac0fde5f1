"""Scores of several folds thrown together."""

import numpy as np
import pandas as pd
import pytest

from thermalign.evaluation.pooled import pooled

PEOPLE = ("a", "b", "c")


def images(*, second_range=()):
    rows = [(p, p, 1, 2 if p in second_range else 1, "baseline") for p in PEOPLE]
    return pd.DataFrame(rows, columns=["image_id", "subject_id", "volume", "range", "condition"])


def scores(offsets):
    """Return SCORES in which every genuine comparison of a fold beats all its impostors."""
    rows = [
        (fold, probe, gallery, probe == gallery, offset + 2.0 * (probe == gallery) + 0.1 * k)
        for fold, offset in enumerate(offsets)
        for k, probe in enumerate(PEOPLE)
        for gallery in PEOPLE
    ]
    return pd.DataFrame(rows, columns=["fold", "probe_id", "gallery_id", "genuine", "score"])


def rates(table, known):
    found = pd.DataFrame(pooled(table, known))
    return found.set_index(["subset", "metric"])


def test_folds_on_other_scales_spoil_pooled_scores_and_z_normalisation_mends_them():
    found = rates(scores([0, 10]), images())
    # the first fold's genuine scores lie below all impostors of the second
    assert found.loc[("all", "eer_pooled"), "value"] == pytest.approx(0.5)
    assert found.loc[("all", "eer_pooled_z"), "value"] == 0
    assert found.loc[("all", "eer_pooled"), ["n", "n_folds"]].tolist() == [18, 2]


def test_on_one_scale_pooling_changes_nothing():
    assert rates(scores([0, 0]), images()).loc[("all", "eer_pooled"), "value"] == 0


def test_every_range_is_pooled_alone():
    found = rates(scores([0, 10]), images(second_range=("c",)))
    assert set(found.index.get_level_values(0)) == {"all", "range=1", "range=2"}
    assert found.loc[("range=1", "eer_pooled"), "n"] == 12


def test_a_classifier_whose_impostors_score_alike_leaves_the_normalised_rate_unknown():
    table = scores([0])
    table["score"] = table["genuine"].astype(float)
    found = rates(table, images())
    assert np.isnan(found.loc[("all", "eer_pooled_z"), "value"])
    assert found.loc[("all", "eer_pooled"), "value"] == 0


def test_scores_of_one_class_alone_have_no_row():
    table = scores([0]).query("genuine")
    assert list(pooled(table, images())) == []
