"""One run at a time in a folder; after a kill the next one goes on."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from thermalign import study

ROOT = Path(__file__).parents[1]

PRETEND = """
import pathlib, sys, time
here = pathlib.Path(".snakemake/locks")
with open("calls", "a") as calls:
    print(*sys.argv[1:], file=calls)
if "--unlock" in sys.argv:
    for path in here.iterdir():
        path.unlink()
elif list(here.iterdir()):
    sys.exit("locked")
while pathlib.Path("wait").exists():
    time.sleep(0.02)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project whose Snakemake is pretended: it refuses while .snakemake/locks holds a file."""
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    (tmp_path / "Snakefile").touch()
    (tmp_path / "pretend.py").write_text(PRETEND)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(study, "COMMAND", [sys.executable, "pretend.py"])
    return tmp_path


def calls(folder):
    return (folder / "calls").read_text().splitlines()


def is_free(path):
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_a_run_without_left_overs_unlocks_nothing(folder):
    assert study.run_study(["--cores", "1"]) == 0
    assert calls(folder) == ["--cores 1"]


def test_a_lock_that_a_killed_run_left_is_removed_first(folder, capsys):
    (folder / ".snakemake/locks/0.output.lock").touch()
    assert study.run_study(["--cores", "1"]) == 0
    assert calls(folder) == ["--cores 1 --unlock", "--cores 1"]
    assert capsys.readouterr().err.count("\n") == 1


def test_while_one_run_holds_the_lock_another_neither_runs_nor_unlocks(folder):
    (folder / ".snakemake/locks/0.output.lock").touch()
    with study.hold(study.LOCK):
        with pytest.raises(ValueError, match=rf"a run is in progress .*process {os.getpid()}") as e:
            study.run_study(["--cores", "1"])
        assert "\n" not in str(e.value)
    assert not (folder / "calls").exists()
    assert study.run_study([]) == 0


def test_a_lock_is_not_removed_while_a_snakemake_started_by_hand_is_alive(folder):
    (folder / ".snakemake/locks/0.output.lock").touch()
    (folder / "snakemake").write_text("import time; time.sleep(60)")
    process = subprocess.Popen([sys.executable, str(folder / "snakemake"), "--cores", "1"])
    try:
        wait_for(lambda: study.at_work(study.is_snakemake) == [process.pid])
        with pytest.raises(
            ValueError, match=rf"Snakemake is at work here \(process {process.pid}\)"
        ):
            study.run_study([])
    finally:
        process.kill()
        process.wait()
    assert study.at_work(study.is_snakemake) == []
    assert study.run_study([]) == 0


def test_steps_that_outlive_their_snakemake_are_waited_for(folder, monkeypatch):
    (folder / ".snakemake/locks/0.output.lock").touch()
    package = folder / "outlives/thermalign"
    package.mkdir(parents=True)
    (package / "__main__.py").write_text("import time; time.sleep(60)")
    here = os.environ | {"PYTHONPATH": str(package.parent)}
    step = subprocess.Popen([sys.executable, "-m", "thermalign", "train"], env=here)
    try:
        wait_for(lambda: study.at_work(study.is_step) == [step.pid])
        monkeypatch.setattr(study, "STEPS_END", 0.3)
        with pytest.raises(ValueError, match=rf"a step .*still at work \(process {step.pid}\)"):
            study.run_study([])
    finally:
        step.kill()
        step.wait()
    assert study.run_study([]) == 0


def test_a_place_that_cannot_be_written_is_refused_by_its_name(tmp_path, monkeypatch):
    study.check_writable(tmp_path / "not/there/yet")
    asked = []
    monkeypatch.setattr(study.os, "access", lambda path, _: asked.append(path))
    with pytest.raises(ValueError, match=r"cannot be written .*results: of the conf") as caught:
        study.check_writable(tmp_path / "not/there/yet")
    assert asked == [tmp_path]
    assert str(caught.value).startswith(f"{tmp_path}: ")


def test_a_dry_run_needs_no_lock(folder):
    with study.hold(study.LOCK):
        assert study.run_study(["--dry-run"]) == 0


def test_a_folder_without_snakefile_is_refused(folder):
    (folder / "Snakefile").unlink()
    with pytest.raises(ValueError, match="no Snakefile here"):
        study.run_study([])


RUN = """
import sys
from thermalign import study
study.COMMAND = [sys.executable, "pretend.py"]
sys.exit(study.run_study([]))
"""


@pytest.fixture
def running(folder):
    """A process that runs the study, whose pretended Snakemake ends once ``wait`` is gone."""
    (folder / "wait").touch()
    process = subprocess.Popen([sys.executable, "-c", RUN], start_new_session=True)
    wait_for((folder / "calls").exists)
    yield process
    (folder / "wait").unlink(missing_ok=True)
    process.kill()
    process.wait()


def test_a_run_whose_starter_is_killed_keeps_the_lock_until_it_ends_itself(folder, running):
    running.kill()
    running.wait()
    assert not is_free(study.LOCK)
    (folder / "wait").unlink()
    wait_for(lambda: is_free(study.LOCK))


def test_an_interrupt_is_waited_for_and_a_signal_to_end_is_handed_on(folder, running):
    running.send_signal(signal.SIGINT)  # not to the group: the pretended Snakemake is not hit
    time.sleep(0.3)
    assert running.poll() is None
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=20) == 128 + signal.SIGTERM


@pytest.mark.parametrize("name", ["config.yaml", "my config.yaml", "it's; touch X.yaml"])
def test_make_run_runs_the_study_through_the_lock_with_any_name_of_a_configuration(tmp_path, name):
    shutil.copy(ROOT / "Makefile", tmp_path)
    tool = tmp_path / ".venv/bin/thermalign"
    tool.parent.mkdir(parents=True)
    tool.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    tool.chmod(0o755)
    for path in ("pyproject.toml", "constraints.txt", ".venv/.installed"):
        (tmp_path / path).touch()
    command = ["make", "run", "CORES=2", *([f"CONFIG={name}"] if name != "config.yaml" else [])]
    outside = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}  # of make test
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=outside)
    assert done.stdout == f"run|--cores|2|--configfile|{name}|"
    command = ["make", "detector", "CORES=2", f"TAKEN={name}"]
    taken = f"run|--detector|--cores|2|--configfile|{name}|"
    for more, told in ((None, ""), (name, f"--configfile|{name}|")):
        words = [*command, *([f"MORE={more}"] if more else [])]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, env=outside)
        assert done.stdout == taken + told


@pytest.mark.slow  # a whole study
def test_after_a_kill_the_next_run_unlocks_and_ends_with_a_report(tmp_path):
    for name in ("Snakefile", "workflow", "src", "envs"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    volume = {"subjects": 9, "ranges": [1], "baseline": 2, "expression": 2}
    config["datasets"]["simulated"] |= {"chunks": 1, "settings": {"volumes": [volume]}}
    split = {"train_subjects": 5, "test_subjects": 4, "folds": 1, "validation_share": 0.2}
    config["protocols"] = {"p1": config["protocols"]["p1"] | split}
    config["matcher"] |= {"mapping": "none", "dpm": {"epochs": 1}}
    config |= {"models": {"mean_shape": {}}, "ablation": {}, "results": "my results"}
    del config["displacements"]
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-c", "from thermalign.cli import main; main()", "run"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    killed = subprocess.Popen(command, cwd=tmp_path, start_new_session=True, **quiet)
    wait_for((tmp_path / "my results/logs/simulate/simulated-0.log").exists, 120)
    second = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert "a run is in progress here" in second.stderr
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert list((tmp_path / ".snakemake/locks").iterdir())
    plain = [sys.executable, "-m", "snakemake", "--cores", "1"]
    refused = subprocess.run(plain, cwd=tmp_path, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "It can be removed with the --unlock argument" in refused.stderr + refused.stdout
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "A run here was killed: unlocking, and going on." in done.stderr
    report = tmp_path / "my results/report/index.html"
    assert done.stdout.endswith(f"Report: {report}\n")
    assert report.is_file()


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
