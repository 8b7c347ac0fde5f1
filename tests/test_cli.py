"""Commands for people, on results that are made up."""

import json
import os
import re
import signal
import sys
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from thermalign import cli, tables, versions
from thermalign import study as runs
from thermalign.cli import app
from thermalign.landmarks import mtcnn
from thermalign.schemas.dataset import FOLDS, IMAGES
from thermalign.schemas.keys import ALL
from thermalign.schemas.matching import FACES
from thermalign.schemas.measures import SUMMARY
from thermalign.settings import parse
from thermalign.states import State, save_state
from thermalign.verification.stored import quantise

ROOT = Path(__file__).parents[1]
KEY = {"protocol": "p1", "fold": 0}
ROLES = {"i0": "train", "i1": "test", "i2": "test", "i3": "test"}
ALIGNED = ["i3", "i0", "i1"]  # i2 was not found


def face(name):
    """Return a face (3, 2) in degrees whose extremes say which it is."""
    return 20 + 5 * int(name[1]) + np.arange(6.0).reshape(3, 2)


@pytest.fixture
def study(tmp_path):
    results = tmp_path / "results"
    folder = results / "p1" / "fold0"
    columns = dict.fromkeys(IMAGES.names, "")
    columns |= {"volume": 1, "range": 1, "width": 9, "height": 9, "bit_depth": 16}
    columns |= {"scale": 1.0, "offset": 0.0}
    images = [
        columns | {"image_id": name, "subject_id": f"s{name}", "modality": modality}
        for name, modality in zip(ROLES, ["visible", "visible", "thermal", "thermal"], strict=True)
    ]
    tables.write(results / "data" / "simulated" / "images.parquet", pd.DataFrame(images), IMAGES)
    roles = [(name, role, False) for name, role in ROLES.items()] + [("i0", "train", True)]
    folds = pd.DataFrame(roles, columns=["image_id", "role", "flipped"]).assign(**KEY)
    tables.write(folder / "folds.parquet", folds, FOLDS)
    stored = [quantise(face(name)) for name in ALIGNED]
    faces = pd.DataFrame(stored, columns=["pixels", "scale", "offset"])
    faces = faces.assign(image_id=ALIGNED, width=2, height=3, model="m", **KEY)
    tables.write(folder / "m" / "faces.parquet", faces, FACES)
    config = "base: config.yaml\nprotocols: {p2: null}\n"
    (tmp_path / "study.yaml").write_text(config)
    return tmp_path


def export(study, *, protocol="p1", model="m"):
    arguments = ["faces", str(study / "results"), protocol, "0", model, str(study / "out.npz")]
    return CliRunner().invoke(app, [*arguments, "--configfile", str(study / "study.yaml")])


def test_exported_faces_are_in_degrees_beside_who_they_show(study):
    done = export(study)
    assert done.exit_code == 0, done.output
    assert "3 aligned faces" in done.output
    with np.load(study / "out.npz") as arrays:
        assert list(arrays["image_id"]) == ["i0", "i1", "i3"]
        assert list(arrays["subject_id"]) == ["si0", "si1", "si3"]
        assert list(arrays["modality"]) == ["visible", "visible", "thermal"]
        assert list(arrays["role"]) == ["train", "test", "test"]
        assert arrays["images"].dtype == np.float32
        expected = [face(name) for name in ("i0", "i1", "i3")]
        np.testing.assert_allclose(arrays["images"], expected, atol=1e-4)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"protocol": "p9"}, r"no protocol 'p9' in .* use one of \['p1'\]"),
        ({"model": "dan"}, r"dan/faces.parquet: no such table; run the study"),
    ],
)
def test_what_is_not_there_is_named_and_nothing_is_written(study, wrong, message):
    error = export(study, **wrong).exception
    with pytest.raises(ValueError, match=message):
        raise error
    assert not (study / "out.npz").exists()


def test_a_model_without_aligned_faces_is_refused(study):
    path = study / "results" / "p1" / "fold0" / "m" / "faces.parquet"
    tables.write(path, tables.read(path, FACES)[:0], FACES)
    with pytest.raises(ValueError, match="holds no aligned face"):
        raise export(study).exception


def command(monkeypatch, capsys, *arguments):
    """Run the command line as the shell would; return its status and both outputs."""
    monkeypatch.setattr(sys, "argv", ["thermalign", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    printed = capsys.readouterr()
    return ended.value.code or 0, printed.out, printed.err


@pytest.fixture
def refused(monkeypatch, capsys):
    """Return a function that runs a command and returns the one line that it is refused in."""

    def run(*arguments):
        status, _, printed = command(monkeypatch, capsys, *arguments)
        assert status == 1
        assert printed.count("\n") == 1
        assert "Traceback" not in printed
        return printed

    return run


# --- outputs that are inputs ---

SETTINGS = {"model": "mean_shape", "detector": "mean_shape", "seed": 1}


SHAPE = [[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]]


def write_state(path, settings=SETTINGS, shape=SHAPE):
    save_state(path, State({"mean_shape": torch.tensor(shape)}), {"settings": json.dumps(settings)})


@pytest.fixture
def deployed(tmp_path, monkeypatch):
    """A trained model and a manifest of two images in the working directory."""
    monkeypatch.chdir(tmp_path)
    write_state(tmp_path / "state.safetensors")
    for n in range(2):
        cv2.imwrite(f"{n}.png", np.arange(1600, dtype=np.uint8).reshape(40, 40) + np.uint8(n))
    rows = [f"{n}.png,s{n},5,5,30,30" for n in range(2)]
    header = "path,subject_id,box_x,box_y,box_width,box_height"
    (tmp_path / "faces.csv").write_text("\n".join([header, *rows]))
    return tmp_path


def test_false_colours_are_predicted_on_where_their_luma_is_asked_for(deployed, refused):
    cv2.imwrite("0.png", np.random.default_rng(1).integers(0, 255, (40, 40, 3), np.uint8))
    assert "0.png: is thermal and in colour" in refused(*PREDICT, "out.csv")
    assert list(pd.read_csv("out.csv")["status"]) == ["unreadable", "ok"]
    command = [*PREDICT, "out.csv", "--thermal-colour", "luma"]
    assert CliRunner().invoke(app, command).exit_code == 0
    assert list(pd.read_csv("out.csv")["status"]) == ["ok", "ok"]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


UNCHECKED = ("--no-check", "--smallest", "0")
PREDICT = ("predict", "faces.csv", "--model", "state.safetensors", *UNCHECKED, "--out")


def test_landmarks_are_written_and_written_again(deployed):
    for _ in range(2):
        assert CliRunner().invoke(app, [*PREDICT, "out/landmarks.csv"]).exit_code == 0
    rows = pd.read_csv("out/landmarks.csv")
    assert list(rows["image"]) == [0, 1]
    assert rows.loc[0, "right_eye_x"] == 13.5  # three tenths of the way from 4.5 to 34.5
    assert [path.name for path in Path("out").iterdir()] == ["landmarks.csv"]


@pytest.mark.parametrize(
    ("output", "named"),
    [
        ("faces.csv", "faces.csv: is the manifest"),
        ("./x/../faces.csv", "is the manifest"),
        ("state.safetensors", "is the trained model"),
        ("1.png", "is an image"),
        ("link.csv", "link.csv: is the manifest (faces.csv)"),
        ("hard.csv", "hard.csv: is an image (0.png)"),
        ("notes.csv", "is there and was not written by this command"),
        ("x", "x: is a folder; name a file in it"),
        (".", "is a folder"),
        ("/dev/null", "/dev/null: is a device or a pipe"),
        ("pipe", "pipe: is a device or a pipe"),
        ("faces.csv/out.csv", "nothing can be written in"),
        ("round.csv", "is a link that leads nowhere"),
        ("/proc/out.csv", "/proc/"),
    ],
)
def test_an_output_that_would_destroy_something_is_refused(deployed, refused, output, named):
    Path("x").mkdir()
    Path("link.csv").symlink_to("faces.csv")
    Path("round.csv").symlink_to("round.csv")
    Path("hard.csv").hardlink_to("0.png")
    Path("notes.csv").write_text("mine")
    os.mkfifo("pipe")
    before = contents(deployed)
    assert named in refused(*PREDICT, output)
    assert contents(deployed) == before


def test_the_order_of_the_first_version_is_told_what_is_new(deployed, refused):
    line = refused("predict", "state.safetensors", "faces.csv", "out.csv")
    assert "thermalign predict faces.csv --model state.safetensors --out points.csv" in line
    assert not Path("out.csv").exists()


def test_faces_are_found_by_a_state_that_can(deployed, refused, monkeypatch, tmp_path):
    """Its networks are not trained and take everything, or nothing, for a face."""
    monkeypatch.setattr("thermalign.deploy.faces.WEIGHTS", tmp_path / "none")
    key = {"model": "m", "detector": "mtcnn", "seed": 1}
    for sure, status in ((0.0, "ok"), (1.0, "no face")):
        settings = {"width": 0.1, "min_face": 30.0, "thresholds": [sure] * 3}
        networks = mtcnn.network(parse(mtcnn.Settings, settings, "m"))
        described = {"settings": json.dumps({**key, **settings})}
        save_state(Path("f.safetensors"), State(networks.state_dict()), described)
        command = [*PREDICT, "out.csv", "--finder", "f.safetensors", "--boxes", "found"]
        assert CliRunner().invoke(app, command).exit_code == 0
        table = pd.read_csv("out.csv")
        assert set(table["status"]) == {status}
        assert table["score"].isna().all() == (status == "no face")
    assert "no state that finds faces" in refused(*PREDICT, "out.csv", "--boxes", "found")


def test_an_image_that_cannot_be_read_is_said_at_the_end(deployed, refused):
    Path("1.png").write_bytes(b"")
    line = refused(*PREDICT, "out.csv")
    assert "1.png: is empty (0 bytes)" in line
    assert list(pd.read_csv("out.csv")["status"]) == ["ok", "unreadable"]


def test_a_link_to_an_earlier_output_is_followed(deployed):
    Path("elsewhere").mkdir()
    Path("out.csv").symlink_to("elsewhere/out.csv")
    assert CliRunner().invoke(app, [*PREDICT, "out.csv"]).exit_code == 0
    assert Path("out.csv").is_symlink()
    assert Path("elsewhere/out.csv").read_text().startswith("image,face,status,note,score")


@pytest.mark.parametrize(
    ("output", "named"),
    [
        ("results/p1/fold0/m/faces.parquet", "is a table of the study"),
        ("results/p1/../p1/fold0/folds.parquet", "is a table of the study"),
        ("study.yaml", "is there and was not written by this command"),
        ("results", "is a folder"),
        ("/dev/null", "is a device or a pipe"),
    ],
)
def test_exported_faces_replace_nothing_else(study, refused, monkeypatch, output, named):
    monkeypatch.chdir(study)
    arguments = ("faces", "results", "p1", "0", "m", output, "--configfile", "study.yaml")
    assert named in refused(*arguments)
    assert export(study).exit_code == 0
    assert export(study).exit_code == 0


# --- models of somebody else, or of another version ---


@pytest.mark.parametrize(
    ("settings", "shape", "named"),
    [
        ({**SETTINGS, "detector": "yolo"}, SHAPE, "no detector 'yolo'; use one of dan"),
        ({**SETTINGS, "detector": "../cli"}, SHAPE, "no detector '../cli'"),
        ({**SETTINGS, "width": 3}, SHAPE, "unknown setting 'width'"),
        ({"mapping": "dpm"}, SHAPE, "is not a trained landmark model"),
        ([1], SHAPE, "is not a trained landmark model"),
        (SETTINGS, [[0.5] * 7] * 4, "its tensors are not those of its settings"),
    ],
)
def test_a_model_that_this_version_cannot_use_is_refused(deployed, refused, settings, shape, named):
    write_state(deployed / "state.safetensors", settings, shape)
    line = refused(*PREDICT, "out.csv")
    assert named in line
    assert "state.safetensors" in line
    assert not Path("out.csv").exists()


def foreign(path, metadata):
    save_file({"weight": torch.zeros(2)}, path, metadata)


@pytest.mark.parametrize(
    "make",
    [
        lambda path: foreign(path, None),
        lambda path: foreign(path, {"format": "pt"}),
        lambda path: foreign(path, {"thermalign": "not JSON"}),
        lambda path: foreign(path, {"thermalign": "[]"}),
        lambda path: foreign(path, {"thermalign": '{"settings": "{"}'}),
        lambda path: path.write_bytes(path.read_bytes()[:-5]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(os.urandom(99)),
    ],
)
def test_a_file_that_is_no_trained_model_is_refused(deployed, refused, make):
    make(deployed / "state.safetensors")
    assert "state.safetensors: is not a trained model of this package" in refused(*PREDICT, "o.csv")


# --- the metrics of a study ---


@pytest.fixture
def summary(tmp_path, monkeypatch):
    rows = [
        {**ALL._asdict(), "metric": metric, "at": at, "value": value}
        for metric, at, value in [
            ("nmse", 0.0, 0.05),
            ("tar_at_far", 0.1, 0.7),
            ("tar_at_far", 0.01, 0.4),
            ("failure_at", 0.08, 0.2),
        ]
    ]
    key = {"dataset": "simulated", "protocol": "p1", "model": "dan"}
    table = pd.DataFrame(rows).assign(**key, low=0.0, high=1.0, fold_sd=0.1)
    table = table.assign(n=9, n_folds=1)[SUMMARY.names]
    tables.write(tmp_path / "results/compare/summary.parquet", table, SUMMARY)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "results/compare/summary.parquet"


def shown(*arguments):
    lines = CliRunner().invoke(app, ["metrics", *arguments]).output.splitlines()
    return [line.split() for line in lines]


def test_every_abscissa_of_a_metric_is_shown(summary):
    assert shown("--metric", "tar_at_far") == [
        ["protocol", "subset", "model", "at", "value", "low", "high", "n"],
        ["p1", "all", "dan", "0.0100", "0.4000", "0.0000", "1.0000", "9"],
        ["p1", "all", "dan", "0.1000", "0.7000", "0.0000", "1.0000", "9"],
    ]
    assert shown("--metric", "failure_at")[1][3] == "0.0800"
    assert shown()[0] == ["protocol", "subset", "model", "value", "low", "high", "n"]


def test_an_unknown_metric_is_refused_with_those_there_are(summary, refused):
    line = refused("metrics", "--metric", "tar")
    assert "no metric 'tar'; use one of failure_at, nmse, tar_at_far" in line


def test_subsets_are_chosen_by_a_part_of_their_name(summary, refused):
    assert len(shown("--subset", "all")) == 2
    line = refused("metrics", "--subset", "range=9")
    assert "no subset of nmse holds 'range=9'; there are all" in line


def test_a_study_that_is_not_there_or_not_whole_is_refused(summary, refused):
    assert "nowhere/compare/summary.parquet: no such table" in refused("metrics", "nowhere")
    summary.write_bytes(summary.read_bytes()[:-40])
    assert "summary.parquet: is no whole Parquet table" in refused("metrics")


# --- configurations, versions, faults ---


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a: [", "line 1, column 5: is not readable as YAML"),
        ("models: {dan: {}, dan: {}}", "line 1: the key dan stands in line 1 already"),
        ("- models", "holds no keys and values"),
        ("results: r", "models: is missing; give keys and values"),
        ("models: [dan]", "models: ['dan'] is not allowed; give keys and values"),
        ("models: {dan: }", "models.dan: None is not allowed; give keys and values"),
        ("models: {yolo: {}}", "models.yolo: no model 'yolo'; use one of dan"),
        ("models: {dan: {widht: 1}}", "models.dan.widht: no such key; did you mean width?"),
        ("base: confg.yaml", "base: no file"),
    ],
)
def test_a_broken_configuration_is_one_line(tmp_path, refused, text, named):
    (tmp_path / "c.yaml").write_text(text)
    assert named in refused("models", "--configfile", tmp_path / "c.yaml")


@pytest.mark.parametrize("command_", ["run", "models"])
def test_a_missing_configuration_is_one_line(tmp_path, refused, monkeypatch, command_):
    monkeypatch.chdir(tmp_path)
    assert "config.yaml: no such configuration; name one with --configfile" in refused(command_)
    (tmp_path / "config.yaml").mkdir()
    assert "config.yaml: no such configuration" in refused(command_)


def test_a_command_that_is_told_to_end_says_so(monkeypatch, capsys):
    monkeypatch.setattr(cli, "study_of", lambda path: os.kill(os.getpid(), signal.SIGTERM))
    status, _, printed = command(monkeypatch, capsys, "models")
    assert (status, printed.count("\n")) == (128 + signal.SIGTERM, 1)
    assert "ended by SIGTERM" in printed


def test_a_fault_of_the_program_is_one_line_too(monkeypatch, capsys, refused):
    monkeypatch.setattr(cli, "study_of", lambda path: {}["x"])
    line = refused("models")
    assert "KeyError: 'x'; not foreseen" in line
    assert "THERMALIGN_TRACEBACK=1 shows where" in line
    monkeypatch.setenv("THERMALIGN_TRACEBACK", "1")
    with pytest.raises(KeyError):
        cli.main()


def test_the_version_is_that_of_the_source_tree_and_else_of_the_installed_package(
    monkeypatch, capsys, tmp_path
):
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.M)[1]
    assert command(monkeypatch, capsys, "--version") == (0, f"thermalign {version}\n", "")
    monkeypatch.setattr(versions, "__file__", str(tmp_path / "a/b/versions.py"))
    assert versions.own_version() == metadata.version("thermalign")


def test_a_run_hands_a_folder_of_images_over_as_it_is_and_says_where_the_report_lies(
    tmp_path, monkeypatch
):
    given = []
    monkeypatch.setattr(runs, "run_study", lambda arguments: given.append(arguments) or 0)
    (tmp_path / "c.yaml").write_text('base: config.yaml\nresults: "my results"')
    monkeypatch.chdir(tmp_path)
    for data, value in {"1": '"1"', "[x]": '"[x]"', "a: b": '"a: b"', "é'": '"é\'"'}.items():
        done = CliRunner().invoke(app, ["run", "--configfile", "c.yaml", "--data", data])
        assert done.output == f"Report: {tmp_path}/my results/report/index.html\n"
        assert given[-1][-2:] == ["--config", f"data={value}"]


def test_a_run_for_the_detector_alone_asks_for_it_and_says_where_it_lies(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(runs, "run_study", lambda arguments: given.append(arguments) or 0)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.yaml").write_text("base: config.yaml\nresults: mine")
    models = "models: {seek: {model: mtcnn, stages: full, losses: weighted_sum}}"
    its = "{protocol: p1, model: "
    detector = f"detector: {{landmarks: {its}heatmap}}, finder: {its}seek}}}}"
    (tmp_path / "more.yaml").write_text(f"{models}\n{detector}")
    words = ["run", "--detector", "--configfile", "c.yaml"]
    done = CliRunner().invoke(app, [*words, "--configfile", "more.yaml"])
    assert done.output == f"Detector: {tmp_path}/mine/detector\n"
    assert given[0][0] == "pack"
    assert given[0][-3:] == ["--configfile", "c.yaml", "more.yaml"]
    lacking = CliRunner().invoke(app, words)
    assert "c.yaml: detector: is missing" in str(lacking.exception)
    assert len(given) == 1
