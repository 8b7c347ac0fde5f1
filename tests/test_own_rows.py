"""Rows of a study that other programs made, through the real workflow, on a tiny dataset."""

import re

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from test_end_to_end import ROOT, run
from thermalign import tables
from thermalign.cli import app
from thermalign.config.models import read_study
from thermalign.plan.jobs import jobs_of
from thermalign.plan.measured import costs_of
from thermalign.schemas.dataset import IMAGES
from thermalign.schemas.keys import ALL, rows_of
from thermalign.schemas.matching import SCORES
from thermalign.schemas.measures import DIFFERENCES, METRICS, REPLICATES, SUMMARY
from thermalign.schemas.predictions import PREDICTIONS

FOLD = "results/p1/fold0"
MEASURED = [f"{FOLD}/{model}/metrics.parquet" for model in ("mean_shape", "annotated")]


def tiny():
    """A study of the mean shape alone, that no network has to be trained for."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    volume = {"subjects": 9, "ranges": [1], "baseline": 2, "expression": 1}
    config["datasets"]["simulated"] |= {"chunks": 1, "settings": {"volumes": [volume]}}
    split = {"train_subjects": 5, "test_subjects": 4, "folds": 1, "validation_share": 0.2}
    config["protocols"] = {"p1": config["protocols"]["p1"] | split}
    config["evaluation"]["replicates"] = 50
    config["matcher"]["dpm"] = {"epochs": 1}
    for block in ("ablation", "displacements"):
        del config[block]
    return config | {"models": {"mean_shape": {}}}


def with_rows():
    """The same with its own points and scores as two more rows, tested on its own dataset, too."""
    placed = {"placed": {"from": "{dataset}_{protocol}_{fold}.parquet"}}
    vendor = {"from": "scores.csv", "thresholds": {"0.1": 0.25}}
    its = tiny()["protocols"]["p1"]
    rows = {"matchers": {"matched": {"from": "scores.parquet"}, "vendor": vendor}}
    its = {"dataset": "simulated"} | {k: its[k] for k in ("probe", "gallery")}
    return tiny() | rows | {"models": {"mean_shape": {}} | placed, "evaluate_on": {"home": its}}


def command(*words):
    """Return what a command printed."""
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The study run, its points and scores exported, and run again with them as two more rows."""
    folder = tmp_path_factory.mktemp("own")
    status, printed = run(folder, tiny(), "--rerun-incomplete", *MEASURED)
    assert status == 0, printed
    place = (folder / "results", "p1", 0)
    told = folder / "study.yaml"
    command("points", "export", *place, "mean_shape", folder / "simulated_p1_0.parquet")
    command("points", "export", *place, "mean_shape", folder / "points.csv")
    for name in ("scores.parquet", "scores.csv"):
        command("scores", "export", *place, "annotated", folder / name, "--configfile", told)
    status, printed = run(folder, with_rows())
    assert status == 0, printed
    return folder


def table_of(study, model, name, schema):
    return tables.read(study / FOLD / model / f"{name}.parquet", schema)


def assert_same(study, a, b, name, schema):
    """Hold a table of one row of the study equal to that of another, to the last bit."""
    first, second = (table_of(study, model, name, schema) for model in (a, b))
    named = first.assign(model=second["model"])
    pd.testing.assert_frame_equal(named, second, check_exact=True)


def test_imported_points_have_the_metrics_of_the_detector_that_they_are_of(study):
    assert_same(study, "placed", "mean_shape", "predictions", PREDICTIONS)
    assert_same(study, "placed", "mean_shape", "scores", SCORES)
    assert_same(study, "placed", "mean_shape", "metrics", METRICS)
    assert_same(study, "placed", "mean_shape", "replicates", REPLICATES)


def test_imported_scores_have_the_metrics_of_the_matcher_that_they_are_of(study):
    assert_same(study, "matched", "annotated", "scores", SCORES)
    assert_same(study, "matched", "annotated", "metrics", METRICS)
    assert_same(study, "matched", "annotated", "replicates", REPLICATES)


@pytest.mark.parametrize("step", ["predict_across", "score_across"])
def test_imported_points_are_tested_on_other_datasets_as_the_detector_is(study, step):
    assert_same(study, f"placed/{step}/home", f"mean_shape/{step}/home", "metrics", METRICS)


def test_thresholds_of_a_maker_stand_where_ours_are_set_on_training_people(study):
    ours, theirs = (table_of(study, m, "metrics", METRICS) for m in ("annotated", "vendor"))
    at = {"threshold", "fmr", "fnmr", "far", "frr", "fmr_bound"}
    rest = [its[~its["metric"].isin(at)].drop(columns="model") for its in (ours, theirs)]
    pd.testing.assert_frame_equal(*(its.reset_index(drop=True) for its in rest), check_exact=True)
    found = rows_of(theirs, ALL).set_index(["metric", "at"])["value"]
    scores = table_of(study, "vendor", "scores", SCORES).query(
        "genuine and same_moment == 'exclude'"
    )
    assert found["threshold", 0.1] == 0.25
    assert found["fnmr", 0.1] == (scores["score"] < 0.25).mean()
    assert set(theirs.loc[theirs["metric"] == "frr", "at"]) == {0.1}


def test_the_plan_has_their_jobs_and_the_costs_of_all(study):
    wanted = jobs_of(read_study([study / "study.yaml"], {}))
    costs = costs_of(study / "results")
    assert {(c.job.rule, c.job.name) for c in costs} == {(job.rule, job.name) for job in wanted}


def test_they_are_joined_over_folds_and_compared_with_every_other_row(study):
    summary = rows_of(tables.read(study / "results/compare/summary.parquet", SUMMARY), ALL)
    found = summary.set_index(["model", "metric", "at"])["value"]
    assert found["placed", "nmse", 0] == found["mean_shape", "nmse", 0]
    assert found["matched", "eer", 0] == found["annotated", "eer", 0]
    assert "nmse" not in set(summary.loc[summary["model"] == "matched", "metric"])
    pairs = rows_of(tables.read(study / "results/compare/differences.parquet", DIFFERENCES), ALL)
    eer = pairs[pairs["metric"] == "eer"].set_index(["model_a", "model_b"])
    assert len(eer) == 10
    assert eer.loc[("annotated", "matched"), ["value", "p"]].tolist() == [0, 1]
    assert eer.loc[("mean_shape", "placed"), ["value", "p"]].tolist() == [0, 1]


def test_the_report_says_what_is_read_from_files(study):
    page = (study / "results/report/index.html").read_text()
    assert "placed (points from a file)" in page
    assert "matched (scores from a file)" in page


def test_nothing_is_left_to_do_and_another_file_is_due_where_it_counts(study):
    config = with_rows()
    (study / "simulated_p1_0.parquet").touch()
    assert "Nothing to be done" in run(study, config, "-n")[1]
    config["models"]["placed"] = {"from": "points.csv"}
    printed = run(study, config, "-n")[1]
    due = set(re.findall(r"^(?:local)?rule (\w+):", printed, flags=re.M)) - {"all"}
    assert due == {"import_points", "align", "score", "measure", "compare", "spread", "report"}


def test_a_file_is_looked_at_before_it_is_in_the_study(study, monkeypatch):
    monkeypatch.chdir(study)
    told = ("--configfile", "study.yaml", "--as", "new")
    printed = command("points", "import", "points.csv", *told)
    assert "p1, fold 0: 12 test images, 0 not found, with expected errors" in printed
    assert yaml.safe_load(printed.split("\n\n")[1]) == {"models": {"new": {"from": "points.csv"}}}
    printed = command("scores", "import", "scores.csv", *told)
    assert "p1, fold 0, exclude: 48 scores, 12 genuine, of 12 probes and 4 people" in printed
    assert yaml.safe_load(printed.split("\n\n")[1]) == {"matchers": {"new": {"from": "scores.csv"}}}


def test_a_row_of_scores_has_no_points_to_export(study, tmp_path):
    with pytest.raises(ValueError, match=r"matched/predictions\.parquet: is of a row of scores"):
        command("points", "export", study / "results", "p1", 0, "matched", tmp_path / "made.csv")
    assert not list(tmp_path.iterdir())


def test_a_row_is_not_looked_at_under_the_name_of_a_trained_model(study, monkeypatch):
    monkeypatch.chdir(study)
    told = ("--configfile", "study.yaml", "--as", "mean_shape")
    with pytest.raises(ValueError, match=r"models\.mean_shape is trained there; name the row oth"):
        command("points", "import", "points.csv", *told)


@pytest.mark.parametrize("form", ["bob4", "bob5", "pyeer"])
def test_scores_are_exported_for_other_programs(study, tmp_path, form):
    place = (study / "results", "p1", 0, "mean_shape", tmp_path / "made.txt")
    told = command(
        "scores", "export", *place, "--format", form, "--configfile", study / "study.yaml"
    )
    files = {path: len(path.read_text().splitlines()) for path in tmp_path.glob("made*.txt")}
    assert sum(files.values()) == 48
    assert set(told.splitlines()) == {f"{n} comparisons: {path}" for path, n in files.items()}
    with pytest.raises(ValueError, match=r"is there and was not written by this command"):
        command("scores", "export", *place, "--format", form, "--configfile", study / "study.yaml")


def test_another_matcher_is_told_which_probes_meet_which_images(study, tmp_path):
    place = (study / "results", "p1", 0, tmp_path)
    assert command("scores", "trials", *place, "--configfile", study / "study.yaml")[:2] == "96"
    probes, gallery = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("probes", "gallery"))
    scores = table_of(study, "mean_shape", "scores", SCORES)
    for reading, rows in probes.groupby("same_moment"):
        assert set(rows["probe"]) == set(scores[scores["same_moment"] == reading]["probe_id"])
    assert set(gallery["gallery"]) == set(scores["gallery_id"])
    images = tables.read(study / "results/data/simulated/images.parquet", IMAGES)
    moment = images.set_index("image_id")["moment"]
    met = probes.query("same_moment == 'exclude'").merge(gallery, on="meets")
    assert not (met["probe"].map(moment) == met["image_id"].map(moment)).any()


def test_comparisons_are_written_together_or_not_at_all(study, tmp_path):
    (tmp_path / "gallery.csv").write_text("mine\n")
    place = (study / "results", "p1", 0, tmp_path)
    with pytest.raises(ValueError, match=r"gallery\.csv: is there and was not written by this com"):
        command("scores", "trials", *place, "--configfile", study / "study.yaml")
    assert [path.name for path in tmp_path.iterdir()] == ["gallery.csv"]
