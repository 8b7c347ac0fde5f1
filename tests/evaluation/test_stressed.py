"""What became of a detector under variants, from errors written by hand."""

import numpy as np
import pandas as pd

from thermalign.evaluation.draws import Draws
from thermalign.evaluation.settings import Settings
from thermalign.evaluation.stated import Stated
from thermalign.evaluation.stressed import compare
from thermalign.schemas.keys import UNDISTURBED, VARIANT, Subset

PEOPLE = pd.DataFrame({"image_id": list("abcd"), "subject_id": list("abcd"), "range": [1, 1, 2, 2]})


def stated(images, distance):
    """Say of two landmarks of every image that they are off by less than 1 as a rule."""
    shape = len(images), 2
    errors = np.full((*shape, 2), distance / np.sqrt(2))
    scale, tail = np.broadcast_to(np.eye(2), (*shape, 2, 2)), np.full(shape, 4.0)
    return Stated(images, errors, scale, tail, np.ones(shape))


def figures(lost, *, told=0):
    """Measure four images, some lost under a variant; of so many the model states its error."""
    errors = {
        UNDISTURBED: PEOPLE.assign(error=0.1),
        "far": PEOPLE.assign(error=np.where(lost, np.nan, 0.2)),
    }
    beside = {UNDISTURBED: stated(PEOPLE[:told], 0.1), "far": stated(PEOPLE[:told], 9.0)}
    draws = Draws.of_fold(PEOPLE, PEOPLE, Settings(replicates=50, seed=1))
    made = compare(errors, beside.__getitem__, draws)
    return {(m.subset.setting, m.subset.range, m.metric): m for m in made}


def test_every_figure_is_one_of_a_variant():
    found = figures([False] * 4)
    assert {setting for setting, *_ in found} == {UNDISTURBED, "far"}
    assert found["far", "2", "nmse"].subset == Subset(VARIANT, "far", range="2")
    assert found["far", "", "nmse_ratio"].value == 2


def test_what_is_stated_is_held_against_the_errors_of_every_variant_and_range():
    found = figures([False] * 4, told=3)
    assert found[UNDISTURBED, "", "coverage_95"].value == 1
    assert found["far", "", "coverage_95"].value == 0
    assert found["far", "1", "coverage_95"].n == 2
    assert found["far", "2", "nll"].n == 1
    assert not [key for key in figures([False] * 4) if key[2] in ("nll", "coverage_95")]


def test_a_range_in_which_no_face_is_found_has_no_error_and_the_others_stay():
    found = figures([False, False, True, True])
    assert found["far", "2", "failure_rate"].value == 1
    for metric in ("nmse", "nmse_ratio"):
        lost = found["far", "2", metric]
        assert (np.isnan(lost.value), lost.n, len(lost.replicates)) == (True, 0, 0)
    assert found["far", "", "nmse"].n == 2
    assert found["far", "1", "nmse_ratio"].value == 2
