"""Steps on a machine with several GPUs, which are pretended: a script in nvidia-smi's place."""

import os
import signal
import subprocess
import sys

import pytest

from thermalign import gpus

STEP = """
import sys, time
from thermalign import gpus
gpus.keep_off() if sys.argv[1:] == ["off"] else gpus.take()
import os
print(os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
time.sleep(60)
"""


@pytest.fixture
def start(tmp_path):
    """Return what starts a step that takes a GPU, of two; each is killed in the end."""
    smi = tmp_path / "nvidia-smi"
    smi.write_text("#!/bin/sh\necho 'GPU 0: Pretended (UUID: a)'\necho 'GPU 1: Pretended'\n")
    smi.chmod(0o755)
    running = []

    def begin(*arguments, **more):
        kept = {k: v for k, v in os.environ.items() if k != "CUDA_VISIBLE_DEVICES"}
        env = {**kept, "TMPDIR": str(tmp_path), "PATH": f"{tmp_path}:{kept['PATH']}", **more}
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", STEP, *arguments]
        step = subprocess.Popen(command, env=env, stdout=pipe, stderr=pipe, text=True)
        running.append(step)
        return step

    yield begin
    for step in running:
        step.kill()
        step.communicate()


def device_of(step):
    return step.stdout.readline().strip()


def test_two_steps_at_once_get_different_devices(start):
    assert {device_of(start()), device_of(start())} == {"0", "1"}


def test_a_killed_step_frees_its_device_for_the_one_that_waits(start):
    first, second = start(), start()
    devices = {step: device_of(step) for step in (first, second)}
    third = start()
    assert third.stderr.readline() == "waits for one of GPUs 0, 1: all are taken\n"
    second.send_signal(signal.SIGKILL)
    second.wait()
    assert device_of(third) == devices[second]


def test_a_set_variable_is_respected(start):
    assert device_of(start(CUDA_VISIBLE_DEVICES="7")) == "7"
    assert device_of(start(CUDA_VISIBLE_DEVICES="")) == ""
    some = {"CUDA_VISIBLE_DEVICES": "3,5"}
    assert [device_of(start(**some)) for _ in range(2)] == ["3", "5"]


def test_a_step_without_use_for_a_gpu_sees_none(start):
    assert device_of(start("off")) == ""


def test_a_machine_without_gpus_changes_nothing(start, tmp_path):
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
    assert device_of(start()) == "None"


LISTED = """\
GPU 0: NVIDIA GeForce RTX 4090 Laptop GPU (UUID: GPU-a)
GPU 1: NVIDIA A100 80GB PCIe (UUID: GPU-b)
  MIG 1g.10gb Device 0: (UUID: MIG-c)
"""


@pytest.mark.parametrize(
    ("chosen", "names"),
    [(None, ["0", "1"]), ("3", ["3"]), (" 3, GPU-b ", ["3", "GPU-b"]), ("", []), ("-1", [])],
)
def test_those_are_counted_that_may_be_used_whatever_their_names_say(
    tmp_path, monkeypatch, chosen, names
):
    smi = tmp_path / "nvidia-smi"
    smi.write_text(f"#!/bin/sh\ncat <<'END'\n{LISTED}END\n")
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv(gpus.CHOICE, raising=False)
    if chosen is not None:
        monkeypatch.setenv(gpus.CHOICE, chosen)
    assert gpus.visible() == names
