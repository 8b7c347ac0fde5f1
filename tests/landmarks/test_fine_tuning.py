"""What a training can start from, and what is said of what it cannot."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from thermalign.catalogue import detectors, settings_of, takes_a_state
from thermalign.landmarks import dan, heatmap
from thermalign.landmarks.contract import Faces
from thermalign.landmarks.fine_tuning import fit_from
from thermalign.landmarks.models import load_model
from thermalign.states import save_state
from thermalign.training.loop import Run

QUIET = Run(progress=False)
OURS = {
    "heatmap": heatmap.Settings(input_size=32, width=0.25, blocks=0, steps=2),
    "dan": dan.Settings(input_size=32, width=0.05, hidden=4, batch_size=4, steps=2, later_steps=2),
}


def write(path: Path, faces: Faces, detector: str, *, said: str | None = "") -> Path:
    """Train a detector for two steps and write its state as the training step does.

    The file may say that it is of another detector, or of none.
    """
    module, settings = load_model(detector, asdict(OURS[detector]), detector)
    state = module.fit(faces, faces, settings, seed=0, run=QUIET)
    named = detector if said == "" else said
    described = {"model": "x", "detector": named, "seed": 0, **asdict(settings)}
    save_state(path, state, {"settings": json.dumps(described)})
    return path


@pytest.mark.parametrize("detector", OURS)
def test_a_state_of_the_same_settings_is_started_from(
    detector: str, toy_faces: Callable[..., Faces], tmp_path: Path
) -> None:
    faces = toy_faces(4)
    path = write(tmp_path / "state.safetensors", faces, detector)
    slow = replace(OURS[detector], learning_rate=1e-8)
    module, _ = load_model(detector, {}, detector)
    fitted = fit_from(path, module, detector, slow)(faces, faces, slow, seed=5, run=QUIET)
    first = module.fit(faces, faces, OURS[detector], seed=0, run=QUIET)
    # How far points of heatmap are off is learnt anew, whatever the rate of the maps.
    anew = ("spread.",)
    weights = [k for k in first.tensors if k.endswith("weight") and not k.startswith(anew)]
    assert weights
    for name in weights:  # those of a seed that this training never had
        torch.testing.assert_close(fitted.tensors[name], first.tensors[name], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("detector", "changed", "message"),
    [
        ("heatmap", {"input_size": 64}, "input_size is 64, and was 32 in its training"),
        (
            "heatmap",
            {"width": 0.5, "blocks": 1, "steps": 9},
            "blocks is 1, and was 0 in its training; width is 0.5, and was 0.25 in its training",
        ),
        ("dan", {"n_stages": 3}, "n_stages is 3, and was 2 in its training"),
    ],
)
def test_a_state_of_other_shapes_is_refused_by_the_settings_that_decide_them(
    detector: str,
    changed: dict[str, Any],
    message: str,
    toy_faces: Callable[..., Faces],
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "state.safetensors", toy_faces(4), detector)
    module, _ = load_model(detector, {}, detector)
    with pytest.raises(ValueError, match="tensors do not fit the model") as caught:
        fit_from(path, module, detector, replace(OURS[detector], **changed))
    assert str(caught.value) == f"{path}: its tensors do not fit the model: {message}"


def test_a_state_of_another_detector_or_another_kind_or_no_state_is_refused(
    toy_faces: Callable[..., Faces], tmp_path: Path
) -> None:
    path = write(tmp_path / "state.safetensors", toy_faces(4), "dan")
    ours = OURS["heatmap"]
    with pytest.raises(ValueError, match="is a state of dan, not of the detector heatmap; start"):
        fit_from(path, heatmap, "heatmap", ours)
    path = write(tmp_path / "other.safetensors", toy_faces(4), "heatmap", said=None)
    with pytest.raises(ValueError, match="is a state of no landmark model, not of the detector"):
        fit_from(path, heatmap, "heatmap", ours)
    save_file({"weight": torch.zeros(2)}, tmp_path / "foreign.safetensors")
    with pytest.raises(ValueError, match="is not a trained model of this package, or not whole"):
        fit_from(tmp_path / "foreign.safetensors", heatmap, "heatmap", ours)


def test_a_state_of_another_landmark_scheme_is_refused(
    toy_faces: Callable[..., Faces], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thermalign.states.LANDMARKS", ("nose",))
    path = write(tmp_path / "state.safetensors", toy_faces(4), "heatmap")
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"trained for landmarks \['nose'\], not \['right_eye'"):
        fit_from(path, heatmap, "heatmap", OURS["heatmap"])


def test_detectors_that_start_from_a_state_have_no_setting_of_that_name() -> None:
    able = [name for name in detectors() if takes_a_state(name)]
    assert {"dan", "heatmap"} <= set(able)
    for name in able:
        declared = settings_of(f"thermalign.landmarks.{name}").settings
        assert "init" not in {its.name for its in declared}
