import numpy as np
import pytest

from thermalign.metrics import bootstrap
from thermalign.metrics.bootstrap import eer_replicates, interval, nmse_replicates, subject_weights
from thermalign.metrics.landmarks import nmse
from thermalign.metrics.verification import eer

SUBJECTS = 12


@pytest.fixture
def errors():
    """Errors of 12 subjects with 5 images each, alike within a subject, some not found."""
    rng = np.random.default_rng(0)
    subject = np.repeat(np.arange(SUBJECTS), 5)
    values = np.abs(rng.normal(0.06, 0.02, SUBJECTS)[subject] + rng.normal(0, 0.002, 60))
    values[[3, 17]] = np.nan
    return values, subject


@pytest.fixture
def comparisons():
    """Scores of 12 subjects with 4 probes each against 12 subjects, with ties."""
    rng = np.random.default_rng(1)
    probe = np.repeat(np.arange(SUBJECTS), 4 * SUBJECTS)
    gallery = np.tile(np.arange(SUBJECTS), 4 * SUBJECTS)
    genuine = probe == gallery
    scores = rng.normal(1.5 * genuine, 1).round(1)
    scores[:SUBJECTS] = -np.inf
    return scores, genuine, probe, gallery


def test_every_replicate_draws_as_many_subjects_as_there_are():
    weights = subject_weights(SUBJECTS, replicates=50, seed=0)
    assert weights.shape == (50, SUBJECTS)
    np.testing.assert_array_equal(weights.sum(1), SUBJECTS)
    assert (weights == weights.round()).all()


def test_draws_are_repeated_by_the_seed_alone():
    first, same, other = (subject_weights(SUBJECTS, replicates=20, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("subjects", "replicates"), [(0, 10), (10, 0)])
def test_a_bootstrap_of_nothing_is_refused(subjects, replicates):
    with pytest.raises(ValueError, match="needs subjects and replicates"):
        subject_weights(subjects, replicates=replicates, seed=0)


def test_drawing_everyone_once_gives_the_point_estimates_exactly(errors, comparisons):
    once = np.ones((1, SUBJECTS))
    assert nmse_replicates(*errors, once)[0] == pytest.approx(nmse(errors[0]), abs=1e-15)
    assert eer_replicates(*comparisons, once)[0] == eer(*comparisons[:2])


def test_a_drawn_subject_counts_as_often_as_if_its_images_were_repeated(errors):
    values, subject = errors
    weights = subject_weights(SUBJECTS, replicates=5, seed=0)
    for drawn, value in zip(weights, nmse_replicates(values, subject, weights), strict=True):
        repeated = np.repeat(values, drawn[subject].astype(int))
        assert value == pytest.approx(nmse(repeated))


def test_comparisons_count_by_the_draws_of_both_subjects(comparisons):
    scores, genuine, probe, gallery = comparisons
    weights = subject_weights(SUBJECTS, replicates=8, seed=3)
    values = eer_replicates(scores, genuine, probe, gallery, weights)
    for drawn, value in zip(weights.astype(int), values, strict=True):
        times = np.where(genuine, drawn[probe], drawn[probe] * drawn[gallery])
        assert value == pytest.approx(eer(np.repeat(scores, times), np.repeat(genuine, times)))


def test_the_size_of_a_chunk_changes_nothing(comparisons, monkeypatch):
    weights = subject_weights(SUBJECTS, replicates=30, seed=0)
    whole = eer_replicates(*comparisons, weights)
    monkeypatch.setattr(bootstrap, "CHUNK", 4 * len(comparisons[0]))
    np.testing.assert_array_equal(eer_replicates(*comparisons, weights), whole)


def test_a_draw_without_one_class_has_no_rate(comparisons):
    alone = np.zeros((2, SUBJECTS))
    alone[0, 4] = SUBJECTS  # one subject only: no impostor
    alone[1] = 1
    values = eer_replicates(*comparisons, alone)
    assert np.isnan(values[0])
    assert values[1] == eer(*comparisons[:2])


def test_a_draw_without_any_of_the_images_has_no_mean(errors):
    values, subject = errors
    weights = np.zeros((1, SUBJECTS + 1))
    weights[0, SUBJECTS] = 3
    assert np.isnan(nmse_replicates(values, subject, weights)[0])


def test_intervals_hold_the_estimate_and_are_repeatable(errors, comparisons):
    weights = subject_weights(SUBJECTS, replicates=400, seed=0)
    low, high = interval(nmse_replicates(*errors, weights))
    assert low < nmse(errors[0]) < high
    low, high = interval(eer_replicates(*comparisons, weights))
    assert low < eer(*comparisons[:2]) < high
    assert (low, high) == interval(eer_replicates(*comparisons, weights))


def test_intervals_of_the_mean_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(0)
    subject = np.repeat(np.arange(30), 4)
    covered = 0
    for seed in range(200):
        values = rng.normal(0, 1, 30)[subject] + rng.normal(0, 0.3, 120) + 10
        weights = subject_weights(30, replicates=200, seed=seed)
        low, high = interval(nmse_replicates(values, subject, weights))
        covered += low < 10 < high
    assert 0.88 <= covered / 200 <= 0.98  # percentile intervals of 30 subjects are a little short


def test_drawing_images_instead_of_subjects_would_be_too_sure(errors):
    values, subject = errors
    weights = subject_weights(SUBJECTS, replicates=400, seed=0)
    by_subject = interval(nmse_replicates(values, subject, weights))
    images = subject_weights(len(values), replicates=400, seed=0)
    by_image = interval(nmse_replicates(values, np.arange(len(values)), images))
    assert np.ptp(by_subject) > 1.5 * np.ptp(by_image)


def test_the_same_draws_pair_two_models(errors):
    values, subject = errors
    better = values - 0.001
    weights = subject_weights(SUBJECTS, replicates=400, seed=0)
    paired = nmse_replicates(values, subject, weights) - nmse_replicates(better, subject, weights)
    np.testing.assert_allclose(paired, 0.001, atol=1e-12)


def test_the_interval_is_that_of_the_middle_95_percent():
    replicates = np.arange(1001.0)
    assert interval(replicates) == pytest.approx((25, 975))


def test_replicates_that_are_not_numbers_are_left_out_until_they_are_most():
    replicates = np.where(np.arange(100) < 40, np.nan, 1.0)
    assert interval(replicates) == (1, 1)
    assert np.isnan(interval(np.where(np.arange(100) < 60, np.nan, 1.0))).all()
    assert np.isnan(interval(np.array([]))).all()
