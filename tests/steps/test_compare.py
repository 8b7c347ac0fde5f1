"""Joining folds and comparing models: by hand, and on tables that `measure` wrote."""

import numpy as np
import pandas as pd
import pytest

from thermalign import tables
from thermalign.geometry import LANDMARKS
from thermalign.metrics.intervals import DIFFERENCE, RATE, interval
from thermalign.schemas.dataset import ANNOTATIONS, BOXES, FOLDS, IMAGES
from thermalign.schemas.matching import SCORES
from thermalign.schemas.measures import SUMMARY
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.steps import compare, measure
from thermalign.steps.compare import contrast, over_folds, summarise

FACE = np.array([[30.0, 40], [70, 40], [50, 64], [34, 80], [66, 80]])
SETTINGS = {
    "replicates": 50,
    "seed": 1,
    "ced_thresholds": {"stop": 0.5, "count": 3},
    "false_match_rates": {"start": 0.1, "count": 3},
    "tar_at_far": [0.1],
}
SUBJECTS = ("s1", "s2", "s3")


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
    boxes = pd.DataFrame([(s, "given", 20.0, 30.0, 60.0, 60.0) for s in SUBJECTS])
    tables.write(folder / "boxes.parquet", boxes.set_axis(BOXES.names, axis=1), BOXES)


def write_protocol(folder, protocol, dataset):
    """Write one fold in which a model puts every landmark where the first dataset has it."""
    key = {"protocol": protocol, "fold": 0}
    folds = pd.DataFrame({"image_id": SUBJECTS, "role": "test", "flipped": False, **key})
    tables.write(folder / "folds.parquet", folds, FOLDS)
    found = points(0).assign(confidence=1.0, model="m", **key)
    tables.write(folder / "predictions.parquet", found, PREDICTIONS)
    pairs = [(a, b, a == b, float(a == b)) for a in SUBJECTS for b in SUBJECTS]
    scores = pd.DataFrame(pairs, columns=["probe_id", "gallery_id", "genuine", "score"])
    tables.write(folder / "scores.parquet", scores.assign(model="m", **key), SCORES)
    names = ("folds", "predictions", "scores")
    measure.run(
        images=dataset / "images.parquet",
        annotations=dataset / "annotations.parquet",
        boxes=dataset / "boxes.parquet",
        **{name: folder / f"{name}.parquet" for name in names},
        **key,
        model="m",
        settings=SETTINGS,
        metrics=folder / "metrics.parquet",
        replicates=folder / "replicates.parquet",
        code="x",
    )


def test_datasets_that_name_images_alike_stay_apart(tmp_path):
    datasets = {"p1": "exact", "p2": "shifted"}
    for name, shift in (("exact", 0.0), ("shifted", 4.0)):
        write_dataset(tmp_path / name, shift=shift)
    for protocol, dataset in datasets.items():
        write_protocol(tmp_path / protocol, protocol, tmp_path / dataset)
    kinds = ("metrics", "replicates", "scores")
    compare.run(
        displacements={},
        images=[tmp_path / d / "images.parquet" for d in ("exact", "shifted")],
        **{kind: [tmp_path / p / f"{kind}.parquet" for p in datasets] for kind in kinds},
        joined_replicates=[],
        datasets=datasets,
        settings=SETTINGS,
        summary=tmp_path / "summary.parquet",
        differences=tmp_path / "differences.parquet",
        code="x",
    )
    summary = tables.read(tmp_path / "summary.parquet", SUMMARY)
    nmse = summary.query("metric == 'nmse' and subset == 'all'").set_index("protocol")
    ends = nmse[["value", "low", "high"]]
    assert ends.loc["p1", "value"] == 0
    assert ends.loc["p2"].tolist() == pytest.approx([0.1] * 3)  # 4 px of 40 between the eyes


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
    joined = over_folds(replicates)
    summary = summarise(metrics, joined).set_index("model")
    assert summary["value"].tolist() == pytest.approx([0.4, 0.3])
    mean = np.array([0.3, 0.4, 0.5])
    expected = interval(0.4, mean, subjects=7, scale=RATE)  # of the fold with most subjects
    assert tuple(summary.loc["a", ["low", "high"]]) == pytest.approx(expected)
    assert summary["n"].tolist() == [100, 100]


def test_differences_are_those_of_the_same_draw():
    metrics, replicates = drawn()
    joined = over_folds(replicates)
    rows = list(contrast(summarise(metrics, joined), joined))
    paired = np.array([0.3 - 0.2, 0.4 - 0.3, 0.5 - 0.4])  # every draw differs by 0.1
    ends = interval(0.1, paired, subjects=7, scale=DIFFERENCE)
    assert [row[:6] for row in rows] == [("p", "all", "eer", 0.0, "a", "b")]
    assert rows[0][6:] == pytest.approx((0.1, *ends, 100))
    assert ends == pytest.approx((0.1, 0.1))


def test_a_fold_without_replicates_adds_none():
    assert over_folds([drawn()[1][0].iloc[:0]]) == {}


def test_the_points_of_a_curve_stay_apart():
    tables_at = [drawn("tar_at_far", at) for at in (0.01, 0.1)]
    higher = {m: [([v + 0.2 for v in f], s) for f, s in folds] for m, folds in DRAWS.items()}
    tables_at[1] = drawn("tar_at_far", 0.1, higher)
    metrics = pd.concat([m for m, _ in tables_at])
    joined = over_folds([table for _, each in tables_at for table in each])
    summary = summarise(metrics, joined)
    assert summary.query("model == 'a'").set_index("at")["value"].to_dict() == pytest.approx(
        {0.01: 0.4, 0.1: 0.6}
    )
    assert [row[3] for row in contrast(summary, joined)] == [0.01, 0.1]


def test_curves_are_joined_and_never_compared():
    metrics, replicates = drawn("roc", 0.01)
    joined = over_folds(replicates)
    summary = summarise(metrics, joined)
    assert summary["low"].notna().all()
    assert list(contrast(summary, joined)) == []


def test_a_rate_that_one_fold_cannot_measure_is_unknown_over_folds():
    metrics, _ = drawn("tar_at_far", 0.01)
    metrics.iloc[0, metrics.columns.get_loc("value")] = np.nan
    summary = summarise(metrics, {}).set_index("model")
    assert np.isnan(summary.loc["a", "value"])
    assert summary.loc["b", "value"] == pytest.approx(0.3)
