"""A small study in a copy of the project, and changes to it with the jobs that each must run."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import yaml

from workflow_rules import ROOT

COPIED = ("Snakefile", "config.yaml", "workflow", "src", "envs")
FOLD = "p1/fold0"
DAN = {"input_size": 32, "width": 0.0625, "hidden": 32, "steps": 20, "later_steps": 5}
TRAINED = ("train", "predict", "stress", "score_variants", "align", "score", "measure")
ENDS = {"compare all", "report all"}
ASIDE = {f"{rule} {FOLD}" for rule in ("ablate", "sweep", "displace")}


def write_study(project):
    """Copy the project and leave a study of two models, one fold and 13 people in it."""
    project.mkdir(parents=True)
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "weights")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, project / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, project)
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    volume = {"subjects": 13, "ranges": [1], "baseline": 2, "expression": 2}
    block = config["datasets"]["simulated"] | {"chunks": 1, "settings": {"volumes": [volume]}}
    split = {"train_subjects": 5, "test_subjects": 8, "folds": 1, "validation_share": 0.2}
    config["evaluation"]["replicates"] = 50
    config["matcher"]["dpm"] = {"epochs": 1}
    config["displacements"] |= {"kinds": ["isotropic"], "levels": [0, 0.1, 0.5]}
    config |= {
        "datasets": {"simulated": block},
        "protocols": {"p1": config["protocols"]["p1"] | split},
        "ablation": {"pls": {"mapping": "none"}},
        "sweep": {"five": {"components": 5}},
        "variants": {"shift_20": {"shift": 0.2}},
        "models": {"dan": DAN, "mean_shape": {}},
    }
    (project / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def configure(*keys, value):
    """Return a change that sets a key of the configuration."""

    def change(project):
        path = project / "config.yaml"
        config = yaml.safe_load(path.read_text())
        block = config
        for key in keys[:-1]:
            block = block[key]
        block[keys[-1]] = value
        path.write_text(yaml.safe_dump(config, sort_keys=False))

    return change


def append(module, text="\nCHANGED = 1\n"):
    """Return a change that adds a line to a module."""

    def change(project):
        file = project / "src/thermalign" / module
        file.write_text(file.read_text() + text)

    return change


def touch(pattern, *, up_to=float("inf"), beyond=-1):
    """Return a change that gives files of some size in bytes the time of now."""

    def change(project):
        files = [path for path in sorted(project.glob(pattern)) if path.is_file()]
        touched = [path for path in files if beyond < path.stat().st_size <= up_to]
        assert touched
        for path in touched:
            path.touch()

    return change


def reword(project):
    """Change a comment and a docstring."""
    file = project / "src/thermalign/landmarks/dan.py"
    text = file.read_text()
    assert '"""Deep Alignment Network' in text
    file.write_text(text.replace('"""Deep Alignment Network', '"""Reworded') + "\n# a comment\n")


def add_a_file(project):
    """Add a model: a file and its line."""
    models = project / "src/thermalign/landmarks"
    shutil.copy(models / "mean_shape.py", models / "average.py")
    configure("models", "average", value={})(project)


def delete(path):
    """Return a change that deletes an output."""
    return lambda project: (project / path).unlink()


def nothing(project):
    """Change nothing."""


def of(model, *rules):
    """Return jobs of a model."""
    return {f"{rule} {FOLD}/{model}" for rule in rules}


def subtree(model):
    """Return the jobs that a model's change runs."""
    return of(model, *TRAINED) | ENDS | {"spread all"}


def scored(*rules):
    """Return the jobs of some rules for every model and the annotated points."""
    both = of("dan", *rules) | of("mean_shape", *rules)
    annotated = [rule for rule in rules if rule in ("align", "score", "measure")]
    return both | of("annotated", *annotated)


MATCHED = scored("score", "measure", "score_variants") | ASIDE | {f"train_matcher {FOLD}"} | ENDS
LARGE = 1_000_000
"""Bytes up to which Snakemake compares the content of an input that is newer."""


@dataclass(frozen=True)
class Case:
    """A change, the jobs that must run, and a part of what `why` says of the first of them."""

    name: str
    change: object
    jobs: frozenset[str] = frozenset()
    told: str = ""
    elsewhere: bool = False  # called from another folder
    real: bool = False  # about files that only real steps make

    def __str__(self):
        return self.name


def case(name, change, jobs=(), told="", **more):
    return Case(name, change, frozenset(jobs), told, **more)


CASES = [
    case("nothing but the folder moved", nothing),
    case(
        "one model's settings",
        configure("models", "dan", "steps", value=21),
        subtree("dan"),
        f"train {FOLD}/dan: setting steps: 20 -> 21",
    ),
    case(
        "one model's code",
        append("landmarks/mean_shape.py"),
        subtree("mean_shape"),
        f"train {FOLD}/mean_shape: code of landmarks/mean_shape.py changed",
    ),
    case(
        "a matcher helper's code",
        append("verification/descriptors.py"),
        MATCHED,
        f"train_matcher {FOLD}: code of verification/descriptors.py changed",
    ),
    case(
        "a chapter of the report",
        append("report/chapters/cost.py"),
        {"report all"},
        "report all: code of report/chapters/cost.py changed",
    ),
    case(
        "a model more, by a line",
        configure("models", "average", value={"model": "mean_shape"}),
        subtree("average"),
        f"train {FOLD}/average: missing output results/{FOLD}/average/state.safetensors",
    ),
    case(
        "a model more, by a file and a line",
        add_a_file,
        subtree("average"),
        f"train {FOLD}/average: missing output results/{FOLD}/average/state.safetensors",
    ),
    case(
        "the training seed",
        configure("training_seed", value=2),
        subtree("dan") | subtree("mean_shape") | MATCHED,
        f"train {FOLD}/dan: setting seed: 1 -> 2",
    ),
    case(
        "a key of evaluation",
        configure("evaluation", "replicates", value=60),
        scored("stress", "score_variants", "measure") | ASIDE | ENDS | {"spread all"},
        "setting replicates: 50 -> 60",
    ),
    case(
        "the report deleted",
        delete("results/report/index.html"),
        {"report all"},
        "report all: missing output results/report/index.html",
    ),
    case("a table deleted that no due job reads", delete("results/compare/summary.parquet")),
    case(
        "a matcher of more than 1 MB touched",
        touch(f"results/{FOLD}/matcher.safetensors", beyond=LARGE),
        scored("score", "measure", "score_variants")
        | {f"ablate {FOLD}", f"displace {FOLD}"}
        | ENDS,
        f"newer input results/{FOLD}/matcher.safetensors",
        real=True,
    ),
    case("outputs of up to 1 MB touched", touch("results/**/*.parquet", up_to=LARGE)),
    case("images touched", touch("results/data/*/chunks/*/*.png"), real=True),
    case("source files touched", touch("src/**/*.py")),
    case("configuration touched", touch("config.yaml")),
    case("a comment and a docstring", reword),
    case("threads", configure("threads", "train", value=2)),
    case("called from another folder", nothing, elsewhere=True),
]


def records(project):
    """Return job, start and log of every record that Snakemake keeps of an output, by its file."""
    found = {}
    for path in sorted((project / ".snakemake/metadata").rglob("*")):
        if path.is_file():
            its = json.loads(path.read_text())
            job = its["shellcmd"].partition(" --job ")[2].split()[0]
            found[path.name] = (f"{its['rule']} {job}", its["starttime"], its["log"][0])
    return found


def cost(project, recorded):
    """Return how many jobs some records are of, and their seconds of processors by their logs."""
    logs = {log for _, _, log in recorded}
    last = [(project / log).read_text().splitlines()[-1] for log in logs]
    return len(logs), sum(json.loads(line)["cpu"] for line in last)


def executed(before, after):
    """Return the jobs whose records are new, or of another start."""
    return {its[0] for path, its in after.items() if before.get(path) != its}


def outputs(project):
    """Return digest and time in ns of every file below results."""
    return {
        path.relative_to(project).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in sorted(Path(project, "results").rglob("*"))
        if path.is_file()
    }
