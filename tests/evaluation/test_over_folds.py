"""Figures of several folds joined: their means by hand, and their scores thrown together."""

import numpy as np
import pandas as pd
import pytest

from thermalign.evaluation.over_folds import join, pooled, summarise
from thermalign.metrics.intervals import RATE, interval
from thermalign.schemas.keys import ALL, Subset, rows_of

PEOPLE = ("a", "b", "c")
NEAR, FAR, NOSE = Subset(range="1"), Subset(range="3"), Subset(landmark="nose_base")


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
    table = pd.DataFrame(rows, columns=["fold", "probe_id", "gallery_id", "genuine", "score"])
    return table.assign(protocol="p", model="m", same_moment="exclude")


def pool(table, known):
    jobs = dict(tuple(table.groupby(["protocol", "fold", "model"])))
    return list(pooled(jobs, {"d": known}, datasets={"p": "d"}, headlines={"p": "exclude"}))


def rates(table, known, subset=ALL):
    return rows_of(pd.DataFrame(pool(table, known)), subset).set_index("metric")


def test_folds_on_other_scales_spoil_pooled_scores_and_z_normalisation_mends_them():
    found = rates(scores([0, 10]), images())
    # the first fold's genuine scores lie below all impostors of the second
    assert found.loc["eer_pooled", "value"] == pytest.approx(0.5)
    assert found.loc["eer_pooled_z", "value"] == 0
    assert found.loc["eer_pooled", ["n", "n_folds"]].tolist() == [18, 2]


def test_on_one_scale_pooling_changes_nothing():
    assert rates(scores([0, 0]), images()).loc["eer_pooled", "value"] == 0


def test_every_range_is_pooled_alone():
    table, known = scores([0, 10]), images(second_range=("c",))
    assert {row["range"] for row in pool(table, known)} == {"", "1", "2"}
    assert rates(table, known, Subset(range="1")).loc["eer_pooled", "n"] == 12


def test_the_headline_reading_alone_is_pooled():
    other = scores([5]).assign(same_moment="keep")
    both = pd.concat([scores([0, 0]), other])
    assert rates(both, images()).loc["eer_pooled", "n"] == 18


def test_a_classifier_whose_impostors_score_alike_leaves_the_normalised_rate_unknown():
    table = scores([0])
    table["score"] = table["genuine"].astype(float)
    found = rates(table, images())
    assert np.isnan(found.loc["eer_pooled_z", "value"])
    assert found.loc["eer_pooled", "value"] == 0


def test_scores_of_one_class_alone_have_no_row():
    table = scores([0]).query("genuine")
    assert pool(table, images()) == []


DRAWS = {  # replicates of a metric by model and fold, with the subjects of each fold
    "a": [([0.2, 0.3, 0.4], 5), ([0.4, 0.5, 0.6], 7)],
    "b": [([0.1, 0.3, 0.5], 5), ([0.3, 0.3, 0.3], 7)],
}


def drawn(metric="eer", at=0.0, models=DRAWS):
    """Return METRICS and REPLICATES, one per model and fold; a value is the middle draw."""
    metrics, replicates = [], []
    for model, folds in models.items():
        for fold, (values, subjects) in enumerate(folds):
            key = {"protocol": "p", "fold": np.int32(fold), "model": model}
            key |= {"dataset": "d", **ALL._asdict(), "metric": metric, "at": at}
            metrics.append({**key, "value": values[1], "low": 0.0, "high": 1.0, "n": 50})
            drawn = {"values": np.array(values), "subjects": subjects, "scale": RATE}
            replicates.append({**key, **drawn})
    return pd.DataFrame(metrics), pd.DataFrame(replicates)


def test_a_metric_over_folds_is_their_mean_and_so_is_every_draw():
    metrics, replicates = drawn()
    joined = join(replicates)
    summary = summarise(metrics, joined).set_index("model")
    assert summary["value"].tolist() == pytest.approx([0.4, 0.3])
    mean = np.array([0.3, 0.4, 0.5])
    expected = interval(0.4, mean, subjects=7, scale=RATE)  # of the fold with most subjects
    assert tuple(summary.loc["a", ["low", "high"]]) == pytest.approx(expected)
    assert summary["n"].tolist() == [100, 100]


def test_a_fold_without_replicates_adds_none():
    assert join(drawn()[1].iloc[:0]) == {}


def test_the_points_of_a_curve_stay_apart():
    tables_at = [drawn("tar_at_far", at) for at in (0.01, 0.1)]
    higher = {m: [([v + 0.2 for v in f], s) for f, s in folds] for m, folds in DRAWS.items()}
    tables_at[1] = drawn("tar_at_far", 0.1, higher)
    metrics = pd.concat([m for m, _ in tables_at])
    joined = join(pd.concat([r for _, r in tables_at]))
    summary = summarise(metrics, joined)
    assert summary.query("model == 'a'").set_index("at")["value"].to_dict() == pytest.approx(
        {0.01: 0.4, 0.1: 0.6}
    )


def test_a_rate_that_one_fold_cannot_measure_is_unknown_over_folds():
    metrics, _ = drawn("tar_at_far", 0.01)
    metrics.iloc[0, metrics.columns.get_loc("value")] = np.nan
    summary = summarise(metrics, {}).set_index("model")
    assert np.isnan(summary.loc["a", "value"])
    assert summary.loc["b", "value"] == pytest.approx(0.3)


def landmark_rows(*rows):
    """Return METRICS of model, fold, subset, metric and value."""
    fixed = {"dataset": "d", "protocol": "p", "at": 0.0, "low": np.nan, "high": np.nan, "n": 10}
    return pd.DataFrame(
        {"model": model, "fold": fold, **subset._asdict(), "metric": metric, "value": value}
        for model, fold, subset, metric, value in rows
    ).assign(**fixed)


def figure(summary, model, subset, metric):
    (row,) = rows_of(summary, subset).query("model == @model and metric == @metric").itertuples()
    return row


def test_a_fold_in_which_nothing_was_found_does_not_drop_out_of_the_mean():
    metrics = landmark_rows(
        ("a", 0, ALL, "failure_rate", 0.0),
        ("a", 0, ALL, "nmse", 0.1),
        ("a", 0, NOSE, "nmse", 0.1),
        ("a", 1, ALL, "failure_rate", 1.0),  # and so no nmse
        ("b", 0, ALL, "nmse", 0.2),
        ("b", 1, ALL, "nmse", 0.4),
    )
    found = summarise(metrics, {})
    assert figure(found, "a", ALL, "failure_rate").value == 0.5
    assert np.isnan(figure(found, "a", ALL, "nmse").value)
    assert np.isnan(figure(found, "a", NOSE, "nmse").value)
    assert figure(found, "b", ALL, "nmse").value == pytest.approx(0.3)


def test_a_range_that_a_fold_does_not_have_is_the_mean_of_the_other_folds():
    metrics = landmark_rows(
        ("a", 0, ALL, "nmse", 0.1),
        ("a", 1, ALL, "nmse", 0.1),
        ("a", 0, FAR, "nmse", 0.3),  # the other fold has no image of it
        ("a", 0, FAR, "eer", 0.2),
        ("b", 0, FAR, "eer", 0.2),
        ("b", 1, FAR, "eer", 0.4),  # but probes, of which a has none
    )
    found = summarise(metrics, {})
    errors = figure(found, "a", FAR, "nmse")
    assert (errors.value, errors.n_folds) == (0.3, 1)
    assert np.isnan(figure(found, "a", FAR, "eer").value)
    assert figure(found, "b", FAR, "eer").value == pytest.approx(0.3)


def test_a_score_has_no_mean_over_folds_which_share_no_scale():
    metrics = landmark_rows(
        ("a", 0, ALL, "threshold", 0.5),
        ("a", 1, ALL, "threshold", 0.7),
        ("b", 0, NEAR, "threshold", 0.5),  # in the one fold that has this range
    )
    found = summarise(metrics, {}).set_index("model")["value"]
    assert np.isnan(found["a"])
    assert found["b"] == 0.5
