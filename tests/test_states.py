import subprocess
import sys
from pathlib import Path

import pytest
import torch

from thermalign.geometry import LANDMARKS
from thermalign.states import State, read_metadata, read_state, save_state

TENSORS = {"b": torch.arange(6.0).view(2, 3).T, "a": torch.tensor(3, dtype=torch.int64)}
METADATA = {"settings": '{"width": 0.5}', "precision": "bfloat16"}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_state(tmp_path / "state.safetensors", State(TENSORS), METADATA)
    return tmp_path / "state.safetensors"


def test_tensors_and_metadata_come_back(saved: Path) -> None:
    tensors = read_state(saved).tensors
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)
    expected = {"settings": {"width": 0.5}, "precision": "bfloat16", "landmarks": list(LANDMARKS)}
    assert read_metadata(saved) == expected


def test_the_same_state_gives_the_same_bytes(saved: Path) -> None:
    first = saved.read_bytes()
    save_state(saved, State(TENSORS), dict(reversed(METADATA.items())))
    assert saved.read_bytes() == first


def test_a_calibration_lies_beside_the_tensors_and_apart_from_them(saved: Path) -> None:
    assert read_state(saved).calibration == {}
    told = {"tail": torch.tensor([7.5], dtype=torch.float64), "b": torch.arange(5.0)}
    save_state(saved, State(TENSORS, calibration=told), METADATA)
    state = read_state(saved)
    assert state.tensors.keys() == TENSORS.keys()
    assert state.calibration.keys() == told.keys()
    assert all(torch.equal(state.calibration[name], told[name]) for name in told)


def test_a_state_of_another_landmark_scheme_is_refused(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thermalign.states.LANDMARKS", ("nose_base",))
    with pytest.raises(ValueError, match=r"trained for landmarks .*, not \['nose_base'\]"):
        read_state(saved)


@pytest.mark.parametrize("content", [b"", b"no state"])
def test_what_is_no_state_is_refused(saved: Path, content: bytes) -> None:
    saved.write_bytes(content)
    with pytest.raises(ValueError, match="is not a trained model of this package"):
        read_metadata(saved)


def test_metadata_is_read_without_pytorch(saved: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from thermalign.states import read_metadata; "
        "print(read_metadata(Path(sys.argv[1]))['precision'], 'torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(saved)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["bfloat16", "False"]
