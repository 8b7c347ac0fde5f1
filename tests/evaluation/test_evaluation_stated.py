"""Figures of what a model states of its errors, from points and distributions made up."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_t, spearmanr

from thermalign.evaluation.draws import Draws, errors_of
from thermalign.evaluation.settings import Settings
from thermalign.evaluation.stated import COVERAGES, evaluate, stated_of
from thermalign.geometry import LANDMARKS
from thermalign.records import Located, rows_of_points
from thermalign.schemas.keys import ALL, ANNOTATED, Subset
from thermalign.student import expected_distance, log_density

FACE = np.array([[30.0, 40], [70, 40], [50, 64], [34, 80], [66, 80]])  # 40 px between the eyes
KEY = {"protocol": "p", "fold": 0, "model": "m"}
PEOPLE, EACH = 30, 12
TAIL = 5.0
TIED = 2e-4  # images that are equal up to rounding change a rank correlation so little


def images_of(people=PEOPLE, each=EACH):
    rows = [(f"{p}-{k}", f"s{p:02}", 1 + k % 2) for p in range(people) for k in range(each)]
    table = pd.DataFrame(rows, columns=["image_id", "subject_id", "range"])
    condition = np.where(np.arange(len(table)) % 3, "baseline", "expression")
    return table.assign(volume=1, condition=condition)


def annotated(images):
    rows = [
        (i, name, x, y)
        for i in images["image_id"]
        for name, (x, y) in zip(LANDMARKS, FACE, strict=True)
    ]
    return pd.DataFrame(rows, columns=["image_id", "landmark", "x", "y"])


def predicted(images, *, honesty=1.0, seed=0):
    """Points that err as stated, or as much more as ``honesty`` is below 1; sizes in pixels."""
    rng = np.random.default_rng(seed)
    n, size = len(images), np.exp(rng.normal(0.5, 0.5, (len(images), 5)))
    scale = size[..., None, None] ** 2 * np.array([[1.0, 0.3], [0.3, 0.6]])
    errors = multivariate_t(shape=[[1.0, 0.3], [0.3, 0.6]], df=TAIL, seed=seed).rvs((n, 5))
    located = Located(
        FACE + size[..., None] * errors / honesty,
        scale,
        np.full((n, 5), TAIL),
        expected_distance(scale, TAIL) / 40,
    )
    return rows_of_points(list(images["image_id"]), located, KEY)


def measured(predictions, images, constant=None):
    draws = Draws.of_fold(images, images, Settings(replicates=60, seed=1))
    stated = stated_of(predictions, annotated(images), images, constant)
    return {(m.subset, m.metric, round(m.at, 4)): m for m in evaluate(stated, draws)}


@pytest.fixture(scope="module")
def honest():
    images = images_of()
    return measured(predicted(images), images)


def test_an_honest_model_covers_what_it_says_in_every_part(honest):
    for share in (50, 80, 95):
        for subset in (ALL, Subset(range="2"), Subset(condition="expression")):
            made = honest[subset, f"coverage_{share}", 0]
            low, high = made.interval()
            assert low - 0.02 < share / 100 < high + 0.02
            assert made.subjects == PEOPLE
    assert honest[Subset(landmark="nose_base"), "coverage_80", 0].n == PEOPLE * EACH


def test_a_model_that_is_too_sure_covers_less_and_is_more_surprised(honest):
    images = images_of()
    made = measured(predicted(images, honesty=0.5), images)
    assert made[ALL, "coverage_95", 0].interval()[1] < 0.95
    assert made[ALL, "nmse_expected", 0].value == honest[ALL, "nmse_expected", 0].value
    assert made[ALL, "nll", 0].value > honest[ALL, "nll", 0].value
    # Its order is as good as before.
    key = ALL, "rank_correlation", 0
    assert made[key].value == pytest.approx(honest[key].value, abs=TIED)


def test_errors_are_in_interocular_distances_of_the_annotated_face(honest):
    images = images_of()
    table, truth = predicted(images), annotated(images)
    given = table.set_index(["image_id", "landmark"])
    nose = given.xs("nose_base", level="landmark")
    offsets = (FACE[2] - nose[["x", "y"]].to_numpy()) / 40
    scales = nose[["scale_xx", "scale_xy", "scale_xy", "scale_yy"]].to_numpy().reshape(-1, 2, 2)
    expected = [
        -multivariate_t(shape=its / 1600, df=TAIL).logpdf(e)
        for e, its in zip(offsets, scales, strict=True)
    ]
    assert honest[Subset(landmark="nose_base"), "nll", 0].value == pytest.approx(np.mean(expected))
    errors = errors_of(table, truth, images)
    areas = honest[ALL, "aurc_random", 0]
    assert areas.value == pytest.approx(errors["error"].mean())
    told = table.groupby("image_id", sort=False)["expected_error"].mean()
    expected = spearmanr(told, errors["error"]).statistic
    assert honest[ALL, "rank_correlation", 0].value == pytest.approx(expected, abs=TIED)


def test_knowing_each_face_beats_the_best_constant_by_a_paired_margin(honest):
    above = honest[ALL, "nll_above_constant", 0]
    both = [honest[ALL, name, 0].value for name in ("nll", "nll_constant")]
    assert above.value == pytest.approx(both[0] - both[1])
    assert above.interval()[1] < 0


def test_a_spread_stated_beforehand_is_scored_as_it_is_in_every_part(honest):
    images = images_of()
    scales = np.array([1.0, 2, 3, 4, 5])[:, None, None] * np.array([[2.0, 0.5], [0.5, 1]]) / 1600
    constant = {"constant": scales.tolist(), "constant_tail": [3.0, 4, 5, 6, 7]}
    made = measured(predicted(images), images, constant)
    given = predicted(images).set_index(["image_id", "landmark"])
    each = []
    for k, name in enumerate(LANDMARKS):
        errors = (FACE[k] - given.xs(name, level="landmark")[["x", "y"]].to_numpy()) / 40
        each.append(-log_density(errors, scales[k], constant["constant_tail"][k]).mean())
        found = made[Subset(landmark=name), "nll_validation_constant", 0].value
        assert found == pytest.approx(each[k])
    assert made[ALL, "nll_validation_constant", 0].value == pytest.approx(np.mean(each))
    above = made[ALL, "nll_above_validation_constant", 0]
    assert above.value == pytest.approx(made[ALL, "nll", 0].value - np.mean(each))
    assert above.value < made[ALL, "nll_above_constant", 0].value  # nothing beats the fitted one
    assert (Subset(range="2"), "nll_above_validation_constant", 0) in made
    assert (ALL, "nll_validation_constant", 0) not in honest


@pytest.mark.parametrize("scale", [np.nan, None])
def test_a_calibration_without_a_constant_spread_has_no_such_rival(scale):
    images = images_of(people=3)
    constant = {"constant": np.full((5, 2, 2), scale), "constant_tail": np.full(5, scale)}
    made = measured(predicted(images), images, constant if scale else {})
    assert (ALL, "nll_above_constant", 0) in made
    assert (ALL, "nll_validation_constant", 0) not in made


def test_the_mean_of_landmarks_is_the_mean_of_their_correlations(honest):
    each = [honest[Subset(landmark=name), "rank_correlation", 0].value for name in LANDMARKS]
    assert honest[ALL, "rank_correlation_landmark", 0].value == pytest.approx(np.mean(each))
    assert (Subset(landmark="nose_base"), "rank_correlation_landmark", 0) not in honest


def test_the_risk_of_the_surest_rises_to_that_of_all(honest):
    curve = [honest[ALL, "risk_coverage", round(at, 4)] for at in COVERAGES]
    least = [honest[ALL, "risk_coverage_oracle", round(at, 4)].value for at in COVERAGES]
    assert curve[-1].value == pytest.approx(least[-1])
    assert all(low <= made.value for low, made in zip(least, curve, strict=True))
    assert curve[4].value < 0.8 * curve[-1].value
    assert len(curve[0].replicates) == 60
    oracle, own, random = (
        honest[ALL, f"aurc{name}", 0].value for name in ("_oracle", "", "_random")
    )
    assert oracle < own < random


def test_one_expectation_for_every_face_ranks_nothing_and_is_the_random_order():
    images = images_of()
    table = predicted(images).assign(
        expected_error=0.18, scale_xx=9.0, scale_xy=0.0, scale_yy=9.0, tail=4.0
    )
    made = measured(table, images)
    for metric in ("rank_correlation", "rank_correlation_landmark"):
        assert np.isnan(made[ALL, metric, 0].value)
    assert made[ALL, "aurc", 0].value == pytest.approx(made[ALL, "aurc_random", 0].value)


def test_faces_that_were_not_found_or_are_not_annotated_count_nowhere():
    images = images_of(people=3)
    table = predicted(images)
    columns = ["x", "y", "expected_error", "scale_xx", "scale_xy", "scale_yy", "tail"]
    table.loc[table["image_id"] == "0-0", columns] = np.nan
    truth = annotated(images).query("image_id != '1-1'")
    stated = stated_of(table, truth, images)
    assert len(stated) == len(images) - 2
    assert np.isfinite(stated.errors).all()
    assert not {"0-0", "1-1"} & set(stated.images["image_id"])


def test_a_model_without_confidence_and_the_annotated_points_state_nothing():
    images = images_of(people=2)
    points = np.broadcast_to(FACE, (len(images), 5, 2))
    plain = rows_of_points(list(images["image_id"]), Located.unknown(points), KEY)
    assert measured(plain, images) == {}
    assert measured(predicted(images).assign(model=ANNOTATED), images) == {}


def test_few_faces_have_no_rival():
    images = images_of(people=2, each=4)
    made = measured(predicted(images), images)
    assert (ALL, "nll", 0) in made
    assert (ALL, "nll_constant", 0) not in made
