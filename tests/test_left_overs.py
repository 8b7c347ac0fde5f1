"""What a killed write left is removed, and nothing else."""

import os
import subprocess

from thermalign.left_overs import remove_left_overs


def gone():
    """Return the number of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_files_and_folders_of_writers_that_are_gone_are_removed(tmp_path):
    number = gone()
    names = [f".a.parquet.{number}.tmp", f".a.parquet.{number}.new"]
    names += [f"..a.parquet.{number}.new.{number}.tmp"]  # of a table written beside its place
    for name in names:
        (tmp_path / name).touch()
    chunk = tmp_path / f".chunk.{number}.tmp"
    chunk.mkdir()
    (chunk / "a.png").touch()
    found = remove_left_overs([tmp_path / "a.parquet", tmp_path / "chunk", tmp_path / "no/b"])
    assert {path.name for path in found} == {*names, chunk.name}
    assert list(tmp_path.iterdir()) == []


def test_what_is_another_targets_or_a_living_writers_or_no_temporary_file_stays(tmp_path):
    number = gone()
    names = {f".b.parquet.{number}.tmp", f".a.parquet.{os.getpid()}.tmp", "a.parquet", ".a.tmp"}
    names |= {f"a.parquet.{number}.tmp", ".a.parquet"}
    for name in names:
        (tmp_path / name).touch()
    assert remove_left_overs([tmp_path / "a.parquet"]) == []
    assert {path.name for path in tmp_path.iterdir()} == names
