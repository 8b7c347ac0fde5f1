"""A detector in another runtime: the same points, for any number of faces."""

import importlib.util
import json

import numpy as np
import pytest
import torch

from thermalign.deploy import load_detector
from thermalign.deploy import onnx as module
from thermalign.deploy.onnx import OPSET, export_onnx
from thermalign.geometry import (
    LANDMARKS,
    apply_matrix,
    box_to_crop,
    fit_similarity,
    invert_matrix,
)
from thermalign.landmarks import heatmap
from thermalign.landmarks.normalise import LEVELS, SAMPLES
from thermalign.states import State, save_state
from thermalign.warp import stack_images, warp

FEATURES = {"input_size": 32, "width": 0.25, "passes": 2, "mirrored": True}
SHAPE = torch.tensor([[-0.18, -0.1], [0.18, -0.1], [0.0, 0.1], [-0.13, 0.25], [0.13, 0.25]])
BOXES = np.array([[20.0, 10, 60, 74], [15.5, 12.25, 70, 66], [30, 20, 44, 60]])


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """Return the path of a heatmap state that was not trained; its maps are sharp."""
    path = tmp_path_factory.mktemp("onnx") / "state.safetensors"
    torch.manual_seed(3)
    network = heatmap.network(heatmap.Settings(**FEATURES))
    network.mean_shape = SHAPE
    network.maps.weight.data *= 30
    settings = {"model": "heatmap", "detector": "heatmap", "seed": 1, **FEATURES}
    save_state(path, State(network.state_dict()), {"settings": json.dumps(settings)})
    return path


@pytest.fixture(scope="module")
def session(state):
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name, reason=f"{name} is an extra: pip install 'thermalign[onnx]'")
    import onnxruntime  # noqa: PLC0415

    path = state.with_suffix(".onnx")
    export_onnx(state, path)
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def host(session, image, boxes):
    """Go from boxes to points as the metadata of the file say, the network in the runtime."""
    told = json.loads(session.get_modelmeta().custom_metadata_map["thermalign"])
    stack, index = stack_images([image], torch.device("cpu")), torch.zeros(len(boxes), dtype=int)
    boxes = torch.tensor(boxes, dtype=torch.float32)
    side = told["levels"]["samples"]
    values = warp(stack, index, box_to_crop(boxes, side, side), width=side, height=side)
    ranks = np.rint(np.array(told["levels"]["quantiles_of_the_box"]) * (side**2 - 1)).astype(int)
    levels = np.sort(values.flatten(1).numpy(), axis=1)[:, ranks]
    middle = boxes[:, :2] + (boxes[:, 2:] - 1) / 2
    start = torch.tensor(told["start"])
    points = middle[:, None] + start * boxes[:, 2:].mean(1)[:, None, None]
    size = told["size"]
    for _ in range(told["passes"]):
        matrix = fit_similarity(points, torch.tensor(told["goal"]))
        crops = warp(stack, index, matrix, width=size, height=size).numpy()
        found, _ = session.run(None, {"crops": crops, "levels": levels})
        points = apply_matrix(invert_matrix(matrix), torch.from_numpy(found))
    return points.numpy()


def test_another_runtime_predicts_what_the_detector_does(state, session):
    image = np.random.default_rng(1).normal(30, 1, (120, 110)).astype(np.float32)
    detector = load_detector(state)
    for boxes in (BOXES, BOXES[:1]):
        points = detector.predict([image] * len(boxes), boxes).points
        np.testing.assert_allclose(host(session, image, boxes), points, atol=2e-3)


def test_points_and_covariances_are_those_of_torch(state, session):
    detector = load_detector(state)
    portable = detector.module.portable(detector.state, detector.settings)
    generator = torch.Generator().manual_seed(1)
    crops = 30 + torch.randn((5, 1, portable.size, portable.size), generator=generator)
    levels = torch.tensor([[28.0, 33.0]] * 5)
    with torch.no_grad():
        wanted = portable.network(crops, levels)
    got = session.run(None, {"crops": crops.numpy(), "levels": levels.numpy()})
    assert [o.name for o in session.get_outputs()] == ["points", "covariance"]
    assert np.ptp(got[0][:, 0, 0]) > 0.1  # they depend on what is seen
    for ours, theirs in zip(wanted, got, strict=True):
        np.testing.assert_allclose(theirs, ours.numpy(), atol=1e-3)


def test_the_file_says_what_a_host_needs_and_names_its_operators(state, session):
    import onnx  # noqa: PLC0415

    model = onnx.load(state.with_suffix(".onnx"))
    assert [entry.version for entry in model.opset_import if entry.domain == ""] == [OPSET]
    assert module.holds_network(state.with_suffix(".onnx"))  # and may be written again
    told = json.loads(session.get_modelmeta().custom_metadata_map["thermalign"])
    assert told["landmarks"] == list(LANDMARKS)
    assert (told["size"], told["passes"]) == (32, 2)
    assert told["levels"] == {"quantiles_of_the_box": list(LEVELS), "samples": SAMPLES}
    assert session.get_inputs()[0].shape[1:] == [1, 32, 32]


def test_what_cannot_be_exported_is_refused(state, tmp_path, landmarks, monkeypatch):
    with pytest.raises(ValueError, match=r"state\.safetensors: is the trained model"):
        export_onnx(state, state)
    monkeypatch.setattr(module, "NEEDED", ())
    with pytest.raises(
        ValueError, match=r"landmarks\.safetensors: its detector cannot be exported"
    ):
        export_onnx(landmarks, tmp_path / "a.onnx")
    monkeypatch.setattr(module, "NEEDED", ("no_such_package",))
    assert importlib.util.find_spec("no_such_package") is None
    with pytest.raises(ValueError, match=r"no_such_package is not .* install 'thermalign\[onnx\]'"):
        export_onnx(state, tmp_path / "a.onnx")
    assert not (tmp_path / "a.onnx").exists()
