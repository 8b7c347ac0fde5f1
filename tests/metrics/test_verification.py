import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn.metrics import roc_curve

from thermalign.metrics.verification import (
    auc,
    d_prime,
    eer,
    order,
    rates,
    roc,
    tar_at_far,
    z_normalised,
)

INF = float("inf")
NAN = float("nan")


def split(genuine, impostor):
    scores = np.array([*genuine, *impostor], float)
    return scores, np.arange(len(scores)) < len(genuine)


def sets(low=-3, high=3):
    """Few distinct values, so that ties are common."""
    values = st.lists(st.integers(low, high), min_size=1, max_size=12)
    return st.tuples(values, values)


@pytest.mark.parametrize(
    ("genuine", "impostor", "expected"),
    [
        ([3, 4], [1, 2], 0.0),  # separated
        ([1, 2], [3, 4], 1.0),  # the wrong way round
        ([1, 1], [1, 1, 1], 0.5),  # all equal: the diagonal
        ([4, 2], [3, 1], 0.5),  # 4 | 3 | 2 | 1: fmr .5 is reached with one miss of two
        ([5, 4, 3, 1], [2, 2, 0, 0], 0.25),  # one of four missed; half are accepted at 2
        ([2, 1], [1, 0], 0.25),  # a tie of both classes: half of the way from (0, .5) to (.5, 1)
        ([3, 3, 3, 1], [3, 1, 1, 1], 0.25),  # from (.25, .75) on
    ],
)
def test_equal_error_rates_by_hand(genuine, impostor, expected):
    assert eer(*split(genuine, impostor)) == pytest.approx(expected, abs=1e-15)


def test_the_roc_by_hand_steps_and_moves_along_ties():
    scores, truth = split([5, 3, 3, 1], [4, 3, 2, 0, 0])
    fmr, tar = rates(order(scores, truth), genuine=np.ones(4), impostor=np.ones(5))
    corners = {(0, 0), (0, 0.25), (0.2, 0.25), (0.4, 0.75), (0.6, 0.75), (0.6, 1), (1, 1)}
    assert set(zip(fmr.tolist(), tar.tolist(), strict=True)) == corners
    at = np.array([0, 0.1, 0.2, 0.39, 0.4, 0.6, 1])
    np.testing.assert_array_equal(roc(scores, truth, at), [0.25, 0.25, 0.25, 0.25, 0.75, 1, 1])


@given(sets())
def test_the_roc_is_that_of_scikit_learn(pair):
    scores, truth = split(*pair)
    fmr, tar, _ = roc_curve(truth, scores, drop_intermediate=False)
    at = np.union1d(np.linspace(0, 1, 13), fmr)
    expected = tar[np.searchsorted(fmr, at, side="right") - 1]
    np.testing.assert_allclose(roc(scores, truth, at), expected)
    miss, _ = rates(
        order(scores, truth), genuine=np.ones(len(pair[0])), impostor=np.ones(len(pair[1]))
    )
    assert set(miss.tolist()) <= set(fmr.tolist())


@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_the_equal_error_rate_is_where_the_curve_of_scikit_learn_meets_the_diagonal(decimals):
    rng = np.random.default_rng(decimals)
    scores, truth = split(rng.normal(1, 1, 300), rng.normal(0, 1, 2000))
    scores = scores.round(decimals)
    fmr, tar, _ = roc_curve(truth, scores, drop_intermediate=False)
    value = eer(scores, truth)
    gap = fmr + tar - 1
    k = np.flatnonzero(gap >= 0)[0]
    share = -gap[k - 1] / (gap[k] - gap[k - 1])
    assert value == pytest.approx(fmr[k - 1] + share * (fmr[k] - fmr[k - 1]), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_equal_error_rate_is_that_of_the_usual_recipe_to_one_step(seed):
    rng = np.random.default_rng(seed)
    scores, truth = split(rng.normal(1, 1, 500), rng.normal(0, 1, 4000))
    fmr, tar, _ = roc_curve(truth, scores)
    expected = brentq(lambda rate: 1 - rate - interp1d(fmr, tar)(rate), 0, 1)
    assert eer(scores, truth) == pytest.approx(expected, abs=1 / 500)


@given(sets(), st.floats(0.1, 5), st.floats(-5, 5))
def test_a_rising_change_of_scores_changes_nothing(pair, scale, offset):
    scores, truth = split(*pair)
    changed = np.exp(scale * scores + offset)
    assert eer(changed, truth) == pytest.approx(eer(scores, truth), abs=1e-12)
    at = np.linspace(0, 1, 7)
    np.testing.assert_array_equal(roc(changed, truth, at), roc(scores, truth, at))


@given(sets(), st.randoms(use_true_random=False))
def test_the_order_of_comparisons_changes_nothing_even_under_ties(pair, random):
    scores, truth = split(*pair)
    shuffled = list(range(len(scores)))
    random.shuffle(shuffled)
    assert eer(scores[shuffled], truth[shuffled]) == pytest.approx(eer(scores, truth), abs=1e-12)


@given(sets())
def test_exchanging_the_classes_and_the_sign_changes_nothing(pair):
    genuine, impostor = pair
    scores, truth = split(genuine, impostor)
    other, swapped = split([-s for s in impostor], [-s for s in genuine])
    assert eer(other, swapped) == pytest.approx(eer(scores, truth), abs=1e-12)


@given(sets())
def test_the_equal_error_rate_is_a_rate(pair):
    assert 0 <= eer(*split(*pair)) <= 1


@given(sets())
def test_counting_every_comparison_twice_changes_nothing(pair):
    genuine, impostor = pair
    twice = split(genuine * 2, impostor * 2)
    assert eer(*twice) == pytest.approx(eer(*split(genuine, impostor)), abs=1e-12)


def test_a_probe_without_a_face_is_missed_and_never_accepted():
    scores, truth = split([3, 2, -INF, -INF], [1, 0, -INF, -INF])
    np.testing.assert_array_equal(roc(scores, truth, np.array([0, 0.5, 1])), [0.5, 0.5, 0.5])
    assert eer(scores, truth) == 0.5  # half of the genuine are missed at any threshold


def test_when_no_face_was_aligned_every_genuine_comparison_is_missed():
    scores, truth = split([-INF, -INF], [-INF])
    np.testing.assert_array_equal(roc(scores, truth, np.array([0, 1])), [0, 0])
    assert eer(scores, truth) == 1


def test_one_aligned_failure_among_many_moves_the_rate_by_its_share_at_most():
    rng = np.random.default_rng(0)
    scores, truth = split(rng.normal(1, 1, 100), rng.normal(0, 1, 100))
    failed = scores.copy()
    failed[0] = -INF
    assert eer(scores, truth) <= eer(failed, truth) <= eer(scores, truth) + 0.01


@pytest.mark.parametrize("missing", [([], [1, 2]), ([1, 2], [])])
@pytest.mark.parametrize("measure", [eer, auc, lambda s, t: roc(s, t, np.array([0.1]))])
def test_an_empty_class_is_refused(missing, measure):
    with pytest.raises(ValueError, match="genuine and impostor"):
        measure(*split(*missing))


def test_a_score_that_is_not_a_number_is_refused():
    with pytest.raises(ValueError, match="use -inf"):
        eer(*split([1, NAN], [0]))


def test_scores_and_truth_of_different_length_are_refused():
    with pytest.raises(ValueError, match="differ in shape"):
        eer(np.zeros(3), np.array([True, False]))


@pytest.mark.parametrize("rate", [-0.1, 1.1])
def test_a_rate_outside_0_to_1_is_refused(rate):
    with pytest.raises(ValueError, match=r"0\.\.1"):
        roc(*split([1], [0]), np.array([rate]))


def test_a_rate_without_enough_pairs_of_people_is_not_a_number():
    scores, truth = split([0.995], np.linspace(0, 1, 1000))
    # 30 / .05 = 600 pairs of people, however many comparisons there are of them
    assert tar_at_far(scores, truth, 0.05, pairs=600) == 1
    assert np.isnan(tar_at_far(scores, truth, 0.05, pairs=599))
    assert np.isnan(tar_at_far(scores, truth, 0.01, pairs=870))


def test_no_number_of_people_shows_a_rate_of_nothing():
    with pytest.raises(ValueError, match="above 0"):
        tar_at_far(*split([1], [0]), 0.0, pairs=10**9)


def test_areas_by_hand():
    assert auc(*split([3, 4], [1, 2])) == 1
    assert auc(*split([1, 2], [3, 4])) == 0
    assert auc(*split([1, 1], [1, 1, 1])) == 0.5
    # of four pairs 4 > 3, 4 > 1, 2 > 1 are won
    assert auc(*split([4, 2], [3, 1])) == 0.75
    assert auc(*split([2, 1], [1, 0])) == pytest.approx(3.5 / 4)  # one draw


def test_a_failure_wins_against_nobody_and_is_beaten_by_everybody_acquired():
    # genuine 3 and a failure against impostor 1 and a failure: two of four pairs are won
    assert auc(*split([3, -INF], [1, -INF])) == 0.5
    assert auc(*split([3], [1, -INF])) == 1
    assert auc(*split([-INF], [1])) == auc(*split([-INF], [-INF])) == 0


@given(sets())
def test_the_area_of_exchanged_classes_and_signs_is_the_same(pair):
    genuine, impostor = pair
    other = split([-s for s in impostor], [-s for s in genuine])
    assert auc(*other) == pytest.approx(auc(*split(genuine, impostor)), abs=1e-12)


def test_z_normalised_scores_by_hand():
    scores = np.array([4.0, 0, 2, 10, 20, -INF, 6, 6])
    gallery = np.array([0, 0, 0, 1, 1, 1, 2, 2])
    genuine = np.array([True, False, False, False, False, False, False, True])
    # impostors of 0: mean 1, SD 1; of 1: mean 15, SD 5, without the failure; of 2: one, no spread
    expected = [3, -1, 1, -1, 1, -INF, NAN, NAN]
    np.testing.assert_allclose(z_normalised(scores, genuine, gallery), expected)


def test_z_normalisation_takes_scale_and_offset_of_a_classifier_away():
    rng = np.random.default_rng(0)
    scores, gallery = rng.normal(size=60), np.repeat(np.arange(3), 20)
    genuine = rng.random(60) < 0.2
    changed = scores * np.array([1.0, 5, 0.1])[gallery] + np.array([0.0, -9, 3])[gallery]
    np.testing.assert_allclose(
        z_normalised(changed, genuine, gallery), z_normalised(scores, genuine, gallery)
    )


def test_equal_impostor_scores_have_no_spread_though_their_mean_is_rounded():
    scores = np.array([0.5, *[0.1] * 3])
    assert scores[1:].mean() != 0.1  # off by 1e-17: z would be 2.9e16
    gallery, genuine = np.zeros(4, int), np.array([True, False, False, False])
    assert np.isnan(z_normalised(scores, genuine, gallery)).all()
    small = 1e-20 * np.array([3.0, 1, 2])  # a small scale is none the less a scale
    known = z_normalised(small, np.array([True, False, False]), gallery[:3])
    np.testing.assert_allclose(known, [3, -1, 1])


def test_d_prime_by_hand():
    # means 3 and 1; variances 1 and 1, then 1 and 0
    assert d_prime(*split([2, 4], [0, 2])) == pytest.approx(2)
    assert d_prime(*split([2, 4], [1, 1, 1])) == pytest.approx(2 / np.sqrt(0.5))
    assert d_prime(*split([2, 4, -INF], [0, 2, -INF])) == pytest.approx(2)
    assert np.isnan([d_prime(*split([2, 4], [-INF])), d_prime(*split([1, 1], [0]))]).all()


def test_d_prime_is_blind_to_scale_and_offset():
    rng = np.random.default_rng(0)
    scores, genuine = rng.normal(size=50), rng.random(50) < 0.3
    assert d_prime(3 * scores - 7, genuine) == pytest.approx(d_prime(scores, genuine))
    assert d_prime(-scores, genuine) == pytest.approx(-d_prime(scores, genuine))
