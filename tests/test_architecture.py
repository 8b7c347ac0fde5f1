"""The import table of docs/design.md, checked."""

import ast
import re
import sys

import pytest

from thermalign.catalogue import detectors
from thermalign.provenance import PACKAGE, sources, third_party

LAYERS = [
    {"geometry", "warp", "schemas", "tables", "images", "provenance", "config", "failures"}
    | {"originals", "records", "states", "settings", "cut", "catalogue", "yaml_files", "overlays"}
    | {"config_faults", "config_checks", "config_export", "study_keys"},
    {"training"},
    {"simulator", "ingest", "boxes", "folds", "landmarks", "verification", "metrics"},
    {"evaluation", "deploy"},
    {"report"},
    {"steps"},
    {"study"},
    {"__main__", "cli"},
]
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
)


def layer(module):
    part = module.split(".")[1]
    return next(k for k, names in enumerate(LAYERS) if part in names)


def own_imports(module):
    """Return the package's modules that a module's own statements import."""
    path = PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py")
    nodes = list(ast.walk(ast.parse(path.read_text())))
    assert not [n for n in nodes if isinstance(n, ast.ImportFrom) and n.level], "relative import"
    names = [a.name for n in nodes if isinstance(n, ast.Import) for a in n.names]
    names += [
        f"{n.module}.{a.name}" for n in nodes if isinstance(n, ast.ImportFrom) for a in n.names
    ]
    return [name for name in names if name.startswith("thermalign.")], names


@pytest.mark.parametrize("module", [m for m in MODULES if not m.endswith("__init__")])
def test_imports_go_down_only(module):
    ours, every = own_imports(module)
    assert not [name for name in ours if layer(name) > layer(module)]
    assert not [name for name in every if name.split(".")[0] == "snakemake"]


@pytest.mark.parametrize("module", [m for m in MODULES if ".landmarks." in m and "__" not in m])
def test_one_model_never_imports_another(module):
    models = {n.split(".")[2] for n in own_imports(module)[0] if ".landmarks." in n}
    assert models & set(detectors()) <= {module.split(".")[2]}


@pytest.mark.parametrize("module", [m for m in MODULES if ".metrics." in m])
def test_metrics_reach_neither_torch_nor_models_nor_files(module):
    reached = sources(module)
    assert not [name for name in reached if ".landmarks." in name and ".metrics." not in name]
    assert not [n for n in own_imports(module)[1] if n.split(".")[0] in {"torch", "pathlib", "os"}]


def test_the_report_computes_no_metric():
    for module in (m for m in MODULES if ".report." in m):
        assert not [n for n in own_imports(module)[0] if n.startswith("thermalign.metrics")]


def test_the_workflow_imports_what_needs_no_numbers_alone():
    files = [*(PACKAGE.parents[1] / "workflow").rglob("*.smk"), PACKAGE.parents[1] / "Snakefile"]
    lines = [line for file in files for line in file.read_text().splitlines()]
    ours = {line for line in lines if re.match("(from|import) thermalign", line)}
    assert {line.split(" import ")[0] for line in ours} == {
        "from thermalign.config",
        "from thermalign.provenance",
        "from thermalign",
    }
    assert "from thermalign import originals" in ours
    for module in ("thermalign.config", "thermalign.provenance", "thermalign.originals"):
        assert third_party(module) <= {*sys.stdlib_module_names, "yaml", "pydantic"}


def test_the_configuration_is_the_only_file_that_knows_pydantic():
    knowing = [m for m in MODULES if any(n.startswith("pydantic") for n in own_imports(m)[1])]
    assert knowing == ["thermalign.config"]


def test_no_step_depends_on_how_the_configuration_is_checked():
    for module in (m for m in MODULES if ".steps." in m):
        assert not [name for name in sources(module) if name.startswith("thermalign.config")]


def test_files_stay_small_enough_to_read():
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 450, path.name
