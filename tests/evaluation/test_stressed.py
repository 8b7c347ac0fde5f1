"""What became of a detector under variants, from errors written by hand."""

import numpy as np
import pandas as pd

from thermalign.evaluation.draws import Draws
from thermalign.evaluation.settings import Settings
from thermalign.evaluation.stressed import evaluate
from thermalign.schemas.keys import UNDISTURBED, VARIANT, Subset

PEOPLE = pd.DataFrame({"image_id": list("abcd"), "subject_id": list("abcd"), "range": [1, 1, 2, 2]})


def figures(lost):
    errors = {
        UNDISTURBED: PEOPLE.assign(error=0.1),
        "far": PEOPLE.assign(error=np.where(lost, np.nan, 0.2)),
    }
    draws = Draws.of_fold(PEOPLE, PEOPLE, Settings(replicates=50, seed=1))
    return {(m.subset.setting, m.subset.range, m.metric): m for m in evaluate(errors, draws)}


def test_every_figure_is_one_of_a_variant():
    found = figures([False] * 4)
    assert {setting for setting, *_ in found} == {UNDISTURBED, "far"}
    assert found["far", "2", "nmse"].subset == Subset(VARIANT, "far", range="2")
    assert found["far", "", "nmse_ratio"].value == 2


def test_a_range_in_which_no_face_is_found_has_no_error_and_the_others_stay():
    found = figures([False, False, True, True])
    assert found["far", "2", "failure_rate"].value == 1
    for metric in ("nmse", "nmse_ratio"):
        lost = found["far", "2", metric]
        assert (np.isnan(lost.value), lost.n, len(lost.replicates)) == (True, 0, 0)
    assert found["far", "", "nmse"].n == 2
    assert found["far", "1", "nmse_ratio"].value == 2
