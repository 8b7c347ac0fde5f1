import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from thermalign.metrics.bootstrap import nmse_replicates, subject_weights
from thermalign.metrics.components import deviations, seed_error, variances
from thermalign.metrics.intervals import standard_error

# Ratings of six targets by four judges: the worked example of Shrout and Fleiss 1979.
RATINGS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
TABLES = arrays(float, (5, 3), elements=st.floats(-1, 1, width=32))


def drawn(random, *, shape, subject=0.012, seed=0.004, rest=0.006):
    """Draw a table of errors with known standard deviations."""
    by_subject = random.normal(0, subject, (shape[0], 1))
    by_seed = random.normal(0, seed, (1, shape[1]))
    return 0.06 + by_subject + by_seed + random.normal(0, rest, shape)


def test_a_table_of_sums_has_the_variances_of_its_parts_and_no_rest():
    # subjects 0, 1, 2 (variance 1) and seeds 0, 4 (variance 8), by hand
    errors = np.array([[0.0, 4], [1, 5], [2, 6]])
    assert variances(errors) == pytest.approx([1, 8, 0], abs=1e-12)
    assert deviations(variances(errors)) == pytest.approx([1, np.sqrt(8), 0], abs=1e-6)


def test_a_table_without_main_effects_is_rest_alone_and_negative_parts_count_as_nothing():
    # by hand: all means are 0, MS_rest = 4 / 1, so both others are (0 - 4) / 2
    errors = np.array([[1.0, -1], [-1, 1]])
    assert variances(errors) == pytest.approx([-2, -2, 4])
    assert deviations(variances(errors)).tolist() == [0, 0, 2]


def test_published_mean_squares_and_intraclass_correlation_are_met():
    # Shrout and Fleiss 1979: mean squares 11.24, 32.49, 1.02; ICC(2, 1) .29
    subject, seed, rest = variances(RATINGS)
    assert 4 * subject + rest == pytest.approx(11.24, abs=0.005)
    assert 6 * seed + rest == pytest.approx(32.49, abs=0.005)
    assert rest == pytest.approx(1.02, abs=0.005)
    assert subject / (subject + seed + rest) == pytest.approx(0.29, abs=0.005)


@given(TABLES, st.permutations(range(5)), st.permutations(range(3)))
def test_the_order_of_subjects_and_seeds_does_not_matter(errors, rows, columns):
    assert variances(errors[rows][:, columns]) == pytest.approx(variances(errors), abs=1e-9)


@given(TABLES, st.floats(-10, 10))
def test_a_common_shift_changes_nothing(errors, shift):
    assert variances(errors + shift) == pytest.approx(variances(errors), abs=1e-9)


@given(TABLES, st.floats(0.1, 10))
def test_deviations_scale_with_the_errors(errors, factor):
    scaled = deviations(variances(factor * errors))
    assert scaled**2 == pytest.approx(factor**2 * deviations(variances(errors)) ** 2, abs=1e-9)


@given(TABLES)
def test_turning_the_table_exchanges_subjects_and_seeds(errors):
    subject, seed, rest = variances(errors)
    assert variances(errors.T) == pytest.approx([seed, subject, rest], abs=1e-9)


def test_known_standard_deviations_are_recovered():
    random = np.random.default_rng(0)
    tables = [drawn(random, shape=(26, 3)) for _ in range(1500)]
    mean = np.mean([variances(table) for table in tables], axis=0)
    # unbiased; the mean of 1500 estimates with 2 degrees of freedom is good to a few per cent
    assert np.sqrt(mean) == pytest.approx([0.012, 0.004, 0.006], rel=0.03)


def test_the_error_from_seeds_is_what_repeating_all_trainings_shows():
    random = np.random.default_rng(1)
    means, said = [], []
    for _ in range(1500):  # the same subjects, other seeds
        table = drawn(random, shape=(26, 3), subject=0)
        means.append(table.mean())
        said.append(seed_error(table.mean(axis=0)) ** 2)
    assert np.sqrt(np.mean(said)) == pytest.approx(np.std(means), rel=0.06)


def test_both_standard_errors_agree_with_the_components():
    table = drawn(np.random.default_rng(2), shape=(40, 3))
    subject, seed, rest = variances(table)
    expected = np.sqrt(seed / 3 + rest / (40 * 3))
    assert seed_error(table.mean(axis=0)) == pytest.approx(expected, rel=1e-9)
    weights = subject_weights(40, replicates=4000, seed=0)
    draws = nmse_replicates(table.mean(axis=1), np.arange(40), weights)
    # 4000 replicates are good to about 1 %
    assert standard_error(draws, subjects=40) == pytest.approx(
        np.sqrt(subject / 40 + rest / 120), rel=0.03
    )


def test_one_seed_leaves_its_share_unknown_and_one_subject_everything():
    assert variances(np.array([[1.0], [2], [3]])) == pytest.approx([1, np.nan, np.nan], nan_ok=True)
    assert np.isnan(variances(np.array([[1.0, 2]]))).all()
    assert np.isnan(seed_error(np.array([0.05])))


@pytest.mark.parametrize(
    "errors", [np.empty((0, 3)), np.array([[1.0, np.nan], [1, 2]]), np.ones(3)]
)
def test_an_empty_or_incomplete_table_is_refused(errors):
    with pytest.raises(ValueError, match="expected finite errors"):
        variances(errors)
