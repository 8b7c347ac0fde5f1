"""Joining folds and comparing models: by hand, and on tables that `measure` wrote."""

import numpy as np
import pandas as pd
import pytest

from thermalign import tables
from thermalign.evaluation.over_folds import join, of_fold
from thermalign.geometry import LANDMARKS
from thermalign.metrics.intervals import RATE, interval
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES, BOXES, FOLDS, IMAGES
from thermalign.schemas.matching import SCORES
from thermalign.schemas.measures import SUMMARY
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.steps import compare, measure
from thermalign.steps.compare import summarise

FACE = np.array([[30.0, 40], [70, 40], [50, 64], [34, 80], [66, 80]])
SETTINGS = {
    "replicates": 50,
    "seed": 1,
    "ced_thresholds": {"stop": 0.5, "count": 3},
    "false_match_rates": {"start": 0.1, "count": 3},
    "tar_at_far": [0.1],
}
SUBJECTS = ("s1", "s2", "s3")
DATASET = ("images", "annotations", "boxes", "attributes")


def points(shift):
    return pd.DataFrame(
        [
            (subject, name, x + shift, y)
            for subject in SUBJECTS
            for name, (x, y) in zip(LANDMARKS, FACE, strict=True)
        ],
        columns=["image_id", "landmark", "x", "y"],
    )


def write_dataset(folder, *, shift):
    """Write a dataset whose image names are the subjects', annotated ``shift`` px to the right."""
    fixed = {
        "session": "1",
        "volume": 1,
        "range": 1,
        "condition": "baseline",
        "pair_id": "",
        "moment": "",
    }
    fixed |= {"modality": "thermal", "path": "x.png", "width": 100, "height": 120}
    fixed |= {"bit_depth": 8, "scale": 1.0, "offset": 0.0, "sha256": "0"}
    images = pd.DataFrame([{"image_id": s, "subject_id": s, **fixed} for s in SUBJECTS])
    tables.write(folder / "images.parquet", images, IMAGES)
    annotated = points(shift).assign(visible=True)
    tables.write(folder / "annotations.parquet", annotated, ANNOTATIONS)
    boxes = images[["image_id"]].assign(source="given", x=10.0, y=20.0, width=60.0, height=80.0)
    tables.write(folder / "boxes.parquet", boxes, BOXES)
    tables.write(folder / "attributes.parquet", ATTRIBUTES.empty_table().to_pandas(), ATTRIBUTES)


def write_protocol(folder, protocol, dataset):
    """Write one fold in which a model puts every landmark where the first dataset has it."""
    key = {"protocol": protocol, "fold": 0}
    folds = pd.DataFrame({"image_id": SUBJECTS, "role": "test", "flipped": False, **key})
    tables.write(folder / "folds.parquet", folds, FOLDS)
    found = points(0).assign(confidence=1.0, model="m", **key)
    tables.write(folder / "predictions.parquet", found, PREDICTIONS)
    pairs = [(a, b, a == b, float(a == b)) for a in SUBJECTS for b in SUBJECTS]
    scores = pd.DataFrame(pairs, columns=["probe_id", "gallery_id", "genuine", "score"])
    scores = scores.assign(model="m", same_moment="exclude", **key)
    tables.write(folder / "scores.parquet", scores, SCORES)
    names = ("folds", "predictions", "scores")
    measure.run(
        **{name: dataset / f"{name}.parquet" for name in DATASET},
        **{name: folder / f"{name}.parquet" for name in names},
        **key,
        model="m",
        headline="exclude",
        settings=SETTINGS,
        metrics=folder / "metrics.parquet",
        replicates=folder / "replicates.parquet",
        code="x",
    )


def compare_all(folder, datasets):
    """Run `compare` on the protocols of :func:`write_protocol`."""
    each = list(dict.fromkeys(datasets.values()))
    kinds = ("folds", "predictions", "scores", "metrics", "replicates")
    compare.run(
        displacements={},
        images=[folder / d / "images.parquet" for d in each],
        annotations=[folder / d / "annotations.parquet" for d in each],
        **{kind: [folder / p / f"{kind}.parquet" for p in datasets] for kind in kinds},
        joined_metrics=[],
        joined_replicates=[],
        datasets=datasets,
        headlines=dict.fromkeys(datasets, "exclude"),
        settings=SETTINGS,
        summary=folder / "summary.parquet",
        differences=folder / "differences.parquet",
        code="x",
    )


def test_datasets_that_name_images_alike_stay_apart(tmp_path):
    datasets = {"p1": "exact", "p2": "shifted"}
    for name, shift in (("exact", 0.0), ("shifted", 4.0)):
        write_dataset(tmp_path / name, shift=shift)
    for protocol, dataset in datasets.items():
        write_protocol(tmp_path / protocol, protocol, tmp_path / dataset)
    compare_all(tmp_path, datasets)
    summary = tables.read(tmp_path / "summary.parquet", SUMMARY)
    nmse = summary.query("metric == 'nmse' and subset == 'all'").set_index("protocol")
    ends = nmse[["value", "low", "high"]]
    assert ends.loc["p1", "value"] == 0
    assert ends.loc["p2", "value"] == pytest.approx(0.1)  # 4 px of 40 between the eyes
    assert ends[["low", "high"]].isna().all(axis=None)  # everybody's error is the same


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
            key |= {"subset": "all", "metric": metric, "at": at}
            row = {**key, "value": values[1], "low": 0.0, "high": 1.0, "n": 50}
            metrics.append(pd.DataFrame([row]))
            table = pd.DataFrame({"value": values, "draw": range(3)}).assign(subjects=subjects)
            replicates.append(table.assign(**key)[::-1])
    return pd.concat(metrics), replicates


def test_a_metric_over_folds_is_their_mean_and_so_is_every_draw():
    metrics, replicates = drawn()
    joined = join(map(of_fold, replicates))
    summary = summarise(metrics, joined).set_index("model")
    assert summary["value"].tolist() == pytest.approx([0.4, 0.3])
    mean = np.array([0.3, 0.4, 0.5])
    expected = interval(0.4, mean, subjects=7, scale=RATE)  # of the fold with most subjects
    assert tuple(summary.loc["a", ["low", "high"]]) == pytest.approx(expected)
    assert summary["n"].tolist() == [100, 100]


def test_a_fold_without_replicates_adds_none():
    assert join([of_fold(drawn()[1][0].iloc[:0])]) == {}


def test_the_points_of_a_curve_stay_apart():
    tables_at = [drawn("tar_at_far", at) for at in (0.01, 0.1)]
    higher = {m: [([v + 0.2 for v in f], s) for f, s in folds] for m, folds in DRAWS.items()}
    tables_at[1] = drawn("tar_at_far", 0.1, higher)
    metrics = pd.concat([m for m, _ in tables_at])
    joined = join(of_fold(table) for _, each in tables_at for table in each)
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
    columns = ["model", "fold", "subset", "metric", "value"]
    fixed = {"protocol": "p", "at": 0.0, "low": np.nan, "high": np.nan, "n": 10}
    return pd.DataFrame(rows, columns=columns).assign(**fixed)


def test_a_fold_in_which_nothing_was_found_does_not_drop_out_of_the_mean():
    metrics = landmark_rows(
        ("a", 0, "all", "failure_rate", 0.0),
        ("a", 0, "all", "nmse", 0.1),
        ("a", 0, "landmark=nose_base", "nmse", 0.1),
        ("a", 1, "all", "failure_rate", 1.0),  # and so no nmse
        ("b", 0, "all", "nmse", 0.2),
        ("b", 1, "all", "nmse", 0.4),
    )
    found = summarise(metrics, {}).set_index(["model", "subset", "metric"])["value"]
    assert found["a", "all", "failure_rate"] == 0.5
    assert np.isnan(found["a", "all", "nmse"])
    assert np.isnan(found["a", "landmark=nose_base", "nmse"])
    assert found["b", "all", "nmse"] == pytest.approx(0.3)


def test_a_range_that_a_fold_does_not_have_is_the_mean_of_the_other_folds():
    metrics = landmark_rows(
        ("a", 0, "all", "nmse", 0.1),
        ("a", 1, "all", "nmse", 0.1),
        ("a", 0, "range=3", "nmse", 0.3),  # the other fold has no image of it
        ("a", 0, "range=3", "eer", 0.2),
        ("b", 0, "range=3", "eer", 0.2),
        ("b", 1, "range=3", "eer", 0.4),  # but probes, of which a has none
    )
    found = summarise(metrics, {}).set_index(["model", "subset", "metric"])
    assert found.loc[("a", "range=3", "nmse"), ["value", "n_folds"]].tolist() == [0.3, 1]
    assert np.isnan(found.loc[("a", "range=3", "eer"), "value"])
    assert found.loc[("b", "range=3", "eer"), "value"] == pytest.approx(0.3)


def test_a_score_has_no_mean_over_folds_which_share_no_scale():
    metrics = landmark_rows(
        ("a", 0, "all", "threshold", 0.5),
        ("a", 1, "all", "threshold", 0.7),
        ("b", 0, "range=1", "threshold", 0.5),  # in the one fold that has this range
    )
    found = summarise(metrics, {}).set_index("model")["value"]
    assert np.isnan(found["a"])
    assert found["b"] == 0.5


def test_protocols_say_how_many_people_they_share(tmp_path):
    write_dataset(tmp_path / "exact", shift=0.0)
    write_dataset(tmp_path / "other", shift=0.0)
    datasets = {"p1": "exact", "p2": "exact", "p3": "other"}
    for name, dataset in datasets.items():
        write_protocol(tmp_path / name, name, tmp_path / dataset)
    compare_all(tmp_path, datasets)
    summary = tables.read(tmp_path / "summary.parquet", SUMMARY)
    shared = summary[summary["metric"] == "shared_people"].set_index(["protocol", "subset"])
    # people of another dataset are others, whatever they are called
    assert set(shared.index) == {("p1", "protocol=p2"), ("p2", "protocol=p1")}
    assert shared[["value", "n"]].to_numpy().tolist() == [[3, 3], [3, 3]]
