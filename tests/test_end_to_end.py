"""The whole study on a tiny simulated dataset, and on real photographs where they are at hand."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import yaml

import thermalign
from thermalign import tables
from thermalign.config.models import read_study
from thermalign.config.overlays import read_merged
from thermalign.geometry import LANDMARKS
from thermalign.plan.jobs import jobs_of
from thermalign.plan.measured import configuration_of, costs_of
from thermalign.schemas.dataset import ATTRIBUTES, BOXES, FOLDS, IMAGES
from thermalign.schemas.descriptions import COSTS
from thermalign.schemas.document import TABLES, table_of
from thermalign.schemas.keys import (
    ACROSS,
    CONFIDENCE,
    DISPLACEMENT,
    MATCHER,
    PLACEMENT,
    RANDOM,
    REJECTION,
    STUDY,
    SWEEP,
    TRUE_ERROR,
    UNDISTURBED,
    VARIANT,
    Subset,
    rows_of,
)
from thermalign.schemas.matching import SCORES
from thermalign.schemas.measures import METRICS, REPLICATES, SUMMARY
from thermalign.schemas.predictions import DETECTIONS, PREDICTIONS, STRESS

ROOT = Path(__file__).parents[1]
LONDON60 = ROOT.parent / "shared" / "data" / "london60"
QUICK = {
    "dan": {"input_size": 32, "width": 0.0625, "hidden": 32, "steps": 40, "later_steps": 10},
    "pbc": {"width": 0.0625, "steps": 30, "batch_size": 16},
    "mtcnn": {"width": 0.25, "steps": 30, "batch_size": 16, "pnet_steps": 60, "rnet_steps": 30}
    | {"losses": "weighted_sum", "min_face": 60.0, "thresholds": [0.3, 0.3, 0.3]},
    "mean_shape": {},
}


def run(folder, config, *arguments):
    """Run a study in ``folder`` and return what Snakemake printed."""
    (folder / "study.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--cores", "2"]
    command += ["--directory", str(folder), "--configfile", str(folder / "study.yaml")]
    done = subprocess.run(
        [*command, *arguments], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}
    )
    return done.returncode, done.stdout + done.stderr


def tiny():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    volume = {"subjects": 9, "ranges": [1, 3], "baseline": 2, "expression": 2}
    block = config["datasets"]["simulated"] | {"chunks": 1, "settings": {"volumes": [volume]}}
    warm = {"volumes": [volume], "ambient_mean": 30.0}
    config["datasets"] = {"simulated": block, "warm": block | {"settings": warm}}
    split = {"train_subjects": 5, "test_subjects": 4, "folds": 1, "validation_share": 0.2}
    config["protocols"] = {"p1": config["protocols"]["p1"] | split}
    config["evaluation"]["replicates"] = 50
    config["matcher"]["dpm"] = {"epochs": 1}
    config["displacements"] |= {"kinds": ["isotropic", "scale"], "levels": [0, 0.1, 0.5]}
    config["sweep"] = {"five": {"components": 5}}
    config["variants"] = {"shift_20": {"shift": 0.2}, "scale_150": {"scale": 1.5}}
    config["variants"] |= {"found": {"detector": "mtcnn"}, "warm": {"dataset": "warm"}}
    roles = {key: config["protocols"]["p1"][key] for key in ("probe", "gallery")}
    config["evaluate_on"] = {"home": {"dataset": "simulated", **roles}}
    config["evaluate_on"] |= {"warmer": {"dataset": "warm", "probe": roles["probe"]}}
    parts = {"landmarks": "dan", "finder": "mtcnn"}
    config["detector"] = {part: {"protocol": "p1", "model": name} for part, name in parts.items()}
    return config | {"models": QUICK}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    status, printed = run(folder, tiny())
    assert status == 0, printed
    return folder


def test_the_study_reaches_its_report(study):
    page = (study / "results/report/index.html").read_text()
    assert "EER" in page
    assert "Dataset card, simulated" in page
    assert page.count("data:image/jpeg;base64,") == 2 * 2  # contact sheets; boxes and landmarks
    assert "://" not in re.sub(r"xmlns(:\w+)?=\"[^\"]*\"", "", page)


def test_nothing_is_left_to_do(study):
    assert "Nothing to be done" in run(study, tiny())[1]


def test_every_model_has_finite_points_for_every_test_image(study):
    folds = tables.read(study / "results/p1/fold0/folds.parquet", FOLDS)
    for model in QUICK:
        found = tables.read(study / f"results/p1/fold0/{model}/predictions.parquet", PREDICTIONS)
        assert np.isfinite(found[["x", "y"]]).all(axis=None)
        # 4 subjects x 2 ranges x 4 samples x 5 landmarks
        assert len(found) == 160
        roles = folds[folds["image_id"].isin(found["image_id"])]["role"]
        assert set(roles) == {"test"}


def summary_of(study):
    return tables.read(study / "results/compare/summary.parquet", SUMMARY)


def figure(study, model, metric, **about):
    """Return the row of SUMMARY of one figure."""
    rows = rows_of(summary_of(study), Subset(**about))
    (row,) = rows[(rows["model"] == model) & (rows["metric"] == metric)].itertuples()
    return row


def test_annotated_points_have_scores_but_no_error(study):
    summary = summary_of(study)
    metrics = rows_of(summary).groupby("model")["metric"].unique()
    assert "eer" in metrics["annotated"]
    assert "nmse" not in metrics["annotated"]
    assert {"nmse", "ced", "eer", "roc", "rank1"} <= set(metrics["dan"])
    values = summary[summary["metric"].isin(["eer", "ced", "roc", "rank1"])]["value"]
    assert values.between(0, 1).all()


def test_what_detectors_state_of_their_errors_is_held_against_them_and_used(study):
    for model in QUICK:
        assert 0 <= figure(study, model, "coverage_95").value <= 1
        assert np.isfinite(figure(study, model, "nll").value)
        moved = figure(study, model, "coverage_95", experiment=VARIANT, setting="shift_20")
        assert 0 <= moved.value <= 1
        rejected = {"experiment": REJECTION, "level": 0.1}
        lost = figure(study, model, "fta").value
        for setting in (CONFIDENCE, RANDOM, TRUE_ERROR):
            its = figure(study, model, "fta", setting=setting, **rejected)
            assert its.value == pytest.approx(lost + 0.1 * (1 - lost))
            assert 0 <= figure(study, model, "eer_found", setting=setting, **rejected).value <= 1
    page = (study / "results/report/index.html").read_text()
    assert "How sure the detectors are" in page


def test_what_a_figure_is_about_is_packed_into_no_column(study):
    images = tables.read(study / "results/data/simulated/images.parquet", IMAGES)
    worn = tables.read(study / "results/data/simulated/attributes.parquet", ATTRIBUTES)
    config = tiny()
    allowed = {
        "dataset": {"simulated"},
        "protocol": {"p1"},
        "model": {*QUICK, "annotated"},
        "experiment": {"", VARIANT, MATCHER, SWEEP, DISPLACEMENT, PLACEMENT, REJECTION, ACROSS},
        "setting": {"", UNDISTURBED, STUDY}
        | {n for b in ("variants", "ablation", "sweep", "evaluate_on") for n in config[b]}
        | set(config["displacements"]["kinds"])
        | {CONFIDENCE, RANDOM, TRUE_ERROR},
        "level": {*config["displacements"]["levels"], *config["protocols"]["p1"]["reject"]},
        "same_moment": {"", "keep"},
        "landmark": {"", *LANDMARKS},
        "attribute": {"", *worn["name"]},
        "attribute_value": {"", *worn["value"]},
    }
    for column in ("session", "volume", "range", "condition", "modality"):
        allowed[column] = {"", *images[column].astype(str)}
    written = dict.fromkeys((study / "results/p1").rglob("metrics.parquet"), METRICS)
    written |= dict.fromkeys((study / "results/p1").rglob("replicates.parquet"), REPLICATES)
    written |= {study / "results/compare/summary.parquet": SUMMARY}
    assert len(written) > 20
    for path, schema in written.items():
        table = tables.read(path, schema)
        for column, values in allowed.items():
            assert set(table[column]) <= values, (path, column)
        assert not table["metric"].str.contains("[^a-z0-9_]").any()


def test_both_readings_of_the_same_moment_are_measured(study):
    for model in (*QUICK, "annotated"):
        for about in ({}, {"range": "1"}):
            assert figure(study, model, "eer", **about)
            assert figure(study, model, "eer", same_moment="keep", **about)
        scores = tables.read(study / f"results/p1/fold0/{model}/scores.parquet", SCORES)
        # 4 subjects x 2 ranges x 4 samples against 4 subjects
        assert scores.groupby("same_moment").size().to_dict() == {"exclude": 128, "keep": 128}


def test_a_dataset_that_is_tested_on_itself_has_the_studys_own_figures(study):
    for model in QUICK:
        for metric in ("nmse", "failure_rate", "coverage_95"):
            there = figure(study, model, metric, experiment=ACROSS, setting="home")
            own = figure(study, model, metric)
            assert (there.value, there.n) == (own.value, own.n)
            assert np.isnan(there.low)  # four people
    for model in (*QUICK, "annotated"):
        there = figure(study, model, "eer", experiment=ACROSS, setting="home")
        assert there.n == figure(study, model, "eer").n
        assert there.value == pytest.approx(figure(study, model, "eer").value, abs=0.01)


def test_the_same_people_before_another_camera_are_tested_without_those_who_train(study):
    people = figure(study, "dan", "tested_people", experiment=ACROSS, setting="warmer")
    assert (people.value, people.n) == (4, 32)
    own, there = (
        figure(study, "mean_shape", "nmse", experiment=ACROSS, setting=name).value
        for name in ("home", "warmer")
    )
    assert own == there  # looks at no pixel
    summary = summary_of(study)
    assert "eer" not in set(summary.loc[summary["setting"] == "warmer", "metric"])
    page = (study / "results/report/index.html").read_text()
    assert "Trained on one dataset, tested on another" in page
    assert "Dataset card, warm" in page


def test_every_model_is_tested_under_every_variant(study):
    def under(variant, model="dan", metric="nmse"):
        return figure(study, model, metric, experiment=VARIANT, setting=variant)

    for model in QUICK:
        table = tables.read(study / f"results/p1/fold0/{model}/stress/predictions.parquet", STRESS)
        assert table.groupby("variant").size().to_dict() == {
            "none": 160,
            "shift_20": 160,
            "scale_150": 160,
            "found": 160,
            "warm": 160,
        }
        lost = table.query("variant == 'found'").groupby("image_id")["x"].first().isna().mean()
        assert under("found", model, "failure_rate").value == pytest.approx(lost)
        as_trained, again = figure(study, model, "nmse"), under("none", model)
        assert as_trained.value == pytest.approx(again.value, rel=1e-4)
        assert again.low < again.value < again.high
    moved = under("shift_20", "mean_shape").value
    assert moved > 1.5 * figure(study, "mean_shape", "nmse").value
    assert under("warm", "mean_shape").value == under("none", "mean_shape").value
    assert under("warm").value != under("none").value
    page = (study / "results/report/index.html").read_text()
    assert "NMSE and equal error rate in moved boxes" in page
    assert "Faces that MTCNN finds in whole images" in page
    assert "NMSE and equal error rate in recordings that no training image showed" in page


def test_every_part_of_the_matcher_is_measured_beside_the_whole(study):
    def of(name, metric="eer", **about):
        return figure(study, "annotated", metric, experiment=MATCHER, setting=name, **about)

    whole = figure(study, "annotated", "eer").value
    assert of(STUDY).value == pytest.approx(whole)
    for name in tiny()["ablation"]:
        its = of(name).value
        assert 0 <= its <= 1
        assert of(name, "eer_above_study").value == pytest.approx(its - whole)
        assert of(name, "shared_subjects").value == 0
    assert of("pls", "shared_subjects").n == 5  # training subjects
    assert of("permuted", range="3").value >= 0


def test_settings_are_compared_on_training_subjects_alone(study):
    def of(name, metric):
        return figure(study, "annotated", metric, experiment=SWEEP, setting=name)

    split = tables.read(study / "results/p1/fold0/folds.parquet", FOLDS)
    assert of("five", "shared_subjects").n == 3  # 2 of 4, 1 of validation
    assert (split["role"] == "train").any()
    pair = [of(name, "eer").value for name in ("five", STUDY)]
    assert of("five", "eer_above_study").value == pytest.approx(pair[0] - pair[1])


def test_displaced_points_begin_at_the_annotated_ones_and_cost_more_the_further_they_go(study):
    def at(level, metric, kind="isotropic", **about):
        about |= {"experiment": DISPLACEMENT, "setting": kind, "range": "1", "level": level}
        return figure(study, "annotated", metric, **about).value

    undisplaced = figure(study, "annotated", "eer", range="1").value
    assert at(0.0, "eer") == pytest.approx(undisplaced, abs=0.02)  # faces are cut and stored apart
    assert at(0.5, "eer") > at(0.0, "eer")
    nmse = [at(level, "nmse", kind="scale") for level in (0.0, 0.1, 0.5)]
    assert nmse == pytest.approx([0, 0.1, 0.5])
    sides = [at(0.0, "eer_slope", modality=side) for side in ("thermal", "visible")]
    assert at(0.0, "eer_slope_difference") == pytest.approx(sides[0] - sides[1])


def test_every_detector_is_placed_on_the_curve_by_its_error(study):
    def placed(model, metric):
        about = {"experiment": PLACEMENT, "setting": "isotropic", "range": "1"}
        return figure(study, model, metric, **about).value

    for model in QUICK:
        assert placed(model, "nmse") == figure(study, model, "nmse", range="1").value
        excess = placed(model, "eer") - placed(model, "eer_predicted")
        assert placed(model, "eer_excess") == pytest.approx(excess, nan_ok=True)
    summary = summary_of(study)
    curve = summary[(summary["experiment"] == DISPLACEMENT) & (summary["setting"] == "isotropic")]
    rates = curve.loc[(curve["metric"] == "eer") & (curve["modality"] == ""), "value"]
    assert rates.min() <= placed("mean_shape", "eer_predicted") <= rates.max()


def test_what_is_taken_home_has_the_figures_of_the_study_and_loads(study):
    out = study / "results/detector"
    told = rows_of(tables.read(out / "metrics.parquet", METRICS)).set_index(["model", "metric"])
    nmse = figure(study, "dan", "nmse")
    wanted = pytest.approx([nmse.value, nmse.low, nmse.high])
    assert list(told.loc[("dan", "nmse"), ["value", "low", "high"]]) == wanted
    found = tables.read(study / "results/p1/fold0/mtcnn/detect/metrics.parquet", METRICS)
    (recall,) = rows_of(found).query("metric == 'detection_recall'")["value"]
    assert told.loc[("mtcnn", "detection_recall"), "value"] == recall
    assert f"{nmse.value:.3f}".removeprefix("0") in (out / "MODEL_CARD.md").read_text()
    detector = thermalign.load(out / "landmarks.safetensors", finder=out / "finder.safetensors")
    images = tables.read(study / "results/data/simulated/images.parquet", IMAGES)
    path = study / images.loc[images["modality"] == "thermal", "path"].iloc[0]
    assert len(detector(path, "whole")) == 1


def test_variants_are_carried_to_verification(study):
    for model in QUICK:
        as_trained = figure(study, model, "eer", experiment=VARIANT, setting=UNDISTURBED).value
        assert as_trained == pytest.approx(figure(study, model, "eer").value, abs=0.02)
        moved = figure(study, model, "eer", experiment=VARIANT, setting="shift_20", range="1")
        assert moved.low <= moved.value <= moved.high


def test_detections_are_ranked_by_score_and_what_variants_take_is_the_best(study):
    folder = study / "results/p1/fold0/mtcnn"
    found = tables.read(folder / "detections.parquet", DETECTIONS)
    assert len(found) > 0
    ordered = found.sort_values(["image_id", "rank"])
    assert ordered.groupby("image_id")["score"].is_monotonic_decreasing.all()
    stressed = tables.read(folder / "stress/predictions.parquet", STRESS)
    points = stressed.query("variant == 'found'").dropna(subset="x")
    assert set(points["image_id"]) == set(found["image_id"])


def test_outputs_carry_settings_fingerprint_and_commit(study):
    described = tables.read_metadata(study / "results/p1/fold0/dan/predictions.parquet")
    assert json.loads(described["settings"])["steps"] == 40
    assert re.fullmatch(r"[0-9a-f]{16}", described["code"])
    assert described["commit"]
    for name in ("chunks/0/images", "images", "boxes", "card", "likeness"):
        path = study / f"results/data/simulated/{name}.parquet"
        assert set(tables.read_metadata(path)) == {"code", "settings", "commit"}


def test_no_two_rows_of_a_table_share_the_key_that_its_document_tells(study):
    root, seen = study / "results", set()
    for path in sorted(root.rglob("*.parquet")):
        shown = path.is_relative_to(root / "report/tables")  # what the page shows, for readers
        if "chunks" not in path.parts and not shown:
            schema, key, _ = TABLES[table_of(path.relative_to(root).as_posix())]
            frame = tables.read(path, schema)
            assert not frame.duplicated(list(key)).any(), path
            seen.add(table_of(path.relative_to(root).as_posix()))
    assert seen == set(TABLES) - {"COSTS"}


def test_every_log_ends_with_its_cost(study):
    logs = sorted((study / "results/logs").glob("*/*.log"))
    assert len(logs) > 25
    for log in logs:
        cost = json.loads(log.read_text().splitlines()[-1])
        assert set(cost) == set(COSTS.names)
        assert cost["wall"] >= cost["start_up"] >= 0


def test_a_finished_study_tells_what_it_was_and_what_each_job_took(study):
    results = study / "results"
    known = jobs_of(configuration_of(results))
    wanted = jobs_of(read_study([study / "study.yaml"], {}))
    assert {(job.rule, job.name, job.work) for job in known} == {
        (job.rule, job.name, job.work) for job in wanted
    }
    costs = costs_of(results)
    assert {(c.job.rule, c.job.name) for c in costs} == {(job.rule, job.name) for job in wanted}
    assert sum(cost.disk for cost in costs) > 0.9 * sum(
        file.stat().st_size for file in results.rglob("*.parquet")
    )


def test_a_deployed_model_predicts_a_manifest(study):
    images = tables.read(study / "results/data/simulated/images.parquet", IMAGES)
    thermal = images[images["modality"] == "thermal"].head(3)
    boxes = tables.read(study / "results/data/simulated/boxes.parquet", BOXES)
    rows = thermal.merge(boxes, on="image_id", suffixes=("", "_box"))
    manifest = rows.rename(
        columns={"x": "box_x", "y": "box_y", "width_box": "box_width", "height_box": "box_height"}
    )[["path", "subject_id", "scale", "offset", "box_x", "box_y", "box_width", "box_height"]]
    manifest.to_csv(study / "faces.csv", index=False)
    command = [sys.executable, "-c", "from thermalign.cli import main; main()", "predict"]
    command += ["faces.csv", "--model", "results/p1/fold0/mean_shape/state.safetensors"]
    command += ["--out", "out.csv"]
    done = subprocess.run(command, cwd=study, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = (study / "out.csv").read_text().splitlines()
    assert lines[0].startswith("image,face,status,note,score,box_x")
    assert len(lines) == 4


def test_a_replaced_image_of_the_simulator_is_refused_until_its_chunk_is_rendered_anew(
    study, tmp_path
):
    copy = shutil.copytree(study, tmp_path / "copy")
    chunk = copy / "results/data/simulated/chunks/0"
    first, second = sorted(chunk.glob("*.png"))[:2]
    shutil.copy(second, first)
    status, printed = run(copy, tiny())
    lines = [line for line in printed.splitlines() if line.startswith("thermalign ingest")]
    assert status != 0
    assert f"{first.name}: was replaced or damaged since it was rendered" in lines[0]
    assert "delete the folder results/data/simulated/chunks/0" in lines[0]
    shutil.rmtree(chunk)
    status, printed = run(copy, tiny(), "--until", "ingest")
    assert status == 0, printed
    assert first.read_bytes() == (study / chunk.relative_to(copy) / first.name).read_bytes()


def test_a_misspelt_setting_of_a_model_is_refused_before_any_job(study):
    config = tiny()
    config |= {"models": {"wide": {"model": "dan", "widht": 1}}, "variants": {}}
    status, printed = run(study, config)
    assert status != 0
    assert [line for line in printed.splitlines() if line.startswith("config: models.wide.widht")]
    assert "rule train" not in printed


def test_settings_of_a_model_that_do_not_fit_each_other_are_refused_before_any_job(study):
    config = tiny()
    wide = {"model": "dan", "input_size": 32, "heatmap_window": 64}
    config |= {"models": {"wide": wide}, "variants": {}}
    status, printed = run(study, config)
    assert status != 0
    (line,) = [line for line in printed.splitlines() if line.startswith("config: ")]
    assert line.startswith("config: models.wide")
    assert "heatmap_window is 64; give 1 to 32, the input_size" in line
    assert not (study / "results/p1/fold0/wide/state.safetensors").exists()


@pytest.mark.slow
def test_steps_end_with_a_killed_snakemake_and_a_new_run_finishes(tmp_path):
    config = tiny()
    config |= {"models": {"dan": QUICK["dan"] | {"steps": 3000}}, "variants": {}}
    del config["detector"]  # of models that are not trained here
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--cores", "2"]
    command += ["--directory", str(tmp_path), "--configfile", str(tmp_path / "study.yaml")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    log = tmp_path / "results/logs/train/p1-0-dan.log"
    wait(lambda: log.is_file() and "step" in log.read_text(), "the training to begin")
    process.kill()
    process.wait()

    def training():
        commands = (p.info["cmdline"] or [] for p in psutil.process_iter(["cmdline"]))
        return [c for c in commands if "train" in c and any(str(log.name) in a for a in c)]

    wait(lambda: not training(), "the training to end with its parent")
    config["models"]["dan"]["steps"] = 40
    status, printed = run(tmp_path, config, "--rerun-incomplete", "--nolock")
    assert status == 0, printed


def wait(condition, what, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.5)


@pytest.mark.skipif(not LONDON60.is_dir(), reason=f"no real photographs at {LONDON60}")
def test_real_photographs_reach_their_report(tmp_path):
    config = read_merged([ROOT / "workflow/config/london60.yaml"], {})
    config |= {"data": str(LONDON60), "models": {"dan": QUICK["dan"], "mean_shape": {}}}
    config["protocols"]["portraits"]["folds"] = 1
    status, printed = run(tmp_path, config)
    assert status == 0, printed
    summary = tables.read(tmp_path / "results/london60/compare/summary.parquet", SUMMARY)
    eer = rows_of(summary).query("metric == 'eer'")
    assert set(eer["model"]) == {"dan", "mean_shape"}
    nmse = rows_of(summary).query("metric == 'nmse'")
    assert set(nmse["n"]) == {30}  # the neutral images of the test subjects
    page = (tmp_path / "results/london60/report/index.html").read_text()
    assert "no second modality to map to (mapping: none)" in page
    assert "no annotated points" in page
    for row, value in (("Images", 120), ("Annotated images", 60), ("Thermal and visible pairs", 0)):
        assert f'<th scope="row">{row}</th><td>{value}</td>' in page
    assert "Not every image is annotated: geometry and the mean shape" in page
