"""A disk that is full, a file that may not be so large: one line, and nothing half-written."""

import resource
import subprocess
import sys

import pytest

LIMIT = 16384  # bytes
STEP = """
import sys
from pathlib import Path
import thermalign.__main__ as program
import thermalign.steps
program.STEPS = Path({folder!r})
thermalign.steps.__path__.append({folder!r})
sys.exit(program.main(sys.argv[1:]))
"""
WRITES = {
    "a_table": """
        import numpy as np, pyarrow as pa
        from thermalign import tables
        values = np.random.default_rng(0).normal(size=20000)
        tables.write(place / "result", {"x": values}, pa.schema([("x", pa.float64())]))""",
    "a_state": """
        import torch
        from thermalign.states import State, save_state
        save_state(place / "result", State({"x": torch.zeros(20000)}), {})""",
    "a_checkpoint": """
        import torch
        from thermalign.training.checkpoint import Checkpoint
        Checkpoint(place / "result", "key").write("stage", {"x": torch.zeros(20000)})""",
    "a_chunk_of_images": """
        from thermalign.simulator.dataset import settings_from, write_chunk
        volume = {"subjects": 1, "ranges": [1], "baseline": 1, "expression": 0}
        its = settings_from({"volumes": [volume]})
        write_chunk(place / "result", its, seed=1, chunk=0, chunks=1, progress=False)""",
    "the_report": """
        from thermalign.tables import replace_file
        replace_file(place / "result", lambda path: path.write_text("x" * 50000))""",
}


def lines(text):
    return [line.strip() for line in text.strip().splitlines()]


def run(tmp_path, place, body, log, limit=None):
    """Run a step that writes into ``place``; return its status and what it printed."""
    code = ["def run():", "    from pathlib import Path", f"    place = Path({str(place)!r})"]
    (tmp_path / "writes.py").write_text("\n".join([*code, *(f"    {x}" for x in lines(body))]))
    command = [sys.executable, "-c", STEP.format(folder=str(tmp_path)), "writes"]
    command += ["--log", str(log), "--job", "p1"]
    bound = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit else None
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=bound)
    return done.returncode, done.stderr


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 16 KiB."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={LIMIT}", "none", str(place)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no tmpfs can be mounted here: that wants root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("write", WRITES)
def test_a_file_that_may_not_be_so_large_is_named_with_the_cure(tmp_path, write):
    place = tmp_path / "place"
    place.mkdir()
    status, printed = run(tmp_path, place, WRITES[write], tmp_path / "log", LIMIT)
    assert (status, printed.count("\n"), list(place.iterdir())) == (1, 1, [])
    assert "raise ulimit -f" in printed
    assert f"while writing {place}/result" in printed


@pytest.mark.parametrize("write", WRITES)
def test_a_full_disk_is_told_with_the_file_and_the_cure(tmp_path, small_disk, write):
    status, printed = run(tmp_path, small_disk, WRITES[write], tmp_path / "log")
    assert (status, printed.count("\n"), list(small_disk.iterdir())) == (1, 1, [])
    assert "free some space" in printed
    assert f"while writing {small_disk}/result" in printed


def test_a_log_that_may_not_be_so_large_is_told(tmp_path):
    body = "import sys; print('x' * 50000, file=sys.stderr)"
    status, printed = run(tmp_path, tmp_path, body, tmp_path / "log", LIMIT)
    assert status == 1
    assert printed.count("\n") == 1
    assert f"the log {tmp_path}/log cannot be written" in printed
    assert "raise ulimit -f" in printed
