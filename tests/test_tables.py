import importlib
import pkgutil

import pandas as pd
import pyarrow as pa
import pytest

from thermalign import schemas, tables
from thermalign.schemas.dataset import BOXES, FOLDS

PARTS = list(pkgutil.iter_modules(schemas.__path__))
ROWS = pd.DataFrame(
    {
        "image_id": ["a", "b"],
        "source": "given",
        "x": [0.0, 1],
        "y": 0.5,
        "width": 9.0,
        "height": 8.0,
    }
)


def test_what_is_written_is_read_back(tmp_path):
    path = tmp_path / "new" / "boxes.parquet"
    tables.write(path, ROWS, BOXES, {"code": "abc"})
    pd.testing.assert_frame_equal(tables.read(path, BOXES), ROWS, check_dtype=False)
    assert tables.read_metadata(path) == {"code": "abc"}


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (ROWS.drop(columns="x"), "missing columns"),
        (ROWS.assign(more=1), "unexpected columns"),
        (ROWS.assign(source=None), "source has 2 nulls"),
        (ROWS.assign(x="left"), "column x"),
    ],
)
def test_a_table_against_its_schema_is_refused_and_the_old_file_kept(tmp_path, frame, message):
    path = tmp_path / "boxes.parquet"
    tables.write(path, ROWS, BOXES)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=message):
        tables.write(path, frame, BOXES)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["boxes.parquet"]


def test_a_symbolic_link_is_replaced_and_its_target_left_alone(tmp_path):
    shared = tmp_path / "cache"
    shared.write_text("kept")
    path = tmp_path / "boxes.parquet"
    path.symlink_to(shared)
    tables.write(path, ROWS, BOXES)
    assert shared.read_text() == "kept"
    assert not path.is_symlink()


def test_a_file_of_another_schema_or_kind_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    tables.write(path, ROWS, BOXES)
    with pytest.raises(ValueError, match=r"missing columns .*unexpected columns"):
        tables.read(path, FOLDS)
    path.write_text("no table")
    with pytest.raises(ValueError, match="is no whole Parquet table"):
        tables.read(path, BOXES)


def test_every_column_says_what_it_means():
    modules = [importlib.import_module(f"{schemas.__name__}.{m.name}") for m in PARTS]
    found = [s for m in modules for s in vars(m).values() if isinstance(s, pa.Schema)]
    assert len(found) >= 11
    for schema in found:
        for field in schema:
            assert field.metadata[b"meaning"], field.name
