"""A detector to take home: states as they were, ONNX or why not, figures, a card of them."""

import json
from collections import Counter

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from thermalign import tables
from thermalign.deploy import load
from thermalign.deploy.detector import load_detector
from thermalign.geometry import LANDMARKS
from thermalign.landmarks import mtcnn
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES, BOXES, FOLDS, IMAGES
from thermalign.schemas.measures import METRICS
from thermalign.schemas.predictions import CURVES, DETECTIONS, PREDICTIONS, UNCERTAINTY
from thermalign.states import State, save_state
from thermalign.steps import pack

SHAPE = np.array([[20.0, 30], [40, 30], [30, 40], [22, 50], [38, 50]])  # 20 px between the eyes
BOX = {"x": 10.0, "y": 20.0, "width": 40.0, "height": 40.0}
ROLES = ["train", "train", "test", "test", "test"]
RECORDED = ("images", "annotations", "boxes", "attributes")
ASKED = {"dataset": "r", "by": "camera", "composed": []}
FULL = {"stages": "full", "losses": "weighted_sum", "width": 0.25}


def write_state(path, name, tensors, **settings):
    told = {"model": name, "detector": name, "seed": 1, **settings}
    metadata = {"settings": json.dumps(told), "commit": "abc", "precision": "float32"}
    save_state(path, State(tensors), metadata)


@pytest.fixture
def study(tmp_path):
    """Tables and states of two models as rules write them, of five people."""
    rng = np.random.default_rng(1)
    names = [f"i{n}" for n in range(5)]
    for name in names:
        cv2.imwrite(str(tmp_path / f"{name}.png"), rng.integers(0, 999, (80, 60)).astype(np.uint16))
    told = {"session": "1", "volume": 1, "range": 1, "condition": "baseline", "pair_id": ""}
    told |= {"moment": "", "sha256": "0", "modality": "thermal", "width": 60, "height": 80}
    rows = pd.DataFrame({"image_id": names}).assign(
        subject_id=[f"s{n}" for n in range(5)],
        path=[str(tmp_path / f"{name}.png") for name in names],
        **told,
        bit_depth=16,
        scale=0.01,
        offset=0.0,
    )
    tables.write(tmp_path / "images.parquet", rows, IMAGES)
    points = pd.DataFrame(
        [(i, n, x, y, True) for i in names for n, (x, y) in zip(LANDMARKS, SHAPE, strict=True)],
        columns=ANNOTATIONS.names,
    )
    tables.write(tmp_path / "annotations.parquet", points, ANNOTATIONS)
    boxes = pd.DataFrame({"image_id": names, "source": "given"}).assign(**BOX)
    tables.write(tmp_path / "boxes.parquet", boxes, BOXES)
    told = pd.DataFrame({"subject_id": "", "image_id": names, "name": "camera", "value": "c"})
    tables.write(tmp_path / "attributes.parquet", told[ATTRIBUTES.names], ATTRIBUTES)
    folds = pd.DataFrame({"image_id": names, "role": ROLES, "flipped": False})
    tables.write(tmp_path / "folds.parquet", folds.assign(protocol="p", fold=0), FOLDS)
    key = {"protocol": "p", "fold": 0, "model": "mean_shape"}
    found = points.drop(columns="visible").assign(
        x=points["x"] + 2, **dict.fromkeys(UNCERTAINTY, np.nan), **key
    )
    test = found[found["image_id"].isin(names[2:])]
    tables.write(tmp_path / "predictions.parquet", test, PREDICTIONS)
    seen = pd.DataFrame({"image_id": ["i2", "i2"], "rank": [0, 1], "score": 0.9}).assign(**BOX)
    seen = seen.assign(protocol="p", fold=0, model="mtcnn")
    tables.write(tmp_path / "detections.parquet", seen, DETECTIONS)
    curve = pd.DataFrame(
        {"stage": ["a", "a", "b"], "step": [5, 9, 30], "core_seconds": [1, 2, 7.0]}
    )
    curve = curve.assign(loss=1.0, validation_nmse=0.1, protocol="p", fold=0, model="m")
    tables.write(tmp_path / "curve.parquet", curve, CURVES)
    shape = torch.tensor((SHAPE - [9.5, 19.5]) / 40, dtype=torch.float32)
    write_state(tmp_path / "a/state.safetensors", "mean_shape", {"mean_shape": shape})
    torch.manual_seed(1)
    networks = mtcnn.Mtcnn(mtcnn.Settings(**FULL))
    kept = mtcnn.keep(networks, [], mtcnn.Settings(**FULL)).tensors
    write_state(tmp_path / "b/state.safetensors", "mtcnn", kept, **FULL)
    return tmp_path


def packed(folder, *, recorded=(), asked=None, beside=(), out="detector"):
    two = {name: [folder / f"{name}.parquet"] * 2 for name in ("images", "annotations", "boxes")}
    part = {"dataset": "d", "protocol": "p", "fold": 0, "modality": "thermal"}
    out = folder / out
    pack.run(
        states=[folder / "a/state.safetensors", folder / "b/state.safetensors"],
        curves=[folder / "curve.parquet"] * 2,
        **two,
        folds=[folder / "folds.parquet"] * 2,
        predictions=folder / "predictions.parquet",
        detections=folder / "detections.parquet",
        recorded=[folder / f"{name}.parquet" for name in recorded],
        beside=list(beside),
        # in the order of the alphabet, as the rule hands them over
        parts={"finder": {**part, "model": "mtcnn"}, "landmarks": {**part, "model": "mean_shape"}},
        datasets={"d": {"adapter": "simulator", "seed": 5}},
        asked=asked or {},
        settings={"replicates": 50},
        landmarks=out / "landmarks.safetensors",
        finder=out / "finder.safetensors",
        metrics=out / "metrics.parquet",
        card=out / "MODEL_CARD.md",
        onnx=out / "landmarks.onnx",
        code="c",
    )
    return out


def value(table, model, metric):
    rows = table[(table["model"] == model) & (table["metric"] == metric) & (table["range"] == "")]
    return dict(zip(rows["dataset"], rows["value"], strict=True))


def test_states_are_those_that_were_trained_and_load_as_a_detector(study):
    out = packed(study)
    for name, model in {"landmarks": "a", "finder": "b"}.items():
        kept = (out / f"{name}.safetensors").read_bytes()
        assert kept == (study / model / "state.safetensors").read_bytes()
        assert str(study).encode() not in kept
    detector = load(out / "landmarks.safetensors", finder=out / "finder.safetensors")
    assert detector.finder.path == out / "finder.safetensors"


def test_figures_are_those_of_the_test_people_and_stand_in_the_card(study, capsys):
    out = packed(study)
    table = tables.read(out / "metrics.parquet", METRICS)
    np.testing.assert_allclose(value(table, "mean_shape", "nmse")["d"], 0.1)
    np.testing.assert_allclose(value(table, "mtcnn", "detection_recall")["d"], 1 / 3)
    np.testing.assert_allclose(value(table, "mtcnn", "false_alarms")["d"], 1 / 3)
    card = (out / "MODEL_CARD.md").read_text()
    assert (
        "| landmarks | d | 2 people, 2 images | 0 people, 0 images | 3 people, 3 images |" in card
    )
    assert "| faces | mtcnn | 1 | a 9, b 30 | 7 |" in card
    assert "| all | 3 | .100 |" in card
    assert "None were measured" in card
    assert str(study) not in card


def test_without_onnx_a_line_says_why_and_no_old_file_is_left(study, capsys):
    (study / "detector").mkdir()
    (study / "detector/landmarks.onnx").write_bytes(b"")
    out = packed(study)
    assert not (out / "landmarks.onnx").exists()
    (line,) = capsys.readouterr().err.strip().splitlines()
    why = "its detector cannot be exported (no portable() in its module); heatmap can"
    assert line == f"no ONNX file: {why}"
    assert f"No ONNX file: {why}.\n" in (out / "MODEL_CARD.md").read_text()


def test_an_onnx_file_that_should_be_written_and_cannot_fails_the_job(study, monkeypatch):
    monkeypatch.setattr(pack, "obstacle", lambda detector: "")
    with pytest.raises(ValueError, match="its detector cannot be exported"):
        packed(study)
    assert not (study / "detector/MODEL_CARD.md").exists()


def test_what_cannot_be_read_leaves_no_old_onnx_file_and_no_new_state(study):
    (study / "detector").mkdir()
    (study / "detector/landmarks.onnx").write_bytes(b"old")
    (study / "detections.parquet").unlink()
    with pytest.raises(ValueError, match="no such table"):
        packed(study)
    assert list((study / "detector").iterdir()) == []


def test_recorded_faces_without_an_annotated_image_are_refused_before_anything_is_written(study):
    table = tables.read(study / "annotations.parquet", ANNOTATIONS)
    tables.write(study / "none.parquet", table[:0], ANNOTATIONS)
    with pytest.raises(ValueError, match=r"detector\.recorded: dataset r has no thermal image"):
        packed(study, recorded=("images", "none", "boxes", "attributes"), asked=ASKED)
    assert not (study / "detector").exists()


def test_recorded_faces_are_measured_whatever_predict_refuses_of_them(study):
    out = packed(study, recorded=RECORDED, asked=ASKED)
    table = tables.read(out / "metrics.parquet", METRICS)
    usual = load(out / "landmarks.safetensors", finder=out / "finder.safetensors")
    paths = sorted(study.glob("i*.png"))
    boxes = [np.array([*BOX.values()])] * len(paths)
    statuses = Counter(face.status for (face,) in usual.batch(paths, boxes))
    told = json.loads(tables.read_metadata(out / "metrics.parquet")["statuses"])
    assert told == statuses
    refused = len(paths) - statuses["ok"]
    assert f"that is\n{refused} of {len(paths)}" in (out / "MODEL_CARD.md").read_text()
    placed = load_detector(out / "landmarks.safetensors").predict(
        [np.zeros((80, 60), np.float32)], np.array([[*BOX.values()]])
    )
    away = np.linalg.norm(placed.points[0] - SHAPE, axis=1).mean() / 20
    told = value(table, "mean_shape", "nmse")["r"]
    np.testing.assert_allclose(told, away, atol=1e-6)
    assert "| c | 5 |" in (out / "MODEL_CARD.md").read_text()


def test_figures_of_another_run_stand_beside(study):
    first = packed(study, recorded=RECORDED, asked=ASKED)
    told = value(tables.read(first / "metrics.parquet", METRICS), "mean_shape", "nmse")
    out = packed(study, beside=[first / "metrics.parquet"], out="longer")
    card = (out / "MODEL_CARD.md").read_text()
    both = "a 9, b 30 + a 9, b 30"
    assert f"| this one | {both} | 7 + 7 | d 3 | .100 |" in card.replace(" [", " | [")
    assert f"| other 1 | {both} | 7 + 7 | d 3, r 5 | .100 |" in card.replace(" [", " | [")
    (row,) = [line for line in card.splitlines() if line.startswith("| other 1 |")]
    assert f"{told['r']:.3f}".removeprefix("0") in row.split("|")[-2]
    with pytest.raises(ValueError, match=r"predictions\.parquet: was not written by pack"):
        packed(study, beside=[study / "predictions.parquet"], out="third")
