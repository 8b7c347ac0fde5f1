"""docs/tables.md tells of every table what the schemas and the rules say."""

import importlib
import re

import pyarrow as pa
import pytest

from thermalign.provenance import PACKAGE
from thermalign.schemas.document import DOCUMENT, TABLES, document_text, read, table_of, written
from workflow_rules import RULES

SCHEMAS = {
    name: value
    for path in (PACKAGE / "schemas").glob("[a-z]*.py")
    for name, value in vars(importlib.import_module(f"thermalign.schemas.{path.stem}")).items()
    if isinstance(value, pa.Schema)
}


def test_the_document_is_what_would_be_written():
    assert DOCUMENT.read_text(encoding="utf-8") == document_text(), "run make schema"


def test_every_schema_is_told():
    assert {name: schema for name, (schema, _, _) in TABLES.items()} == SCHEMAS


@pytest.mark.parametrize("table", TABLES)
def test_a_key_is_made_of_columns_of_its_table(table):
    schema, key, _ = TABLES[table]
    assert set(key) <= set(schema.names)
    assert len(key) == len(set(key))


@pytest.mark.parametrize("table", TABLES)
def test_every_column_has_a_type_and_a_meaning(table):
    section = document_text().split(f"\n## {table}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]*) \| (.+) \|$", section, flags=re.M)
    assert [name for name, *_ in rows] == TABLES[table][0].names


def test_a_step_that_knows_a_table_is_among_those_that_write_or_read_it():
    for table in TABLES:
        told = {*written()[table], *read()[table]}
        for step in (rule for rule in RULES if rule not in told):
            source = (PACKAGE / f"steps/{step}.py").read_text()
            imported = re.findall(r"^from thermalign\.schemas.* import (.*)$", source, flags=re.M)
            assert table not in {n for line in imported for n in line.split(", ")}, (step, table)


def test_every_table_has_a_writer_and_every_reader_is_a_rule():
    assert all(written().values())
    assert {rule for rules in read().values() for rule in rules} <= set(RULES)
    assert written()["STRESS"] == {
        "stress": "{protocol}/fold{fold}/{model}/stress/predictions.parquet"
    }
    assert "score_variants" in read()["STRESS"]
    assert "stress" not in read()["PREDICTIONS"]


def test_a_file_that_is_no_table_is_refused_by_name():
    with pytest.raises(ValueError, match=r"data/heads\.parquet: no table"):
        table_of("data/heads.parquet")
