"""What a change runs, by running it, and what ``thermalign why`` says of it."""

import contextlib
import json
import re
import shutil
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import pytest

from reruns import CASES, cost, executed, outputs, records, write_study
from test_dag import run_with_fake_steps
from thermalign.due import jobs, reasons
from workflow_rules import ROOT, snakemake

SMALL = [case for case in CASES if not case.real]


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """The small study, finished by steps that only write their outputs."""
    project = tmp_path_factory.mktemp("planned") / "project"
    write_study(project)
    run_with_fake_steps(project)
    return project


@pytest.fixture
def project(planned, tmp_path, monkeypatch):
    copy = shutil.copytree(planned, tmp_path / "moved")
    monkeypatch.chdir(copy)
    monkeypatch.setattr(jobs, "ask", asked_of(copy))
    return copy


def asked_of(project):
    """Return what asks about a project that no longer changes: the same question once."""

    @cache
    def answer(arguments):
        done = snakemake(project, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return lambda arguments: answer(tuple(arguments))


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_why_has_a_line_for_every_job_of_a_dry_run_and_no_other(project, case):
    case.change(project)
    printed = jobs.ask(["--dry-run", "--printshellcmds", "--rerun-incomplete"])  # as `why` does
    due = {
        f"{rule} {job}"
        for rule, job in re.findall(
            r"^Shell command: .* thermalign (\w+) .*? --job (\S+)", printed, re.M
        )
    }
    assert due == case.jobs
    told = reasons.why_all([])
    assert {line.partition(":")[0] for line in told} == due
    assert len(told) == len(due)
    if due:
        assert [line for line in told if case.told in line], told
        first = told[0].partition(":")[0]
        assert " since " not in told[0]
        assert reasons.why(first, []) == told[0]


def test_a_job_that_another_makes_due_names_it_and_its_reason(project):
    next(case for case in CASES if case.name == "one model's code").change(project)
    root = "train p1/fold0/mean_shape is due: code of landmarks/mean_shape.py changed"
    wanted = f"score p1/fold0/mean_shape: since {root}"
    assert reasons.why("results/p1/fold0/mean_shape/scores.parquet", []) == wanted
    assert reasons.why("report", []) == f"report all: since {root}"
    told = reasons.why("train p1/fold0/dan", [])
    assert re.fullmatch(
        r"train p1/fold0/dan: is not due: made \d{4}-\d\d-\d\d \d\d:\d\d by code [0-9a-f]{16}", told
    )


def test_an_unknown_job_is_refused_with_the_nearest(project):
    with pytest.raises(ValueError, match=r"no job 'trian p1/fold0/dan' .* train p1/fold0/dan") as e:
        reasons.why("trian p1/fold0/dan", [])
    assert "\n" not in str(e.value)


def test_a_deleted_output_that_nobody_needs_is_no_reason(project):
    path = "results/p1/fold0/dan/faces.parquet"
    (project / path).unlink()
    assert reasons.why(path, []).endswith(
        f"is not due: {path} is missing, and no job that is due needs it"
    )


def test_a_job_that_was_begun_and_not_finished_says_so(project):
    path = "results/compare/summary.parquet"
    kept = jobs._kept(jobs.INCOMPLETE, path)
    kept.parent.mkdir(exist_ok=True)
    kept.write_text('{"external_jobid": null}')
    assert reasons.why(path, []) == "compare all: it was begun and not finished"


def test_a_replaced_image_is_named(project):
    image = project / "image.png"
    image.write_text("another")
    record = project / "results/data/simulated/files.json"
    told = json.loads(record.read_text()) | {"files": {"image.png": [1, 0, "0" * 64]}}
    record.write_text(json.dumps(told))
    assert reasons.why("ingest simulated", []) == "ingest simulated: changed file image.png"


def test_a_command_is_read_as_the_shell_reads_it():
    read = jobs.options_of(
        "python -m thermalign fold --log 'a b' --init  --settings '{\"a\": 1}' || other $?"
    )
    assert read == {"log": ["a b"], "init": [], "settings": ['{"a": 1}']}


def test_jobs_of_a_group_are_read_too():
    block = "rule fold:\n    input: a, b\n    output: c, d\n    reason: R\n"
    command = "Shell command: python -m thermalign fold --job p1/fold0 --images a, --x 'c, d'\n"
    for indent in ("", "    "):
        printed = "".join(f"{indent}{line}\n" for line in block.splitlines()) + indent + command
        (job,) = jobs.parse(printed.replace("a,", "a"))
        assert job.name == "fold p1/fold0"
        assert job.reason == "R"


def test_a_job_whose_output_is_a_folder_made_the_files_below_it(project):
    record = jobs.record_of("results/report/figures")
    assert jobs.name_of(record) == "report all"
    figure = Path("results/report/figures/chapter/part/figure.svg")
    figure.parent.mkdir(parents=True)
    figure.touch()
    made = made_by(project, {"report all"})
    assert {figure.as_posix(), "results/report/index.html", *record["log"]} <= made
    assert not [path for path in made if Path(path).is_dir()]


# --- executed ---


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The small study, run to its report."""
    project = tmp_path_factory.mktemp("finished") / "project"
    write_study(project)
    run(project, project)
    return project


def run(project, folder):
    """Run what is due, called from a folder; return the seconds."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    command += ["-s", str(project / "Snakefile"), "--directory", str(project)]
    began = time.monotonic()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return time.monotonic() - began


@pytest.mark.slow  # minutes
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_change_runs_its_jobs_and_leaves_every_other_output_as_it_was(
    finished, tmp_path, capsys, case
):
    project = tmp_path / "moved"
    subprocess.run(["cp", "-a", str(finished), str(project)], check=True)
    case.change(project)
    recorded, before = records(project), outputs(project)
    seconds = run(project, tmp_path if case.elsewhere else project)
    now = records(project)
    ran = executed(recorded, now)
    assert ran == case.jobs
    after, theirs, always = outputs(project), made_by(project, ran), made_by(project, set())
    assert {path for path in before if before[path] != after.get(path)} <= theirs
    assert [path for path in theirs - always if before.get(path) == after[path]] == []
    counted, processors = cost(project, [its for its in now.values() if its[0] in ran])
    whole, all_processors = cost(finished, records(finished).values())
    assert counted == len(ran)
    with capsys.disabled():
        told = f"| {case.name} | {counted} | {processors:.0f} of {all_processors:.0f} | {whole} |"
        print(f"\n{told} {seconds:.0f} s by the clock")


def made_by(project, names):
    """Return files and logs of jobs, and what every run may write: records of files' times.

    Of an output that is a folder they are the files below it.
    """
    own = {"results/data/simulated/files.json", "results/logs/all.log"}
    with contextlib.chdir(project):
        for path in sorted(Path("results").rglob("*")):
            output = path.as_posix()
            record = jobs.record_of(output)
            if record and jobs.name_of(record) in names:
                below = path.rglob("*") if path.is_dir() else [path]
                own |= {file.as_posix() for file in below if file.is_file()} | {*record["log"]}
    return own


def test_the_document_has_the_counts_of_the_cases():
    rows = re.findall(r"^\| ([^|]+?) \| (\d+) \|", (ROOT / "docs/reruns.md").read_text(), re.M)
    assert rows == [(case.name, str(len(case.jobs))) for case in CASES]
