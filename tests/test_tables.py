import importlib
import pkgutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from thermalign import schemas, tables
from thermalign.schemas.dataset import BOXES, FOLDS
from thermalign.schemas.predictions import PREDICTIONS, UNCERTAINTY

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


LISTS = pa.schema(
    [
        pa.field("name", pa.string(), nullable=False),
        pa.field("draws", pa.list_(pa.field("element", pa.float64(), nullable=False)), False),
    ]
)


def test_a_row_of_numbers_in_a_place_is_read_back_as_an_array(tmp_path):
    draws = [np.array([0.1, np.nan, np.inf]), [1, 2], np.empty(0)]
    tables.write(tmp_path / "t", {"name": ["a", "b", "c"], "draws": draws}, LISTS)
    found = tables.read(tmp_path / "t", LISTS)["draws"]
    for given, read in zip(draws, found, strict=True):
        np.testing.assert_array_equal(read, given)
        assert read.dtype == np.float64
    tables.write(tmp_path / "t", {"name": [], "draws": []}, LISTS)
    assert tables.read(tmp_path / "t", LISTS).empty


@pytest.mark.parametrize(
    ("draws", "message"),
    [
        (None, "column draws has 1 nulls"),
        ([0.1, None], "column draws is not list.*none of them missing"),
        (0.1, "column draws is not list.*in a row"),
        ([[0.1], [0.2]], "column draws is not list.*in a row"),
        (["x"], "column draws is not list.*give numbers"),
        ([[0.1], [0.2, 0.3]], "column draws is not list"),
    ],
)
def test_what_is_no_row_of_numbers_is_refused(tmp_path, draws, message):
    column = pd.Series([[0.5], draws], dtype=object)
    with pytest.raises(ValueError, match=message):
        tables.write(tmp_path / "t", {"name": ["a", "b"], "draws": column}, LISTS)


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


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (ROWS.astype({"x": "int64"}), r"t\.parquet: column x holds int64, expected double; .* run"),
        (ROWS.astype({"x": "str", "y": "str"}), r"column x holds .*; column y holds .*; another"),
        (ROWS.drop(columns="x"), r"missing columns \['x'\]; another version wrote it"),
        (ROWS.assign(more=1), r"unexpected columns \['more'\]"),
        (ROWS[ROWS.columns[::-1]], "columns are in another order"),
    ],
)
def test_a_stored_table_of_other_columns_or_types_is_refused_by_column(tmp_path, stored, message):
    path = tmp_path / "t.parquet"
    text = {"image_id": pa.string(), "source": pa.string()}
    table = pa.Table.from_pandas(stored, preserve_index=False)
    schema = [pa.field(f.name, text.get(f.name, f.type)) for f in table.schema]
    pq.write_table(table.cast(pa.schema(schema)), path)
    with pytest.raises(ValueError, match=message) as caught:
        tables.read(path, BOXES)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kept", [0, 3, 50, -1])
def test_a_truncated_table_is_refused_with_the_cure(tmp_path, kept):
    path = tmp_path / "t.parquet"
    tables.write(path, ROWS, BOXES)
    path.write_bytes(path.read_bytes()[:kept])
    for read in (lambda: tables.read(path, BOXES), lambda: tables.read_metadata(path)):
        with pytest.raises(ValueError, match=r"no whole Parquet table \(.*\); delete it and run"):
            read()


def test_a_missing_table_and_a_folder_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"none\.parquet: no such table; run the study"):
        tables.read(tmp_path / "none.parquet", BOXES)
    with pytest.raises(ValueError, match="Is a directory"):
        tables.read(tmp_path, BOXES)


@pytest.mark.parametrize("name", ["s3:x", "file:a", "a%20b", "a=b/x=1", "a b#c?d", "{x}"])
def test_names_that_look_like_addresses_or_partitions_are_names(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    path = Path(name, "t.parquet")
    tables.write(path, ROWS, BOXES)
    assert list(tables.read(path, BOXES).columns) == BOXES.names
    assert tables.read_metadata(path) == {}


def test_an_error_while_writing_names_the_file_and_leaves_the_old_one(tmp_path):
    path = tmp_path / "t.parquet"
    path.write_text("old")

    def fill(temporary):
        temporary.write_text("half")
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken") as caught:
        tables.replace_file(path, fill)
    assert caught.value.__notes__ == [f"while writing {path}"]
    assert [p.name for p in tmp_path.iterdir()] == ["t.parquet"]
    assert path.read_text() == "old"


def test_a_table_in_parts_is_read_whole_or_part_by_part(tmp_path):
    path = tmp_path / "boxes.parquet"
    tables.write_parts(path, (ROWS[k : k + 1] for k in range(2)), BOXES, {"code": "abc"})
    pd.testing.assert_frame_equal(tables.read(path, BOXES), ROWS, check_dtype=False)
    parts = list(tables.read_parts(path, BOXES))
    assert [list(part["image_id"]) for part in parts] == [["a"], ["b"]]
    assert tables.count_rows(path, BOXES) == 2
    assert tables.read_metadata(path) == {"code": "abc"}


def test_a_table_without_parts_has_no_row(tmp_path):
    tables.write_parts(tmp_path / "t", [], BOXES)
    assert tables.read(tmp_path / "t", BOXES).empty
    assert list(tables.read_parts(tmp_path / "t", BOXES)) == []
    assert tables.count_rows(tmp_path / "t", BOXES) == 0


def test_a_part_against_the_schema_leaves_the_old_table(tmp_path):
    path = tmp_path / "boxes.parquet"
    tables.write(path, ROWS, BOXES)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="source has 2 nulls"):
        tables.write_parts(path, iter([ROWS, ROWS.assign(source=None)]), BOXES)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["boxes.parquet"]


def test_a_wrong_or_missing_table_is_refused_whichever_way_it_is_read(tmp_path):
    path = tmp_path / "t.parquet"
    with pytest.raises(ValueError, match="no such table"):
        list(tables.read_parts(path, BOXES))
    tables.write(path, ROWS, BOXES)
    for read in (
        lambda: list(tables.read_parts(path, FOLDS)),
        lambda: tables.count_rows(path, FOLDS),
    ):
        with pytest.raises(ValueError, match="another version wrote it"):
            read()


def test_tables_on_a_shelf_are_read_when_they_are_asked_for(tmp_path):
    asked = {("p", 1, "b"): 3, ("p", 0, "a"): 2, ("q", 0, "a"): 0}
    for n, ((protocol, fold, model), count) in enumerate(asked.items()):
        names = [f"i{k}" for k in range(count)]
        key = {"protocol": protocol, "fold": fold, "model": model}
        rows = pd.DataFrame({"image_id": names, "landmark": "nose_base"}).assign(
            x=0.0, y=0.0, **key
        )
        rows = rows.assign(**dict.fromkeys(UNCERTAINTY, np.nan))
        tables.write(tmp_path / f"{n}.parquet", rows, PREDICTIONS)
    shelf = tables.Shelf([tmp_path / f"{n}.parquet" for n in range(3)], PREDICTIONS)
    assert list(shelf) == [("p", 1, "b"), ("p", 0, "a")]  # a table without rows is of no job
    assert {job: len(shelf[job]) for job in shelf} == {("p", 1, "b"): 3, ("p", 0, "a"): 2}
    assert shelf.get(("q", 0, "a")) is None
    for path in tmp_path.iterdir():
        path.unlink()
    assert len(shelf["p", 1, "b"]) == 3  # kept
