"""Every command of README and documents, run as it stands there, on a tiny study where need be.

Dry where it takes longer than a minute: studies and trainings are listed by Snakemake or make, not
run. What needs a program or data that is not here is skipped with that reason.
"""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml
from typer.main import get_command

from test_documents import DOCUMENTS
from test_end_to_end import LONDON60, ROOT, tiny
from thermalign import tables
from thermalign.cli import app
from thermalign.config.models import read_study
from thermalign.geometry import LANDMARKS
from thermalign.schemas.dataset import ANNOTATIONS, IMAGES
from trees import FACE, SIX, draw, xml

CARD = ROOT / "src/thermalign/weights/MODEL_CARD.md"
README = (ROOT / "README.md").read_text()
FIVE = np.ravel([FACE[name] for name in LANDMARKS])
BLOCKS = [
    (document, kind, block)
    for document in [*DOCUMENTS, CARD]
    for kind, block in re.findall(r"^```(\w+)\n(.*?)^```", document.read_text(), flags=re.M | re.S)
]
COMMANDS = list(
    dict.fromkeys(
        re.sub(r"\s+#\s.*$|\s+#$", "", line).strip()
        for _, kind, block in BLOCKS
        if kind == "sh"
        for line in re.sub(r"\\\n\s*", "", block).splitlines()
        if line.strip()
    )
)
OURS = [command for command in COMMANDS if command.startswith("thermalign ")]
DRY = [command for command in COMMANDS if command.split()[0] in ("make", "snakemake")]
REST = [command for command in COMMANDS if command not in (*OURS, *DRY)]
IN_WORDS = {
    command
    for document in [*DOCUMENTS, CARD]
    for command in re.findall(r"`((?:make|thermalign) [a-z][^`:]*)`", document.read_text())
}


def plain_blocks(kind, document="README.md"):
    """Return the blocks of a kind in a document."""
    return [block for path, its, block in BLOCKS if path.name == document and its == kind]


def call(command, folder, **environment):
    """Run a line by the shell in a folder, with the programs of this Python first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    source = {"PYTHONPATH": str(ROOT / "src"), "PATH": path, "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, **source, **environment},
    )


# --- What needs no study ---
def test_no_document_has_a_command_that_nothing_here_runs():
    known = ("source .venv/bin/activate", "pip install -e", "python benchmarks/", "cp results/")
    known += ("cd /where/datasets/are",)  # what follows is run where the dataset is
    assert [command for command in REST if not command.startswith(known)] == []
    assert len(OURS) > 15
    assert len(DRY) > 20


@pytest.mark.parametrize("command", sorted(IN_WORDS))
def test_a_command_that_words_name_is_one(command):
    program, *words = command.split()
    if program == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M)
        assert words[0] in targets
        return
    group = get_command(app)
    for word in words:
        if not hasattr(group, "commands") or word.startswith("-"):
            break
        assert word in group.commands, f"no command {word}"
        group = group.commands[word]


@pytest.mark.parametrize("command", [c for c in DRY if c.startswith("make")])
def test_make_lists_what_it_would_do(command, mine):
    done = call(command.replace("make", "make -n", 1), mine)
    assert done.returncode == 0, done.stderr
    named = re.findall(r"=(\S+\.yaml)", command)
    assert all((mine / name).is_file() for name in named)


@pytest.mark.parametrize("command", [c for c in REST if c.startswith(("pip", "source"))])
def test_what_is_installed_or_entered_is_what_the_project_has(command):
    if command.startswith("source"):
        assert re.search(r"^VENV := \.venv$", (ROOT / "Makefile").read_text(), flags=re.M)
        return
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = re.search(r"\[(\w+)\]", command)[1]
    assert extra in project["optional-dependencies"]


@pytest.mark.parametrize("command", [c for c in REST if c.startswith("python benchmarks/")])
def test_a_benchmark_takes_the_arguments_that_are_told(command):
    script, *arguments = shlex.split(command)[1:]
    told = call(f"python {script} --help", ROOT)
    assert told.returncode == 0, told.stderr
    assert all(word in told.stdout for word in arguments if word.startswith("--"))


def test_weights_are_copied_from_where_a_detector_is_packed(tmp_path):
    (command,) = (c for c in REST if c.startswith("cp"))
    for name in ("landmarks.safetensors", "finder.safetensors", "MODEL_CARD.md"):
        path = tmp_path / "results/transfer/detector" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        assert f"detector/{name}" in (ROOT / "workflow/rules/report.smk").read_text()
    (tmp_path / "src/thermalign/weights").mkdir(parents=True)
    done = call(command, tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "src/thermalign/weights").iterdir())) == 3


# --- README's ten lines ---
@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """A project with README's own data and study in it."""
    folder = tmp_path_factory.mktemp("mine")
    for name in ("Snakefile", "config.yaml", "workflow", "src", "envs", "Makefile", ".venv"):
        if (ROOT / name).exists():
            (folder / name).symlink_to(ROOT / name)
    for name in ("pyproject.toml", "constraints.txt"):
        (folder / name).symlink_to(ROOT / name)
    study = plain_blocks("yaml")[0].replace("/where/my/faces/are", str(folder))
    assert len(study.splitlines()) <= 10
    (folder / "mine.yaml").write_text(study)
    manifest = [line.removesuffix(",...") for line in plain_blocks("csv")[0].splitlines()]
    header = [
        *manifest[0].split(","),
        *(f"{name}_{axis}" for name in LANDMARKS[2:] for axis in "xy"),
    ]
    rows = []
    for person in range(46):
        for line in manifest[1:]:
            path, _, *cells = line.split(",")[:5]
            seed = 2 * person + (cells[1] == "visible")
            draw(folder / f"{path[0]}/{person}.png", seed)
            points = np.round(FIVE + np.random.default_rng(seed).normal(0, 1, 10), 1)
            name = f"{path[0]}/{person}.png"
            rows.append([name, f"s{person}", *cells[:2], f"p{person}", *points])
    pd.DataFrame(rows, columns=header).to_csv(folder / "faces.csv", index=False)
    return folder


def test_own_data_in_ten_lines_is_a_study_that_would_run(mine):
    study = read_study([mine / "mine.yaml"], {})
    assert list(study["protocols"]) == ["p1"]
    assert "paper" not in study["protocols"]["p1"]
    done = call("snakemake -n --cores 1 --configfile mine.yaml", mine)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\bingest\b", done.stdout + done.stderr)


def test_own_data_in_ten_lines_is_looked_at(mine):
    (command,) = (c for c in OURS if c == "thermalign audit mine.yaml")
    done = call(command, mine)
    assert "mine: " in done.stdout, done.stderr
    assert (mine / "audit/index.html").is_file()


def test_a_detector_in_a_few_lines_is_trained_and_predicts(tmp_path, mine):
    source = plain_blocks("python")[1]
    place = re.search(r"\*(src/thermalign/landmarks/(\w+)\.py)\*, and one line `(.*?)`", README)
    written, name, line = place.groups()
    project = tmp_path / "project"
    shutil.copytree(ROOT / "src", project / "src", ignore=shutil.ignore_patterns("__pycache__"))
    (project / written).write_text(source)
    for file in ("Snakefile", "workflow", "envs"):
        (project / file).symlink_to(ROOT / file)
    config = yaml.safe_load((ROOT / "config.yaml").read_text()) | {"models": yaml.safe_load(line)}
    (project / "config.yaml").write_text(yaml.safe_dump(config))
    dry = call("snakemake -n --cores 1", project, PYTHONPATH=str(project / "src"))
    assert dry.returncode == 0, dry.stdout + dry.stderr
    assert re.search(r"^train +3$", dry.stdout + dry.stderr, flags=re.M)
    code = f"""
import torch
from thermalign.geometry import to_box_units
from thermalign.landmarks.contract import make_faces
from thermalign.landmarks.models import load_model
from thermalign.warp import stack_images
module, settings = load_model({name!r}, {{}}, {name!r})
stack = stack_images([torch.rand(40, 40).numpy() for _ in range(3)], torch.device('cpu'))
boxes = torch.tensor([[4.0, 4, 30, 30]] * 3)
points = torch.tensor([[[10.0, 12], [26, 12], [18, 20], [13, 28], [24, 28]]] * 3)
faces = make_faces(stack, torch.arange(3), torch.zeros(3, dtype=bool), boxes, points)
state = module.fit(faces, faces, settings, seed=1)
found, told = module.predict(state, stack, boxes, settings)
assert torch.allclose(found, points, atol=1e-4) and told.isnan().all()
"""
    done = call(
        f"{sys.executable} -c {shlex.quote(code)}", project, PYTHONPATH=str(project / "src")
    )
    assert done.returncode == 0, done.stderr


# --- On a tiny study ---
@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A project in which the tiny study has run, with what commands name beside it."""
    folder = tmp_path_factory.mktemp("finished")
    for name in ("Snakefile", "workflow", "src", "envs"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "config.yaml").write_text(yaml.safe_dump(tiny()))
    done = call("thermalign run --cores 2", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "results/report/index.html" in done.stdout
    return prepared(folder)


def prepared(folder):
    """Lay out the files that documents name: images, a manifest, rows, a dataset."""
    data = folder / "results/data/simulated"
    images = tables.read(data / "images.parquet", IMAGES)
    points = tables.read(data / "annotations.parquet", ANNOTATIONS)
    wide = points.pivot(index="image_id", columns="landmark", values=["x", "y"])
    kept = images.set_index("image_id").loc[wide.index]
    kept = kept[kept["modality"] == "thermal"].head(12)
    rows = kept[["path", "subject_id", "modality", "scale", "offset"]].copy()
    for landmark in LANDMARKS:
        for axis in "xy":
            rows[f"{landmark}_{axis}"] = wide.loc[kept.index, (axis, landmark)].to_numpy()
    rows["path"] = [str(folder / path) for path in rows["path"]]
    rows.to_csv(folder / "faces.csv", index=False)
    for name in ("frames", "IMAGES"):
        (folder / name).mkdir()
        shutil.copy(rows["path"].iloc[0], folder / name / "one.png")
    shutil.copy(rows["path"].iloc[0], folder / "face.png")
    for name in ("heatmap", "across"):
        (folder / "results" / name).symlink_to(folder / "results")
    (data.parent / "london60").symlink_to(data)
    for command in (
        "thermalign points export results p1 0 dan points.csv",
        "thermalign scores export results p1 0 dan acme.csv",
    ):
        done = call(command, folder)
        assert done.returncode == 0, done.stderr
    carl = folder / "CARL"
    for seed in range(2):
        image = f"0{seed + 1}/session_1/thermal_bmp/0{seed + 1}S1BNA1.bmp"
        draw(carl / image, seed)
        xml(carl / "Carl_annotations" / f"0{seed + 1}.xml", {image: SIX})
    block = {"adapter": "carl", "folder": "CARL", "nose": "estimated", "box": {"source": "derived"}}
    study = {"base": "config.yaml", "datasets": {"carl": block}}
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    return folder


@pytest.fixture
def room(finished, tmp_path):
    """A folder of one command's own, in which everything of the finished project is."""
    for path in finished.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "CARL").unlink()  # a command writes into it
    shutil.copytree(finished / "CARL", tmp_path / "CARL")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("command", [c for c in OURS if "mine.yaml" not in c])
def test_a_command_does_what_its_document_says(command, room):
    if "FOLDER" in command and not LONDON60.is_dir():
        pytest.skip(f"no photographs at {LONDON60}")
    if "workflow/config" in command:
        (room / "config.yaml").unlink()
        (room / "config.yaml").symlink_to(ROOT / "config.yaml")
    if "--out points.csv" in command:
        (room / "points.csv").unlink()
    if "audit CARL/carl.csv" in command:  # which another line of the document makes
        done = call(next(c for c in OURS if c.endswith("--out CARL/carl.csv")), room)
        assert done.returncode == 0, done.stderr
    told = command.replace("FOLDER", str(LONDON60)).replace("/where/datasets/are/", "")
    done = call(told, room)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


@pytest.mark.slow
def test_landmarks_of_an_image_are_three_lines(room):
    three = plain_blocks("python")[0]
    assert len([line for line in three.splitlines() if line]) == 3
    done = call(f"{sys.executable} -c {shlex.quote(three)}", room)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("[('")
    counts = cv2.imread(str(room / "face.png"), cv2.IMREAD_UNCHANGED)
    assert counts.dtype == np.uint16


@pytest.mark.slow
@pytest.mark.parametrize("command", [c for c in DRY if c.startswith("snakemake")])
def test_snakemake_lists_what_it_would_run(command, room):
    if "conda" in command and not shutil.which("conda"):
        pytest.skip("no conda here")
    if "slurm" in command and not importlib.util.find_spec("snakemake_executor_plugin_slurm"):
        pytest.skip("the extra slurm is not installed: pip install -e '.[slurm]'")
    if "FOLDER" in command and not LONDON60.is_dir():
        pytest.skip(f"no photographs at {LONDON60}")
    if "workflow/config" in command:
        (room / "config.yaml").unlink()
        (room / "config.yaml").symlink_to(ROOT / "config.yaml")
        (room / "results").unlink()  # of another study
    told = re.sub(r"FOLDER_OF\w*|FOLDER", str(LONDON60), command)
    done = call(told if "--report" in told else f"{told} -n --quiet", room)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_pictures_of_the_readme_are_drawn_from_a_finished_study(room, tmp_path):
    out = tmp_path / "drawn"
    done = call(f"python {ROOT}/docs/pictures.py --out {out}", room)
    assert done.returncode == 0, done.stderr
    browser = any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    names = {"faces.png", "cost.png", "terminal.svg"} | ({"report.png"} if browser else set())
    assert {path.name for path in out.iterdir()} == names


def test_the_pictures_of_the_readme_are_there_and_small():
    named = re.findall(r"!\[[^\]]+\]\((docs/pictures/[\w.]+)\)", README)
    assert len(named) == 4
    assert {*named} == {f"docs/pictures/{p.name}" for p in (ROOT / "docs/pictures").iterdir()}
    assert sum((ROOT / name).stat().st_size for name in named) < 400 * 1024
    assert "://" not in re.sub(
        r'xmlns="[^"]*"', "", (ROOT / "docs/pictures/terminal.svg").read_text()
    )
