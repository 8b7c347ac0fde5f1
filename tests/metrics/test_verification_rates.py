import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from sklearn.metrics import roc_curve

from thermalign.metrics import verification as v


def case(genuine, impostor):
    scores = np.array([*genuine, *impostor], float)
    return scores, np.arange(len(scores)) < len(genuine)


def sample(seed, n=400, step=0.0):
    rng = np.random.default_rng(seed)
    scores, genuine = case(rng.normal(1.5, 1, n), rng.normal(0, 1, 3 * n))
    return (np.round(scores / step) * step if step else scores), genuine


@pytest.mark.parametrize(
    ("genuine", "impostor", "expected"),
    [
        ([3, 4], [1, 2], 0.0),
        ([1, 2], [3, 4], 1.0),
        ([1, 3], [2, 0], 0.5),
        ([1, 1], [1, 1], 0.5),  # all tied: the chord from (0, 0) to (1, 1)
        ([2, 3, 4, 5], [0, 1, 2, 3], 0.25),  # at threshold 3: fmr 1/4, tar 3/4
    ],
)
def test_hand_computed_equal_error_rates(genuine, impostor, expected):
    assert v.eer(*case(genuine, impostor)) == pytest.approx(expected)


@pytest.mark.parametrize("step", [0.0, 0.25, 1.0])
def test_the_equal_error_rate_agrees_with_scikit_learn_and_scipy_also_under_ties(step):
    scores, genuine = sample(3, step=step)
    fpr, tpr, _ = roc_curve(genuine, scores, drop_intermediate=False)
    outside = brentq(lambda x: 1 - x - np.interp(x, fpr, tpr), 0, 1)
    assert v.eer(scores, genuine) == pytest.approx(outside, abs=1e-9)


@given(st.integers(0, 1000))
def test_neither_order_nor_a_monotone_change_of_scores_matters(seed):
    scores, genuine = sample(seed, n=20, step=0.5)
    shuffled = np.random.default_rng(seed).permutation(len(scores))
    assert v.eer(np.exp(scores[shuffled]), genuine[shuffled]) == pytest.approx(
        v.eer(scores, genuine)
    )


def test_exchanging_the_classes_and_the_sign_keeps_the_rate():
    scores, genuine = sample(5)
    assert v.eer(-scores, ~genuine) == pytest.approx(v.eer(scores, genuine), abs=1e-9)


def test_the_roc_takes_the_highest_accept_rate_within_the_bound():
    scores, genuine = case([4, 3, 1], [2, 2, 0, -1])
    at = np.array([0.0, 0.49, 0.5, 1.0])
    np.testing.assert_allclose(v.roc(scores, genuine, at), [2 / 3, 2 / 3, 1, 1])


def test_a_rate_with_too_few_comparisons_is_not_reported():
    scores, genuine = sample(1)  # 1200 impostor comparisons
    assert np.isfinite(v.tar_at_far(scores, genuine, 0.01))
    assert np.isnan(v.tar_at_far(scores, genuine, 0.001))


def test_probes_without_a_face_are_never_accepted():
    scores, genuine = case([1, 2, -np.inf, -np.inf], [0, 0, -np.inf, -np.inf])
    assert v.roc(scores, genuine, np.array([1.0]))[0] == 0.5
    assert v.eer(scores, genuine) == pytest.approx(0.5)


def test_an_empty_class_and_a_nan_are_refused():
    for scores, genuine in (case([1], []), case([], [1])):
        with pytest.raises(ValueError, match="genuine and impostor"):
            v.eer(scores, genuine)
    with pytest.raises(ValueError, match="NaN"):
        v.eer(*case([np.nan], [1]))


def test_rank_one_wants_the_own_subject_strictly_first():
    own = np.eye(3, dtype=bool)
    scores = np.array([[3.0, 1, 2], [2, 2, 0], [-np.inf, -np.inf, -np.inf]])
    assert v.rank1(scores, own) == pytest.approx(1 / 3)
