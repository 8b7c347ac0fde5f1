"""The plan in docs/design.md, checked: who imports whom, and how much one opens to read."""

import ast
import re
import sys
from functools import cache

import pytest

from thermalign.catalogue import detectors
from thermalign.provenance import PACKAGE, sources, third_party

LAYERS = [
    {"geometry", "warp", "schemas", "tables", "images", "provenance", "catalogue", "failures"}
    | {"originals", "records", "states", "settings", "cut", "config", "student", "versions"}
    | {"room", "gpus", "left_overs", "killed", "radiometric"},
    {"training"},
    {"simulator", "ingest", "boxes", "folds", "landmarks", "verification", "metrics"}
    | {"exchange", "networks"},
    {"evaluation", "deploy", "audit"},
    {"report"},
    {"steps"},
    {"study", "plan", "due"},
    {"__main__", "cli", "exchange_cli"},
]
ROOMS = {"simulator": ["physics", "settings", "person", "scene", "recording", "dataset"]}
"""Inside a package: who comes later may import who comes earlier."""
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
)
FILES = [module for module in MODULES if not module.endswith("__init__")]
STEPS = [m for m in FILES if m.startswith("thermalign.steps.") and not m.endswith(".job")]
NO_TORCH = ("adapt", "annotated", "compare", "describe", "fold", "import_points")
NO_TORCH += ("import_scores", "ingest", "measure", "report", "spread")
"""Steps that make no tensor."""


def path_of(module):
    return PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py")


@cache
def tree_of(module):
    return ast.parse(path_of(module).read_text())


def layer(module):
    part = module.split(".")[1]
    return next(k for k, names in enumerate(LAYERS) if part in names)


@cache
def imports(module):
    """Return every dotted name that a module's own statements import."""
    nodes = list(ast.walk(tree_of(module)))
    assert not [n for n in nodes if isinstance(n, ast.ImportFrom) and n.level], "relative import"
    names = [a.name for n in nodes if isinstance(n, ast.Import) for a in n.names]
    return names + [
        f"{n.module}.{a.name}" for n in nodes if isinstance(n, ast.ImportFrom) for a in n.names
    ]


def own_imports(module):
    """Return the package's names among the imports."""
    return [name for name in imports(module) if name.startswith("thermalign.")]


@cache
def neighbours(module):
    """Return the package's modules that a module imports."""
    found = {n if n in MODULES else n.rpartition(".")[0] for n in own_imports(module)}
    return frozenset(found & {*FILES} | {f"{n}.__init__" for n in found} & {*MODULES})


def read_through(module, folders):
    """Return the files below some packages that one opens from a module on, itself among them."""
    seen, queue = set(), [module]
    while queue:
        name = queue.pop()
        if name not in seen and any(name.startswith(f"thermalign.{f}.") for f in folders):
            seen.add(name)
            queue += neighbours(name)
    return {name for name in seen if len(tree_of(name).body) > 1}


def third_parties(module):
    return {name.split(".")[0] for name in imports(module)}


def test_every_module_has_its_layer():
    assert {module.split(".")[1] for module in FILES} == set().union(*LAYERS)


@pytest.mark.parametrize("module", FILES)
def test_imports_go_down_only(module):
    assert not [name for name in own_imports(module) if layer(name) > layer(module)]
    assert "snakemake" not in third_parties(module)


@pytest.mark.parametrize("package", ROOMS)
def test_rooms_inside_a_package_follow_each_other(package):
    order = ROOMS[package]
    for module in (m for m in FILES if m.startswith(f"thermalign.{package}.")):
        theirs = [n.split(".")[2] for n in own_imports(module) if f".{package}." in n]
        assert all(order.index(t) <= order.index(module.split(".")[2]) for t in theirs), module


def test_no_module_is_private():
    assert not [m for m in FILES if m.rpartition(".")[2].startswith("_") and "__main__" not in m]


@pytest.mark.parametrize("module", [m for m in FILES if m.startswith("thermalign.landmarks.")])
def test_one_model_never_imports_another(module):
    models = {n.split(".")[2] for n in own_imports(module) if ".landmarks." in n}
    assert models & set(detectors()) <= {module.split(".")[2]}


@pytest.mark.parametrize(
    ("package", "never"),
    [
        ("verification", {"landmarks", "training", "networks"}),
        ("landmarks", {"verification"}),
        ("simulator", {"boxes"}),
        ("metrics", {"landmarks", "verification", "tables", "images", "warp"}),
        ("report", {"metrics", "landmarks", "verification", "warp", "training"}),
        ("evaluation", {"landmarks", "networks", "report"}),
        ("networks", {"landmarks"}),
    ],
)
def test_a_package_never_reaches_some_others(package, never):
    for module in (m for m in FILES if m.startswith(f"thermalign.{package}.")):
        reached = {name.split(".")[1] for name in sources(module) if "." in name}
        assert not reached & never, module


@pytest.mark.parametrize("module", [m for m in FILES if m.startswith("thermalign.metrics.")])
def test_metrics_open_no_file(module):
    assert not third_parties(module) & {"torch", "pathlib", "os", "pandas"}


@pytest.mark.parametrize("step", NO_TORCH)
def test_a_step_that_makes_no_tensor_reaches_no_torch(step):
    assert "torch" not in third_party(f"thermalign.steps.{step}")


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_its_run_and_nothing_else(step):
    kinds = ast.Import | ast.ImportFrom
    doc, *rest = tree_of(step).body
    assert isinstance(doc, ast.Expr)
    left = [node for node in rest if not isinstance(node, kinds)]
    assert [getattr(node, "name", node) for node in left] == ["run"]


def test_the_workflow_imports_what_needs_no_numbers_alone():
    files = [*(PACKAGE.parents[1] / "workflow").rglob("*.smk"), PACKAGE.parents[1] / "Snakefile"]
    lines = [line for file in files for line in file.read_text().splitlines()]
    ours = {m[1] for line in lines if (m := re.match(r"(?:from|import) (thermalign\S*)", line))}
    named = {f"thermalign.config.{its}" for its in ("across", "models", "networks", "resources")}
    named |= {"thermalign.provenance", "thermalign.originals", "thermalign.due.modules"}
    named |= {"thermalign.gpus", "thermalign.due.kept"}
    assert ours <= {"thermalign", *named}
    for module in named:
        allowed = {*sys.stdlib_module_names, "yaml", "pydantic", "pydantic_core"}
        assert third_party(module) <= allowed, module


def test_the_configuration_is_the_only_file_that_knows_pydantic():
    knowing = [m for m in FILES if any(n.startswith("pydantic") for n in imports(m))]
    assert knowing == ["thermalign.config.models"]


def test_no_step_depends_on_how_the_configuration_is_checked():
    for module in (m for m in MODULES if ".steps." in m):
        assert not [name for name in sources(module) if name.startswith("thermalign.config.models")]


def test_files_are_small_enough_to_read_and_large_enough_to_be_worth_opening():
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 450, path.name
    sizes = sorted(len(path_of(m).read_text().splitlines()) for m in FILES)
    assert sizes[len(sizes) // 4] >= 60, "a quarter of the files are closets"


CHAPTERS = [m for m in FILES if m.startswith("thermalign.report.chapters.")]
SHARED = {"study", "setup", "views", "looks", "exhibits", "words", "blocks", "layout", "drawing"}
SHARED |= {
    "curves",
    "printed",
    "claims.evidence",
    "claims.errors",
    "claims.rates",
    "claims.verdicts",
}
"""Rooms of the report that every chapter may use: each is one thing, opened when asked for."""


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_of_the_report_is_read_with_the_rooms_that_all_share(chapter):
    read = read_through(chapter, ["report"]) - {chapter}
    assert read <= {f"thermalign.report.{room}" for room in SHARED}
    assert all(len(path_of(room).read_text().splitlines()) <= 320 for room in read)


@pytest.mark.parametrize("detector", [d for d in detectors() if (d not in {"ert", "mean_shape"})])
def test_a_training_step_is_read_in_three_files_beside_the_contract(detector):
    its = {m for m in FILES if m.split(".")[1:3] == ["landmarks", detector]}
    its = its or {f"thermalign.landmarks.{detector}.__init__"}
    trained = {n for m in its for n in neighbours(m) if n.startswith("thermalign.training.")}
    assert len(trained) <= 2, trained


def test_one_equal_error_rate_is_read_in_three_files():
    steps = ["thermalign.steps.measure", "thermalign.evaluation.verification"]
    metric = "thermalign.metrics.verification"
    assert steps[1] in neighbours(steps[0])
    assert metric in neighbours(steps[1])
    defined = {n.name for n in tree_of(metric).body if isinstance(n, ast.FunctionDef)}
    assert "eer" in defined


def test_the_plan_names_every_room():
    plan = (PACKAGE.parents[1] / "docs/design.md").read_text()
    rooms = {
        p.relative_to(PACKAGE).with_suffix("").as_posix() for p in PACKAGE.rglob("*") if is_room(p)
    }
    assert set(re.findall(r"`src/thermalign/([\w/]+)`", plan)) == rooms


def is_room(path):
    """Say whether a path is a package of the tree, or a module at its root."""
    if path.is_dir():
        return (path / "__init__.py").is_file()
    return path.suffix == ".py" and path.parent == PACKAGE and path.stem[:2] != "__"


def test_the_plan_names_no_file_that_is_not_there():
    root = PACKAGE.parents[1]
    plan = (root / "docs/design.md").read_text()
    named = re.findall(r"`([\w./*-]+\.(?:py|smk|yaml|md|j2|css))`", plan)
    folders, named = (root, PACKAGE, root / "docs"), [n for n in named if "NAME" not in n]
    assert named
    assert not [n for n in named if not any(next(f.glob(n), None) for f in folders)]
