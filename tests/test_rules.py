"""What every rule says: its environment against imports, its shell command, its directives."""

import ast
import re
import shlex
import sys
from pathlib import Path

import pytest
import yaml

from thermalign import provenance
from thermalign.provenance import PACKAGE, loaded_by_name, third_party

ROOT = Path(__file__).parents[1]
RULES = {
    name: body
    for file in sorted((ROOT / "workflow/rules").glob("*.smk"))
    for name, body in re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", file.read_text(), flags=re.M)
}
STEPS = {path.stem for path in (PACKAGE / "steps").glob("[a-z]*.py")}
PROJECT = (ROOT / "pyproject.toml").read_text()
PINS = dict(re.findall(r'"([a-z0-9-]+)==([\w.]+)"', PROJECT))
DISTRIBUTIONS = {  # import name: what pyproject.toml calls it
    "array_api_compat": "array-api-compat",
    "cv2": "opencv-python-headless",
    "dlib": "dlib-bin",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
CONDA = {  # what conda-forge calls it, where pyproject.toml has another name
    "dlib-bin": "dlib",
    "matplotlib": "matplotlib-base",
    "opencv-python-headless": "py-opencv",
    "torch": "pytorch",
}
UNQUOTED = {"code", "seed", "chunks", "detector", "modality", "files"}
"""Params that are numbers, digests or words that the schema restricts."""


def modules(package):
    return [f"{package}.{path.stem}" for path in (PACKAGE / package).glob("[a-z]*.py")]


def needed(rule):
    """Return the import names of everything outside the package that a rule's job can import."""
    reached = {"__main__", f"steps.{rule}"}
    for package in loaded_by_name(f"thermalign.steps.{rule}"):
        reached |= set(modules(package))
    every = set().union(*(third_party(f"thermalign.{module}") for module in reached))
    return every - set(sys.stdlib_module_names)


def environment(rule):
    return yaml.safe_load(
        (ROOT / re.search(r'"../../(envs/\w+\.yaml)"', RULES[rule])[1]).read_text()
    )


def shell(rule):
    """Return a rule's shell command as it stands, placeholders and all."""
    return ast.literal_eval(f"({RULES[rule].split('    shell:', 1)[1]})")


def test_every_step_is_a_rule_and_every_rule_a_step():
    assert set(RULES) == STEPS


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_states_its_threads_resources_log_and_environment(rule):
    for directive in ("threads:", "resources:", "log:", "conda:"):
        assert f"    {directive}" in RULES[rule]


@pytest.mark.parametrize("rule", RULES)
def test_an_environment_holds_what_its_step_imports_at_the_pinned_version(rule):
    described = environment(rule)
    assert described["channels"] == ["conda-forge"]
    have = dict(line.split("=", 1) for line in described["dependencies"])
    for module in sorted(needed(rule)):
        distribution = DISTRIBUTIONS.get(module, module)
        package = CONDA.get(distribution, distribution)
        assert package in have, f"{rule} imports {module}; its environment lacks {package}"
        assert PINS[distribution].startswith(have[package].rstrip("*"))


def test_the_report_needs_what_it_reaches_by_import_and_by_name():
    assert {"safetensors", "torch", "dlib", "jinja2", "matplotlib"} <= needed("report")
    assert "torch" not in needed("fold")


def test_packages_whose_modules_are_loaded_by_name_are_found_in_the_code(tmp_path, monkeypatch):
    (tmp_path / "thermalign").mkdir()
    for name, text in {
        "__init__": "",
        "a": "load(f'thermalign.parts.{x}')",
        "b": "load('q')",
    }.items():
        (tmp_path / "thermalign" / f"{name}.py").write_text(text)
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path / "thermalign")
    assert loaded_by_name("thermalign.a") == {"parts"}
    assert loaded_by_name("thermalign.b") == set()


@pytest.mark.parametrize("rule", RULES)
def test_a_step_that_loads_modules_by_name_has_them_in_its_fingerprint(rule):
    own = (PACKAGE / "steps" / f"{rule}.py").read_text()
    for package, wildcard in (("landmarks", "detector"), ("ingest", "adapter")):
        if f"thermalign.{package}.{{" in own or (package == "landmarks" and "load_model(" in own):
            assert f'"{package}.{{{wildcard}}}"' in RULES[rule]


@pytest.mark.parametrize("detector", modules("landmarks"))
def test_an_optional_package_of_a_detector_is_an_extra_of_the_project(detector):
    extra = re.search(
        r'^EXTRA = "(\w+)"', (PACKAGE / f"{detector.replace('.', '/')}.py").read_text(), re.M
    )
    if extra:
        block = PROJECT.split("[project.optional-dependencies]")[1]
        assert re.search(rf"^{extra[1]} = \[", block, flags=re.M)


@pytest.mark.parametrize("rule", RULES)
def test_every_path_in_a_shell_command_is_quoted(rule):
    for placeholder in re.findall(r"\{([^{}]+)\}", shell(rule)):
        name, _, how = placeholder.partition(":")
        kind, _, key = name.partition(".")
        if kind == "wildcards" or (kind == "params" and key in UNQUOTED):
            continue  # the rules restrict them to letters, digits and _
        assert how == "q", f"rule {rule}: {{{placeholder}}} is not quoted"


@pytest.mark.parametrize("rule", RULES)
def test_a_shell_command_gives_a_step_each_of_its_keywords_once(rule):
    words = shlex.split(re.sub(r"\{[^{}]+\}", "x", shell(rule)))
    assert words[:4] == ["python", "-m", "thermalign", rule]
    options = [word for word in words if word.startswith("--")]
    tree = ast.parse((PACKAGE / "steps" / f"{rule}.py").read_text())
    run = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "run")
    assert sorted(options) == sorted(
        ["--log", "--job", *(f"--{a.arg}" for a in run.args.kwonlyargs)]
    )
