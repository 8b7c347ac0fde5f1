"""Jobs through the generic profile, submitted by a stand-in for a scheduler's command."""

import os
import subprocess

import pytest
import yaml
from plugins import python_with

from test_end_to_end import tiny
from thermalign.config.models import check_study
from thermalign.config.resources import Requests
from workflow_rules import ROOT

# Runs the script beside itself, and prints its process as the job's number.
SUBMIT = """\
#!/bin/sh
echo "$1" >> submitted
sh "$2" > "$2.out" 2>&1 &
echo $!
"""


@pytest.mark.slow
def test_any_command_that_submits_a_script_will_do(tmp_path):
    python = python_with("cluster", tmp_path)
    (tmp_path / "submit").write_text(SUBMIT)
    (tmp_path / "submit").chmod(0o755)
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(tiny()))
    folds = "results/p1/fold0/folds.parquet"
    asked = "mem={resources.mem_mb},gpu={resources.gpu},cores={threads},minutes={resources.runtime}"
    command = [python, "-m", "snakemake", "-s", ROOT / "Snakefile", folds]
    command += ["--workflow-profile", ROOT / "workflow/profiles/generic"]
    command += ["--configfile", "study.yaml", "--seconds-between-status-checks", "1"]
    command += ["--cluster-generic-submit-cmd", f"./submit {asked}", "--latency-wait", "10"]
    told = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        command, cwd=tmp_path, env=told, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / folds).is_file()
    requests = Requests(check_study(tiny()))
    simulated = {"dataset": "simulated", "chunk": "0"}
    one = (requests.memory("simulate", simulated), requests.runtime("simulate", simulated))
    jobs = {"ingest": {"dataset": "simulated"}, "fold": {"protocol": "p1", "fold": "0"}}
    group = (  # one after the other: the larger's memory, the time of both
        max(requests.memory(rule, job) for rule, job in jobs.items()),
        sum(requests.runtime(rule, job) for rule, job in jobs.items()),
    )
    asked = [f"mem={memory},gpu=0,cores=1,minutes={minutes}" for memory, minutes in (one, group)]
    assert (tmp_path / "submitted").read_text().splitlines() == asked
