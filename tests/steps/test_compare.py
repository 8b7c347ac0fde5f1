"""Joining the folds of protocols on different datasets."""

import numpy as np
import pandas as pd
import pytest

from thermalign import tables
from thermalign.geometry import LANDMARKS
from thermalign.schemas.dataset import ANNOTATIONS, FOLDS, IMAGES
from thermalign.schemas.matching import SCORES
from thermalign.schemas.measures import SUMMARY
from thermalign.schemas.predictions import PREDICTIONS
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
    fixed = {"session": "1", "volume": 1, "range": 1, "condition": "baseline", "pair_id": ""}
    fixed |= {"modality": "thermal", "path": "x.png", "width": 100, "height": 120}
    fixed |= {"bit_depth": 8, "scale": 1.0, "offset": 0.0, "sha256": "0"}
    images = pd.DataFrame([{"image_id": s, "subject_id": s, **fixed} for s in SUBJECTS])
    tables.write(folder / "images.parquet", images, IMAGES)
    annotated = points(shift).assign(visible=True)
    tables.write(folder / "annotations.parquet", annotated, ANNOTATIONS)


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
