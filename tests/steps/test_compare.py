"""Joining folds and comparing models: by hand, and on tables that `measure` wrote."""

import numpy as np
import pandas as pd
import pytest

from thermalign import tables
from thermalign.geometry import LANDMARKS
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES, BOXES, FOLDS, IMAGES
from thermalign.schemas.keys import ANNOTATED, OTHER_PROTOCOL, Subset, rows_of
from thermalign.schemas.matching import SCORES
from thermalign.schemas.measures import DIFFERENCES, SUMMARY
from thermalign.schemas.predictions import PREDICTIONS, UNCERTAINTY
from thermalign.steps import compare, measure

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


def write_protocol(folder, protocol, dataset, *, model="m"):
    """Write one fold in which a model puts every landmark where the first dataset has it."""
    key = {"protocol": protocol, "fold": 0}
    folds = pd.DataFrame({"image_id": SUBJECTS, "role": "test", "flipped": False, **key})
    tables.write(folder / "folds.parquet", folds, FOLDS)
    stated = dict(zip(UNCERTAINTY, (0.1, 4.0, 0.0, 4.0, 5.0), strict=True))
    found = points(0).assign(model=model, **key, **stated)
    tables.write(folder / "predictions.parquet", found, PREDICTIONS)
    pairs = [(a, b, a == b, float(a == b)) for a in SUBJECTS for b in SUBJECTS]
    scores = pd.DataFrame(pairs, columns=["probe_id", "gallery_id", "genuine", "score"])
    scores = scores.assign(model=model, same_moment="exclude", **key)
    tables.write(folder / "scores.parquet", scores, SCORES)
    names = ("folds", "predictions", "scores")
    measure.run(
        **{name: dataset / f"{name}.parquet" for name in DATASET},
        **{name: folder / f"{name}.parquet" for name in names},
        dataset=dataset.name,
        **key,
        model=model,
        headline="exclude",
        reject=[0.25],
        settings=SETTINGS,
        metrics=folder / "metrics.parquet",
        replicates=folder / "replicates.parquet",
        code="x",
    )


def compare_all(folder, datasets, measured=(), *, firsts=()):
    """Run `compare` on what :func:`write_protocol` wrote, in folders called after the protocols."""
    each = list(dict.fromkeys(datasets.values()))
    kinds = ("folds", "predictions", "scores", "metrics", "replicates")
    compare.run(
        displacements={},
        firsts=dict(firsts),
        images=[folder / d / "images.parquet" for d in each],
        annotations=[folder / d / "annotations.parquet" for d in each],
        **{kind: [folder / p / f"{kind}.parquet" for p in measured or datasets] for kind in kinds},
        joined_metrics=[],
        joined_replicates=[],
        dataset=each,
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
    nmse = rows_of(summary).query("metric == 'nmse'").set_index("protocol")
    ends = nmse[["value", "low", "high"]]
    assert nmse["dataset"].to_dict() == datasets
    assert ends.loc["p1", "value"] == 0
    assert ends.loc["p2", "value"] == pytest.approx(0.1)  # 4 px of 40 between the eyes
    assert ends[["low", "high"]].isna().all(axis=None)  # everybody's error is the same


def test_protocols_say_how_many_people_they_share(tmp_path):
    write_dataset(tmp_path / "exact", shift=0.0)
    write_dataset(tmp_path / "other", shift=0.0)
    datasets = {"p1": "exact", "p2": "exact", "p3": "other"}
    for name, dataset in datasets.items():
        write_protocol(tmp_path / name, name, tmp_path / dataset)
    compare_all(tmp_path, datasets)
    summary = tables.read(tmp_path / "summary.parquet", SUMMARY)
    shared = summary[summary["metric"] == "shared_people"].set_index(["protocol", "setting"])
    # people of another dataset are others, whatever they are called
    assert set(shared.index) == {("p1", "p2"), ("p2", "p1")}
    assert set(shared["experiment"]) == {OTHER_PROTOCOL}
    assert shared[["value", "n"]].to_numpy().tolist() == [[3, 3], [3, 3]]


def test_a_matcher_has_what_it_is_above_the_first_one_that_it_stands_beside(tmp_path):
    write_dataset(tmp_path / "exact", shift=0.0)
    datasets = {"p1": "exact", "p2": "exact", "p3": "exact"}
    for name in datasets:
        write_protocol(tmp_path / name, name, tmp_path / "exact", model=ANNOTATED)
    compare_all(tmp_path, datasets, firsts={"p1": "p1", "p2": "p1"})
    summary = rows_of(tables.read(tmp_path / "summary.parquet", SUMMARY))
    above = summary[summary["metric"].str.endswith("_above_first")]
    assert set(above["protocol"]) == {"p2"}
    assert above.query("metric == 'eer_above_first'")["value"].tolist() == [0]


def test_experiments_of_measure_are_joined_and_models_are_compared_in_the_study_alone(tmp_path):
    write_dataset(tmp_path / "exact", shift=0.0)
    for model in ("m", "n"):
        write_protocol(tmp_path / model, "p1", tmp_path / "exact", model=model)
    compare_all(tmp_path, {"p1": "exact"}, ("m", "n"))
    summary = tables.read(tmp_path / "summary.parquet", SUMMARY)
    rejected = rows_of(summary, Subset("rejection", "confidence", 0.25))
    assert rejected.query("metric == 'fta'")["value"].tolist() == [0.25, 0.25]
    differences = tables.read(tmp_path / "differences.parquet", DIFFERENCES)
    assert set(differences["metric"]) >= {"nmse", "eer"}
    assert set(differences["experiment"]) == {""}
