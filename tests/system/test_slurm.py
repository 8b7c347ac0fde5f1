"""The tiny study through a real SLURM, with jobs that fail, are cancelled and run out of memory."""

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time

import pandas as pd
import psutil
import pytest
import yaml
from plugins import python_with
from slurm_cluster import NoSlurmError, cluster, install

from test_end_to_end import tiny
from thermalign import tables
from thermalign.config.models import check_study
from thermalign.config.resources import Requests
from thermalign.schemas.measures import SUMMARY
from workflow_rules import ROOT

pytestmark = pytest.mark.slow

CORES = 2
FAILS, CANCELLED, SMALL = "stress", "model", "sweep"
SMALL_STUDY = ("simulate=tables", "ablate=matcher", "displace=matcher")  # as the profile says
TOO_SMALL = 400  # MB: less than PyTorch takes, so that the first attempt is killed

# The steps' Python, which fails once in one job, as a machine with a fault would.
FAULTY = """\
#!/bin/sh
case "$*" in
*"thermalign {rule}"*) mkdir '{mark}' 2>/dev/null && {{ echo 'a pretended fault' >&2; exit 1; }} ;;
esac
exec '{python}' "$@"
"""


MEMORY = psutil.virtual_memory().total // 2**20  # MB


@pytest.fixture(scope="module")
def slurm():
    """A SLURM on this machine: the folder of its logs."""
    with contextlib.ExitStack() as stack:
        try:
            install()
            yield stack.enter_context(cluster(cores=CORES, memory=MEMORY))
        except NoSlurmError as reason:
            pytest.skip(f"SLURM cannot be started: {reason}")


def run(python, folder, *arguments):
    """Run the tiny study; return seconds and what Snakemake printed."""
    (folder / "study.yaml").write_text(yaml.safe_dump(tiny()))
    command = [python, "-m", "snakemake", "-s", ROOT / "Snakefile", "--directory", folder]
    command += ["--configfile", folder / "study.yaml", *arguments]
    began = time.monotonic()
    told = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "LC_ALL": "C"}
    done = subprocess.run(
        [str(a) for a in command], capture_output=True, text=True, env=told, timeout=3600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return time.monotonic() - began, done.stdout + done.stderr


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """The study run on this machine without SLURM: its folder and seconds."""
    folder = tmp_path_factory.mktemp("local")
    profile = ROOT / "workflow/profiles/local"
    return folder, run(sys.executable, folder, "--workflow-profile", profile)[0]


@pytest.fixture(scope="module")
def study(slurm, tmp_path_factory):
    """The study run through SLURM: its folder, seconds, jobs, SLURM's logs, and its Python."""
    folder = tmp_path_factory.mktemp("slurm")
    python = python_with("slurm", tmp_path_factory.mktemp("plugin"))
    wrapper, mark = python.with_name("python"), folder / "failed"
    wrapper.unlink()
    wrapper.write_text(FAULTY.format(rule=FAILS, mark=mark, python=python))
    wrapper.chmod(0o755)
    options = ["--workflow-profile", ROOT / "workflow/profiles/slurm", "--cores", CORES]
    options += ["--resources", "gpu=2", f"mem_mb={MEMORY}", "--max-jobs-per-timespan", "20/1s"]
    options += ["--groups", *SMALL_STUDY, "--slurm-init-seconds-before-status-checks", "3"]
    options += ["--set-resources", f"{SMALL}:mem_mb={TOO_SMALL} * 2 ** (attempt - 1)"]
    options += ["--latency-wait", "10", "--slurm-logdir", slurm / "jobs"]
    options += ["--slurm-keep-successful-logs"]
    stop = threading.Event()
    canceller = threading.Thread(target=cancel_one, args=(f"rule_{CANCELLED}", stop))
    canceller.start()
    try:
        seconds, _ = run(python, folder, *options)
    finally:
        stop.set()
        canceller.join()
    return folder, seconds, jobs_of_slurm(), slurm / "jobs", python


def cancel_one(comment, stop):
    """Cancel the first job with a comment that is seen to run."""
    while not stop.wait(0.5):
        listed = ["squeue", "-h", "-t", "RUNNING", "-o", "%i %k"]
        for line in subprocess.run(listed, capture_output=True, text=True).stdout.splitlines():
            number, _, its = line.partition(" ")
            if its.startswith(comment):
                subprocess.run(["scancel", number], check=True)
                return


def jobs_of_slurm():
    """Return every job that SLURM knows, in the order of submission."""
    told = subprocess.run(["scontrol", "show", "job", "-o"], capture_output=True, text=True).stdout
    keys = {"number": "JobId", "state": "JobState", "cores": "NumCPUs", "memory": "MinMemoryNode"}
    keys |= {"gpus": "TresPerJob", "what": "Comment", "minutes": "TimeLimit"}
    moments = {"submitted": "SubmitTime", "began": "StartTime", "ended": "EndTime"}
    keys |= moments
    rows = [
        {name: (re.search(rf"\b{key}=(\S+)", line) or [""] * 2)[1] for name, key in keys.items()}
        for line in told.splitlines()
    ]
    jobs = pd.DataFrame(rows).astype({"number": int}).sort_values("number", ignore_index=True)
    megabytes = jobs["memory"].str.extract(r"([\d.]+)([MG])")
    jobs["memory"] = megabytes[0].astype(float) * megabytes[1].map({"M": 1, "G": 1024})
    times = jobs[list(moments)].apply(pd.to_datetime)
    since = times - times["submitted"].min()
    jobs[list(moments)] = since.apply(lambda column: column.dt.total_seconds())
    jobs["attempt"] = jobs.groupby("what").cumcount() + 1
    return jobs


def test_the_study_reaches_its_report_with_the_tables_of_a_local_run(study, local, capfd):
    with capfd.disabled():
        held = ((study[2]["ended"] - study[2]["began"]) * study[2]["cores"].astype(int)).sum()
        print(f"\n{study[2].to_string()}\n{study[1]:.0f} s by SLURM, {local[1]:.0f} s without;")
        print(f"submissions held {held:.0f} core-s of {CORES * study[1]:.0f}")
    assert (study[0] / "results/report/index.html").is_file()
    summaries = [
        tables.read(f / "results/compare/summary.parquet", SUMMARY) for f in (study[0], local[0])
    ]
    pd.testing.assert_frame_equal(*summaries)


def test_what_ran_through_slurm_is_done_for_every_profile(study):
    for profile in ("slurm", "local"):
        given = ("--workflow-profile", ROOT / "workflow/profiles" / profile, "--dry-run")
        assert "Nothing to be done" in run(study[4], study[0], *given)[1]


def test_a_job_that_failed_was_retried(study):
    folder, _, jobs, logs, _ = study
    assert (folder / "failed").is_dir()
    its = of(jobs, FAILS)
    failed = its[its["state"] == "FAILED"]
    assert len(failed) == 1
    assert "a pretended fault" in told(logs, failed)
    again = its[its["what"] == failed["what"].iloc[0]]
    assert list(again["state"]) == ["FAILED", "COMPLETED"]


def test_a_job_that_was_cancelled_was_retried(study):
    its = of(study[2], CANCELLED)
    cancelled = its[its["state"] == "CANCELLED"]
    assert len(cancelled) == 1
    again = its[its["what"] == cancelled["what"].iloc[0]]
    assert list(again["state"]) == ["CANCELLED", "COMPLETED"]


def test_a_job_that_ran_out_of_memory_was_given_more(study):
    its = of(study[2], SMALL)
    assert set(its["state"][:-1]) <= {"FAILED", "OUT_OF_MEMORY", "CANCELLED"}
    assert its["state"].iloc[-1] == "COMPLETED"
    assert list(its["memory"]) == [TOO_SMALL * 2**n for n in range(len(its))]
    assert len(its) > 1
    assert "exceeded memory limit" in told(study[3], its[:1])


def test_jobs_asked_for_what_their_rules_need(study):
    requests = Requests(check_study(tiny()), gpus=2)
    its = of(study[2], "model").drop_duplicates("what", keep="last")
    assert len(its) == len(tiny()["models"])
    for job in its.itertuples():
        model = re.fullmatch(r"rule_model_p1_0_(\w+)_predict_train", job.what)[1]
        wildcards = {"protocol": "p1", "fold": "0", "model": model}
        asked = [requests.memory(rule, wildcards, job.attempt) for rule in ("train", "predict")]
        assert job.memory == min(max(asked), MEMORY)
        assert ("gpu" in job.gpus) == (model != "mean_shape")


def test_small_jobs_were_submitted_together(study):
    began = set(study[2]["what"].str.extract("^rule_([a-z]+_across|[a-z]+)")[0])
    alone = {"detect", "stress", "sweep", "pack", "predict_across", "enrol_across"}
    assert began == alone | {"tables", "model", "matcher", "verify", "report"}


def test_no_step_took_more_memory_than_its_rule_asks_for(study):
    requests = Requests(check_study(tiny()))
    logs = sorted((study[0] / "results/logs").glob("*/*.log"))
    assert len(logs) > 40
    for log in logs:
        cost = json.loads(log.read_text().splitlines()[-1])
        parts, dataset = cost["job"].split("/"), ("simulate", "ingest", "describe")
        names = ("dataset",) if cost["rule"] in dataset else ("protocol", "fold", "model")
        job = {} if parts == ["all"] else dict(zip(names, parts, strict=False))
        assert cost["memory"] < requests.memory(cost["rule"], job)


def of(jobs, rule):
    """Return the submissions of a rule's jobs."""
    return jobs[jobs["what"].str.startswith(f"rule_{rule}_") | (jobs["what"] == f"rule_{rule}")]


def told(logs, jobs):
    """Return what SLURM kept of the output of some submissions."""
    return "".join(p.read_text() for n in jobs["number"] for p in logs.rglob(f"{n}.log"))
