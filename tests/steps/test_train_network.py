"""A network of a matcher through files: trained on made-up people, applied to others."""

import numpy as np
import pytest
import torch
from test_matching import ALIGNMENT, KEY, SETTINGS, known, predicted

from thermalign import tables
from thermalign.networks import copies
from thermalign.schemas.dataset import ANNOTATIONS, FOLDS, IMAGES
from thermalign.schemas.matching import SCORES
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.states import read_metadata, read_state
from thermalign.steps import align, score, train_matcher, train_network
from thermalign.verification import alignment

TOLD = {"components": 8, "hidden": 4, "copies": 1, "validation_people": 2, "batch_size": 4}
TOLD |= {"steps": 4, "validate_every": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write images and annotations of ten people."""
    folder = tmp_path_factory.mktemp("people")
    table = known(folder)
    tables.write(folder / "images.parquet", table, IMAGES)
    points = predicted(list(table["image_id"]))
    tables.write(folder / "predictions.parquet", points, PREDICTIONS)
    rows = points[["image_id", "landmark", "x", "y"]].assign(visible=True)
    tables.write(folder / "annotations.parquet", rows, ANNOTATIONS)
    return folder


def trained(folder, name, adapter="simulator", **changed):
    given = {key: folder / f"{key}.parquet" for key in ("images", "annotations")}
    given |= {"network": "far", "dataset": "strangers", "adapter": adapter, "seed": 1, "code": "x"}
    given |= {"alignment": ALIGNMENT, "matcher": {"dog": {}, "features": {}}}
    state = folder / f"{name}.safetensors"
    checkpoint = folder / f"{name}.pt"
    train_network.run(**given, settings=TOLD | changed, state=state, checkpoint=checkpoint)
    assert not checkpoint.exists()
    return state


def test_the_state_tells_its_people_its_settings_and_its_curve(folder):
    told = read_metadata(trained(folder, "far"))
    assert told["people"] == [f"strangers/s{k}" for k in range(10)]
    assert [row[0] for row in told["curve"]] == [2, 4]
    assert told["settings"]["steps"] == 4
    assert told["settings"]["dataset"] == "strangers"


def test_descriptors_that_lie_in_a_file_train_the_same_network(folder, monkeypatch):
    whole = read_state(trained(folder, "held")).tensors
    monkeypatch.setattr(copies, "IN_MEMORY", 0)
    lying = read_state(trained(folder, "lying")).tensors
    assert whole.keys() == lying.keys()
    for name, tensor in whole.items():
        assert torch.equal(tensor, lying[name])


def test_a_fold_is_verified_by_it_and_one_that_tests_its_people_is_not(folder):
    table = tables.read(folder / "images.parquet", IMAGES)
    role = np.where(table["subject_id"] < "s6", "train", "test")
    roles = table[["image_id"]].assign(role=role, flipped=False, **KEY)
    tables.write(folder / "folds.parquet", roles, FOLDS)
    paths = {name: folder / f"{name}.parquet" for name in ("images", "predictions", "faces")}
    align.run(**paths, **KEY, model="annotated", settings=ALIGNMENT, code="x")
    given = {name: folder / f"{name}.parquet" for name in ("images", "folds", "faces")}
    matcher = folder / "matcher.safetensors"
    for state, refused in (
        (trained(folder, "far"), False),
        (trained(folder, "own", "table"), True),
    ):
        block = {"mapping": "two_branch", "classifier": "cosine"}
        block = {**SETTINGS, **block, "two_branch": {"network": str(state)}}
        fitted = {**given, "settings": block, "evaluation": {"tar_at_far": [0.1]}, "code": "x"}
        if refused:
            with pytest.raises(ValueError, match=r"trained on s6, whom this fold tests \(4 such"):
                train_matcher.run(**fitted, networks=[state], matcher=matcher, fold=0, seed=1)
            continue
        train_matcher.run(**fitted, networks=[state], matcher=matcher, fold=0, seed=1)
        written = {name: folder / f"{name}.parquet" for name in ("predictions", "scores")}
        its = {**given, **KEY, **written, "settings": block, "code": "x"}
        score.run(**its, matcher=matcher, model="annotated")
    scores = tables.read(folder / "scores.parquet", SCORES)
    assert np.isfinite(scores["score"]).all()
    assert scores["score"].abs().max() <= 1 + 1e-6
    assert len(scores) == 2 * 64


def test_large_images_are_held_a_few_at_a_time(folder, monkeypatch):
    whole, held, stack = trained(folder, "whole"), [], copies.stack_images

    def counted(images, on):
        held.append(len(images))
        return stack(images, on)

    monkeypatch.setattr(copies, "stack_images", counted)
    monkeypatch.setattr(alignment, "PIXELS", 3 * 76 * 80)
    few = trained(folder, "few")
    assert max(held) == 3
    made, same = (read_state(path).tensors for path in (few, whole))
    assert all(torch.equal(made[name], same[name]) for name in same)


def test_people_of_one_modality_are_left_out_and_nobody_is_refused(folder, capsys):
    table = tables.read(folder / "images.parquet", IMAGES)
    for people, message in ((["s0", "s1"], None), (list(table["subject_id"].unique()), "nobody")):
        kept = table[(table["modality"] == "visible") | ~table["subject_id"].isin(people)]
        some = folder / f"some{len(people)}"
        some.mkdir()
        tables.write(some / "images.parquet", kept, IMAGES)
        annotations = tables.read(folder / "annotations.parquet", ANNOTATIONS)
        there = annotations[annotations["image_id"].isin(kept["image_id"])]
        tables.write(some / "annotations.parquet", there, ANNOTATIONS)
        if message:
            with pytest.raises(ValueError, match="nobody in the dataset has annotated images of"):
                trained(some, "far")
        else:
            assert len(read_metadata(trained(some, "far"))["people"]) == 8
            assert "2 of 10 people have no annotated images of both" in capsys.readouterr().err
