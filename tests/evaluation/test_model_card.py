"""What a model card tells is measured on the images that it is about."""

import numpy as np
import pandas as pd
import pytest

from thermalign.evaluation import model_card
from thermalign.evaluation.draws import Draws
from thermalign.evaluation.settings import Settings
from thermalign.geometry import LANDMARKS
from thermalign.schemas.keys import ALL, Subset
from thermalign.schemas.predictions import UNCERTAINTY

SHAPE = np.array([[20.0, 30], [40, 30], [30, 40], [22, 50], [38, 50]])  # 20 px between the eyes


def images(people):
    return pd.DataFrame(
        {
            "image_id": [f"i{n}" for n in range(people)],
            "subject_id": [f"s{n}" for n in range(people)],
            "volume": 1,
            "range": [1 + n % 2 for n in range(people)],
            "condition": "baseline",
        }
    )


def points(rows, offsets, **told):
    """Return points of every image, moved along x by an offset each."""
    table = pd.DataFrame(
        [
            (image, landmark, x + offset, y)
            for image, offset in zip(rows["image_id"], offsets, strict=True)
            for landmark, (x, y) in zip(LANDMARKS, SHAPE, strict=True)
        ],
        columns=["image_id", "landmark", "x", "y"],
    )
    return table.assign(model="m", **told)


def predictions(rows, offsets):
    unknown = dict.fromkeys(UNCERTAINTY, np.nan)
    return points(rows, offsets, **unknown)


def by_key(measured):
    return {(m.subset, m.metric): m for m in measured}


def draws(rows):
    return Draws.of_fold(rows, rows, Settings(replicates=50))


def test_errors_are_told_of_all_and_of_each_range():
    rows = images(10)
    offsets = np.where(rows["range"] == 1, 2.0, 4.0)
    found = by_key(
        model_card.of_landmarks(
            predictions(rows, offsets), points(rows, [0] * 10), rows, draws(rows)
        )
    )
    assert found[ALL, "nmse"].value == np.mean([0.1, 0.2])
    assert found[Subset(range="2"), "nmse"].value == 0.2
    assert found[ALL, "failure_rate"].value == 0
    assert not [metric for _, metric in found if metric.startswith("coverage")]  # nothing stated


def test_what_is_stated_is_told_where_something_is():
    rows = images(10)
    told = {"expected_error": 0.3, "scale_xx": 400.0, "scale_xy": 0.0, "scale_yy": 400.0}
    stated = points(rows, [1.0] * 10, **told, tail=8.0)
    found = by_key(model_card.of_landmarks(stated, points(rows, [0] * 10), rows, draws(rows)))
    assert found[ALL, "coverage_50"].value == 1
    assert found[Subset(range="1"), "nmse_expected"].value == 0.3
    assert {metric for _, metric in found} == {"nmse", "failure_rate", *model_card.STATED}


def test_found_faces_are_those_of_the_tested_images_alone():
    rows = images(4)
    given = np.tile([10.0, 10, 40, 40], (4, 1))
    table = pd.DataFrame(
        [("i0", 1, 90.0), ("i0", 0, 10.0), ("i2", 0, 12.0), ("other", 0, 10.0)],
        columns=["image_id", "rank", "x"],
    ).assign(y=10.0, width=40.0, height=40.0)
    found = by_key(model_card.of_finder(table, given, rows, draws(rows)))
    assert found[ALL, "detection_recall"].value == 0.5
    assert found[ALL, "false_alarms"].value == 0.25


def test_recorded_faces_are_told_by_source_with_an_interval_from_eight_people_on():
    rows = images(11)
    sources = ["a"] * 8 + ["b"] * 3
    attributes = pd.DataFrame({"image_id": rows["image_id"], "name": "source", "value": sources})
    offsets = [2.0 + 0.1 * n for n in range(8)] + [8.0] * 3
    counts = rows.assign(detections=1, true=[1] * 8 + [0] * 3)
    measured = model_card.of_recorded(
        predictions(rows, offsets),
        points(rows, [0] * 11),
        counts,
        draws(rows),
        attributes=attributes,
        by="source",
        composed=["a"],
    )
    found = by_key(measured)
    a, b, without = (
        Subset(attribute="source", attribute_value=name) for name in ("a", "b", "without a")
    )
    np.testing.assert_allclose(found[a, "nmse"].value, np.mean(offsets[:8]) / 20)
    assert np.isfinite(found[a, "nmse"].interval()).all()
    np.testing.assert_allclose([found[s, "nmse"].value for s in (b, without)], 0.4)
    assert np.isnan(found[b, "nmse"].interval()).all()
    assert (found[ALL, "nmse"].n, found[b, "false_alarms"].value) == (11, 1)
    assert {subset for subset, _ in found} == {ALL, a, b, without}


def recorded(sources, composed):
    """Return the subsets of images of these sources, "" for one that nothing is told of."""
    rows = images(len(sources))
    told = pd.DataFrame({"image_id": rows["image_id"], "name": "source", "value": sources})
    measured = model_card.of_recorded(
        predictions(rows, [2.0] * len(rows)),
        points(rows, [0] * len(rows)),
        rows.assign(detections=1, true=1),
        draws(rows),
        attributes=told[told["value"] != ""],
        by="source",
        composed=composed,
    )
    return {m.subset.attribute_value: m.n for m in measured if m.metric == "nmse"}


def test_an_image_of_no_known_source_is_in_all_alone():
    found = recorded(["a", "a", "b", "b", "b", ""], ["a"])
    assert found == {"": 6, "a": 2, "b": 3, "without a": 3}


def test_a_composed_source_that_no_image_has_is_named():
    with pytest.raises(ValueError, match="no recorded image has c as its source; they have a, b"):
        recorded(["a", "b", ""], ["a", "c"])
