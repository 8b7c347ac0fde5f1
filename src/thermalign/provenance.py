"""Which package code can change a result: the import graph is the rebuild graph.

Only import statements are read and nothing is executed, so that the Snakefile can ask about a
module that needs PyTorch without loading PyTorch. Standard library only.
"""

import ast
import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent
IGNORED_FIELDS = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Source:
    """What is asked of a module's file; its tree is not kept, for a dry run holds two hundred.

    Attributes
    ----------
    digest : str
        Of its code, prose left out, and of the data files that it names.
    parts : mapping of Path to str
        The file and the data files that it names, to the digest of each alone.
    imports : tuple of str
        Dotted names in its import statements, as far as they may be modules.
    keywords : tuple of str, or None
        Keywords of its function ``run``; None without one.
    """

    digest: str
    parts: Mapping[Path, str]
    imports: tuple[str, ...]
    keywords: tuple[str, ...] | None


def sources(module: str) -> dict[str, Path]:
    """Return every module of the package that ``module`` imports, directly or not.

    Parameters
    ----------
    module : str
        Dotted name, ``thermalign.steps.train`` for example.

    Returns
    -------
    dict of str to Path
        Dotted module name to file, ``module`` itself and its parent packages included.

    Raises
    ------
    ValueError
        If the package has no such module.
    """
    if _path(module) is None:
        raise ValueError(
            f"no module {module} in {PACKAGE}: check its name in config.yaml or the rule"
        )
    found: dict[str, Path] = {}
    queue = [module]
    while queue:
        name = queue.pop()
        path = _path(name)
        if path is None or name in found:
            continue
        found[name] = path
        queue += [*_read(path).imports, name.rpartition(".")[0]]
    return dict(sorted(found.items()))


@cache
def fingerprint(*modules: str) -> str:
    """Hash the code reachable from ``modules``, blind to comments, layout and docstrings.

    Data files count too: a file of the package whose name a reached module spells as a string
    (a template), or such a file in turn (a style sheet), is hashed byte for byte.

    Parameters
    ----------
    modules : str
        Dotted names below the package: ``steps.train``, ``landmarks.dan``.

    Returns
    -------
    str
        Sixteen hexadecimal digits, the same on every supported Python version.
    """
    files = {k: v for m in modules for k, v in sources(f"thermalign.{m}").items()}
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        digest.update(f"{name} {_read(path).digest}\n".encode())
    return digest.hexdigest()[:16]


def digests(*modules: str) -> dict[str, str]:
    """Return the digest of every file that a fingerprint of modules is made of.

    Parameters
    ----------
    modules : str
        As :func:`fingerprint` takes them.

    Returns
    -------
    dict of str to str
        File below the package, data files among them (``landmarks/dan.py``), to sixteen
        hexadecimal digits.
    """
    paths = {path for name in modules for path in sources(f"{PACKAGE.name}.{name}").values()}
    found = {part: digest for path in paths for part, digest in _read(path).parts.items()}
    return {path.relative_to(PACKAGE).as_posix(): digest for path, digest in sorted(found.items())}


def third_party(module: str) -> set[str]:
    """Return the top-level names of everything that ``module`` reaches outside the package."""
    names = {name for path in sources(module).values() for name in _read(path).imports}
    return {name.partition(".")[0] for name in names} - {PACKAGE.name}


def loaded_by_name(module: str) -> set[str]:
    """Return the packages whose modules ``module`` loads by name, directly or not.

    Returns
    -------
    set of str
        ``landmarks`` where a reached module has ``import_module(f"thermalign.landmarks.{...}")``.
    """
    return set().union(*(_loaded(path) for path in sources(module).values()))


def keywords(module: str) -> list[str]:
    """Return the names of the keywords of a module's function ``run``, as they stand.

    Raises
    ------
    ValueError
        If there is no such function.
    """
    path = _path(f"{PACKAGE.name}.{module}")
    found = _read(path).keywords if path else None
    if found is None:
        raise ValueError(f"thermalign.{module} has no function run(*, ...) that a rule could call")
    return list(found)


def stamp(code: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """Return what every output carries in its metadata: fingerprint, settings and git commit."""
    return {"code": code, "settings": json.dumps(settings, sort_keys=True), "commit": commit()}


def commit() -> str:
    """Return the git commit of the package's checkout, or ``unknown`` outside one."""
    command = ["git", "-C", str(PACKAGE), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _read(path: Path) -> Source:
    tree = _tree(path)
    code = _dump(tree).encode()
    named = {data: data.read_bytes() for data in _data_files(tree, path.parent)}
    whole = hashlib.sha256(code)
    for data, content in named.items():
        whole.update(data.name.encode() + content)
    texts = {path: code, **named}
    parts = {part: hashlib.sha256(text).hexdigest()[:16] for part, text in texts.items()}
    return Source(whole.hexdigest(), parts, tuple(_imports(tree)), _keywords(tree))


@cache
def _loaded(path: Path) -> frozenset[str]:
    """Return the packages whose modules a file loads by name."""
    texts = (node for node in ast.walk(_tree(path)) if isinstance(node, ast.JoinedStr))
    return frozenset(package for text in texts for package in _package_named(text))


@cache
def _path(name: str) -> Path | None:
    package, *rest = name.split(".")
    if package != PACKAGE.name:
        return None
    stem = PACKAGE.joinpath(*rest)
    candidates = (stem.with_suffix(".py") if rest else stem / "__init__.py", stem / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def _keywords(tree: ast.Module) -> tuple[str, ...] | None:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "run":
            return tuple(argument.arg for argument in node.args.kwonlyargs)
    return None


def _imports(tree: ast.Module) -> list[str]:
    names: list[str] = []
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield every statement below a node; expressions, most of a tree, are not entered."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield child
            yield from _statements(child)


def _package_named(text: ast.JoinedStr) -> list[str]:
    """Return X of an f-string that begins with thermalign.X. and goes on with a value."""
    first = text.values[0]
    if len(text.values) < 2 or not isinstance(first, ast.Constant):
        return []
    match str(first.value).split("."):
        case [PACKAGE.name, name, ""]:
            return [name]
    return []


def _data_files(tree: ast.AST, folder: Path) -> list[Path]:
    """Return the data files of a folder that a module names, or that one of them names in turn."""
    there = _data_in(folder)
    if not there:
        return []
    spelled = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    found = [name for name in there if name in spelled]
    for name in found:  # grows: a template includes a style sheet
        text = there[name].read_bytes()
        found += [other for other in there if other not in found and other.encode() in text]
    return [there[name] for name in sorted(found)]


@cache
def _data_in(folder: Path) -> dict[str, Path]:
    """Return the data files of a folder by name."""
    return {path.name: path for path in folder.iterdir() if path.is_file() and path.suffix != ".py"}


def _dump(node: Any) -> str:
    """Write a syntax tree as text; empty fields are left out, unlike in ``ast.dump``."""
    if isinstance(node, list):
        return f"[{','.join([_dump(item) for item in node])}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = []
    for name in node._fields:
        value: Any = getattr(node, name, None)
        if name == "body" and _has_docstring(node):
            value = value[1:]
        if name not in IGNORED_FIELDS and value is not None and value != []:
            fields.append(f"{name}={_dump(value)}")
    return f"{type(node).__name__}({','.join(fields)})"


def _has_docstring(node: ast.AST) -> bool:
    return isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None
