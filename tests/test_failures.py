"""Whatever goes wrong in a step: traceback in the log, one line on the terminal, status not 0."""

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pyarrow as pa
import pytest
import yaml

from thermalign.failures import Ended, explain, is_explained
from thermalign.tables import replace_file

HARNESS = """
import sys
from pathlib import Path
import thermalign.__main__ as program
import thermalign.steps
program.STEPS = Path({folder!r})
program.GRACE = 0.5
thermalign.steps.__path__.append({folder!r})
status = program.main(sys.argv[1:])
assert sys.stderr is sys.__stderr__
sys.exit(status)
"""


def broken(tmp_path, body):
    """Return the command of a step, ``broken``, whose run() does what ``body`` says."""
    text = "\n".join(["def run():", *(f"    {line}" for line in body.splitlines())])
    (tmp_path / "broken.py").write_text(text)
    return [sys.executable, "-c", HARNESS.format(folder=str(tmp_path)), "broken"]


def run(tmp_path, body, *arguments, log=None):
    log = log or tmp_path / "log" / "broken.log"
    command = [*broken(tmp_path, body), "--log", str(log), "--job", "p1/fold0/dan", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


FAULTS = {
    "raise ValueError('row 3 is\\nempty; fill it')": "row 3 is empty; fill it",
    "{}['colour']": "KeyError: 'colour'; not foreseen",
    "import nothing_of_the_kind": "No module named 'nothing_of_the_kind'; install it",
    "open('/tmp')": "/tmp: Is a directory; this is a folder; name a file",
    "open('/dev/full', 'w').write('a' * 100000)": "No space left on device: free some space",
    "raise MemoryError": "out of memory; let fewer jobs run side by side (--cores)",
    "bytearray(10**15)": "out of memory; let fewer jobs run side by side (--cores)",
    "raise RuntimeError('CUDA out of memory. Tried to allocate 2 GiB')": "make batches smaller",
    "raise RuntimeError('[enforce fail at inline_container.cc:672]')": "free some space",
    "raise RuntimeError('inline_container.cc: unexpected pos')": "or raise ulimit -f",
    "raise OSError('I/O error: File too large (os error 27)')": "raise ulimit -f, or write to",
    "raise SystemExit(0)": "SystemExit: 0; not foreseen",
    "raise KeyboardInterrupt": "ended by an interrupt (Ctrl-C); run the study again to go on",
    "import os, signal, time; os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)": "by SIGTERM",
    "import cv2, numpy; cv2.resize(numpy.zeros((0, 0)), (3, 3))": "OpenCV: (-215:Assertion failed)",
    "assert False": "AssertionError: AssertionError; not foreseen",
}


@pytest.mark.parametrize("body", FAULTS)
def test_every_error_of_a_step_is_one_line_and_its_traceback_is_in_the_log(tmp_path, body):
    done = run(tmp_path, body)
    assert done.returncode not in (0, None)
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("thermalign broken p1/fold0/dan: ")
    assert FAULTS[body] in done.stderr
    log = (tmp_path / "log" / "broken.log").read_text()
    assert "Traceback (most recent call last)" in log
    assert "broken.py" in log
    assert log.splitlines()[-1] in done.stderr


def test_an_error_that_was_not_foreseen_says_where_its_traceback_is(tmp_path):
    assert f"(traceback in {tmp_path}/log/broken.log)" in run(tmp_path, "1 / 0").stderr


def test_progress_reaches_terminal_and_log_and_a_good_step_ends_with_status_0(tmp_path):
    done = run(tmp_path, "import sys; print('half done', file=sys.stderr)")
    assert (done.returncode, done.stderr) == (0, "half done\n")
    first, last = (tmp_path / "log" / "broken.log").read_text().splitlines()
    assert first == "half done"
    assert '"rule": "broken"' in last


@pytest.mark.parametrize("body", ["pass", "import sys; print('x', file=sys.stderr)", "1 / 0"])
def test_a_log_on_a_full_disk_is_an_error_in_one_line(tmp_path, body):
    done = run(tmp_path, body, log="/dev/full")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "No space left on device" in done.stderr
    assert "/dev/full" in done.stderr


@pytest.mark.parametrize("log", ["/proc/no/broken.log", "/dev/null/broken.log", "/tmp"])
def test_a_log_that_cannot_be_written_is_an_error_in_one_line(tmp_path, log):
    done = run(tmp_path, "pass", log=log)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"the log {log} cannot be written" in done.stderr


def test_a_terminal_that_is_gone_stops_no_step(tmp_path):
    body = "import sys; [print(n, file=sys.stderr) for n in range(3)]"
    command = [*broken(tmp_path, body), "--log", str(tmp_path / "log"), "--job", "x"]
    reader, writer = os.pipe()
    os.close(reader)
    assert subprocess.call(command, stderr=writer) == 0
    os.close(writer)
    assert (tmp_path / "log").read_text().splitlines()[:3] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(["--fold", "1"], "unrecognized arguments: --fold 1"), (["--lo", "1"], "unrecognized")],
)
def test_a_bad_argument_is_one_line(tmp_path, arguments, named):
    done = run(tmp_path, "pass", *arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert named in done.stderr


WRITES = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell has it ignored
from pathlib import Path
from thermalign.tables import replace_file
def fill(temporary):
    temporary.write_text('half')
    print('writing', flush=True)
    {wait}
replace_file(Path({target!r}), fill)
"""


def end(tmp_path, wait, number, log="log"):
    target = tmp_path / "out" / "table.parquet"
    body = WRITES.format(target=str(target), wait=wait)
    command = [*broken(tmp_path, body), "--log", str(tmp_path / log), "--job", "x"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.readline()
    process.send_signal(number)
    return process.communicate(timeout=30)[1], process.returncode, list(target.parent.iterdir())


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 128 + 15), (signal.SIGINT, 128 + 2)]
)
def test_a_step_that_is_told_to_end_leaves_nothing_half_written(tmp_path, number, status):
    printed, returned, left = end(tmp_path, "time.sleep(60)", number)
    assert (returned, left) == (status, [])
    assert printed.count("\n") == 1
    assert "run the study again to go on" in printed


LONG = (
    "import hashlib, os, threading; "
    "threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start(); "
    "hashlib.pbkdf2_hmac('sha1', b'', b'', 10**9)"
)
"""A step that is told to end while it is in a call of compiled code for sure: by its own clock."""
CUT_OFF = r"thermalign \w+ x: cut off 0.5 s after SIGTERM; run .* again to go on\n"


def test_a_step_ends_even_from_a_long_call_of_compiled_code(tmp_path):
    began = time.monotonic()
    printed, status, _ = end(tmp_path, LONG, 0)
    assert status == 128 + 15
    assert re.fullmatch(CUT_OFF, printed)
    assert (tmp_path / "log").read_text() == printed
    assert time.monotonic() - began < 10


def test_a_step_that_is_cut_off_says_so_though_its_log_is_on_a_full_disk(tmp_path):
    printed, status, _ = end(tmp_path, LONG, 0, log="/dev/full")
    assert status == 128 + 15
    assert re.fullmatch(CUT_OFF, printed)


def test_a_full_disk_names_the_file_that_was_to_be_written(tmp_path):
    def fill(temporary):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space") as caught:
        replace_file(tmp_path / "scores.parquet", fill)
    line = explain(caught.value)
    assert line.startswith("No space left on device: free some space")
    assert line.endswith(f"while writing {tmp_path}/scores.parquet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("deleted", ["before", "after"])
def test_a_folder_that_is_deleted_while_a_file_is_written_there_is_named(tmp_path, deleted):
    def fill(temporary):
        if deleted == "after":
            temporary.write_text("half")
        shutil.rmtree(temporary.parent)
        if deleted == "before":
            temporary.write_text("half")

    path = tmp_path / "p1" / "scores.parquet"
    with pytest.raises(ValueError, match="its folder was deleted while it was written; run the"):
        replace_file(path, fill)
    assert list(tmp_path.iterdir()) == []


def raised(call):
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        call()
    return caught.value


def libraries():
    safetensors = pytest.importorskip("safetensors.numpy")
    return {
        "OpenCV: ": lambda: cv2.cvtColor(np.zeros((2, 2), np.uint8), cv2.COLOR_BGR2GRAY),
        "out of memory": lambda: np.empty(10**15),
        "could not find expected": lambda: yaml.safe_load("a: 1\nb\nc: 2"),
        "nowhere: No such file": lambda: open("nowhere"),  # noqa: PTH123
        "free some space": lambda: pa.OSFile("/dev/full", "w").write(b"x"),
        "header": lambda: safetensors.load(b"\0" * 20),
    }


@pytest.mark.parametrize("words", libraries())
def test_errors_of_libraries_are_told_in_one_line(words):
    error = raised(libraries()[words])
    assert words in explain(error)
    assert "\n" not in explain(error)
    assert is_explained(error)


def test_a_fault_of_the_program_is_told_from_a_users():
    assert not is_explained(KeyError("x"))
    assert not is_explained(RuntimeError("size mismatch"))
    assert is_explained(ValueError("x"))
    assert explain(Ended("SIGTERM")) == "ended by SIGTERM; run the study again to go on"
