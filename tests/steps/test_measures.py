"""Draws that folds share, and the tables of a fold's metrics."""

import numpy as np
import pandas as pd
import pytest

from thermalign import tables
from thermalign.evaluation.draws import Draws
from thermalign.evaluation.measured import Measured, write_measured
from thermalign.metrics.intervals import RATE, interval
from thermalign.schemas.measures import METRICS, REPLICATES

SETTINGS = {"replicates": 300, "seed": 3}
KEY = {"protocol": "p", "fold": np.int32(0), "model": "m"}


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


def written(folder, *measured):
    paths = {name: folder / f"{name}.parquet" for name in ("metrics", "replicates")}
    write_measured(measured, KEY, {}, **paths)
    return tables.read(paths["metrics"], METRICS), tables.read(paths["replicates"], REPLICATES)


def test_every_point_of_a_curve_has_its_replicates_and_its_interval(tmp_path):
    drawn = np.array([[0.2, 0.3, 0.4], [0.5, 0.6, 0.9]])
    curve = [
        Measured("all", "roc", value, 90, draws, 4, at)
        for value, draws, at in zip((0.3, 0.7), drawn, (0.01, 0.1), strict=True)
    ]
    metrics, replicates = written(tmp_path, *curve)
    wide = replicates.pivot(index="at", columns="draw", values="value")
    np.testing.assert_array_equal(wide.loc[[0.01, 0.1]], drawn)
    assert replicates["subjects"].unique().tolist() == [4]
    for row, value, draws in zip(metrics.itertuples(), (0.3, 0.7), drawn, strict=True):
        assert (row.low, row.high) == interval(value, draws, subjects=4, scale=RATE)


def test_a_metric_without_replicates_has_no_interval_and_no_rows_of_them(tmp_path):
    drawn = Measured("all", "eer", 0.2, 9, np.array([0.1, 0.3]), 3)
    metrics, replicates = written(tmp_path, Measured("all", "ced", 0.5, 9, at=0.1), drawn)
    assert metrics["low"].notna().tolist() == [False, True]
    assert replicates["metric"].unique().tolist() == ["eer"]


def test_replicates_without_their_subjects_are_refused(tmp_path):
    with pytest.raises(ValueError, match="of no subject"):
        written(tmp_path, Measured("all", "eer", 0.2, 9, np.array([0.1, 0.3])))


def test_a_fold_without_any_metric_has_empty_tables(tmp_path):
    assert [len(table) for table in written(tmp_path)] == [0, 0]
