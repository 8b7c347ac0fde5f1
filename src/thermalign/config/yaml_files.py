"""YAML files, read strictly and refused in one line: what PyYAML takes and people mean otherwise.

A key that stands twice, ``010`` that is read as 8, ``1e-3`` that is read as text, a key ``no``.
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from thermalign.failures import one_line

LARGEST_WHOLE = 10**15  # up to here a number of an exponent is told without it

LONGEST_WHOLE = 60  # characters; no key takes so large a number

_TAG = "tag:yaml.org,2002:"

_OLD_NUMBER = re.compile(r"[-+]?0[0-7_]+|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
"""What YAML 1.1 reads as octal, or as hours and minutes."""

_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")
"""A number to everybody but YAML 1.1, which wants a point before the exponent and a sign in it."""

_KINDS = {f"{_TAG}{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a configuration file.

    Parameters
    ----------
    path : Path of a YAML file in UTF-8

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If the file is missing or no YAML, is no mapping, has a key twice or one that is no text, or
        a value that is not finite or neither text, number, true, false, list nor mapping. The
        message names file, line and cure.
    """
    try:
        if not path.is_file():
            raise ValueError(f"{path}: no such configuration; name one with --configfile")
        text = path.read_bytes().decode("utf-8-sig")
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        _check_nodes(path, root)
        config = loader.construct_document(root) if root else None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror}); correct it") from None
    except RecursionError:
        raise ValueError(f"{path}: nests too deep; see config.yaml for an example") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: is not UTF-8 text ({error}); save it as UTF-8") from error
    except yaml.YAMLError as error:
        where = _where(error)
        cure = "write blanks for the tab" if "'\\t'" in where else "correct it"
        raise ValueError(f"{path}{where}; {cure}") from error
    if not isinstance(config, dict):
        raise ValueError(
            f"{path}: holds no keys and values (results: results, ...); see config.yaml"
        )
    return config


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    line = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    said = [getattr(error, part, None) for part in ("context", "problem")]
    problem = ", ".join(part for part in said if part) or str(error)
    return f"{line}: is not readable as YAML: {one_line(problem)}"


def _check_nodes(path: Path, root: yaml.Node | None) -> None:
    for node in _nodes(root):
        line = f"{path} line {node.start_mark.line + 1}"
        if isinstance(node, yaml.MappingNode):
            _check_keys(path, node)
        if node.tag not in _KINDS:
            kind = node.tag.removeprefix(_TAG)
            what = f"{node.value} is" if isinstance(node, yaml.ScalarNode) else "this is"
            raise ValueError(f"{line}: {what} read as a {kind}; put it in quotes, or delete it")
        _check_number(line, node)
        if node.tag == f"{_TAG}float" and not _is_finite(node.value):
            raise ValueError(f"{line}: {node.value} is not finite; give a number")


def _is_finite(number: str) -> bool:
    word = number.lower().replace("_", "")
    return not word.endswith((".inf", ".nan")) and math.isfinite(float(word))


def _check_number(line: str, node: yaml.Node) -> None:
    """Refuse a plain word that YAML 1.1 and people read as two different numbers."""
    if not isinstance(node, yaml.ScalarNode) or node.style is not None:
        return
    if node.tag == f"{_TAG}int" and len(node.value) > LONGEST_WHOLE:
        raise ValueError(f"{line}: {node.value[:LONGEST_WHOLE]} ... is too large; give a number")
    if node.tag in (f"{_TAG}int", f"{_TAG}float") and _OLD_NUMBER.fullmatch(node.value):
        raise ValueError(
            f"{line}: {node.value} is read as {yaml.safe_load(node.value)} (octal, or hours and "
            "minutes); write that number, or put it in quotes"
        )
    if node.tag == f"{_TAG}str" and _EXPONENT.fullmatch(node.value):
        value = float(node.value)
        if not math.isfinite(value):
            raise ValueError(f"{line}: {node.value} is not finite; give a number")
        told = f"{value:.0f}" if value.is_integer() and abs(value) < LARGEST_WHOLE else repr(value)
        told = told if "." in told or "e" not in told else told.replace("e", ".0e")
        raise ValueError(f"{line}: {node.value} is read as text; write {told}, or put it in quotes")


def _check_keys(path: Path, node: yaml.MappingNode) -> None:
    seen: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if key.tag == f"{_TAG}merge":
            continue
        if key.tag != f"{_TAG}str":
            what = f"the key {key.value}" if isinstance(key, yaml.ScalarNode) else "a key"
            raise ValueError(f"{path} line {line}: {what} is no text; quote it")
        if key.value in seen:
            raise ValueError(
                f"{path} line {line}: the key {key.value} stands in line {seen[key.value]} "
                "already; keep one of them"
            )
        seen[key.value] = line


def _nodes(root: yaml.Node | None) -> Iterator[yaml.Node]:
    """Yield a node and all below it but merge keys; each once, as aliases make them many."""
    queue, seen = [root] if root else [], set()
    while queue:
        node = queue.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, yaml.MappingNode):
            queue += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            queue += node.value
