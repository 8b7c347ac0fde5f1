"""Every key of the configuration: misspelt, and with a value that is not allowed.

Both in a whole configuration and in an overlay over one. A configuration that holds every key there
is is made from the schema, so that a key that comes is tried as well.
"""

import copy
import json
from difflib import get_close_matches

import pytest

from thermalign.config import overlays
from thermalign.config.faults import plain
from thermalign.config.models import check_study, json_schema
from thermalign.config.overlays import over_base

SCHEMA = json_schema()


def example(node):
    """Return a value that a part of the schema allows, with every key there is."""
    node = plain(node, SCHEMA)
    if "const" in node or "enum" in node:
        return node.get("const", node.get("enum", [None])[0])
    if "anyOf" in node:
        return example(node["anyOf"][0])
    kind = node["type"]
    if kind == "object":
        return {
            **{k: example(part) for k, part in node.get("properties", {}).items()},
            **named(node),
        }
    if kind == "array":
        return [example(node["items"])] * max(1, node.get("minItems", 1))
    low, high = node.get("minimum", 1), node.get("maximum", 1)
    number = low if "minimum" in node else min(1, high)
    number = node.get("multipleOf", number) if number < node.get("multipleOf", 0) else number
    return {"integer": int(number), "number": float(number), "boolean": True, "string": "word"}[
        kind
    ]


def named(node):
    """Return an entry of each kind for a part of the schema whose keys are names."""
    entries = {}
    parts = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
    for part in (part for part in parts if isinstance(part, dict)):
        for its in alternatives(part):
            block = plain(its, SCHEMA)
            word = next((w for w in ("adapter", "model") if w in block.get("properties", {})), None)
            kind = block["properties"][word]["const"] if word else "entry"
            entries[kind] = example(its)
    return entries


def alternatives(part):
    """Return the blocks of adapters or detectors that an entry may be, or the part itself."""
    return [p for p in part.get("anyOf", []) if "$ref" in p] or [part]


def keys(node, value, place=()):
    """Yield place and schema of every key of an example."""
    node = plain(node, SCHEMA)
    if isinstance(value, list):
        yield from keys(node["items"], value[0], (*place, 0))
    if not isinstance(value, dict):
        return
    others = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
    for key, its in value.items():
        own = node.get("properties", {}).get(key)
        part = own or next(other for other in others if isinstance(other, dict))
        if len(alternatives(part)) > 1:
            part = next(p for p in alternatives(part) if same_kind(plain(p, SCHEMA), its))
        if own:
            yield (*place, key), part
        yield from keys(part, its, (*place, key))


def same_kind(block, value):
    word = next((w for w in ("adapter", "model") if w in block["properties"]), None)
    if word is None:  # a row that is read from a file
        return "from" in value
    return block["properties"][word]["const"] == value.get(word)


def fit(block):
    """Let the values of every block fit each other, as its RELATIONS want."""
    for its in block.values() if isinstance(block, dict) else block:
        if isinstance(its, dict | list):
            fit(its)
    if isinstance(block, dict):
        block.update({k: v for k, v in FITTING.items() if k in block})
    return block


FITTING = {"outer": 2.0, "window": [20.0, 40.0], "sizes": [8.0, 16.0], "baseline": 1}
WHOLE = fit(example(SCHEMA))
KEYS = list(keys(SCHEMA, WHOLE))


def wrong(node):
    """Return a value that a part of the schema does not allow: out of range, or of another type."""
    node = plain(node, SCHEMA)
    kind = node.get("type")
    if "enum" in node or "const" in node:
        return "nonsense"
    if "maximum" in node:
        return node["maximum"] + 1
    if "minimum" in node:
        return node["minimum"] - 1
    return {"boolean": 3, "string": 7, "array": "word", "object": 3}.get(kind, ["word"])


def spelt(place):
    """Spell a place as messages do."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def misspelt(key):
    return key[:-1] + "x" + key[-1]


def changed(place, value):
    """Return a copy of the whole configuration with one more, or with another, value."""
    config = copy.deepcopy(WHOLE)
    block = config
    for part in place[:-1]:
        block = block[part]
    block[place[-1]] = value
    return config


def overlay(place, value):
    """Return what an overlay says to change one value; a list it can only replace whole."""
    within = next((n for n, part in enumerate(place) if isinstance(part, int)), None)
    if within is not None:
        block = changed(place, value)
        for part in place[:within]:
            block = block[part]
        return overlay(place[:within], block)
    for part in reversed(place):
        value = {part: value}
    return {"base": "config.yaml", **value}


@pytest.fixture
def over_all(monkeypatch):
    """Return a function that checks an overlay over the configuration that holds every key."""
    monkeypatch.setattr(overlays, "read_yaml", lambda path: copy.deepcopy(WHOLE))
    return lambda layer: check_study(over_base(layer, "overlay.yaml"))


def refusal(check, config):
    with pytest.raises(ValueError, match=":") as caught:
        check(config)
    return str(caught.value)


@pytest.mark.parametrize(("place", "node"), KEYS, ids=[spelt(place) for place, _ in KEYS])
def test_a_misspelt_key_and_a_wrong_value_are_refused_by_name(place, node, over_all):
    siblings = WHOLE
    for part in place[:-1]:
        siblings = siblings[part]
    key = misspelt(place[-1])
    nearest = get_close_matches(key, siblings, 1)[0]
    wanted = f"{spelt((*place[:-1], key))}: no such key; did you mean {nearest}?"
    assert nearest == place[-1]
    assert refusal(check_study, changed((*place[:-1], key), 1)) == wanted
    assert refusal(over_all, overlay((*place[:-1], key), 1)) == wanted
    for line in (
        refusal(check_study, changed(place, wrong(node))),
        refusal(over_all, overlay(place, wrong(node))),
    ):
        assert "\n" not in line
        where = spelt(place)
        if place[-1] in ("adapter", "model") and place[0] in ("datasets", "models"):
            where = spelt(place[:-1])
        assert line.startswith((f"{where}:", f"{where}["))
        assert json.dumps(wrong(node)).strip('"') in line.replace("'", "")
        assert any(word in line for word in ("give", "use one of", "did you mean"))


def test_the_configuration_of_every_key_is_wrong_in_no_key():
    """What is left to say of it is how its values fit each other."""
    line = refusal(check_study, copy.deepcopy(WHOLE))
    assert "no such key" not in line
    assert "is not allowed" not in line
    assert "is missing" not in line


def test_the_walk_reaches_every_block():
    walked = {place[0] for place, _ in KEYS}
    assert walked == set(SCHEMA["properties"])
    assert {"models.dan.steps", "matcher.dog.inner", "ablation.entry.dpm.decay"} <= {
        spelt(place) for place, _ in KEYS
    }
