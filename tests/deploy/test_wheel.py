"""The package as it is installed: a wheel, with no checkout near."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from bright import SETTINGS, picture, shape_in, state_of

from thermalign.states import save_state

ROOT = Path(__file__).parents[2]
BOX = (30, 20, 60, 80)

pytestmark = pytest.mark.slow

PROGRAM = """
import json, sys
import thermalign
detector = thermalign.load("mine.safetensors", check=False)
(face,) = detector("face.png", [30, 20, 60, 80])
print(json.dumps([thermalign.__file__, face.status, face.points.tolist()]))
"""


CLEAN = {name: its for name, its in os.environ.items() if not name.startswith("PYTHON")}


def run(*command):
    """Run a command without the checkout on its path."""
    return subprocess.run([*map(str, command)], capture_output=True, text=True, env=CLEAN)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Install a wheel into an environment of its own; dependencies are this environment's."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "checkout"  # a build leaves files behind
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("*.egg-info"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    built = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source]
    assert (done := run(*pip, *built)).returncode == 0, done.stderr
    shutil.rmtree(source)
    (wheel,) = folder.glob("thermalign-*.whl")
    assert run(sys.executable, "-m", "venv", "--without-pip", folder / "env").returncode == 0
    python = folder / "env/bin/python"
    into = ["--python", python, "install", "--no-deps", "--no-index", "--force-reinstall", wheel]
    assert (done := run(*pip, *into)).returncode == 0, done.stderr
    (place,) = folder.glob("env/lib/python*/site-packages")
    (place / "dependencies.pth").write_text(sysconfig.get_path("purelib"))  # behind its own
    return python


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """Stay in an empty folder but for an image and a state."""
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("face.png", picture(BOX))
    save_state(Path("mine.safetensors"), state_of(), {"settings": json.dumps(SETTINGS)})


def site_of(python):
    return next(python.parents[1].glob("lib/python*/site-packages/thermalign"))


@pytest.mark.usefixtures("outside")
def test_what_runs_is_the_installed_package(installed):
    done = run(installed, "-c", PROGRAM)
    assert done.returncode == 0, done.stderr
    file, status, points = json.loads(done.stdout)
    assert Path(file).parent == site_of(installed)
    assert status == "ok"
    np.testing.assert_allclose(points, shape_in(BOX), atol=1e-3)


@pytest.mark.usefixtures("outside")
def test_the_command_predicts_in_an_empty_folder(installed):
    options = ["--boxes", "whole", "--model", "mine.safetensors", "--no-check"]
    done = run(
        installed.parent / "thermalign", "predict", "face.png", *options, "--overlay", "drawn"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1 images: 1 ok: points.csv\n"
    assert pd.read_csv("points.csv")["status"].tolist() == ["ok"]
    assert Path("drawn/face.png").is_file()


@pytest.mark.usefixtures("outside")
def test_without_a_model_it_uses_its_own_or_asks_for_one(installed):
    done = run(installed.parent / "thermalign", "predict", "face.png")
    if (site_of(installed) / "weights/landmarks.safetensors").is_file():
        assert done.returncode == 0, done.stderr
        assert set(pd.read_csv("points.csv")["image"]) == {"face.png"}
        program = "import thermalign; print(type(thermalign.load()('face.png')).__name__)"
        assert run(installed, "-c", program).stdout == "list\n"
    else:
        assert (done.returncode, done.stdout) == (1, "")
        assert "brings no weights of its own" in done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.usefixtures("outside")
def test_it_brings_its_templates_and_says_its_version(installed):
    for file in ("deploy/card.md.j2", "report/page.html.j2", "py.typed", "weights/README.md"):
        assert (site_of(installed) / file).is_file(), file
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    done = run(installed.parent / "thermalign", "--version")
    assert done.stdout == f"thermalign {project['version']}\n"
