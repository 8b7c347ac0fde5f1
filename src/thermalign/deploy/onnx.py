"""A trained detector as an ONNX file, for runtimes without PyTorch."""

import importlib.util
import json
import logging
import warnings
from pathlib import Path
from typing import Any

import torch

from thermalign.deploy.detector import TrainedDetector, load_detector
from thermalign.deploy.outputs import check_output
from thermalign.geometry import LANDMARKS
from thermalign.landmarks.normalise import LEVELS, SAMPLES
from thermalign.landmarks.portable import Portable
from thermalign.tables import replace_file

OPSET = 18
"""Version of the operators of ONNX."""

NEEDED = ("onnx", "onnxscript")
KEY = "thermalign"


def export_onnx(state: Path, output: Path) -> None:
    """Write one look of a trained detector as ONNX, of any number of faces.

    Inputs ``crops`` (N, 1, size, size) float32, in any unit, and ``levels`` (N, 2) float32, the
    values in that unit that become -1 and 1; outputs ``points`` (N, L, 2), pixels of the crop, and
    ``covariance`` (N, L, 2, 2), raw. The metadata has, as JSON under ``thermalign``, what a host
    needs to go from a face box to crops and levels and back: see
    :class:`thermalign.landmarks.portable.Portable` and ``docs/predict.md``.

    Parameters
    ----------
    state : Path of a trained model
    output : Path of an ``.onnx`` file

    Raises
    ------
    ValueError
        If the state is none, its detector or normalisation cannot be exported, the extra ``onnx``
        is not installed, or ``output`` is something that must not be replaced.
    """
    target = check_output(output, {"the trained model": [state]}, ours=holds_network)
    detector = load_detector(state)
    if why := obstacle(detector):
        raise ValueError(f"{state}: {why}")
    its = detector.module.portable(detector.state, detector.settings)  # type: ignore[attr-defined]
    replace_file(target, lambda path: _write(path, its, _described(its, detector.settings)))


def obstacle(detector: TrainedDetector) -> str:
    """Return why a detector cannot be written as ONNX here; empty where it can."""
    if not hasattr(detector.module, "portable"):
        return "its detector cannot be exported (no portable() in its module); heatmap can"
    if detector.settings.normalisation == "histogram":
        return "normalisation: histogram has no operator in ONNX; train with percentile"
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    return f"{missing[0]} is not installed; pip install 'thermalign[onnx]'" if missing else ""


def _described(its: Portable, settings: Any) -> dict[str, Any]:
    levels: dict[str, Any] = {"quantiles_of_the_box": LEVELS, "samples": SAMPLES}
    if settings.normalisation == "window":
        levels = {"values": settings.window}
    return {
        "landmarks": LANDMARKS,
        "size": its.size,
        "start": its.start.tolist(),
        "goal": its.goal.tolist(),
        "passes": its.passes,
        "levels": levels,
    }


def _write(path: Path, its: Portable, described: dict[str, Any]) -> None:
    import onnx  # noqa: PLC0415  # an extra
    import onnxscript  # noqa: F401, PLC0415  # of it too: what torch exports with

    crops, levels = torch.rand(2, 1, its.size, its.size), torch.tensor([[0.0, 1.0]] * 2)
    count = torch.export.Dim("N")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # of what it can do without
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        made = torch.onnx.export(
            its.network.eval(),
            (crops, levels),
            dynamo=True,
            opset_version=OPSET,
            input_names=["crops", "levels"],
            output_names=["points", "covariance"],
            dynamic_shapes={"crops": {0: count}, "levels": {0: count}},
            verbose=False,
        )
    assert made is not None  # as dynamo=True returns it
    model = made.model_proto
    entry = model.metadata_props.add()
    entry.key, entry.value = KEY, json.dumps(described)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def holds_network(path: Path) -> bool:
    """Return whether a file has the metadata that :func:`export_onnx` writes."""
    data = path.read_bytes()
    return KEY.encode() in data and b'"landmarks": ["right_eye"' in data
