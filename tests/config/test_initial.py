"""A trained state to start from is checked before any job starts, without PyTorch."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from thermalign.config.models import check_places, check_study, trainings
from thermalign.config.yaml_files import read_yaml
from thermalign.states import State, save_state

ROOT = Path(__file__).parents[2]
DEFAULT = read_yaml(ROOT / "config.yaml")


@pytest.fixture
def state(tmp_path):
    """Write a state as a training of heatmaps does."""
    path = tmp_path / "state.safetensors"
    told = {"model": "mine", "detector": "heatmap", "seed": 1}
    save_state(
        path, State({"a": torch.zeros(3), "b": torch.ones(50)}), {"settings": json.dumps(told)}
    )
    return path


def study(path, **block):
    config = copy.deepcopy(DEFAULT)
    config["models"] = {"mine": {"model": "heatmap", "init": str(path), **block}}
    return check_study(config)


def refusal(path, **block):
    with pytest.raises(ValueError, match=r"models\.mine\.init: ") as caught:
        check_places(study(path, **block), ROOT)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix("models.mine.init: ")


def test_a_training_knows_what_it_starts_from_and_its_settings_do_not(state):
    its = study(state, steps=7, seeds=[1, 2])
    check_places(its, ROOT)
    found = trainings(its)
    assert set(found) == {"mine_seed1", "mine_seed2"}
    assert {training.initial for training in found.values()} == {str(state)}
    assert found["mine_seed1"].settings == {"steps": 7}
    assert {training.initial for training in trainings(check_study(DEFAULT)).values()} == {""}


def test_a_setting_of_that_name_stays_one_where_nothing_is_started_from():
    found = trainings(check_study(DEFAULT))["mtcnn"]
    assert (found.initial, found.settings["init"]) == ("", "default")


@pytest.mark.parametrize("detector", ["pbc", "ert", "mean_shape"])
def test_a_detector_that_starts_from_no_state_has_no_such_key(state, detector):
    with pytest.raises(ValueError, match=r"models\.mine\.init: no such key"):
        study(state, model=detector)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    assert refusal(tmp_path / "none").endswith(
        "none: no such file; name a state.safetensors that a study wrote"
    )
    assert "no such file" in refusal(tmp_path)


def test_a_state_that_the_study_makes_itself_may_not_be_there_yet():
    its = copy.deepcopy(study("results/p1/fold0/other/state.safetensors"))
    its["protocols"] = {"p1": {**its["protocols"]["p1"], "folds": 1}}
    check_places(its, ROOT)
    assert "no such file" in refusal("resultsp1/state.safetensors")


def test_a_state_of_one_fold_is_no_start_for_others():
    path = "results/p1/fold0/other/state.safetensors"
    assert refusal(path) == (
        f"{path}: is trained on one fold of this study and may have seen those tested in others; "
        "name a state from elsewhere, or study one protocol and one fold"
    )
    its = copy.deepcopy(study(path))
    for kept in (
        {"p1": its["protocols"]["p1"]},
        {n: {**p, "folds": 1} for n, p in its["protocols"].items()},
    ):
        with pytest.raises(ValueError, match="is trained on one fold of this study"):
            check_places({**its, "protocols": kept}, ROOT)


def test_a_path_that_cannot_be_one_is_refused(state):
    with pytest.raises(ValueError, match=r"models\.mine\.init: 'a\{b\}' has braces"):
        study("a{b}")


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_a_damaged_file_is_refused(state, kept):
    state.write_bytes(state.read_bytes()[:kept])
    assert "is no trained landmark model of this package, or not whole" in refusal(state)


def headed(header):
    return len(header).to_bytes(8, "little") + header


EMPTY = {"__metadata__": {"thermalign": '{"settings": "{}"}'}, "a": {"data_offsets": []}}
FOREIGN = [
    b"PK" + bytes(500),
    b"\xff" * 500,
    b"{}" * 50,
    (2).to_bytes(8, "little") + b"12",
    headed(b'"text"'),
    headed(json.dumps(EMPTY).encode()),
]


@pytest.mark.parametrize("content", FOREIGN)
def test_a_foreign_file_is_refused(state, content):
    state.write_bytes(content)
    assert "is no trained landmark model of this package, or not whole" in refusal(state)


def test_a_state_of_something_else_is_refused(state):
    save_state(state, State({"a": torch.zeros(3)}), {"settings": json.dumps({"mapping": "dpm"})})
    assert "is no trained landmark model" in refusal(state)


def test_a_state_of_another_detector_or_scheme_is_refused(state, monkeypatch):
    line = "is of the detector heatmap, not dan; name one of its own"
    assert refusal(state, model="dan").endswith(line)
    monkeypatch.setattr("thermalign.states.LANDMARKS", ("nose",))
    told = {"settings": json.dumps({"detector": "heatmap"})}
    save_state(state, State({"a": torch.zeros(3)}), told)
    assert "trained for landmarks ['nose'], not ['right_eye', 'left_eye'" in refusal(state)


def test_nothing_but_the_standard_library_and_the_parser_is_loaded_for_it(state):
    program = f"""
import sys
from pathlib import Path
from thermalign.config.models import check_places, read_study
models = {{"mine": {{"model": "heatmap", "init": {str(state)!r}}}}}
check_places(read_study([Path("config.yaml")], {{"models": models}}), Path("."))
print([m for m in ("torch", "numpy", "safetensors") if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr
