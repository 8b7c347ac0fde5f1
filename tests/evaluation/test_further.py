"""Metrics that the configuration names."""

import sys
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from thermalign.evaluation import further
from thermalign.evaluation.compared import Compared
from thermalign.evaluation.draws import Draws
from thermalign.metrics.bootstrap import subject_weights
from thermalign.metrics.intervals import RATE
from thermalign.metrics.verification import auc
from thermalign.schemas.keys import ALL

PEOPLE = ["a", "b", "c", "d"]
DRAWS = Draws(PEOPLE, subject_weights(4, replicates=60, seed=1))


@pytest.fixture
def wins(monkeypatch):
    """A metric of comparisons that is known by other means: the area under the ROC."""

    def of_scores(score, genuine, weights):
        own, other = score[genuine], score[~genuine]
        each = (own[:, None] > other) + 0.5 * (own[:, None] == other)
        pairs = weights[genuine][:, None] * weights[~genuine]
        return (each * pairs).sum() / pairs.sum() if pairs.sum() else np.nan

    module = SimpleNamespace(SCALE=RATE, of_scores=of_scores)
    monkeypatch.setitem(sys.modules, "thermalign.metrics.wins", module)
    monkeypatch.setattr(further, "further_metrics", lambda f: ["wins"] * (f == "of_scores"))
    return "wins"


def errors(values):
    people = PEOPLE * (len(values) // 4)
    return pd.DataFrame({"error": values, "subject_id": people})


def test_a_metric_of_errors_leaves_faces_out_that_were_not_found():
    rows = errors([0.1, 0.2, np.nan, 0.4, 0.3, 0.2, 0.1, np.nan])
    (figure,) = further.of_errors(["median_error"], ALL, rows, DRAWS)
    assert (figure.metric, figure.value, figure.n, figure.subjects) == ("median_error", 0.2, 6, 4)
    assert figure.replicates.shape == (60,)
    low, high = figure.interval()
    assert low < 0.2 < high


def test_a_draw_counts_each_person_as_often_as_it_is_drawn():
    rows = errors([0.1, 0.2, 0.3, 0.4])
    (figure,) = further.of_errors(["median_error"], ALL, rows, DRAWS)
    for drawn, weights in zip(figure.replicates, DRAWS.weights, strict=True):
        repeated = np.repeat(np.array([0.1, 0.2, 0.3, 0.4]), weights.astype(int))
        assert drawn == np.sort(repeated)[(len(repeated) - 1) // 2]


def test_a_metric_of_scores_has_the_replicates_of_the_studys_own(wins):
    rng = np.random.default_rng(0)
    probe, gallery = (side.ravel() for side in np.indices((4, 4)))
    part = Compared(
        rng.normal(size=16) + 2 * (probe == gallery), probe == gallery, probe, probe, gallery,
        DRAWS.weights,
    )  # fmt: skip
    (figure,) = further.of_scores([wins], ALL, part)
    assert figure.value == pytest.approx(auc(part.score, part.genuine), abs=1e-15)
    assert np.nanmax(abs(figure.replicates - part.auc())) < 1e-12


def test_comparisons_are_weighted_one_draw_at_a_time(wins):
    probe, gallery = (side.ravel() for side in np.indices((40, 40)))
    weights = subject_weights(40, replicates=2000, seed=1)
    score = np.random.default_rng(0).normal(size=1600)
    part = Compared(score, probe == gallery, probe, probe, gallery, weights)
    tracemalloc.start()
    try:
        assert len(list(further.of_scores([wins], ALL, part))) == 1
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < weights.shape[0] * len(score) * 8 / 4  # of all draws at once: 26 MB, three times


def test_a_name_is_asked_for_what_it_can_measure_alone(wins):
    assert list(further.of_errors([wins], ALL, errors([0.1, 0.2, 0.3, 0.4]), DRAWS)) == []
    assert further.names_of_errors(["wins"]) == []
