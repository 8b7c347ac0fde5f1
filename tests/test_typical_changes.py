"""The typical changes of docs/design.md: one source file and one line of the configuration each.

One of each is added to a copy of the project, and a small study with all of them runs.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from thermalign import tables
from thermalign.geometry import LANDMARKS
from thermalign.schemas.keys import ANNOTATED, rows_of
from thermalign.schemas.measures import SUMMARY
from thermalign.schemas.predictions import PREDICTIONS

ROOT = Path(__file__).parents[1]

DETECTOR = '''"""The middle of the box, for every landmark."""

from dataclasses import dataclass

import torch

from thermalign.settings import check, setting
from thermalign.states import State


@dataclass(frozen=True)
class Settings:
    """Where the points lie.

    Attributes
    ----------
    down : float
        Below the top of the box, in its height.
    """

    down: float = setting(0.5, low=0, high=1)

    def __post_init__(self):
        check(self)


def reach(settings):
    return 0.0


def fit(train, validation, settings, *, seed, run=None):
    return State({"down": torch.tensor([settings.down])}, notes={"precision": "float32"})


def predict(state, stack, boxes, settings):
    share = torch.stack([torch.tensor(0.5), state.tensors["down"][0]])
    middle = boxes[:, :2] + boxes[:, 2:] * share
    points = middle[:, None] + torch.arange(5.0)[:, None] * torch.tensor([2.0, 1.0])
    return points, torch.full((*points.shape, 2), torch.nan)
'''

MAPPING = '''"""Descriptors with their small values kept."""

from dataclasses import dataclass

from thermalign.settings import check, setting


@dataclass(frozen=True)
class Settings:
    """The power.

    Attributes
    ----------
    power : float
        Of every value.
    """

    power: float = setting(1.0, low=0.25, high=4)

    def __post_init__(self):
        check(self)


def fit(examples, settings, *, seed):
    import torch
    return {"power": torch.tensor(settings.power)}


def apply(state, descriptors, modality):
    return descriptors.sign() * descriptors.abs() ** state["power"]
'''

CLASSIFIER = '''"""The nearest enrolled image."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from thermalign.verification.contract import LEFT_OUT


@dataclass(frozen=True)
class Settings:
    """None."""


class Model(NamedTuple):
    vectors: np.ndarray
    labels: np.ndarray


def enrol(gallery, settings):
    kept = [labels != LEFT_OUT for labels in gallery.labellings]
    each = zip(kept, gallery.labellings, strict=True)
    return [Model(gallery.vectors[kept], labels[kept]) for kept, labels in each]


def score(model, vectors):
    away = np.linalg.norm(vectors[:, None] - model.vectors, axis=-1)
    people = range(int(model.labels.max()) + 1)
    return np.stack([-away[:, model.labels == k].min(axis=1) for k in people], axis=1)
'''

METRIC = '''"""The worst error."""

import numpy as np

SCALE = "positive"


def of_errors(errors, weights):
    return float(errors[weights > 0].max()) if weights.any() else float("nan")
'''

ADAPTER = '''"""Images by a list of their names."""

from dataclasses import dataclass
from pathlib import Path

from thermalign.ingest import table
from thermalign.settings import setting


@dataclass(frozen=True)
class Settings:
    """The list.

    Attributes
    ----------
    folder : Path
        Of images and list.
    manifest : Path
        The list.
    """

    folder: Path = setting()
    manifest: Path = setting()


def read(settings, sources):
    columns = {"subject_id": "person"}
    return table.read(table.Settings(settings.folder, settings.manifest, columns=columns))
'''

FILES = {
    "landmarks/middle.py": DETECTOR,
    "verification/powers.py": MAPPING,
    "verification/nearest_image.py": CLASSIFIER,
    "metrics/worst_error.py": METRIC,
    "ingest/listed.py": ADAPTER,
}
"""A detector, a mapping, a classifier, a metric and a format of datasets, each a new file."""

EYES_AND_NOSE = {
    "METHODS = (": 'METHODS = ("eyes_and_nose", ',
    "_FITS = {\n": """_FITS = {
    "eyes_and_nose": _Fit(fit_affine, landmarks=[0, 1, 2], dimensions=2),
""",
}
"""An alignment method: what is replaced in verification/alignment.py."""

STUDY = {
    "base": "config.yaml",
    "data": "faces",
    "datasets": {"simulated": None, "mine": {"adapter": "listed", "folder": "."}},
    "models": dict.fromkeys(("dan", "heatmap", "pbc", "mtcnn", "ert", "mean_shape")),
    "matcher": {"mapping": "powers", "classifier": "nearest_image", "powers": {"power": 0.5}},
    "evaluation": {"replicates": 50, "metrics": ["worst_error"]},
    "alignment": {"method": "eyes_and_nose"},
    "ablation": None,
    "displacements": None,
}


def faces(folder):
    """Draw six people, twice in each modality, as blobs at their landmarks; write the list."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows, grid = [], np.mgrid[:96, :96][::-1]
    usual = np.array([[36, 40], [60, 40], [48, 52], [39, 64], [57, 64]], float)
    header = ["path", "image_id", "person", "modality", "pair_id"]
    header += [f"{name}_{axis}" for name in LANDMARKS for axis in "xy"]
    for person in range(6):
        own = usual + rng.normal(0, 1.5, (5, 2))
        for moment in range(2):
            for modality in ("visible", "thermal"):
                points = own + rng.normal(0, 0.5, (5, 2))
                away = ((grid[:, None] - points.T[:, :, None, None]) ** 2).sum(0)
                picture = np.exp(-away / (12 + 6 * person)).sum(0) * 120 + rng.random((96, 96)) * 60
                name = f"{person}{moment}{modality}"
                cv2.imwrite(str(folder / f"{name}.png"), picture.astype(np.uint8))
                pair = f"{person}{moment}"
                rows.append([f"{name}.png", name, f"p{person}", modality, pair, *points.ravel()])
    lines = [",".join(map(str, row)) for row in [header, *rows]]
    (folder / "list.csv").write_text("\n".join(lines) + "\n")


def study():
    """Return the study; the rest of each block is the default's."""
    default = yaml.safe_load((ROOT / "config.yaml").read_text())
    box, protocol = default["datasets"]["simulated"]["box"], default["protocols"]["p1"]
    split = {"train_subjects": 3, "test_subjects": 3, "folds": 1, "validation_share": 0.34}
    both = {"same_moment": ["keep"], "probe": {"modality": "thermal"}}
    both |= {"gallery": {"modality": "visible"}, "dataset": "mine", "volumes": [1]}
    own = {key: its for key, its in (protocol | split | both).items() if key != "paper"}
    mine = STUDY["datasets"]["mine"] | {"manifest": "list.csv", "box": box}
    return STUDY | {
        "datasets": {"simulated": None, "mine": mine},
        "protocols": dict.fromkeys(default["protocols"]) | {"own": own},
        "models": STUDY["models"] | {"middle": {"down": 0.4}},
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The project with one of each, and its study, run up to the joined figures."""
    folder = tmp_path_factory.mktemp("changed") / "project"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "weights")
    for name in ("src", "workflow", "envs"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("Snakefile", "config.yaml"):
        shutil.copy(ROOT / name, folder)
    package = folder / "src" / "thermalign"
    for name, text in FILES.items():
        assert not (package / name).exists()
        (package / name).write_text(text)
    alignment = package / "verification" / "alignment.py"
    text = alignment.read_text()
    for old, new in EYES_AND_NOSE.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    alignment.write_text(text)
    faces(folder / "faces")
    (folder / "study.yaml").write_text(yaml.safe_dump(study(), sort_keys=False))
    done = snakemake(folder, "results/compare/summary.parquet")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def snakemake(folder, *arguments, configfile="study.yaml"):
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run(
        [*command, *arguments, "--configfile", configfile],
        cwd=folder,
        capture_output=True,
        text=True,
        env=environment,
    )


def summary(project):
    return tables.read(project / "results/compare/summary.parquet", SUMMARY)


def test_no_other_file_of_the_project_is_touched(project):
    changed = {
        path.relative_to(project).as_posix()
        for folder in ("src", "workflow", "envs")
        for path in (project / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
        if not (ROOT / path.relative_to(project)).is_file()
        or path.read_bytes() != (ROOT / path.relative_to(project)).read_bytes()
    }
    ours = {f"src/thermalign/{name}" for name in FILES}
    assert changed == ours | {"src/thermalign/verification/alignment.py"}


def test_a_detector_and_an_adapter_make_points_in_the_images_that_were_listed(project):
    points = tables.read(project / "results/own/fold0/middle/predictions.parquet", PREDICTIONS)
    assert len(points) == 3 * 2 * len(LANDMARKS)
    assert points["x"].between(30, 70).all()


def test_the_metric_has_a_figure_and_an_interval(project):
    rows = rows_of(summary(project)).set_index(["model", "metric"])
    worst, mean = rows.loc[("middle", "worst_error")], rows.loc[("middle", "nmse")]
    assert worst["value"] >= mean["value"]
    assert worst["low"] <= worst["value"] <= worst["high"]
    assert (ANNOTATED, "worst_error") not in rows.index


def test_the_matcher_of_the_new_parts_verifies_annotated_faces(project):
    rows = rows_of(summary(project)).set_index(["model", "metric"])
    assert 0 <= rows.loc[(ANNOTATED, "eer"), "value"] < 0.5


WRONG = [
    ("down: 0.4", "down: 4", "models.middle.down: 4 is not allowed; give a number from 0 to 1"),
    ("power: 0.5", "powr: 0.5", "matcher.powers.powr: no such key; did you mean power?"),
    ("eyes_and_nose", "eyes_and_nosy", "alignment.method"),
]


def refused(project, *changes):
    """Return what a first dry run says of the study with some words replaced."""
    text = (project / "study.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (project / "wrong.yaml").write_text(text)
    done = snakemake(project, "-n", configfile="wrong.yaml")
    assert done.returncode != 0
    return done.stdout + done.stderr


def test_what_is_new_is_checked_before_any_job(project):
    printed = refused(project, *((old, new) for old, new, _ in WRONG))
    assert not [told for _, _, told in WRONG if told not in printed]


def test_a_misspelt_metric_is_refused_with_the_nearest(project):
    printed = refused(project, ("worst_error", "worst_eror"))
    assert "no metric 'worst_eror'; did you mean worst_error?" in printed
