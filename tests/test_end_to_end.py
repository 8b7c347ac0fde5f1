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

from thermalign import tables
from thermalign.schemas.dataset import BOXES, FOLDS, IMAGES
from thermalign.schemas.descriptions import COSTS
from thermalign.schemas.matching import SCORES
from thermalign.schemas.measures import SUMMARY
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
    assert page.count("data:image/jpeg;base64,") == 2  # contact sheet; boxes and landmarks
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


def test_annotated_points_have_scores_but_no_error(study):
    summary = tables.read(study / "results/compare/summary.parquet", SUMMARY)
    metrics = summary.query("subset == 'all'").groupby("model")["metric"].unique()
    assert "eer" in metrics["annotated"]
    assert "nmse" not in metrics["annotated"]
    assert {"nmse", "ced", "eer", "roc", "rank1"} <= set(metrics["dan"])
    values = summary[summary["metric"].isin(["eer", "ced", "roc", "rank1"])]["value"]
    assert values.between(0, 1).all()


def test_both_readings_of_the_same_moment_are_measured(study):
    subsets = figures(study).index.to_frame(index=False).query("metric == 'eer'")
    for model in (*QUICK, "annotated"):
        theirs = set(subsets.loc[subsets["model"] == model, "subset"])
        assert {"all", "range=1", "same_moment=keep", "same_moment=keep&range=1"} <= theirs
        scores = tables.read(study / f"results/p1/fold0/{model}/scores.parquet", SCORES)
        # 4 subjects x 2 ranges x 4 samples against 4 subjects
        assert scores.groupby("same_moment").size().to_dict() == {"exclude": 128, "keep": 128}


def test_every_model_is_tested_under_every_variant(study):
    summary = tables.read(study / "results/compare/summary.parquet", SUMMARY)
    nmse = summary[summary["metric"] == "nmse"].set_index(["model", "subset"])
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
        assert summary.set_index(["model", "subset", "metric"]).loc[
            (model, "variant=found", "failure_rate"), "value"
        ] == pytest.approx(lost)
        as_trained, again = nmse.loc[(model, "all")], nmse.loc[(model, "variant=none")]
        assert as_trained["value"] == pytest.approx(again["value"], rel=1e-4)
        assert again["low"] < again["value"] < again["high"]
    moved = nmse.loc[("mean_shape", "variant=shift_20"), "value"]
    assert moved > 1.5 * nmse.loc[("mean_shape", "all"), "value"]
    sees_none = nmse.loc["mean_shape"]["value"]
    assert sees_none["variant=warm"] == sees_none["variant=none"]
    assert nmse.loc[("dan", "variant=warm"), "value"] != nmse.loc[("dan", "variant=none"), "value"]
    page = (study / "results/report/index.html").read_text()
    assert "NMSE and equal error rate in moved boxes" in page
    assert "Faces that MTCNN finds in whole images" in page
    assert "NMSE and equal error rate in recordings that no training image showed" in page


def figures(study):
    """Return the SUMMARY of the study by model, subset, metric and abscissa."""
    summary = tables.read(study / "results/compare/summary.parquet", SUMMARY)
    return summary.set_index(["model", "subset", "metric", "at"]).sort_index()


def test_every_part_of_the_matcher_is_measured_beside_the_whole(study):
    table, names = figures(study).loc["annotated"], tiny()["ablation"]
    whole = table.loc[("all", "eer", 0.0), "value"]
    assert table.loc[("matcher=study", "eer", 0.0), "value"] == pytest.approx(whole)
    for name in names:
        its = table.loc[(f"matcher={name}", "eer", 0.0), "value"]
        assert 0 <= its <= 1
        above = table.loc[(f"matcher={name}", "eer_above_study", 0.0), "value"]
        assert above == pytest.approx(its - whole)
        assert table.loc[(f"matcher={name}", "shared_subjects", 0.0), "value"] == 0
    assert table.loc[("matcher=pls", "shared_subjects", 0.0), "n"] == 5  # training subjects
    assert (table.loc["matcher=permuted&range=3", "value"] >= 0).all()


def test_settings_are_compared_on_training_subjects_alone(study):
    table = figures(study).loc["annotated"]
    split = tables.read(study / "results/p1/fold0/folds.parquet", FOLDS)
    assert table.loc[("sweep=five", "shared_subjects", 0.0), "n"] == 3  # 2 of 4, 1 of validation
    assert (split["role"] == "train").any()
    difference = table.loc[("sweep=five", "eer_above_study", 0.0), "value"]
    pair = [table.loc[(f"sweep={name}", "eer", 0.0), "value"] for name in ("five", "study")]
    assert difference == pytest.approx(pair[0] - pair[1])


def test_displaced_points_begin_at_the_annotated_ones_and_cost_more_the_further_they_go(study):
    table = figures(study).loc["annotated"]
    curve = table.loc[("displacement=isotropic", "eer"), "value"]
    assert list(curve.index) == [0, 0.1, 0.5]
    undisplaced = table.loc[("range=1", "eer", 0.0), "value"]
    assert curve[0.0] == pytest.approx(undisplaced, abs=0.02)  # faces are cut and stored apart
    assert curve[0.5] > curve[0.0]
    nmse = table.loc[("displacement=scale", "nmse"), "value"]
    assert nmse.tolist() == pytest.approx([0, 0.1, 0.5])
    assert {"thermal", "visible"} == {
        s.split("modality=")[1] for s in table.index.get_level_values(0) if "isotropic&" in s
    }
    slopes = table.xs("eer_slope", level="metric")["value"].droplevel("at")
    sides = [slopes[f"displacement=isotropic&modality={side}"] for side in ("thermal", "visible")]
    difference = table.loc[("displacement=isotropic", "eer_slope_difference", 0.0), "value"]
    assert difference == pytest.approx(sides[0] - sides[1])


def test_every_detector_is_placed_on_the_curve_by_its_error(study):
    table = figures(study)
    for model in QUICK:
        its = table.loc[(model, "placement=isotropic")]["value"].droplevel("at")
        assert its["nmse"] == table.loc[(model, "range=1", "nmse", 0.0), "value"]
        assert its["eer_excess"] == pytest.approx(its["eer"] - its["eer_predicted"], nan_ok=True)
    its = table.loc[("mean_shape", "placement=isotropic")]["value"].droplevel("at")
    curve = table.loc[("annotated", "displacement=isotropic", "eer"), "value"]
    assert curve.min() <= its["eer_predicted"] <= curve.max()


def test_variants_are_carried_to_verification(study):
    table = figures(study)
    for model in QUICK:
        as_trained = table.loc[(model, "variant=none", "eer", 0.0), "value"]
        assert as_trained == pytest.approx(table.loc[(model, "all", "eer", 0.0), "value"], abs=0.02)
        moved = table.loc[(model, "variant=shift_20&range=1", "eer", 0.0)]
        assert moved["low"] <= moved["value"] <= moved["high"]


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


def test_every_log_ends_with_its_cost(study):
    logs = sorted((study / "results/logs").glob("*/*.log"))
    assert len(logs) > 25
    for log in logs:
        cost = json.loads(log.read_text().splitlines()[-1])
        assert set(cost) == set(COSTS.names)
        assert cost["wall"] >= cost["start_up"] >= 0


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
    command += ["results/p1/fold0/mean_shape/state.safetensors", "faces.csv", "out.csv"]
    done = subprocess.run(command, cwd=study, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = (study / "out.csv").read_text().splitlines()
    assert lines[0].startswith("image_id,right_eye_x,right_eye_y,right_eye_confidence")
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


def test_a_wrong_setting_of_a_model_ends_its_job_in_one_line(study):
    config = tiny()
    config |= {"models": {"wide": {"model": "dan", "widht": 1}}, "variants": {}}
    status, printed = run(study, config)
    assert status != 0
    lines = [line for line in printed.splitlines() if line.startswith("thermalign train")]
    assert lines
    assert "unknown setting 'widht'; allowed: n_stages" in lines[0]
    assert not (study / "results/p1/fold0/wide/state.safetensors").exists()


@pytest.mark.slow
def test_steps_end_with_a_killed_snakemake_and_a_new_run_finishes(tmp_path):
    config = tiny()
    config |= {"models": {"dan": QUICK["dan"] | {"steps": 3000}}, "variants": {}}
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
    config = yaml.safe_load((ROOT / "workflow/config/london60.yaml").read_text())
    config |= {"data": str(LONDON60), "models": {"dan": QUICK["dan"], "mean_shape": {}}}
    config["protocols"]["portraits"]["folds"] = 1
    status, printed = run(tmp_path, config)
    assert status == 0, printed
    summary = tables.read(tmp_path / "results/london60/compare/summary.parquet", SUMMARY)
    eer = summary[(summary["metric"] == "eer") & (summary["subset"] == "all")]
    assert set(eer["model"]) == {"dan", "mean_shape"}
    nmse = summary[(summary["metric"] == "nmse") & (summary["subset"] == "all")]
    assert set(nmse["n"]) == {30}  # the neutral images of the test subjects
    page = (tmp_path / "results/london60/report/index.html").read_text()
    assert "no second modality to map to (mapping: none)" in page
    assert "no annotated points" in page
    assert "60 of 120 images have annotated points" in page
    assert "There are no thermal images" in page
