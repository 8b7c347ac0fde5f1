"""Detecting faces, and predicting them under variants, with models that are made up."""

from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from thermalign import images, tables
from thermalign.evaluation.over_folds import join, summarise
from thermalign.geometry import LANDMARKS
from thermalign.landmarks.contract import Detections
from thermalign.schemas.dataset import ANNOTATIONS, BOXES, FOLDS, IMAGES
from thermalign.schemas.keys import ALL, SUBSET, VARIANT, Subset
from thermalign.schemas.measures import METRICS, REPLICATES
from thermalign.schemas.predictions import DETECTIONS, STRESS, UNCERTAINTY
from thermalign.states import State
from thermalign.steps import detect, stress

FACE = np.array([[20.0, 30], [40, 30], [30, 40], [22, 50], [38, 50]])  # 20 px between the eyes
BOX = (10.0, 20.0, 40.0, 40.0)
SUBJECTS = ("s1", "s2", "s3")
EVALUATION = {"replicates": 50, "seed": 1}
KEY = {"protocol": "p", "fold": 0, "model": "m"}
RAW = {  # of a detector whose raw covariance is the scale matrix of its errors
    name: torch.full((count,), value, dtype=torch.float64)
    for name, count, value in (
        ("gain", 5, 1.0),
        ("floor", 5, 0.0),
        ("pixel", 1, 0.0),
        ("shared", 1, 0.0),
        ("tail", 1, 8.0),
        ("ratio", 1, 1.0),
    )
}


def of(variant, reach=""):
    return Subset(experiment=VARIANT, setting=variant, range=reach)


def by_subset(table):
    """Return rows of METRICS and tables like it by subset and metric."""
    rows = zip(table[[*SUBSET, "metric"]].itertuples(index=False), table.iloc, strict=True)
    return {(Subset(*key[:-1]), key[-1]): row for key, row in rows}


def write_dataset(folder, *, level, names=SUBJECTS):
    """Write an image of one level per subject, at range 1 for the first and 2 for the others."""
    rows = []
    for name in names:
        path = folder / f"{name}.png"
        folder.mkdir(exist_ok=True)
        cv2.imwrite(str(path), np.full((80, 60), level, np.uint16))
        rows.append(
            {"image_id": name, "subject_id": name, "path": str(path), "range": 1 + (name != "s1")}
        )
    fixed = {
        "session": "1",
        "volume": 1,
        "condition": "baseline",
        "pair_id": "",
        "moment": "",
        "sha256": "0",
    }
    fixed |= {"modality": "thermal", "width": 60, "height": 80}
    fixed |= {"bit_depth": 16, "scale": 1.0, "offset": 0.0}
    tables.write(folder / "images.parquet", pd.DataFrame(rows).assign(**fixed), IMAGES)
    points = [(s, name, *xy, True) for s in names for name, xy in zip(LANDMARKS, FACE, strict=True)]
    annotated = pd.DataFrame(points, columns=ANNOTATIONS.names)
    tables.write(folder / "annotations.parquet", annotated, ANNOTATIONS)
    given = pd.DataFrame([(s, "given", *BOX) for s in names], columns=BOXES.names)
    tables.write(folder / "boxes.parquet", given, BOXES)


class InTheBox:
    """Knows where landmarks are inside the box; an image's level is how unsure it is."""

    def reach(self, settings):
        return 0.0

    def predict(self, state, stack, boxes, settings):
        share = (torch.tensor(FACE).float() - torch.tensor(BOX[:2])) / torch.tensor(BOX[2:])
        level = torch.tensor([float(stack.image(n).mean()) for n in range(len(stack))])
        points = boxes[:, None, :2] + share * boxes[:, None, 2:]
        return points, level[:, None, None, None] * torch.eye(2).expand(*points.shape, 2)


@pytest.fixture
def study(tmp_path, monkeypatch):
    """One fold, and a function that runs `stress` on it and returns its three tables."""
    write_dataset(tmp_path / "own", level=30)
    key = {"protocol": "p", "fold": 0}
    folds = pd.DataFrame({"image_id": SUBJECTS, "role": "test", "flipped": False, **key})
    tables.write(tmp_path / "folds.parquet", folds, FOLDS)
    model = InTheBox()
    for step in (stress, detect):
        monkeypatch.setattr(step, "load_model", lambda *_: (model, None))
        monkeypatch.setattr(step, "read_state", lambda _: State({}, calibration=RAW))

    def run(variants, *, datasets=("own",), detections=()):
        out = {name: tmp_path / f"{name}.parquet" for name in ("metrics", "replicates")}
        stress.run(
            **{
                kind: [tmp_path / d / f"{kind}.parquet" for d in datasets]
                for kind in ("images", "annotations", "boxes")
            },
            detections=list(detections),
            folds=tmp_path / "folds.parquet",
            state=tmp_path / "state",
            dataset="own",
            **KEY,
            detector="m",
            settings={},
            modality="thermal",
            variants=variants,
            evaluation=EVALUATION,
            predictions=tmp_path / "predictions.parquet",
            **out,
            code="x",
        )
        metrics = tables.read(out["metrics"], METRICS)
        return (
            tables.read(tmp_path / "predictions.parquet", STRESS),
            by_subset(metrics),
            tables.read(out["replicates"], REPLICATES),
        )

    return SimpleNamespace(run=run, folder=tmp_path, model=model)


def write_detections(folder, rows):
    path = folder / "finder" / "detections.parquet"
    frame = pd.DataFrame(rows, columns=["image_id", "rank", "score", "x", "y", "width", "height"])
    frame = frame.astype({"rank": "int32"}).assign(**KEY)
    tables.write(path, frame, DETECTIONS)
    return path


def test_a_moved_box_costs_a_model_that_trusts_it_its_whole_way(study):
    _, metrics, _ = study.run({"near": {"shift": 0.1}, "far": {"shift": 0.25}})
    assert metrics[of("none"), "nmse"]["value"] == pytest.approx(0, abs=1e-6)
    # 4 and 10 px of 20 between the eyes
    assert metrics[of("near"), "nmse"]["value"] == pytest.approx(0.2)
    assert metrics[of("far", "2"), "nmse"]["value"] == pytest.approx(0.5)
    assert metrics[of("far", "2"), "nmse"]["n"] == 2
    assert metrics[of("far"), "nmse"][["low", "high"]].tolist() == pytest.approx([0.5] * 2)


def test_a_face_not_found_has_no_points_and_counts_as_a_failure_to_acquire(study):
    moved = (BOX[0] + 4, *BOX[1:])
    rows = [("s1", 0, 0.9, *moved), ("s1", 1, 0.8, *BOX), ("s2", 0, 0.7, *moved)]
    path = write_detections(study.folder, rows)
    found, metrics, _ = study.run({"found": {"detector": "finder"}}, detections=[path])
    lost = found[(found["variant"] == "found") & (found["image_id"] == "s3")]
    assert len(lost) == 5
    assert lost[["x", "y", *UNCERTAINTY]].isna().all(axis=None)
    assert found[found["image_id"] != "s3"][["x", "y", *UNCERTAINTY]].notna().all(axis=None)
    assert metrics[of("found"), "failure_rate"]["value"] == pytest.approx(1 / 3)
    assert metrics[of("found", "1"), "failure_rate"]["value"] == 0
    assert metrics[of("found"), "nmse"][["value", "n"]].tolist() == pytest.approx([0.2, 2])


def test_the_ratio_compares_the_same_images(study):
    # s1 errs by 1 px in its given box; s3, which errs by 9, is not found
    given = pd.DataFrame(
        [("s1", "given", 11.0, *BOX[1:]), ("s2", "given", *BOX), ("s3", "given", 19.0, *BOX[1:])],
        columns=BOXES.names,
    )
    tables.write(study.folder / "own/boxes.parquet", given, BOXES)
    rows = [("s1", 0, 1.0, 12.0, *BOX[1:]), ("s2", 0, 1.0, 11.0, *BOX[1:])]
    path = write_detections(study.folder, rows)
    _, metrics, _ = study.run({"found": {"detector": "finder"}}, detections=[path])
    ratio = metrics[of("found"), "nmse_ratio"][["value", "n"]].tolist()
    assert ratio == pytest.approx([3, 2])  # 2 px and 1 px, after 1 px and none
    assert (of("none"), "nmse_ratio") not in metrics


def test_another_recording_is_read_by_the_same_names_once(study, monkeypatch):
    read = []
    real = images.read_counts
    monkeypatch.setattr(images, "read_counts", lambda path: read.append(path) or real(path))
    write_dataset(study.folder / "cold", level=10, names=("extra", *SUBJECTS[::-1]))
    variants = {"cold": {"dataset": "cold"}, "a": {"shift": 0.1}, "again": {"dataset": "cold"}}
    found, *_ = study.run(variants, datasets=("own", "cold"))
    told = found.groupby("variant")["scale_xx"].unique()
    assert told["none"].tolist() == told["a"].tolist() == [30]
    assert told["cold"].tolist() == [10]
    assert set(found["image_id"]) == set(SUBJECTS)
    assert len(read) == len(set(read)) == 6


def test_a_recording_of_other_people_is_refused_by_name(study):
    write_dataset(study.folder / "cold", level=10)
    path = study.folder / "cold" / "images.parquet"
    table = tables.read(path, IMAGES)
    tables.write(path, table.assign(subject_id=["s1", "x", "s3"]), IMAGES)
    with pytest.raises(ValueError, match="image s2 of dataset cold shows another subject"):
        study.run({"cold": {"dataset": "cold"}}, datasets=("own", "cold"))


def test_a_recording_without_the_test_images_is_refused_by_name(study):
    write_dataset(study.folder / "cold", level=10, names=("s1",))
    with pytest.raises(ValueError, match="cold lacks image s2 and 1 more of the protocol's"):
        study.run({"cold": {"dataset": "cold"}}, datasets=("own", "cold"))


def test_variants_are_drawn_with_the_same_subjects(study):
    _, _, replicates = study.run({"near": {"shift": 0.1}, "far": {"shift": 0.2}})
    drawn = by_subset(replicates)
    both = [np.isnan(drawn[of(name, "1"), "nmse"]["values"]) for name in ("near", "far")]
    assert [len(lost) for lost in both] == [50, 50]
    assert both[0].any()  # draws without the one subject of range 1
    assert (both[0] == both[1]).all()


def test_compare_joins_the_folds_of_a_variant_with_its_own_replicates(study):
    _, _, first = study.run({"near": {"shift": 0.1}})
    metrics = tables.read(study.folder / "metrics.parquet", METRICS)
    later = metrics.assign(fold=np.int32(1), value=metrics["value"] + 0.1)
    draws = [first.sample(frac=1, random_state=1), first.assign(values=first["values"] + 0.1)]
    summary = summarise(pd.concat([metrics, later]), join(pd.concat(draws)))
    row = by_subset(summary)[of("near"), "nmse"]
    assert row[["value", "low", "high"]].tolist() == pytest.approx([0.25] * 3)
    assert row["n_folds"] == 2


def run_detect(study):
    detect.run(
        **{kind: study.folder / f"own/{kind}.parquet" for kind in ("images", "boxes")},
        folds=study.folder / "folds.parquet",
        state=study.folder / "state",
        dataset="own",
        **KEY,
        detector="m",
        settings={},
        modality="thermal",
        evaluation=EVALUATION,
        detections=study.folder / "detections.parquet",
        metrics=study.folder / "metrics.parquet",
        replicates=study.folder / "replicates.parquet",
        code="x",
    )


def test_detections_are_ranked_and_rated_by_range(study):
    near, far = [11.0, 20, 40, 40], [40.0, 20, 20, 20]
    study.model.detect = lambda *_: Detections(
        index=torch.tensor([0, 0, 2, 2]),
        boxes=torch.tensor([near, far, far, near]),
        scores=torch.tensor([0.9, 0.8, 0.7, 0.6]),
        points=torch.zeros(4, 5, 2),
    )
    run_detect(study)
    found = tables.read(study.folder / "detections.parquet", DETECTIONS)
    assert found[["image_id", "rank"]].to_numpy().tolist() == [
        ["s1", 0],
        ["s1", 1],
        ["s3", 0],
        ["s3", 1],
    ]
    metrics = tables.read(study.folder / "metrics.parquet", METRICS)
    metrics = by_subset(metrics)
    assert metrics[ALL, "detection_recall"][["value", "n"]].tolist() == pytest.approx([2 / 3, 3])
    assert metrics[ALL, "detection_precision"][["value", "n"]].tolist() == [0.5, 4]
    assert metrics[ALL, "false_alarms"][["value", "n"]].tolist() == pytest.approx([2 / 3, 3])
    assert metrics[Subset(range="1"), "detection_recall"][["value", "n"]].tolist() == [1, 1]
    assert metrics[Subset(range="2"), "false_alarms"][["value", "n"]].tolist() == [0.5, 2]


def test_a_detector_that_finds_nothing_has_no_precision(study):
    study.model.detect = lambda *_: Detections(
        index=torch.zeros(0, dtype=torch.int64),
        boxes=torch.zeros(0, 4),
        scores=torch.zeros(0),
        points=torch.zeros(0, 5, 2),
    )
    run_detect(study)
    metrics = tables.read(study.folder / "metrics.parquet", METRICS)
    values = {
        metric: row["value"]
        for (subset, metric), row in by_subset(metrics).items()
        if subset == ALL
    }
    assert values["detection_recall"] == 0
    assert np.isnan(values["detection_precision"])
    assert len(tables.read(study.folder / "detections.parquet", DETECTIONS)) == 0


def test_a_model_that_cannot_detect_is_refused_by_name(study):
    with pytest.raises(ValueError, match=r"models: m: landmarks/m.py has no detect\(\)"):
        run_detect(study)


def test_more_images_than_are_read_together_are_found_and_predicted_alike(study, monkeypatch):
    """One image at a time: as many calls, the same tables."""
    shown = []

    def find(state, stack, settings):
        shown.append(len(stack))
        n = torch.arange(len(stack))
        boxes = torch.tensor(BOX).expand(len(stack), 4) + stack.sizes[:, 0, :1]
        return Detections(n, boxes, torch.ones(len(stack)), torch.zeros(len(stack), 5, 2))

    study.model.detect = find
    made = []
    for pixels in (2**28, 1):
        monkeypatch.setattr(images, "AT_ONCE", pixels)
        run_detect(study)
        tables_of = [tables.read(study.folder / "detections.parquet", DETECTIONS)]
        made.append([*tables_of, *study.run({"far": {"shift": 0.2}})])
    assert shown == [3, 1, 1, 1]
    for whole, split in zip(*made, strict=True):
        pd.testing.assert_frame_equal(pd.DataFrame(whole), pd.DataFrame(split))
