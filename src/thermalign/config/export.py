"""The schema of the configuration and its table of keys, as files.

``python -m thermalign.config.export`` writes both from what ``config/models.py`` checks; a test
holds them equal to it.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from thermalign.config.faults import plain, wanted
from thermalign.config.models import json_schema
from thermalign.config.overlays import PROJECT

SCHEMA = PROJECT / "workflow" / "schemas" / "config.schema.yaml"

DOCUMENT = PROJECT / "docs" / "configuration.md"

NOTE = "Written by `python -m thermalign.config.export`; a test holds it equal to the code."

INTRODUCTION = f"""# Every key of the configuration

{NOTE}

`config.yaml` is the default study; `workflow/config/` holds others. A file with `base: config.yaml`
says only how it differs: it is merged over that file of the project's folder, which may have a base
itself, key by key; a list replaces a list, and `null` takes an entry out. Any other file stands
alone and complete. Several files after `--configfile` are merged in order, and `--config key=value`
wins over all of them.

A key that is not listed, or a value that is not allowed, is refused by the first dry run. "Default"
is what holds where a key is left out; one that says "required" must be given. NAME is a name of
your own: small letters, digits and `_`, a letter first.
"""

COLUMNS = ("key", "type", "unit", "default", "source", "meaning")


def schema_text() -> str:
    """Return the JSON schema as YAML."""
    schema = _without_titles(json_schema())
    text = yaml.safe_dump(
        schema, sort_keys=False, width=110, allow_unicode=True, default_flow_style=None
    )
    return f"# {NOTE}\n{text}"


def document_text() -> str:
    """Return the table of keys of every block, in Markdown."""
    schema = json_schema()
    told: set[str] = set()
    sections = [INTRODUCTION, *_sections("", schema, schema, told)]
    return "\n".join(sections)


def _sections(
    where: str, node: Mapping[str, Any], schema: Mapping[str, Any], told: set[str]
) -> Iterator[str]:
    """Yield a table for a block and for each block in it, one that is known already left out."""
    properties = node.get("properties", {})
    rows = [_row(key, its, node, schema) for key, its in properties.items()]
    if rows or where:
        head = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"
        body = "\n".join([head, *rows]) if rows else "No keys."
        yield f"## {f'`{where}`' if where else 'Top level'}\n\n{_meaning(node)}\n\n{body}\n"
    for key, its in properties.items():
        for place, block in _within(f"{where}.{key}".lstrip("."), its, schema):
            name = str(block.get("title", place))
            if name not in told:
                told.add(name)
                yield from _sections(place, block, schema, told)


def _within(
    where: str, node: Mapping[str, Any], schema: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield place and schema of the blocks that a key holds, by name or in a list, too."""
    node = plain(node, schema)
    for part in node.get("patternProperties", {}).values():
        yield from _within(f"{where}.NAME", part, schema)
    for part in (part for part in node.get("anyOf", []) if "$ref" in part):
        block = plain(part, schema)
        kind = next(k for k in ("adapter", "model", "from") if k in block["properties"])
        yield f"{where} ({kind} {block['properties'][kind].get('const', 'a file')})", block
    if node.get("type") == "array":
        yield from _within(f"{where}[]", node.get("items", {}), schema)
    if "properties" in node:
        yield where, node


def _row(
    key: str, its: Mapping[str, Any], node: Mapping[str, Any], schema: Mapping[str, Any]
) -> str:
    meaning = _meaning(its) or _meaning(plain(its, schema))
    default = "required" if key in node.get("required", []) else _default(its)
    told = (its.get("unit", ""), default, its.get("source", ""), meaning)
    cells = (f"`{key}`", wanted(its, schema), *told)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(its: Mapping[str, Any]) -> str:
    value = its.get("default")
    return "none" if value is None else f"`{json.dumps(value)}`"


def _meaning(node: Mapping[str, Any]) -> str:
    text = " ".join(str(node.get("description", "")).split()).replace("``", "`")
    return text[:1].upper() + text[1:]


def _without_titles(node: Any) -> Any:
    """Leave out what a schema calls its parts, which says no more than their keys do."""
    if isinstance(node, Mapping):
        named = {k: v for k, v in node.items() if k != "title" or not isinstance(v, str)}
        return {key: _without_titles(value) for key, value in named.items()}
    return [_without_titles(part) for part in node] if isinstance(node, list) else node


def write() -> None:
    """Write both files."""
    Path(SCHEMA).write_text(schema_text(), encoding="utf-8")
    Path(DOCUMENT).write_text(document_text(), encoding="utf-8")


if __name__ == "__main__":
    write()
