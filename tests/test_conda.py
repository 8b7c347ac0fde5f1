"""conda: the study on the environments of envs/, where there is one, and their lock files."""

import os
import shutil
import subprocess

import pytest

from test_end_to_end import ROOT, run, tiny
from workflow_rules import RULES

CONDA = shutil.which("conda")


def answers():
    """Say whether conda is there and its channel answers."""
    if not CONDA:
        return False
    command = [CONDA, "search", "--override-channels", "--channel", "conda-forge", "python=3.11"]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not CONDA, reason="no conda on PATH")
@pytest.mark.parametrize("flags", [["--use-conda"], ["--software-deployment-method", "conda"]])
def test_the_study_reaches_its_report_on_the_environments(flags, tmp_path, tmp_path_factory):
    if not answers():
        pytest.skip("conda is there, conda-forge does not answer")
    prefix = tmp_path_factory.getbasetemp() / "environments"  # built once
    flags = [*flags, "--conda-prefix", str(prefix)]
    status, printed = run(tmp_path, tiny(), *flags)
    assert status == 0, printed
    assert (tmp_path / "results/report/index.html").is_file()
    assert "Nothing to be done" in run(tmp_path, tiny(), *flags)[1]
    assert {path.name for path in (tmp_path / "results/logs").iterdir()} == set(RULES)


SOLVES = """
case "$1 $2" in
    "config --show") echo "subdir: linux-64" ;;
    "env create") mkdir -p "${@: -1}" ;;
    "list --explicit") printf '@EXPLICIT\\nhttps://a.channel/python-3.11.conda#5d41402a\\n' ;;
esac
"""
OFFLINE = """
[ "$1" = config ] && echo "subdir: linux-64" && exit
echo "CondaHTTPError: no answer from conda-forge" >&2; exit 1
"""


def pins(folder, conda=None):
    """Run `make pins` in a copy of what it needs, with a pretend conda or none."""
    for name in ("envs", ".ci"):
        shutil.copytree(ROOT / name, folder / name)
    tools = folder / "bin"
    tools.mkdir()
    for name in (
        "bash",
        "env",
        "dirname",
        "basename",
        "sed",
        "mktemp",
        "rm",
        "mv",
        "mkdir",
        "grep",
    ):
        (tools / name).symlink_to(shutil.which(name))
    (tools / "tail").symlink_to(shutil.which("tail"))
    if conda:
        (tools / "conda").write_text(f"#!/usr/bin/env bash\n{conda}")
        (tools / "conda").chmod(0o755)
    environment = {**os.environ, "PATH": str(tools)}
    command = [shutil.which("bash"), str(folder / ".ci/pins")]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def made(folder):
    return sorted(path.name for path in folder.glob("envs/*.pin.txt"))


def test_lock_files_are_written_beside_every_environment(tmp_path):
    done = pins(tmp_path, SOLVES)
    assert done.returncode == 0, done.stderr
    names = [f"{path.stem}.linux-64.pin.txt" for path in sorted(ROOT.glob("envs/*.yaml"))]
    assert made(tmp_path) == names
    assert (tmp_path / "envs" / names[0]).read_text().startswith("@EXPLICIT\n")


@pytest.mark.parametrize(
    ("conda", "line"),
    [
        (None, "make pins: no conda on PATH; install Miniforge, conda 24.7.1 or newer\n"),
        (
            OFFLINE,
            "make pins: envs/data.yaml: not solved, or its channel does not answer: "
            "CondaHTTPError: no answer from conda-forge\n",
        ),
    ],
    ids=["no conda", "no channel"],
)
def test_without_conda_or_its_channel_one_line_says_so_and_no_lock_file_is_left(
    conda, line, tmp_path
):
    done = pins(tmp_path, conda)
    assert (done.returncode, done.stderr, made(tmp_path)) == (1, line, [])


def test_no_lock_file_is_committed_that_was_not_made():
    for path in ROOT.glob("envs/*.pin.txt"):
        assert "@EXPLICIT" in path.read_text(), path
