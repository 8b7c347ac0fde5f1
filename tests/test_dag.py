"""What a change re-runs, as dry runs of a copy of the project in which every job has run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
COPIED = ("Snakefile", "config.yaml", "workflow", "src", "envs")

# Steps replaced by ones that only write their outputs, so that a whole study takes seconds.
# The rules, their params and the fingerprints are the real ones: those are what is tested.
FAKE = """
import sys
from pathlib import Path
OUTPUTS = {"folder", "images", "annotations", "boxes", "folds", "state", "curve", "predictions",
           "faces", "matcher", "scores", "metrics", "summary", "differences", "page", "card",
           "likeness", "contact", "marked", "spread", "detections", "replicates"}
INPUTS = {"fold": {"images"}, "train": {"images", "annotations", "boxes", "folds"},
          "predict": {"images", "boxes", "folds", "state"},
          "annotated": {"images", "annotations", "folds"}, "align": {"images", "predictions"},
          "detect": {"images", "boxes", "folds", "state"},
          "stress": {"images", "annotations", "boxes", "detections", "folds", "state"},
          "sweep": {"images", "folds", "faces"},
          "ablate": {"images", "folds", "faces", "matcher"},
          "displace": {"images", "annotations", "folds", "faces", "matcher"},
          "score_variants": {"images", "folds", "predictions", "matcher"},
          "train_matcher": {"images", "folds", "faces"},
          "score": {"images", "folds", "predictions", "faces", "matcher"},
          "measure": {"images", "annotations", "boxes", "folds", "predictions", "scores"},
          "compare": {"images", "metrics", "replicates", "joined_replicates", "scores"},
          "spread": {"images", "annotations", "folds", "predictions"},
          "describe": {"images", "annotations", "boxes"},
          "report": {"images", "annotations", "boxes", "summary", "differences", "curves",
                     "predictions", "marked", "spread", "recordings"}}
step = sys.argv[1]
options = dict(zip(sys.argv[2:], sys.argv[3:]))
for name in OUTPUTS - INPUTS.get(step, set()):
    path = options.get("--" + name)
    if path and name == "folder":
        Path(path).mkdir(parents=True, exist_ok=True)
    elif path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(step)
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The project, with two variants, in which every job has run, by the fake steps."""
    project = tmp_path_factory.mktemp("study") / "project"
    project.mkdir()
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, project / name)
    variants = "variants:\n  shift_05: {shift: 0.05}\n  scale_150: {scale: 1.5}\n"
    edit(project / "config.yaml", "variants: {}", variants)
    shorten(project / "config.yaml")
    run_with_fake_steps(project)
    return project


def shorten(config):
    """Leave one fold of one protocol and three models: fewer jobs, faster dry runs."""
    edit(config, "chunks: 8", "chunks: 1")
    edit(config, "folds: 2", "folds: 1")
    text = config.read_text()
    for block in (r"  p2:\n(?:    .*\n)+", r"  pbc:\n(?:    .*\n)+", r"  ert:.*\n(?:    .*\n)+"):
        text, count = re.subn(block, "", text)
        assert count == 1, block
    config.write_text(text)


def run_with_fake_steps(project):
    """Run every job that is due by the fake steps."""
    main = project / "src/thermalign/__main__.py"
    real = main.read_text()
    main.write_text(FAKE)
    done = snakemake(project, "--cores", "2", "--quiet", "all")
    main.write_text(real)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def project(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "moved", symlinks=True)


def snakemake(project, *arguments, path=None):
    command = [sys.executable, "-m", "snakemake", *arguments]
    environment = {**os.environ, "PATH": path or os.environ["PATH"]}
    return subprocess.run(command, cwd=project, capture_output=True, text=True, env=environment)


def due(project, *arguments):
    """Return rule and model of every job that a dry run would start."""
    done = snakemake(project, "--cores", "2", "-n", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    jobs = re.findall(r"rule (\w+):\n(.*?)(?=\n\[|\Z)", done.stdout, flags=re.DOTALL)
    model = re.compile(r"model=(\w+)")
    return {(rule, *model.findall(body)[:1]) for rule, body in jobs if rule != "all"}


SUBTREE = ("train", "predict", "stress", "score_variants", "align", "score", "measure")
MODELS = ("dan", "mtcnn", "mean_shape")


def subtree(model):
    return {(rule, model) for rule in SUBTREE} | {("compare",), ("spread",), ("report",)}


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_nothing_is_due_after_a_run_in_a_moved_folder_with_touched_code(project):
    for file in (project / "src").rglob("*.py"):
        file.touch()
    assert due(project) == set()


def test_comments_and_docstrings_are_no_change(project):
    model = project / "src/thermalign/landmarks/dan.py"
    edit(model, '"""Deep Alignment Network', '"""Reworded')
    model.write_text(model.read_text() + "\n# a comment\n")
    assert due(project) == set()


def test_code_of_one_model_is_due_for_that_model_alone(project):
    model = project / "src/thermalign/landmarks/dan.py"
    model.write_text(model.read_text() + "\nCHANGED = 1\n")
    assert due(project) == subtree("dan")


def test_a_block_of_the_configuration_is_due_for_that_model_alone(project):
    edit(project / "config.yaml", "    steps: 2200 # of stage 1", "    steps: 2201 # of stage 1")
    assert due(project) == subtree("dan")


def stressed(*models):
    due_each = {(rule, model) for model in models for rule in ("stress", "score_variants")}
    return due_each | {("compare",), ("report",)}


def test_a_variant_is_due_where_models_are_tested_under_it_alone(project):
    edit(project / "config.yaml", "shift: 0.05", "shift: 0.06")
    assert due(project) == stressed(*MODELS)


def test_a_variant_by_a_detector_makes_every_model_depend_on_it(project):
    edit(project / "config.yaml", "shift_05: {shift: 0.05}", "found: {detector: mtcnn}")
    assert due(project) == stressed(*MODELS) | {("detect", "mtcnn")}
    run_with_fake_steps(project)
    edit(project / "config.yaml", "steps: 1000", "steps: 1001")
    assert due(project) == subtree("mtcnn") | stressed(*MODELS) | {("detect", "mtcnn")}


def test_another_part_of_the_ablation_is_due_there_alone(project):
    edit(project / "config.yaml", "pls: {mapping: none}", "pls: {mapping: none, components: 5}")
    assert due(project) == {("ablate",), ("compare",), ("report",)}


def test_another_level_of_displacement_is_due_there_alone(project):
    edit(project / "config.yaml", "0.24, 0.32]", "0.24, 0.32, 0.4]")
    assert due(project) == {("displace",), ("compare",), ("report",)}


def test_a_matcher_is_due_wherever_scores_are_made(project):
    edit(project / "config.yaml", "components: 10", "components: 11")
    wanted = {("train_matcher",), ("ablate",), ("displace",), ("compare",), ("report",)}
    for model in (*MODELS, "annotated"):
        wanted |= {("score", model), ("measure", model)}
    wanted |= {("score_variants", model) for model in MODELS}
    assert due(project) == wanted


def test_a_study_without_variants_ablation_and_displacements_has_no_such_jobs(project):
    config = yaml.safe_load((project / "config.yaml").read_text())
    for block in ("variants", "ablation", "displacements"):
        del config[block]
    (project / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    assert due(project) == {("compare",), ("report",)}


def test_a_new_model_is_one_file_and_one_line(project):
    models = project / "src/thermalign/landmarks"
    shutil.copy(models / "mean_shape.py", models / "average.py")
    edit(project / "config.yaml", "  mean_shape: {}", "  average: {}\n  mean_shape: {}")
    assert due(project) == subtree("average")


def test_two_models_of_one_file_differ_by_name(project):
    edit(
        project / "config.yaml",
        "  mean_shape: {}",
        "  pbc_same: {model: pbc, padding: same}\n  mean_shape: {}",
    )
    assert due(project) == subtree("pbc_same")


@pytest.fixture
def seeded(project):
    """The study with three training seeds of DAN, finished as far as dry runs can tell."""
    edit(project / "config.yaml", "  dan:\n", "  dan:\n    seeds: [1, 2, 7]\n")
    return project


def test_every_training_seed_is_a_row_of_its_own(seeded):
    jobs = due(seeded)
    wanted = {(rule, f"dan_seed{k}") for rule in SUBTREE for k in (1, 2, 7)}
    assert jobs == wanted | {("compare",), ("spread",), ("report",)}


def test_the_common_training_seed_is_none_of_a_model_with_seeds(seeded):
    run_with_fake_steps(seeded)
    edit(seeded / "config.yaml", "training_seed: 1", "training_seed: 3")
    trained = {job[1] for job in due(seeded) if job[0] == "train"}
    assert trained == set(MODELS) - {"dan"}


def test_one_more_seed_is_due_alone(seeded):
    run_with_fake_steps(seeded)
    edit(seeded / "config.yaml", "[1, 2, 7]", "[1, 2, 3, 7]")
    assert due(seeded) == subtree("dan_seed3")


def test_shared_geometry_is_due_in_every_model_but_not_in_folds(project):
    edit(project / "src/thermalign/geometry.py", "(across**2)", "(across**2.0)")
    jobs = due(project)
    assert {("train", m) for m in MODELS} <= jobs


def test_the_report_step_is_due_alone(project):
    step = project / "src/thermalign/steps/report.py"
    step.write_text(step.read_text() + "\nCHANGED = 1\n")
    assert due(project) == {("report",)}


def test_joining_the_folds_is_due_without_measuring_again(project):
    step = project / "src/thermalign/steps/compare.py"
    step.write_text(step.read_text() + "\nCHANGED = 1\n")
    assert due(project) == {("compare",), ("report",)}


@pytest.mark.parametrize("module", ["metrics/real_faces.py", "report/montage.py"])
def test_code_of_the_card_is_due_in_the_card_and_the_report(project, module):
    file = project / "src/thermalign" / module
    file.write_text(file.read_text() + "\nCHANGED = 1\n")
    assert due(project) == {("describe",), ("report",)}


def test_the_style_of_the_report_is_due_in_the_report_alone(project):
    style = project / "src/thermalign/report/style.css"
    style.write_text(style.read_text() + "\nbody { margin: 0 }\n")
    assert due(project) == {("report",)}


def test_threads_are_no_reason_to_run_again(project):
    edit(project / "config.yaml", "train: 1 #", "train: 2 #")
    assert due(project) == set()


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("training_seed: 1", "training_sed: 1", "training_sed"),
        ("test_subjects: 30", "test_subject: 30", "test_subject"),
        ("components: 10", "components: many", "many"),
        ("  mean_shape: {}", "  mean_shap: {}", "no detector 'mean_shap'"),
        ("    dataset: simulated", "    dataset: simulatd", "no dataset 'simulatd'"),
        ("  dan:\n", "  dan:\n    seeds: []\n", "non-empty"),
        ("  dan:\n", "  dan:\n    seeds: [1, 1]\n", "non-unique"),
        ("  dan:\n", "  dan:\n    seeds: 3\n", "not of type 'array'"),
        (
            "  mean_shape: {}",
            "  mean_shape_seed4: {model: mean_shape}\n  mean_shape: {seeds: [4]}",
            "models.mean_shape: mean_shape_seed4 is a training of models.mean_shape_seed4",
        ),
        ("pls: {mapping: none}", "pls: {maping: none}", "maping"),
        ("pls: {mapping: none}", "study: {mapping: none}", "study"),
        ("levels: [0, 0.02,", "levels: [0.02, 0,", "do not rise from 0"),
        ("linear_up_to: 0.12", "linear_up_to: 0.01", "no level but 0 up to 0.01; give 0.02"),
        ("kinds: [isotropic]", "kinds: [wobble]", "wobble"),
        ("{shift: 0.05}", "{shfit: 0.05}", "shfit"),
        ("{shift: 0.05}", "{shift: 0.05, scale: 2}", "too many properties"),
        ("shift_05:", "none:", "none"),
        ("{shift: 0.05}", "{detector: mtcn}", "variants.shift_05.detector: no model 'mtcn'"),
        ("{shift: 0.05}", "{dataset: cold}", "variants.shift_05.dataset: no dataset 'cold'"),
        ("{shift: 0.05}", "{detector: dan}", "dan has no detect() and finds no faces"),
    ],
)
def test_a_wrong_key_is_refused_by_name_before_any_job(project, old, new, named):
    edit(project / "config.yaml", old, new)
    done = snakemake(project, "--cores", "1", "-n")
    assert done.returncode != 0
    assert named in done.stdout + done.stderr


def test_another_configuration_replaces_the_default_one(project):
    config = yaml.safe_load((project / "config.yaml").read_text())
    config["models"] = {"mean_shape": {}}
    config["results"] = "elsewhere"
    (project / "other.yaml").write_text(yaml.safe_dump(config))
    jobs = due(project, "--configfile", "other.yaml")
    assert {job[1] for job in jobs if job[0] == "train"} == {"mean_shape"}


def test_jobs_that_train_share_the_one_gpu_of_a_machine(project, tmp_path):
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 'GPU 0: pretend'\n")
    tool.chmod(0o755)
    edit(project / "config.yaml", "training_seed: 1", "training_seed: 2")
    path = f"{tool.parent}:{os.environ['PATH']}"
    with_gpu = snakemake(project, "--cores", "8", "-n", path=path).stdout
    without = snakemake(project, "--cores", "8", "-n").stdout
    wanted = r"rule train:.*?resources: [^\n]*gpu=(\d)"
    assert set(re.findall(wanted, with_gpu, flags=re.DOTALL)) == {"1"}
    assert set(re.findall(wanted, without, flags=re.DOTALL)) == {"0"}


def test_every_rule_states_its_threads_resources_log_and_environment():
    for file in (ROOT / "workflow/rules").glob("*.smk"):
        for rule in re.split(r"\nrule ", file.read_text())[1:]:
            for directive in ("threads:", "resources:", "log:", "conda:"):
                assert directive in rule, (file.name, rule.split(":")[0], directive)


def test_environments_hold_what_their_steps_import_at_the_pinned_versions():
    sys.path.insert(0, str(ROOT / "src"))
    from thermalign.provenance import third_party  # noqa: PLC0415

    pins = dict(re.findall(r'"([a-z-]+)==([\w.]+)"', (ROOT / "pyproject.toml").read_text()))
    distributions = {
        "cv2": "opencv-python-headless",
        "yaml": "pyyaml",
        "array_api_compat": "array-api-compat",
        "dlib": "dlib-bin",
    }
    conda = {
        "opencv-python-headless": "py-opencv",
        "torch": "pytorch",
        "matplotlib": "matplotlib-base",
        "dlib-bin": "dlib",
    }
    for file in (ROOT / "workflow/rules").glob("*.smk"):
        for rule in re.split(r"\nrule ", file.read_text())[1:]:
            name = rule.split(":")[0]
            env = yaml.safe_load(
                (ROOT / "envs" / re.search(r"envs/(\w+\.yaml)", rule)[1]).read_text()
            )
            assert env["channels"] == ["conda-forge"]
            have = dict(line.split("=", 1) for line in env["dependencies"])
            reached = third_party(f"thermalign.steps.{name}") | third_party("thermalign.__main__")
            if "landmarks.{detector}" in rule:
                models = (ROOT / "src/thermalign/landmarks").glob("[a-z]*.py")
                reached |= {
                    m for p in models for m in third_party(f"thermalign.landmarks.{p.stem}")
                }
            for module in reached - set(sys.stdlib_module_names):
                package = distributions.get(module, module)
                pin = pins[package]
                assert conda.get(package, package) in have, (name, module)
                assert pin.startswith(have[conda.get(package, package)].rstrip("*")), (name, module)


STUDIES = ["verification", "sweep", "paper", "pbc_reach", "learning_curve", "frames", "robustness"]


@pytest.mark.slow  # as large as they are
@pytest.mark.parametrize("study", STUDIES)
def test_every_other_study_is_accepted_whole(finished, study):
    config = f"workflow/config/{study}.yaml"
    done = snakemake(finished, "--dry-run", "--quiet", "--configfile", config)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_recording_with_another_seed_shows_other_people_and_is_refused(project):
    config = yaml.safe_load((project / "config.yaml").read_text())
    config["datasets"]["other"] = config["datasets"]["simulated"] | {"seed": 3}
    config["variants"] = {"other": {"dataset": "other"}}
    (project / "config.yaml").write_text(yaml.safe_dump(config))
    done = snakemake(project, "--dry-run")
    assert done.returncode != 0
    assert "variants.other.dataset: other has another seed" in done.stdout + done.stderr
