"""From images to scores and the matcher's figures, through files: ten made-up people."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest

from thermalign import images, tables
from thermalign.geometry import LANDMARKS
from thermalign.metrics.verification import eer
from thermalign.records import Located, rows_of_points
from thermalign.schemas.dataset import ANNOTATIONS, FOLDS, IMAGES
from thermalign.schemas.matching import SCORES
from thermalign.schemas.measures import METRICS
from thermalign.schemas.predictions import PREDICTIONS, STRESS
from thermalign.steps import (
    ablate,
    align,
    displace,
    score,
    score_variants,
    sweep,
    train_matcher,
)

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
CANONICAL = np.array([[16.0, 21], [40, 21], [28, 37], [18, 47], [38, 47]])
ALIGNMENT = {"width": 56, "height": 64, "method": "similarity"}
ALIGNMENT["points"] = dict(zip(LANDMARKS, CANONICAL.tolist(), strict=True))
SHIFT = np.array([10.0, 8])  # of the face in its image


def known(folder):
    """Write images of ten people, of four moments each, in both modalities; return IMAGES.

    A person is noise, and so is a moment; both modalities show the same.
    """
    moments = [(f"s{k}", f"s{k}{n}") for k in range(10) for n in range(4)]
    drawn = np.random.default_rng(5)
    own = {s: drawn.normal(size=(80, 76)) for s in dict(moments)}
    for s, m in moments:
        shown = 30000 + 3000 * (own[s] + drawn.normal(size=(80, 76)))
        cv2.imwrite(str(folder / f"{m}.png"), shown.clip(0, 65535).astype(np.uint16))
    table = pd.DataFrame(
        [(f"{m}_{side[0]}", s, m, side) for side in ("visible", "thermal") for s, m in moments],
        columns=["image_id", "subject_id", "moment", "modality"],
    )
    fixed = {"condition": "baseline", "range": 1, "session": "1", "volume": 1}
    fixed |= {"width": 76, "height": 80, "bit_depth": 16, "scale": 0.01, "offset": 0.0}
    paths = [str(folder / f"{m}.png") for m in table["moment"]]
    return table.assign(pair_id=table["moment"], sha256="0", path=paths, **fixed)


def predicted(ids, model="annotated"):
    points = np.tile(CANONICAL + SHIFT, (len(ids), 1, 1))
    return rows_of_points(ids, Located.unknown(points), {**KEY, "model": model})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write the tables of a fold whose first six people train, and align all faces."""
    folder = tmp_path_factory.mktemp("fold")
    table = known(folder)
    tables.write(folder / "images.parquet", table, IMAGES)
    role = np.where(table["subject_id"] < "s6", "train", "test")
    roles = table[["image_id"]].assign(role=role, flipped=False, **KEY)
    tables.write(folder / "folds.parquet", roles, FOLDS)
    points = predicted(list(table["image_id"]))
    tables.write(folder / "predictions.parquet", points, PREDICTIONS)
    paths = {name: folder / f"{name}.parquet" for name in ("images", "predictions", "faces")}
    align.run(**paths, **KEY, model="annotated", settings=ALIGNMENT, code="x")
    return folder


@pytest.fixture(scope="module")
def common(folder):
    """Train the matcher, and return what the other steps are given."""
    given = {name: folder / f"{name}.parquet" for name in ("images", "folds", "faces")}
    given |= {"settings": SETTINGS, "code": "x"}
    rates, matcher = {"tar_at_far": [0.2, 0.1234567, 0.01]}, folder / "matcher.safetensors"
    train_matcher.run(**given, networks=[], matcher=matcher, fold=0, seed=1, evaluation=rates)
    return given


@pytest.fixture(scope="module")
def scores(folder, common):
    """Score the annotated probes."""
    written = {name: folder / f"{name}.parquet" for name in ("predictions", "scores")}
    matcher = folder / "matcher.safetensors"
    score.run(**common, **KEY, **written, matcher=matcher, model="annotated")
    return written["scores"]


def test_both_readings_and_the_thresholds_reach_the_scores(scores):
    table = tables.read(scores, SCORES)
    assert table.groupby("same_moment").size().to_dict() == {"exclude": 64, "keep": 64}
    genuine = table[table["genuine"]].groupby("same_moment")["score"].mean()
    assert genuine["keep"] > genuine["exclude"]  # its own instant is there
    thresholds = json.loads(tables.read_metadata(scores)["thresholds"])
    # two halves of three people: 12 ordered pairs
    assert set(thresholds) == {"0", "0.2", "0.1234567"}
    assert thresholds["0.2"] > -1


def measured(step, folder, common, **given):
    """Run a step, and return its METRICS of all ranges together by setting and metric."""
    paths = {name: folder / f"{name}_of_step.parquet" for name in ("metrics", "replicates")}
    shared = {"dataset": "d", "evaluation": EVALUATION}
    step.run(**{**common, **KEY, **shared, **paths, "model": "annotated", **given})
    table = tables.read(paths["metrics"], METRICS)
    assert set(table["dataset"]) == {"d"}
    assert table["experiment"].nunique() == 1
    its = table[table["range"] == ""].set_index(["setting", "metric"])
    return table["experiment"].iloc[0], its["value"].to_dict(), its["n"].to_dict()


def test_every_part_of_the_matcher_is_measured_against_the_configured_one(folder, common):
    changed = {"cosine": {"classifier": "cosine"}, "same": {}, "shuffled": {"permutations": 2}}
    matcher = folder / "matcher.safetensors"
    experiment, value, n = measured(
        ablate, folder, common, matcher=matcher, networks=[], ablation=changed, seed=1
    )
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
    changed = {"one": {"components": 1}}
    experiment, value, n = measured(sweep, folder, common, networks=[], sweep=changed, seed=1)
    assert experiment == "sweep"
    assert {name for name, _ in value} == {"study", "one"}
    assert n["study", "shared_subjects"] == 3  # the other half of six
    assert value["study", "shared_subjects"] == 0
    assert n["study", "eer"] == 12 * 3  # probes of three people against three


def test_displaced_probes_are_read_some_at_a_time_and_score_as_all_at_once(
    folder, common, monkeypatch
):
    points = predicted(list(tables.read(folder / "images.parquet", IMAGES)["image_id"]))
    rows = points[["image_id", "landmark", "x", "y"]].assign(visible=True)
    tables.write(folder / "annotations.parquet", rows, ANNOTATIONS)
    doses = {"range": 1, "kinds": ["shift"], "levels": [0, 0.3], "linear_up_to": 0.3}
    given = {"alignment": ALIGNMENT, "displacements": doses, "seed": 1}
    given |= {"annotations": folder / "annotations.parquet"}
    made = []
    for pixels in (2**28, 1):
        monkeypatch.setattr(images, "AT_ONCE", pixels)
        matcher = folder / "matcher.safetensors"
        made.append(measured(displace, folder, common, matcher=matcher, **given))
    assert made[0][0] == "displacement"
    assert made[1] == made[0]


def test_displaced_probes_are_verified_under_every_reading_that_is_asked_for(folder, common):
    points = predicted(list(tables.read(folder / "images.parquet", IMAGES)["image_id"]))
    rows = points[["image_id", "landmark", "x", "y"]].assign(visible=True)
    tables.write(folder / "annotations.parquet", rows, ANNOTATIONS)
    given = {"alignment": ALIGNMENT, "seed": 1, "annotations": folder / "annotations.parquet"}
    given |= {"matcher": folder / "matcher.safetensors"}
    doses = {"range": 1, "kinds": ["shift"], "levels": [0, 0.3], "linear_up_to": 0.3}
    found = {}
    for asked in ("headline", "every"):
        measured(displace, folder, common, displacements=doses | {"readings": asked}, **given)
        found[asked] = tables.read(folder / "metrics_of_step.parquet", METRICS)
    own, every = found["headline"], found["every"]
    marked = every["same_moment"] != ""
    pd.testing.assert_frame_equal(every[~marked].reset_index(drop=True), own, check_exact=True)
    assert set(every.loc[marked, "same_moment"]) == {"keep"}
    assert set(every.loc[marked, "modality"]) == {""}  # all visible images are enrolled: no control
    probes = own[(own["modality"] == "") & ~own["metric"].str.endswith("_difference")]
    key = ["level", "metric", "n"]
    assert every.loc[marked, key].values.tolist() == probes[key].values.tolist()


def test_variants_are_aligned_by_their_own_points_in_their_own_recording(folder, common, scores):
    table = tables.read(folder / "images.parquet", IMAGES)
    other = folder / "other.parquet"  # everybody looks like the next person but one
    there = table["path"].to_numpy()[np.roll(np.arange(len(table)), -8)]
    tables.write(other, table.assign(path=there), IMAGES)
    probes = list(table.query("subject_id >= 's6' and modality == 'thermal'")["image_id"])
    rows = predicted(probes, model="m")
    lost = rows.assign(variant="lost", x=np.nan, y=np.nan)
    variants = {"lost": {"shift": 0.5}, "strangers": {"dataset": "other"}}
    stress = [rows.assign(variant="none"), lost, rows.assign(variant="strangers")]
    tables.write(folder / "stress.parquet", pd.concat(stress), STRESS)
    given = {key: common[key] for key in ("folds", "settings", "code")}
    experiment, value, n = measured(
        score_variants,
        folder,
        given,
        images=[common["images"], other],
        predictions=folder / "stress.parquet",
        matcher=folder / "matcher.safetensors",
        alignment=ALIGNMENT,
        variants=variants,
        model="m",
    )
    assert experiment == "variant"
    assert set(n.values()) == {64}
    own = tables.read(scores, SCORES).query("same_moment == 'exclude'")
    assert value["none", "eer"] == eer(own["score"].to_numpy(), own["genuine"].to_numpy())
    assert value["none", "eer"] < 0.3
    assert value["lost", "eer"] == 1  # a face not found matches nobody
    assert value["strangers", "eer"] > 0.5
