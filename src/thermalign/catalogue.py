"""What the package loads by name, and the settings of it, read from the source.

Detectors, matcher parts and adapters are files that nothing registers: one is there if its file
has the functions of its contract. Their settings are dataclasses, whose fields are read from the
syntax tree, so that a configuration is checked without loading PyTorch. Standard library only.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeGuard

PACKAGE = Path(__file__).parent
PLAIN = {name: name for name in ("int", "float", "bool", "str", "None")} | {"Path": "str"}


@dataclass(frozen=True)
class Kind:
    """Type of a setting.

    Attributes
    ----------
    name : int, float, bool, str, list, mapping, any (of several) or block
    parts : tuple of Kind
        Of each element of a list of stated length; or the one of all elements; or the several.
    any_length : bool
        A list has one type for however many elements.
    optional : bool
        None is allowed, too.
    block : Block or None
        Settings that stand within this one.
    """

    name: str
    parts: tuple["Kind", ...] = ()
    optional: bool = False
    block: "Block | None" = None
    any_length: bool = False


@dataclass(frozen=True)
class Setting:
    """A field of settings as it is declared by :func:`thermalign.settings.setting`."""

    name: str
    kind: Kind
    meaning: str = ""
    required: bool = False
    default: Any = None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    multiple_of: int = 1
    unit: str = ""
    source: str = ""
    costs: bool = False


@dataclass(frozen=True)
class Block:
    """A class of settings: where it stands, what it is, its fields in order, and its RELATIONS."""

    module: str
    name: str
    meaning: str
    settings: tuple[Setting, ...]
    relations: tuple[tuple[str, str], ...] = ()


def detectors() -> list[str]:
    """Return the landmark models that there are: modules or packages of landmarks with a fit()."""
    return _having("landmarks", "fit")


def finds_faces(detector: str, settings: Mapping[str, Any]) -> bool:
    """Return whether a landmark model searches whole images: by its detect() and its FINDS.

    Parameters
    ----------
    detector : str
    settings : mapping
        What its block of the configuration gives; the rest is at its defaults.

    Raises
    ------
    ValueError
        If FINDS is no literal.
    """
    module = ".".join(("thermalign", "landmarks", detector))
    if detector not in _having("landmarks", "detect"):
        return False
    said = [line.value for line in _tree(module).body if _assigns(line, "FINDS")]
    try:
        wanted = ast.literal_eval(said[0]) if said else {}
    except ValueError as error:
        raise ValueError(f"landmarks/{detector}: FINDS must be a literal") from error
    told = {its.name: its.default for its in settings_of(module).settings} | dict(settings)
    return all(told[name] == value for name, value in wanted.items())


def takes_a_gpu(detector: str) -> bool:
    """Return whether a landmark model has a use for a GPU: by its network()."""
    return detector in _having("landmarks", "network")


def takes_a_state(detector: str) -> bool:
    """Return whether a landmark model can start from a trained state: its fit() has ``initial``."""
    return "initial" in _keywords("landmarks", detector, "fit")


def adapters() -> list[str]:
    """Return the dataset formats that there are: modules of ingest with Settings and a read()."""
    return [name for name in _having("ingest", "read") if has_settings("ingest", name)]


@cache
def trees() -> list[str]:
    """Return the formats whose manifest is made of a tree of folders: adapters with a rows()."""
    return [name for name in _having("ingest", "rows") if name in adapters()]


def mappings() -> list[str]:
    """Return the mappings between modalities: modules of verification with fit() and apply()."""
    return [n for n in _having("verification", "fit") if n in _having("verification", "apply")]


def classifiers() -> list[str]:
    """Return the classifiers: modules of verification with a score()."""
    return _having("verification", "score")


def further_metrics(function: str) -> list[str]:
    """Return the modules of metrics that ``evaluation:`` may name for of_errors or of_scores."""
    return _having("metrics", function)


def constant(module: str, name: str) -> Any:
    """Return a constant of a module that is made of literals."""
    return _value(ast.Name(name, ast.Load()), module)


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


def has_settings(package: str, name: str) -> bool:
    """Return whether a module of a package has, or imports, a class Settings."""
    module = f"thermalign.{package}.{name}"
    return _find(module, "Settings") is not None


@cache
def settings_of(module: str, name: str = "Settings") -> Block:
    """Return the fields of a class of settings, those of its base classes first.

    Parameters
    ----------
    module : str
        Dotted name; the class stands there or is imported from a module of the package.
    name : str

    Raises
    ------
    ValueError
        If there is no such class, or a field of it says its type or value by more than literals and
        names of constants.
    """
    found = _find(module, name)
    if found is None:
        raise ValueError(f"{module} has no class {name}")
    home, node = found
    text = ast.get_docstring(node) or ""
    meanings = _meanings(text)
    fields = [line for line in node.body if isinstance(line, ast.AnnAssign)]
    settings = tuple(_setting(line, home, meanings) for line in fields)
    own = {its.name for its in settings}
    inherited = [its for base in node.bases for its in _inherited(base, home)]
    settings = (*(its for its in inherited if its.name not in own), *settings)
    relations = [line.value for line in node.body if _assigns(line, "RELATIONS")]
    told = _value(relations[0], home) if relations else ()
    return Block(home, node.name, text.split("\n\n")[0].replace("\n", " "), settings, told)


def _inherited(base: ast.expr, module: str) -> tuple[Setting, ...]:
    """Return the fields of a base class."""
    holder, _, name = ast.unparse(base).rpartition(".")
    return settings_of(_imported(module, holder) if holder else module, name).settings


def _assigns(line: ast.stmt, name: str) -> TypeGuard[ast.Assign]:
    return isinstance(line, ast.Assign) and name in [ast.unparse(t) for t in line.targets]


def _having(package: str, function: str) -> list[str]:
    folder = PACKAGE / package
    files = {path.stem: path for path in folder.glob("[a-z]*.py")}
    files |= {path.parent.name: path for path in folder.glob("[a-z]*/__init__.py")}
    start = f"\ndef {function}("
    return sorted(name for name, path in files.items() if start in path.read_text("utf-8"))


def _keywords(package: str, name: str, function: str) -> list[str]:
    """Return the keywords of a function of a module of a package."""
    body = _tree(f"thermalign.{package}.{name}").body
    its = (line for line in body if isinstance(line, ast.FunctionDef) and line.name == function)
    return [argument.arg for line in its for argument in line.args.kwonlyargs]


def _setting(line: ast.AnnAssign, module: str, meanings: Mapping[str, str]) -> Setting:
    """Read one field, declared by a call of ``setting`` or by a plain literal."""
    assert isinstance(line.target, ast.Name)
    name, value = line.target.id, line.value
    try:
        told: dict[str, Any] = {}
        if isinstance(value, ast.Call) and ast.unparse(value.func) == "setting":
            told = {str(word.arg): _value(word.value, module) for word in value.keywords}
            value = value.args[0] if value.args else None
        if value is None:
            told["required"] = True
        elif isinstance(value, ast.Call):  # settings within these, at their own defaults
            told["default"] = {}
        else:
            told["default"] = _value(value, module)
        return Setting(name, _kind(line.annotation, module), meanings.get(name, ""), **told)
    except (ValueError, TypeError, NameError) as error:
        raise ValueError(f"{module} line {line.lineno}: {name} is no literal: {error}") from error


def _kind(node: ast.expr, module: str) -> Kind:
    """Read an annotation."""
    if isinstance(node, ast.BinOp):
        return _either([_kind(side, module) for side in (node.left, node.right)])
    if isinstance(node, ast.Subscript):
        return _container(node, module)
    text = ast.unparse(node)
    if text in PLAIN:
        return Kind(PLAIN[text])
    holder, _, name = text.rpartition(".")
    return Kind("block", block=settings_of(_imported(module, holder) if holder else module, name))


def _either(sides: list[Kind]) -> Kind:
    """Join the types of an annotation ``A | B``."""
    flat = [kind for side in sides for kind in (side.parts if side.name == "any" else (side,))]
    kinds = tuple(kind for kind in flat if kind.name != "None")
    if len(kinds) == 1:
        return replace(kinds[0], optional=True)
    return Kind("any", kinds, optional=len(kinds) < len(flat))


def _container(node: ast.Subscript, module: str) -> Kind:
    """Read ``Mapping[str, A]``, ``tuple[A, ...]`` or ``tuple[A, B]``."""
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if ast.unparse(node.value) == "Mapping":
        return Kind("mapping", (_kind(inner[1], module),))
    any_length = ast.unparse(inner[-1]) == "..."
    parts = [_kind(part, module) for part in (inner[:-1] if any_length else inner)]
    return Kind("list", tuple(parts), any_length=any_length)


def _value(node: ast.expr, module: str) -> Any:
    """Return the value of an expression of literals and of names that literals are assigned to."""
    if isinstance(node, ast.Name):
        found = _find(module, node.id)
        if found is None or isinstance(found[1], ast.ClassDef):
            raise ValueError(f"{module} assigns nothing to {node.id}")
        return _value(found[1], found[0])
    named = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
    made = {n.id for n in named if isinstance(n.ctx, ast.Store)}  # by a comprehension
    names = {n.id: _value(n, module) for n in named if n.id not in made}
    # An expression of our own source without a call: powers, sums and unpacked tuples.
    return eval(compile(ast.Expression(node), module, "eval"), {"__builtins__": {}}, names)


def _find(module: str, name: str) -> tuple[str, Any] | None:
    """Return the module and the class or the assigned expression that a name stands for."""
    for line in _tree(module).body:
        if isinstance(line, ast.ClassDef) and line.name == name:
            return module, line
        if _assigns(line, name):
            return module, line.value
        if isinstance(line, ast.AnnAssign) and ast.unparse(line.target) == name and line.value:
            return module, line.value
        if isinstance(line, ast.ImportFrom) and str(line.module).startswith("thermalign."):
            for its in line.names:
                if (its.asname or its.name) == name:
                    return _find(str(line.module), its.name)
    return None


def _imported(module: str, name: str) -> str:
    """Return the dotted name of a module that another imports under a name."""
    for line in _tree(module).body:
        if not isinstance(line, ast.ImportFrom):
            continue
        for its in line.names:
            if (its.asname or its.name) == name:
                return f"{line.module}.{its.name}"
    raise ValueError(f"{module} imports no {name}")


@cache
def _tree(module: str) -> ast.Module:
    place = PACKAGE.joinpath(*module.split(".")[1:])
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))


def _meanings(docstring: str) -> dict[str, str]:
    """Return the text below every name of a docstring's section Attributes, on one line."""
    _, _, section = docstring.partition("Attributes\n----------\n")
    meanings: dict[str, str] = {}
    section = re.split(r"\n\n\w+\n-+\n", section)[0]
    for block in re.split(r"\n(?=\S)", section):
        head, _, text = block.partition("\n")
        for name in head.partition(" : ")[0].split(", "):
            meanings[name.strip()] = " ".join(text.split())
    return meanings
