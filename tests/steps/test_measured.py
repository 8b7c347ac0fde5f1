import numpy as np

from thermalign import tables
from thermalign.evaluation.measured import Measured, write_measured
from thermalign.schemas.measures import METRICS, REPLICATES

KEY = {"protocol": "p", "fold": 0, "model": "m"}


def written(folder, measured):
    paths = {name: folder / f"{name}.parquet" for name in ("metrics", "replicates")}
    write_measured(measured, KEY, {}, **paths)
    return tables.read(paths["metrics"], METRICS), tables.read(paths["replicates"], REPLICATES)


def test_nothing_measured_is_an_empty_table(tmp_path):
    metrics, replicates = written(tmp_path, [])
    assert (len(metrics), len(replicates)) == (0, 0)


def test_a_metric_without_replicates_has_no_interval_and_none_is_written(tmp_path):
    drawn = Measured("all", "eer", 0.2, 50, np.array([0.1, 0.3, 0.2]), subjects=9, at=0.5)
    metrics, replicates = written(tmp_path, [Measured("all", "shared_subjects", 0, 30), drawn])
    assert metrics["low"].isna().tolist() == [True, False]
    assert replicates["draw"].tolist() == [0, 1, 2]
    assert replicates["value"].tolist() == [0.1, 0.3, 0.2]
    assert set(replicates["metric"]) == {"eer"}
    assert set(replicates["subjects"]) == {9}
    assert set(replicates["at"]) == {0.5}
