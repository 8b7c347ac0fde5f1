"""Draws that folds share."""

import numpy as np
import pandas as pd

from thermalign.evaluation.draws import Draws
from thermalign.evaluation.settings import Settings

SETTINGS = Settings(replicates=300, seed=3)


def people(*names):
    return pd.DataFrame({"subject_id": names})


EVERYONE = people(*"abcdefgh")


def test_folds_see_the_same_draw_of_the_people_they_share():
    first = Draws.of_fold(people("a", "c", "d"), EVERYONE, SETTINGS)
    other = Draws.of_fold(people("d", "c", "h", "c"), EVERYONE[::-1], SETTINGS)
    assert (first.subjects, other.subjects) == (["a", "c", "d"], ["c", "d", "h"])
    for name in ("c", "d"):
        columns = first.columns([name]), other.columns([name])
        np.testing.assert_array_equal(
            first.weights[:, columns[0]], other.weights[:, columns[1]], strict=True
        )


def test_folds_that_part_a_dataset_draw_as_many_as_there_are_between_them():
    parts = [people(*"abc"), people(*"defgh")]
    drawn = [Draws.of_fold(part, EVERYONE, SETTINGS).weights.sum(axis=1) for part in parts]
    np.testing.assert_array_equal(sum(drawn), 8)
    assert drawn[0].std() > 0


def test_the_same_fold_tested_twice_is_no_more_certain_than_once():
    errors = people(*"abcd").assign(error=[0.1, 0.2, 0.4, 0.8])
    draws = [Draws.of_fold(errors, EVERYONE, SETTINGS).nmse(errors) for _ in range(2)]
    np.testing.assert_array_equal(np.mean(draws, axis=0), draws[0])
