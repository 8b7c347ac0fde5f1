"""A format of datasets is one file and a block of the configuration, and nothing else."""

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from thermalign.catalogue import trees
from thermalign.geometry import LANDMARKS
from trees import FACE, draw

PACKAGE = Path(__file__).parents[2] / "src" / "thermalign"
ADAPTER = '''"""Images of one person each, by a list of their names."""

from dataclasses import dataclass
from pathlib import Path

from thermalign.ingest import table
from thermalign.settings import setting


@dataclass(frozen=True)
class Settings:
    """A list of images.

    Attributes
    ----------
    folder : Path
        Of the images and of list.csv.
    manifest : Path
        The list.
    modality : str
        Of all of them.
    """

    folder: Path = setting()
    manifest: Path = setting()
    modality: str = setting("thermal", choices=("thermal", "visible"))


def read(settings, sources):
    """Read the list."""
    columns = {"defaults": {"modality": settings.modality}}
    return table.read(table.Settings(settings.folder, settings.manifest, **columns))
'''
INGEST = """
import json, sys
from pathlib import Path
import cv2, numpy as np
from thermalign import tables
from thermalign.config.models import check_study, dataset_block, manifest_of
from thermalign.schemas.dataset import IMAGES
from thermalign.steps import ingest

study = check_study(json.loads(sys.argv[1]))
data = Path(study["data"])
for name in ("a", "b"):
    counts = np.random.default_rng(ord(name)).integers(7000, 9000, (48, 40), np.uint16)
    cv2.imwrite(str(data / f"{name}.png"), counts)
(data / "list.csv").write_text("path,subject_id\\na.png,s1\\nb.png,s2\\n")
made = {n: data / f"{n}.parquet" for n in ("images", "annotations", "boxes", "attributes")}
block = dataset_block(study, "mine")
ingest.run(settings=block, sources=[manifest_of(study, "mine")], **made,
           files=data / "files.json", findings=data / "findings.parquet",
           audit=data / "audit.html", fingerprint="new", code="")
print(sorted(tables.read(data / "images.parquet", IMAGES)["modality"]))
"""


@pytest.fixture
def project(tmp_path):
    """The package with one file more, and the default study."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "src" / "thermalign", ignore=ignored)
    (tmp_path / "src/thermalign/ingest/listed.py").write_text(ADAPTER)
    shutil.copy(PACKAGE.parents[1] / "config.yaml", tmp_path)
    return tmp_path


def run(project, block):
    box = {"source": "fixed", "fixed": [5, 5, 30, 36]}
    config = {
        "base": "config.yaml",
        "data": str(project),
        "datasets": {"mine": {"adapter": "listed", "folder": ".", "box": box, **block}},
    }
    done = subprocess.run(
        [sys.executable, "-c", INGEST, json.dumps(config)],
        env={**os.environ, "PYTHONPATH": str(project / "src")},
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


def test_a_new_adapter_is_one_file_and_a_block(project):
    printed = run(project, {"manifest": "list.csv", "modality": "visible"})
    assert printed.splitlines()[-1] == "['visible', 'visible']"


def test_its_settings_are_checked_as_every_others_are(project):
    printed = run(project, {"manifest": "list.csv", "modalty": "visible"})
    assert "datasets.mine.modalty: no such key; did you mean modality?" in printed


# --- the adapter of a tree that docs/adapters.md shows ---

DOCUMENT = PACKAGE.parents[1] / "docs" / "adapters.md"
EXAMPLE = re.search(r"^```python\n(.*?)^```", DOCUMENT.read_text(), flags=re.M | re.S)[1]
ADAPT = """
import json, sys
from pathlib import Path
from thermalign import tables
from thermalign.config.models import check_study, dataset_block, tree_of
from thermalign.schemas.dataset import IMAGES
from thermalign.steps import adapt, ingest

study = check_study(json.loads(sys.argv[1]))
out = Path(study["data"])
assert tree_of(study, "mine") == out / "ours"
block = dataset_block(study, "mine")
sources = {"manifest": out / "manifest.csv", "left_out": out / "left_out.csv"}
common = {"settings": block, "fingerprint": "new", "code": ""}
adapt.run(files=out / "tree.json", **sources, **common)
made = {n: out / f"{n}.parquet" for n in ("images", "annotations", "boxes", "attributes")}
made |= {"findings": out / "findings.parquet", "audit": out / "audit.html"}
ingest.run(sources=list(sources.values()), files=out / "files.json", **made, **common)
print(tables.read(made["images"], IMAGES)[["subject_id", "modality"]].to_numpy().tolist())
"""


@pytest.fixture
def ours(project):
    """A tree of two people as the example reads it."""
    (project / "src/thermalign/ingest/ours.py").write_text(EXAMPLE)
    names = [f"people/{who}/{kind}_001.png" for who in ("ANNA", "BEN") for kind in "tv"]
    header = ",".join(["path", *(f"{name}_{axis}" for name in LANDMARKS for axis in "xy")])
    points = ",".join(str(v) for name in LANDMARKS for v in FACE[name])
    for seed, name in enumerate(names):
        draw(project / "ours" / name, seed)
    (project / "ours/points.csv").write_text(
        "\n".join([header, *(f"{name},{points}" for name in names)])
    )
    return project


def adapted(project):
    config = {"base": "config.yaml", "data": str(project)}
    config["datasets"] = {
        "mine": {"adapter": "ours", "folder": "ours", "box": {"source": "derived"}}
    }
    done = subprocess.run(
        [sys.executable, "-c", ADAPT, json.dumps(config)],
        env={**os.environ, "PYTHONPATH": str(project / "src")},
        capture_output=True,
        text=True,
    )
    return (done.stdout + done.stderr).splitlines()[-1]


def test_the_example_of_the_document_reads_a_tree(ours):
    people = [["ANNA", "thermal"], ["ANNA", "visible"], ["BEN", "thermal"], ["BEN", "visible"]]
    assert adapted(ours) == str(people)


def test_the_example_of_the_document_refuses_an_image_without_points(ours):
    draw(ours / "ours/people/BEN/t_002.png", 9)
    assert "people/BEN/t_002.png" in adapted(ours)
    assert not (ours / "manifest.csv").exists()


def test_the_example_is_short():
    assert len(EXAMPLE.splitlines()) <= 45


def test_the_document_says_of_every_adapter_what_its_points_mean():
    text = DOCUMENT.read_text()
    for adapter in trees():
        points = importlib.import_module(f"thermalign.ingest.{adapter}").POINTS
        for name, mark in points.items():
            told = ", ".join(mark.points) or "none"
            assert f"| `{adapter}` | {name} | {told} | {mark.meaning} |" in text
        assert text.count(f"\n| `{adapter}` |") == 7  # where to ask, five landmarks, names
