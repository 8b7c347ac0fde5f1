"""What measuring steps read and write."""

import numpy as np
import pandas as pd
import pytest
from test_compare import SUBJECTS, write_dataset

from thermalign import tables
from thermalign.evaluation.measured import Measured
from thermalign.evaluation.settings import Settings
from thermalign.metrics.intervals import RATE
from thermalign.schemas.dataset import FOLDS
from thermalign.schemas.keys import ALL
from thermalign.schemas.measures import METRICS, REPLICATES
from thermalign.steps.job import Job


@pytest.fixture
def job(tmp_path):
    """A fold that tests the first of three people, and mirrors another in training."""
    write_dataset(tmp_path, shift=0.0)
    roles = pd.DataFrame({"image_id": [*SUBJECTS, SUBJECTS[2]], "role": "train", "flipped": False})
    roles.loc[0, "role"], roles.loc[3, "flipped"] = "test", True
    tables.write(tmp_path / "folds", roles.assign(protocol="p", fold=1), FOLDS)
    key = {"dataset": "d", "protocol": "p", "fold": 1, "model": "m"}
    return Job.read(tmp_path / "images.parquet", tmp_path / "folds", **key)


def test_a_fold_has_every_image_once_and_draws_its_test_subjects(job):
    assert job.rows["image_id"].tolist() == list(SUBJECTS)
    assert job.test["image_id"].tolist() == [SUBJECTS[0]]
    assert job.draws(Settings(replicates=50)).subjects == [SUBJECTS[0]]
    assert job.draws(Settings(replicates=50), job.rows).subjects == list(SUBJECTS)


def test_figures_carry_what_they_are_of(job, tmp_path):
    drawn = Measured(ALL, "eer", 0.2, 9, np.array([0.1, 0.3]), 2, scale=RATE)
    job.write([drawn], {"code": "x"}, metrics=tmp_path / "m", replicates=tmp_path / "r")
    for path, schema in ((tmp_path / "m", METRICS), (tmp_path / "r", REPLICATES)):
        (row,) = tables.read(path, schema).itertuples()
        assert (row.dataset, row.protocol, row.fold, row.model) == ("d", "p", 1, "m")
        assert tables.read_metadata(path) == {"code": "x"}
