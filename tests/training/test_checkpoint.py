from pathlib import Path

import pytest
import torch

from thermalign.training.checkpoint import Checkpoint, checkpoint_key

CPU = torch.device("cpu")


def test_what_a_kill_in_the_middle_of_a_write_left_is_deleted(tmp_path: Path) -> None:
    left = tmp_path / ".checkpoint.pt.123.tmp"
    left.write_bytes(b"half")
    Checkpoint(tmp_path / "checkpoint.pt", "key")
    assert not left.exists()


@pytest.mark.parametrize("content", [[1, 2], torch.zeros(3)])
def test_a_file_that_holds_something_else_is_passed_over(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "checkpoint.pt")
    assert Checkpoint(tmp_path / "checkpoint.pt", "key").stages == {}


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04"])
def test_a_damaged_checkpoint_is_passed_over(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(content)
    assert Checkpoint(path, "key").stages == {}
    assert "starting anew" in capsys.readouterr().err


def test_checkpoints_are_not_written_for_more_than_a_share_of_the_time(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", "key")
    assert not checkpoint.due()
    checkpoint._written -= 3
    assert checkpoint.due()
    checkpoint._took = 1.0
    assert not checkpoint.due()
    checkpoint.write("stage", {"step": 1})
    assert Checkpoint(checkpoint.path, "key").stages == {"stage": {"step": 1}}
    checkpoint.remove()
    assert not checkpoint.path.exists()


def test_what_decides_a_training_is_in_the_key_of_its_checkpoint(tmp_path: Path) -> None:
    tables = [tmp_path / "images", tmp_path / "folds"]
    for table in tables:
        table.write_text(table.name)
    keys = [
        checkpoint_key(tables, "code", {"modality": "thermal"}, CPU),
        checkpoint_key(tables, "code", {"modality": "visible"}, CPU),
        checkpoint_key(tables, "other", {"modality": "thermal"}, CPU),
        checkpoint_key(tables[:1], "code", {"modality": "thermal"}, CPU),
        checkpoint_key(tables, "code", {"modality": "thermal"}, torch.device("cuda")),
    ]
    assert len(set(keys)) == len(keys)
    assert checkpoint_key(tables, "code", {"modality": "thermal"}, CPU) == keys[0]
    tables[1].write_text("other people")
    assert checkpoint_key(tables, "code", {"modality": "thermal"}, CPU) not in keys
