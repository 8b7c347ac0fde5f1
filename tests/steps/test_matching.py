"""From aligned faces to scores and the matcher's figures, through files: ten made-up people."""

import json

import numpy as np
import pandas as pd
import pytest

from thermalign import tables
from thermalign.schemas.dataset import FOLDS, IMAGES
from thermalign.schemas.matching import FACES, SCORES
from thermalign.schemas.measures import METRICS
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.steps import ablate, score, sweep, train_matcher
from thermalign.verification.stored import quantise

KEY = {"protocol": "p", "fold": 0}
SETTINGS = {
    "mapping": "none",
    "classifier": "pls",
    "negatives": "published",
    "cross_examples": 2,
    "components": 2,
    "dog": {},
    "features": {},
    "gallery": {"modality": "visible"},
    "probe": {"modality": "thermal"},
    "same_moment": ["exclude", "keep"],
}
EVALUATION = {"replicates": 50, "seed": 1}


def known():
    """Return IMAGES of ten people, of four moments each, in both modalities."""
    moments = [(f"s{k}", f"s{k}{n}") for k in range(10) for n in range(4)]
    table = pd.DataFrame(
        [(f"{m}_{side[0]}", s, m, side) for side in ("visible", "thermal") for s, m in moments],
        columns=["image_id", "subject_id", "moment", "modality"],
    )
    fixed = {"condition": "baseline", "range": 1, "session": "1", "volume": 1, "path": "x"}
    fixed |= {"width": 56, "height": 64, "bit_depth": 16, "scale": 1.0, "offset": 0.0}
    return table.assign(pair_id=table["moment"], sha256="0", **fixed)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write the tables of a fold whose first six people train; nothing but noise is alike."""
    folder, table = tmp_path_factory.mktemp("fold"), known()
    tables.write(folder / "images.parquet", table, IMAGES)
    role = np.where(table["subject_id"] < "s6", "train", "test")
    roles = table[["image_id"]].assign(role=role, flipped=False, **KEY)
    tables.write(folder / "folds.parquet", roles, FOLDS)
    drawn = np.random.default_rng(5)
    own = {s: drawn.normal(size=(64, 56)) for s in table["subject_id"].unique()}
    noise = {m: drawn.normal(size=(64, 56)) for m in table["moment"]}
    stored = [
        quantise(own[s] + noise[m])
        for s, m in table[["subject_id", "moment"]].itertuples(index=False)
    ]
    faces = pd.DataFrame(stored, columns=["pixels", "scale", "offset"])
    faces = faces.assign(image_id=table["image_id"], width=56, height=64, model="annotated", **KEY)
    tables.write(folder / "faces.parquet", faces, FACES)
    points = table[["image_id"]].assign(landmark="right_eye", x=1.0, y=1.0, confidence=1.0)
    points = points.assign(model="annotated", **KEY)
    tables.write(folder / "predictions.parquet", points, PREDICTIONS)
    return folder


@pytest.fixture(scope="module")
def common(folder):
    """Train the matcher, and return what the other steps are given."""
    given = {name: folder / f"{name}.parquet" for name in ("images", "folds", "faces")}
    given |= {"settings": SETTINGS, "code": "x"}
    rates, matcher = {"tar_at_far": [0.2, 0.1234567, 0.01]}, folder / "matcher.safetensors"
    train_matcher.run(**given, matcher=matcher, fold=0, seed=1, evaluation=rates)
    return given


def test_both_readings_and_the_thresholds_reach_the_scores(folder, common):
    written = {name: folder / f"{name}.parquet" for name in ("predictions", "scores")}
    matcher = folder / "matcher.safetensors"
    score.run(**common, **KEY, **written, matcher=matcher, model="annotated")
    scores = tables.read(written["scores"], SCORES)
    assert scores.groupby("same_moment").size().to_dict() == {"exclude": 64, "keep": 64}
    genuine = scores[scores["genuine"]].groupby("same_moment")["score"].mean()
    assert genuine["keep"] > genuine["exclude"]  # its own instant is there
    thresholds = json.loads(tables.read_metadata(written["scores"])["thresholds"])
    # two halves of three people: 12 ordered pairs
    assert set(thresholds) == {"0", "0.2", "0.1234567"}
    assert thresholds["0.2"] > -1


def measured(step, folder, common, **given):
    """Run a step, and return its METRICS of all ranges together by setting and metric."""
    paths = {name: folder / f"{name}_of_step.parquet" for name in ("metrics", "replicates")}
    shared = {"dataset": "d", "model": "annotated", "seed": 1, "evaluation": EVALUATION}
    step.run(**common, **KEY, **shared, **paths, **given)
    table = tables.read(paths["metrics"], METRICS)
    assert set(table["dataset"]) == {"d"}
    assert table["experiment"].nunique() == 1
    its = table[table["range"] == ""].set_index(["setting", "metric"])
    return table["experiment"].iloc[0], its["value"].to_dict(), its["n"].to_dict()


def test_every_part_of_the_matcher_is_measured_against_the_configured_one(folder, common):
    changed = {"cosine": {"classifier": "cosine"}, "same": {}, "shuffled": {"permutations": 2}}
    matcher = folder / "matcher.safetensors"
    experiment, value, n = measured(ablate, folder, common, matcher=matcher, ablation=changed)
    assert experiment == "matcher"
    assert value["same", "eer_above_study"] == 0
    assert value["same", "eer"] == value["study", "eer"]
    for name in changed:
        above = value[name, "eer"] - value["study", "eer"]
        assert value[name, "eer_above_study"] == pytest.approx(above)
        assert value[name, "shared_subjects"] == 0
    assert n["study", "shared_subjects"] == 6  # those of the cross-examples
    assert n["cosine", "shared_subjects"] == 0
    assert value["shuffled", "eer"] > value["study", "eer"]


def test_a_sweep_opens_no_image_of_a_test_subject(folder, common):
    experiment, value, n = measured(sweep, folder, common, sweep={"one": {"components": 1}})
    assert experiment == "sweep"
    assert {name for name, _ in value} == {"study", "one"}
    assert n["study", "shared_subjects"] == 3  # the other half of six
    assert value["study", "shared_subjects"] == 0
    assert n["study", "eer"] == 12 * 3  # probes of three people against three
