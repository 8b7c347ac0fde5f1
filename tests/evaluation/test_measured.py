"""Tables of the figures of a fold."""

import numpy as np
import pytest

from thermalign import tables
from thermalign.evaluation.measured import Measured, difference, tabulate
from thermalign.metrics.intervals import DIFFERENCE, RATE, interval
from thermalign.schemas.keys import ALL, Subset, rows_of
from thermalign.schemas.measures import METRICS, REPLICATES

KEY = {"dataset": "d", "protocol": "p", "fold": 0, "model": "m"}


def written(folder, *measured):
    made = tabulate(measured, KEY)
    for frame, schema, name in zip(made, (METRICS, REPLICATES), ("m", "r"), strict=True):
        tables.write(folder / name, frame, schema)
    return tables.read(folder / "m", METRICS), tables.read(folder / "r", REPLICATES)


def test_nothing_measured_is_an_empty_table(tmp_path):
    assert [len(table) for table in written(tmp_path)] == [0, 0]


def test_a_metric_without_replicates_has_no_interval_and_none_is_written(tmp_path):
    drawn = Measured(ALL, "eer", 0.2, 50, np.array([0.1, 0.3, 0.2]), 9, 0.5, RATE)
    metrics, replicates = written(tmp_path, Measured(ALL, "shared_subjects", 0, 30), drawn)
    assert metrics["low"].isna().tolist() == [True, False]
    (row,) = replicates.itertuples()
    assert row.values.tolist() == [0.1, 0.3, 0.2]
    assert (row.metric, row.subjects, row.at, row.scale) == ("eer", 9, 0.5, RATE)


def test_every_point_of_a_curve_has_its_replicates_and_its_interval(tmp_path):
    drawn = np.array([[0.2, 0.3, 0.4], [0.5, 0.6, 0.9]])
    curve = [
        Measured(ALL, "roc", value, 90, draws, 4, at, RATE)
        for value, draws, at in zip((0.3, 0.7), drawn, (0.01, 0.1), strict=True)
    ]
    metrics, replicates = written(tmp_path, *curve)
    np.testing.assert_array_equal(
        np.stack(replicates.set_index("at").loc[[0.01, 0.1], "values"]), drawn
    )
    assert replicates["subjects"].unique().tolist() == [4]
    for row, value, draws in zip(metrics.itertuples(), (0.3, 0.7), drawn, strict=True):
        assert (row.low, row.high) == interval(value, draws, subjects=4, scale=RATE)


def test_a_draw_without_the_metric_stays_not_a_number(tmp_path):
    drawn = np.array([0.1, np.nan, 0.3])
    _, replicates = written(tmp_path, Measured(ALL, "eer", 0.2, 9, drawn, 3, scale=RATE))
    np.testing.assert_array_equal(replicates["values"].iloc[0], drawn)


def test_what_a_figure_is_about_stands_in_columns(tmp_path):
    about = Subset(range="1", condition="a&b=c")
    metrics, _ = written(tmp_path, Measured(about, "eer", 0.2, 9), Measured(ALL, "eer", 0.3, 9))
    assert rows_of(metrics, about)["value"].tolist() == [0.2]
    assert rows_of(metrics)["value"].tolist() == [0.3]
    assert metrics.iloc[0][["range", "condition", "volume", "level"]].tolist() == [
        "1",
        "a&b=c",
        "",
        0,
    ]


def test_replicates_without_their_subjects_are_refused():
    with pytest.raises(ValueError, match="eer: replicates of no subject"):
        Measured(ALL, "eer", 0.2, 9, np.array([0.1, 0.3]), scale=RATE)


def test_replicates_without_a_scale_are_refused():
    with pytest.raises(ValueError, match="eer: replicates of no scale"):
        Measured(ALL, "eer", 0.2, 9, np.array([0.1, 0.3]), 3)


def test_a_difference_rests_on_what_both_figures_have():
    one = Measured(Subset(range="1"), "eer", 0.5, 9, np.array([0.4, 0.6]), 3, 0.1, RATE)
    other = Measured(ALL, "eer", 0.2, 12, np.array([0.1, 0.2]), 2, scale=RATE)
    made = difference("eer_rise", one, other)
    assert (made.subset, made.metric, made.at, made.scale) == (
        one.subset,
        "eer_rise",
        0.1,
        DIFFERENCE,
    )
    assert (made.value, made.n, made.subjects) == (0.3, 9, 2)
    assert made.replicates.tolist() == pytest.approx([0.3, 0.4])
