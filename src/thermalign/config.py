"""The configuration file: read strictly, checked whole, refused in one line.

The Snakefile and the command line read it here. PyYAML and jsonschema come with Snakemake.
"""

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from thermalign.failures import one_line

LARGEST_WHOLE = 10**15  # up to here a number of an exponent is told without it
SMALLEST_PAIR = 4  # px between aligned eyes, and between mouth corners
_TAG = "tag:yaml.org,2002:"
_OLD_NUMBER = re.compile(r"[-+]?0[0-7_]+|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
"""What YAML 1.1 reads as octal, or as hours and minutes."""
_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")
"""A number to everybody but YAML 1.1, which wants a point before the exponent and a sign in it."""
_KINDS = {f"{_TAG}{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}


def read_config(path: Path) -> dict[str, Any]:
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
    if not path.is_file():
        raise ValueError(f"{path}: no such configuration; name one with --configfile")
    try:
        text = path.read_bytes().decode("utf-8-sig")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        _check_nodes(path, root)
        config = yaml.safe_load(text)
    except RecursionError:
        raise ValueError(f"{path}: nests too deep; see config.yaml for an example") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: is not UTF-8 text ({error}); save it as UTF-8") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{path}{_where(error)}; correct it") from error
    if not isinstance(config, dict):
        raise ValueError(
            f"{path}: holds no keys and values (results: results, ...); see config.yaml"
        )
    return config


def check_config(config: Mapping[str, Any], schema: Path) -> None:
    """Refuse a configuration that its schema does not allow, or whose folders cannot be used.

    Parameters
    ----------
    config : what :func:`read_config` returned, or the same changed from the command line
    schema : Path of a JSON schema in YAML

    Raises
    ------
    ValueError
        Naming the key, what it is and what would be right.
    """
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415  # for Snakemake alone
    from jsonschema.exceptions import best_match  # noqa: PLC0415

    kinds = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, v: type(v) is int)
    strict = validators.extend(Draft202012Validator, type_checker=kinds)
    validator = strict(yaml.safe_load(schema.read_text(encoding="utf-8")))
    error = best_match(validator.iter_errors(config))
    if error is not None:
        key = ".".join(str(part) for part in error.absolute_path)
        raise ValueError(f"{key or 'top level'}: {error.message}{_hint(error)}")
    _check_alignment(config["alignment"])
    check_folder("results", config["results"])
    check_folder("data", config["data"])
    for name, block in config["datasets"].items():
        for key in ("folder", "manifest"):
            check_folder(f"datasets.{name}.{key}", block.get(key, "."))
    if Path(config["results"]).exists() and not Path(config["results"]).is_dir():
        raise ValueError(f"results: {config['results']} is a file; name a folder")


def _check_alignment(alignment: Mapping[str, Any]) -> None:
    """Refuse canonical points that are no upright face within the aligned image."""
    points = alignment["points"]
    for name, (x, y) in points.items():
        if x > alignment["width"] - 1 or y > alignment["height"] - 1:
            raise ValueError(
                f"alignment.points.{name}: [{x}, {y}] lies outside the aligned face of "
                f"{alignment['width']} x {alignment['height']} px; give a place within"
            )
    for pair in ("eye", "mouth_corner"):
        right, left = points[f"right_{pair}"], points[f"left_{pair}"]
        if left[0] - right[0] < SMALLEST_PAIR:
            raise ValueError(
                f"alignment.points: left_{pair} {left} must lie at least {SMALLEST_PAIR} px right "
                f"of right_{pair} {right}, since left and right are the subject's; correct one"
            )
        if pair == "eye" and max(right[1], left[1]) >= points["nose_base"][1]:
            raise ValueError("alignment.points: an eye lies below nose_base; correct one of them")
        if pair != "eye" and min(right[1], left[1]) <= points["nose_base"][1]:
            raise ValueError("alignment.points: the mouth lies above nose_base; correct one")


def check_folder(key: str, path: str) -> None:
    """Refuse a path that Snakemake or a command would take for something else.

    Blanks, quotes and every other character of a shell are no trouble: rules quote them.

    Raises
    ------
    ValueError
        If it has braces (wildcards) or control characters, begins with - (an option) or ~ (which
        nothing expands), or begins or ends with a blank.
    """
    wrong = None
    if not path.isprintable():
        wrong = "has a line break or another character that does not print"
    elif "{" in path or "}" in path:
        wrong = "has braces, which Snakemake takes for wildcards"
    elif path.startswith(("-", "~")):
        wrong = f"begins with {path[0]}; write ./{path} or the whole path"
    elif path != path.strip():
        wrong = "begins or ends with a blank"
    if wrong:
        raise ValueError(f"{key}: {path!r} {wrong}; name another folder or file")


def detectors() -> list[str]:
    """Return the landmark models that there are: modules or packages of landmarks with a fit()."""
    folder = Path(__file__).parent / "landmarks"
    files = {path.stem: path for path in folder.glob("[a-z]*.py")}
    files |= {path.parent.name: path for path in folder.glob("[a-z]*/__init__.py")}
    return sorted(name for name, path in files.items() if "\ndef fit(" in path.read_text("utf-8"))


def check_detector(where: str, detector: object) -> None:
    """Refuse a name that is no module of the detectors.

    Raises
    ------
    ValueError
        Naming every detector there is.
    """
    known = detectors()
    if detector not in known:
        raise ValueError(f"{where}: no detector {detector!r}; use one of {', '.join(known)}")


def _hint(error: Any) -> str:
    """Return which keys there are, or what the schema says of the one that is wrong."""
    if error.validator == "additionalProperties":
        if "patternProperties" in error.schema:
            return "; names are small letters, digits and _, a letter first, and none that is taken"
        return f"; use one of {', '.join(error.schema.get('properties', {}))}"
    return f" ({error.schema['description']})" if "description" in error.schema else ""


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
        if node.tag == f"{_TAG}float" and not math.isfinite(yaml.safe_load(node.value)):
            raise ValueError(f"{line}: {node.value} is not finite; give a number")


def _check_number(line: str, node: yaml.Node) -> None:
    """Refuse a plain word that YAML 1.1 and people read as two different numbers."""
    if not isinstance(node, yaml.ScalarNode) or node.style is not None:
        return
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
