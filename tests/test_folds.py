from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermalign.folds import Settings, check_disjoint, draw_roles, split

SUBJECTS = [f"s{n:02d}" for n in range(20)]
IMAGES = pd.DataFrame(
    {
        "image_id": [f"{s}_{k}" for s in SUBJECTS for k in range(3)],
        "subject_id": [s for s in SUBJECTS for _ in range(3)],
        "volume": [1 + (n >= 15) for n in range(20) for _ in range(3)],
    }
)


def settings(**changes):
    default = {
        "volumes": (1,),
        "train_subjects": 9,
        "test_subjects": 5,
        "validation_share": 0.2,
        "seed": 1,
    }
    return Settings(**{**default, **changes})


@given(st.integers(0, 50), st.integers(0, 9))
def test_no_subject_has_two_roles_and_counts_are_as_asked(seed, fold):
    folds = split(IMAGES, settings(seed=seed), protocol="p", fold=fold)
    check_disjoint(folds, IMAGES)
    roles = folds.merge(IMAGES, on="image_id").groupby("role")["subject_id"].nunique()
    assert roles.to_dict() == {"train": 7, "validation": 2, "test": 5}


def test_a_share_of_zero_holds_out_nobody():
    folds = split(IMAGES, settings(validation_share=0), protocol="p", fold=0)
    roles = folds.merge(IMAGES, on="image_id").groupby("role")["subject_id"].nunique()
    assert roles.to_dict() == {"train": 9, "test": 5}


def subjects_of(**changes):
    folds = split(IMAGES, settings(**changes), protocol="p", fold=2)
    people = folds.merge(IMAGES, on="image_id").groupby("role")["subject_id"]
    return {role: set(each) for role, each in people}


@given(st.integers(0, 50), st.sampled_from([0, 0.13, 0.2, 0.5, 0.7]))
def test_fewer_training_subjects_leave_everyone_else_in_their_roles(seed, share):
    sets = [subjects_of(seed=seed, validation_share=share, train_subjects=n) for n in range(2, 11)]
    for small, large in pairwise(sets):
        assert small["test"] == large["test"]
        for role in ("train", "validation"):
            assert small.get(role, set()) <= large.get(role, set())


def test_another_seed_or_fold_tests_other_subjects():
    test = subjects_of()["test"]
    assert subjects_of(seed=2)["test"] != test
    other = split(IMAGES, settings(), protocol="p", fold=3).query("role == 'test'")
    assert set(other.merge(IMAGES, on="image_id")["subject_id"]) != test


@pytest.mark.parametrize(("n", "held_out"), [(10, 1), (11, 1), (12, 2), (30, 4), (85, 11)])
def test_the_share_of_validation_subjects_is_rounded_at_every_size(n, held_out):
    drawn = draw_roles(np.arange(90), settings(train_subjects=n, validation_share=0.13), 0)
    assert list(drawn.values()).count("validation") == held_out
    assert list(drawn.values()).count("train") == n - held_out


def test_only_training_images_are_flipped_and_each_of_them_once():
    folds = split(IMAGES, settings(), protocol="p", fold=0)
    assert set(folds.loc[folds["flipped"], "role"]) == {"train"}
    train = folds[folds["role"] == "train"]
    assert train.groupby("image_id")["flipped"].apply(sorted).tolist() == [[False, True]] * 21


def test_volumes_left_out_stay_out():
    folds = split(IMAGES, settings(), protocol="p", fold=0)
    assert folds.merge(IMAGES, on="image_id")["volume"].eq(1).all()


def test_folds_differ_and_repeat():
    first = split(IMAGES, settings(), protocol="p", fold=0)
    assert first.equals(split(IMAGES, settings(), protocol="p", fold=0))
    assert not first.equals(split(IMAGES, settings(), protocol="p", fold=1).assign(fold=0))


def test_asking_for_too_many_subjects_names_the_protocol_and_the_cure():
    with pytest.raises(
        ValueError, match=r"protocol big asks for 9 training and 7 test.*hold 15.*lower"
    ):
        split(IMAGES, settings(test_subjects=7), protocol="big", fold=0)


def test_holding_out_everybody_names_the_protocol_and_the_cure():
    with pytest.raises(ValueError, match=r"protocol p holds out all 2 training .* lower valid"):
        split(IMAGES, settings(train_subjects=2, validation_share=0.9), protocol="p", fold=0)


def test_a_subject_in_train_and_test_is_refused_by_name():
    folds = split(IMAGES, settings(), protocol="p", fold=0)
    leak = folds[folds["role"] == "test"].iloc[[0]].assign(role="train")
    subject = IMAGES.set_index("image_id")["subject_id"][leak["image_id"].iloc[0]]
    with pytest.raises(ValueError, match=f"subject {subject} is in two roles"):
        check_disjoint(pd.concat([folds, leak]), IMAGES)


def test_a_flipped_test_image_is_refused():
    folds = split(IMAGES, settings(), protocol="p", fold=0)
    folds.loc[folds["role"] == "test", "flipped"] = True
    with pytest.raises(ValueError, match="flip training images only"):
        check_disjoint(folds, IMAGES)
