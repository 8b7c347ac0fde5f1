"""What every rule says: its environment against imports, its shell command, its directives."""

import ast
import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from thermalign import provenance
from thermalign.__main__ import parse
from thermalign.config.resources import NEEDS
from thermalign.provenance import PACKAGE, loaded_by_name, third_party
from workflow_rules import ROOT, RULES, given, snakemake

STEPS = {path.stem for path in (PACKAGE / "steps").glob("[a-z]*.py")} - {"job"}  # what they share
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


def modules(package):
    """Return the modules of a package that can be loaded by name, files and folders."""
    every = sorted((PACKAGE / package).glob("[a-z]*"))
    there = (p for p in every if p.suffix == ".py" or (p / "__init__.py").is_file())
    return [f"{package}.{path.stem}" for path in there]


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


def called(rule):
    """Return what a rule calls step() with: a name, an expression, names of inputs and outputs."""
    name, job, inputs, outputs = (
        ast.parse(RULES[rule].split("    shell:", 1)[1].strip()).body[0].value.args
    )
    return name.value, ast.unparse(job), inputs.value.split(), outputs.value.split()


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    """The words of a command of every rule, as a dry run prints it; its folders have blanks."""
    folder = tmp_path_factory.mktemp("a study")
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    config |= {"results": "my results", "sweep": {"five": {"components": 5}}}
    config["variants"] = {"found": {"detector": "mtcnn"}, "tree": {"dataset": "published"}}
    config["models"]["mtcnn"] |= {"stages": "full", "losses": "weighted_sum"}  # finds faces
    config["detector"] = {
        "landmarks": {"protocol": "p1", "model": "heatmap"},
        "finder": {"protocol": "p1", "model": "mtcnn"},
        "recorded": {"dataset": "ours", "by": "camera", "composed": ["a web"]},
        "beside": "another run",
    }
    ours = {"adapter": "table", "folder": "my faces", "manifest": "a.csv", "attributes": ["camera"]}
    config["datasets"]["ours"] = {**ours, "box": {"source": "given"}}
    roles = {"probe": {"modality": "thermal"}, "gallery": {"modality": "visible"}}
    config["evaluate_on"] = {"ours": {"dataset": "ours", **roles}}
    config["datasets"]["strangers"] = {**config["datasets"]["simulated"], "seed": 4001}
    config["networks"] = {"far": {"dataset": "strangers"}}
    config["ablation"]["far"] = {"mapping": "two_branch", "two_branch": {"network": "far"}}
    config["data"] = "."
    published = {"adapter": "carl", "folder": "my tree", "nose": "none"}
    config["datasets"]["published"] = {**published, "box": {"source": "given"}}
    (folder / "my tree").mkdir()
    config["models"]["placed"] = {"from": "my points.csv"}
    config["models"]["visiting"] = {"from": "points of {dataset}.csv"}
    config["matchers"] = {"matched": {"from": "my scores.csv"}}
    for path in ("my points.csv", "points of simulated.csv", "points of ours.csv", "my scores.csv"):
        (folder / path).touch()
    for path in ("my faces/a.csv", "another run/metrics.parquet"):
        (folder / path).parent.mkdir()
        (folder / path).touch()
    (folder / "study.yaml").write_text(yaml.safe_dump(config))
    done = snakemake(
        folder, "-s", str(ROOT / "Snakefile"), "--configfile", "study.yaml", "-n", "-p"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = re.findall(r"(python -m thermalign .*) \|\| python -m thermalign.killed ", done.stdout)
    return {words[3]: words for words in map(shlex.split, lines)}


def test_every_step_is_a_rule_and_every_rule_a_step():
    assert set(RULES) == STEPS


def test_what_a_rule_takes_is_known_of_every_rule():
    assert set(NEEDS) == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_states_its_resources_log_and_environment(rule):
    for directive in ("resources:", "log:", "conda:"):
        assert f"    {directive}" in RULES[rule]
    for kind in ("memory", "runtime"):  # decided by functions, of this rule
        assert f'{kind}("{rule}"),' in RULES[rule]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_asks_for_a_gpu_if_and_only_if_its_step_is_given_one(rule):
    """Every other step is kept off all GPUs, however many its rule would hold."""
    given_one = bool({"detector", "network"} & set(provenance.keywords(f"steps.{rule}")))
    assert ("        gpu=gpu,\n" in RULES[rule]) == given_one
    assert ("gpu" in re.split(r"    (?:params|shell):", RULES[rule])[0]) == given_one


def test_the_partition_of_gpus_is_told_of_every_rule_that_asks_for_one():
    told = re.findall(r"(\w+): {slurm_partition: gpu}", (ROOT / "docs/clusters.md").read_text())
    assert set(told) == {rule for rule, text in RULES.items() if "gpu=gpu" in text}


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


@pytest.mark.parametrize("file", sorted(ROOT.glob("envs/*.yaml")), ids=lambda file: file.stem)
def test_an_environment_holds_nothing_that_its_steps_do_not_import(file):
    rules = [rule for rule in RULES if f"envs/{file.name}" in RULES[rule]]
    names = {DISTRIBUTIONS.get(module, module) for rule in rules for module in needed(rule)}
    have = {line.split("=")[0] for line in environment(rules[0])["dependencies"]}
    assert have == {"python"} | {CONDA.get(name, name) for name in names}


def test_detectors_in_a_folder_of_their_own_are_loaded_by_name_too():
    assert {"landmarks.mtcnn", "landmarks.dan"} <= set(modules("landmarks"))
    assert {"jinja2", "onnx", "safetensors", "dlib"} <= needed("pack")


def test_what_is_needed_is_what_is_reached_by_import_and_by_name():
    assert {"safetensors", "torch", "dlib"} <= needed("train")
    assert {"jinja2", "matplotlib"} <= needed("report")
    assert not {"torch", "dlib"} & (needed("fold") | needed("report") | needed("measure"))


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


def test_every_package_of_the_project_is_imported_or_says_why_it_is_there():
    block = PROJECT.split("dependencies = [")[1].split("]")[0]
    reached = {
        name
        for path in PACKAGE.rglob("*.py")
        for name in third_party(
            ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(
                ".__init__"
            )
        )
    }
    imported = {DISTRIBUTIONS.get(name, name) for name in reached}
    for line in block.strip().splitlines():
        name = re.search(r'"([a-z0-9-]+)==', line)[1]
        assert name in imported or "#" in line, f"{name} is imported by nothing"


TORCHLESS = ["simulate", "adapt", "ingest", "fold", "annotated", "measure", "compare", "spread"]
TORCHLESS += ["describe", "report"]


def test_steps_that_make_no_tensor_load_no_torch():
    loads = "".join(f"import thermalign.steps.{step}\n" for step in TORCHLESS)
    code = f"import sys, thermalign.__main__\n{loads}print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    loaded = ast.literal_eval(done.stdout)
    assert "thermalign.steps.report" in loaded
    assert not {"torch", "sklearn", "snakemake", "pydantic"} & set(loaded)


BY_NAME = {
    "ingest": ('"ingest.{adapter}"',),
    "landmarks": ('"landmarks.{detector}"', "*landmark_modules()"),
    "metrics": ("*further_metrics()",),
    "verification": ("*parts(",),
}
"""How a rule's fingerprint spells modules that are loaded by name, by their package."""


@pytest.mark.parametrize("rule", RULES)
def test_a_step_that_loads_modules_by_name_has_them_in_its_fingerprint(rule):
    spelled = re.search(r"code=code\((.*)\),", RULES[rule])[1]
    # every step of figures could load metrics by name; measure alone is told names
    unused = set() if rule == "measure" else {"metrics"}
    for package in loaded_by_name(f"thermalign.steps.{rule}") - unused:
        assert any(spelling in spelled for spelling in BY_NAME[package])


@pytest.mark.parametrize("detector", modules("landmarks"))
def test_an_optional_package_of_a_detector_is_an_extra_of_the_project(detector):
    name = f"thermalign.{detector}"
    extra = re.search(r'^EXTRA = "(\w+)"', provenance.sources(name)[name].read_text(), re.M)
    if extra:
        block = PROJECT.split("[project.optional-dependencies]")[1]
        assert re.search(rf"^{extra[1]} = \[", block, flags=re.M)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_calls_its_step_with_the_inputs_and_outputs_it_has(rule):
    name, _job, inputs, outputs = called(rule)
    assert name == rule
    assert inputs == given(rule, "input")
    assert outputs == given(rule, "output")
    keywords = set(provenance.keywords(f"steps.{rule}"))
    assert {*inputs, *outputs, *given(rule, "params")} <= keywords


@pytest.mark.parametrize("rule", RULES)
def test_a_command_is_what_its_step_takes_whatever_its_folders_are_called(rule, commands):
    words = commands[rule]
    run = importlib.import_module(f"thermalign.steps.{rule}").run
    log, _job, keywords = parse(run, rule, words[4:])
    assert log.parts[:3] == ("my results", "logs", rule)
    assert set(keywords) == set(provenance.keywords(f"steps.{rule}"))
    for output in given(rule, "output"):
        assert keywords[output].parts[0] == "my results"


def test_pack_is_given_recorded_faces_and_another_run_where_they_are_configured(commands):
    run = importlib.import_module("thermalign.steps.pack").run
    keywords = parse(run, "pack", commands["pack"][4:])[2]
    names = ("images", "annotations", "boxes", "attributes")
    assert keywords["recorded"] == [Path(f"my results/data/ours/{name}.parquet") for name in names]
    assert keywords["beside"] == [Path("another run/metrics.parquet")]
    assert keywords["asked"] == {"dataset": "ours", "by": "camera", "composed": ["a web"]}
    assert keywords["onnx"] == Path("my results/detector/landmarks.onnx")


def test_a_detector_that_no_configuration_names_is_refused_in_a_line(tmp_path):
    given = ["-s", str(ROOT / "Snakefile"), "--configfile", str(ROOT / "config.yaml")]
    done = snakemake(tmp_path, *given, "-n", "pack")
    assert done.returncode != 0
    told = "config: detector: is missing, the models that pack takes home; name them"
    assert [line for line in done.stderr.splitlines() if line == told] == [told]
    assert "Traceback" not in done.stderr


IMPORTER = """
configfile: "both.yaml"


module thermalign:
    snakefile:
        "{snakefile}"
    config:
        config["faces"]


use rule * from thermalign


rule paper:
    default_target: True
    input:
        rules.all.input,
    output:
        "paper.txt",
    shell:
        "cp {{input}} {{output}}"
"""


@pytest.fixture
def importer(tmp_path):
    """Another workflow, which has the study as a module, in a folder of its own."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    volume = {"subjects": 4, "ranges": [1], "baseline": 1, "expression": 0}
    config["datasets"]["simulated"] |= {"chunks": 4, "settings": {"volumes": [volume]}}
    split = {"train_subjects": 2, "test_subjects": 2}
    config["protocols"] = {"p1": config["protocols"]["p1"] | split}
    (tmp_path / "both.yaml").write_text(yaml.safe_dump({"faces": config, "title": "mine"}))
    (tmp_path / "Snakefile").write_text(IMPORTER.format(snakefile=ROOT / "Snakefile"))
    return tmp_path


def test_the_study_can_be_a_module_of_another_workflow(importer):
    done = snakemake(importer, "-n")
    assert done.returncode == 0, done.stdout + done.stderr
    due = set(re.findall(r"^(?:local)?rule (\w+):", done.stdout, flags=re.M))
    # this study asks for none of them
    optional = {"adapt", "detect", "stress", "score_variants", "sweep", "pack"}
    optional |= {"import_points", "import_scores", "train_network"}
    optional |= {rule for rule in RULES if rule.endswith("_across")}
    assert due == set(RULES) - optional | {"paper"}
    done = snakemake(importer, "results/data/simulated/chunks/0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (importer / "results/data/simulated/chunks/0/images.parquet").is_file()


def test_what_another_workflow_hands_over_is_checked_too(importer):
    both = (importer / "both.yaml").read_text()
    (importer / "both.yaml").write_text(both.replace("components: 10", "componets: 10"))
    done = snakemake(importer, "-n")
    assert done.returncode != 0
    assert [line for line in done.stderr.splitlines() if "config: matcher" in line]
    assert "Traceback" not in done.stderr
