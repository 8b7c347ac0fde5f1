"""A study that is killed again and again ends as one that nobody killed."""

import subprocess
import sys

import kills
import pytest


@pytest.mark.slow  # some ten minutes
@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
def test_twenty_kills_change_no_table_and_leave_nothing_behind(tmp_path):
    spread = kills.main([str(tmp_path / "studies"), "--kills", "20", "--seed", "1"])
    assert spread["kills"] == 20
    assert len(spread["rules"]) >= 6
    assert spread["in_writes"] >= 3
    assert set(spread["kinds"]) == {"group", "snakemake", "step"}


def test_a_run_and_its_steps_end_with_what_started_them(tmp_path):
    with (tmp_path / "log").open("w") as log, kills.Runs(log) as runs:
        shell = ["sh", "-c", "sleep 600 & echo; wait"]
        runs.process = subprocess.Popen(shell, stdout=subprocess.PIPE, start_new_session=True)
        runs.process.stdout.readline()
    assert runs.process.poll() is not None
    assert runs.process.stdout.read() == b""  # its end: the sleeping child is gone, too
    runs.process.stdout.close()
