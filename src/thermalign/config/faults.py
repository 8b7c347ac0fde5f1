"""What is wrong in a configuration, in one line that names the key, its value and what is right."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

Node = Mapping[str, Any]

UNMET = "unmet"
"""Kind of a fault that comes with its own message: settings of one block that do not fit."""

LONGEST = 60  # characters of a wrong value that are shown

NAMES = "small letters, digits and _, at most 60, a letter first, and none that is taken"

PLAIN = {
    "boolean": "true or false",
    "string": "text",
    "null": "nothing",
    "object": "keys and values",
}


def told(
    faulty: Iterable[tuple[str, Sequence[str | int], Any]], schema: Node, where: str
) -> list[str]:
    """Say what is wrong, each fault once.

    Parameters
    ----------
    faulty : kind, place and value of each fault, as pydantic calls them
    schema : JSON schema of the block
    where : str
        The block's own key; empty for the whole configuration.
    """
    return list(dict.fromkeys(_line(*fault, schema, where) for fault in faulty))


def nearest(word: object, known: Iterable[str]) -> str:
    """Return the known word that is most like another as a question, or all of them."""
    known = list(known)
    if not known:
        return "there is none"
    near = get_close_matches(str(word), known, 1)
    return f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"


def _line(kind: str, place: Sequence[str | int], value: Any, schema: Node, where: str) -> str:
    node, path = _follow(schema, place)
    key = spelt(path, where)
    if kind == "extra_forbidden":
        return f"{spelt(place, where)}: no such key; {nearest(place[-1], node['properties'])}"
    if kind in (UNMET, "invalid_key"):
        return f"{key}: {value if kind == UNMET else f'the key {value!r} is no text; quote it'}"
    if place and place[-1] == "[key]":
        no_text = f"the key {value!r} is no text; quote it"
        wrong = no_text if kind == "string_type" else f"is no name; use {NAMES}"
        return f"{spelt(place[:-1], where)}: {wrong}"
    right = wanted(node, schema)
    if meaning := node.get("description", ""):
        right += f" ({meaning.rstrip('.')})"
    if kind == "missing":
        return f"{key}: is missing; give {right}"
    shown = repr(value)
    shown = shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} ..."
    if kind == "literal_error" and len(path) == len(place):
        return f"{key}: {shown} is not known; {nearest(value, _choices(node, schema))}{_of(node)}"
    return f"{key}: {shown} is not allowed; give {right}"


def _of(node: Node) -> str:
    return f" ({node['description'].rstrip('.')})" if node.get("description") else ""


def spelt(path: Sequence[str | int], where: str = "") -> str:
    """Spell a place: ``datasets.simulated.settings.volumes[0].ranges``."""
    text = where
    for part in path:
        word = f"[{part}]" if isinstance(part, int) else _shown(part)
        text += word if isinstance(part, int) or not text else f".{word}"
    return text or "top level"


def _shown(word: str) -> str:
    """Write a key so that a blank, a line break or a letter that looks like another is seen."""
    plain_word = word.isascii() and word.isprintable() and word == word.strip() and word
    shown = word if plain_word else ascii(word)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} ..."


def _follow(schema: Node, place: Sequence[str | int]) -> tuple[Node, list[str | int]]:
    """Return the part of a schema that a place leads to, and how far it leads."""
    node, path = schema, list[str | int]()
    for part in place:
        below = _below(plain(node, schema), part)
        if below is None:
            break
        node = {**plain(below, schema), **{k: v for k, v in below.items() if k == "description"}}
        path.append(part)
    return plain(node, schema) | {k: v for k, v in node.items() if k == "description"}, path


def _below(node: Node, part: str | int) -> Node | None:
    if isinstance(part, int):
        return node.get("items")
    named = node.get("properties", {}).get(part)
    if named is not None or part == "[key]":
        return named
    others = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
    return next((other for other in others if isinstance(other, Mapping)), None)


def plain(node: Node, schema: Node) -> dict[str, Any]:
    """Return a part of a schema itself, where a reference or ``or null`` stands for it."""
    if "$ref" in node:
        return plain(schema["$defs"][node["$ref"].rpartition("/")[2]], schema)
    some = [part for part in node.get("anyOf", []) if part.get("type") != "null"]
    return plain(some[0], schema) if len(some) == 1 else dict(node)


def _choices(node: Node, schema: Node) -> list[str]:
    its = plain(node, schema)
    return [str(word) for word in its.get("enum", [its.get("const")])]


def wanted(node: Node, schema: Node) -> str:
    """Say in words what a part of a schema allows."""
    node = plain(node, schema)
    if "anyOf" in node:
        return " or ".join(wanted(part, schema) for part in node["anyOf"])
    if "enum" in node or "const" in node:
        return f"one of {', '.join(_choices(node, schema))}"
    kind = node.get("type")
    if kind in ("integer", "number"):
        return _number(node)
    if kind == "array":
        least, most = node.get("minItems", 0), node.get("maxItems")
        count = f"{least} " if least == most else f"at least {least} " if least else ""
        return f"a list of {count}entries, each {wanted(node.get('items', {}), schema)}"
    text = PLAIN.get(str(kind), "a value")
    return f"{text}, not empty" if node.get("minLength") or node.get("minProperties") else text


def _number(node: Node) -> str:
    word = "a whole number" if node["type"] == "integer" else "a number"
    if "multipleOf" in node:
        word = f"a multiple of {node['multipleOf']}"
    low, high = node.get("minimum"), node.get("maximum")
    ends = [f" from {low}" if low is not None else "", f" to {high}" if high is not None else ""]
    return word + "".join(ends)
