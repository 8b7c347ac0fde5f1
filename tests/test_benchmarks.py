"""Benchmarks are run by hand, so what they import is looked up here."""

import ast
import importlib.util
from pathlib import Path

import pytest

BENCHMARKS = sorted((Path(__file__).parents[1] / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("file", BENCHMARKS, ids=lambda file: file.stem)
def test_what_a_benchmark_imports_is_there(file):
    nodes = list(ast.walk(ast.parse(file.read_text())))
    plain = {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
    named = {(n.module, a.name) for n in nodes if isinstance(n, ast.ImportFrom) for a in n.names}
    assert plain | named
    assert not [name for name in plain if importlib.util.find_spec(name) is None]
    assert not [pair for pair in named if not is_there(*pair)]


def is_there(module, name):
    """Say whether a module has a name, or a submodule of that name."""
    if hasattr(importlib.import_module(module), name):
        return True
    return importlib.util.find_spec(f"{module}.{name}") is not None
