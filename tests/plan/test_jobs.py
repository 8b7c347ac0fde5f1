"""Jobs and their work, held to counts by hand."""

from pathlib import Path

import pytest

from thermalign.config.models import read_study
from thermalign.plan.jobs import jobs_of

ROOT = Path(__file__).parents[2]


def test_the_work_of_the_papers_study_is_its_own_image_counts():
    jobs = jobs_of(read_study([ROOT / "workflow/config/paper.yaml"], {}))
    work = {(job.rule, job.name): job.work for job in jobs}
    assert work["predict", "p1/fold0/dan"] == 11_520
    assert work["train_matcher", "p1/fold4"] == 11_520  # people trained on, without mirror images
    assert work["train", "p1/fold0/dan"] == 72_000 * 64  # both stages
    assert work["train", "p1/fold0/mean_shape"] == 11_520
    assert work["predict", "p2/fold0/dan"] == pytest.approx(11_098, rel=0.02)  # on average


def test_a_step_costs_by_the_settings_that_shape_the_network_alone():
    file = ROOT / "config.yaml"
    kinds = []
    for changed in ({}, {"steps": 7, "learning_rate": 0.01}, {"width": 0.5}):
        study = read_study([file], {"models": {"dan": changed}})
        kinds.append({j.kind for j in jobs_of(study) if j.name == "p1/fold0/dan"} - {""})
    assert kinds[0] == kinds[1] != kinds[2]


def test_a_manifest_is_counted(tmp_path):
    rows = [f"a{k}.png,s{k % 40:02d},{m}" for k in range(80) for m in ("thermal", "visible")]
    (tmp_path / "faces.csv").write_text("\n".join(["path,subject_id,modality", *rows]))
    study = read_study([ROOT / "config.yaml"], {})
    block = {"adapter": "table", "folder": str(tmp_path), "manifest": "faces.csv", "box": {}}
    protocol = study["protocols"]["p1"] | {"train_subjects": 30, "test_subjects": 10}
    study |= {"datasets": {"simulated": block}, "protocols": {"p1": protocol}}
    work = {(job.rule, job.name): job.work for job in jobs_of(study)}
    assert work["ingest", "simulated"] == pytest.approx(160)
    assert work["predict", "p1/fold0/dan"] == pytest.approx(20)
    protocol["volumes"] = [2]
    with pytest.raises(ValueError, match=r"protocols.p1.volumes: simulated has no image of \[2\]"):
        jobs_of(study)


def test_models_are_tested_elsewhere_by_the_protocols_that_are_named_on_everybody_there():
    study = read_study([ROOT / "workflow/config/across.yaml"], {})
    work = {(job.rule, job.name): job.work for job in jobs_of(study)}
    # 60 people, thermal at two ranges, visible at one, six samples each
    assert work["predict_across", "cooled/fold0/dan/uncooled"] == 60 * 12
    assert work["predict_across", "cooled/fold0/dan/photographs"] == 60 * 6
    assert work["score_across", "photographs/fold0/dan/photographs"] == 60 * 3 * 60
    assert work["enrol_across", "cooled/fold0/uncooled"] == 30 * 12 + 60 * 18
    assert ("predict_across", "photographs/fold0/dan/cooled") not in work
