"""A dataset that lies in folders as it was published: what the workflow runs, and when again."""

import json
import os
import re
import shutil

import pytest
import yaml
from typer.testing import CliRunner

from thermalign.cli import app
from thermalign.ingest import table
from thermalign.ingest.lines import Records
from thermalign.ingest.tree import Settings, Tree, Walk, write_tree
from trees import SIX, draw, xml
from workflow_rules import ROOT, snakemake

TABLES = "results/data/faces/images.parquet"
FIRST, SECOND = (f"0{n}/session_1/thermal_bmp/0{n}S1BNA1.bmp" for n in (1, 2))


@pytest.fixture(scope="module")
def ingested(tmp_path_factory):
    """A study of two people in CARL's layout, its tables made."""
    folder = tmp_path_factory.mktemp("study") / "here"
    for seed, image in enumerate((FIRST, SECOND)):
        draw(folder / "carl" / image, seed)
        xml(folder / "carl/Carl_annotations" / f"0{seed + 1}.xml", {image: SIX})
    config = yaml.safe_load((ROOT / "config.yaml").read_text()) | {"data": "."}
    block = {"adapter": "carl", "folder": "carl", "nose": "estimated", "box": {"source": "given"}}
    config["datasets"] = {"faces": block}
    config["protocols"] = {"p1": config["protocols"]["p1"] | {"dataset": "faces"}}
    config["protocols"]["p1"] |= {"train_subjects": 2, "test_subjects": 2, "validation_share": 0.0}
    config["protocols"]["p1"]["reject"] = []
    (folder / "study.yaml").write_text(yaml.safe_dump(config))
    done = ask(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def study(ingested, tmp_path):
    return shutil.copytree(ingested, tmp_path / "moved")


def ask(folder, *arguments):
    given = ["-s", str(ROOT / "Snakefile"), "--configfile", "study.yaml", *arguments]
    return snakemake(folder, *given, "--", TABLES)


def due(folder):
    done = ask(folder, "-n")
    assert done.returncode == 0, done.stdout + done.stderr
    return set(re.findall(r"^rule (\w+):", done.stdout, flags=re.M))


def test_a_manifest_is_made_and_read(ingested):
    made = ingested / "results/data/faces"
    assert (made / "manifest.csv").read_text().splitlines()[1].startswith(f"{FIRST},01,")
    assert (made / "left_out.csv").read_text() == "file,row,image,reason\n"
    files = json.loads((made / "tree_files.json").read_text())["files"]
    assert "carl/Carl_annotations/01.xml" in files
    assert "carl/01/session_1/thermal_bmp" in files


def test_a_moved_folder_and_touched_files_are_no_reason_to_run(study):
    for path in (study / "carl").rglob("*"):
        path.touch()
    assert due(study) == set()


def test_a_changed_annotation_is_read_again_and_then_nothing_is_due(study):
    parts = [(name, (x + 1, y)) for name, (x, y) in SIX]
    xml(study / "carl/Carl_annotations/01.xml", {FIRST: parts})
    assert due(study) == {"adapt", "ingest"}
    assert ask(study).returncode == 0
    assert ",21,26," in (study / "results/data/faces/manifest.csv").read_text()
    assert due(study) == set()


def test_a_new_image_is_noticed_and_refused_without_its_annotation(study):
    before = (study / "results/data/faces/manifest.csv").read_bytes()
    draw(study / "carl" / FIRST.replace("NA1", "NA2"), 7)
    assert due(study) == {"adapt", "ingest"}
    done = ask(study)
    told = [x for x in (done.stdout + done.stderr).splitlines() if x.startswith("thermalign adapt")]
    assert len(told) == 1
    assert "01S1BNA2.bmp" in told[0]
    assert "has no annotation; complete the copy, or set misfits: leave_out" in told[0]
    made = study / "results/data/faces/manifest.csv"
    assert not made.exists() or made.read_bytes() == before


def test_a_tree_that_is_missing_is_refused_before_any_job(study):
    shutil.move(study / "carl", study / "elsewhere")
    done = ask(study)
    assert "config: datasets.faces: carl: no such folder; correct data: or folder:" in done.stderr


def test_a_folder_that_cannot_be_read_is_no_empty_one(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    walk = Walk(Settings(folder=tmp_path))
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(
        ValueError, match=r"cannot be read \(Permission denied\); correct its rights"
    ):
        walk.files(tmp_path, ".png")


def test_a_manifest_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    tree = Tree(Records([{"path": "\ud800.png"}]), [], [])
    with pytest.raises(UnicodeEncodeError):
        write_tree(tree, tmp_path / "faces.csv", tmp_path / "faces_left_out.csv")
    assert not list(tmp_path.iterdir())


# --- the command ---


def adapt(folder, *arguments):
    done = CliRunner().invoke(app, ["adapt", *map(str, arguments)])
    return (
        done.exit_code,
        str(done.exception or done.output),
        sorted(p.name for p in folder.iterdir()),
    )


def test_a_manifest_can_be_written_looked_at_and_read_as_any_other(ingested, tmp_path):
    root, out = ingested / "carl", tmp_path / "faces.csv"
    code, printed, there = adapt(tmp_path, "carl", root, "--out", out, "--set", "nose=estimated")
    assert code == 0, printed
    assert f"{out}: 2 images of 2 people" in printed
    assert there == ["faces.csv", "faces_left_out.csv"]
    assert out.read_text() == (ingested / "results/data/faces/manifest.csv").read_text()
    assert len(table.read(table.Settings(root, out)).images) == 2
    assert (
        "faces.tsv: is no name of a CSV file"
        in adapt(tmp_path, "carl", root, "--out", tmp_path / "faces.tsv", "--set", "nose=none")[1]
    )
    assert "is there already; remove it" in adapt(tmp_path, "carl", root, "--out", out)[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["carll", "ROOT"], "no adapter 'carll'; use one of arl_polarimetric, arl_vtf, carl, "),
        (["carl", "ROOT"], "--set: nose is missing"),
        (["carl", "ROOT", "--set", "nose"], "--set nose: is no setting; write name=value"),
        (["carl", "ROOT", "--set", "nose=tip"], "nose is 'tip'; give one of none, estimated"),
        (["carl", "ROOT", "--set", "noose=none"], "unknown setting 'noose'"),
        (["carl", "ROOT", "--set", "nose=none", "--set", "nose=none"], "--set nose: is set alre"),
        (["carl", "ROOT", "--set", "folder=there"], "--set folder: is set already; give each once"),
        (["tfw", "ROOT", "--set", "nose=tip"], "train/indoor_gray: no such folder, which holds im"),
        (["carl", "gone", "--set", "nose=none"], "gone: no such folder; correct data: or the data"),
    ],
)
def test_a_wrong_order_is_refused_in_a_line_and_nothing_is_written(
    ingested, tmp_path, arguments, message
):
    given = [str(ingested / "carl") if word == "ROOT" else word for word in arguments]
    code, printed, there = adapt(tmp_path, *given, "--out", tmp_path / "faces.csv")
    assert code != 0
    assert message in printed
    assert there == []
