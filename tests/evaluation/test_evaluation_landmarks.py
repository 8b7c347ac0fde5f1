"""Figures of landmark errors, from errors set by hand."""

import numpy as np
import pandas as pd
import pytest

from thermalign.evaluation.draws import Draws
from thermalign.evaluation.landmarks import evaluate, failure_rate, nmse
from thermalign.evaluation.settings import Settings, Thresholds
from thermalign.geometry import LANDMARKS
from thermalign.metrics.intervals import POSITIVE, RATE
from thermalign.schemas.keys import ALL, Subset

FACE = np.array([[30.0, 40], [70, 40], [50, 64], [34, 80], [66, 80]])
SETTINGS = Settings(replicates=50, seed=1, ced_thresholds=Thresholds(stop=0.5, count=3))
NOBODY = pd.DataFrame(columns=["image_id", "name", "value"])


def errors(*each):
    """Return one image of each error and person, NaN where no face was found."""
    people = [f"s{k}" for k in range(len(each))]
    table = pd.DataFrame({"image_id": people, "subject_id": people, "error": each})
    known = {"volume": 1, "range": 1, "condition": "baseline"}
    return table.assign(**known, **dict.fromkeys(LANDMARKS, table["error"]))


def draws_of(table):
    return Draws.of_fold(table, table, SETTINGS)


def evaluated(table, **changes):
    points = [
        (i, name, x, y)
        for i in table["image_id"]
        for name, (x, y) in zip(LANDMARKS, FACE, strict=True)
    ]
    given = {
        "annotations": pd.DataFrame(points, columns=["image_id", "landmark", "x", "y"]),
        "boxes": table[["image_id"]].assign(x=0.0, y=0.0, width=9.0, height=9.0),
        "attributes": NOBODY,
        "grid": {},
    }
    made = evaluate(table, draws_of(table), SETTINGS, **{**given, **changes})
    return {(m.subset, m.metric, m.at): m for m in made}


def test_an_error_of_no_found_face_is_not_a_number_rather_than_no_row():
    told = evaluated(errors(np.nan, np.nan))
    assert np.isnan(told[ALL, "nmse", 0].value)
    assert np.isnan(told[Subset(landmark="nose_base"), "nmse", 0].value)
    assert told[ALL, "failure_rate", 0].value == told[ALL, "failure_at", 0.08].value == 1
    assert told[ALL, "ced_auc", 0.08].value == 0
    assert len(told[ALL, "nmse", 0].replicates) == 0


def test_a_mean_error_counts_the_images_it_is_given_and_rests_on_people_who_were_found():
    table = errors(0.1, 0.3, np.nan)
    every = nmse(ALL, table, draws_of(table))
    found = nmse(ALL, table[table["error"].notna()], draws_of(table))
    assert every.value == found.value == pytest.approx(0.2)
    assert (every.n, found.n) == (3, 2)
    assert every.subjects == found.subjects == 2
    np.testing.assert_array_equal(every.replicates, found.replicates)
    assert every.scale == POSITIVE


def test_a_failure_rests_on_everybody():
    table = errors(0.1, 0.3, np.nan, 0.2)
    made = failure_rate(ALL, table, draws_of(table))
    assert (made.value, made.n, made.subjects, made.scale) == (0.25, 4, 4, RATE)


def test_annotated_points_have_no_error_and_no_figure():
    table = errors(0.1, 0.2)
    kept = {"annotations": table, "boxes": table, "attributes": NOBODY, "grid": {}}
    assert not list(evaluate(table[:0], draws_of(table), SETTINGS, **kept))


def test_an_image_without_a_box_is_refused_by_name():
    table = errors(0.1, 0.2)
    boxes = table[["image_id"]].assign(x=0.0, y=0.0, width=9.0, height=9.0)[:1]
    with pytest.raises(ValueError, match="image s1 has no face box"):
        evaluated(table, boxes=boxes)
