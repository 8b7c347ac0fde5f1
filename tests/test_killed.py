"""A step that a signal ended is told of in one line, by what its shell runs after it."""

import signal
import subprocess
import sys

import pytest

from thermalign.killed import explain_signal

SHELL = "{step} || {python} -m thermalign.killed $? {log} train p1/fold0/dan"


def after(step, log):
    command = SHELL.format(step=step, python=sys.executable, log=log)
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True)


def test_a_killed_step_is_told_with_its_likely_cause_and_cure_in_terminal_and_log(tmp_path):
    log = tmp_path / "train.log"
    log.write_text("step 100\n")
    done = after("bash -c 'kill -9 $$'", log)
    assert done.returncode == 128 + signal.SIGKILL
    line = done.stderr.splitlines()[-1]
    assert line.startswith("thermalign train p1/fold0/dan: was killed (signal 9, SIGKILL): likely ")
    assert "memory ran out; let fewer jobs run side by side (--cores)" in line
    assert log.read_text() == f"step 100\n{line}\n"


@pytest.mark.parametrize("status", [1, 2, 128 + signal.SIGTERM, 128 + signal.SIGINT])
def test_what_a_step_said_itself_is_not_said_again_and_its_status_stays(tmp_path, status):
    done = after(f"(exit {status})", tmp_path / "log")
    assert (done.returncode, done.stderr) == (status, "")
    assert not (tmp_path / "log").exists()


def test_a_step_that_went_well_runs_nothing_more(tmp_path):
    assert after("true", tmp_path / "log").returncode == 0


def test_a_log_that_is_gone_does_not_hide_the_line(tmp_path):
    done = after("bash -c 'kill -9 $$'", tmp_path / "no" / "log")
    assert "was killed" in done.stderr
    assert "Traceback" not in done.stderr


CAUSES = {
    signal.SIGKILL: "memory ran out",
    signal.SIGXFSZ: "ulimit -f",
    signal.SIGXCPU: "processor time than ulimit -t or the batch system allows",
    signal.SIGBUS: "the disk is full",
    signal.SIGSEGV: "compiled code crashed",
    signal.SIGABRT: "compiled code crashed",
    signal.SIGILL: "compiled code crashed",
    signal.SIGFPE: "compiled code crashed",
}


@pytest.mark.parametrize("number", CAUSES)
def test_a_signal_that_has_a_cause_is_told_with_it_and_its_cure(number):
    told = explain_signal(128 + number)
    assert told.startswith(f"was killed (signal {number.value}, {number.name}): ")
    assert CAUSES[number] in told
    assert "run the study again" in told


@pytest.mark.parametrize("name", ["SIGHUP", "SIGUSR1", "SIGPIPE", "SIGALRM", "SIGQUIT"])
def test_a_signal_that_somebody_sent_is_told_as_no_crash(name):
    told = explain_signal(128 + signal.Signals[name])
    assert told == f"was ended from outside by {name}; run the study again to go on"
