"""A Python with an executor plugin over the everyday packages, which stay as they are."""

import re
import subprocess
import venv
from pathlib import Path

import pytest
import yaml

from workflow_rules import ROOT


def python_with(extra, folder):
    """Install what an extra of the project names into a new environment; return its Python."""
    made = folder / "venv"
    venv.create(made, with_pip=True)
    (site,) = made.glob("lib/*/site-packages")
    everyday = Path(yaml.__file__).parents[1]
    (site / "everyday.pth").write_text(f"{everyday}\n")
    (pinned,) = re.findall(rf'^{extra} = \["(.*?)"\]', (ROOT / "pyproject.toml").read_text(), re.M)
    command = [made / "bin/python3", "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt"]
    done = subprocess.run([*command, pinned], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"{pinned} cannot be installed: {done.stderr.strip().splitlines()[-1]}")
    return made / "bin/python3"
