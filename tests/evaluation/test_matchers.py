"""Figures over shuffles of who is on the gallery's images."""

import numpy as np
import pytest

from thermalign.evaluation.matchers import mean_of_shuffles
from thermalign.evaluation.measured import Measured
from thermalign.metrics.intervals import RATE
from thermalign.schemas.keys import ALL

SUBJECTS = np.random.default_rng(5).normal(0, 0.02, 4000)


def shuffles(*values):
    """Return the figure of each shuffle; all see the same people drawn."""
    return [Measured(ALL, "eer", v, 100, v + SUBJECTS, subjects=1000, scale=RATE) for v in values]


def test_the_value_is_the_mean_over_shuffles():
    assert mean_of_shuffles(shuffles(0.4, 0.5, 0.6), seed=[1, 0]).value == pytest.approx(0.5)


def test_shuffles_that_agree_add_nothing_to_what_people_do():
    made = mean_of_shuffles(shuffles(0.5, 0.5, 0.5), seed=[1, 0])
    assert made.replicates == pytest.approx(0.5 + SUBJECTS)


def test_the_spread_holds_people_and_shuffles():
    values = np.array([0.42, 0.47, 0.5, 0.53, 0.58])
    made = mean_of_shuffles(shuffles(*values), seed=[1, 0])
    expected = np.hypot(SUBJECTS.std(), values.std(ddof=1) / np.sqrt(5))
    assert made.replicates.std() == pytest.approx(expected, rel=0.05)
    assert made.replicates.mean() == pytest.approx(0.5, abs=0.003)


def test_one_shuffle_is_as_it_is_and_the_same_seed_draws_the_same():
    (one,) = shuffles(0.5)
    assert mean_of_shuffles([one], seed=[1, 0]) is one
    first, again = (mean_of_shuffles(shuffles(0.4, 0.6), seed=[1, 0]) for _ in range(2))
    assert (first.replicates == again.replicates).all()
