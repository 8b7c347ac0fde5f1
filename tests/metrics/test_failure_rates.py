import numpy as np
import pytest

from thermalign.metrics.failures import (
    acquired,
    error_rates,
    failure_to_acquire,
    failure_to_enrol,
)
from thermalign.metrics.verification import roc

INF = float("inf")
NAN = float("nan")


def trial(seed, *, people=8, probes=5, lost=0.3):
    """Return scores and truth of a closed set, ties and failures included, and who was lost."""
    rng = np.random.default_rng(seed)
    subject = np.repeat(np.arange(people), probes)
    genuine = subject[:, None] == np.arange(people)
    scores = (rng.normal(size=genuine.shape) + 1.5 * genuine).round(1)
    gone = rng.random(len(subject)) < lost
    scores[gone] = -INF
    return scores.ravel(), genuine.ravel(), gone


def test_error_rates_by_hand():
    scores = np.array([4.0, 2, -INF, 1, 3, 2, 0, -INF])
    genuine = np.array([True, True, True, True, False, False, False, False])
    # at 2: of three acquired genuine one is missed, of three acquired impostors two match
    errors = error_rates(scores, genuine, 2.0)
    assert (errors.fmr, errors.fnmr) == pytest.approx((2 / 3, 1 / 3))
    assert (errors.far, errors.frr) == pytest.approx((2 / 4, 2 / 4))


def test_no_threshold_accepts_a_failure():
    errors = error_rates(np.array([-INF, -INF]), np.array([True, False]), -INF)
    assert (errors.far, errors.frr) == (0, 1)
    assert np.isnan([errors.fmr, errors.fnmr]).all()  # nothing was compared


def test_rates_of_an_empty_class_or_an_unknown_threshold_are_not_numbers():
    errors = error_rates(np.array([1.0]), np.array([True]), 0.5)
    assert np.isnan([errors.fmr, errors.far]).all()
    assert (errors.fnmr, errors.frr) == (0, 0)
    errors = error_rates(np.array([1.0, 0.0]), np.array([True, False]), NAN)
    assert np.isnan([errors.fmr, errors.fnmr, errors.far, errors.frr]).all()


@pytest.mark.parametrize("seed", range(5))
def test_accept_and_reject_rates_are_those_of_the_standard(seed):
    scores, genuine, gone = trial(seed)
    fta = failure_to_acquire(~gone)
    for threshold in np.linspace(-2, 4, 13):
        errors = error_rates(scores, genuine, threshold)
        assert errors.far == pytest.approx(errors.fmr * (1 - fta), abs=1e-12)
        assert errors.frr == pytest.approx(fta + errors.fnmr * (1 - fta), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_a_score_of_minus_infinity_in_the_roc_is_the_same_arithmetic(seed):
    scores, genuine, gone = trial(seed)
    fta, found = failure_to_acquire(~gone), acquired(scores)
    between = np.linspace(0.0123, 0.6, 40)  # false match rates that no threshold attains exactly
    with_failures = roc(scores, genuine, between * (1 - fta))
    without = roc(scores[found], genuine[found], between)
    np.testing.assert_allclose(with_failures, (1 - fta) * without, atol=1e-12)


def test_probes_of_people_who_are_not_enrolled_weigh_on_impostors_alone():
    # a lost probe of somebody enrolled, an acquired one of somebody who is not
    scores = np.array([-INF, -INF, 1.0, 0.0, 2.0, 0.0])
    genuine = np.array([True, False, False, False, True, False])
    errors = error_rates(scores, genuine, 0.5)
    assert errors.far == errors.fmr * (1 - 1 / 4)  # one of four impostor comparisons was lost
    assert errors.frr == 1 / 2 + errors.fnmr * (1 - 1 / 2)


def test_failures_to_acquire_and_to_enrol_by_hand():
    assert failure_to_acquire(np.array([True, False, True, True])) == 0.25
    assert failure_to_enrol(["a", "b", "c", "d"], {"a", "c", "d"}) == 0.25
    assert failure_to_enrol(["a"], {"a"}) == 0


def test_a_failure_rate_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no probes"):
        failure_to_acquire(np.array([], bool))
    with pytest.raises(ValueError, match="nobody to enrol"):
        failure_to_enrol([], [])


def test_somebody_enrolled_who_is_not_tested_is_refused_by_name():
    with pytest.raises(ValueError, match="z is enrolled"):
        failure_to_enrol(["a"], ["a", "z"])


def test_scores_that_are_not_numbers_or_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="use -inf"):
        acquired(np.array([1.0, NAN]))
    with pytest.raises(ValueError, match="differ in shape"):
        error_rates(np.zeros(2), np.array([True]), 0.0)
