"""Benchmarks are run by hand, so what they import is looked up here."""

import ast
import importlib.util
import subprocess
import sys
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


def test_the_benchmark_of_gpus_needs_neither_snakemake_nor_pydantic():
    """It runs where there is no more than PyTorch and what images and tables need."""
    file = next(path for path in BENCHMARKS if path.stem == "gpu")
    blocked = "import sys; sys.modules.update(snakemake=None, pydantic=None); "
    arguments = ["--device", "cpu", "--tiny", "--images", "2", "--seconds", "0.01"]
    run = f"sys.argv = {[str(file), *arguments, '--models', 'heatmap', 'pbc']}; "
    command = f"{blocked}{run}import runpy; runpy.run_path(sys.argv[0], run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()[2:]] == ["heatmap", "pbc"]
