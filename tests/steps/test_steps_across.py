"""Another dataset through files: who is tested, predicted, enrolled and verified there."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from test_matching import ALIGNMENT, EVALUATION, SETTINGS, known, predicted
from test_stress import RAW, InTheBox

from thermalign import tables
from thermalign.exchange.points import as_file
from thermalign.geometry import LANDMARKS
from thermalign.metrics.verification import eer
from thermalign.schemas.dataset import ANNOTATIONS, BOXES, FOLDS, IMAGES
from thermalign.schemas.keys import ACROSS
from thermalign.schemas.matching import SCORES
from thermalign.schemas.measures import METRICS, REPLICATES
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.states import State, read_metadata
from thermalign.steps import (
    align,
    enrol_across,
    fold_across,
    import_points_across,
    predict_across,
    score,
    score_across,
    train_matcher,
)
from thermalign.verification.matcher_state import read_matcher

JOB = {"dataset": "home", "protocol": "p", "fold": 0}


def write_dataset(folder, images, *, landmarks=LANDMARKS):
    """Write the tables of a dataset whose faces all lie alike."""
    folder.mkdir(exist_ok=True)
    tables.write(folder / "images.parquet", images, IMAGES)
    points = predicted(list(images["image_id"]))[["image_id", "landmark", "x", "y"]]
    points = points[points["landmark"].isin(landmarks)].assign(visible=True)
    tables.write(folder / "annotations.parquet", points, ANNOTATIONS)
    box = dict(zip(("x", "y", "width", "height"), (10.0, 12.0, 56.0, 60.0), strict=True))
    given = images[["image_id"]].assign(source="given", **box)
    tables.write(folder / "boxes.parquet", given, BOXES)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A fold whose first six of ten people train, with its matcher; and a dataset of others.

    The others have the names of people and images of the fold's own.
    """
    folder = tmp_path_factory.mktemp("home")
    images = known(folder)
    write_dataset(folder, images)
    role = np.where(images["subject_id"] < "s6", "train", "test")
    folds = images[["image_id"]].assign(role=role, flipped=False, protocol="p", fold=0)
    tables.write(folder / "folds.parquet", folds, FOLDS)
    points = predicted(list(images["image_id"]))
    tables.write(folder / "predictions.parquet", points, PREDICTIONS)
    paths = {name: folder / f"{name}.parquet" for name in ("images", "predictions", "faces")}
    align.run(**paths, protocol="p", fold=0, model="annotated", settings=ALIGNMENT, code="x")
    train_matcher.run(
        networks=[],
        **{name: folder / f"{name}.parquet" for name in ("images", "folds", "faces")},
        matcher=folder / "matcher.safetensors",
        fold=0,
        seed=1,
        settings=SETTINGS,
        evaluation={"tar_at_far": [0.2]},
        code="x",
    )
    write_dataset(folder / "there", images[images["subject_id"] > "s0"])
    return folder


@pytest.fixture
def visit(home, tmp_path):
    """Functions that run the steps on a dataset, and what they wrote."""

    def admit(there, people):
        fold_across.run(
            images=home / "images.parquet",
            folds=home / "folds.parquet",
            visited=there / "images.parquet",
            **JOB,
            other="there",
            people=people,
            admitted=tmp_path / "folds.parquet",
            code="x",
        )
        return tables.read(tmp_path / "folds.parquet", FOLDS)

    def metrics(name):
        table = tables.read(tmp_path / f"{name}_metrics.parquet", METRICS)
        assert set(table["experiment"]) <= {ACROSS}
        whole = table[(table[["range", "landmark"]] == "").all(axis=1)]
        return whole.set_index(["metric", "at"])

    def given(name, model):
        its = {k: tmp_path / f"{name}_{k}.parquet" for k in ("metrics", "replicates")}
        return JOB | its | {"model": model, "other": "there", "evaluation": EVALUATION, "code": "x"}

    def predict(there, **changes):
        asked = {"modality": "thermal", "landmarks": [], "settings": {}, "detector": "m"} | changes
        predict_across.run(
            **{n: there / f"{n}.parquet" for n in ("images", "annotations", "boxes")},
            admitted=tmp_path / "folds.parquet",
            state=tmp_path / "state",
            visited="there",
            predictions=tmp_path / "predictions.parquet",
            **asked,
            **given("predict", "m"),
        )
        return metrics("predict")

    def place(there, source):
        import_points_across.run(
            images=there / "images.parquet",
            annotations=there / "annotations.parquet",
            admitted=tmp_path / "folds.parquet",
            source=source,
            visited="there",
            modality="thermal",
            landmarks=[],
            content="x",
            predictions=tmp_path / "placed.parquet",
            **given("place", "m"),
        )
        return metrics("place")

    def enrol(there, **changes):
        enrol_across.run(
            **{n: home / f"{n}.parquet" for n in ("images", "folds", "faces")},
            matcher=home / "matcher.safetensors",
            visited=there / "images.parquet",
            annotations=there / "annotations.parquet",
            admitted=tmp_path / "folds.parquet",
            settings=SETTINGS | {"same_moment": ["exclude"]} | changes,
            alignment=ALIGNMENT,
            seed=1,
            enrolled=tmp_path / "there.safetensors",
            **given("enrol", "annotated"),
        )
        return metrics("enrol")

    def verify(there, predictions):
        score_across.run(
            images=there / "images.parquet",
            admitted=tmp_path / "folds.parquet",
            predictions=predictions,
            enrolled=tmp_path / "there.safetensors",
            settings=SETTINGS | {"same_moment": ["exclude"]},
            alignment=ALIGNMENT,
            **given("score", "m"),
        )
        return metrics("score")

    return SimpleNamespace(
        admit=admit, predict=predict, place=place, enrol=enrol, verify=verify, folder=tmp_path
    )


@pytest.fixture
def detector(monkeypatch):
    monkeypatch.setattr(predict_across, "load_model", lambda *_: (InTheBox(), None))
    monkeypatch.setattr(predict_across, "read_state", lambda _: State({}, calibration=RAW))


def people_of(table):
    return sorted({name[:2] for name in table["image_id"]})


def test_everybody_is_tested_but_those_who_train(home, visit):
    there = home / "there"
    assert people_of(visit.admit(there, "same")) == ["s6", "s7", "s8", "s9"]
    table = visit.admit(there, "others")
    assert people_of(table) == [f"s{k}" for k in range(1, 10)]
    assert set(table["role"]) == {"test"}
    with pytest.raises(ValueError, match=r"evaluate_on\.there: subject_id s1 \(9 in all\) is a na"):
        visit.admit(there, "apart")


def test_a_detector_is_measured_on_the_modality_that_is_asked_for(home, visit, detector):
    visit.admit(home / "there", "others")
    found = visit.predict(home / "there")
    assert found.loc[("nmse", 0), "n"] == 9 * 4
    assert found.loc[("tested_people", 0), "value"] == 9
    assert found.loc[("failure_rate", 0), ["low", "high"]].notna().all()
    assert ("coverage_95", 0) in found.index
    points = tables.read(visit.folder / "predictions.parquet", PREDICTIONS)
    assert points["image_id"].str.endswith("_t").all()
    assert set(points["protocol"]) == {"p"}


def test_points_of_a_file_have_the_figures_of_the_detector_that_they_are_of(home, visit, detector):
    visit.admit(home / "there", "others")
    visit.predict(home / "there")
    points = tables.read(visit.folder / "predictions.parquet", PREDICTIONS)
    as_file(points).to_parquet(visit.folder / "points.parquet")
    visit.place(home / "there", visit.folder / "points.parquet")
    placed = tables.read(visit.folder / "placed.parquet", PREDICTIONS)
    pd.testing.assert_frame_equal(placed, points, check_exact=True)
    for name, schema in (("metrics", METRICS), ("replicates", REPLICATES)):
        first, second = (
            tables.read(visit.folder / f"{step}_{name}.parquet", schema)
            for step in ("predict", "place")
        )
        pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_a_file_without_all_tested_images_of_another_dataset_is_refused(home, visit, detector):
    visit.admit(home / "there", "others")
    visit.predict(home / "there")
    table = as_file(tables.read(visit.folder / "predictions.parquet", PREDICTIONS))
    table.iloc[3:].to_csv(visit.folder / "points.csv", index=False)
    line = r"points\.csv: no row for 3 of 36 images of evaluate_on\.there that p, fold 0 tests: s1"
    with pytest.raises(ValueError, match=line):
        visit.place(home / "there", visit.folder / "points.csv")
    assert not (visit.folder / "placed.parquet").exists()


def test_few_people_have_no_interval(home, visit, detector):
    visit.admit(home / "there", "same")
    found = visit.predict(home / "there")
    assert found.loc[("nmse", 0), "value"] > 0
    assert found[["low", "high"]].isna().all(axis=None)


def test_what_is_stated_is_measured_where_every_landmark_is_there(home, visit, detector, tmp_path):
    images = tables.read(home / "there/images.parquet", IMAGES)
    four = [name for name in LANDMARKS if name != "nose_base"]
    write_dataset(tmp_path / "four", images, landmarks=four)
    visit.admit(tmp_path / "four", "others")
    found = visit.predict(tmp_path / "four")
    assert ("nmse", 0) in found.index
    assert ("coverage_95", 0) not in found.index
    told = tables.read(tmp_path / "predict_metrics.parquet", METRICS)
    assert set(told["landmark"]) == {"", *four}
    with pytest.raises(ValueError, match=r"evaluate_on\.there\.gallery: none of its 36 images can"):
        visit.enrol(tmp_path / "four")


def test_a_dataset_tested_on_itself_is_enrolled_and_verified_as_at_home(home, visit):
    visit.admit(home, "same")
    found = visit.enrol(home)
    at_home = score_at_home(home, visit.folder)
    enrolled, own = (
        read_metadata(path)["matcher"]
        for path in (visit.folder / "there.safetensors", home / "matcher.safetensors")
    )
    for key in ("subjects", "enrolled", "partial", "other_subjects", "mapping"):
        assert enrolled[key] == own[key], key
    assert found.loc[("eer", 0), "value"] == pytest.approx(at_home, abs=1e-3)
    assert (
        visit.verify(home, home / "predictions.parquet").loc[("eer", 0), "value"]
        == (found.loc[("eer", 0), "value"])
    )


def score_at_home(home, folder):
    """Return the equal error rate of the study itself."""
    score.run(
        **{n: home / f"{n}.parquet" for n in ("images", "folds", "predictions", "faces")},
        matcher=home / "matcher.safetensors",
        protocol="p",
        fold=0,
        model="annotated",
        settings=SETTINGS,
        scores=folder / "scores.parquet",
        code="x",
    )
    table = tables.read(folder / "scores.parquet", SCORES).query("same_moment == 'exclude'")
    return eer(table["score"].to_numpy(), table["genuine"].to_numpy())


def test_other_people_of_the_same_names_are_told_from_those_who_train(home, visit):
    visit.admit(home / "there", "others")
    visit.enrol(home / "there")
    enrolled = read_metadata(visit.folder / "there.safetensors")["matcher"]
    assert enrolled["subjects"] == [f"s{k}" for k in range(1, 10)]
    assert enrolled["other_subjects"] == [f"s{k}" for k in range(6)]  # the fold's, not these


def test_a_mapping_that_has_seen_people_of_the_other_dataset_is_refused(
    home, visit, tmp_path, monkeypatch
):
    """A network of people of a third dataset; the fold's own are known not to be these."""
    images = tables.read(home / "there/images.parquet", IMAGES)
    there = tmp_path / "renamed"
    write_dataset(there, images.assign(subject_id="t" + images["subject_id"]))
    visit.admit(there, "apart")
    own = read_matcher(home / "matcher.safetensors")
    seen = replace(own, mapping=replace(own.mapping, subjects=("s1", "ts3")))
    monkeypatch.setattr(enrol_across, "read_matcher", lambda _: seen)
    with pytest.raises(ValueError, match=r"trained on ts3, whom evaluate_on\.there tests \(1 such"):
        visit.enrol(there)


def test_points_that_are_off_cost_verification_there(home, visit):
    visit.admit(home / "there", "others")
    visit.enrol(home / "there")
    images = tables.read(home / "there/images.parquet", IMAGES)
    points = predicted(list(images["image_id"]), "m")
    for name, off in (("right", 0.0), ("wrong", 6.0)):
        moved = points.assign(x=points["x"] + off * (points["landmark"] == "left_eye"))
        tables.write(visit.folder / f"{name}.parquet", moved, PREDICTIONS)
    right, wrong = (
        visit.verify(home / "there", visit.folder / f"{name}.parquet").loc[("eer", 0), "value"]
        for name in ("right", "wrong")
    )
    assert wrong > right


def test_without_an_annotated_probe_there_is_a_matcher_and_no_figure_of_annotated_points(
    home, visit, tmp_path
):
    images = tables.read(home / "there/images.parquet", IMAGES)
    there = tmp_path / "half"
    write_dataset(there, images)
    table = tables.read(there / "annotations.parquet", ANNOTATIONS)
    kept = table[table["image_id"].str.endswith("_v")]
    tables.write(there / "annotations.parquet", kept, ANNOTATIONS)
    visit.admit(there, "others")
    assert visit.enrol(there).empty
    found = visit.verify(there, home / "predictions.parquet")
    assert 0 <= found.loc[("eer", 0), "value"] <= 1


def test_no_figure_is_of_anything_but_the_other_dataset(home, visit, detector):
    visit.admit(home / "there", "others")
    visit.predict(home / "there")
    table = tables.read(visit.folder / "predict_metrics.parquet", METRICS)
    assert set(table["setting"]) == {"there"}
    assert set(table["dataset"]) == {"home"}
