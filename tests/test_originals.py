"""Images are inputs: one replaced or deleted is noticed, one touched or moved runs nothing."""

import json
import os
import re
import shutil
import subprocess
import time

import cv2
import numpy as np
import pytest
import yaml

from thermalign import originals
from thermalign.config.overlays import read_merged
from thermalign.originals import NEW, fingerprint, write_record
from workflow_rules import ROOT, snakemake

OLD = 10**18  # ns, 2001


@pytest.fixture
def files(tmp_path):
    """Three old files with the digests of what is in them, and their record."""
    digests = {}
    for name in "abc":
        path = tmp_path / f"{name}.png"
        path.write_text(name)
        os.utime(path, ns=(OLD, OLD))
        digests[str(path)] = originals._digest_of(path)
    (tmp_path / "manifest.csv").write_text("path\n")
    write_record(tmp_path / "files.json", "f1", [tmp_path / "manifest.csv"], digests)
    return tmp_path


@pytest.fixture
def read(monkeypatch):
    """Names of the files that were read."""
    names, digest = [], originals._digest_of
    monkeypatch.setattr(originals, "_digest_of", lambda p: names.append(p.name) or digest(p))
    return names


def test_files_without_a_record_are_new(tmp_path):
    assert fingerprint(tmp_path / "files.json") == NEW


def test_files_as_recorded_keep_the_fingerprint_that_ingest_was_given(files, read):
    assert fingerprint(files / "files.json") == "f1"
    assert read == ["manifest.csv"]  # written a moment before it was recorded: its time is no proof
    assert fingerprint(files / "files.json") == "f1"
    assert len(read) == 1


def test_a_file_touched_is_read_once(files, read):
    fingerprint(files / "files.json")
    before = (files / "files.json").stat().st_mtime_ns
    (files / "a.png").touch()
    assert [fingerprint(files / "files.json") for _ in range(3)] == ["f1"] * 3
    assert read == ["manifest.csv", "a.png"]
    assert (files / "files.json").stat().st_mtime_ns == before


def test_what_a_killed_reader_left_beside_the_record_goes_with_the_next_write(tmp_path, files):
    ended = subprocess.Popen(["true"])
    ended.wait()
    record = next(path for path in tmp_path.rglob("*.json"))
    left = record.with_name(f".{record.name}.{ended.pid}.tmp")
    left.touch()
    write_record(record, "x", [], {})
    assert not left.exists()


def test_a_file_of_the_same_size_with_other_content_is_noticed(files):
    (files / "a.png").write_text("x")
    assert fingerprint(files / "files.json") not in {"f1", NEW}


def test_a_deleted_file_and_a_changed_manifest_are_noticed(files):
    (files / "b.png").unlink()
    without = fingerprint(files / "files.json")
    (files / "manifest.csv").write_text("path,subject_id\n")
    assert len({without, fingerprint(files / "files.json"), "f1", NEW}) == 4


def test_the_fingerprint_of_changed_files_is_the_same_until_they_change_again(files):
    (files / "a.png").write_text("x")
    assert fingerprint(files / "files.json") == fingerprint(files / "files.json")


def test_a_file_that_is_as_it_was_again_has_its_old_fingerprint(files):
    (files / "a.png").write_text("x")
    fingerprint(files / "files.json")
    (files / "a.png").write_text("a")
    assert fingerprint(files / "files.json") == "f1"


def test_files_that_are_not_as_recorded_are_named(files):
    (files / "a.png").touch()
    assert originals.replaced(files / "files.json") == []
    (files / "a.png").write_text("x")
    (files / "b.png").unlink()
    named = originals.replaced(files / "files.json")
    assert sorted(named) == [str(files / name) for name in ("a.png", "b.png")]


@pytest.mark.parametrize("text", ["", "[]", '{"fingerprint": "f1"}', '{"files": 1}', "\xff"])
def test_a_record_that_cannot_be_read_is_not_trusted(files, text):
    (files / "files.json").write_text(text, encoding="latin-1")
    assert fingerprint(files / "files.json") not in {"f1", NEW}
    assert originals.replaced(files / "files.json") == []


def test_fifty_thousand_files_would_take_about_a_second(tmp_path):
    paths = [tmp_path / str(n) for n in range(5_000)]
    for path in paths:
        path.touch()
        os.utime(path, ns=(OLD, OLD))
    write_record(tmp_path / "files.json", "f1", [], dict.fromkeys(map(str, paths), "0" * 64))
    began = time.process_time()
    assert fingerprint(tmp_path / "files.json") == "f1"
    assert time.process_time() - began < 0.2


def test_an_image_of_a_simulated_dataset_that_was_replaced_is_refused_with_the_cure(tmp_path):
    chunk = tmp_path / "chunks" / "0"
    chunk.mkdir(parents=True)
    (chunk / "s1.png").write_text("rendered")
    digests = {str(chunk / "s1.png"): originals._digest_of(chunk / "s1.png")}
    originals.check_images(digests)
    (chunk / "s1.png").write_text("replaced")
    with pytest.raises(ValueError, match=rf"s1\.png: was replaced .* delete the folder {chunk} "):
        originals.check_images(digests)
    (chunk / "s1.png").unlink()
    with pytest.raises(ValueError, match=r"s1\.png: is gone since it was rendered"):
        originals.check_images(digests)


def test_of_a_folder_the_names_in_it_count_and_its_time_does_not(tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a.png").write_text("one")
    record = tmp_path / "tree_files.json"
    originals.write_tree_record(record, "f1", [tmp_path / "tree"])
    (tmp_path / "tree" / "a.png").write_text("another")
    os.utime(tmp_path / "tree", (1, 1))
    assert fingerprint(record) == "f1"
    (tmp_path / "tree" / "b.png").touch()
    assert fingerprint(record) != "f1"
    (tmp_path / "tree" / "b.png").unlink()
    assert fingerprint(record) == "f1"


# --- in the workflow, in folders whose names mean something to a shell ---

CODE, DATA = "c 'q'; touch W", "d $HOME; touch X & 'q' [1]"
RESULTS = 'my "results"; touch Y #`touch Z`'


def image(number):
    return np.random.default_rng(number).integers(0, 255, (40, 40)).astype(np.uint8)


@pytest.fixture(scope="module")
def ingested(tmp_path_factory):
    """A table dataset of eight people that has been ingested and folded."""
    folder = tmp_path_factory.mktemp("a b") / "it's; here"
    (folder / DATA / "t & v").mkdir(parents=True)
    for name in ("Snakefile", "workflow", "src", "envs"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (folder / CODE).mkdir(exist_ok=True)
        copy(ROOT / name, folder / CODE / name)
    rows = ["path,subject_id"]
    for n in range(8):
        cv2.imwrite(str(folder / DATA / "t & v" / f"{n} (1).png"), image(n))
        rows.append(f"t & v/{n} (1).png,s{n}")
    (folder / DATA / "the list;.csv").write_text("\n".join(rows))
    config = read_merged([ROOT / "workflow/config/london60.yaml"], {})
    config |= {"results": RESULTS, "data": DATA, "models": {"mean_shape": {}}}
    box = {"source": "fixed", "fixed": [5, 5, 30, 30]}
    config["datasets"]["london60"] = {"adapter": "table", "folder": ".", "box": box}
    config["datasets"]["london60"] |= {
        "manifest": "the list;.csv",
        "defaults": {"modality": "thermal"},
    }
    config["protocols"]["portraits"] |= {"train_subjects": 4, "test_subjects": 4, "folds": 1}
    (folder / "study.yaml").write_text(yaml.safe_dump(config))
    status, printed = folded(folder)
    assert status == 0, printed
    return folder


@pytest.fixture
def project(ingested, tmp_path):
    return shutil.copytree(ingested, tmp_path / "moved & away")


def folded(folder, *arguments, **environment):
    """Run the study up to its folds; return the status and what was printed."""
    given = ["-s", str(folder / CODE / "Snakefile"), "--configfile", str(folder / "study.yaml")]
    target = f"{RESULTS}/portraits/fold0/folds.parquet"
    done = snakemake(folder, *given, *arguments, "--", target, **environment)
    return done.returncode, done.stdout + done.stderr


def due(folder, **environment):
    status, printed = folded(folder, "-n", **environment)
    assert status == 0, printed
    return set(re.findall(r"^rule (\w+):", printed, flags=re.M))


def test_odd_names_of_folders_reach_the_steps_and_no_command_is_run_by_them(ingested):
    record = json.loads((ingested / RESULTS / "data/london60/files.json").read_text())
    assert f"{DATA}/t & v/0 (1).png" in record["files"]
    assert record["fingerprint"] == NEW
    there = {path.name for path in ingested.iterdir()}
    assert there == {CODE, DATA, RESULTS, "study.yaml", ".snakemake"}


def test_a_moved_folder_and_touched_images_and_manifest_are_no_reason_to_run(project):
    for path in (project / DATA).rglob("*"):
        path.touch()
    assert due(project) == set()


def test_a_replaced_image_is_read_again_and_then_nothing_is_due(project):
    cv2.imwrite(str(project / DATA / "t & v" / "3 (1).png"), image(99))
    assert {"ingest", "fold"} <= due(project)
    assert folded(project)[0] == 0
    assert due(project) == set()


def test_a_job_elsewhere_is_given_the_fingerprint_that_its_run_took(project):
    assert {"ingest", "fold"} <= due(project, THERMALIGN_FILES_london60="taken")
    assert due(project, THERMALIGN_FILES_london60=NEW) == set()


def test_a_deleted_image_is_refused_by_its_row_of_the_manifest(project):
    (project / DATA / "t & v" / "3 (1).png").unlink()
    status, printed = folded(project)
    lines = [line for line in printed.splitlines() if line.startswith("thermalign ingest")]
    assert status != 0
    assert len(lines) == 1
    assert "row 5" in lines[0]
    assert "3 (1).png: no such image file" in lines[0]


def test_a_manifest_that_is_missing_is_refused_before_any_job(project):
    (project / DATA / "the list;.csv").unlink()
    status, printed = folded(project)
    assert status != 0
    assert f"config: datasets.london60: {DATA}/the list;.csv: no such manifest" in printed
    assert "Traceback" not in printed
