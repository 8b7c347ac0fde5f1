"""The schema and the table of keys are those that the configuration is checked by."""

import re

import pytest
import yaml
from jsonschema import Draft202012Validator

from thermalign.config.export import DOCUMENT, SCHEMA, document_text, schema_text
from thermalign.config.models import json_schema, read_study
from thermalign.config.overlays import PROJECT, read_merged

STUDIES = [PROJECT / "config.yaml", *sorted((PROJECT / "workflow/config").glob("*.yaml"))]


def test_both_files_are_what_would_be_written():
    again = "run python -m thermalign.config.export"
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), again
    assert DOCUMENT.read_text(encoding="utf-8") == document_text(), again


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_schema_allows_what_the_code_does(path):
    validator = Draft202012Validator(yaml.safe_load(SCHEMA.read_text(encoding="utf-8")))
    assert not list(validator.iter_errors(read_merged([path], {})))
    assert not list(validator.iter_errors(read_study([path], {})))


def test_the_schema_is_one_of_json_schema_and_closed_everywhere():
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    blocks = [block for block in schema["$defs"].values() if block["type"] == "object"]
    assert len(blocks) > 20
    assert all(block["additionalProperties"] is False for block in blocks)


def test_every_key_has_a_type_and_a_meaning():
    rows = [line for line in document_text().splitlines() if line.startswith("| `")]
    assert len(rows) > 200
    for row in rows:
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        assert len(cells) == 6, row
        key, kind, _, default, _, meaning = cells
        assert key
        assert kind
        assert default
        assert meaning, key
