"""Whom `benchmarks/fine_tuning.py` tests on, trains on, and how it counts."""

import argparse
import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

FILE = Path(__file__).parents[1] / "benchmarks" / "fine_tuning.py"
PEOPLE = [f"s{n:02d}" for n in range(20)]


@pytest.fixture(scope="module")
def tuning():
    spec = importlib.util.spec_from_file_location("fine_tuning", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def annotated(tuning, names):
    images = pd.DataFrame({"image_id": names, "subject_id": names, "source": "a"})
    return tuning.Annotated(images, pd.DataFrame({"image_id": names}), pd.DataFrame())


def test_everybody_is_tested_once_and_by_trainings_that_never_saw_them(tuning):
    folds = list(tuning.dealt(PEOPLE, 4, seed=1))
    assert sorted(name for tested, _ in folds for name in tested) == PEOPLE
    assert all(set(tested) | set(others) == set(PEOPLE) for tested, others in folds)
    assert not any(set(tested) & set(others) for tested, others in folds)


def test_another_split_deals_otherwise(tuning):
    first, second = (next(tuning.dealt(PEOPLE, 4, seed=seed))[0] for seed in (1, 2))
    assert set(first) != set(second)


def test_the_people_asked_for_are_trained_on_as_they_are_and_mirrored(tuning):
    rows = tuning.examples(annotated(tuning, PEOPLE), PEOPLE[:5], None).images
    assert sorted(zip(rows["image_id"], rows["flipped"], strict=True)) == [
        (name, way) for name in PEOPLE[:5] for way in (False, True)
    ]


def test_half_of_a_mixed_training_is_simulated(tuning):
    beside = annotated(tuning, [f"v{n}" for n in range(100)])
    rows = tuning.examples(annotated(tuning, PEOPLE), PEOPLE[:5], beside).images
    simulated = rows["image_id"].str.startswith("v")
    assert simulated.sum() == (~simulated).sum() == 200
    assert set(rows.loc[~simulated, "subject_id"]) == set(PEOPLE[:5])


def test_a_difference_is_of_the_same_people(tuning):
    known = annotated(tuning, PEOPLE).images.set_index("image_id")
    before = pd.Series([0.01 * (1 + n) for n in range(20)], index=PEOPLE)
    told = tuning.figures((before - 0.005)[::-1].loc[PEOPLE], before, known)
    assert (told["nmse"], told["difference"], told["better_on"]) == (0.1, -0.005, 20)
    assert told["by_source"] == {"a": 0.1}
    assert told["not_found"] == 0


def test_a_lost_face_is_counted_and_in_no_mean(tuning):
    known = annotated(tuning, PEOPLE).images.set_index("image_id")
    before = pd.Series(0.1, index=PEOPLE)
    after = (before - 0.02).where(before.index != "s03")
    told = tuning.figures(after, before, known)
    assert (told["nmse"], told["not_found"], told["better_on"]) == (0.08, 1, 19)
    none = tuning.figures(after * np.nan, before, known)
    json.dumps(none, allow_nan=False)
    assert (none["nmse"], none["interval"], none["not_found"]) == (None, None, 20)


def test_a_face_lost_in_one_split_has_no_error(tuning):
    faces = annotated(tuning, PEOPLE)
    rows = [
        {"image_id": name, "people": 5, "mixed": False, "error": error, "core_seconds": 1.0}
        for name in PEOPLE
        for error in (0.1, np.nan if name == "s00" else 0.3)
    ]
    _, line = tuning.told(pd.DataFrame(rows), faces, pd.Series(0.3, index=PEOPLE))
    assert (line["nmse"], line["not_found"], line["difference"]) == (0.2, 1, -0.1)


def test_fewer_than_eight_people_have_no_interval(tuning):
    known = annotated(tuning, PEOPLE).images.set_index("image_id")
    errors = pd.Series(np.linspace(0.1, 0.3, 8), index=PEOPLE[:8])
    assert tuning.ends(errors[:7], known, tuning.POSITIVE) is None
    low, high = tuning.ends(errors, known, tuning.POSITIVE)
    assert 0.1 < low < 0.2 < high < 0.3


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({}, ""),
        ({"people": [5, 15]}, ""),
        ({"people": [5, 16]}, "--people 5 16: give 1 to 15, which a fold leaves of 20"),
        ({"people": [14], "folds": 3}, "--people 14: give 1 to 13, which a fold leaves of 20"),
        ({"people": [0]}, "--people 0: give 1 to 15, which a fold leaves of 20"),
        ({"folds": 21}, "--folds 21: give 2 to 20, of 20 annotated people"),
        ({"folds": 1}, "--folds 1: give 2 to 20, of 20 annotated people"),
        ({"fold": "f"}, "--fold and --dataset belong together; give both or neither"),
        ({"state": "mtcnn"}, "--state mtcnn: mtcnn cannot start from a trained state"),
    ],
)
def test_arguments_that_do_not_fit_are_named(tuning, monkeypatch, changed, wrong):
    monkeypatch.setattr(tuning, "read_metadata", lambda path: {"settings": {"detector": path}})
    given = {"fold": None, "dataset": None, "state": "heatmap", "folds": 4, "people": [5]}
    assert tuning.fault(argparse.Namespace(**{**given, **changed}), 20) == wrong
