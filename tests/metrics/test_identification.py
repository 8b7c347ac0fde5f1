import numpy as np
import pytest
from sklearn.metrics import top_k_accuracy_score

from thermalign.metrics.identification import cmc, own_ranks

INF = float("inf")
NAN = float("nan")

RANKED = np.array([[3.0, 2, 1], [3, 2, 1], [1, 1, 0], [2, 2, 2], [-INF, -INF, -INF], [1, 2, 3]])
SHOWN = [0, 1, 0, 2, 0, None]  # column of each probe's subject


def shown_by(columns, n):
    genuine = np.zeros((len(columns), n), bool)
    for row, column in enumerate(columns):
        if column is not None:
            genuine[row, column] = True
    return genuine


def rank1(scores, genuine):
    return cmc(scores, genuine, np.array([1]))[0]


def test_ranks_by_hand_count_ties_against_the_probe():
    # first; second; tied with one; tied with two; no face; not enrolled
    expected = [1, 2, 2, 3, INF, NAN]
    np.testing.assert_array_equal(own_ranks(RANKED, shown_by(SHOWN, 3)), expected)


def test_the_cumulative_match_characteristic_by_hand():
    found = cmc(RANKED, shown_by(SHOWN, 3), np.array([1, 2, 3]))
    # of six probes; the one without a face and the one of nobody enrolled are never identified
    np.testing.assert_allclose(found, [1 / 6, 3 / 6, 4 / 6])


@pytest.mark.parametrize("k", [1, 2, 5])
def test_the_cumulative_match_characteristic_is_the_top_k_accuracy_of_scikit_learn(k):
    rng = np.random.default_rng(k)
    subject, scores = rng.integers(0, 6, 200), rng.normal(size=(200, 6))
    expected = top_k_accuracy_score(subject, scores, k=k, labels=np.arange(6))
    found = cmc(scores, shown_by(subject, 6), np.array([k]))
    assert found[0] == pytest.approx(expected, abs=1e-12)


def test_rank_one_by_hand():
    scores = np.array([[3.0, 2, 1], [3, 2, 1], [1, 1, 0], [-INF, -INF, -INF]])
    genuine = np.zeros((4, 3), bool)
    genuine[[0, 1, 2, 3], [0, 1, 0, 0]] = True
    # won; lost; a draw is not won; no face
    assert rank1(scores, genuine) == 0.25


def test_a_probe_of_somebody_who_failed_to_enrol_is_a_miss_at_every_rank():
    scores = np.array([[3.0, 2], [5, 1]])
    genuine = np.array([[True, False], [False, False]])
    assert rank1(scores, genuine) == 0.5
    np.testing.assert_array_equal(cmc(scores, genuine, np.array([1, 2])), [0.5, 0.5])


@pytest.mark.parametrize("shape", [(0, 3), (2, 0)])
def test_rank_one_of_no_probe_or_of_nobody_enrolled_is_refused(shape):
    with pytest.raises(ValueError, match="no probe or nobody enrolled"):
        rank1(np.zeros(shape), np.zeros(shape, bool))


def test_a_missing_score_has_no_rank():
    with pytest.raises(ValueError, match="use -inf"):
        rank1(np.array([[NAN, 1]]), np.array([[True, False]]))


def test_the_order_of_the_gallery_changes_no_rank():
    rng = np.random.default_rng(0)
    scores, subject = rng.normal(size=(20, 6)).round(1), rng.integers(0, 6, 20)
    genuine = subject[:, None] == np.arange(6)
    columns = rng.permutation(6)
    assert rank1(scores[:, columns], genuine[:, columns]) == rank1(scores, genuine)
