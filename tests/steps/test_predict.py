"""What `predict` writes beside the points: the grid of a detector that has one."""

import json

import pandas as pd
import pytest
from test_stress import KEY, SUBJECTS, InTheBox, write_dataset

from thermalign import tables
from thermalign.schemas.dataset import FOLDS
from thermalign.states import State
from thermalign.steps import predict

GRID = {"patch": 60, "stride": 8, "margin": 2}


class OnAGrid(InTheBox):
    def grid(self, settings):
        return GRID


@pytest.mark.parametrize(("model", "expected"), [(InTheBox(), None), (OnAGrid(), GRID)])
def test_predictions_say_on_which_grid_they_lie_if_on_one(tmp_path, monkeypatch, model, expected):
    write_dataset(tmp_path, level=30)
    key = {"protocol": "p", "fold": 0}
    folds = pd.DataFrame({"image_id": SUBJECTS, "role": "test", "flipped": False, **key})
    tables.write(tmp_path / "folds.parquet", folds, FOLDS)
    monkeypatch.setattr(predict, "load_model", lambda *_: (model, None))
    monkeypatch.setattr(predict, "read_state", lambda _: State({}))
    predict.run(
        **{name: tmp_path / f"{name}.parquet" for name in ("images", "boxes", "folds")},
        state=tmp_path / "state",
        **KEY,
        detector="m",
        settings={},
        modality="thermal",
        predictions=tmp_path / "predictions.parquet",
        code="x",
    )
    written = tables.read_metadata(tmp_path / "predictions.parquet")
    assert (json.loads(written["grid"]) if expected else written.get("grid")) == expected
