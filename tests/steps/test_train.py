"""The training step: what it cuts, what it keeps, and that it survives being killed."""

import hashlib
import json
import random
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pandas as pd
import pytest

from thermalign import tables
from thermalign.cut import device
from thermalign.geometry import LANDMARKS
from thermalign.provenance import sources
from thermalign.records import boxes_of
from thermalign.schemas.dataset import ANNOTATIONS, BOXES, FOLDS, IMAGES
from thermalign.schemas.predictions import CURVES
from thermalign.states import read_metadata, read_state
from thermalign.steps import train as step
from thermalign.training.checkpoint import checkpoint_key

FACE = np.array([[30.0, 40], [70, 40], [50, 64], [34, 80], [66, 80]])
SETTINGS = {"input_size": 32, "width": 0.1, "hidden": 32, "batch_size": 16, "validate_every": 50}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Write the tables of eight subjects with three noisy images each."""
    folder = tmp_path_factory.mktemp("study")
    rng = np.random.default_rng(0)
    images, points, boxes, folds = [], [], [], []
    for n in range(24):
        name, subject = f"image{n:02d}", n // 3
        path = folder / f"{name}.png"
        face = FACE + rng.normal(0, 3, 2) + rng.normal(0, 1, (5, 2))
        canvas = rng.normal(30_000, 50, (120, 100)).astype(np.uint16)
        for x, y in face.round().astype(int).tolist():
            cv2.circle(canvas, (x, y), 4, 30_800, -1)
        cv2.imwrite(str(path), canvas)
        role = "validation" if subject == 0 else "train"
        images.append((name, f"s{subject}", "1", 1, 1, "baseline", "thermal", "", str(path)))
        points += [(name, k, *xy, True) for k, xy in zip(LANDMARKS, face.tolist(), strict=True)]
        boxes.append((name, "given", 8.0, 10.0, 85.0, 100.0))
        folds += [("p", 0, name, role, f) for f in ([False, True] if role == "train" else [False])]
    table = pd.DataFrame(images, columns=[n for n in IMAGES.names if n != "moment"][:9]).assign(
        moment="", width=100, height=120, bit_depth=16, scale=0.01, offset=-273.15, sha256="0"
    )
    tables.write(folder / "images.parquet", table, IMAGES)
    for name, rows, schema in (
        ("annotations", points, ANNOTATIONS),
        ("boxes", boxes, BOXES),
        ("folds", folds, FOLDS),
    ):
        frame = pd.DataFrame(rows, columns=schema.names)
        tables.write(folder / f"{name}.parquet", frame, schema)
    return folder


def command(study, out, steps, *, detector="dan", init=None, **changed):
    """Return the command of a training job that writes into ``out``."""
    settings = SETTINGS | {"steps": steps, "later_steps": steps} | changed if steps else {}
    options = {
        **{k: study / f"{k}.parquet" for k in ("images", "annotations", "boxes", "folds")},
        **{"protocol": "p", "fold": 0, "model": detector, "detector": detector, "seed": 1},
        **{"settings": json.dumps(settings), "modality": "thermal", "code": "0"},
        **{"state": out / "state.safetensors", "curve": out / "curve.parquet"},
        **{"checkpoint": out / "checkpoint.pt", "log": out / "train.log", "job": "p/fold0"},
    }
    words = [str(word) for k, v in options.items() for word in (f"--{k}", v)]
    start = ["--initial", "--init", *([str(init)] if init else [])]
    return [sys.executable, "-m", "thermalign", "train", *words, *start]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def train(study, out, steps):
    return subprocess.run(command(study, out, steps), capture_output=True, text=True, check=True)


def kill_after_a_checkpoint(study, out, steps):
    """Start a training, and kill it at a random moment after it has written a checkpoint."""
    path = out / "checkpoint.pt"
    before = path.stat().st_mtime_ns if path.exists() else 0
    job = subprocess.Popen(command(study, out, steps))
    while not path.exists() or path.stat().st_mtime_ns == before:
        assert job.poll() is None, "ended before it wrote a checkpoint"
        time.sleep(0.05)
    time.sleep(random.SystemRandom().uniform(0, 1))
    job.send_signal(signal.SIGKILL)
    assert job.wait() == -signal.SIGKILL
    assert not (out / "state.safetensors").exists()


def test_a_training_killed_at_random_moments_ends_in_the_same_file(study, tmp_path):
    steps = 500
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train(study, whole, steps)
    for _ in range(2):
        kill_after_a_checkpoint(study, killed, steps)
    assert "goes on from step" in train(study, killed, steps).stderr
    assert digest(killed / "state.safetensors") == digest(whole / "state.safetensors")
    assert not (killed / "checkpoint.pt").exists()
    columns = ["stage", "step", "loss", "validation_nmse"]
    curves = [tables.read(k / "curve.parquet", CURVES)[columns] for k in (whole, killed)]
    pd.testing.assert_frame_equal(*curves)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_state_says_in_what_precision_and_where_it_was_trained(study, tmp_path, precision):
    out = tmp_path / "out"
    for _ in range(2):
        run = command(study, out, 4, precision=precision)
        subprocess.run(run, capture_output=True, text=True, check=True)
        metadata = read_metadata(out / "state.safetensors")
        where = {key: metadata[key] for key in ("precision", "device", "stages_used")}
        used = int(read_state(out / "state.safetensors").tensors["stages_used"])
        assert where == {"precision": precision, "device": device().type, "stages_used": used}


def test_a_model_without_a_network_says_its_precision_too(study, tmp_path):
    run = command(study, tmp_path, None, detector="mean_shape")
    subprocess.run(run, capture_output=True, text=True, check=True)
    metadata = read_metadata(tmp_path / "state.safetensors")
    assert metadata["precision"] == "float32"
    assert metadata["modality"] == "thermal"
    assert json.loads(metadata["parameters"]) == {"configured": 0, "paper": 0}


@pytest.fixture(scope="module")
def briefly(study, tmp_path_factory):
    """Return the folder of a training of two steps."""
    folder = tmp_path_factory.mktemp("briefly")
    train(study, folder, 2)
    return folder


def test_state_and_curve_say_how_many_parameters_there_are(briefly):
    state = read_metadata(briefly / "state.safetensors")["parameters"]
    curve = tables.read_metadata(briefly / "curve.parquet")["parameters"]
    assert state == curve
    assert json.loads(curve)["paper"] == 23_022_592
    assert 0 < json.loads(curve)["configured"] < 1_000_000


def test_a_state_is_calibrated_on_the_validation_images_of_its_fold(briefly):
    state = read_state(briefly / "state.safetensors")
    assert state.calibration["gain"].shape == (5,)
    few = ("constant", "constant_tail")  # not known from so few faces
    told = [value for name, value in state.calibration.items() if name not in few]
    assert all(bool(value.isfinite().all()) for value in told)
    assert all(bool(state.calibration[name].isnan().all()) for name in few)
    noted = read_metadata(briefly / "state.safetensors")["calibration"]
    assert noted == "3 images of 1 person"


def test_training_depends_on_no_code_of_matching_or_evaluation():
    reached = {
        module.split(".")[1] for module in sources("thermalign.steps.train") if "." in module
    }
    assert {"landmarks", "training", "states"} <= reached
    assert not {"verification", "evaluation", "metrics", "report"} & reached


def test_a_checkpoint_of_other_settings_is_not_used(study, tmp_path):
    other = tmp_path / "other"
    job = subprocess.Popen(command(study, other, 10_000))
    while not (other / "checkpoint.pt").exists():
        assert job.poll() is None
        time.sleep(0.1)
    job.kill()
    job.wait()
    assert "goes on" not in train(study, other, 5).stderr
    rows = tables.read(other / "curve.parquet", CURVES)
    assert rows["step"].max() == 5


def test_a_training_starts_from_a_state_whose_content_is_in_its_metadata(study, tmp_path):
    def run(name, steps, **options):
        words = command(study, tmp_path / name, steps, **options)
        return subprocess.run(words, capture_output=True, text=True)

    assert run("first", 30).returncode == 0
    first = tmp_path / "first/state.safetensors"
    assert "init" not in read_metadata(first)
    assert run("second", 2, init=first, learning_rate=1e-8).returncode == 0
    second = tmp_path / "second/state.safetensors"
    assert read_metadata(second)["init"] == digest(first)
    before, after = read_state(first).tensors, read_state(second).tensors
    name = "stages.0.dense.1.weight"
    np.testing.assert_allclose(after[name], before[name], atol=1e-5)
    wider = run("third", 2, init=first, width=0.2)
    assert wider.returncode == 1
    told = "its tensors do not fit the model: width is 0.2, and was 0.1 in its training"
    assert f"{first}: {told}" in wider.stderr
    assert "Traceback" not in wider.stderr


def test_a_checkpoint_of_another_start_is_not_used(study, tmp_path, monkeypatch):
    keys = []

    def key(*asked):
        keys.append(checkpoint_key(*asked))
        return keys[-1]

    monkeypatch.setattr("thermalign.steps.train.checkpoint_key", key)

    def run(name, *, seed=1, init=()):
        out = tmp_path / name
        out.mkdir(exist_ok=True)
        step.run(
            **{k: study / f"{k}.parquet" for k in ("images", "annotations", "boxes", "folds")},
            **{"protocol": "p", "fold": 0, "model": "dan", "detector": "dan", "seed": seed},
            **{"settings": SETTINGS | {"steps": 1, "later_steps": 1}, "modality": "thermal"},
            **{"state": out / "state.safetensors", "curve": out / "curve.parquet", "code": "0"},
            **{"checkpoint": out / "checkpoint.pt", "init": list(init), "initial": []},
        )
        return out / "state.safetensors"

    one, another = run("one"), run("another", seed=2)
    keys.clear()
    for start in (one, another, one):
        run("on", init=[start])
    assert keys[0] == keys[2] != keys[1]


def test_boxes_follow_the_order_of_the_images():
    rows = pd.DataFrame({"image_id": ["b", "a"]})
    table = pd.DataFrame({"image_id": ["a", "b"], "x": [1, 2], "y": 0, "width": 5, "height": 6})
    assert boxes_of(rows, table)[:, 0].tolist() == [2, 1]
