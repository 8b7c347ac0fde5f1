import pandas as pd
import pytest

from thermalign.evaluation.halves import within_training

ROLES = {f"s{k}": "train" for k in range(6)} | {"v": "validation", "t1": "test", "t2": "test"}


def rows(roles):
    table = [(f"{s}_{k}", s, role) for s, role in roles.items() for k in (1, 2)]
    return pd.DataFrame(table, columns=["image_id", "subject_id", "role"])


def test_half_of_the_training_subjects_are_tested_and_the_test_subjects_are_gone():
    inner = within_training(rows(ROLES), seed=[1, 0]).groupby("role")["subject_id"].unique()
    assert {role: len(people) for role, people in inner.items()} == {
        "train": 3,
        "validation": 1,
        "test": 3,
    }
    assert set(inner["train"]) | set(inner["test"]) == {f"s{k}" for k in range(6)}


def test_all_images_of_a_person_go_together_and_folds_differ():
    first, again, other = (within_training(rows(ROLES), seed=[1, k]) for k in (0, 0, 1))
    assert (first.groupby("subject_id")["role"].nunique() == 1).all()
    assert first.equals(again)
    assert not first.equals(other)


def test_too_few_training_subjects_are_refused():
    few = {"s1": "train", "s2": "train", "s3": "train", "t": "test"}
    with pytest.raises(ValueError, match="3 training subjects cannot be halved"):
        within_training(rows(few), seed=[1, 0])
