"""A study that is killed again and again ends as one that nobody killed."""

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("kills.py")


@pytest.mark.slow  # some ten minutes
@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
def test_twenty_kills_change_no_table_and_leave_nothing_behind(tmp_path):
    spec = importlib.util.spec_from_file_location("kills", SCRIPT)
    kills = importlib.util.module_from_spec(spec)
    sys.modules["kills"] = kills  # its dataclasses look for it there
    spec.loader.exec_module(kills)
    spread = kills.main([str(tmp_path / "studies"), "--kills", "20", "--seed", "1"])
    assert spread["kills"] == 20
    assert len(spread["rules"]) >= 6
    assert spread["in_writes"] >= 3
    assert set(spread["kinds"]) == {"group", "snakemake", "step"}
