"""Whom `benchmarks/fine_tuning.py` tests on, trains on, and how it counts."""

import importlib.util
from pathlib import Path

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
