import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from thermalign.metrics import corners
from thermalign.metrics.bootstrap import (
    auc_replicates,
    d_prime_replicates,
    nmse_replicates,
    rate_replicates,
    rejection_replicates,
    subject_weights,
    threshold_replicates,
)
from thermalign.metrics.landmarks import nmse
from thermalign.metrics.verification import d_prime, eer, roc

SUBJECTS = 12
RATES = np.array([0.0, 0.05, 0.3, 1.0])


def eer_replicates(*comparisons_and_weights):
    *comparisons, weights = comparisons_and_weights
    return rate_replicates(*comparisons, weights=weights, at=np.empty(0))[0]


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
    made = rate_replicates(scores, genuine, probe, gallery, weights=weights, at=RATES)
    for drawn, value, curve in zip(weights.astype(int), *made, strict=True):
        times = np.where(genuine, drawn[probe], drawn[probe] * drawn[gallery])
        repeated = np.repeat(scores, times), np.repeat(genuine, times)
        assert value == pytest.approx(eer(*repeated))
        np.testing.assert_allclose(curve, roc(*repeated, RATES))


def test_the_size_of_a_chunk_changes_nothing(comparisons, monkeypatch):
    weights = subject_weights(SUBJECTS, replicates=30, seed=0)
    whole = eer_replicates(*comparisons, weights)
    monkeypatch.setattr(corners, "CHUNK", 4 * len(comparisons[0]))
    np.testing.assert_array_equal(eer_replicates(*comparisons, weights), whole)


def test_how_the_pairs_of_many_people_are_counted_changes_nothing(comparisons, monkeypatch):
    # Two probes of some people, so that a pair is compared more than once.
    scores, genuine, probe, gallery = (np.concatenate([its, its[::3]]) for its in comparisons)
    scores[len(comparisons[0]) :] += 0.3
    weights = subject_weights(SUBJECTS, replicates=30, seed=0)
    kept = np.linspace(0, 1, len(scores)).round()
    its = scores, genuine, probe, gallery

    def made():
        drawn = rate_replicates(*its, weights=weights, at=RATES)
        rejected = rejection_replicates(*its, weights=weights, kept=kept)
        return [*drawn, auc_replicates(*its, weights=weights), *rejected]

    few = made()
    monkeypatch.setattr(corners, "MANY", SUBJECTS)
    for one, other in zip(few, made(), strict=True):
        np.testing.assert_array_equal(one, other)


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


def test_drawing_images_instead_of_subjects_would_be_too_sure(errors):
    values, subject = errors
    weights = subject_weights(SUBJECTS, replicates=400, seed=0)
    by_subject = np.std(nmse_replicates(values, subject, weights))
    images = subject_weights(len(values), replicates=400, seed=0)
    by_image = np.std(nmse_replicates(values, np.arange(len(values)), images))
    assert by_subject > 1.5 * by_image


def test_the_same_draws_pair_two_models(errors):
    values, subject = errors
    better = values - 0.001
    weights = subject_weights(SUBJECTS, replicates=400, seed=0)
    paired = nmse_replicates(values, subject, weights) - nmse_replicates(better, subject, weights)
    np.testing.assert_allclose(paired, 0.001, atol=1e-12)


def area(scores, genuine):
    """Compare every genuine score with every impostor score, one by one."""
    own, other = scores[genuine], scores[~genuine]
    wins = [(a > b) + (a == b) / 2 if a > -np.inf else 0 for a in own for b in other]
    return np.mean(wins)


def found_only(measure):
    """Return the measure of the comparisons with a score."""
    return lambda scores, genuine: measure(scores[scores > -np.inf], genuine[scores > -np.inf])


SLOW = {  # of scores and genuine, as the definition says it
    auc_replicates: area,
    d_prime_replicates: found_only(
        lambda s, g: (s[g].mean() - s[~g].mean()) / np.sqrt((s[g].var() + s[~g].var()) / 2)
    ),
}


@pytest.mark.parametrize("made", SLOW)
def test_other_rates_are_those_of_repeated_comparisons(made, comparisons):
    scores, genuine, probe, gallery = comparisons
    weights = subject_weights(SUBJECTS, replicates=6, seed=3)
    values = made(*comparisons, weights=weights)
    assert values.shape == (6,)
    for drawn, value in zip(weights.astype(int), values, strict=True):
        times = np.where(genuine, drawn[probe], drawn[probe] * drawn[gallery])
        repeated = np.repeat(scores, times), np.repeat(genuine, times)
        assert value == pytest.approx(SLOW[made](*repeated), abs=1e-12)


def test_shares_at_a_threshold_are_those_of_repeated_comparisons(comparisons):
    scores, genuine, probe, gallery = comparisons
    weights = subject_weights(SUBJECTS, replicates=6, seed=3)
    made = threshold_replicates(*comparisons, weights=weights, threshold=0.5)
    for drawn, *values in zip(weights.astype(int), *made, strict=True):
        times = np.where(genuine, drawn[probe], drawn[probe] * drawn[gallery])
        accepted, own = np.repeat(scores, times) >= 0.5, np.repeat(genuine, times)
        assert values == pytest.approx([accepted[own].mean(), accepted[~own].mean()])


def test_a_failure_is_accepted_at_no_threshold(comparisons):
    once = np.ones((1, SUBJECTS))
    genuine, impostor = threshold_replicates(*comparisons, weights=once, threshold=-np.inf)
    assert genuine[0] == pytest.approx(1 - 1 / (4 * SUBJECTS))  # one probe of 48 has no score
    assert impostor[0] == pytest.approx(1 - 1 / (4 * SUBJECTS))


@pytest.mark.parametrize("made", SLOW)
def test_a_draw_without_one_class_has_no_other_rate(made, comparisons):
    alone = np.zeros((2, SUBJECTS))
    alone[0, 4] = SUBJECTS  # one subject only: no impostor
    alone[1] = 1
    values = made(*comparisons, weights=alone)
    assert np.isnan(values[0])
    assert values[1] == pytest.approx(SLOW[made](*comparisons[:2]))


def test_scores_that_do_not_differ_have_no_d_prime(comparisons):
    _, genuine, probe, gallery = comparisons
    constant = np.where(genuine, 0.3, 0.1)  # whose mean may be off by a rounding
    once = np.ones((1, SUBJECTS))
    assert np.isnan(d_prime(constant, genuine))
    assert np.isnan(d_prime_replicates(constant, genuine, probe, gallery, weights=once)).all()
    lost = np.full(len(genuine), -np.inf)
    assert np.isnan(d_prime(lost, genuine))
    assert np.isnan(d_prime_replicates(lost, genuine, probe, gallery, weights=once)).all()


def test_the_area_under_the_roc_is_that_of_scikit_learn(comparisons):
    found = comparisons[0] > -np.inf
    known = [part[found] for part in comparisons]
    value = auc_replicates(*known, weights=np.ones((1, SUBJECTS)))[0]
    assert value == pytest.approx(roc_auc_score(known[1], known[0]), abs=1e-12)


def rejected(comparisons, keep, weights):
    """Reject probes, four of each subject in turn, that are kept with probabilities ``keep``."""
    kept = np.repeat(keep, SUBJECTS)
    return rejection_replicates(*comparisons, weights=weights, kept=kept)


def test_rejected_probes_are_failures_to_acquire_and_out_among_accepted_ones(comparisons):
    scores, genuine, *people = comparisons
    keep = np.random.default_rng(2).random(4 * SUBJECTS) < 0.8
    weights = subject_weights(SUBJECTS, replicates=6, seed=3)
    every, accepted = rejected(comparisons, keep.astype(float), weights)
    kept = np.repeat(keep, SUBJECTS)
    lost = np.where(kept, scores, -np.inf)
    np.testing.assert_allclose(every, eer_replicates(lost, genuine, *people, weights))
    found = kept & (scores > -np.inf)
    rest = [its[found] for its in comparisons]
    np.testing.assert_allclose(accepted, eer_replicates(*rest, weights))


def test_with_nobody_rejected_rates_are_as_they_were(comparisons):
    once = np.ones((1, SUBJECTS))
    every, accepted = rejected(comparisons, np.ones(4 * SUBJECTS), once)
    assert every[0] == eer(*comparisons[:2])
    scores, genuine = comparisons[:2]
    found = scores > -np.inf
    assert accepted[0] == pytest.approx(eer(scores[found], genuine[found]))


def test_rejection_at_random_is_the_mean_of_many_draws(comparisons):
    once, rng = np.ones((1, SUBJECTS)), np.random.default_rng(5)
    every, accepted = rejected(comparisons, np.full(4 * SUBJECTS, 0.75), once)
    draws = [
        rejected(comparisons, rng.permutation(np.repeat([0.0, 1.0], [12, 36])), once)
        for _ in range(400)
    ]
    means = np.mean(draws, axis=0)[:, 0]
    assert every[0] == pytest.approx(means[0], abs=0.01)
    assert accepted[0] == pytest.approx(means[1], abs=0.01)


def test_a_draw_of_rejected_people_alone_has_no_rate(comparisons):
    alone = np.zeros((2, SUBJECTS))
    alone[0, :2], alone[1, 2:4] = SUBJECTS / 2, SUBJECTS / 2
    keep = np.repeat([0.0, 1.0], [8, 4 * SUBJECTS - 8])
    every, accepted = rejected(comparisons, keep, alone)
    assert np.isnan([every[0], accepted[0]]).all()
    assert np.isfinite([every[1], accepted[1]]).all()
