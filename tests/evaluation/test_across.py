"""What becomes of a detector on another dataset, from errors and annotations written by hand."""

import numpy as np
import pandas as pd
import pytest

from thermalign.evaluation.across import comparable, evaluate
from thermalign.evaluation.draws import Draws, errors_of
from thermalign.evaluation.settings import Settings
from thermalign.geometry import LANDMARKS
from thermalign.schemas.keys import ACROSS, Subset

FACE = {
    "right_eye": (20.0, 30.0),
    "left_eye": (40.0, 30.0),
    "nose_base": (30.0, 40.0),
    "right_mouth_corner": (22.0, 50.0),
    "left_mouth_corner": (38.0, 50.0),
}
WITHOUT_NOSE = [name for name in LANDMARKS if name != "nose_base"]


def images(count):
    names = [f"s{k}" for k in range(count)]
    known = {"volume": 1, "condition": "baseline"}
    ranges = [1 + k % 2 for k in range(count)]
    return pd.DataFrame({"image_id": names, "subject_id": names, "range": ranges}).assign(**known)


def points(names, *, landmarks=LANDMARKS, right=0.0):
    """Return the rows of faces, their noses and mouths so many pixels further right."""
    moved = {name: x + right * ("eye" not in name) for name, (x, _) in FACE.items()}
    rows = [(name, its, moved[its], FACE[its][1]) for name in names for its in landmarks]
    return pd.DataFrame(rows, columns=["image_id", "landmark", "x", "y"]).assign(model="m")


def figures(errors, test, landmarks=LANDMARKS):
    draws = Draws.of_fold(test, test, Settings(replicates=50, seed=1))
    made = evaluate("there", errors, None, draws, landmarks=landmarks)
    return {(m.subset, m.metric, m.at): m for m in made}


WHOLE = Subset(experiment=ACROSS, setting="there")


def test_a_landmark_that_a_dataset_does_not_annotate_is_left_out_and_said(capsys):
    test = images(3)
    truth = points(test["image_id"], landmarks=WITHOUT_NOSE)
    used, kept = comparable(truth, test, (), where="evaluate_on.there")
    assert used == WITHOUT_NOSE
    assert capsys.readouterr().err == "evaluate_on.there: compared without nose_base\n"
    errors = errors_of(points(test["image_id"], right=4), kept, test, used)
    # 4 px of 20 between the eyes, at two of four landmarks
    assert errors["error"].tolist() == pytest.approx([0.1] * 3)
    assert "nose_base" not in errors


def test_landmarks_that_mean_something_else_are_left_out_by_name():
    test = images(2)
    used, _ = comparable(points(test["image_id"]), test, WITHOUT_NOSE, where="there")
    assert used == WITHOUT_NOSE


def test_an_image_that_lacks_a_landmark_which_others_have_is_left_out_and_counted(capsys):
    test = images(3)
    truth = points(test["image_id"]).drop(index=2)
    _, kept = comparable(truth, test, (), where="there")
    assert set(kept["image_id"]) == {"s1", "s2"}
    assert "1 of 3 annotated images lack a landmark" in capsys.readouterr().err


def test_a_dataset_that_nothing_can_be_held_against_is_refused():
    test = images(2)
    nobody = points([])
    with pytest.raises(ValueError, match="there: none of its 2 tested images is annotated"):
        comparable(nobody, test, (), where="there")
    blind = points(test["image_id"], landmarks=[n for n in LANDMARKS if n != "left_eye"])
    with pytest.raises(ValueError, match="there: no tested image has left_eye"):
        comparable(blind, test, (), where="there")
    bare = points(test["image_id"], landmarks=WITHOUT_NOSE)
    with pytest.raises(ValueError, match=r"there\.landmarks: no tested image has nose_base"):
        comparable(bare, test, ("nose_base",), where="there")


def test_images_of_which_each_lacks_another_landmark_are_refused():
    truth = points(["s0", "s1"]).drop(index=[2, 8])  # a nose; a corner of the mouth
    with pytest.raises(ValueError, match="there: each of its 2 annotated images lacks a landmark"):
        comparable(truth, images(2), (), where="there")


def test_errors_failures_and_people_are_told_of_all_and_of_each_range():
    test = images(10)
    errors = test.assign(error=[0.02, np.nan, *[0.2] * 8], **dict.fromkeys(LANDMARKS, 0.1))
    found = figures(errors, test)
    assert found[WHOLE, "nmse", 0].value == pytest.approx((0.02 + 8 * 0.2) / 9)
    assert found[WHOLE, "nmse", 0].n == 10
    assert found[WHOLE, "failure_rate", 0].value == pytest.approx(0.1)
    assert found[WHOLE, "failure_at", 0.1].value == pytest.approx(0.9)
    assert found[WHOLE._replace(range="1"), "failure_at", 0.08].value == pytest.approx(0.8)
    assert found[WHOLE._replace(landmark="nose_base"), "nmse", 0].value == pytest.approx(0.1)
    people = found[WHOLE, "tested_people", 0]
    assert (people.value, people.n) == (10, 10)


def test_an_interval_takes_eight_people():
    for count, some in ((7, False), (8, True)):
        test = images(count)
        errors = test.assign(error=np.linspace(0.1, 0.2, count), **dict.fromkeys(LANDMARKS, 0.1))
        found = figures(errors, test)
        for metric, at in (("nmse", 0), ("failure_rate", 0), ("failure_at", 0.1)):
            its = found[WHOLE, metric, at]
            assert bool(len(its.replicates)) == some, metric
        assert np.isfinite(found[WHOLE, "nmse", 0].interval()).all() == some
